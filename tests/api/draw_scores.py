#!/usr/bin/env python3
"""Draws networks whose probabilities are spelled and laid out in many ways, and asks the program for their logits.

    pip install -r ../operators/requirements.txt && python draw_scores.py build/release/tools/fovea [--count 400]

ONNX Runtime runs each network with its logits laid out in the same way as a further output, which the
program never sees. A third of the networks end in something that is no softmax or sigmoid of a logit up to
type, extents, order and a positive factor: there the scores have to be the output as it is, with a warning.
Half of the networks have gates inside, which are no such end.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper, numpy_helper

FLOAT = {"f32": T.FLOAT, "f16": T.FLOAT16, "f64": T.DOUBLE}


class Network:
    def __init__(self, rng):
        self.rng, self.nodes, self.constants, self.count = rng, [], [], 0

    def constant(self, array):
        self.count += 1
        self.constants.append(numpy_helper.from_array(np.asarray(array), f"c{self.count}"))
        return f"c{self.count}"

    def node(self, op, *inputs, **attributes):
        self.count += 1
        self.nodes.append(helper.make_node(op, list(inputs), [f"v{self.count}"], **attributes))
        return f"v{self.count}"

    def number(self, value, kind):
        return self.constant(np.asarray(value, {"f32": np.float32, "f16": np.float16, "f64": np.float64}[kind]))

    def axes(self, axes):
        return self.constant(np.asarray(axes, np.int64))


def softmax(net, x, axis, kind):
    how = net.rng.choice(["op", "log", "exp", "shifted", "reciprocal", "logsumexp", "guarded", "power"])
    if how == "op":
        return net.node("Softmax", x, axis=axis)
    if how == "log":
        return net.node("Exp", net.node("LogSoftmax", x, axis=axis))
    if how == "logsumexp":
        return net.node("Exp", net.node("Sub", x, net.node("ReduceLogSumExp", x, net.axes([axis]), keepdims=1)))
    if how != "exp":
        x = net.node("Sub", x, net.node("ReduceMax", x, net.axes([axis]), keepdims=1))
    e = net.node("Exp", x)
    total = net.node("ReduceSum", e, net.axes([axis]), keepdims=1)
    if how == "reciprocal":
        return net.node("Mul", net.node("Reciprocal", total), e)
    if how == "guarded":
        op = net.rng.choice(["Add", "Max"])
        total = net.node(op, total, net.number(1e-6, kind))
    if how == "power":
        return net.node("Mul", e, net.node("Pow", total, net.number(-1, kind)))
    return net.node("Div", e, total)


def sigmoid(net, x, kind):
    how = net.rng.choice(["op", "inverse", "ratio", "reciprocal", "minus"])
    one = net.number(1, kind)
    if how == "op":
        return net.node("Sigmoid", x)
    if how == "ratio":
        e = net.node("Exp", x)
        return net.node("Div", e, net.node("Add", one, e))
    minus = net.node("Neg", x) if how != "minus" else net.node("Mul", x, net.number(-1, kind))
    below = net.node("Add", net.node("Exp", minus), one)
    return net.node("Reciprocal", below) if how == "reciprocal" else net.node("Div", one, below)


def bias_of(net, numbers, channels):
    return net.constant(numbers.normal(0, 0.5, (channels, 1, 1)).astype(np.float32))


def draw(seed):
    """The network, what it is like, and what the program is to find."""
    rng = random.Random(seed)
    net = Network(rng)
    numbers = np.random.default_rng(seed)
    images = rng.choice([1, 1, 2, 3])
    classes, rows, columns = rng.choice([2, 3, 5, 7]), rng.choice([2, 3]), rng.choice([4, 6])
    weights = net.constant(numbers.normal(0, 0.5, (classes, 3, 3, 3)).astype(np.float32))
    bias = net.constant(numbers.normal(0, 0.5, classes).astype(np.float32))
    maps = net.node("Conv", "x", weights, bias, pads=[1, 1, 1, 1], strides=[2, 2])
    for gate in range(rng.choice([0, 0, 1, 2])):  # what softmaxes and sigmoids inside a network are, and no probabilities
        how = rng.choice(["silu", "squeeze", "softmax"])
        inner = sigmoid(net, net.node("GlobalAveragePool", maps), "f32") if how == "squeeze" else \
            sigmoid(net, maps, "f32") if how == "silu" else softmax(net, maps, 1, "f32")
        maps = net.node("Mul", *rng.sample([maps, inner], 2))
        if rng.random() < 0.5:
            maps = net.node("Add", maps, bias_of(net, numbers, classes))
    dense = rng.random() < 0.4
    if dense:
        logits, shape, axis = maps, [images, classes, rows, columns], 1
        if rng.random() < 0.5:
            logits, shape, axis = net.node("Transpose", maps, perm=[0, 2, 3, 1]), [images, rows, columns, classes], 3
        if rng.random() < 0.3:
            shape = [images, classes, rows * columns] if axis == 1 else [images, rows * columns, classes]
            axis = 1 if axis == 1 else 2
            logits = net.node("Reshape", logits, net.axes(shape))
    else:
        logits, shape, axis = net.node("Flatten", net.node("GlobalAveragePool", maps)), [images, classes], 1
    kind = rng.choice(["f32", "f32", "f32", "f16", "f64"])
    if kind != "f32":
        logits = net.node("Cast", logits, to=FLOAT[kind])
    wrong = rng.random() < 0.33
    sigmoids = rng.random() < 0.25
    lost = rng.choice(["cut", "weighed", "negative", "shifted", "squared", "position", "slice", "gather", "split", "sum",
                       "minus", "concat"]) if wrong else ""
    if lost == "position" and (not dense or sigmoids):
        lost = "squared"
    over = axis if lost != "position" else (1 if axis != 1 else len(shape) - 1)
    value = sigmoid(net, logits, kind) if sigmoids else softmax(net, logits, over, kind)
    tail, factor, logarithm = [], 1.0, False

    def both(op, *inputs, **attributes):
        """A step that moves elements, for the logits too."""
        nonlocal value, logits
        value, logits = net.node(op, value, *inputs, **attributes), net.node(op, logits, *inputs, **attributes)

    steps = [rng.choice(["cast", "reshape", "transpose", "clip", "factor", "identity", "epsilon", "dropout", "log"])
             for _ in range(rng.choice([0, 1, 1, 2, 3, 4]))]
    for step in steps:
        if logarithm and step in ("clip", "factor", "epsilon", "log"):
            continue
        if step == "cast":
            to = rng.choice(["f32", "f64"])
            value, logits = net.node("Cast", value, to=FLOAT[to]), net.node("Cast", logits, to=FLOAT[to])
            kind = to
        elif step == "reshape":
            how = rng.choice(["flat", "ones", "merge"])
            shape = {"flat": [shape[0], int(np.prod(shape[1:]))], "ones": shape + [1],
                     "merge": [shape[0], -1, shape[-1]] if len(shape) > 2 else shape}[how]
            both("Reshape", net.axes(shape))
            known = int(np.prod([d for d in shape if d > 0]))
            total = images * classes * (rows * columns if dense else 1)
            shape = [d if d > 0 else total // known for d in shape]
            if len(shape) > 5:
                break
        elif step == "transpose" and len(shape) > 2:
            perm = list(range(1, len(shape)))
            rng.shuffle(perm)
            both("Transpose", perm=[0, *perm])
            shape = [shape[p] for p in [0, *perm]]
        elif step == "clip" and factor <= 1:
            value = net.node("Clip", value, net.number(0, kind), net.number(1, kind))
        elif step == "epsilon" and factor == 1 and kind != "f16":
            value = net.node("Clip", value, net.number(1e-7, kind), net.number(1 - 1e-7, kind))
        elif step == "factor":
            by = rng.choice([100.0, 0.5, 2.0])
            value, factor = net.node("Mul", value, net.number(by, kind)), factor * by
        elif step == "log" and not sigmoids and factor == 1 and not lost:
            value, logarithm = net.node("Log", value), True
        elif step == "identity":
            value = net.node("Identity", value)
        elif step == "dropout":
            value = net.node("Dropout", value)
    if lost == "cut":
        value = net.node("Clip", value, net.number(0.2 * factor, kind), net.number(0.7 * factor, kind))
    elif lost == "weighed":
        value = net.node("Mul", value, net.constant(
            numbers.uniform(0.5, 2, shape[-1] if shape[-1] > 1 else shape[1:]).astype(
                {"f32": np.float32, "f16": np.float16, "f64": np.float64}[kind])))
        if shape[-1] == 1 and all(d == 1 for d in shape[1:]):
            lost = ""
    elif lost == "negative":
        value = net.node("Mul", value, net.number(-1, kind))
    elif lost == "shifted":
        value = net.node("Add", value, net.number(0.25, kind))
    elif lost == "squared":
        value = net.node("Mul", value, value)
    wide = [d for d in range(1, len(shape)) if shape[d] > 1]
    if lost in ("slice", "gather", "split", "sum", "concat") and not wide:
        lost = "minus"
    if lost == "minus":
        value = net.node("Sub", net.number(1, kind), value)
    elif lost == "slice":
        at = rng.choice(wide)
        value = net.node("Slice", value, net.axes([0]), net.axes([shape[at] - 1]), net.axes([at]))
    elif lost == "gather":
        at = rng.choice(wide)
        value = net.node("Gather", value, net.axes([shape[at] - 1, 0, 0]), axis=at)
    elif lost == "split":
        at = rng.choice(wide)
        net.count += 2
        parts = [f"v{net.count - 1}", f"v{net.count}"]
        net.nodes.append(helper.make_node("Split", [value, net.axes([1, shape[at] - 1])], parts, axis=at))
        value = parts[1]
    elif lost == "sum":
        value = net.node("ReduceSum", value, net.axes([rng.choice(wide)]), keepdims=1)
    elif lost == "concat":
        value = net.node("Concat", value, net.node("Sub", net.number(1, kind), value), axis=rng.choice(wide))
    if kind != "f32":
        value = net.node("Cast", value, to=T.FLOAT)
    told = net.node("Cast", logits, to=T.FLOAT)
    inputs = [helper.make_tensor_value_info("x", T.FLOAT, [images, 3, 2 * rows, 2 * columns])]

    def model(outputs, used):
        graph = helper.make_graph(used, "drawn", inputs,
                                  [helper.make_tensor_value_info(o, T.FLOAT, None) for o in outputs], net.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)

    needed, shown = {value}, []
    for node in reversed(net.nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            shown.insert(0, node)
    asked = model([value], shown)
    reference = model([value, told], net.nodes)
    x = numbers.normal(0, 1, (images, 3, 2 * rows, 2 * columns)).astype(np.float32)
    return {"asked": asked, "reference": reference, "x": x, "lost": lost, "factor": factor, "output": value,
            "half": "f16" if any(n.op_type == "Cast" and n.attribute[0].i == T.FLOAT16 for n in net.nodes) else "",
            "sigmoids": sigmoids, "logarithm": logarithm, "images": images}


def check(case, program, folder):
    """None, or what is wrong."""
    onnx.save(case["asked"], folder / "model.onnx")
    np.save(folder / "x.npy", case["x"])
    reference = ort.InferenceSession(case["reference"].SerializeToString(), providers=["CPUExecutionProvider"])
    output, logits = reference.run(None, {"x": case["x"]})
    images = case["images"]
    (folder / "logits.npy").unlink(missing_ok=True)
    output, logits = output.reshape(images, -1), logits.reshape(images, -1)
    ran = subprocess.run([program, "predict", "--model", folder / "model.onnx", "--input", folder / "x.npy",
                          "--output-name", case["output"], "--logits", folder / "logits.npy", "--json", "-",
                          "--top", "1000000"], capture_output=True, text=True)
    if ran.returncode != 0:
        return "refused: " + ran.stderr.strip()
    answer, got = json.loads(ran.stdout), np.load(folder / "logits.npy")
    told = any("they are taken as the probabilities" in w or "made of values of a softmax" in w for w in answer["warnings"])
    wanted = output if case["lost"] else logits
    if got.shape != wanted.shape:
        return f"logits {got.shape}, not {wanted.shape}"
    off = np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-3)
    if off > (1e-2 if case["half"] else 1e-4):
        return f"logits off by {off:.2g}" + (", they are the output" if np.allclose(got, output, atol=1e-4) else "")
    if case["lost"]:
        return None if told else "no logits were found, and no warning says so"
    if told:
        return "logits were found, and yet a warning says that there are none"
    p = np.exp(output) if case["logarithm"] else output / case["factor"]
    for image, rows in enumerate(answer["images"]):
        for row in rows["predictions"]:
            if row["probability"] is None:
                continue
            if abs(row["probability"] - p[image, row["class"]]) > (5e-3 if case["half"] else 2e-5):
                return f"probability {row['probability']} of {row['class']}, not {p[image, row['class']]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", help="a folder for the networks that came out wrong")
    arguments = parser.parse_args()
    wrong, lost = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.first + arguments.count):
            case = draw(seed)
            lost += bool(case["lost"])
            problem = check(case, arguments.program, pathlib.Path(folder))
            if problem is None:
                continue
            wrong += 1
            print(f"{seed} ({case['lost'] or 'to be found'}): {problem}")
            if arguments.keep:
                pathlib.Path(arguments.keep).mkdir(parents=True, exist_ok=True)
                onnx.save(case["asked"], pathlib.Path(arguments.keep) / f"{seed}.onnx")
    print(f"{arguments.count} networks, {lost} of them with nothing to be found: {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
