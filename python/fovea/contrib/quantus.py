"""Quantus judges fovea's maps: `Wrapped`, a module that Quantus takes for a model, and `explain`.

    module = fovea.contrib.quantus.Wrapped("resnet50.onnx")
    quantus.PixelFlipping(...)(model=module, x_batch=x, y_batch=y, channel_first=True,
                               explain_func=fovea.contrib.quantus.explain,
                               explain_func_kwargs={"method": "gradcam"})
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..explainer import Explainer
from ..methods import AnyMethod
from ..model import AnyModel, as_model


class Wrapped(torch.nn.Module):
    """fovea's forward pass as a PyTorch module, which Quantus asks for scores. It has no gradients
    and no weights of PyTorch's: metrics that randomise weights need the network itself.
    `options` are `Explainer`'s; images run one by one.
    """

    def __init__(self, model: AnyModel, method: AnyMethod = "gradcam", **options: Any) -> None:
        super().__init__()
        self._model = as_model(model)
        self._method = method
        self._options = options
        self._explainer = Explainer(self._model, [method], **options)
        self.eval()

    def explainer(self, method: AnyMethod) -> Explainer:
        """Made for the method."""
        if method != self._method:
            self._explainer = Explainer(self._model, [method], **self._options)
            self._method = method
        return self._explainer

    def forward(self, x: Any) -> Any:
        """Scores, [images, classes]."""
        images = x.detach().cpu().numpy().astype(np.float32, copy=False)
        scores = []
        for image in images:
            with self._explainer.forward(image[None]) as run:
                scores.append(run.output()[0])
        return torch.from_numpy(np.stack(scores))


def explain(model: Any, inputs: Any, targets: Any, method: AnyMethod = "gradcam",
            **options: Any) -> Any:
    """What Quantus calls: maps [images, 1, rows, columns] of `inputs` for the classes `targets`.
    `options` are `Run.explain_each`'s; Quantus' own (device and the like) are left out."""
    known = ("layer", "layers", "fuse", "normalize", "smooth", "keep_sign", "score", "negated")
    told = {name: value for name, value in options.items() if name in known}
    if hasattr(inputs, "detach"):
        inputs = inputs.detach().cpu().numpy()
    wrapped = getattr(model, "model", model)
    explainer = wrapped.explainer(method)
    maps = []
    for image, target in zip(np.asarray(inputs, np.float32), np.asarray(targets).reshape(-1)):
        with explainer.forward(image[None]) as run:
            maps.append(run.explain(method, int(target), **told).map)
    return np.stack(maps)[:, None]
