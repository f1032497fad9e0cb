#!/usr/bin/env python3
"""Writes expected.json: what ONNX Runtime scores and what autograd says of the first class.

usage: make_expected.py    (onnx, onnxruntime and torch: tests/golden/requirements.txt, tests/real/requirements.txt)

Saliency is the largest magnitude over channels of the gradient of an image's first score; Grad-CAM
is that of the feature map r, weighted by the mean of its gradient. Both in f64.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
FEEDS = {
    "batch_smaller": {"x": "x2"},
    "einsum_pool": {"x": "x"},
    "int_clip": {"x": "x"},
    "no_inputs": {},
    "rows_are_positions": {"x": "x"},
    "scalar_first_input": {"x": "x", "t": "t"},
    "scalar_score": {"x": "x"},
    "scalar_second_input": {"x": "x2", "t": "t"},
}
# From the feature map to the scores, one row an image; only where an image has scores of its own.
HEADS = {
    "einsum_pool": lambda r, w, t: r.sum((2, 3)) @ w["fw"].T,
    "rows_are_positions": lambda r, w, t: r.permute(0, 2, 3, 1).reshape(1, -1),
    "scalar_first_input": lambda r, w, t: r.mean((2, 3)) @ w["fw"].T / t,
    "scalar_score": lambda r, w, t: r.mean().reshape(1, 1),
    "scalar_second_input": lambda r, w, t: r.mean((2, 3)) @ w["fw"].T / t,
}


def packed(array):
    array = np.asarray(array, dtype=np.float64)
    return {"shape": list(array.shape), "data": [float(f"{v:.7g}") for v in array.ravel()]}


def maps(model, head, feeds):
    weights = {
        w.name: torch.tensor(onnx.numpy_helper.to_array(w)) for w in model.graph.initializer
    }
    weights = {k: w.double() if w.is_floating_point() else w for k, w in weights.items()}
    x = torch.tensor(feeds["x"]).double().requires_grad_()
    r = F.relu(F.conv2d(x, weights["w"], padding=1))
    r.retain_grad()
    t = torch.tensor(feeds["t"]).double() if "t" in feeds else None
    scores = head(r, weights, t)
    scores[:, 0].sum().backward()
    cam = F.relu((r.grad.mean((2, 3), keepdim=True) * r).sum(1))
    return scores.detach().numpy(), x.grad.abs().amax(1).numpy(), cam.detach().numpy()


def expected(name):
    feeds = {key: np.load(HERE / f"{file}.npy") for key, file in FEEDS[name].items()}
    path = str(HERE / f"{name}.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (scores,) = session.run(["y"], feeds)
    out = {
        "feeds": {key: f"{file}.npy" for key, file in FEEDS[name].items()},
        "scores": packed(scores),
    }
    if name in HEADS:
        own, saliency, cam = maps(onnx.load(path), HEADS[name], feeds)
        np.testing.assert_allclose(own.ravel(), np.asarray(scores).ravel(), rtol=1e-5)
        out |= {"saliency": packed(saliency), "gradcam": packed(cam)}
    return out


if __name__ == "__main__":
    text = json.dumps({name: expected(name) for name in FEEDS}, indent=1)
    (HERE / "expected.json").write_text(text + "\n")
