#!/usr/bin/env python3
"""Makes the goldens of layer-wise relevance propagation with zennit and captum, in the environment
of make_method_goldens.py:

    build/methods-venv/bin/python tests/golden/make_relevance_goldens.py

README.md beside this file says what the files hold.
"""

import copy
import json
import logging
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from captum.attr import LRP, LayerLRP
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

import nets
from make_goldens import define_vision_operators, save
from make_method_goldens import Bench
from method_nets import stored

VISION = define_vision_operators()  # before zennit, which imports torchvision

from zennit import composites, layer as zennit_layer, rules
from zennit.canonizers import NamedMergeBatchNorm

HERE = Path(__file__).parent
STABLE = 2e-4  # of the largest magnitude: what rounding in f32 may move 99.95 % of a map by
# A pool of signed values may divide by next to nothing, in densenet: then the tolerance is wider.
WORST = 2e-3
LOW, HIGH, GAMMA = -2.5, 2.0, 0.3
BOX = {"low": torch.tensor(LOW), "high": torch.tensor(HIGH)}


class Sum(nn.Module):
    """nets.Sum as zennit wants one: a stack that its Sum reduces."""

    def __init__(self, branches):
        super().__init__()
        self.branches, self.sum = branches, zennit_layer.Sum()

    def forward(self, x):
        return self.sum(torch.stack([branch(x) for branch in self.branches], -1))


class SignalTakesAll(torch.autograd.Function):
    @staticmethod
    def forward(context, signal, gate):
        context.gate_shape = gate.shape
        return signal * gate

    @staticmethod
    def backward(context, relevance):
        return relevance, relevance.new_zeros(context.gate_shape)


class Gated(nn.Module):
    """nets.SqueezeExcite, all relevance to the signal: zennit has no rule for a product."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    def forward(self, x):
        return SignalTakesAll.apply(x, self.gate(x))


def replaced(module):
    for name, child in module.named_children():
        replaced(child)
        if isinstance(child, nets.Sum):
            setattr(module, name, Sum(child.branches))
        elif isinstance(child, nets.SqueezeExcite):
            setattr(module, name, Gated(child.gate))
    return module


def norms_behind_convolutions(net, x):
    """Pairs of names: a batch norm that reads what a convolution gives, and nobody else does."""
    pairs, made, reads = [], {}, {}

    def watch(name, module):
        def hook(_, inputs, output):
            for value in inputs:
                reads.setdefault(value.data_ptr(), []).append(name)
            if isinstance(module, nn.BatchNorm2d) and inputs[0].data_ptr() in made:
                pairs.append((made[inputs[0].data_ptr()], name))
            if isinstance(module, nn.Conv2d):
                made[output.data_ptr()] = name
            alive.append((inputs, output))  # addresses stay those of one value
        return module.register_forward_hook(hook)

    alive = []
    leaves = [(name, module) for name, module in net.named_modules()
              if not list(module.children())]
    handles = [watch(name, module) for name, module in leaves]
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    return pairs


def canonised(bench, dtype):
    net = replaced(copy.deepcopy(bench.net)).to(dtype)
    pairs = [([conv], norm) for conv, norm in norms_behind_convolutions(net, bench.x.to(dtype))]
    NamedMergeBatchNorm(pairs).apply(net)
    for _, norm in pairs:  # what is left of a merged norm still divides by sqrt(1 + epsilon)
        net.get_submodule(norm).eps = 0
    return net


def tapped(net, layer, seen):
    net.tap(layer).register_forward_hook(
        lambda module, inputs, output: seen.__setitem__(layer, output))


def by_zennit(make):
    """(bench, class, layer or None, dtype, noise) -> relevance, [batch, channels, ...]."""
    def run(bench, k, layer, dtype, noise):
        net, seen = canonised(bench, dtype), {}
        x = (bench.x.to(dtype) + noise.to(dtype)).requires_grad_()
        if layer:
            tapped(net, layer, seen)
        with make(net).context(net) as prepared:
            y = prepared(x)
            start = torch.zeros_like(y)
            start[:, k] = y[:, k].detach()
            (relevance,) = torch.autograd.grad(y, seen[layer] if layer else x, start)
        return relevance.detach().double().numpy()
    return run


class Copied(nn.Module):
    """An identity whose result is another tensor: captum's hooks need one of their own."""

    def __init__(self):
        super().__init__()
        self.rule = EpsilonRule(1e-9)  # captum's default

    def forward(self, x):
        return x.clone()


def by_captum(epsilon):
    def run(bench, k, layer, dtype, noise):
        net = copy.deepcopy(bench.net).to(dtype)
        net.end = Copied()
        for module in list(net.modules()):
            for name, child in module.named_children():
                if isinstance(child, (nets.Tap, nn.Dropout)):
                    setattr(module, name, Copied())
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                module.rule = EpsilonRule(epsilon)
            elif isinstance(module, nn.Flatten):
                module.rule = EpsilonRule(1e-9)
        x = bench.x.to(dtype) + noise.to(dtype)
        method = LayerLRP(net, net.tap(layer)) if layer else LRP(net)
        return method.attribute(x, target=k).detach().double().numpy()
    return run


def composite(name, **options):
    return by_zennit(lambda net: getattr(composites, name)(**options))


def everywhere(rule):
    """One rule on every layer, the rest as in zennit's composites."""
    return by_zennit(lambda net: composites.LayerMapComposite(
        layer_map=composites.layer_map_base() + [(composites.Linear, rule())]))


def named_first(make_rule):
    """EpsilonPlus with a rule of its own for the first convolution."""
    def make(net):
        first = next(name for name, module in net.named_modules() if isinstance(module, nn.Conv2d))
        return composites.NameLayerMapComposite(
            name_map=[((first,), make_rule())],
            layer_map=composites.layer_map_base() + [
                (composites.Convolution, rules.ZPlus()), (nn.Linear, rules.Epsilon())])
    return by_zennit(make)


def plus_without_biases(net):
    """EpsilonPlusFlat whose convolutions, and they alone, take their biases for zero."""
    return composites.SpecialFirstLayerMapComposite(
        layer_map=composites.layer_map_base() + [
            (composites.Convolution, rules.ZPlus(zero_params="bias")),
            (nn.Linear, rules.Epsilon())],
        first_map=[(composites.Linear, rules.Flat())])


ZENNIT, CAPTUM = f"zennit {version('zennit')}", f"captum {version('captum')}"
MANY = ["vgg", "resnet", "squeezenet", "inception", "mobilenet_v2", "densenet", "efficientnet"]
SOME = ["vgg", "resnet"]

# peer, choice of `composite`, other options, rule of the first layer, networks, layers, run.
CASES = [
    (ZENNIT, "epsilon-plus-flat", {}, None, MANY, (None, "early"), composite("EpsilonPlusFlat")),
    (ZENNIT, "epsilon-plus", {}, None, SOME + ["densenet"], (None,), composite("EpsilonPlus")),
    (ZENNIT, "epsilon-alpha2-beta1", {}, None, SOME, (None,), composite("EpsilonAlpha2Beta1")),
    (ZENNIT, "epsilon-alpha2-beta1-flat", {}, None, SOME + ["efficientnet"], (None,),
     composite("EpsilonAlpha2Beta1Flat")),
    (ZENNIT, "epsilon-gamma-box", {"gamma": GAMMA, "low": LOW, "high": HIGH, "epsilon": 1e-2}, None,
     SOME + ["efficientnet"], (None, "early"),
     composite("EpsilonGammaBox", gamma=GAMMA, epsilon=1e-2, **BOX)),
    (ZENNIT, "excitation-backprop", {}, None, SOME, (None, "early"),
     composite("ExcitationBackprop")),
    (ZENNIT, "epsilon", {"epsilon": 0.05}, None, SOME, (None, "early"),
     everywhere(lambda: rules.Epsilon(0.05))),
    (ZENNIT, "epsilon-plus", {}, "w-square", ["vgg"], (None,), named_first(rules.WSquare)),
    (ZENNIT, "epsilon-plus", {"gamma": GAMMA}, "gamma", ["vgg", "resnet"], (None,),
     named_first(lambda: rules.Gamma(GAMMA))),
    (CAPTUM, "epsilon", {"epsilon": 0.05}, None, ["vgg"], (None, "early"), by_captum(0.05)),
    (ZENNIT, "epsilon-plus-flat-zero-bias", {}, None,
     ["vgg", "resnet", "squeezenet", "efficientnet"], (None,),
     by_zennit(plus_without_biases)),
]


def choose(bench, run, layer, what):
    """The first class whose relevance rounding does not move; else the one that it moves least."""
    def relevance(k, dtype, change):
        out = run(bench, k, layer, dtype, change)
        return out.sum(1) if layer else out

    quiet = torch.zeros_like(bench.x)
    noise = torch.from_numpy(np.random.default_rng(5).normal(0, 2e-7, bench.x.shape))
    seen = []
    for k in range(bench.logits.shape[1]):
        want = relevance(k, torch.float64, quiet)
        most = np.abs(want).reshape(len(want), -1).max(1)
        if not np.isfinite(want).all() or most.min() == 0:
            continue
        moved = 0
        for dtype, change in ((torch.float32, quiet), (torch.float64, noise)):
            other = np.abs(relevance(k, dtype, change) - want)
            far = np.quantile(other.reshape(len(want), -1), 0.9995, axis=1)
            moved = max(moved, (far / most).max())
        seen.append((moved, k, want))
        if moved < STABLE:
            break
    moved, k, want = min(seen, key=lambda one: one[0])
    if moved > WORST:
        raise SystemExit(f"{bench.name}, {what}, {layer}: no stable class: {moved:.1e}")
    return k, want, 1e-3 if moved < STABLE else float(f"{5 * moved:.0e}")


def main():
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    out = HERE.parent.parent / "build/relevance-goldens"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    manifest = []
    for name in MANY:
        bench = Bench(stored(name), out)
        first = first_convolution(HERE / "data" / name / "model.onnx")
        for peer, choice, options, rule, networks, layers, run in CASES:
            if name not in networks:
                continue
            for layer in layers:
                k, want, tolerance = choose(bench, run, layer, choice)
                cases = bench.entry.setdefault("cases", [])
                cases.append({
                    "peer": peer, "composite": choice, "options": options,
                    "layer_rules": {first: rule} if rule else {},
                    "layer": bench.layers[layer] if layer else None, "class": k,
                    "tolerance": tolerance,
                    "expected": save(bench.folder, f"{len(cases):02}-{choice}.npy", want)})
        manifest.append(bench.entry)
        print(f"{name}: {len(bench.entry['cases'])} cases", flush=True)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(HERE / "relevance", ignore_errors=True)
    shutil.copytree(out, HERE / "relevance")


def first_convolution(file):
    import onnx
    graph = onnx.load(file, load_external_data=False).graph
    node = next(node for node in graph.node if node.op_type == "Conv")
    return node.name or node.output[0]


if __name__ == "__main__":
    main()
