#!/usr/bin/env python3
"""fovea beside other people's packages on networks that say more than a class: grad-cam's targets of segments and
boxes on torchvision's networks, captum's LayerGradCam on a question answerer, the perturbation saliency of agents.
Development only: the packages come from PyPI (requirements.txt).

    tests/peers/run.py build/release/tools/fovea
"""

import argparse
import os
import sys
import unittest
from pathlib import Path

SKIPPED = 77
PACKAGES = ["captum", "numpy", "onnx", "onnxruntime", "onnxscript", "pytorch_grad_cam", "scipy", "torch", "torchvision"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path)
    arguments.add_argument("--only", help="tests whose name has this in it")
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    for package in PACKAGES:
        try:
            __import__(package)
        except ImportError as error:
            print(f"skipped: {error} (of PyPI, development only: tests/peers/requirements.txt)")
            return SKIPPED
    import torch
    torch.set_num_threads(given.threads)
    os.environ["FOVEA_PROGRAM"] = str(given.program.resolve())
    import support
    loader = unittest.TestLoader()
    if given.only:
        loader.testNamePatterns = [f"*{given.only}*"]
    result = unittest.TextTestRunner(verbosity=2).run(
        loader.discover(str(Path(__file__).parent), "*_test.py"))
    for what, apart in support.MEASURED:
        print(f"{what}: {apart:.1e}")
    if support.MEASURED:
        print(f"{len(support.MEASURED)} maps, at most {max(apart for _, apart in support.MEASURED):.1e} of a map's "
              "largest value apart")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
