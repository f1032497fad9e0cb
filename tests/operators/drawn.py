#!/usr/bin/env python3
"""Makes drawn.json: operators of drawn extents and attributes, as make_cases.py (README.md).

    build/operators-venv/bin/python tests/operators/drawn.py
    build/operators-venv/bin/python tests/operators/drawn.py --draws 2000 --seed 1 --out /tmp/drawn.json

Each kind is drawn until it has `--draws` cases that the reference evaluator answers and onnxruntime, where
it has the operator for the type, answers alike.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from onnx import helper
from onnx.backend.test.case.node import collect_testcases

from make_cases import ALL, INTEGERS, NUMBERS, UNSIGNED, Cases, Value, parameter, tensor

HERE = Path(__file__).resolve().parent


class Draw:
    def __init__(self, rng):
        self.rng = rng

    def below(self, n):
        return int(self.rng.integers(0, n))

    def between(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def pick(self, *choices):
        return choices[self.below(len(choices))]

    def chance(self, p):
        return self.rng.random() < p

    def shape(self, least, most, largest=4):
        return [self.between(1, largest) for _ in range(self.between(least, most))]

    def halves(self, shape):
        return (self.rng.integers(-9, 10, shape) / 2).astype("float32")

    def numbers(self, shape, dtype):
        """Small numbers of any type, fractions where it has them."""
        if dtype == "bool":
            return self.rng.integers(0, 2, shape).astype(bool)
        low = 0 if dtype in UNSIGNED else -6
        values = self.rng.integers(low, 7, shape)
        return (values + 0.25 if dtype not in INTEGERS else values).astype(dtype)


RANGES = {"Tan": (-1.5, 1.5), "Asin": (-1, 1), "Acos": (-1, 1), "Atan": (-9, 9), "Sinh": (-5, 5),
          "Cosh": (-5, 5), "Asinh": (-50, 50), "Acosh": (1, 50), "Atanh": (-0.99, 0.99)}


def functions(d, c):
    op = d.pick(*RANGES)
    x = d.rng.uniform(*RANGES[op], d.shape(0, 3)).astype(d.pick("float32", "float32", "float64"))
    c.add(op, [x], drop_unclear=True)


def equations(d, c):
    """Of three and four operands."""
    extent = {letter: d.between(1, 3) for letter in "abcXY"}
    hidden = d.shape(1, 2, 3) if d.chance(0.3) else []
    terms, operands, letters = [], [], ""
    for _ in range(d.between(3, 4)):
        own = [d.pick(*"abcXY") for _ in range(d.below(4))]
        shape = [extent[letter] for letter in own]
        term = "".join(own)
        if hidden:
            at = d.below(len(own) + 1)
            shape[at:at] = hidden
            term = "".join(own[:at]) + "..." + "".join(own[at:])
        letters += "".join(letter for letter in own if letter not in letters)
        terms.append(term)
        operands.append(d.rng.integers(-4, 5, shape).astype("float32"))
    equation = ",".join(terms)
    if d.chance(0.8):
        kept = [letter for letter in letters if d.chance(0.5)]
        d.rng.shuffle(kept)
        equation += "->" + ("..." if hidden else "") + "".join(kept)
    c.add("Einsum", operands, {"equation": equation}, label=equation, drop_unclear=True)


def hardmax(d, c):
    x = d.halves(d.shape(1, 4))
    opset = d.pick(12, 21)
    axis = d.between(0 if opset == 12 else -x.ndim, x.ndim - 1)
    c.add("Hardmax", [x], {"axis": axis}, opset=opset, label=f"axis {axis}", drop_unclear=True,
          reference=opset > 12)


def columns(d, c):
    rank = d.between(1, 3)
    image = [d.between(1, 6) for _ in range(rank)]
    block = [d.between(1, 3) for _ in range(rank)]
    strides = [d.between(1, 3) for _ in range(rank)]
    dilations = [d.between(1, 2) for _ in range(rank)]
    pads = [d.below(3) for _ in range(2 * rank)]
    blocks = 1
    for i in range(rank):
        room = image[i] + pads[i] + pads[rank + i] - (block[i] - 1) * dilations[i] - 1
        if room < 0:
            return
        blocks *= room // strides[i] + 1
    elements = d.between(1, 2) * int(np.prod(block))
    if elements * blocks > 150:
        return
    x = d.halves([d.between(1, 2), elements, blocks])
    attributes = {"strides": strides, "dilations": dilations, "pads": pads}
    c.add("Col2Im", [x, parameter(image), parameter(block)], attributes, label=f"{rank}-D",
          drop_unclear=True)


def placed(d, c):
    """What is decided by where an element lies."""
    op = d.pick("EyeLike", "Trilu", "OneHot", "NonZero", "Compress", "CenterCropPad")
    dtype = d.pick(*ALL)
    if op == "EyeLike":
        c.add(op, [d.numbers([d.between(1, 5), d.between(1, 5)], dtype)], {"k": d.between(-3, 3)},
              drop_unclear=True)
    elif op == "Trilu":
        x = d.numbers(d.shape(0, 2) + [d.between(1, 4), d.between(1, 4)], dtype)
        k = [parameter(d.between(-3, 3))] if d.chance(0.7) else []
        c.add(op, [x] + k, {"upper": d.below(2)}, drop_unclear=True)
    elif op == "OneHot":
        depth = d.between(1, 5)
        indices = d.rng.integers(-depth - 1, depth + 2, d.shape(0, 2, 3))
        axis = d.between(-indices.ndim - 1, indices.ndim)
        c.add(op, [indices.astype(d.pick("int32", "int64", "float32")),
                   parameter(d.pick(depth, [depth])), d.numbers([2], dtype)], {"axis": axis},
              label=f"axis {axis}", drop_unclear=True)
    elif op == "NonZero":
        x = d.numbers(d.shape(1, 3), dtype)
        x[d.rng.random(x.shape) < 0.5] = 0
        c.add(op, [Value(x, parameter=True)], drop_unclear=True)
    elif op == "Compress":
        x = d.numbers(d.shape(1, 3), dtype)
        axis = d.between(-x.ndim, x.ndim - 1) if d.chance(0.7) else None
        most = x.size if axis is None else x.shape[axis]
        condition = d.rng.integers(0, 2, d.between(1, most)).astype(bool)
        c.add(op, [x, Value(condition, parameter=True)], {} if axis is None else {"axis": axis},
              drop_unclear=True)
    else:
        x = d.numbers(d.shape(1, 3, 6), dtype)
        axes = sorted(d.rng.permutation(x.ndim)[:d.between(1, x.ndim)].tolist())
        wanted = [d.between(1, 7) for _ in axes]
        given = {} if len(axes) == x.ndim and d.chance(0.5) else {"axes": axes}
        c.add(op, [x, parameter(wanted)], given, label=f"to {wanted}", drop_unclear=True)


def indexed(d, c):
    """Integers beyond 2^24 among them: exact as constants."""
    op = d.pick("ScatterElements", "ScatterND", "GatherND", "Pad")
    dtype = d.pick(*NUMBERS, "int64", "int64")
    x = d.numbers(d.shape(1, 3), dtype)
    if dtype == "int64" and d.chance(0.5):
        x = x + 2**40 + 1
    reduction = d.pick("none", "none", "add", "mul", "max", "min")
    attributes = {} if reduction == "none" else {"reduction": reduction}
    if op == "ScatterElements":
        axis = d.below(x.ndim)
        shape = [d.between(1, n) for n in x.shape]
        indices = d.rng.integers(-x.shape[axis], x.shape[axis], shape)
        c.add(op, [x, parameter(indices), d.numbers(shape, dtype)],
              {"axis": axis - x.ndim * d.below(2), **attributes}, label=reduction, drop_unclear=True)
    elif op == "Pad":
        pads = [d.between(-1, 3) if n > 2 else d.below(3) for n in x.shape * 2]
        mode = d.pick("constant", "reflect", "edge", "wrap")
        if mode != "constant":
            pads = [max(0, min(p, x.shape[i % x.ndim] - 1)) for i, p in enumerate(pads)]
        value = [parameter(d.numbers([], dtype), dtype)] if mode == "constant" else []
        c.add(op, [x, parameter(pads)] + value, {"mode": mode}, label=mode, drop_unclear=True)
    else:
        batch = d.below(x.ndim) if op == "GatherND" else 0
        depth = d.between(1, x.ndim - batch)
        tuples = list(x.shape[:batch]) + d.shape(1, 2, 3)
        indices = np.stack([d.rng.integers(-n, n, tuples) for n in x.shape[batch:batch + depth]], -1)
        if op == "GatherND":
            c.add(op, [x, parameter(indices)], {"batch_dims": batch}, drop_unclear=True)
        else:
            updates = d.numbers(tuples + list(x.shape[depth:]), dtype)
            c.add(op, [x, parameter(indices), updates], attributes, label=reduction,
                  drop_unclear=True)


def samples(d, c):
    rank = d.pick(2, 2, 3)
    n, channels = d.between(1, 2), d.between(1, 2)
    x = d.halves([n, channels] + [d.between(2, 5) for _ in range(rank)])
    places = [d.between(1, 3) for _ in range(rank)]
    grid = d.rng.uniform(-1.9, 1.9, [n, *places, rank]).astype("float32")
    if d.chance(0.3):  # borders, middles and halves
        grid = (d.rng.integers(-6, 7, grid.shape) / 4).astype("float32")
    opset = d.pick(16, 20) if rank == 2 else 20
    modes = ("bilinear", "nearest", "bicubic") if opset == 16 else ("linear", "nearest", "cubic")
    mode = d.pick(*modes)
    attributes = {"mode": mode, "padding_mode": d.pick("zeros", "border", "reflection"),
                  "align_corners": d.below(2)}
    if mode == "bicubic" and attributes["padding_mode"] == "border":
        return  # where one place is beyond the border, onnxruntime moves the others, too
    c.add("GridSample", [x, grid], attributes, opset=opset,
          label=" ".join(str(v) for v in attributes.values()), drop_unclear=True,
          reference=opset > 16)


def composed(d, c):
    """What the importer writes in other operators."""
    op = d.pick("Shrink", "LpNormalization", "MeanVarianceNormalization", "GlobalLpPool", "LpPool",
                "ArgMin", "ArgMax", "CastLike")
    image = d.halves([d.between(1, 2), d.between(1, 3), d.between(2, 5), d.between(2, 5)])
    if op == "Shrink":
        c.add(op, [image], {"lambd": d.pick(0.5, 1.25), "bias": d.pick(0.0, 0.75)}, drop_unclear=True)
    elif op == "LpNormalization":
        x = d.halves(d.shape(1, 3))
        c.add(op, [x], {"axis": d.between(-x.ndim, x.ndim - 1), "p": d.between(1, 2)},
              drop_unclear=True)
    elif op == "MeanVarianceNormalization":
        c.add(op, [image], d.pick({}, {"axes": [2, 3]}, {"axes": [1, 2, 3]}), drop_unclear=True)
    elif op == "GlobalLpPool":
        c.add(op, [image], {"p": d.between(1, 3)}, drop_unclear=True, reference=False)
    elif op == "LpPool":
        kernel = [d.between(1, 2), d.between(1, 2)]
        pads = [d.below(k) for k in kernel * 2]
        c.add(op, [image], {"kernel_shape": kernel, "strides": [d.between(1, 2), d.between(1, 2)],
                            "pads": pads, "p": d.between(1, 3)}, drop_unclear=True)
    elif op == "CastLike":
        dtype, to = d.pick(*ALL), d.pick(*ALL)
        x = d.numbers(d.shape(0, 2), dtype)
        c.add(op, [np.abs(x) if dtype != "bool" else x, Value(d.numbers([1], to), parameter=True)],
              label=f"to {to}", drop_unclear=True)
    else:
        x = d.numbers(d.shape(1, 3), d.pick(*NUMBERS))
        c.add(op, [x], {"axis": d.between(-x.ndim, x.ndim - 1), "keepdims": d.below(2),
                        "select_last_index": d.below(2)}, drop_unclear=True)


def later(d, c):
    """Grids, dequantized weights, norms by the mean square."""
    op = d.pick("AffineGrid", "DequantizeLinear", "RMSNormalization")
    if op == "AffineGrid":
        rank, n = d.pick(2, 2, 3), d.between(1, 2)
        size = [n, 1] + [d.between(2, 4) for _ in range(rank)]
        c.add(op, [d.halves([n, rank, rank + 1]), parameter(size)], {"align_corners": d.below(2)},
              drop_unclear=True)
    elif op == "RMSNormalization":
        x = d.halves(d.shape(1, 3))
        axis = d.between(-x.ndim, x.ndim - 1)
        c.add(op, [x, parameter(d.halves(x.shape[axis % x.ndim:]), "float32")], {"axis": axis}, opset=23,
              label=f"axis {axis}", drop_unclear=True)
    else:
        dtype = d.pick("int8", "uint8", "int32")
        x = d.numbers(d.shape(1, 3), dtype)
        axis = d.between(-x.ndim, x.ndim - 1)
        shape = d.pick([], [x.shape[axis]])
        operands = [x, parameter(d.rng.integers(1, 9, shape) / 4, "float32")]
        if dtype != "int32" and d.chance(0.7):
            operands.append(parameter(d.numbers(shape, dtype), dtype))
        c.add(op, operands, {"axis": axis}, label=f"axis {axis}", drop_unclear=True)


def tested(d, c):
    """Bits, remainders, and what is no number."""
    op = d.pick("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitShift", "Mod", "IsNaN", "IsInf")
    shape = d.shape(0, 2)
    if op in ("IsNaN", "IsInf"):
        x = d.rng.choice([0, 1.5, -2, np.nan, np.inf, -np.inf], shape).astype("float32")
        sides = {} if op == "IsNaN" else {"detect_positive": d.below(2), "detect_negative": d.below(2)}
        c.add(op, [x], sides, drop_unclear=True)
    elif op == "BitShift":
        dtype = d.pick(*UNSIGNED)
        c.add(op, [d.rng.integers(0, 256, shape).astype(dtype), d.rng.integers(0, 8, shape).astype(dtype)],
              {"direction": d.pick("LEFT", "RIGHT")}, drop_unclear=True)
    elif op == "Mod":
        dtype = d.pick(*NUMBERS)
        y = d.numbers(shape, dtype)
        y = np.where(y == 0, np.array(3, dtype), y)
        fmod = 1 if dtype not in INTEGERS else d.below(2)
        c.add(op, [d.numbers(shape, dtype), y], {"fmod": fmod}, label=f"fmod {fmod}", drop_unclear=True)
    else:
        dtype = d.pick(*INTEGERS)
        if op == "BitwiseNot" and dtype == "uint64":
            return  # refused: no 64-bit integer with a sign holds it
        low = 0 if dtype in UNSIGNED else -100
        operands = [d.rng.integers(low, 100, shape).astype(dtype) for _ in range(2)]
        c.add(op, operands[:1 if op == "BitwiseNot" else 2], drop_unclear=True)


ACTIVATIONS = {"Sigmoid": (), "Tanh": (), "Relu": (), "Softsign": (), "Softplus": (),
               "LeakyRelu": (0.125,), "ThresholdedRelu": (0.25,), "Elu": (0.75,),
               "Affine": (0.5, 0.125), "ScaledTanh": (1.5, 0.5), "HardSigmoid": (0.25, 0.375)}


def recurrent(d, c):
    """Every attribute, and each of the results; images first by ONNX's evaluator, which knows little else."""
    op = d.pick("LSTM", "LSTM", "GRU", "RNN")
    gates, functions = {"LSTM": (4, 3), "GRU": (3, 2), "RNN": (1, 1)}[op]
    time, n, features, hidden = d.pick(1, 3, 7), d.between(1, 3), d.between(1, 3), d.between(1, 4)
    direction = d.pick("forward", "reverse", "bidirectional")
    ways = 2 if direction == "bidirectional" else 1
    eighths = lambda *shape: (d.rng.integers(-8, 9, shape) / 8).astype("float32")
    attributes = {"hidden_size": hidden, "direction": direction}
    result = d.below(3 if op == "LSTM" else 2)
    if d.chance(0.15):
        attributes["layout"] = 1
        weights = [eighths(1, gates * hidden, features), eighths(1, gates * hidden, hidden)]
        attributes["direction"] = "forward"
        if op == "GRU":
            attributes["linear_before_reset"] = d.below(2)
        c.add(op, [eighths(n, time, features), *weights], attributes, opset=14, label="images first",
              drop_unclear=True, result=d.below(2))
        return
    x = eighths(time, n, features)
    operands = [x, eighths(ways, gates * hidden, features), eighths(ways, gates * hidden, hidden)]
    more = [eighths(ways, 2 * gates * hidden),
            parameter(d.rng.integers(1, time + 1, n), "int32"),
            eighths(ways, n, hidden)]
    if op == "LSTM":
        more += [eighths(ways, n, hidden), eighths(ways, 3 * hidden)]
    more = [operand if d.chance(0.6) else None for operand in more]
    while more and more[-1] is None:
        more.pop()
    if d.chance(0.5):
        names = [d.pick(*ACTIVATIONS) for _ in range(ways * functions)]
        attributes["activations"] = names
        for i, name in enumerate(("activation_alpha", "activation_beta")):
            values = [ACTIVATIONS[f][i] for f in names if len(ACTIVATIONS[f]) > i]
            if values:
                attributes[name] = values
    if d.chance(0.5):
        attributes["clip"] = 0.625
    if op == "GRU":
        attributes["linear_before_reset"] = d.below(2)
    if op == "LSTM":
        attributes["input_forget"] = d.pick(0, 0, 1)
    c.add(op, operands + more, attributes, opset=d.pick(7, 14, 21), drop_unclear=True,
          reference=False, result=result,
          label=" ".join(f"{k} {v}" for k, v in attributes.items() if k != "hidden_size"))
    if c.rows and c.rows[-1]["op"] == op and not all(abs(float(v)) < 100 for v in c.rows[-1]["out"][2]):
        c.rows.pop()  # gates above 1 that grow with every step


def own_recurrent_tests(c):
    """ONNX's own, as they are."""
    for case in collect_testcases(None):
        node = case.model.graph.node[0] if case.model is not None and case.kind == "node" else None
        if node is None or node.op_type not in ("LSTM", "GRU", "RNN") or len(case.model.graph.node) > 1:
            continue
        inputs, outputs = case.data_sets[0]
        given = iter(inputs)
        operands = [tensor(np.asarray(next(given))) if name else None for name in node.input]
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        attributes = {k: v.decode() if isinstance(v, bytes) else v for k, v in values.items()}
        kept = [i for i, name in enumerate(node.output) if name]
        for i, output in zip(kept, outputs):
            c.rows.append({"op": node.op_type, "label": f"{case.name} {i}", "attributes": attributes,
                           "in": operands, "result": i, "out": tensor(np.asarray(output))})


def selected(d, c):
    """What picks by rank, by overlap, by region, by the places of maxima, or by chance."""
    op = d.pick("TopK", "TopK", "MaxPool", "MaxUnpool", "RoiAlign", "RoiAlign", "ReverseSequence",
                "NonMaxSuppression")
    if op == "TopK":
        x = d.numbers(d.shape(1, 3), d.pick("float32", "float64", "int64", "int32"))
        axis = d.between(-x.ndim, x.ndim - 1)
        opset = d.pick(9, 10, 21) if x.dtype.kind == "f" else 21
        largest = d.below(2) if opset > 10 else 1
        k = d.between(1, x.shape[axis])
        attributes = {"axis": axis, **({"k": k} if opset < 10 else {}),
                      **({"largest": largest} if opset > 10 else {})}
        c.add(op, [x] + ([] if opset < 10 else [parameter([k])]), attributes, opset=opset,
              label=f"k {k} {largest}", drop_unclear=True, reference=opset > 10, result=d.below(2))
    elif op in ("MaxPool", "MaxUnpool"):
        rank = d.between(1, 3)
        kernel = [d.between(1, 3) for _ in range(rank)]
        strides = [d.between(1, 3) for _ in range(rank)]
        if op == "MaxPool":
            x = d.halves([d.between(1, 2), d.between(1, 2)] + [d.between(3, 5) for _ in kernel])
            pads = [d.below(k) for k in kernel * 2]
            c.add(op, [x], {"kernel_shape": kernel, "strides": strides, "pads": pads,
                            "storage_order": d.below(2)}, label=f"indices {rank}-D",
                  drop_unclear=True, reference=False, result=1)
            return
        pads = [d.below(2) for _ in kernel * 2]
        extents = [d.between(2, 3) for _ in kernel]
        full = [(e - 1) * s + k - pads[i] - pads[rank + i]
                for i, (e, s, k) in enumerate(zip(extents, strides, kernel))]
        given = d.chance(0.5)
        full = [max(1, f) + (d.below(2) if given else 0) for f in full]
        shape = [d.between(1, 2), d.between(1, 2)] + extents
        size = int(np.prod(shape[:2] + full))
        if size < int(np.prod(shape)):
            return
        indices = d.rng.permutation(size)[:int(np.prod(shape))].reshape(shape)
        c.add(op, [d.halves(shape), indices.astype("int64")]
              + ([parameter(shape[:2] + full)] if given else []),
              {"kernel_shape": kernel, "strides": strides, "pads": pads}, label=f"{rank}-D",
              drop_unclear=True, reference=False)
    elif op == "RoiAlign":
        x = d.halves([d.between(1, 2), d.between(1, 2), d.between(2, 6), d.between(2, 6)])
        count = d.between(1, 3)
        corners = d.rng.uniform(-2, 9, [count, 2, 2])
        if d.chance(0.8):
            corners.sort(axis=1)
        opset = d.pick(10, 16)
        attributes = {"output_height": d.between(1, 3), "output_width": d.between(1, 3),
                      "sampling_ratio": d.below(3), "spatial_scale": d.pick(1.0, 0.5, 0.75),
                      "mode": d.pick("avg", "avg", "max")}
        if opset == 16:
            attributes["coordinate_transformation_mode"] = d.pick("half_pixel", "output_half_pixel")
        c.add(op, [x, corners.reshape(count, 4).astype("float32"),
                   d.rng.integers(0, x.shape[0], count)], attributes, opset=opset,
              label=attributes["mode"], drop_unclear=True, reference=False)
    elif op == "ReverseSequence":
        x = d.numbers(d.shape(2, 4), d.pick("float32", "int64"))
        batch = d.below(2)
        lengths = d.rng.integers(1, x.shape[1 - batch] + 1, x.shape[batch])
        c.add(op, [x, lengths], {"batch_axis": batch, "time_axis": 1 - batch}, drop_unclear=True)
    else:
        n, classes, count = d.between(1, 2), d.between(1, 2), d.between(1, 6)
        corners = d.rng.integers(0, 7, [n, count, 4]).astype("float32")
        scores = d.rng.permutation(n * classes * count).reshape(n, classes, count)
        operands = [parameter(corners, "float32"),
                    parameter(scores / scores.size, "float32"), parameter([d.between(1, 4)])]
        operands.append(parameter([d.pick(0.1, 0.25, 0.6)], "float32"))
        if d.chance(0.5):
            operands.append(parameter([0.3], "float32"))
        c.add(op, operands, {"center_point_box": d.below(2)}, drop_unclear=True, reference=False)


KINDS = (functions, equations, hardmax, columns, placed, indexed, samples, composed, tested, later,
         recurrent, selected)


def main():
    warnings.filterwarnings("ignore")
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=HERE / "drawn.json")
    arguments.add_argument("--draws", type=int, default=100, help="of each kind")
    arguments.add_argument("--seed", type=int, default=17)
    given = arguments.parse_args()
    c = Cases()
    for i, kind in enumerate(KINDS):
        d = Draw(np.random.default_rng([given.seed, i]))
        before, compared, dropped = len(c.rows), c.compared, c.dropped
        while len(c.rows) - before < given.draws:
            kind(d, c)
        print(f"{kind.__name__}: {len(c.rows) - before} cases, {c.compared - compared} compared with "
              f"onnxruntime's, {c.dropped - dropped} left out, where the two differ")
    own_recurrent_tests(c)
    with open(given.out, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in c.rows)
                   + "\n]\n")


if __name__ == "__main__":
    main()
