#!/usr/bin/env python3
"""Makes cases.json: what every operator yields for every element type, by ONNX's own evaluator.

    python3.11 -m venv build/operators-venv
    build/operators-venv/bin/pip install --no-deps -r tests/operators/requirements.txt
    build/operators-venv/bin/python tests/operators/make_cases.py

README.md beside this file says what the file holds. Where onnxruntime has the operator for the type,
it is asked, too, and the script fails where the two differ.
"""

import argparse
import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = Path(__file__).resolve().parent
OPSET = 21
IR = 10
DEFAULTS = {"label": "", "opset": OPSET, "attributes": {}, "result": 0}

SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTEGERS = SIGNED + UNSIGNED
FLOATS = ["float32", "float16", "float64"]
NUMBERS = FLOATS + INTEGERS
ALL = NUMBERS + ["bool"]
ONNX_TYPE = {name: helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in ALL}
SCHEMA_TYPE = {"float32": "float", "float16": "float16", "float64": "double",
               **{name: name for name in INTEGERS + ["bool"]}}


class Value:
    """An operand: computed from the input at run time, or a `parameter`, a constant either way."""

    def __init__(self, array, parameter=False):
        self.array = np.asarray(array)
        self.parameter = parameter


def parameter(values, dtype="int64"):
    return Value(np.array(values, dtype), parameter=True)


def numbers(dtype, variant=0):
    """Six numbers of a type, with both signs, zero and fractions where it has them."""
    if dtype == "bool":
        return np.array([[1, 0, 1], [0, 0, 1]] if variant == 0 else [[1, 1, 0], [0, 1, 0]], bool)
    rows = [[-5, 0, 7], [3, -1, 2]] if variant == 0 else [[2, 3, -3], [-2, 4, 1]]
    out = np.array(rows, "float64")
    if dtype in FLOATS:
        out += 0.25 if variant == 0 else 0.5
    if dtype in UNSIGNED:
        out = np.abs(out)
    return out.astype(dtype)


def allowed(op, position, dtype, opset):
    schema = defs.get_schema(op, opset)
    index = min(position, len(schema.inputs) - 1)
    kind = schema.inputs[index].type_str
    types = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    return f"tensor({SCHEMA_TYPE[dtype]})" in types.get(kind, [kind])


class Cases:
    def __init__(self):
        self.rows = []
        self.compared = 0
        self.unclear = []  # where the two evaluators differ
        self.dropped = 0  # the same of what is drawn

    def add(self, op, operands, attributes=None, opset=OPSET, label="", drop_unclear=False,
            reference=True, result=0):
        attributes = attributes or {}
        operands = [o if o is None or isinstance(o, Value) else Value(o) for o in operands]
        for i, operand in enumerate(operands):
            if operand is not None and not allowed(op, i, operand.array.dtype.name, opset):
                return
        want = evaluate(op, operands, attributes, opset, result) if reference else None
        got = runtime(op, operands, attributes, opset, result)
        if want is None and got is None:
            return
        if not reference:  # it knows the newest form alone
            want = got
        if drop_unclear and (want is None or want.size == 0):
            return  # an extent of 0 is refused
        want = got if want is None else want
        first = next((o for o in operands if o is not None), None)
        name = " ".join(filter(None, [op, first.array.dtype.name if first else "", label]))
        if got is not None:
            self.compared += 1
            # The reference forgets the type of some reductions.
            same = got.shape == want.shape and np.allclose(
                got, want, rtol=1e-3 if want.dtype == np.float16 else 1e-5, atol=1e-6,
                equal_nan=True)
            if not same and drop_unclear:
                self.dropped += 1
                return
            if not same:
                self.unclear.append(f"{name}: the reference has {want.tolist()} {want.dtype}, "
                                    f"onnxruntime {got.tolist()} {got.dtype}")
            want = want.astype(got.dtype)
        row = {"op": op, "label": label, "opset": opset, "attributes": attributes,
               "in": [None if o is None else tensor(o.array) + [True] * o.parameter
                      for o in operands],
               "result": result, "out": tensor(want)}
        self.rows.append({k: v for k, v in row.items() if v != DEFAULTS.get(k)})


def tensor(array):
    values = array.ravel().tolist()
    if array.dtype.kind == "f":
        values = [v if np.isfinite(v) else str(v) for v in array.astype("float64").ravel()]
        values = [v if isinstance(v, str) else float(f"{v:.9g}") for v in values]
        values = [int(v) if isinstance(v, float) and v == int(v) else v for v in values]
    return [array.dtype.name, list(array.shape), values]


def model(op, operands, attributes, opset, result):
    attributes = dict(attributes)
    if "to" in attributes:
        attributes["to"] = ONNX_TYPE[attributes["to"]]
    if isinstance(attributes.get("value"), list):
        dtype, shape, values = attributes["value"]
        attributes["value"] = numpy_helper.from_array(np.array(values, dtype).reshape(shape))
    names = ["" if o is None else f"x{i}" for i, o in enumerate(operands)]
    node = helper.make_node(op, names, [""] * result + ["y"], **attributes)
    inputs = [helper.make_tensor_value_info(n, ONNX_TYPE[o.array.dtype.name], o.array.shape)
              for n, o in zip(names, operands) if o is not None]
    graph = helper.make_graph([node], "case", inputs,
                              [helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = IR
    return made, {n: o.array for n, o in zip(names, operands) if o is not None}


def evaluate(op, operands, attributes, opset, result=0):
    """The reference's answer; none where it refuses the type."""
    made, feeds = model(op, operands, attributes, opset, result)
    try:
        return np.asarray(ReferenceEvaluator(made).run(None, feeds)[0])
    except (TypeError, ValueError):
        return None


def runtime(op, operands, attributes, opset, result=0):
    """onnxruntime's answer; none where it has no kernel for the type."""
    made, feeds = model(op, operands, attributes, opset, result)
    try:
        made = onnx.shape_inference.infer_shapes(made, strict_mode=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(made.SerializeToString(), options,
                                               providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, feeds)[0])
    except Exception:
        return None


def arithmetic(c):
    for t in NUMBERS:
        a, b = numbers(t), numbers(t, 1)
        for op in ("Add", "Mul", "Max", "Min"):
            c.add(op, [a, b])
        c.add("Sub", [np.maximum(a, b), np.minimum(a, b)])
        c.add("Div", [a, b])
        for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
            c.add(op, [a, np.where(a > 1, a, b)])
        for op in ("Abs", "Neg", "Sign", "Relu", "Identity"):
            c.add(op, [a])
        if t in INTEGERS:
            c.add("Mod", [a, b])
        c.add("Clip", [a, parameter(1, t), parameter(3, t)])
        c.add("Clip", [a, None, parameter(3, t)], label="above")
        c.add("Clip", [a, parameter(1, t)], label="below")
        c.add("Clip", [a, parameter(3, t), parameter(1, t)], label="bounds exchanged")
        if t in INTEGERS:
            c.add("Clip", [a, parameter(np.iinfo(t).min, t),
                           parameter(min(np.iinfo(t).max, np.iinfo("int64").max), t)],
                  label="by the type's range")
        c.add("Where", [np.array([True, False, True]), a, b])
        c.add("PRelu", [a, b])
        c.add("Erf", [a])
        for axes, keep in (([0], 1), ([1], 0), ([0, 1], 1)):
            for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd",
                       "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"):
                c.add(op, [a, parameter(axes)], {"keepdims": keep}, label=str(axes))
        for op in ("ReduceL1", "ReduceSumSquare", "ReduceSum"):
            c.add(op, [a], {"noop_with_empty_axes": 1}, label="over no axes")
        c.add("ReduceLogSum", [np.abs(a) + np.array(1, t), parameter([1])])
        spatial = np.arange(24).reshape(1, 2, 3, 4).astype(t)
        for op in ("ReduceMean", "ReduceSum"):
            c.add(op, [spatial, parameter([2, 3])], label="over positions")
        c.add("ReduceMean", [Value(a), ], {"axes": [1]}, opset=13, label="axes as an attribute")
        ties = np.array([[1, 3, 3], [2, 2, 2]]).astype(t)
        c.add("ArgMax", [ties], {"axis": 1}, label="of equal ones")
        c.add("ArgMax", [a], {"axis": 0, "keepdims": 0})
    for t in ("bool",):
        for op in ("And", "Or", "Xor", "Equal"):
            c.add(op, [numbers(t), numbers(t, 1)])
        c.add("Not", [numbers(t)])
        c.add("Where", [np.array([True, False, True]), numbers(t), numbers(t, 1)])
        for op in ("ReduceMax", "ReduceMin"):
            c.add(op, [numbers(t), parameter([1])])


def powers(c):
    bases = {t: np.array([[2, 3, 1], [5, 0, 4]], t) for t in ["float32", "int32", "int64"]}
    for t, base in bases.items():
        for u in FLOATS + INTEGERS:
            c.add("Pow", [base, np.array([[2, 0, 3]], u)], label=f"to {u}")
        c.add("Pow", [base, parameter(2, t)], label="squared")
    c.add("Pow", [np.array([4, 9, 2], "int32"), np.array(0.5, "float32")], label="root")


def wrapping(c):
    """Integers of 8 and 16 bits that leave their range."""
    for t in ("uint8", "int8", "uint16", "int16"):
        low, high = np.iinfo(t).min, np.iinfo(t).max
        edge = np.array([low, high, low + 1, high - 1], t)
        small = np.array([1, 2, 3, 2], t)
        c.add("Add", [edge, small], label="beyond")
        c.add("Sub", [edge, small], label="beyond")
        if np.dtype(t).itemsize == 1:
            c.add("Mul", [edge, small], label="beyond")
        c.add("Neg", [edge], label="beyond")
        c.add("Abs", [edge], label="beyond")


def casts(c):
    for t, u in itertools.product(ALL, ALL):
        a = numbers(t)
        if u in UNSIGNED + ["bool"]:
            a = np.abs(a) if t != "bool" else a
        c.add("Cast", [a], {"to": u}, label=f"to {u}")
    wide = np.array([300, -1, 70000, -40000, 127, 128, 255, 256], "int32")
    for u in ("uint8", "int8", "uint16", "int16"):
        c.add("Cast", [wide], {"to": u}, label=f"wide to {u}")
    c.add("Cast", [np.array([2.9, -2.9, 0.5, -0.5, 0], "float32")], {"to": "int64"},
          label="fractions")


def large(c):
    """Beyond 2^24 and 2^53: exact as constants, nothing to be computed at run time."""
    big = np.array([2**24, 2**24 + 1, 2**53 + 1, -2**53 - 1], "int64")
    near = np.array([2**24 + 1, 2**24 + 1, 2**53, -2**53], "int64")
    for op in ("Equal", "Less", "GreaterOrEqual", "Max", "Min", "Add", "Sub"):
        c.add(op, [big, near], label="large")
    c.add("Div", [big, np.array([1, -3, 7, 2], "int64")], label="large")
    c.add("Mod", [big, np.array([1, -3, 7, 2], "int64")], label="large")
    c.add("Clip", [big, parameter(2**24 + 1), parameter(2**53)], label="large")
    c.add("ArgMax", [big], {"axis": 0}, label="large")
    for op in ("ReduceSum", "ReduceMax", "ReduceMean", "ReduceL1"):
        c.add(op, [big, parameter([0])], label="large")
    c.add("ReduceSumSquare", [np.array([5001, 7003], "int64"), parameter([0])], label="large")
    c.add("Gather", [big, parameter([3, 1])], label="large")
    c.add("Cast", [big], {"to": "float32"}, label="large")


def movement(c):
    # What only moves values tells types apart by the width in the file at most.
    for t in ("float32", "float16", "float64", "int64", "int8", "uint16", "bool"):
        a, b = numbers(t), numbers(t, 1)
        image = np.resize(a, (1, 4, 2, 2))
        c.add("Concat", [a, b], {"axis": 1})
        c.add("Transpose", [a])
        c.add("Reshape", [a, parameter([3, 2])])
        c.add("Flatten", [a])
        c.add("Squeeze", [a[None], parameter([0])])
        c.add("Unsqueeze", [a, parameter([0])])
        c.add("Expand", [a, parameter([2, 2, 3])])
        c.add("Tile", [a, parameter([1, 2])])
        c.add("Slice", [a, parameter([2]), parameter([-4]), parameter([1]), parameter([-1])])
        c.add("Split", [a], {"axis": 1, "num_outputs": 1})
        c.add("Gather", [a, parameter([1, -1])], {"axis": 1})
        c.add("GatherElements", [a, parameter([[1, -1], [0, 2]])], {"axis": 1})
        c.add("GatherND", [a, parameter([[1, 2], [0, -3]])])
        c.add("ScatterND", [a, parameter([[1, 2], [0, 0]]), b[0, :2]])
        c.add("Pad", [a, parameter([0, 1, 1, 0]), parameter(1, t)])
        c.add("Pad", [a, parameter([0, 1, 0, 1])], {"mode": "reflect"}, label="reflected")
        c.add("DepthToSpace", [image], {"blocksize": 2})
        c.add("SpaceToDepth", [image], {"blocksize": 2})
        c.add("Resize", [image, None, parameter([1, 1, 2, 2], "float32")], {"mode": "nearest"})
        if t in FLOATS:  # of integers the two evaluators round differently; fovea refuses it
            c.add("Resize", [image, None, parameter([1, 1, 2, 2], "float32")], {"mode": "linear"},
                  label="linear")
        c.add("MaxPool", [image], {"kernel_shape": [2, 2]})
        c.add("Shape", [a])
        c.add("Size", [a])
        c.add("ConstantOfShape", [parameter([2, 3])],
              {"value": tensor(np.array([1], t))}, label=t)
        c.add("MatMul", [a, b.T])
        c.add("Gemm", [a, b.T])
        c.add("Dropout", [a])
    for t in ("float32", "float64", "int32", "int64", "uint32", "uint64"):
        for exclusive, reverse in itertools.product((0, 1), (0, 1)):
            c.add("CumSum", [numbers(t), parameter(1)],
                  {"exclusive": exclusive, "reverse": reverse},
                  label=f"{exclusive} {reverse}")
    for t in ("float32", "float64", "int16", "int32", "int64"):
        c.add("Range", [parameter(2, t), parameter(9, t), parameter(3, t)])
        c.add("Range", [parameter(9, t), parameter(2, t), parameter(-2, t)], label="down")


def norms(c):
    """Statistics per element, of opsets 7 and 8."""
    rng = np.random.default_rng(9)
    for shape in ([2, 3], [2, 2, 3], [2, 2, 2, 2]):
        x = rng.integers(-8, 9, shape) / 4
        scale, bias, mean, variance = (rng.integers(1, 9, shape[1:]) / 4 for _ in range(4))
        c.add("BatchNormalization", [x.astype("float32")] + [
            parameter(v, "float32") for v in (scale, bias, mean, variance)],
              {"spatial": 0, "epsilon": 0.001}, opset=8, label=f"per element {len(shape)}")


def equations(c, count):
    """Einsum, drawn: see tests/engine/einsum_test.cpp for the same in C++ with gradients."""
    rng = np.random.default_rng(14)
    made = 0
    while made < count:
        hidden = [int(v) for v in rng.integers(2, 4, rng.integers(0, 3))]
        extent = {letter: int(rng.integers(1, 4)) for letter in "abcXY"}
        terms, shapes, most = [], [], 0
        ellipsis = bool(hidden) and rng.random() < 0.4
        for _ in range(1 if rng.random() < 0.4 else 2):
            letters = [str(v) for v in rng.choice(list("abcXY"), rng.integers(0, 4))]
            own = {v: 1 if rng.random() < 0.12 else extent[v] for v in letters}
            shape = [own[v] for v in letters]
            if ellipsis and rng.random() < 0.8:
                n = int(rng.integers(0, len(hidden) + 1))
                at = int(rng.integers(0, len(letters) + 1))
                letters.insert(at, "...")
                shape[at:at] = [1 if rng.random() < 0.2 else h for h in hidden[len(hidden) - n:]]
                most = max(most, n)
            terms.append("".join(letters))
            shapes.append(shape)
        equation = (", " if rng.random() < 0.2 else ",").join(terms)
        if rng.random() < 0.75:
            named = sorted({v for t in terms for v in t if v != "."})
            rng.shuffle(named)
            result = [str(v) for v in named[:rng.integers(0, len(named) + 1)]]
            if most > 0:
                result.insert(int(rng.integers(0, len(result) + 1)), "...")
            equation += "->" + "".join(result)
        if not equation or sum(np.prod(s, dtype=int) for s in shapes) > 40:
            continue
        operands = [rng.integers(-4, 5, s).astype("float32") for s in shapes]
        c.add("Einsum", operands, {"equation": equation}, label=equation)
        made += 1
    for t in ("int32", "int64", "float64", "float16"):
        c.add("Einsum", [numbers(t)], {"equation": "ij->i"}, label="ij->i")


def resizes(c, count, seed):
    """Resize, drawn: by sizes and scales, every mode, on the axes of maps."""
    rng = np.random.default_rng(seed)

    def pick(*choices):
        return choices[int(rng.integers(len(choices)))]

    for _ in range(count):
        shape = [1, 2, int(rng.integers(1, 9)), int(rng.integers(1, 9))]
        axes = pick(None, [2, 3], [3], [3, 2])
        used = axes or [0, 1, 2, 3]
        attributes = {"mode": pick("nearest", "linear", "cubic"),
                      "coordinate_transformation_mode": pick(
                          "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                          "align_corners", "asymmetric", "tf_crop_and_resize")}
        if axes:
            attributes["axes"] = axes
        if attributes["mode"] == "nearest":
            attributes["nearest_mode"] = pick("round_prefer_floor", "round_prefer_ceil", "floor",
                                              "ceil")
        else:
            attributes["antialias"] = int(rng.random() < 0.4)
            # Of linear without antialiasing it says nothing, and onnxruntime refuses it.
            if attributes["antialias"] or attributes["mode"] == "cubic":
                attributes["exclude_outside"] = int(rng.random() < 0.4)
        if attributes["mode"] == "cubic" and rng.random() < 0.5:
            attributes["cubic_coeff_a"] = pick(-0.5, -0.25, -1.5)
        roi = None
        if attributes["coordinate_transformation_mode"] == "tf_crop_and_resize":
            begins = [0.0 if a < 2 else pick(0.0, 0.25, -0.25) for a in used]
            ends = [1.0 if a < 2 else pick(1.0, 0.5, 1.25) for a in used]
            roi = parameter(begins + ends, "float32")
            attributes["extrapolation_value"] = pick(0.0, 2.5)
        scales = sizes = None
        if rng.random() < 0.4:
            factor = pick(0.5, 1.5, 2.0, 1.25, 0.75, 3.0)
            if any(int(shape[a] * factor) < 1 for a in used if a > 1):
                continue
            scales = parameter([1.0 if a < 2 else factor for a in used], "float32")
        else:
            sizes = parameter([shape[a] if a < 2 else int(rng.integers(1, 13)) for a in used])
            if axes == [2, 3] and rng.random() < 0.3:
                attributes["keep_aspect_ratio_policy"] = pick("not_larger", "not_smaller")
        x = rng.integers(-9, 10, shape).astype("float32") / 2
        operands = [Value(x), roi, scales, sizes]
        if sizes and "keep_aspect_ratio_policy" not in attributes:
            # Then half_pixel_symmetric is half_pixel; both evaluators round its centre.
            plain = {k: v.replace("_symmetric", "") if isinstance(v, str) else v
                     for k, v in attributes.items()}
            answers = [evaluate("Resize", operands, a, OPSET) for a in (attributes, plain)]
            if answers[0] is None or not np.allclose(*answers):
                c.dropped += 1
                continue
        c.add("Resize", operands, attributes, drop_unclear=True,
              label=" ".join(str(v) for v in attributes.values()))


def main():
    warnings.filterwarnings("ignore")
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=HERE / "cases.json")
    arguments.add_argument("--resizes", type=int, default=200, help="how many to draw")
    arguments.add_argument("--seed", type=int, default=16, help="of the resizes")
    given = arguments.parse_args()
    out = given.out
    c = Cases()
    for family in (arithmetic, powers, wrapping, casts, large, movement):
        family(c)
    norms(c)
    equations(c, 120)
    resizes(c, given.resizes, given.seed)
    if c.unclear:
        raise SystemExit("\n".join(c.unclear))
    with open(out, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in c.rows)
                   + "\n]\n")
    print(f"{len(c.rows)} cases, {c.compared} of them by onnxruntime, too; "
          f"{c.dropped} drawn ones left out, where the two differ")


if __name__ == "__main__":
    main()
