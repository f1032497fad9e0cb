#!/usr/bin/env python3
"""Writes cases.json: the reports' models and some drawn networks (draw.py), with ONNX Runtime's scores.

usage: make_cases.py    (requirements.txt)

Of what ONNX Runtime does not take, the scores are those of the plain twin.
"""

import base64
import json
from pathlib import Path

import numpy as np
import onnx

from draw import KINDS, draw
from drawn import ort, scores_of

HERE = Path(__file__).parent
DRAWN = 8  # of each kind


def ramp(shape):
    """As loading_test.cpp fills an input."""
    return (np.arange(np.prod(shape), dtype=np.int64) * 37 % 101).astype(np.float32).reshape(
        shape) / np.float32(100) - np.float32(0.2)


def text(values):
    return [float(f"{v:.9g}") for v in np.ravel(values)]


def report(name, scores="", arguments=()):
    model = onnx.load(HERE / "reports" / f"{name}.onnx")
    x = np.load(HERE / "reports/x.npy")
    out = ort(model, {"x": x})
    names = [output.name for output in model.graph.output]
    return {"name": name, "file": f"{name}.onnx", "scores": scores,
            "shapes": {"x": list(x.shape)} if arguments else {}, "labels": [],
            "expected": text(out[names.index(scores) if scores else 0])}


def drawn(kind, number):
    case = draw(kind, number)
    for name in case.other_feeds:
        case.other_feeds[name] = ramp(case.other_feeds[name].shape)
    x = ramp(case.shape)
    if case.other_feeds:  # the plain twin has the drawn one's tensor as a weight
        weights = {tuple(t.dims): t for t in case.plain.graph.initializer}
        for value in case.other_feeds.values():
            onnx.numpy_helper.from_array(value)
            weights[value.shape].CopyFrom(
                onnx.numpy_helper.from_array(value, weights[value.shape].name))
    return {"name": f"{kind} {number}",
            "model": base64.b64encode(case.model.SerializeToString()).decode(),
            "scores": case.scores, "labels": case.labels or [],
            "shapes": {"x": list(case.shape)} if case.arguments else {},
            "inputs": {"x": list(case.shape),
                       **{name: list(v.shape) for name, v in case.other_feeds.items()}},
            "probabilities": case.plain.graph.node[-1].op_type in ("Softmax", "Sigmoid"),
            "expected": text(scores_of(case, x))}


def main():
    cases = [report("scores-without-batch"),
             report("input-without-shape", arguments=["x"]),
             report("unneeded-node", "prob") | {"probabilities": True},
             report("if-around-squeeze")]
    cases += [drawn(kind, number) for kind in KINDS for number in range(DRAWN)]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
