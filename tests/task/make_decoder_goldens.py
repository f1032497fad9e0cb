#!/usr/bin/env python3
"""Draws outputs of detectors by a seed and decodes them as each family's own code does, in PyTorch.

usage: make_decoder_goldens.py     (torch and numpy as ../golden/requirements.txt pins them)

What is followed: YOLOX demo/ONNXRuntime demo_postprocess; YOLOv5 and Ultralytics non_max_suppression (best class of
each row); Ultra-Light-Fast-Generic-Face-Detector predict; NanoDet GFLHead.get_bboxes (v1, and Plus, whose cells begin
at their corners); torchvision's in-file detections. Suppression is the greedy one of torchvision.ops.nms, class by class.

ctc is log p of labels and its gradient by the logits, of torch.nn.functional.ctc_loss in f64.

Per family, data/NAME.OUTPUT.npy holds an output, and data/NAME.found.npy rows of x0 y0 x1 y1 score class row, best first.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

DATA = Path(__file__).parent / "data"
SIZE = 64  # of the picture, both ways
CLASSES = 3


def drawn_scores(generator, rows, classes):
    """Few of them large."""
    return torch.rand(rows, classes, generator=generator) ** 6


def drawn_boxes(generator, rows):
    """Centre and extents in pixels."""
    centre = torch.rand(rows, 2, generator=generator) * SIZE
    extent = 8 + 30 * torch.rand(rows, 2, generator=generator)
    return torch.cat([centre, extent], 1)


def corners(boxes):
    centre, extent = boxes[:, :2], boxes[:, 2:]
    return torch.cat([centre - extent / 2, centre + extent / 2], 1)


def overlap_of(a, b):
    both = (torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])).clamp(min=0).prod()
    return both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)


def suppressed(boxes, score, label, overlap):
    left = []
    for i in score.argsort(descending=True, stable=True).tolist():
        others = [j for j in left if label[j] == label[i]]
        if all(overlap_of(boxes[i], boxes[j]) <= overlap for j in others):
            left.append(i)
    return left


def chosen(boxes, scores, threshold, overlap, first_class=0):
    """Rows x0 y0 x1 y1 score class row after the best class, the threshold and suppression."""
    score, label = scores.max(1)
    row = torch.arange(len(score))
    keep = score >= threshold
    boxes, score, label, row = boxes[keep], score[keep], label[keep], row[keep]
    left = suppressed(boxes, score, label, overlap)[:100]
    parts = [boxes[left], score[left, None], label[left, None] + first_class, row[left, None]]
    return torch.cat([p.double() for p in parts], 1)


def save(name, outputs, boxes):
    assert len(boxes) >= 5, name
    for output, values in outputs.items():
        np.save(DATA / f"{name}.{output}.npy", values.numpy().astype(np.float32))
    np.save(DATA / f"{name}.found.npy", boxes.numpy().astype(np.float32))


def cells(strides, centre, up=False):
    """x and y of every cell in cells, and its stride, level by level."""
    out = []
    for stride in strides:
        n = -(-SIZE // stride) if up else SIZE // stride
        y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
        grid = torch.stack([x, y], -1).reshape(-1, 2).float() + centre
        out.append(torch.cat([grid, torch.full((n * n, 1), float(stride))], 1))
    return torch.cat(out)


def yolox(generator):
    grid = cells([8, 16, 32], 0)
    raw = torch.randn(len(grid), 4, generator=generator) * 0.5
    objectness = drawn_scores(generator, len(grid), 1) ** 0.2
    classes = drawn_scores(generator, len(grid), CLASSES) ** 0.5
    centre = (raw[:, :2] + grid[:, :2]) * grid[:, 2:]
    extent = torch.exp(raw[:, 2:]) * grid[:, 2:]
    boxes = corners(torch.cat([centre, extent], 1))
    output = torch.cat([raw, objectness, classes], 1)[None]
    save("yolox", {"output": output}, chosen(boxes, objectness * classes, 0.3, 0.45))


def yolov5(generator):
    rows = 3 * sum((SIZE // s) ** 2 for s in (8, 16, 32))
    boxes = drawn_boxes(generator, rows)
    objectness = drawn_scores(generator, rows, 1) ** 0.3
    classes = drawn_scores(generator, rows, CLASSES)
    output = torch.cat([boxes, objectness, classes], 1)[None]
    save("yolov5", {"output0": output}, chosen(corners(boxes), objectness * classes, 0.25, 0.45))


def yolov8(generator):
    rows = sum((SIZE // s) ** 2 for s in (8, 16, 32))
    boxes = drawn_boxes(generator, rows)
    classes = drawn_scores(generator, rows, CLASSES)
    output = torch.cat([boxes, classes], 1).T.contiguous()[None]
    save("yolov8", {"output0": output}, chosen(corners(boxes), classes, 0.25, 0.45))


def ssd(generator):
    rows = 120
    boxes = corners(drawn_boxes(generator, rows)) / SIZE
    logits = torch.randn(rows, 1 + 2, generator=generator) * 2  # four columns would be a box's
    logits[:, 0] += 2
    scores = F.softmax(logits, 1)
    found = chosen(boxes * SIZE, scores[:, 1:], 0.5, 0.45)
    save("ssd", {"scores": scores[None], "boxes": boxes[None]}, found)


def distances(generator, grid, bins):
    raw = torch.randn(len(grid), 4 * bins, generator=generator)
    project = torch.arange(bins).float()
    sides = (F.softmax(raw.reshape(-1, 4, bins), -1) * project).sum(-1) * grid[:, 2:]
    point = grid[:, :2] * grid[:, 2:]
    return raw, torch.cat([point - sides[:, :2], point + sides[:, 2:]], 1)


def nanodet_plus(generator):
    grid = cells([8, 16, 32, 64], 0, up=True)
    raw, boxes = distances(generator, grid, 8)
    classes = drawn_scores(generator, len(grid), CLASSES)
    output = torch.cat([classes, raw], 1)[None]
    save("nanodet-plus", {"output": output}, chosen(boxes, classes, 0.35, 0.6))


def nanodet(generator):
    """Two outputs a level."""
    grid = cells([8, 16, 32], 0.5)
    raw, boxes = distances(generator, grid, 8)
    classes = drawn_scores(generator, len(grid), CLASSES)
    outputs, begin = {}, 0
    for stride in (8, 16, 32):
        n = (SIZE // stride) ** 2
        outputs[f"cls_{stride}"] = classes[None, begin : begin + n]
        outputs[f"dis_{stride}"] = raw[None, begin : begin + n]
        begin += n
    save("nanodet", outputs, chosen(boxes, classes, 0.35, 0.6))


def in_file(generator):
    """Torchvision has chosen: nothing is left but the threshold."""
    boxes = corners(drawn_boxes(generator, 30))
    scores, labels = torch.rand(30, generator=generator).sort(descending=True)
    labels = labels % CLASSES + 1
    keep = scores >= 0.5
    row = torch.arange(30)[keep, None]
    found = torch.cat([boxes[keep], scores[keep, None], labels[keep, None] - 1, row], 1)
    save("in-file", {"boxes": boxes, "labels": labels, "scores": scores}, found.double())


def ctc(generator):
    """Steps of logits, with the blank in front; labels with a repeat."""
    logits = torch.randn(12, 5, generator=generator).requires_grad_()
    labels = torch.tensor([[2, 2, 4, 1, 3]])
    logs = F.log_softmax(logits.double(), -1)[:, None]
    score = -F.ctc_loss(logs, labels, [12], [5], blank=0, reduction="sum")
    (gradient,) = torch.autograd.grad(score, logits)
    for name, values in {"logits": logits.detach(), "gradient": gradient, "score": score.detach()[None]}.items():
        np.save(DATA / f"ctc.{name}.npy", values.numpy().astype(np.float32))


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for seed, draw in enumerate([yolox, yolov5, yolov8, ssd, nanodet_plus, nanodet, in_file, ctc]):
        draw(torch.Generator().manual_seed(seed))
