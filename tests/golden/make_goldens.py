#!/usr/bin/env python3
"""Makes the Grad-CAM goldens with other people's code: PyTorch's autograd and the grad-cam package.

    python3.11 -m venv build/golden-venv
    build/golden-venv/bin/pip install --no-deps -r tests/golden/requirements.txt
    build/golden-venv/bin/python tests/golden/make_goldens.py --out tests/golden/data

README.md beside this file says what the files hold.
"""

import argparse
import copy
import json
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from specs import SPECS

BATCH = 2
CLASSES = {"default": 2, "early": 1}  # how many per layer
PACKAGE_CLASSES = 1  # of these, so many with the package's map (larger than the rest together)


def images(shape, count, seed):
    """Blobs, edges and noise, about zero mean and unit variance, the same on every machine."""
    rng = np.random.default_rng(seed)
    out = np.empty((count, *shape), np.float32)
    grid = np.meshgrid(*[np.linspace(0, 1, n) for n in shape[1:]], indexing="ij")
    for image in out:
        for channel in image:
            channel[...] = rng.normal(0, 0.25, shape[1:])
            for _ in range(4):
                distance = sum(((g - c) / rng.uniform(0.08, 0.3)) ** 2
                               for g, c in zip(grid, rng.uniform(0, 1, len(grid))))
                channel += rng.normal(0, 1.5) * np.exp(-distance)
            corner = [slice(int(a * n), int((a + 0.3) * n))
                      for a, n in zip(rng.uniform(0, 0.7, len(grid)), shape[1:])]
            channel[tuple(corner)] += rng.choice([-1.2, 1.2])
    return out


def initialise(net, shape, seed):
    """Random weights of a sensible scale, and batch norms that have seen images."""
    torch.manual_seed(seed)
    norms = []
    for module in net.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.2)
        elif getattr(module, "weight", None) is not None:  # the norms, and PReLU
            low, high = (0.1, 0.4) if isinstance(module, nn.PReLU) else (0.6, 1.4)
            nn.init.uniform_(module.weight, low, high)
            if getattr(module, "bias", None) is not None:
                nn.init.normal_(module.bias, 0, 0.3)
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the mean of all batches
            norms.append(module)
    net.eval()
    for norm in norms:
        norm.train()
    with torch.no_grad():
        for batch in range(3):
            net(torch.from_numpy(images(shape, 16, seed + 100 + batch)))
    return net.eval()


def watch(net, names):
    """Runs keep what the taps return in the dictionary handed back."""
    seen = {}
    for name in names:
        net.tap(name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.__setitem__(name, output))
    return seen


def as_map(value, grid):
    """[n, c, ...] of a layer; `grid`: the tokens left out in front, and the extents."""
    if grid is None:
        return value
    before, *extents = grid
    if value.dim() == 3:
        value = value[:, before:before + np.prod(extents)]
    return value.movedim(-1, 1).reshape(len(value), -1, *extents)


def signed_cams(spec, net, x, layer, classes, dtype=torch.float64):
    """Per class: sum over k of (mean over p of d logit / d A_k) A_k, [batch, grid...]."""
    grid = spec.grids.get(layer)
    net = copy.deepcopy(net).to(dtype)
    seen = watch(net, [layer, "logits"])
    with torch.enable_grad():
        net(x.to(dtype).requires_grad_())
        maps = []
        for k in classes:
            scores = seen["logits"].flatten(1)[:, k]
            gradient, = torch.autograd.grad(scores.sum(), seen[layer], retain_graph=True)
            gradient = as_map(gradient, grid)
            positions = tuple(range(2, gradient.dim()))
            weights = gradient.mean(positions, keepdim=True)
            maps.append((weights * as_map(seen[layer], grid)).sum(1).detach().double().numpy())
    return maps


def well_conditioned(spec, net, x, layer, k, cam):
    """Rounding in f32 may not move the map: no ReLU or pool may sit on its edge."""
    scale = np.abs(cam).max()
    others = [signed_cams(spec, net, x, layer, [k], torch.float32)[0]]
    rng = np.random.default_rng(1)
    for _ in range(3):
        noise = torch.from_numpy(rng.normal(0, 2e-6, x.shape))
        others.append(signed_cams(spec, net, x.double() + noise, layer, [k])[0])
    return max(np.abs(other - cam).max() for other in others) < 2e-5 * scale


def worth_keeping(cam):
    """Per image: neither nearly empty nor nearly full, and not decided by the ReLU alone."""
    for image in cam:
        top = image.max()
        if top <= 0.1 * np.abs(image).max() or not 0.05 < np.mean(image > 0.3 * top) < 0.8:
            return False
    return True


def choose_classes(spec, net, x, layer, classes, count):
    chosen = []
    for k, cam in enumerate(signed_cams(spec, net, x, layer, range(classes))):
        if len(chosen) == count:
            break
        if worth_keeping(cam) and well_conditioned(spec, net, x, layer, k, cam):
            chosen.append((k, cam))
    return chosen


def package_map(spec, net, x, layer, k, cam):
    """The published package's answer, its min-max and resizing included: [batch, height, width]."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import scale_cam_image
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    net = copy.deepcopy(net)
    net.end = nn.Flatten()  # the targets are logits
    grid = spec.grids.get(layer)
    with GradCAM(net, [net.tap(layer)],
                 reshape_transform=grid and (lambda value: as_map(value, grid))) as method:
        out = method(x, [ClassifierOutputTarget(k)] * len(x))
    expected = scale_cam_image(scale_cam_image(np.maximum(cam, 0), x.shape[:1:-1]))
    if np.abs(out - expected).max() > 1e-4:
        raise SystemExit("the package disagrees with autograd")
    return out


def define_vision_operators():
    """grad-cam imports torchvision, whose compiled part needs CUDA; its Python part needs only
    that these two operators are declared."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def export(spec, net, x, path):
    sizes = {i: name for i, name in enumerate(["batch", None, "height", "width"]) if name}
    options = {}
    if spec.opset is None:
        if spec.dynamic:
            # One entry for each of the input's dynamic axes.
            options["dynamic_shapes"] = ({i: torch.export.Dim.DYNAMIC for i in sizes},)
        torch.onnx.export(net, (x,), path, external_data=spec.external_data, verbose=False,
                          **options)
    else:
        if spec.dynamic:
            options["dynamic_axes"] = {"input": sizes, "output": {0: "batch"}}
        if spec.keep_batch_norm:
            options["training"] = torch.onnx.TrainingMode.PRESERVE
        torch.onnx.export(net, (x,), path, dynamo=False, opset_version=spec.opset,
                          input_names=["input"], output_names=["output"], **options)
    strip(path)


def strip(path):
    """Drops what the exporter notes beside the graph (stack traces, source files); the weights in
    an external file stay where they are."""
    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    parts = [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info,
             *graph.initializer]
    for part in parts:
        part.ClearField("doc_string")
        if hasattr(part, "metadata_props"):
            part.ClearField("metadata_props")
    onnx.save(model, path)


def run_onnx(path, x):
    """The model's own outputs, then every value that a node computes, by name, in order."""
    model = onnx.load(path)
    onnx.checker.check_model(model)
    own = [output.name for output in model.graph.output]
    names = own + [name for node in model.graph.node for name in node.output
                   if name and name not in own]
    for name in names[len(own):]:
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    values = dict(zip(names, session.run(names, {session.get_inputs()[0].name: x.numpy()})))
    order = [name for node in model.graph.node for name in node.output if name]
    return model, own[0], {name: values[name] for name in order}


def find_value(values, wanted, what):
    """The first value in the file equal to the tensor PyTorch computed."""
    wanted = wanted.detach().numpy()
    for name, value in values.items():
        if value.shape == wanted.shape and value.dtype == np.float32:
            if np.abs(value - wanted).max() <= 1e-5 * np.abs(wanted).max():
                return name
    raise SystemExit(f"{what}: no value in the file equals PyTorch's")


def save(folder, name, array):
    folder.mkdir(exist_ok=True)
    np.save(folder / name, np.ascontiguousarray(array, np.float32))
    return f"{folder.name}/{name}"


def make(spec, out):
    folder = out / spec.name
    folder.mkdir()
    net = initialise(spec.build(), spec.shape, spec.seed)
    x = torch.from_numpy(images(spec.shape, BATCH, 1))
    seen = watch(net, ["default", "early", "logits"])
    with torch.no_grad():
        net(x)
    torch_values = dict(seen)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export(spec, copy.deepcopy(net), x, folder / "model.onnx")
    model, output_name, values = run_onnx(folder / "model.onnx", x)
    names = {what: find_value(values, value, f"{spec.name}, {what}")
             for what, value in torch_values.items()}
    logits = torch_values["logits"]
    entry = {
        "name": spec.name,
        "model": f"{spec.name}/model.onnx",
        "input": save(out / "inputs", "x".join(map(str, spec.shape)) + ".npy", x.numpy()),
        "logits": save(folder, "logits.npy", logits.detach().flatten(1).numpy()),
        "input_name": model.graph.input[0].name,
        "output_name": output_name,
        "logits_output_name": names["logits"],
        "end": spec.end,
        "opset": next(o.version for o in model.opset_import if o.domain == ""),
        "ir": model.ir_version,
        "cases": [],
    }
    for layer, count in CLASSES.items():
        chosen = choose_classes(spec, net, x, layer, logits.shape[1], count)
        if len(chosen) < count:
            raise SystemExit(f"{spec.name}, {layer}: {len(chosen)} good classes, {count} wanted; "
                             "try another seed")
        for index, (k, cam) in enumerate(chosen):
            number = len(entry["cases"])
            case = {
                "layer": names[layer],
                "class": k,
                "default_layer": layer == "default",
                "cam": save(folder, f"cam_{number}.npy", np.maximum(cam, 0)),
                "cam_signed": save(folder, f"cam_signed_{number}.npy", cam),
                "package_map": None,
            }
            if index < PACKAGE_CLASSES and len(spec.shape) == 3:  # it takes two spatial axes
                picture = package_map(spec, net, x, layer, k, cam)
                case["package_map"] = save(folder, f"package_map_{number}.npy", picture)
            entry["cases"].append(case)
    return entry


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="names that contain this")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    library = define_vision_operators()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.out) as temporary:
        made = []
        for spec in SPECS:
            if arguments.only in spec.name:
                made.append(make(spec, Path(temporary)))
                print(f"{spec.name}: opset {made[-1]['opset']}, layers "
                      f"{sorted({case['layer'] for case in made[-1]['cases']})}", flush=True)
        for entry in made:
            shutil.rmtree(arguments.out / entry["name"], ignore_errors=True)
        for folder in Path(temporary).iterdir():
            shutil.copytree(folder, arguments.out / folder.name, dirs_exist_ok=True)
        manifest = arguments.out / "manifest.json"
        known = json.loads(manifest.read_text()) if manifest.exists() else []
        entries = {entry["name"]: entry for entry in known + made}
        text = json.dumps([entries[spec.name] for spec in SPECS if spec.name in entries], indent=1)
        manifest.write_text(text + "\n")
    del library


if __name__ == "__main__":
    main()
