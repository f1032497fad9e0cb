#!/usr/bin/env python3
"""Runs clang-tidy over the sources of src and tools, as many at once as there are processors.

usage: clang_tidy.py BINARY_DIR [FILES...]   BINARY_DIR was configured with clang
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAM = "clang-tidy-14"
ROOT = Path(__file__).resolve().parent.parent


def sources(binary_dir):
    commands = json.loads((binary_dir / "compile_commands.json").read_text())
    files = sorted({Path(command["file"]).resolve() for command in commands})
    return [file for file in files for folder in ("src", "tools") if ROOT / folder in file.parents]


def tidy(binary_dir, file):
    command = [PROGRAM, "--quiet", "-p", str(binary_dir), str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def main(binary_dir, names):
    files = [Path(name).resolve() for name in names] or sources(binary_dir)
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, (status, output) in zip(files, pool.map(lambda f: tidy(binary_dir, f), files)):
            if status != 0:
                failed += 1
                print(f"{file.relative_to(ROOT)}:\n{output}", flush=True)
    print(f"clang-tidy: {len(files) - failed} of {len(files)} files are clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
