"""OpenVINO, forward only, f32 whatever the CPU has."""

import openvino

TITLE = "OpenVINO, forward"
VERSION = openvino.__version__.split("-")[0]


def create(job, hint="f32"):
    core = openvino.Core()
    model = core.read_model(job.models / f"{job.network}.onnx")
    model.reshape([job.batch, *model.input(0).get_partial_shape()[1:]])
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": job.threads,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    })
    request = compiled.create_infer_request()

    def forward(x, best):
        return request.infer([x], share_inputs=True, share_outputs=True)[0]

    return {"forward": forward}
