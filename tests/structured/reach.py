#!/usr/bin/env python3
"""Any number that a network computes can be a target: draws some per network by a seed, explains them by
saliency with the program, and compares with the input gradient that PyTorch's autograd gives (an oracle that
runs the file operator by operator). Development only: wants torch, onnx and numpy, and the networks beside the
checkout.

    tests/structured/reach.py build/release/tools/fovea --count 3 --seed 1
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch

SHARED = Path(__file__).resolve().parents[3] / "shared" / "structured"
sys.path.insert(0, str(SHARED))
import oracle  # noqa: E402

# What the examples hold as pixels.
PIXELS = {"det_yolox_nano_op11": lambda x: x, "seg_sinet_portrait_op12":
          lambda x: (x - [102.890434, 111.25247, 126.91212]) / [62.93292, 62.82138, 66.355705] / 255}
TOLERANCE = 1e-3  # of the gradient's largest value
# Inputs that are an output of the run before: what is explained is the other one.
STATES = {"state", "memory", "recurrent_in"}


def inputs_of(name, model):
    wanted = [value.name for value in model.graph.input
              if value.name not in {weights.name for weights in model.graph.initializer}]
    for file in sorted((SHARED / "examples").glob(f"{name}__*.npz")):
        arrays = np.load(file, allow_pickle=True)
        feeds = {key[3:].replace("_bgr_uint8", ""): arrays[key] for key in arrays.files if key.startswith("in/")}
        if set(wanted) <= set(feeds):
            for key, value in feeds.items():
                if value.dtype == np.uint8:
                    feeds[key] = PIXELS[name](value.astype(np.float64)).astype(np.float32).transpose(2, 0, 1)[None]
            return {key: feeds[key] for key in wanted}
    return None


def in_doubles(model):
    """What autograd says is then no matter of rounding."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    tensors = list(out.graph.initializer)
    graphs = [out.graph]
    while graphs:
        graph = graphs.pop()
        tensors += [] if graph is out.graph else list(graph.initializer)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.TENSOR:
                    tensors.append(attribute.t)
                if attribute.type == onnx.AttributeProto.GRAPH:
                    graphs.append(attribute.g)
    for tensor in tensors:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(onnx.numpy_helper.from_array(
                onnx.numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    return out


def gradient(model, feeds, image, name, place):
    env = oracle.run(model, feeds, watch=[image])
    number = env[name].reshape(-1)[place]
    if not number.requires_grad:
        return None
    slope, = torch.autograd.grad(number, env[image], allow_unused=True)
    return None if slope is None else slope.detach().numpy()


def moved_by_rounding(model, feeds, image, name, place, want):
    """How far the map moves, in doubles, where the inputs move by f32's rounding: past the kink of a ReLU."""
    random = np.random.default_rng(0)
    most = 0.0
    for _ in range(3):
        near = {key: value + 1e-6 * random.standard_normal(value.shape) if value.dtype == np.float64 else value
                for key, value in feeds.items()}
        got = map_of(gradient(model, near, image, name, place))
        most = max(most, float(np.abs(got - want).max()) / max(float(np.abs(want).max()), 1e-30))
    return most


def map_of(slope):
    """As saliency draws it: the largest magnitude over the channels."""
    slope = np.abs(slope[0]) if slope.ndim > 2 else np.abs(slope)
    if slope.ndim == 3:
        return slope.max(axis=2 if slope.shape[2] <= 4 < slope.shape[0] else 0)
    return slope.max(axis=0) if slope.ndim == 4 else slope


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", nargs="*", default=[])
    arguments = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    oracle.DT[onnx.TensorProto.FLOAT] = torch.float64
    right = wrong = refused = unclear = kinks = 0
    for file in sorted((SHARED / "models").glob("*.onnx")):
        name = file.stem
        if arguments.models and name not in arguments.models:
            continue
        model = onnx.load(file)
        feeds = inputs_of(name, model)
        if feeds is None:
            print(f"{name}: no example has its inputs")
            unclear += 1
            continue
        random = np.random.default_rng([arguments.seed, len(name)])
        doubles = in_doubles(model)
        exact = {key: value.astype(np.float64) if value.dtype == np.float32 else value
                 for key, value in feeds.items()}
        # What depends on states alone is a constant where they are fixed.
        floats = [key for key, value in feeds.items() if value.dtype == np.float32 and key not in STATES]
        env = oracle.run(doubles, exact, watch=floats)
        made = {output for node in model.graph.node for output in node.output}
        values = [key for key, value in env.items()
                  if key in made and torch.is_tensor(value) and value.dtype == torch.float64 and value.numel()
                  and value.requires_grad]
        with tempfile.TemporaryDirectory() as folder:
            command = [arguments.program, "explain", str(file), "--method", "saliency", "--normalize", "none",
                       "--feature-map", f"{folder}/map.npy", "--json", f"{folder}/r.json"]
            for key, value in feeds.items():
                if value.ndim == 0 or value.dtype.kind == "i" and value.size == 1:
                    command += ["--fixed-input", f"{key}={value.reshape(-1)[0]}"]
                    continue
                if key in STATES:
                    command += ["--fixed-input", key + "=" + ",".join(map(str, value.reshape(-1)))]
                    continue
                path = f"{folder}/{len(command)}.npy"
                np.save(path, value)
                command += ["--input", f"{key}={path}"]
            for value in random.choice(values, min(arguments.count, len(values)), replace=False):
                shape = tuple(env[value].shape)
                place = int(random.integers(env[value].numel()))
                at = ",".join(str(i) for i in np.unravel_index(place, shape)) if shape else ""
                target = f'"{value}"[{at}]' if at else f'"{value}"'
                done = subprocess.run(command + ["--target", target], capture_output=True, text=True)
                if done.returncode != 0:
                    print(f"{name} {target}: {done.stderr.strip().splitlines()[-1]}")
                    refused += 1
                    continue
                got = np.load(f"{folder}/map.npy")
                told = json.loads(Path(f"{folder}/r.json").read_text())
                want = gradient(doubles, exact, told["layer"], value, place)
                want = map_of(want) if want is not None else np.zeros_like(got)
                if not np.isfinite(want).all():
                    kinks += 1
                    continue
                # Behind a saturated tanh a gradient of doubles is 0 where one of floats is 1e-16.
                largest = max(float(np.abs(want).max()), 1e-12)
                score = told["score"]
                error = float(np.abs(got.reshape(-1) - want.reshape(-1)).max()) / largest
                close = abs(score - env[value].reshape(-1)[place].item()) <= 1e-3 * max(1, abs(score))
                if error <= TOLERANCE and close:
                    right += 1
                elif close and moved_by_rounding(doubles, exact, told["layer"], value, place, want) > error / 2:
                    kinks += 1
                else:
                    wrong += 1
                    print(f"{name} {target}: off by {error:.2g} of the largest gradient {largest:.3g}, score {score}")
    print(f"{right} right, {wrong} wrong, {refused} refused, {kinks} where rounding decides PyTorch's own answer, "
          f"{unclear} networks left out")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
