"""OpenVINO XAI: ReciproCAM, another method than Grad-CAM, and the nearest that OpenVINO's users
have; or RISE. The package has no option for the precision: it takes OpenVINO's default, which is bf16 where
the CPU has it."""

from importlib.metadata import version

import numpy as np
import openvino
import openvino_xai as xai
from openvino_xai.explainer import ExplainMode, Explainer
from openvino_xai.methods.black_box.rise import RISE

TITLE = "OpenVINO XAI"
METHOD = "RECIPROCAM"
RISE_MASKS = 200  # the package's default is 5000: minutes
VERSION = f"{version('openvino-xai')} (OpenVINO {openvino.__version__.split('-')[0]})"


def node_of(model, value):
    """The package names layers by OpenVINO's nodes, this repository by the ONNX file's values."""
    return next(op.get_friendly_name() for op in model.get_ordered_ops()
                if any(value in output.names for output in op.outputs()))


def rise(job, core, model):
    method = RISE(model, postprocess_fn=lambda outputs: outputs[0], prepare_model=False)
    hints = {"INFERENCE_NUM_THREADS": job.threads}
    if job.precision:
        hints["INFERENCE_PRECISION_HINT"] = job.precision
    method._model_compiled = core.compile_model(model, "CPU", hints)

    def explain(x, best):
        maps = method.generate_saliency_map(x, [int(best[0])], num_masks=RISE_MASKS, num_cells=8)
        return np.asarray(maps[int(best[0])])[None]

    return {"explain": explain}


def create(job):
    core = openvino.Core()
    model = core.read_model(job.models / f"{job.network}.onnx")
    model.reshape([job.batch, *model.input(0).get_partial_shape()[1:]])
    if job.method == "RISE":
        return rise(job, core, model)
    explainer = Explainer(model, task=xai.Task.CLASSIFICATION, explain_mode=ExplainMode.WHITEBOX,
                          explain_method=xai.Method[job.method or METHOD],
                          target_layer=node_of(model, job.layer) if job.layer else None)
    if job.precision:
        method = explainer.method
        method._model_compiled = core.compile_model(
            method.prepare_model(load_model=False), "CPU",
            {"INFERENCE_PRECISION_HINT": job.precision, "INFERENCE_NUM_THREADS": job.threads})

    def explain(x, best):
        told = explainer(x, targets=int(best[0]), colormap=False, overlay=False,
                         output_size=x.shape[2:])
        return np.asarray(told.saliency_map[int(best[0])])[None]

    return {"explain": explain}
