"""Checks one network: exports it, asks fovea, and compares with autograd. Started by run.py.

usage: check.py NAME FOVEA FOLDER ANSWERS [ARGUMENT...]

NAME is torchvision's, or timm's and an exporter's (`nfnet_f0.dynamo`). FOLDER is for the model and
PyTorch's answers, ANSWERS for fovea's and the result; the arguments are passed on to fovea.
"""

import json
import math
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

import oracle
import timm_export
import timm_networks
from networks import family_of

LOGITS_TOLERANCE = 1e-4  # of their range
MAP_TOLERANCE = 1e-3  # of the map's maximum
# Both sides are PyTorch's in f64; what the exporter folded, it folded in f32.
ORACLE_TOLERANCE = 1e-5  # of the scores' range, and of the feature map's maximum
SALIENCY_TOLERANCE = 1e-3  # of the map's maximum
# Of the pixels: what one activation that rounding pushed over zero may change.
LEFT_OUT = 1e-3
# Where an activation's slope jumps. A value nearer than NEAR (of the values' spread) has the slope
# that rounding chooses, and the map is no question with one answer.
JUMPS = {nn.ReLU: (0,), nn.Hardswish: (-3, 3)}
NEAR = 1e-5
PICTURES = 20  # tried; about one in twenty has a value as near as that
# The last norm of a block's branch. Training leaves these small, so that a block changes its input
# a little; at full strength a hundred random blocks multiply rounding a thousandfold.
BRANCH_NORMS = {"BasicBlock": "bn2", "Bottleneck": "bn3", "ResBottleneckBlock": "f.c.1",
                "MBConv": "block.-1.1", "FusedMBConv": "block.-1.1"}
FOVEA_SECONDS = 1800


def vision():
    """torchvision. Its compiled part needs CUDA; its Python part, with the networks, needs only
    that these operators are declared."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
    torchvision.declared_operators = library  # keeps them declared
    return torchvision


def pictures(count, size):
    """Noise at every scale, about zero mean and unit variance, as normalised photos have."""
    total = torch.zeros(count, 3, size, size)
    for cells in (3, 6, 12, 25, 50, 100, size):
        noise = torch.randn(count, 3, cells, cells)
        total += nn.functional.interpolate(noise, size=(size, size), mode="bilinear") * cells**-0.5
    return total / total.std()


def initialise(net, size, attention):
    """Random weights that keep the signal's scale, nothing left at one or zero, and batch norms
    that have seen pictures. With `attention`, which such weights would saturate, they are
    torchvision's own, but for what it sets to zero."""
    norms = []
    for module in net.modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            if not attention:
                nn.init.kaiming_normal_(weight, nonlinearity="relu")
            elif not weight.any():
                nn.init.normal_(weight, 0, 0.02)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)) and weight is not None:
            nn.init.uniform_(weight, 0.6, 1.4)
            nn.init.normal_(module.bias, 0, 0.2)
        if hasattr(module, "layer_scale"):  # 1e-6 would hide the whole block
            nn.init.uniform_(module.layer_scale, 0.2, 0.8)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
            norms.append(module)
    for module in net.modules():
        if not attention and type(module).__name__ in BRANCH_NORMS:
            norm = submodule(module, BRANCH_NORMS[type(module).__name__])
            nn.init.uniform_(norm.weight, 0.2, 0.5)
    net.eval()
    for norm in norms:
        norm.train()
    with torch.no_grad():
        for _ in range(2 if norms else 0):
            net(pictures(4, size))
    net.eval()


def submodule(net, path):
    for part in path.split("."):
        net = net[int(part)] if part.lstrip("-").isdigit() else getattr(net, part)
    return net


def answers(net, family, x):
    """Scores, the last feature map, and how near a value behind it comes to where its activation's
    slope jumps, in terms of the values' spread."""
    seen, nearest, hooks = [], [math.inf], []

    def look(module, inputs):
        if seen:
            value = inputs[0]
            for jump in JUMPS[type(module)]:
                nearest.append(float((value - jump).abs().min() / value.std()))

    hooks.append(submodule(net, family.feature_map).register_forward_hook(
        lambda module, inputs, output: seen.append(output)))
    hooks += [module.register_forward_pre_hook(look)
              for module in net.modules() if type(module) in JUMPS]
    with torch.no_grad():
        logits = net(x)
    for hook in hooks:
        hook.remove()
    return logits, seen[0], min(nearest)


def make(name, folder):
    """Exports the network; the folder then holds the model, an input and PyTorch's answers."""
    if timm_networks.is_one(name):
        return make_timm(name, folder)
    family = family_of(name)
    torch.manual_seed(1)
    net = vision().models.get_model(name, weights=None, **dict(family.arguments))
    initialise(net, family.size, family.attention)
    net.double()  # so that the answers have no rounding to speak of
    for _ in range(PICTURES):
        x = pictures(1, family.size)
        logits, feature_map, nearest = answers(net, family, x.double())
        if nearest > NEAR:
            break
    else:
        raise RuntimeError("every picture has a value where an activation's slope jumps")
    np.save(folder / "feature_map.npy", feature_map.numpy())
    torch.onnx.export(net.float(), (x,), folder / "model.onnx", verbose=False)
    np.save(folder / "input.npy", x.numpy())
    np.save(folder / "logits.npy", logits.numpy())
    complete(net, logits, folder)


def complete(net, logits, folder):
    about = {"class": int(logits.argmax()),
             "parameters": sum(p.numel() for p in net.parameters())}
    # Last: its presence says that the folder is complete.
    (folder / "about.json").write_text(json.dumps(about) + "\n")


def make_timm(name, folder):
    vision()  # which timm includes
    import timm
    name, exporter = name.split(".")
    network = timm_networks.NETWORKS[name]
    torch.manual_seed(1)
    net = timm.create_model(name)
    timm_export.initialise(net, network.size, pictures)
    for _ in range(PICTURES):
        x = pictures(1, network.size)
        logits, feature_map, gradient = timm_export.answers(net.double(), network, x.double())
        others = [timm_export.answers(net.double(), network, x.double() * nudge(x))
                  for _ in range(2)] + [timm_export.answers(net.float(), network, x)]
        # Elsewhere an activation stands so near a jump of its slope, or two elements of a pool so
        # near each other, that rounding chooses.
        if all(difference(other[0], logits, np.ptp(logits)) <= LOGITS_TOLERANCE / 10 and
               apart(saliency(other[2]), saliency(gradient)) <= SALIENCY_TOLERANCE / 10
               for other in others):
            break
    else:
        raise RuntimeError("rounding decides PyTorch's own answers, whatever the picture")
    timm_export.export(net, x, folder / "model.onnx", exporter)
    for file, values in (("input", x.numpy()), ("logits", logits), ("feature_map", feature_map),
                         ("saliency", saliency(gradient))):
        np.save(folder / f"{file}.npy", values)
    complete(net, logits, folder)


def nudge(x):
    """Factors as rounding has them."""
    return 1 + 1e-6 * torch.randn(x.shape, dtype=torch.float64)


def saliency(gradient):
    return np.abs(gradient[0]).max(0)


def apart(got, wanted):
    """The largest difference in terms of the maximum, but for the worst LEFT_OUT of the pixels."""
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.quantile(np.abs(got - wanted), 1 - LEFT_OUT) / wanted.max())


@dataclass(frozen=True)
class Program:
    """The program under test."""
    file: str
    folder: Path  # the model and its input
    answers: Path  # what it writes
    more: tuple  # arguments that each call gets

    def run(self, command, *arguments):
        """Exit code and standard error. It runs in the model's folder, so that no message names
        where that is."""
        run = subprocess.run(
            [self.file, command, "--model", "model.onnx", "--input", "input.npy",
             "--logits", self.answers / "fovea_logits.npy",
             "--json", self.answers / "fovea.json", *map(str, arguments), *self.more],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            timeout=FOVEA_SECONDS)
        return run.returncode, run.stderr.strip().replace(f"{self.answers}/", "")

    def logits_error(self):
        wanted = np.load(self.folder / "logits.npy")
        got = np.load(self.answers / "fovea_logits.npy")
        return difference(got, wanted, np.ptp(wanted))


def difference(got, wanted, scale):
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(got.astype(np.float64) - wanted).max() / scale)


def check_saliency(program, about, result):
    """What is wrong with it, where the folder has PyTorch's."""
    if not (program.folder / "saliency.npy").exists():
        return []
    code, message = program.run(
        "explain", "--method", "saliency", "--class", about["class"], "--normalize", "none",
        "--feature-map", program.answers / "fovea_saliency.npy")
    if code != 0:
        return [f"saliency: exit {code}: {message}"]
    result["saliency_error"] = apart(np.load(program.answers / "fovea_saliency.npy"),
                                     np.load(program.folder / "saliency.npy"))
    return [] if result["saliency_error"] <= SALIENCY_TOLERANCE else ["saliency differs"]


def check_map(program, family, about):
    folder, answers = program.folder, program.answers
    code, message = program.run(
        "explain", "--method", "gradcam", "--class", about["class"],
        "--normalize", "none", "--feature-map", answers / "fovea_map.npy")
    if code != 0:
        return {"layer": None, "map_error": None, "logits_error": None, "status": "fail",
                "note": f"exit {code}: {message}"}
    layer = json.loads((answers / "fovea.json").read_text())["layer"]
    x = torch.from_numpy(np.load(folder / "input.npy")).double()
    scores, activation, cam = (
        t.numpy() for t in oracle.grad_cam(folder / "model.onnx", x, layer, about["class"],
                                           family))
    np.save(folder / "map.npy", cam)
    result = {"layer": layer, "grid": list(cam.shape), "logits_error": program.logits_error(),
              "map_error": difference(np.load(answers / "fovea_map.npy"), cam, cam.max())}
    problems = check_saliency(program, about, result)
    wanted = np.load(folder / "logits.npy")
    if not difference(scores, wanted, np.ptp(wanted)) <= ORACLE_TOLERANCE:
        problems.append("the oracle's scores differ from PyTorch's")
    wanted = np.load(folder / "feature_map.npy")
    if not difference(activation, wanted, np.abs(wanted).max()) <= ORACLE_TOLERANCE:
        problems.append("another layer than the last feature map")
    if cam.max() <= 0:
        problems.append("an empty map proves nothing")
    if not result["logits_error"] <= LOGITS_TOLERANCE:
        problems.append("scores differ")
    if not result["map_error"] <= MAP_TOLERANCE:
        problems.append("maps differ")
    return {**result, "status": "fail" if problems else "pass", "note": "; ".join(problems)}


def main(name, file, folder, answers, *more):
    folder, answers = Path(folder), Path(answers)
    for each in (folder, answers):
        each.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    if not (folder / "about.json").exists():
        make(name, folder)
    about = json.loads((folder / "about.json").read_text())
    if file == "none":  # only export
        return
    program = Program(file, folder, answers, more)
    if timm_networks.is_one(name):
        family = timm_networks.NETWORKS[name.split(".")[0]]
    else:
        family = family_of(name)
    result = check_map(program, family, about)
    result["parameters"] = about["parameters"]
    (answers / "result.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
