#!/usr/bin/env python3
"""Makes the goldens of the methods that hide parts of the image with other people's code: captum's
Occlusion, Lime, KernelShap and ShapleyValues, OpenVINO XAI's RISE and AISE, SciPy's DIRECT.

    python3.11 -m venv build/methods-venv
    build/methods-venv/bin/pip install --no-deps -r tests/golden/requirements-methods.txt
    build/methods-venv/bin/python tests/golden/make_perturbation_goldens.py

README.md beside this file says what the files hold.
"""

import json
import logging
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import nn

from make_goldens import BATCH, define_vision_operators, images, initialise, save, watch
from specs import SPECS

HERE = Path(__file__).parent
DATA = HERE / "data"
CAPTUM = f"captum {version('captum')}"
OPENVINO = f"openvino_xai {version('openvino_xai')}"
NEEDED = ("input_name", "output_name", "logits_output_name", "end")


class Bench:
    """A network of data/, in PyTorch and in OpenVINO, its images and its entry in the manifest."""

    def __init__(self, name, out):
        spec = next(spec for spec in SPECS if spec.name == name)
        self.name, self.folder = name, out / name
        net = initialise(spec.build(), spec.shape, spec.seed)
        self.x = torch.from_numpy(images(spec.shape, BATCH, 1))
        seen = watch(net, ["default", "logits"])
        with torch.no_grad():
            net(self.x)
        logits = seen["logits"].flatten(1).numpy()
        old = next(one for one in json.loads((DATA / "manifest.json").read_text())
                   if one["name"] == name)
        if np.abs(np.load(DATA / old["logits"]) - logits).max() > 1e-5 * np.ptp(logits):
            raise SystemExit(f"{name}: what its seed builds is another network")
        net.end = nn.Flatten()
        self.net, self.model = net.double(), DATA / old["model"]
        self.entry = {"name": name, "cases": [], **{key: old[key] for key in NEEDED},
                      **{key: f"../data/{old[key]}" for key in ("model", "input", "logits")}}

    def forward(self, x):
        with torch.no_grad():
            return self.net(x)

    def each(self):
        return [one.double()[None] for one in self.x]

    def add(self, method, peer, maps, target, options=(), given=(), factor=None, variant=None):
        """`factor`: fovea's map times this; null: up to scale."""
        number = len(self.entry["cases"])
        files = {key: save(self.folder, f"{number:02}-{method}-{key}.npy", tensor)
                 for key, tensor in dict(given).items()}
        maps = np.stack(maps)
        if not np.isfinite(maps).all() or np.abs(maps).max(tuple(range(1, maps.ndim))).min() == 0:
            raise SystemExit(f"{self.name}, {method}: an empty map")
        self.entry["cases"].append({
            "method": method, "peer": peer, "variant": variant, "target": target,
            "options": dict(options), "given": files, "factor": factor,
            "expected": save(self.folder, f"{number:02}-{method}-map.npy", maps)})


def of_class(k):
    return {"kind": "class", "class": k}


def occlusion(bench, window, stride, k, baseline=None, blur=None):
    from captum.attr import Occlusion
    from scipy.ndimage import gaussian_filter
    maps, options, given = [], {"window": window, "stride": stride}, {}
    for x in bench.each():
        channels, *extents = x.shape[1:]
        hidden = 0 if baseline is None else baseline
        if blur is not None:
            hidden = torch.from_numpy(np.stack([
                gaussian_filter(channel, blur, mode="reflect", truncate=4)
                for channel in x[0].numpy()]))[None]
            options["blur"] = blur
        elif isinstance(hidden, torch.Tensor):
            given["baseline"] = hidden[0].numpy()
        else:
            options["baseline"] = hidden
        found = Occlusion(bench.forward).attribute(
            x, sliding_window_shapes=(channels, *[window] * len(extents)),
            strides=(channels, *[stride] * len(extents)), baselines=hidden, target=k)
        maps.append(found[0, 0].numpy())
    bench.add("occlusion", CAPTUM, maps, of_class(k), options, given, factor=1)


def grid_of(extents, side):
    """The cell of each position."""
    out = np.zeros(tuple(extents), np.int64)
    for axis, extent in enumerate(extents):
        index = np.arange(extent) * side // extent
        out = out * side + index.reshape([-1 if a == axis else 1 for a in range(len(extents))])
    return torch.from_numpy(out)[None, None]


def handed(rows):
    """A sampler that captum is handed: one row after the other."""
    def sampler(original, **options):
        for row in rows:
            yield torch.from_numpy(row[None]).long()
    return sampler


def lime(bench, side, samples, k, kernel, ridge, baseline):
    from captum._utils.models.linear_model import SkLearnRidge
    from captum.attr import Lime
    rows = (np.random.default_rng(5).random((samples, side ** 2)) < 0.5).astype(np.float32)

    def similarity(original, perturbed, shown, **options):
        """The authors' for images: between rows of ones and zeros, not between images."""
        apart = 1 - torch.sqrt(shown.double().mean())
        return torch.sqrt(torch.exp(-(apart ** 2) / kernel ** 2))[None]

    maps = []
    for x in bench.each():
        method = Lime(bench.forward, interpretable_model=SkLearnRidge(alpha=ridge),
                      similarity_func=similarity)
        method.perturb_func = handed(rows)
        found = method.attribute(x, target=k, baselines=baseline, n_samples=samples,
                                 feature_mask=grid_of(x.shape[2:], side))
        maps.append(found[0, 0].numpy())
    bench.add("lime", CAPTUM, maps, of_class(k),
              {"cells": side, "kernel": kernel, "ridge": ridge, "baseline": baseline},
              {"masks": rows}, factor=1)


def kernel_shap(bench, side, samples, k, baseline):
    from captum.attr import KernelShap
    rng, cells = np.random.default_rng(6), side ** 2
    rows = np.zeros((samples, cells), np.float32)
    sizes = np.arange(1, cells)
    chance = 1 / (sizes * (cells - sizes))
    for row in rows:
        row[rng.permutation(cells)[:rng.choice(sizes, p=chance / chance.sum())]] = 1
    ends = [np.ones(cells, np.float32), np.zeros(cells, np.float32)]
    maps = []
    for x in bench.each():
        method = KernelShap(bench.forward)
        method.perturb_func = handed([*ends, *rows])
        found = method.attribute(x, target=k, baselines=baseline, n_samples=samples + 2,
                                 feature_mask=grid_of(x.shape[2:], side))
        maps.append(found[0, 0].numpy())
    bench.add("kernel-shap", CAPTUM, maps, of_class(k), {"cells": side, "baseline": baseline},
              {"masks": rows}, factor=1)


def shapley_values(bench, side, k, baseline):
    """All orders in which the cells can be shown."""
    from captum.attr import ShapleyValues
    maps = [ShapleyValues(bench.forward).attribute(
        x, target=k, baselines=baseline, feature_mask=grid_of(x.shape[2:], side))[0, 0].numpy()
        for x in bench.each()]
    bench.add("kernel-shap", f"{CAPTUM}, ShapleyValues", maps, of_class(k),
              {"cells": side, "baseline": baseline}, factor=1)


def compiled(bench, method_class):
    """The method on the ONNX file, in f32 whatever the CPU has."""
    import openvino as ov
    model = ov.Core().read_model(bench.model)
    network = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    method = method_class(model, postprocess_fn=lambda out: out[0][:1], prepare_model=False)
    # The files fix a batch of 2.
    method._model_compiled = lambda x: network(np.repeat(x, BATCH, 0).astype(np.float32))
    return method


def rise(bench, count, k):
    from openvino_xai.methods.black_box.rise import RISE
    maps = []
    for x in bench.x.numpy():
        method, masks = compiled(bench, RISE), []
        draw = method._generate_mask
        method._generate_mask = lambda *options: masks.append(draw(*options)) or masks[-1]
        found = method.generate_saliency_map(x[None], target_indices=[k], num_masks=count,
                                             num_cells=4, seed=3, scale_output=False)
        maps.append(found[k])
    # The seed is the same, so every image has the same masks.
    bench.add("rise", OPENVINO, maps, of_class(k), {"probability": 0.5}, {"masks": np.stack(masks)},
              factor=0.5 * count)


def aise_maps(bench, evaluations, widths, k, noise):
    """`noise`: on the scores, which the search compares with one another."""
    from openvino_xai.methods.black_box.aise.classification import AISEClassification
    rng, maps = np.random.default_rng(2), []
    for x in bench.x.numpy():
        method = compiled(bench, AISEClassification)
        # The package puts a sigmoid behind scores only where one of an image's is outside of 0..1.
        method.postprocess_fn = lambda out: 1 / (1 + np.exp(
            -out[0][:1].astype(np.float64) - rng.normal(0, noise, out[0][:1].shape)))
        found = method.generate_saliency_map(
            x[None], target_indices=[k], num_iterations_per_kernel=evaluations,
            kernel_widths=np.linspace(0.1, 0.25, widths), scale_output=False)
        maps.append(found[k])
    return np.stack(maps)


def aise(bench, evaluations, widths):
    """The first class whose search rounding leads nowhere else, and whose map has a positive part:
    the package divides by the maximum, which turns others over."""
    for k in range(len(bench.net.head[-1].bias)):
        maps = aise_maps(bench, evaluations, widths, k, 0)
        moved = max(np.abs(maps - aise_maps(bench, evaluations, widths, k, 3e-6)).max()
                    for _ in range(2))
        if moved < 1e-4 * np.abs(maps).max() and all(one.min() < 0.9 for one in maps):
            bench.add("aise", OPENVINO, maps, {"kind": "sigmoid", "class": k},
                      {"evaluations": evaluations, "widths": widths})
            return
    raise SystemExit(f"{bench.name}: no class has a stable search")


def direct(out):
    """Where SciPy's DIRECT evaluates sums of bells, a [height, width, centre...] each."""
    from scipy.optimize import Bounds, direct as search
    rng, cases = np.random.default_rng(8), []
    for dimensions, evaluations in ((1, 40), (2, 50), (2, 200), (3, 120)):
        bells = rng.uniform([-1, 0.05, *[0] * dimensions], [1, 0.4, *[1] * dimensions],
                            (4, 2 + dimensions))
        points = []

        def function(at):
            points.append(list(at))
            return -sum(b[0] * np.exp(-sum((at - b[2:]) ** 2) / b[1] ** 2) for b in bells)

        search(function, Bounds([0] * dimensions, [1] * dimensions), eps=0.1, maxfun=evaluations,
               locally_biased=False)
        cases.append({"bells": bells.tolist(), "epsilon": 0.1,
                      "points": [[round(v, 9) for v in point] for point in points[:evaluations]]})
    (out / "direct.json").write_text(json.dumps(cases) + "\n")


def main():
    torch.set_num_threads(1)
    library = define_vision_operators()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    out = HERE.parent.parent / "build/perturbation-goldens"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    manifest = []

    def bench(name):
        one = Bench(name, out)
        manifest.append(one.entry)
        return one

    gap = bench("gap")
    occlusion(gap, 8, 5, 1)
    occlusion(gap, 7, 7, 0, baseline=-0.5)
    occlusion(gap, 9, 4, 2, baseline=0.5 * torch.from_numpy(images(gap.x.shape[1:], 1, 7)).double())
    occlusion(gap, 9, 4, 1, blur=2.5)
    lime(gap, 4, 60, 1, kernel=0.25, ridge=1, baseline=0)
    lime(gap, 3, 40, 0, kernel=0.6, ridge=0.05, baseline=0.3)
    kernel_shap(gap, 4, 60, 1, 0)
    shapley_values(gap, 2, 0, -0.4)
    rise(gap, 12, 1)
    aise(gap, 50, 3)
    vgg = bench("vgg")
    occlusion(vgg, 6, 6, 0)
    kernel_shap(vgg, 3, 50, 2, 0.2)
    rise(vgg, 12, 0)
    aise(vgg, 20, 2)
    efficientnet = bench("efficientnet")
    occlusion(efficientnet, 16, 8, 1)
    lime(efficientnet, 5, 80, 1, kernel=0.25, ridge=1, baseline=0)
    occlusion(bench("dynamic_wide"), 13, 6, 1)
    occlusion(bench("signal"), 15, 8, 1)
    occlusion(bench("volume"), 6, 5, 1, blur=1.5)
    direct(out)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(HERE / "perturbation", ignore_errors=True)
    shutil.copytree(out, HERE / "perturbation")
    del library


if __name__ == "__main__":
    main()
