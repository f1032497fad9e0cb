"""ONNX Runtime once: prints the milliseconds of load + run, the imports not counted. Without a
network it writes the one input that is asked about, for fovea.

usage: once.py MODELS [NETWORK THREADS]
"""

import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

ONE = "one.npy"


def main(models, network=None, threads=None):
    models = Path(models)
    if network is None:
        np.save(models / ONE, np.load(models / "inputs.npy")[:1])
        return
    x = np.load(models / ONE)
    start = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.add_free_dimension_override_by_name("batch", 1)
    session = onnxruntime.InferenceSession(models / f"{network}.onnx", options,
                                           providers=["CPUExecutionProvider"])
    session.run(None, {session.get_inputs()[0].name: x})
    print((time.perf_counter() - start) * 1e3)


if __name__ == "__main__":
    main(*sys.argv[1:])
