#!/usr/bin/env python3
"""Makes the goldens of Greydanus' perturbation saliency from its formula, on networks that ONNX's reference runs.

usage: make_greydanus_goldens.py [SHARED]     (numpy and onnx as requirements.txt pins them)

The formula is eq. 1 to 3 of arXiv 1711.00138, as the authors' code has it (greydanus/visualize_atari, saliency.py at
182492d): get_mask, occlude, score_frame; a Gaussian as scipy.ndimage.gaussian_filter, mode reflect, truncated at 4. The
map is interpolated between the pixels that the discs lie at. With SHARED, the folder of shared networks, also of the A3C
policy's frame there: its logits and its value, the memory kept.

greydanus/manifest.json is a list: name, model, inputs (files by name), and cases (output, options, expected, target).
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

HERE = Path(__file__).parent
OUT = HERE / "greydanus"


def gaussian(values, sigma):
    """Over every axis."""
    reach = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in range(values.ndim):
        line = np.moveaxis(values, axis, -1)
        padded = np.pad(line, [(0, 0)] * (line.ndim - 1) + [(reach, reach)], mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=-1)
        values = np.moveaxis(windows @ kernel, -1, axis)
    return values


def mask_at(centre, extents, radius):
    apart = sum((np.arange(n).reshape([-1 if a == axis else 1 for a in range(len(extents))]) - c) ** 2
                for axis, (c, n) in enumerate(zip(centre, extents)))
    mask = gaussian((apart <= 1).astype(np.float64), radius)
    return mask / mask.max()


def interpolated(grid, extents, step):
    for axis, extent in enumerate(extents):
        known = np.arange(grid.shape[axis]) * step
        grid = np.apply_along_axis(lambda line: np.interp(np.arange(extent), known, line), axis, grid)
    return grid


def saliency(run, image, radius, step, sigma):
    """`image` [channels, extents...]; `run` gives the numbers of an image."""
    extents = image.shape[1:]
    hidden = np.stack([gaussian(channel.astype(np.float64), sigma) for channel in image])
    whole = run(image)
    grid = np.zeros([len(range(0, n, step)) for n in extents])
    for at in np.ndindex(*grid.shape):
        mask = mask_at([i * step for i in at], extents, radius)
        changed = image * (1 - mask) + hidden * mask
        grid[at] = 0.5 * ((whole - run(changed.astype(np.float32))) ** 2).sum()
    return interpolated(grid, extents, step)


def save(name, values):
    np.save(OUT / name, np.ascontiguousarray(values, np.float32))
    return name


def add(manifest, name, path, model, inputs, image, cases):
    """One network: its image is images of input `image`, one after the other."""
    evaluator = ReferenceEvaluator(onnx.load(path))
    files = {key: model.get(key) or save(f"{name}-{key}.npy", value) for key, value in inputs.items()}
    entry = {"name": name, "model": model["model"], "inputs": files, "cases": []}
    for number, (output, options) in enumerate(cases):
        maps = []
        for picture in inputs[image]:
            def run(changed):
                # The file may fix a batch: all of it the same.
                feeds = {**inputs, image: np.repeat(changed[None], len(inputs[image]), 0)}
                return evaluator.run([output], feeds)[0][0].astype(np.float64)
            maps.append(saliency(run, picture, **options))
        entry["cases"].append({"output": output, "options": options,
                               "expected": save(f"{name}-{number}.npy", np.stack(maps))})
    manifest.append(entry)


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    manifest = []
    networks = json.loads((HERE / "data/manifest.json").read_text())
    for name, options in [("gap", {"radius": 3, "step": 4, "sigma": 2}), ("signal", {"radius": 4, "step": 7, "sigma": 3}),
                          ("volume", {"radius": 2, "step": 3, "sigma": 1.5})]:
        one = next(one for one in networks if one["name"] == name)
        x = np.load(HERE / "data" / one["input"])
        add(manifest, name, HERE / "data" / one["model"],
            {"model": f"../data/{one['model']}", one["input_name"]: f"../data/{one['input']}"},
            {one["input_name"]: x}, one["input_name"], [(one["output_name"], options)])
    if len(sys.argv) > 1:
        shared = Path(sys.argv[1])
        example = np.load(shared / "examples/rl_a3c_breakout_grucell_op18__action.npz")
        model = "models/rl_a3c_breakout_grucell_op18.onnx"
        options = {"radius": 5, "step": 5, "sigma": 3}
        add(manifest, "a3c", shared / model, {"model": model},
            {key: example[f"in/{key}"] for key in ("frame", "memory")}, "frame",
            [("action_logits", options), ("value", options)])
    (OUT / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
