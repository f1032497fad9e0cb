"""ONNX Runtime, forward only."""

import onnxruntime

TITLE = "ONNX Runtime, forward"
VERSION = onnxruntime.__version__


def create(job):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    # The extents are known before the session is made, as they are to the others.
    options.add_free_dimension_override_by_name("batch", job.batch)
    session = onnxruntime.InferenceSession(job.models / f"{job.network}.onnx", options,
                                           providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return {"forward": lambda x, best: session.run(None, {name: x})[0]}
