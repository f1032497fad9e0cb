#!/usr/bin/env python3
"""What Python adds to a call: a forward pass of a tiny network and its scores in numpy, beside the
same by the C interface (call.c), in turn; and what `import fovea` costs beside numpy.

usage: call.py BUILD_DIR [CALLS]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = str(ROOT / "tests/cli/fixtures/open_extents.onnx")
SHAPE = (1, 3, 8, 8)
IMPORT = ("import numpy, time; a = time.perf_counter(); import fovea; "
          "print(time.perf_counter() - a)")


def of_c(build, folder, calls):
    library = build / "src/c"
    program = Path(folder, "call")
    if not program.exists():
        subprocess.run(["cc", "-std=gnu11", "-O2", f"-I{ROOT / 'include'}",
                        str(Path(__file__).with_name("call.c")), f"-L{library}", "-lfovea_c",
                        f"-Wl,-rpath,{library}", "-o", str(program)], check=True)
    return float(subprocess.run([str(program), MODEL, *map(str, SHAPE), str(calls)], check=True,
                                stdout=subprocess.PIPE, text=True).stdout)


def of_python(calls):
    import numpy as np

    import fovea
    explainer = fovea.Explainer(MODEL, input_shapes={"data": SHAPE}, threads=1, tuning="off")
    x = np.full(SHAPE, 0.25, np.float32)
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        with explainer.forward(x) as run:
            run.output()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e6


def main(build, calls):
    os.environ.setdefault("FOVEA_LIBRARY", f"{build / 'src/c'}:{build / 'src/vision_c'}")
    sys.path.insert(0, str(ROOT / "python"))
    os.environ["PYTHONPATH"] = str(ROOT / "python")
    with tempfile.TemporaryDirectory() as folder:
        pairs = [(of_c(build, folder, calls), of_python(calls)) for _ in range(5)]
    for c, python in pairs:
        print(f"C {c:7.2f} us   Python {python:7.2f} us   more: {python - c:6.2f} us")
    print(f"median of what Python adds: {statistics.median(p - c for c, p in pairs):.2f} us")
    imports = [float(subprocess.run([sys.executable, "-c", IMPORT], check=True,
                                    stdout=subprocess.PIPE, text=True).stdout) for _ in range(9)]
    print(f"import fovea beside numpy: {statistics.median(imports) * 1e3:.1f} ms")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1])
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 10000)
