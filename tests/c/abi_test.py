#!/usr/bin/env python3
"""Changes the C header in copies, and sees which changes .ci/abi.py refuses. usage: abi_test.py"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77
METHOD = "typedef struct fovea_method {\n  size_t struct_size;\n  const char* name;"
METHOD_END = "  size_t given_count;\n} fovea_method;"
THREADS = "FOVEA_C_API int32_t fovea_explainer_threads(const fovea_explainer* explainer);"
# What changes, what it is instead, whether programs that are linked with the library run with the changed one.
CHANGES = [
    ("", "", True),
    (THREADS, THREADS + "\nFOVEA_C_API void fovea_newer(void);", True),
    (THREADS, "", False),
    (THREADS, THREADS.replace("int32_t", "int64_t"), False),
    ("fovea_model_from_bytes(const void* bytes, size_t", "fovea_model_from_bytes(const void* bytes, int32_t", False),
    (METHOD_END, "  size_t given_count;\n  int64_t newer;\n} fovea_method;", True),
    (METHOD_END, "} fovea_method;", False),
    (METHOD, METHOD.replace("const char*", "int64_t newer;\n  const char*"), False),
    (METHOD, METHOD.replace("const char*", "double"), False),
    ("\n} fovea_tensor;", "\n  int64_t newer;\n} fovea_tensor;", False),
    ("FOVEA_FUSE_MAX = 1", "FOVEA_FUSE_MAX = 3", False),
    (", FOVEA_FUSE_PRODUCT = 2", "", False),
    ("FOVEA_FUSE_PRODUCT = 2", "FOVEA_FUSE_PRODUCT = 2, FOVEA_FUSE_NEWER = 3", True),
]


def main():
    failures = 0
    for before, after, fine in CHANGES:
        with tempfile.TemporaryDirectory() as folder:
            for header in ("fovea.h", "fovea_vision.h"):
                shutil.copy(ROOT / "include" / header, folder)
            header = Path(folder) / "fovea.h"
            text = header.read_text()
            if before and text.count(before) != 1:
                sys.exit(f"failed: the header has {text.count(before)} of {before!r}")
            header.write_text(text.replace(before, after) if before else text)
            done = subprocess.run([sys.executable, "-B", ROOT / ".ci/abi.py", "--headers", folder],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == SKIPPED:
            print(done.stdout)
            return SKIPPED
        if (done.returncode == 0) != fine:
            failures += 1
            print(f"{'refused' if fine else 'passed'}: {before!r} as {after!r}\n{done.stdout}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
