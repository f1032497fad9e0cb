"""Small networks, each drawn twice: as a plain one, and in a form that exporters give it.

What the two give is the same, so the plain one's map is right for both; the scores are ONNX Runtime's
of the second, or of the plain one where ONNX Runtime does not take the second.
"""

from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Net:
    """A network under construction: `value` is what comes out of it so far."""

    rng: np.random.Generator
    classes: int
    batch: object = 1
    opset: int = 13
    nodes: list = field(default_factory=list)
    weights: list = field(default_factory=list)
    value: str = "x"
    outputs: list = field(default_factory=list)
    extra_inputs: list = field(default_factory=list)
    domains: list = field(default_factory=list)
    x_shape: object = None
    functions: list = field(default_factory=list)
    made: int = 0

    def name(self, stem="v"):
        self.made += 1
        return f"{stem}{self.made}"

    def weight(self, array, stem="w"):
        name = self.name(stem)
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op, inputs=None, outputs=1, domain="", **attributes):
        """A node behind `value`, or of other inputs; its first output becomes the value."""
        names = [self.name() for _ in range(outputs)]
        node = helper.make_node(op, inputs or [self.value], names, domain=domain, **attributes)
        self.nodes.append(node)
        self.value = names[0]
        return names if outputs > 1 else names[0]

    def ints(self, *values):
        return self.weight(np.array(values, np.int64), "i")

    def squeeze(self, axes=None, value=None):
        inputs = [value or self.value]
        if self.opset >= 13:
            return self.add("Squeeze", inputs + ([self.ints(*axes)] if axes else []))
        return self.add("Squeeze", inputs, **({"axes": axes} if axes else {}))

    def unsqueeze(self, axes, value=None):
        inputs = [value or self.value]
        if self.opset >= 13:
            return self.add("Unsqueeze", inputs + [self.ints(*axes)])
        return self.add("Unsqueeze", inputs, axes=axes)

    def real(self, *shape):
        return self.rng.normal(0, 1, shape).astype(np.float32)

    def convolutions(self):
        """Up to the map [n, 8, rows, columns]."""
        channels = 3
        for _ in range(int(self.rng.integers(1, 3))):
            k = int(self.rng.choice([1, 3]))
            w = self.real(8, channels, k, k) / np.float32(np.sqrt(channels * k * k))
            self.add("Conv", [self.value, self.weight(w), self.weight(self.real(8) / 4)],
                     pads=[k // 2] * 4)
            self.add("Relu")
            channels = 8

    def pooled(self):
        self.convolutions()
        self.add("GlobalAveragePool")

    def linear(self, value=None):
        w, b = self.weight(self.real(self.classes, 8)), self.weight(self.real(self.classes))
        return self.add("Gemm", [value or self.value, w, b], transB=1)

    def model(self, rows, columns):
        shape = self.x_shape or [self.batch, 3, rows, columns]
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape if shape != "none" else None)
        outputs = self.outputs or [real_output(self.value)]
        graph = helper.make_graph(self.nodes, "drawn", [x] + self.extra_inputs, outputs, self.weights)
        sets = [helper.make_opsetid("", self.opset)]
        sets += [helper.make_opsetid(d, 3 if d == "ai.onnx.ml" else 1) for d in set(self.domains)]
        model = helper.make_model(graph, opset_imports=sets, functions=self.functions)
        model.ir_version = 8
        return model


def real_output(name, shape=None):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


@dataclass
class Case:
    """What is asked: a model, its plain form, and what the command line is told besides."""

    model: object
    plain: object
    scores: str = ""  # the output; "": the only one
    arguments: list = field(default_factory=list)
    other_feeds: dict = field(default_factory=dict)
    shape: tuple = (1, 3, 0, 0)  # of x
    runs_in_ort: bool = True
    labels: list = None


def twins(seed, classes, opset=13, **options):
    """Two networks that draw the same weights."""
    return [Net(np.random.default_rng(seed), classes, opset=opset, **options) for _ in range(2)]


def finish_plain(plain):
    plain.pooled()
    plain.add("Flatten")
    plain.linear()


def scores_without_batch(rng, seed):
    """The batch is squeezed, reshaped, reduced, picked or flattened away; or was never there."""
    classes, opset = int(rng.integers(2, 7)), int(rng.choice([11, 13, 17]))
    bare = rng.integers(0, 4) == 0
    if bare and rng.integers(0, 2) == 0:
        classes = 3  # as many as the channels, which are no images
    net, plain = twins(seed, classes, opset)
    finish_plain(plain)
    shape = (1, 3, 0, 0)
    if bare:
        shape = (3, 0, 0)
        net.x_shape = "without batch"
        net.unsqueeze([0])
    net.pooled()
    early = int(rng.integers(0, 3))
    if early == 0:
        net.add("Flatten")
        net.linear()
    elif early == 1:  # the vector of features has no batch, and gets one for the layer
        net.squeeze()
        net.unsqueeze([0])
        net.linear()
    else:  # a matrix times a vector
        net.squeeze()
        w, b = net.weight(net.real(classes, 8)), net.weight(net.real(classes))
        product = net.add("MatMul", [w, net.value])
        net.add("Add", [product, b])
    if early != 2:
        kind = int(rng.integers(0, 7))
        if kind == 0:
            net.squeeze([0])
        elif kind == 1:
            net.squeeze()
        elif kind == 2:
            net.add("Reshape", [net.value, net.ints(-1)])
        elif kind == 3:
            net.add("Reshape", [net.value, net.ints(classes)])
        elif kind == 4:
            net.add("ReduceMean", axes=[0], keepdims=0)
        elif kind == 5:
            net.add("Gather", [net.value, net.weight(np.array(0, np.int64))], axis=0)
        else:
            net.add("Slice", [net.value, net.ints(0), net.ints(1), net.ints(0)])
            net.squeeze([0])
    last = int(rng.integers(0, 3))
    if last == 1:
        net.add("Softmax", axis=-1 if opset >= 13 else 0)
        plain.add("Softmax", axis=1)
    elif last == 2:
        net.add("Sigmoid")
        plain.add("Sigmoid")
    return net, plain, Case(None, None, shape=shape)


def scores_of_rank_0(rng, seed):
    """One number, without an extent."""
    net, plain = twins(seed, 1)
    finish_plain(plain)
    net.pooled()
    net.add("Flatten")
    net.linear()
    kind = int(rng.integers(0, 3))
    if kind == 0:
        net.squeeze()
    elif kind == 1:
        net.add("ReduceSum", keepdims=0)
    else:
        net.add("Reshape", [net.value, net.weight(np.zeros(0, np.int64))])
    return net, plain, Case(None, None)


def input_without_shape(rng, seed):
    """No shape at all, or some extents by name, and a second input of either kind."""
    classes = int(rng.integers(2, 7))
    net, plain = twins(seed, classes)
    finish_plain(plain)
    case = Case(None, None, arguments=["--input-shape", "x={shape}"])
    net.x_shape = ["none", ["N", 3, "H", "W"], ["N", "C", "H", "W"], [None, 3, None, None]][
        int(rng.integers(0, 4))]
    net.pooled()
    net.add("Flatten")
    net.linear()
    if rng.integers(0, 2) == 0:
        logits = net.value
        declared = [None, ["N", classes], ["N", "classes"]][int(rng.integers(0, 3))]
        net.extra_inputs.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, declared))
        net.add("Add", [logits, "t"])
        t = net.real(1, classes)
        case.other_feeds["t"] = t
        plain.add("Add", [plain.value, plain.weight(t)])
    elif rng.integers(0, 2) == 0:  # of any shape, and needed by nobody
        net.extra_inputs.append(helper.make_tensor_value_info("unused", TensorProto.FLOAT, None))
        case.runs_in_ort = False
    return net, plain, case


def junk(net, rng, from_value):
    """A node that fovea does not have, or that contradicts itself; the value that it makes."""
    kind = int(rng.integers(0, 9))
    if kind == 0:
        net.domains.append("some.custom")
        return net.add("Mystery", [from_value], domain="some.custom", secret=3), True
    if kind == 1:
        values, _ = net.add("Unique", [from_value], outputs=2)
        return values, True
    if kind == 2:
        return net.add("SplitToSequence", [from_value]), False
    if kind == 3:
        return net.add("NonZero", [from_value]), False
    if kind == 4:  # extents that do not fit
        return net.add("Add", [from_value, net.weight(net.real(3, 5, 7, 11))]), True
    if kind == 5:
        strings = helper.make_tensor("strings" + net.name(), TensorProto.STRING, [2], [b"a", b"b"])
        net.weights.append(strings)
        return net.add("Identity", [strings.name]), False
    if kind == 6:
        return net.add("Det", [from_value]), True
    if kind == 7:  # of 4 bits
        four = helper.make_tensor("four" + net.name(), TensorProto.INT4, [2], [1, 2])
        net.weights.append(four)
        return net.add("Cast", [four.name], to=TensorProto.FLOAT), True
    return net.add("Conv", [from_value, net.weight(net.real(4, 99, 3, 3))]), True


def unneeded_nodes(rng, seed):
    """Dead, or at another output; with inputs and initializers of their own."""
    classes = int(rng.integers(2, 7))
    net, plain = twins(seed, classes)
    finish_plain(plain)
    net.pooled()
    pooled = net.value
    net.add("Flatten")
    net.linear()
    logits = net.value
    case = Case(None, None, runs_in_ort=False)
    net.outputs = [real_output(logits, [1, classes])]
    for _ in range(int(rng.integers(1, 4))):
        source = [pooled, logits, "x", "u"][int(rng.integers(0, 4))]
        if source == "u" and not net.extra_inputs:
            kind = int(rng.integers(0, 3))
            net.extra_inputs.append(
                helper.make_tensor_value_info("u", TensorProto.FLOAT, ["A", "B"]) if kind == 0 else
                helper.make_tensor_value_info("u", TensorProto.STRING, [1]) if kind == 1 else
                helper.make_tensor_sequence_value_info("u", TensorProto.FLOAT, None))
        value, may_be_real = junk(net, rng, source)
        if rng.integers(0, 2) == 0:
            net.add("Relu", [value])
            value = net.value
        if rng.integers(0, 2) == 0:
            declared = [real_output(value, [1, classes]) if may_be_real else None,
                        helper.make_tensor_value_info(value, TensorProto.INT64, None),
                        helper.make_tensor_sequence_value_info(value, TensorProto.FLOAT, None)]
            chosen = declared[int(rng.integers(0, 3))] or declared[2]
            net.outputs.insert(int(rng.integers(0, len(net.outputs) + 1)), chosen)
    case.scores = logits if len(net.outputs) > 1 else ""
    net.value = logits
    return net, plain, case


def condition(net, rng, truth, shaped):
    """A truth value that follows from extents or constants: its name."""
    kind = int(rng.integers(0, 7))
    if kind == 0:
        return net.weight(np.array(truth))
    if kind == 1:
        return net.add("Constant", [""], value=numpy_helper.from_array(np.array([truth])))
    shape = net.add("Shape", [shaped])  # [n, 8, 1, 1]
    if kind == 2:
        one = net.add("Gather", [shape, net.ints(3)])
        return net.add("Equal", [one, net.ints(1 if truth else 2)])
    if kind == 3:
        one = net.add("Gather", [shape, net.weight(np.array(1, np.int64))])
        less = net.add("Less", [one, net.weight(np.array(9 if truth else 8, np.int64))])
        return less
    if kind == 4:
        size = net.add("Size", [shaped])
        bad = net.add("Greater", [size, net.weight(np.array(3, np.int64))])
        return bad if truth else net.add("Not", [bad])
    if kind == 5:
        a = net.add("Slice", [shape, net.ints(2), net.ints(3)])
        b = net.add("Slice", [shape, net.ints(3), net.ints(4)])
        same = net.add("Equal", [a, b])
        other = net.add("Equal", [a, net.ints(1 if truth else 5)])
        return net.add("And", [same, other])
    flag = net.add("Cast", [net.weight(np.array(1.0 if truth else 0.0, np.float32))],
                   to=TensorProto.BOOL)
    return flag


def branch(net, rng, name, source, rank2, depth, good):
    """A graph with one output: `source` flattened where `good`, else anything at all."""
    nodes, weights = [], []
    out = f"{name}_out" if rng.integers(0, 2) == 0 else "same_out"

    def constant(array):
        weight = numpy_helper.from_array(np.asarray(array), f"c{len(weights)}")
        weights.append(weight)
        return weight.name

    if not good and rng.integers(0, 2) == 0:
        kind = int(rng.integers(0, 3))
        if kind == 0:
            nodes.append(helper.make_node("Mystery", [source], [out], domain="some.custom"))
        elif kind == 1:
            nodes.append(helper.make_node("Squeeze", [source, constant(np.array([1], np.int64))], [out]))
        else:
            nodes.append(helper.make_node("Identity", [source], [out]))
    elif depth > 0 and rng.integers(0, 2) == 0:
        truth = bool(rng.integers(0, 2))
        inner = [branch(net, rng, name + end, source, rank2, depth - 1, good and taken)
                 for end, taken in (("t", truth), ("e", not truth))]
        flag = constant(np.array(truth))
        nodes.append(helper.make_node("If", [flag], [out], then_branch=inner[0], else_branch=inner[1]))
    elif rng.integers(0, 3) == 0 and rank2:
        pass  # the value from outside, as it is
    else:
        step = f"{name}_step" if rng.integers(0, 2) == 0 else "same_step"
        nodes.append(helper.make_node("Reshape", [source, constant(np.array([1, 8], np.int64))], [step]))
        nodes.append(helper.make_node("Identity", [step], [out]))
    outputs = [real_output(out if nodes else rank2)]
    if not nodes:
        nodes.append(helper.make_node("Identity", [rank2], [out]))
        outputs = [real_output(out)]
    return helper.make_graph(nodes, name, [], outputs, weights)


def choices(rng, seed):
    """If on what shapes or constants decide."""
    classes = int(rng.integers(2, 7))
    net, plain = twins(seed, classes, batch=[1, "N"][int(rng.integers(0, 2))])
    finish_plain(plain)
    net.pooled()
    pooled = net.value
    flat = net.add("Flatten", [pooled])
    for _ in range(int(rng.integers(1, 3))):
        truth = bool(rng.integers(0, 2))
        flag = condition(net, rng, truth, pooled)
        then = branch(net, rng, net.name("t"), pooled, flat, 2, truth)
        other = branch(net, rng, net.name("e"), pooled, flat, 2, not truth)
        flat = net.add("If", [flag], then_branch=then, else_branch=other)
    net.linear(flat)
    net.domains.append("some.custom")
    return net, plain, Case(None, None, runs_in_ort=False)


def carriers_of_labels(rng, seed):
    """As Custom Vision and the converters of scikit-learn write: names of classes in the graph."""
    classes = int(rng.integers(2, 7))
    net, plain = twins(seed, classes)
    names = [f"name {i} of {seed}" for i in rng.permutation(classes)]
    scale, bias = float(rng.uniform(0.2, 2)), rng.normal(0, 1, 3).astype(np.float32)
    scaled = rng.integers(0, 2) == 0
    if scaled:  # ONNX Runtime does not have it any more
        net.add("ImageScaler", scale=scale, bias=[float(b) for b in bias])
    else:
        net.add("Mul", [net.value, net.weight(np.float32(scale))])
        net.add("Add", [net.value, net.weight(bias.reshape(1, 3, 1, 1))])
    plain.add("Mul", [plain.value, plain.weight(np.float32(scale))])
    plain.add("Add", [plain.value, plain.weight(bias.reshape(1, 3, 1, 1))])
    finish_plain(plain)
    plain.add("Softmax", axis=1)
    net.pooled()
    net.add("Flatten")
    net.linear()
    scores = net.add("Softmax", axis=1)
    net.domains.append("ai.onnx.ml")
    case = Case(None, None, labels=names, runs_in_ort=not scaled)
    kind = int(rng.integers(0, 6))
    ml = {"domain": "ai.onnx.ml"}
    table = helper.make_tensor("classes", TensorProto.STRING, [classes], [n.encode() for n in names])
    outputs = []
    if kind in (0, 1):
        case.scores = net.add("ZipMap", [scores], classlabels_strings=names, **ml)
        outputs.append(helper.make_value_info(case.scores, helper.make_sequence_type_proto(
            helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(
                TensorProto.FLOAT, [])))))
    else:
        case.scores = scores
        outputs.append(real_output(scores, [1, classes]))
    if kind != 0:
        best = net.add("ArgMax", [scores], axis=1, keepdims=int(rng.integers(0, 2)))
        if kind in (1, 2):
            net.weights.append(table)
            label = net.add("ArrayFeatureExtractor", ["classes", best], **ml)
        elif kind == 3:
            label = net.add("ArrayFeatureExtractor",
                            [net.add("Constant", [""], value=table), best], **ml)
        elif kind == 4:
            order = [int(k) for k in rng.permutation(classes)]
            label = net.add("LabelEncoder", [best], keys_int64s=order,
                            values_strings=[names[k] for k in order], **ml)
        else:
            net.weights.append(table)
            label = net.add("Gather", ["classes", net.add("Reshape", [best, net.ints(-1)])])
        outputs.insert(int(rng.integers(0, 2)),
                       helper.make_tensor_value_info(label, TensorProto.STRING, None))
    net.outputs = outputs
    net.value = scores
    if rng.integers(0, 2) == 0 and kind > 1:
        case.scores = ""  # the label is no scores: the choice is clear
    elif kind < 2 and rng.integers(0, 2) == 0:
        case.scores = ""
    return net, plain, case


KINDS = {
    "scores-without-batch": scores_without_batch,
    "scores-of-rank-0": scores_of_rank_0,
    "input-without-shape": input_without_shape,
    "unneeded-nodes": unneeded_nodes,
    "choices": choices,
    "carriers-of-labels": carriers_of_labels,
}


def draw(kind, number):
    """The case of this number, the same whenever it is asked for."""
    rng = np.random.default_rng([list(KINDS).index(kind), number])
    rows, columns = (int(n) for n in rng.integers(4, 13, 2))
    net, plain, case = KINDS[kind](rng, number)
    if isinstance(net.x_shape, str) and net.x_shape == "without batch":
        net.x_shape = [3, rows, columns]
    case.model, case.plain = net.model(rows, columns), plain.model(rows, columns)
    case.shape = tuple(case.shape[:-2]) + (rows, columns)
    return case
