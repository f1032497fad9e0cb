#!/usr/bin/env python3
"""Exports torchvision's detectors, with their selections inside, and what they say of a drawn picture.

    python3.11 -m venv build/detectors-venv
    build/detectors-venv/bin/pip install -r tests/selections/requirements.txt
    build/detectors-venv/bin/python tests/selections/export.py /tmp/detectors

Weights are random, of a seed; score thresholds are 0, pictures small. Beside each model.onnx stands
a folder: the picture, onnxruntime's outputs, and for some rows the gradient of their score at a layer
and at the picture, by PyTorch's autograd, and grad-cam's FasterRCNNBoxScoreTarget of two rows.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torchvision

SEED = 19


def seeded(model, gain, parts):
    """Random weights under which scores and boxes differ and none is saturated: of the named parts
    smaller ones."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = next((factor for part, factor in parts.items() if part in name), 1)
            if parameter.ndim > 1:
                fan = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator)
                                * scale * (gain / fan) ** 0.5)
            elif name.endswith("bias"):
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return model.eval()


def ssdlite():
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large as make
    return make(weights=None, weights_backbone=None, num_classes=6, score_thresh=0.0,
                detections_per_img=12, topk_candidates=20), "backbone.features.0", 320, 2, {
                    "classification_head": 0.5}


def retinanet():
    from torchvision.models.detection import retinanet_resnet50_fpn as make
    return make(weights=None, weights_backbone=None, num_classes=5, min_size=96, max_size=128,
                score_thresh=0.0, detections_per_img=10, topk_candidates=15), "backbone.body.layer3", 96, 1, {
                    "conv3": 0.2, "cls_logits": 0.2, "bbox_reg": 0.02}


def faster_rcnn():
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn as make
    return make(weights=None, weights_backbone=None, num_classes=5, min_size=96, max_size=128,
                box_score_thresh=0.0, box_detections_per_img=10, rpn_pre_nms_top_n_test=40,
                rpn_post_nms_top_n_test=12), "backbone.body.13", 96, 2, {
                    "bbox_pred": 0.02, "cls_logits": 0.05, "cls_score": 0.1}


DETECTORS = {"ssdlite": ssdlite, "retinanet": retinanet, "fasterrcnn": faster_rcnn}


def picture(size):
    rng = np.random.default_rng(SEED)
    out = rng.uniform(0.2, 0.4, (3, size, size))
    for _ in range(4):
        y, x = rng.integers(0, size * 3 // 4, 2)
        h, w = rng.integers(size // 6, size // 3, 2)
        out[:, y:y + h, x:x + w] = rng.uniform(0, 1, (3, 1, 1))
    return torch.tensor(out, dtype=torch.float32)


def gradient_of(score, wrt):
    return torch.autograd.grad(score, wrt, retain_graph=True)[0].detach().numpy()


def box_score(output, boxes, labels):
    """grad-cam's FasterRCNNBoxScoreTarget: where a row overlaps a box and agrees, its score and that."""
    total = torch.tensor(0.0)
    for box, label in zip(boxes, labels):
        overlaps = torchvision.ops.box_iou(box[None], output["boxes"])[0]
        best = int(overlaps.argmax())
        if overlaps[best] > 0.5 and output["labels"][best] == label:
            total = total + overlaps[best] + output["scores"][best]
    return total


def value_of(file, image, wanted):
    """The file's name of what a module yields."""
    model = onnx.load(file)
    names = [o for node in model.graph.node for o in node.output]
    model.graph.output.extend(onnx.ValueInfoProto(name=o) for o in names
                              if o not in {v.name for v in model.graph.output})
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    best = None
    for o, value in zip(names, session.run(names, {"image": image})):
        if getattr(value, "shape", None) == wanted.shape and value.dtype == np.float32:
            off = np.abs(value - wanted).max()
            if best is None or off <= best[0]:
                best = (off, o)
    assert best[0] < 1e-3 * np.abs(wanted).max(), best
    return best[1]


def export(name, folder):
    model, layer, size, gain, parts = DETECTORS[name]()
    model = seeded(model, gain, parts)
    image = picture(size)
    file = folder / f"{name}.onnx"
    order = list(model([image])[0])
    torch.onnx.export(model, ([image],), str(file), opset_version=17, dynamo=False,
                      input_names=["image"], output_names=order)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    outputs = dict(zip(order, session.run(None, {"image": image.numpy()})))

    maps = {}
    module = model.get_submodule(layer)
    hook = module.register_forward_hook(lambda _, __, out: maps.update(layer=out))
    wanted = image.clone().requires_grad_(True)
    got = model([wanted])[0]
    hook.remove()
    kept = {"image": image.numpy(), **{f"out_{k}": v for k, v in outputs.items()}}
    for key in order:
        kept[f"torch_{key}"] = got[key].detach().numpy()
    kept["layer"] = maps["layer"].detach().numpy()
    count = len(got["scores"])
    rows = [i for i in (0, 2, count - 1) if i < count]
    for row in rows:
        kept[f"row_{row}_at_layer"] = gradient_of(got["scores"][row], maps["layer"])
        kept[f"row_{row}_at_image"] = gradient_of(got["scores"][row], wanted)
    # A file does not say what PyTorch detaches: Faster R-CNN's proposals.
    detach, torch.Tensor.detach = torch.Tensor.detach, lambda self: self
    hook = module.register_forward_hook(lambda _, __, out: maps.update(layer=out))
    got = model([wanted])[0]
    hook.remove()
    torch.Tensor.detach = detach
    # Two rows whose shifted box still overlaps them most.
    moved = got["boxes"].detach().clone()
    moved += 0.04 * (moved[:, [2, 3, 2, 3]] - moved[:, [0, 1, 0, 1]])
    own = [i for i in range(count)
           if box_score(got, moved[i:i + 1], got["labels"][i:i + 1]).requires_grad][:2]
    if own:
        target = box_score(got, moved[own], got["labels"][own])
        kept["boxes"] = moved[own].numpy()
        kept["boxes_labels"] = got["labels"][own].numpy()
        kept["boxes_score"] = target.detach().numpy().reshape(1)
        kept["boxes_at_layer"] = gradient_of(target, maps["layer"])
    values = folder / name
    values.mkdir(exist_ok=True)
    (values / "layer.txt").write_text(value_of(file, image.numpy(), kept["layer"]))
    for key, value in kept.items():
        np.save(values / f"{key}.npy", np.ascontiguousarray(value, dtype="float32"))
    counts = {}
    for node in onnx.load(file).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    print(name, {k: v for k, v in sorted(counts.items())})
    for key in order:
        print("  ", key, outputs[key].shape, "largest difference of torch and onnxruntime",
              np.abs(outputs[key] - kept[f"torch_{key}"]).max() if outputs[key].shape ==
              kept[f"torch_{key}"].shape else "in shape")
    print("   scores", outputs["scores"], "boxes", outputs["boxes"][:3], "of", len(own))


def main():
    warnings.filterwarnings("ignore")
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("names", nargs="*", default=list(DETECTORS))
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in given.names:
        export(name, given.folder)


if __name__ == "__main__":
    main()
