#!/usr/bin/env python3
"""Draws networks that compute an operand of an operator from the image: weights, a bias, a scale,
statistics, a slope, bounds, or the states of a recurrent network over the columns. What PyTorch's autograd in
double makes of each: computed/expected.json.

    python3 tests/operators/make_computed.py                   # computed/, each kind
    python3 tests/operators/make_computed.py --cases 200 DIR   # any number, elsewhere
    FOVEA_COMPUTED=DIR build/release/tests/operators/operators_test --gtest_filter='Computed*'

Besides onnx (requirements.txt) it needs torch 2. Case n is drawn from seed n alone.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
CLASSES = 3


class Net:
    """x [n, 2, ...] -> Conv -> c0 -> ReLU -> r0, then what a kind adds, then a mean and a product."""

    zero_rows = 0  # of x, at its top

    def __init__(self, seed, rank=2, batch=1):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []
        self.x = [batch, 2] + [int(self.random.integers(4, 8)) for _ in range(rank)]
        self.channels = int(self.random.integers(2, 5)) * 2
        k = [3] * rank
        self.c0 = self.node("Conv", ["x", self.weight([self.channels, 2] + k)], "c0",
                            pads=[1] * (2 * rank))
        self.map = self.node("Relu", [self.c0])
        self.extents = list(self.x[2:])

    def pick(self, *choices):
        return choices[int(self.random.integers(len(choices)))]

    def constant(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, shape, scale=0.6):
        return self.constant((self.random.standard_normal(shape) * scale).astype(np.float32))

    def node(self, op, inputs, name=None, **attributes):
        name = name or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name="n_" + name, **attributes))
        return name

    def reshape(self, value, shape):
        return self.node("Reshape", [value, self.constant(np.array(shape, np.int64))])

    def computed(self, shape, activation="Tanh", low=None):
        """A tensor of the shape that the image decides; above `low` where that is said."""
        source = self.map if self.pick(True, False) else self.c0
        axes = self.constant(np.arange(2, 2 + len(self.extents), dtype=np.int64))
        pooled = self.node("ReduceMean", [source, axes], keepdims=0)
        if self.pick(True, False):
            hidden = self.node("MatMul", [pooled, self.weight([self.channels, 5])])
            pooled, width = self.node("Sigmoid", [hidden]), 5
        else:
            width = self.channels
        count = int(np.prod(shape))
        value = self.node("MatMul", [pooled, self.weight([width, count], 0.8)])
        if activation:
            value = self.node(activation, [value])
        if low is not None:
            value = self.node("Add", [self.node("Softplus", [value]), self.weight_of(low)])
        if self.x[0] > 1:  # one tensor for all images
            value = self.node("ReduceMean", [value, self.constant(np.array([0], np.int64))],
                              keepdims=1)
        return self.reshape(value, shape)

    def weight_of(self, value):
        return self.constant(np.array([value], np.float32))

    def end(self, value, channels):
        """A mean over positions, a product."""
        for _ in range(int(self.random.integers(0, 2))):
            value = self.node(self.pick("Relu", "Sigmoid", "Tanh"), [value])
        axes = self.constant(np.arange(2, 2 + len(self.extents), dtype=np.int64))
        pooled = self.node("ReduceMean", [value, axes], keepdims=0)
        self.node("MatMul", [pooled, self.weight([channels, CLASSES], 1)], "y")

    def model(self):
        graph = helper.make_graph(
            self.nodes, "computed",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.x)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [self.x[0], CLASSES])],
            self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model


def window(net, rank, kernel, transposed=False):
    stride = [net.pick(1, 1, 2) for _ in range(rank)]
    dilation = [net.pick(1, 1, 2) if k > 1 else 1 for k in kernel]
    out = {"strides": stride, "dilations": dilation,
           "pads": [net.pick(0, 1) if k > 1 and not transposed else 0 for k in kernel * 2]}
    for d in range(rank):  # at least one position
        if dilation[d] * (kernel[d] - 1) + 1 > net.extents[d]:
            out["dilations"][d] = 1
    return out


def conv_weights(net, rank=2):
    group = net.pick(1, 1, 2, net.channels)
    kernel = [net.pick(1, 2, 3) for _ in range(rank)]
    outputs = net.channels * net.pick(1, 2) if group == net.channels else net.pick(4, 6, 8)
    inputs = [net.map, net.computed([outputs, net.channels // group] + kernel)]
    if net.pick(True, False):
        inputs.append(net.computed([outputs]) if net.pick(True, False) else net.weight([outputs]))
    y = net.node("Conv", inputs, group=group, **window(net, rank, kernel))
    if kernel == [1] * rank and net.pick(True, False):
        y = net.node("AveragePool", [y], kernel_shape=[2] * rank, strides=[2] * rank) \
            if min(net.extents) >= 5 else y
    return y, outputs


def conv_1d(net):
    return conv_weights(net, 1)


def conv_3d(net):
    return conv_weights(net, 3)


def conv_bias(net):
    outputs = net.pick(3, 4, 8)
    y = net.node("Conv", [net.map, net.weight([outputs, net.channels, 3, 3]),
                          net.computed([outputs])], pads=[1] * 4)
    return y, outputs


def conv_sum(net):
    """A residual sum and an activation behind it, which a plan fuses."""
    y = net.node("Conv", [net.map, net.computed([net.channels, net.channels, 3, 3])], pads=[1] * 4)
    return net.node("Relu", [net.node("Add", [y, net.c0])]), net.channels


def conv_norm(net):
    """A norm by constants behind it, which a plan would fold into constant weights."""
    y = net.node("Conv", [net.map, net.computed([net.channels, net.channels, 1, 1])])
    c = net.channels
    parameters = [net.weight([c]) for _ in range(3)] + [
        net.constant(net.random.uniform(0.5, 2, c).astype(np.float32))]
    return net.node("Relu", [net.node("BatchNormalization", [y, *parameters])]), c


def condconv(net):
    """As exporters write weights per image: the images are groups of one image."""
    n, c = net.x[0], net.channels
    outputs, k = net.pick(4, 6), net.pick(1, 3)
    experts = 3
    axes = net.constant(np.array([2, 3], np.int64))
    pooled = net.node("ReduceMean", [net.map, axes], keepdims=0)
    routing = net.node(net.pick("Sigmoid", "Tanh"), [net.node("MatMul", [pooled, net.weight([c, experts])])])
    mixed = net.node("MatMul", [routing, net.weight([experts, outputs * c * k * k])])
    weights = net.reshape(mixed, [n * outputs, c, k, k])
    one = net.reshape(net.map, [1, n * c] + net.extents)
    y = net.node("Conv", [one, weights], group=n, pads=[k // 2] * 4)
    return net.reshape(y, [n, outputs] + net.extents), outputs


def dynamic_conv(net):
    """Kernels mixed by a softmax over them."""
    c, outputs = net.channels, 4
    axes = net.constant(np.array([2, 3], np.int64))
    pooled = net.node("ReduceMean", [net.map, axes], keepdims=0)
    attention = net.node("Softmax", [net.node("MatMul", [pooled, net.weight([c, 4])])], axis=-1)
    mixed = net.node("MatMul", [attention, net.weight([4, outputs * c * 9])])
    y = net.node("Conv", [net.map, net.reshape(mixed, [outputs, c, 3, 3])], pads=[1] * 4,
                 strides=[net.pick(1, 2)] * 2)
    return y, outputs


def transposed_weights(net, rank=2):
    group = net.pick(1, 1, 2)
    kernel = [net.pick(2, 3) for _ in range(rank)]
    each = net.pick(2, 3)
    inputs = [net.map, net.computed([net.channels, each] + kernel)]
    if net.pick(True, False):
        inputs.append(net.computed([each * group]))
    attributes = window(net, rank, kernel, True)
    if net.pick(True, False):
        attributes["output_padding"] = [1 if s == 2 else 0 for s in attributes["strides"]]
    if net.pick(True, False):
        attributes["pads"] = [1] * (2 * rank)
    return net.node("ConvTranspose", inputs, group=group, **attributes), each * group


def transposed_1d(net):
    return transposed_weights(net, 1)


def instance_norm(net):
    """AdaIN: scale and bias from the image."""
    c = net.channels
    scale = net.computed([c])
    bias = net.computed([c]) if net.pick(True, False) else net.weight([c])
    return net.node("InstanceNormalization", [net.map, scale, bias], epsilon=1e-2), c


def group_norm(net):
    c = net.channels
    groups = net.pick(1, 2, c)
    scale = net.weight([c]) if net.pick(True, False) else net.computed([c])
    return net.node("GroupNormalization", [net.map, scale, net.computed([c])],
                    num_groups=groups, epsilon=1e-2), c


def layer_norm(net):
    axis = net.pick(1, 2, 3)
    shape = ([net.channels] + net.extents)[axis - 1:]
    inputs = [net.map, net.computed(shape)]
    if net.pick(True, False):
        inputs.append(net.computed(shape))
    return net.node("LayerNormalization", inputs, axis=axis, epsilon=1e-2), net.channels


def batch_norm(net):
    """Some of the four parameters from the image."""
    c = net.channels
    which = int(net.random.integers(1, 16))
    made = []
    for i in range(4):
        if which >> i & 1:
            made.append(net.computed([c], low=0.3 if i == 3 else None))
        else:
            made.append(net.constant(net.random.uniform(0.4, 2, c).astype(np.float32)))
    y = net.node("BatchNormalization", [net.map, *made], epsilon=1e-3)
    return (net.node("Relu", [y]) if net.pick(True, False) else y), c


def batch_statistics(net):
    """The map's own moments, over images and positions, as the mean and variance."""
    c = net.channels
    axes = net.constant(np.array([0, 2, 3], np.int64))
    mean = net.node("ReduceMean", [net.c0, axes], keepdims=1)
    centred = net.node("Sub", [net.c0, mean])
    variance = net.node("ReduceMean", [net.node("Mul", [centred, centred]), axes], keepdims=1)
    y = net.node("BatchNormalization", [net.c0, net.weight([c]), net.weight([c]),
                                        net.reshape(mean, [c]), net.reshape(variance, [c])],
                 epsilon=1e-2)
    return y, c


def prelu(net):
    slope = net.computed([net.channels, 1, 1] if net.pick(True, False) else [1])
    return net.node("PRelu", [net.c0, slope]), net.channels


def clip(net):
    low = net.computed([]) if net.pick(True, False) else ""
    high = net.node("Add", [net.computed([], low=0.1), net.weight_of(0)]) if low else net.computed([])
    high = net.reshape(high, []) if net.pick(True, False) or not low else ""
    return net.node("Clip", [net.c0, low, high] if high else [net.c0, low]), net.channels


def clip_ties(net):
    """Where the image is 0, c0 lies at a bound of 0."""
    net.zero_rows = 3
    zero = net.node("Mul", [net.computed([]), net.constant(np.float32(0))])
    y = net.node("Clip", [net.c0, zero] if net.pick(True, False) else [net.c0, "", zero])
    return net.node("Add", [y, net.node("Mul", [net.c0, net.c0])]), net.channels


def film(net):
    c = net.channels
    y = net.node("Mul", [net.map, net.computed([1, c, 1, 1])])
    return net.node("Add", [y, net.computed([1, c, 1, 1])]), c


def spade(net):
    """A norm without parameters, then a scale and a bias at every position."""
    c = net.channels
    y = net.node("InstanceNormalization", [net.map, net.constant(np.ones(c, np.float32)),
                                           net.constant(np.zeros(c, np.float32))], epsilon=1e-2)
    hidden = net.node("Relu", [net.node("Conv", ["x", net.weight([3, 2, 3, 3])], pads=[1] * 4)])
    maps = [net.node("Conv", [hidden, net.weight([c, 3, 3, 3])], pads=[1] * 4) for _ in range(2)]
    scaled = net.node("Mul", [y, net.node("Add", [maps[0], net.weight_of(1)])])
    return net.node("Add", [scaled, maps[1]]), c


def hyper_product(net):
    """The weights of a fully connected layer."""
    c, outputs = net.channels, 6
    axes = net.constant(np.array([2, 3], np.int64))
    pooled = net.node("ReduceMean", [net.map, axes], keepdims=0)
    if net.pick(True, False):
        y = net.node("Gemm", [pooled, net.computed([outputs, c]), net.computed([outputs])],
                     transB=1, alpha=net.pick(1.0, 0.5), beta=net.pick(1.0, 2.0))
    else:
        y = net.node("MatMul", [pooled, net.computed([c, outputs])])
    return net.reshape(y, [net.x[0], outputs, 1, 1]), outputs


def recurrent(net):
    """Over the columns of the map; its first states, too, may come from the image."""
    op = net.pick("LSTM", "LSTM", "GRU", "RNN")
    n, c, (height, width), hidden = net.x[0], net.channels, net.extents, int(net.random.integers(2, 6))
    direction = net.pick("forward", "reverse", "bidirectional")
    ways, gates = 2 if direction == "bidirectional" else 1, {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    if net.pick(True, False):
        steps = net.reshape(net.node("Transpose", [net.map], perm=[3, 0, 1, 2]),
                            [width, n, c * height])
        features = c * height
    else:
        mean = net.node("ReduceMean", [net.map, net.constant(np.array([2], np.int64))], keepdims=0)
        steps, features = net.node("Transpose", [mean], perm=[2, 0, 1]), c
    inputs = [steps, net.weight([ways, gates * hidden, features], 0.5),
              net.weight([ways, gates * hidden, hidden], 0.5),
              net.weight([ways, 2 * gates * hidden], 0.3) if net.pick(True, False) else ""]
    if net.pick(True, False):
        inputs += [""] + [net.computed([ways, n, hidden]) for _ in range(2 if op == "LSTM" else 1)]
    attributes = {"direction": direction, "hidden_size": hidden}
    if op == "GRU":
        attributes["linear_before_reset"] = 1  # as PyTorch has it
    if op == "RNN" and net.pick(True, False):
        attributes["activations"] = ["Relu"] * ways
    results = ["y_all", "y_last"] + (["y_cell"] if op == "LSTM" else [])
    kept = net.pick(*results)
    net.nodes.append(helper.make_node(op, inputs, results, name="n_recurrent", **attributes))
    if kept == "y_all":
        value = net.node("Transpose", [kept], perm=[2, 1, 3, 0])
        return net.reshape(value, [n, ways * hidden, width, 1]), ways * hidden
    value = net.node("Transpose", [kept], perm=[1, 0, 2])
    if net.pick(True, False):  # and all steps
        every = net.node("ReduceMean", ["y_all", net.constant(np.array([0], np.int64))], keepdims=0)
        value = net.node("Add", [value, net.node("Transpose", [every], perm=[1, 0, 2])])
    return net.reshape(value, [n, ways * hidden, 1, 1]), ways * hidden


KINDS = [conv_weights, transposed_weights, instance_norm, batch_norm, condconv, clip, layer_norm,
         group_norm, conv_bias, conv_sum, dynamic_conv, prelu, conv_norm, batch_statistics, conv_1d,
         conv_3d, transposed_1d, clip_ties, film, spade, hyper_product] + [recurrent] * 6
RANKS = {conv_1d: 1, conv_3d: 3, transposed_1d: 1}


def draw(n):
    kind = KINDS[n % len(KINDS)]
    batch = 1 if kind is dynamic_conv else 1 + n // len(KINDS) % 2
    net = Net(n, RANKS.get(kind, 2), batch)
    value, channels = kind(net)
    net.end(value, channels)
    return kind.__name__, net


# --- the same network in PyTorch, node by node -------------------------------------------------

def shaped(v, like):
    return v.reshape([1, -1] + [1] * (like.dim() - 2))


def windowed(i, a, transposed):
    x, w, bias = (list(i) + [None])[:3]
    rank = x.dim() - 2
    pads = list(a.get("pads", [0] * 2 * rank))
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    if transposed:
        y = getattr(F, f"conv_transpose{rank}d")(x, w, bias, strides, 0,
                                                 a.get("output_padding", [0] * rank),
                                                 a.get("group", 1), dilations)
        for d in range(rank):
            y = y.narrow(2 + d, pads[d], y.shape[2 + d] - pads[d] - pads[rank + d])
        return y
    around = [p for d in reversed(range(rank)) for p in (pads[d], pads[rank + d])]
    return getattr(F, f"conv{rank}d")(F.pad(x, around), w, bias, strides, 0, dilations,
                                      a.get("group", 1))


def clipped(x, low=None, high=None):
    return torch.clamp(x, low, high) if low is not None or high is not None else x


def normed(i, a):
    x, scale, bias, mean, variance = i
    return (x - shaped(mean, x)) / torch.sqrt(shaped(variance, x) + a.get("epsilon", 1e-5)) \
        * shaped(scale, x) + shaped(bias, x)


def layer_normed(i, a):
    shape = list(i[0].shape[a.get("axis", -1):])
    return F.layer_norm(i[0], shape, i[1], i[2] if len(i) > 2 else None, a["epsilon"])


def recurrence(op):
    """PyTorch's modules, whose gates are i f g o, and r z n."""
    order = {"LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2], "RNN": [0]}[op]

    def run(i, a):
        x, w, r, bias, _, h, c = (list(i) + [None] * 4)[:7]
        ways, hidden = r.shape[0], r.shape[2]
        turned = a["direction"] == b"reverse"
        more = {"nonlinearity": a["activations"][0].decode().lower()} if "activations" in a else {}
        module = getattr(torch.nn, op)(x.shape[2], hidden, bidirectional=ways == 2, **more).double()
        zero = torch.zeros([ways, x.shape[1], hidden], dtype=torch.float64)
        bias = bias if bias is not None else torch.zeros([ways, 2 * w.shape[1]], dtype=torch.float64)
        own = {}
        for d in range(ways):
            halves = bias[d].chunk(2)
            for name, value in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (w[d], r[d], *halves)):
                gates = value.chunk(len(order))
                own[f"{name}_l0{'_reverse' if d else ''}"] = torch.cat([gates[g] for g in order])
        states = (h if h is not None else zero, c if c is not None else zero)
        states = states if op == "LSTM" else states[0]
        y, last = torch.func.functional_call(module, own, (x.flip(0) if turned else x, states))
        y = (y.flip(0) if turned else y).reshape([x.shape[0], x.shape[1], ways, hidden]).transpose(1, 2)
        return [y, *last] if op == "LSTM" else [y, last]

    return run


OPS = {
    **{op: recurrence(op) for op in ("LSTM", "GRU", "RNN")},
    "Conv": lambda i, a: windowed(i, a, False),
    "ConvTranspose": lambda i, a: windowed(i, a, True),
    "Relu": lambda i, a: F.relu(i[0]),
    "Sigmoid": lambda i, a: torch.sigmoid(i[0]),
    "Tanh": lambda i, a: torch.tanh(i[0]),
    "Softplus": lambda i, a: F.softplus(i[0]),
    "Softmax": lambda i, a: torch.softmax(i[0], a["axis"]),
    "Add": lambda i, a: i[0] + i[1],
    "Sub": lambda i, a: i[0] - i[1],
    "Mul": lambda i, a: i[0] * i[1],
    "MatMul": lambda i, a: i[0] @ i[1],
    "Gemm": lambda i, a: a["alpha"] * (i[0] @ i[1].T) + a["beta"] * i[2],
    "Transpose": lambda i, a: i[0].permute(list(a["perm"])),
    "Reshape": lambda i, a: i[0].reshape([int(v) for v in i[1]]),
    "ReduceMean": lambda i, a: i[0].mean([int(v) for v in i[1]], bool(a["keepdims"])),
    "AveragePool": lambda i, a: getattr(F, f"avg_pool{i[0].dim() - 2}d")(i[0], a["kernel_shape"],
                                                                         a["strides"]),
    "InstanceNormalization": lambda i, a: F.instance_norm(i[0], None, None, i[1], i[2],
                                                          eps=a["epsilon"]),
    "GroupNormalization": lambda i, a: F.group_norm(i[0], a["num_groups"], i[1], i[2],
                                                    a["epsilon"]),
    "LayerNormalization": layer_normed,
    "BatchNormalization": normed,
    "PRelu": lambda i, a: torch.where(i[0] < 0, i[0] * i[1], i[0]),
    "Clip": lambda i, a: clipped(*i),
}


def tensor(array):
    out = torch.from_numpy(np.array(array))
    return out.double() if out.is_floating_point() else out


def answer(model, x, label):
    values = {w.name: tensor(numpy_helper.to_array(w)) for w in model.graph.initializer}
    values["x"] = tensor(x).requires_grad_(True)
    values[""] = None
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        results = OPS[node.op_type]([values[name] for name in node.input], attributes)
        results = results if isinstance(results, list) else [results]
        values.update(zip(node.output, results))
    score = values["y"][:, label].sum()
    gradients = torch.autograd.grad(score, [values["x"], values["c0"]])
    return values["y"].detach().numpy(), [g.numpy() for g in gradients]


def numbers(array):
    return [float(f"{v:.8g}") for v in np.asarray(array, np.float64).ravel()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "computed")
    parser.add_argument("--cases", type=int, default=len(KINDS) + 5)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for n in range(options.cases):
        kind, net = draw(n)
        model = net.model()
        x = net.random.standard_normal(net.x).astype(np.float32)
        x[:, :, :net.zero_rows] = 0
        label = n % CLASSES
        scores, (at_x, at_c0) = answer(model, x, label)
        name = f"{n}_{kind}.onnx"
        (options.folder / name).write_bytes(model.SerializeToString())
        cases.append({"model": name, "label": label, "x": numbers(x), "y": numbers(scores),
                      "gradient": numbers(at_x), "gradient_c0": numbers(at_c0)})
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (options.folder / "expected.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
