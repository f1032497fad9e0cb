#!/usr/bin/env python3
"""Draws networks with loops: Loop and Scan, what they hand on, scan and collect, in each other, with branches and
values of their surroundings. What ONNX Runtime makes of each, and its slope by differences in double:
loops/expected.json.

    python3 tests/compose/draw_loops.py                   # loops/, each kind
    python3 tests/compose/draw_loops.py --cases 200 DIR   # any number, elsewhere
    FOVEA_LOOPS=DIR build/release/tests/compose/compose_test --gtest_filter='DrawnLoops*'

It needs onnx, onnxruntime and numpy (tests/loading/requirements.txt). Case n is drawn from seed n alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
CLASSES = 3
KINDS = ["loop", "loop_of_extent", "loop_of_input", "while", "scan", "scan_axes", "nested", "scan_in_loop", "growing",
         "branch", "two", "outer_values"]


class Graph:
    """Nodes and constants under construction; a body shares the names of what is around it."""

    def __init__(self, net, prefix=""):
        self.net, self.prefix, self.nodes, self.count = net, prefix, [], 0

    def node(self, op, inputs, outputs=1, **attributes):
        names = [f"{self.prefix}v{self.count + i}" for i in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(op, inputs, names, name="n_" + names[0], **attributes))
        return names[0] if outputs == 1 else names

    def ints(self, values):
        value = numpy_helper.from_array(np.array(values, np.int64))
        return self.node("Constant", [], value=value)

    def floats(self, array):
        return self.node("Constant", [], value=numpy_helper.from_array(np.asarray(array, self.net.dtype)))

    def mixed(self, values):
        """A new value [D] of some, of the first two in any case."""
        net = self.net
        out = self.node("Add", values[:2]) if len(values) > 1 else values[0]
        for _ in range(int(net.random.integers(1, 4))):
            other = net.pick(values)
            kind = net.pick(["add", "mul", "dense"])
            if kind == "dense":
                row = self.node("Reshape", [out, self.ints([1, net.d])])
                product = self.node("MatMul", [row, net.weight([net.d, net.d])])
                out = self.node("Reshape", [product, self.ints([net.d])])
            else:
                out = self.node(kind.capitalize(), [out, other])
            out = self.node(net.pick(["Tanh", "Sigmoid", "Tanh"]), [out])
        return out


class Net:
    def __init__(self, seed, kind, dtype):
        self.random = np.random.default_rng(seed)
        self.dtype = dtype
        self.kind = kind
        self.opset = int(self.pick([11, 13, 16, 19, 21]))
        self.d, self.t = int(self.random.integers(2, 5)), int(self.random.integers(2, 6))
        self.weights, self.fixed, self.extra = [], {}, []
        self.graph = Graph(self)
        g = self.graph
        self.xs = g.node("Reshape", ["x", g.ints([self.t, self.d])])  # a step per row
        made = getattr(self, kind)()
        flat = [g.node("Reshape", [one, g.ints([1, -1])]) for one in made]
        self.row = g.node("Concat", flat, axis=1)

    def pick(self, choices):
        return choices[int(self.random.integers(len(choices)))]

    @property
    def real(self):
        return TensorProto.FLOAT if self.dtype == np.float32 else TensorProto.DOUBLE

    def weight(self, shape, scale=0.7):
        name = f"w{len(self.weights)}"
        array = (self.random.standard_normal(shape) * scale).astype(np.float32).astype(self.dtype)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def value(self, name, shape=None, kind=None):
        return helper.make_tensor_value_info(name, kind or self.real, shape)

    def body(self, build, inputs, prefix):
        """`build(graph, *names)` returns the body's outputs; `inputs`: its inputs' declarations."""
        graph = Graph(self, prefix)
        outputs = build(graph, *[one.name for one in inputs])
        copied = []
        for i, name in enumerate(outputs):  # an output has one name
            copied.append(graph.node("Identity", [name]))
        return helper.make_graph(graph.nodes, prefix, inputs,
                                 [onnx.ValueInfoProto(name=name) for name in copied])

    def loop(self, trips=None, steps=None, build=None, graph=None, prefix="body/"):
        """Hands on two values, collects one or two."""
        g = graph or self.graph
        steps = steps or int(self.random.integers(1, self.t + 1))
        trips = trips or g.ints(self.pick([[steps], steps]))
        collects = int(self.random.integers(1, 3))
        condition = self.pick(["", g.node("Constant", [], value=numpy_helper.from_array(np.array(True)))])

        def standard(b, number, goes_on, h, k):
            row = b.node("Gather", [self.xs, number], axis=0)
            new = b.mixed([h, row, k])
            other = b.mixed([k, new])
            also = [b.mixed([row, h, new]) for _ in range(collects - 1)]
            return [goes_on, other, new, new] + also

        inputs = [self.value(prefix + "i", [], TensorProto.INT64), self.value(prefix + "c", [], TensorProto.BOOL),
                  self.value(prefix + "h", [self.d]), self.value(prefix + "k", [self.d])]
        body = self.body(build or standard, inputs, prefix)
        first = [g.floats(self.random.standard_normal(self.d)), self.weight([self.d])]
        return g.node("Loop", [trips, condition] + first, len(body.output) - 1, body=body)

    def loop_of_extent(self):
        g = self.graph
        shape = g.node("Shape", ["x"])
        self.open = True
        return self.loop(trips=g.node("Gather", [shape, g.ints(1)], axis=0), steps=self.t)

    def loop_of_input(self):
        self.fixed["n"] = int(self.random.integers(1, self.t + 1))
        return self.loop(trips="n", steps=self.fixed["n"])

    def nested(self):
        def build(b, number, goes_on, h, k):
            trips = self.pick([b.ints(2), b.node("Add", [number, b.ints(1)])])
            inner = self.loop(trips=trips, steps=2, graph=b, prefix="inner/", build=self.inner(number, h))
            return [goes_on, inner[0], b.mixed([k, inner[1]]), inner[1]]

        return self.loop(steps=2, build=build)

    def inner(self, number, around):
        def build(b, i, goes_on, h, k):
            row = b.node("Gather", [self.xs, number], axis=0)
            return [goes_on, b.mixed([h, row, around]), b.mixed([row, k])]

        return build

    def outer_values(self):
        """The inner loop starts from nothing of the outer one, but reads its values."""
        made = self.graph.mixed([self.graph.node("Gather", [self.xs, self.graph.ints(0)], axis=0)])

        def build(b, number, goes_on, h, k):
            inner = self.loop(trips=b.ints(2), steps=2, graph=b, prefix="inner/",
                              build=lambda c, i, on, p, q: [on, c.mixed([p, h, made]), c.mixed([q, k])])
            return [goes_on, inner[0], inner[1], b.mixed([inner[0], made])]

        return self.loop(steps=self.pick([2, 3]), build=build)

    def branch(self):
        def build(b, number, goes_on, h, k):
            is_first = b.node("Equal", [number, b.ints(0)])
            row = b.node("Gather", [self.xs, number], axis=0)
            sides = []
            for prefix in ("then/", "else/"):
                side = Graph(self, prefix)
                out = side.mixed([h, row, k])
                sides.append(helper.make_graph(side.nodes, prefix, [], [onnx.ValueInfoProto(name=out)]))
            new = b.node("If", [is_first], then_branch=sides[0], else_branch=sides[1])
            return [goes_on, new, b.mixed([k, new]), new]

        return self.loop(build=build)

    def growing(self):
        """What is handed on gains a row per step."""
        g = self.graph
        steps = int(self.random.integers(2, self.t + 1))

        def build(b, number, goes_on, rows, k):
            row = b.mixed([b.node("Gather", [self.xs, number], axis=0), k])
            more = b.node("Concat", [rows, b.node("Reshape", [row, b.ints([1, self.d])])], axis=0)
            return [goes_on, more, row]

        inputs = [self.value("body/i", [], TensorProto.INT64), self.value("body/c", [], TensorProto.BOOL),
                  self.value("body/h"), self.value("body/k")]
        body = self.body(build, inputs, "body/")
        first = [g.floats(self.random.standard_normal([1, self.d])), self.weight([self.d])]
        return g.node("Loop", [g.ints(steps), ""] + first, 2, body=body)

    def two(self):
        """The second runs as often as the first collected."""
        g = self.graph
        made = self.loop()
        length = g.node("Gather", [g.node("Shape", [made[2]]), g.ints(0)], axis=0)
        return [made[0]] + list(self.loop(trips=length, steps=1, prefix="second/"))

    def __getattr__(self, name):
        if name == "while":
            return self.while_
        raise AttributeError(name)

    def while_(self):
        """Ends by a count of its own, long before the trip count."""
        g = self.graph
        last = int(self.random.integers(1, self.t + 1))

        def build(b, number, goes_on, count, h):
            row = b.node("Gather", [self.xs, number], axis=0)
            more = b.node("Add", [count, b.ints(1)])
            new = b.mixed([h, row])
            return [b.node("Less", [more, b.ints(last)]), more, new, b.mixed([new, h])]

        inputs = [self.value("body/i", [], TensorProto.INT64), self.value("body/c", [], TensorProto.BOOL),
                  self.value("body/n", [], TensorProto.INT64), self.value("body/h")]
        body = self.body(build, inputs, "body/")
        goes = g.node("Constant", [], value=numpy_helper.from_array(np.array(True)))
        trips = self.pick([g.ints(2**62), ""])
        return g.node("Loop", [trips, goes, g.ints(0), self.weight([self.d])], 3, body=body)[1:]

    def scan(self, axes=False, graph=None, prefix="body/", around=None):
        g = graph or self.graph
        scanned = [self.xs, g.node("Sigmoid", [self.xs])]
        attributes = {"num_scan_inputs": 2}
        if axes:
            scanned[1] = g.node("Transpose", [scanned[1]], perm=[1, 0])
            attributes["scan_input_axes"] = [0, self.pick([1, -1])]
            attributes["scan_input_directions"] = [int(self.random.integers(2)), int(self.random.integers(2))]
            attributes["scan_output_axes"] = [self.pick([0, -2]), self.pick([1, -1])]
            attributes["scan_output_directions"] = [int(self.random.integers(2)), int(self.random.integers(2))]

        def build(b, h, row, other):
            new = b.mixed([h, row, other] + ([around] if around else []))
            return [new, b.mixed([new, row]), new]

        inputs = [self.value(prefix + name, [self.d]) for name in ("h", "a", "b")]
        body = self.body(build, inputs, prefix)
        return g.node("Scan", [self.weight([self.d])] + scanned, 3, body=body, **attributes)

    def scan_axes(self):
        return self.scan(axes=True)

    def scan_in_loop(self):
        def build(b, number, goes_on, h, k):
            inner = self.scan(axes=True, graph=b, prefix="inner/", around=h)
            return [goes_on, b.mixed([inner[0], k]), b.mixed([k]), inner[0]]

        return self.loop(steps=2, build=build)

    open = False

    def model(self, columns):
        g = self.graph
        g.nodes.append(helper.make_node("MatMul", [self.row, "head"], ["y"]))
        head = np.random.default_rng(1).standard_normal([columns, CLASSES]).astype(np.float32)
        head = (head / np.sqrt(columns)).astype(np.float32).astype(self.dtype)
        shape = [1, "steps" if self.open else self.t, self.d]
        inputs = [self.value("x", shape)] + [self.value(n, [], TensorProto.INT64) for n in self.fixed]
        graph = helper.make_graph(g.nodes, "drawn", inputs, [self.value("y", [1, CLASSES])],
                                  self.weights + [numpy_helper.from_array(head, "head")])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        return model


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def columns_of(seed, kind):
    """How wide the row in front of the head is: by a run without one."""
    net = Net(seed, kind, np.float64)
    g = net.graph
    graph = helper.make_graph(g.nodes, "drawn", [net.value("x", [1, net.t, net.d])] +
                              [net.value(n, [], TensorProto.INT64) for n in net.fixed],
                              [net.value(net.row)], net.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", net.opset)], ir_version=8)
    feeds = {"x": np.zeros([1, net.t, net.d])} | {n: np.array(v) for n, v in net.fixed.items()}
    return session(model).run(None, feeds)[0].shape[1]


def case(seed):
    kind = KINDS[seed % len(KINDS)]
    columns = columns_of(seed, kind)
    net, wide = Net(seed, kind, np.float32), Net(seed, kind, np.float64)
    model, run = net.model(columns), session(wide.model(columns))
    x = np.random.default_rng(seed + 10_000).standard_normal([1, net.t, net.d]).astype(np.float32)
    fixed = {n: np.array(v) for n, v in net.fixed.items()}
    label = seed % CLASSES

    def score(at):
        return run.run(None, {"x": at} | fixed)[0][0]

    narrow = session(model).run(None, {"x": x} | fixed)[0][0]
    wanted = score(x.astype(np.float64))
    assert np.allclose(narrow, wanted, rtol=1e-4, atol=1e-5), (seed, narrow, wanted)
    slope, step = np.zeros(x.shape), 1e-5
    for i in np.ndindex(x.shape):
        at = x.astype(np.float64)
        at[i] += step
        up = score(at)[label]
        at[i] -= 2 * step
        slope[i] = (up - score(at)[label]) / (2 * step)
    assert np.abs(slope).max() > 0, seed
    return model, {"kind": kind, "shape": list(x.shape), "x": x.ravel().tolist(), "fixed": net.fixed, "label": label,
                   "y": [float(v) for v in wanted], "gradient": [float(f"{v:.9g}") for v in slope.ravel()]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "loops")
    parser.add_argument("--cases", type=int, default=2 * len(KINDS))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for seed in range(arguments.cases):
        model, one = case(seed)
        name = f"{seed}_{one['kind']}"
        (arguments.folder / (name + ".onnx")).write_bytes(model.SerializeToString())
        expected[name] = one
    text = json.dumps(expected, separators=(",", ":")).replace('},"', '},\n"')
    (arguments.folder / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
