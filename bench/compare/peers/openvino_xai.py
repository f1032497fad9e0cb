"""OpenVINO XAI's ReciproCAM: another method, and the nearest that OpenVINO's users have."""

from importlib.metadata import version

import numpy as np
import openvino
import openvino_xai as xai
from openvino_xai.explainer import ExplainMode, Explainer

TITLE = "OpenVINO XAI, ReciproCAM"
VERSION = f"{version('openvino-xai')} (OpenVINO {openvino.__version__.split('-')[0]})"


def create(job):
    model = openvino.Core().read_model(job.models / f"{job.network}.onnx")
    model.reshape([job.batch, *model.input(0).get_partial_shape()[1:]])
    explainer = Explainer(model, task=xai.Task.CLASSIFICATION, explain_mode=ExplainMode.WHITEBOX,
                          explain_method=xai.Method.RECIPROCAM)

    def explain(x, best):
        told = explainer(x, targets=int(best[0]), colormap=False, overlay=False, output_size=x.shape[2:])
        return np.asarray(told.saliency_map[int(best[0])])[None]

    return {"explain": explain}
