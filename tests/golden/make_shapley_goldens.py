#!/usr/bin/env python3
"""Makes the goldens of DeepLIFT, Deep SHAP and Gradient SHAP with captum and shap.

    python3.11 -m venv build/methods-venv
    build/methods-venv/bin/pip install --no-deps -r tests/golden/requirements-methods.txt
    build/methods-venv/bin/python tests/golden/make_shapley_goldens.py

The networks and their files are those of make_goldens.py and make_method_goldens.py. README.md beside
this file says what is stored, and where the two packages disagree; this prints by how much.
"""

import copy
import json
import logging
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import captum.attr as captum
import numpy as np
import shap
import torch
from torch import nn

import nets
from make_goldens import BATCH, images, initialise, save
from make_method_goldens import STABLE, distance
from method_nets import shared_relu
from specs import SPECS, Spec

HERE = Path(__file__).parent
BACKGROUNDS, SAMPLES = 4, 5


class Relu6(nn.Module):
    """ReLU6 by two ReLUs, which the packages have a rule for; the rule is linear in the function."""

    def __init__(self):
        super().__init__()
        self.low, self.high = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        return self.low(x.clone()) - self.high(x - 6)


class Clone(nn.Module):
    def forward(self, x):
        return x.clone()


def with_clones(net):
    """captum hooks a module's input tensor: where that is another hooked module's output, or read by
    others, the hooks take each other's gradients, and the values do not add up."""
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, name, nn.Sequential(Clone(), child))
    return net


# Name, folder of the file, spec, the same network in the form that the packages can follow.
NETWORKS = [
    ("gap", "data", None, None),
    ("vgg", "data", None, None),
    ("lenet", "data", None, None),
    ("densenet", "data", None, None),
    ("resnet_preactivation", "data", None, None),
    ("softmax_end", "data", None, None),
    ("mobilenet_v2", "data", None, lambda: nets.mobilenet(Relu6)),
    ("shared_relu", "methods", Spec("shared_relu", shared_relu, (3, 33, 33), 13),
     lambda: shared_relu(True)),
]


def network(name, folder, spec, twin):
    """The network, its images and its entry in the manifest."""
    spec = spec or next(one for one in SPECS if one.name == name)
    net = initialise(spec.build(), spec.shape, spec.seed)
    if twin:
        other = twin()
        parameters = dict(net.state_dict())
        other.load_state_dict(parameters)
        net = other.eval()
    net.end = nn.Flatten()  # targets are logits
    manifest = json.loads((HERE / folder / "manifest.json").read_text())
    old = next(entry for entry in manifest if entry["name"] == name)
    x = torch.from_numpy(images(spec.shape, BATCH, 1))
    stored = np.load(HERE / folder / old["logits"])
    with torch.no_grad():
        if np.abs(net(x).numpy() - stored).max() > 1e-5 * np.ptp(stored):
            raise SystemExit(f"{name}: what its seed builds is another network")
    entry = {"name": name, "input_name": old["input_name"], "output_name": old["output_name"]}
    entry.update({key: f"../{folder}/{old[key]}" for key in ("model", "input", "logits")})
    return net, x, entry, stored.shape[1]


def deeplift(net, x, target, background):
    return captum.DeepLift(with_clones(net)).attribute(x, background[:1].expand_as(x), target=target)


def deep_shap(net, x, target, background):
    return captum.DeepLiftShap(with_clones(net)).attribute(x, background, target=target)


def deep_explainer(net, x, target, background):
    values = shap.DeepExplainer(net, background).shap_values(x, check_additivity=False)
    return torch.from_numpy(np.asarray(values)[..., target])


def gradient_shap(draws):
    """captum repeats each image `SAMPLES` times in a row."""
    def run(net, x, target, background):
        picks = draws["picks"].T.reshape(-1).astype(int)
        points = draws["points"].T.reshape(-1).astype(np.float64)
        noise = torch.from_numpy(draws["noise"]).transpose(0, 1).flatten(0, 1).to(x.dtype)
        with (mock.patch("numpy.random.choice", lambda *_: picks),
              mock.patch("numpy.random.uniform", lambda *_: points),
              mock.patch("torch.normal", lambda *_: noise)):
            return captum.GradientShap(net).attribute(x, background, n_samples=SAMPLES, stdevs=1.0,
                                                      target=target)
    return run


def run(method, net, x, target, background, dtype):
    net = copy.deepcopy(net).to(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = method(net, x.to(dtype), target, background.to(dtype))
    return out.detach().double().numpy()


def apart(net, x, target, background, values):
    """How far the values' sum is from the difference of the scores, as a share of that."""
    net = copy.deepcopy(net).double()
    with torch.no_grad():
        expected = (net(x.double())[:, target] - net(background.double())[:, target].mean()).numpy()
    return np.abs(values.sum((1, 2, 3)) / expected - 1).max()


def main():
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    out = HERE.parent.parent / "build/shapley-goldens"
    shutil.rmtree(out, ignore_errors=True)
    manifest = []
    peer = f"captum {version('captum')}"
    for name, folder, spec, twin in NETWORKS:
        net, x, entry, classes = network(name, folder, spec, twin)
        place = out / name
        place.mkdir(parents=True)
        background = torch.from_numpy(0.5 * images(tuple(x.shape[1:]), BACKGROUNDS, 7))
        rng = np.random.default_rng(5)
        draws = {"picks": rng.integers(0, BACKGROUNDS, (SAMPLES, BATCH)).astype(np.float32),
                 "points": rng.uniform(0, 1, (SAMPLES, BATCH)).astype(np.float32),
                 "noise": rng.normal(0, 0.1, (SAMPLES, *x.shape)).astype(np.float32)}
        given = {key: save(place, f"{key}.npy", value) for key, value in draws.items()}
        given["background"] = save(place, "background.npy", background.numpy())
        given["baseline"] = save(place, "baseline.npy", background[0].numpy())
        entry["cases"] = []
        for method, call, needs in (
                ("deeplift", deeplift, ("baseline",)),
                ("deep-shap", deep_shap, ("background",)),
                ("gradient-shap", gradient_shap(draws), ("background", "picks", "points", "noise"))):
            for target in range(classes):
                values = run(call, net, x, target, background, torch.float64)
                moved = distance(values, run(call, net, x, target, background, torch.float32), False)
                if moved < STABLE:
                    break
            else:
                raise SystemExit(f"{name}, {method}: rounding moves every class")
            case = {"method": method, "class": target, "peer": peer,
                    "given": {key: given[key] for key in needs},
                    "expected": save(place, f"{method}.npy", values.astype(np.float32))}
            line = f"{name:22} {method:14} class {target}"
            if method != "gradient-shap":
                reference = background[:1] if method == "deeplift" else background
                line += f"  sum rule: captum {apart(net, x, target, reference, values):.1e}"
                case["shap"] = None
                try:
                    other = run(deep_explainer, net, x, target, reference, torch.float64)
                    case["shap"] = float(distance(values, other, False))
                    line += (f", shap {apart(net, x, target, reference, other):.1e}, which differs "
                             f"by {case['shap']:.1e} of the maximum")
                except RuntimeError as error:  # it cannot follow a sum that is made in place
                    line += f", shap: {str(error)[:60]}"
            print(line, flush=True)
            entry["cases"].append(case)
        manifest.append(entry)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(HERE / "shapley", ignore_errors=True)
    shutil.copytree(out, HERE / "shapley")
    disagreements()


def disagreements():
    """Networks that the packages answer differently, or wrongly: not stored."""
    for name in ("resnet", "squeezenet", "inception", "max_pooled", "efficientnet", "mobilenet_v3",
                 "group_norm"):
        try:
            net, x, _, _ = network(name, "data", None, None)
        except (OSError, StopIteration) as error:
            print(f"{name}: {error}")
            continue
        background = torch.from_numpy(0.5 * images(tuple(x.shape[1:]), BACKGROUNDS, 7))
        line = f"{name:22}"
        for peer, call in (("captum", deep_shap), ("shap", deep_explainer)):
            try:
                values = run(call, net, x, 0, background, torch.float64)
                line += f"  {peer}: sum rule {apart(net, x, 0, background, values):.1e}"
            except Exception as error:  # whatever a package makes of a network it cannot serve
                line += f"  {peer}: {type(error).__name__}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
