#!/usr/bin/env python3
"""Writes expected.json: what ONNX Runtime makes of each model and input of this folder.

usage: make_expected.py    (tests/operators/requirements.txt)
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).parent


def main():
    expected = {}
    for model in sorted(HERE.glob("*.onnx")):
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        result = session.run(None, {"x": np.load(model.with_suffix(".npy"))})[0]
        expected[model.stem] = [float(f"{v:.9g}") for v in result.ravel()]
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
