#!/usr/bin/env python3
"""Makes the goldens of every method with other people's code: grad-cam, torch-cam, captum, OpenVINO
XAI, and PyTorch's autograd where none of them can be trusted.

    python3.11 -m venv build/methods-venv
    build/methods-venv/bin/pip install --no-deps -r tests/golden/requirements-methods.txt
    build/methods-venv/bin/python tests/golden/make_method_goldens.py

method_table.py lists what is made; README.md beside this file says what the files hold.
"""

import argparse
import copy
import json
import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from make_goldens import (BATCH, define_vision_operators, export, find_value, images, initialise,
                          run_onnx, save, watch)
from method_targets import make_target

HERE = Path(__file__).parent
STABLE = 1e-4  # of the map's largest magnitude: what rounding in f32 may move it by
NEEDED = ("input", "logits", "input_name", "output_name", "logits_output_name", "end")


class NoStableClass(Exception):
    pass


class Bench:
    """A network ready to be explained, its entry in the manifest and its files."""

    def __init__(self, network, out):
        spec = network.spec
        self.name, self.folder = spec.name, out / spec.name
        self.folder.mkdir()
        net = initialise(spec.build(), spec.shape, spec.seed)
        x = torch.from_numpy(images(spec.shape, BATCH, 1))
        seen = watch(net, ["default", "logits"])
        with torch.no_grad():
            net(x)
        self.logits = seen["logits"].flatten(1).numpy()
        self.entry, self.layers = (
            self.stored() if network.stored else self.exported(spec, net, x))
        if network.twin:
            twin = network.twin()
            twin.load_state_dict(net.state_dict())
            net = twin.eval()
        net.end = nn.Flatten()  # targets are logits
        with torch.no_grad():
            self.expect(net(x).numpy())
        self.net, self.x = copy.deepcopy(net), x
        self.drawn = {}

    def expect(self, logits):
        if np.abs(self.logits - logits).max() > 1e-5 * np.ptp(logits):
            raise SystemExit(f"{self.name}: what its seed builds is another network")

    def stored(self):
        """The files that make_goldens.py made."""
        manifest = json.loads((HERE / "data/manifest.json").read_text())
        old = next(entry for entry in manifest if entry["name"] == self.name)
        self.expect(np.load(HERE / "data" / old["logits"]))
        entry = {"name": self.name, "model": f"../data/{old['model']}"}
        entry.update({key: old[key] for key in NEEDED})
        entry.update({key: f"../data/{old[key]}" for key in ("input", "logits")})
        layers = {("default" if case["default_layer"] else "early"): case["layer"]
                  for case in old["cases"]}
        return entry, layers

    def exported(self, spec, net, x):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(spec, copy.deepcopy(net), x, self.folder / "model.onnx")
        model, output, values = run_onnx(self.folder / "model.onnx", x)
        # A module in place overwrites what a hook is handed: watch copies.
        seen = {}
        for name in ("default", "early", "logits"):
            net.tap(name).register_forward_hook(
                lambda module, inputs, value, name=name: seen.__setitem__(name, value.clone()))
        with torch.no_grad():
            net(x)
        names = {what: find_value(values, value, f"{self.name}, {what}")
                 for what, value in seen.items()}
        entry = {"name": self.name, "model": f"{self.name}/model.onnx",
                 "input": save(self.folder, "input.npy", x.numpy()),
                 "logits": save(self.folder, "logits.npy", self.logits),
                 "input_name": model.graph.input[0].name, "output_name": output,
                 "logits_output_name": names["logits"], "end": spec.end}
        return entry, names

    def given(self, what, layers):
        """What a random method is handed, and its file."""
        key = (what, *layers) if what in ("mask-noise", "weights") else (what,)
        if key not in self.drawn:
            name = "-".join(key)
            tensor = draw(what, self, layers)
            self.drawn[key] = tensor, save(self.folder, f"given-{name}.npy", tensor.numpy())
        return self.drawn[key]


def draw(what, bench, layers):
    rng = np.random.default_rng(11)
    x = bench.x

    def normal(deviation, *shape):
        return torch.from_numpy(rng.normal(0, deviation, shape).astype(np.float32))

    def channels():
        seen = watch(bench.net, layers)
        with torch.no_grad():
            bench.net(x)
        return seen[layers[0]].shape[1]

    if what == "noise":  # one added to the images per sample
        return normal(0.2, 3, *x.shape)
    if what == "one-noise":
        return normal(0.2, 1, *x.shape)
    if what == "mask-noise":  # one added to the resized masks per sample
        return normal(0.5, 2, len(x), channels(), *x.shape[2:])
    if what == "weights":
        return torch.from_numpy(rng.uniform(-1, 1, (len(x), channels())).astype(np.float32))
    if what == "baseline":
        return torch.from_numpy(0.5 * images(tuple(x.shape[1:]), 1, 7))
    raise ValueError(what)


def key_of(what):
    return {"one-noise": "noise", "mask-noise": "noise"}.get(what, what)


def distance(a, b, sign_free):
    """Per map, the largest difference as a share of the largest magnitude."""
    worst = 0
    for one, other in zip(a, b):
        apart = np.abs(one - other).max()
        if sign_free:
            apart = min(apart, np.abs(one + other).max())
        worst = max(worst, apart / max(np.abs(one).max(), 1e-30))
    return worst


def judged(parts):
    """The array that decides whether a case is stable and worth keeping."""
    return next(parts[key] for key in ("attribution", "feature_map", "package_map")
                if parts.get(key) is not None)


def run(bench, method, layers, target, given, dtype, noise=None):
    net = copy.deepcopy(bench.net).to(dtype)
    x = bench.x.to(dtype) if noise is None else bench.x.to(dtype) + noise
    return method.run(net, x, layers, target, given)


def movement(bench, method, layers, target, given, parts):
    """What rounding in f32 does to the case."""
    others = [run(bench, method, layers, target, given, torch.float32)]
    rng = np.random.default_rng(1)
    for _ in range(2):
        noise = torch.from_numpy(rng.normal(0, 2e-6, bench.x.shape))
        others.append(run(bench, method, layers, target, given, torch.float64, noise))
    return max(distance(judged(parts), judged(other), method.sign_free) for other in others)


def worth_keeping(method, values):
    """Finite, and not decided by the positive part alone."""
    if not np.isfinite(values).all():
        return False
    if method.kind == "pixel" or method.sign_free or method.target is None:
        return all(np.abs(one).max() > 0 for one in values)
    return all(one.max() > 0.1 * np.abs(one).max() > 0 for one in values)


def choose(bench, method, layers):
    """The first class that gives a case worth keeping that rounding does not move."""
    given = {key_of(what): bench.given(what, layers)[0] for what in method.given}
    classes = bench.logits.shape[1]
    seen = []
    for k in range(classes if method.target else 1):
        target = make_target(method.target, k, classes)
        parts = run(bench, method, layers, target, given, torch.float64)
        if not worth_keeping(method, judged(parts)):
            seen.append("empty")
            continue
        seen.append(f"{movement(bench, method, layers, target, given, parts):.1e}")
        if float(seen[-1]) < STABLE:
            return target, parts
    raise NoStableClass(f"{bench.name}, {method.name} ({method.peer}, {method.variant}), {layers}: "
                        f"{', '.join(seen)}")


def case_of(bench, method, layers, number):
    target, parts = choose(bench, method, layers)
    name = method.name.replace("+", "p")
    keep = dict(parts)
    if keep.get("feature_map") is not None and (bench.name != "vgg" or layers == ("early",)):
        keep["package_map"] = None  # one network and layer are enough
    expected = {key: save(bench.folder, f"{number:02}-{name}-{key}.npy", value)
                for key, value in keep.items() if value is not None}
    return {
        "method": method.name,
        "variant": method.variant,
        "peer": method.peer,
        "kind": method.kind,
        "layers": [bench.layers[layer] for layer in layers],
        "fusion": method.fusion,
        "augment": method.augment,
        "target": target.spec if method.target else None,
        "options": method.options,
        "choices": method.choices,
        "given": {key_of(what): bench.given(what, layers)[1] for what in method.given},
        "expected": expected,
        "tolerance": method.tolerance or method.kind,
        "sign_free": method.sign_free,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="methods whose names contain this; the files "
                        "stay in build/method-goldens, and no golden changes")
    parser.add_argument("--network", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    library = define_vision_operators()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    from method_nets import NETWORKS
    from method_table import METHODS  # the packages import torchvision

    out = HERE.parent.parent / "build/method-goldens"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    manifest, refused = [], []
    for network in NETWORKS:
        if arguments.network not in network.spec.name:
            continue
        bench = Bench(network, out)
        cases = bench.entry["cases"] = []
        for method in METHODS:
            if bench.name in method.networks and arguments.only in method.name:
                for layers in method.layers:
                    try:
                        cases.append(case_of(bench, method, layers, len(cases)))
                    except NoStableClass as error:
                        refused.append(str(error))
        manifest.append(bench.entry)
        print(f"{bench.name}: {len(cases)} cases", flush=True)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    if refused:
        raise SystemExit("no stable class:\n" + "\n".join(refused))
    if not arguments.only and not arguments.network:
        shutil.rmtree(HERE / "methods", ignore_errors=True)
        shutil.copytree(out, HERE / "methods")
    del library


if __name__ == "__main__":
    main()
