#!/usr/bin/env python3
"""The same tensor through fovea and through ONNX Runtime, on every pretrained model beside the checkout.

Development only, in an environment of its own:

    python3 -m venv build/real-venv && build/real-venv/bin/pip install -r tests/real/requirements.txt
    build/real-venv/bin/python tests/real/compare_onnxruntime.py

Prints a table of the largest difference over the range of ONNX Runtime's output, and fails beyond 1e-4.
f16 models are compared with the same weights cast to f32. Tensors are photos, normalised as the model's
reference says, and noise in the same range.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]


def as_f32(model):
    """Casts every f16 tensor of a model to f32, values and declared types alike."""
    for graph_input in list(model.graph.input) + list(model.graph.output) + list(model.graph.value_info):
        if graph_input.type.tensor_type.elem_type == TensorProto.FLOAT16:
            graph_input.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), name))
    return model


def tensor_of(photo, entry, shape):
    """The photo, or noise where it is None, as the model's reference normalises it."""
    recipe = entry["preprocess"]
    channels_last = entry["layout"] == "NHWC"
    c, h, w = (shape[3], shape[1], shape[2]) if channels_last else shape[1:]
    if photo is None:
        pixels = np.random.default_rng(0).integers(0, 256, (h, w, c)).astype(np.float32)
    else:
        image = Image.open(photo).convert("RGB" if c == 3 else "L").resize((w, h), Image.BILINEAR)
        pixels = np.asarray(image, np.float32).reshape(h, w, c)
        if recipe.get("order") == "BGR":
            pixels = pixels[:, :, ::-1]
    mean = np.asarray(recipe.get("mean", [0])[:c], np.float32)
    std = np.asarray(recipe.get("std", [1])[:c], np.float32)
    x = (pixels * np.float32(recipe.get("scale", 1)) - mean) / std
    x = x[None] if channels_last else x.transpose(2, 0, 1)[None]
    return np.ascontiguousarray(x, np.float32)


def fovea_output(program, model, x, softmax, folder):
    np.save(folder / "x.npy", x)
    command = [program, "predict", "--model", model, "--input", folder / "x.npy", "--logits",
               folder / "y.npy", "--top", "1000000", "--json", "-"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if not softmax:
        return np.load(folder / "y.npy").reshape(-1)
    rows = sorted(answer["predictions"], key=lambda row: row["class"])
    return np.array([row["probability"] for row in rows], np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=pathlib.Path, default=ROOT / "../shared/real")
    parser.add_argument("--fovea", type=pathlib.Path, default=ROOT / "build/release/tools/fovea")
    args = parser.parse_args()
    reference = json.loads((args.real / "reference_top5.json").read_text())
    worst = 0.0
    print(f"{'model':46} {'tensors':>7} {'difference / range':>19}")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for key, entry in sorted(reference.items()):
            path = args.real / entry["path"]
            model = as_f32(onnx.load(path))
            session = onnxruntime.InferenceSession(model.SerializeToString(),
                                                   providers=["CPUExecutionProvider"])
            softmax = any(node.op_type == "Softmax" for node in model.graph.node[-3:])
            shape = [1] + [int(e) for e in entry["input_shape"][1:]]
            photos = [args.real / "photos" / p for p in list(entry["top5"])[:4]] + [None]
            off = 0.0
            for photo in photos:
                x = tensor_of(photo, entry, shape)
                want = session.run(None, {entry["input"]: x})[0].reshape(-1)
                got = fovea_output(args.fovea, path, x, softmax, folder)
                off = max(off, float(np.abs(got - want).max() / (want.max() - want.min())))
            worst = max(worst, off)
            print(f"{key:46} {len(photos):7} {off:19.2e}")
    print(f"largest {worst:.2e}, allowed 1e-4")
    return 0 if worst <= 1e-4 else 1


if __name__ == "__main__":
    sys.exit(main())
