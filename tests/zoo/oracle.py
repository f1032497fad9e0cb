"""Runs an ONNX file node by node in PyTorch, in f64, so that autograd gives the gradient of a
score with respect to any value the file names. Slow and obvious; only what torchvision's networks
need."""

import math

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


def window(x, kernel, a):
    """Strides and dilations, and `x` with the padding in front and behind applied by `pad`."""
    n = len(kernel)
    if a.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise NotImplementedError("auto_pad")
    pads = a.get("pads", [0] * 2 * n)
    flat = [v for i in reversed(range(n)) for v in (pads[i], pads[n + i])]
    return a.get("strides", [1] * n), a.get("dilations", [1] * n), flat


def conv(a, x, w, b=None):
    stride, dilation, pad = window(x, w.shape[2:], a)
    return F.conv2d(F.pad(x, pad), w, b, stride, 0, dilation, a.get("group", 1))


def ceil_padding(x, kernel, stride, dilation, pad, a):
    """What ceil_mode adds behind: room for one more window where one starts inside the input."""
    extra = []
    for axis in (3, 2):
        i = axis - 2
        front, behind = pad[2 * (3 - axis)], pad[2 * (3 - axis) + 1]
        reach = dilation[i] * (kernel[i] - 1) + 1
        room = x.shape[axis] + front + behind - reach
        more = math.ceil(room / stride[i]) * stride[i] - room if a.get("ceil_mode", 0) else 0
        starts_inside = room + more < x.shape[axis] + front
        extra += [0, more if starts_inside else 0]
    return extra


def max_pool(a, x):
    kernel = a["kernel_shape"]
    stride, dilation, pad = window(x, kernel, a)
    more = ceil_padding(x, kernel, stride, dilation, pad, a)
    padded = F.pad(x, [p + m for p, m in zip(pad, more)], value=-math.inf)
    return F.max_pool2d(padded, kernel, stride, 0, dilation)


def average_pool(a, x):
    kernel = a["kernel_shape"]
    stride, dilation, pad = window(x, kernel, a)
    if max(dilation) > 1:
        raise NotImplementedError("AveragePool with dilations")
    more = ceil_padding(x, kernel, stride, dilation, pad, a)
    counted = F.pad(torch.ones_like(x[:1, :1]), pad, value=float(a.get("count_include_pad", 0)))
    total = F.avg_pool2d(F.pad(F.pad(x, pad), more), kernel, stride)
    return total / F.avg_pool2d(F.pad(counted, more), kernel, stride)


def gemm(a, x, w, b=None):
    y = (x.T if a.get("transA", 0) else x) @ (w.T if a.get("transB", 0) else w)
    y = y * a.get("alpha", 1.0)
    return y if b is None else y + a.get("beta", 1.0) * b


def batch_norm(a, x, scale, bias, mean, variance):
    return F.batch_norm(x, mean, variance, scale, bias, False, 0.0, a.get("epsilon", 1e-5))


def layer_norm(a, x, scale, bias=None):
    axis = a.get("axis", -1) % x.dim()
    return F.layer_norm(x, x.shape[axis:], scale, bias, a.get("epsilon", 1e-5))


def reduce_mean(a, x, axes=None):
    axes = axes.tolist() if axes is not None else a.get("axes", list(range(x.dim())))
    return x.mean(axes, keepdim=bool(a.get("keepdims", 1)))


def reduce_l2(a, x, axes):
    return x.square().sum(axes.tolist(), keepdim=bool(a.get("keepdims", 1))).sqrt()


def reshape(a, x, shape):
    copied = not a.get("allowzero", 0)
    return x.reshape([x.shape[i] if n == 0 and copied else n for i, n in enumerate(shape.tolist())])


def gather(a, x, indices):
    axis = a.get("axis", 0) % x.dim()
    picked = x.index_select(axis, indices.reshape(-1) % x.shape[axis])
    return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])


def split(a, x, sizes=None):
    axis = a.get("axis", 0)
    if sizes is not None:
        return torch.split(x, sizes.tolist(), axis)
    return torch.split(x, -(-x.shape[axis] // a["num_outputs"]), axis)


def scatter_nd(a, x, indices, updates):
    at = tuple(indices.reshape(-1, indices.shape[-1]).T)
    return x.index_put(at, updates.reshape(-1, *x.shape[indices.shape[-1]:]))


def gather_nd(a, x, indices):
    at = tuple(indices.reshape(-1, indices.shape[-1]).T)
    return x[at].reshape(*indices.shape[:-1], *x.shape[indices.shape[-1]:])


def slice_(a, x, starts, ends, axes=None, steps=None):
    axes = range(len(starts)) if axes is None else axes.tolist()
    steps = [1] * len(starts) if steps is None else steps.tolist()
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes, steps):
        # Python's own rules for what lies outside are ONNX's, except for a walk to the very front.
        end = None if step < 0 and end < -x.shape[axis] else end
        kept = range(x.shape[axis])[start:end:step]
        x = x.index_select(axis, torch.tensor(kept, dtype=torch.int64))
    return x


def pad(a, x, pads, value=None, axes=None):
    if a.get("mode", b"constant") != b"constant":
        raise NotImplementedError("Pad other than constant")
    axes = list(range(x.dim())) if axes is None else axes.tolist()
    flat = [0] * 2 * x.dim()
    for i, axis in enumerate(axes):
        behind = 2 * (x.dim() - 1 - axis % x.dim())
        flat[behind], flat[behind + 1] = pads[i].item(), pads[len(axes) + i].item()
    return F.pad(x, flat, value=0.0 if value is None else value.item())


def constant_of_shape(a, shape):
    value = tensor(a["value"], "") if "value" in a else torch.zeros(1).double()
    return value.expand(shape.tolist())


def unsqueeze(a, x, axes):
    for axis in sorted(n % (x.dim() + len(axes)) for n in axes.tolist()):
        x = x.unsqueeze(axis)
    return x


def clip(a, x, low=None, high=None):
    return torch.clamp(x, low, high)


def gelu(a, x):
    return F.gelu(x, approximate=a.get("approximate", b"none").decode())


def hard_sigmoid(a, x):
    return torch.clamp(a.get("alpha", 0.2) * x + a.get("beta", 0.5), 0, 1)


OPS = {
    "Add": lambda a, x, y: x + y,
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Clip": clip,
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "ConstantOfShape": constant_of_shape,
    "Conv": conv,
    "Div": lambda a, x, y: x / y,
    "Dropout": lambda a, x, *unused: x,
    "Equal": lambda a, x, y: x == y,
    "Expand": lambda a, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype),
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Gather": gather,
    "GatherND": gather_nd,
    "Gelu": gelu,
    "Gemm": gemm,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": lambda a, x: x * torch.clamp(x / 6 + 0.5, 0, 1),
    "Identity": lambda a, x: x,
    "LayerNormalization": layer_norm,
    "Einsum": lambda a, *xs: torch.einsum(a["equation"].decode(), *xs),
    "Tanh": lambda a, x: torch.tanh(x),
    "Max": lambda a, x, y: torch.maximum(x, y),
    "Min": lambda a, x, y: torch.minimum(x, y),
    "MatMul": lambda a, x, y: x @ y,
    "MaxPool": max_pool,
    "Mul": lambda a, x, y: x * y,
    "Not": lambda a, x: ~x,
    "Pad": pad,
    "ReduceL2": reduce_l2,
    "ReduceMean": reduce_mean,
    "Relu": lambda a, x: torch.relu(x),
    "Reshape": reshape,
    "ScatterND": scatter_nd,
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Slice": slice_,
    "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "Split": split,
    "Squeeze": lambda a, x, axes: x.squeeze(axes.tolist()),
    "Sub": lambda a, x, y: x - y,
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Unsqueeze": unsqueeze,
    "Where": lambda a, c, x, y: torch.where(c, x, y),
}


def tensor(proto, folder):
    value = torch.from_numpy(numpy_helper.to_array(proto, folder).copy())
    return value.double() if value.is_floating_point() else value


def run(path, x, watch):
    """The first output and the value named `watch`, which autograd knows; `x` is f64."""
    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    values = {"": None}
    values.update((t.name, tensor(t, str(path.parent))) for t in graph.initializer)
    fed = next(i.name for i in graph.input if i.name not in values)
    values[fed] = x
    for node in graph.node:
        a = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        if node.op_type == "Constant":
            results = tensor(a["value"], str(path.parent))
        elif node.domain == "" and node.op_type in OPS:
            results = OPS[node.op_type](a, *[values[name] for name in node.input])
        else:
            raise NotImplementedError(f"{node.domain} {node.op_type}")
        results = results if isinstance(results, tuple) else (results,)
        for name, result in zip(node.output, results):
            # Everything before the watched value needs no gradient.
            values[name] = result.detach().requires_grad_() if name == watch else result
    return values[graph.output[0].name], values[watch]


def as_map(value, tokens_before):
    """[n, c, rows, columns] of a layer; of tokens [n, t, c], those of the patches, in a square."""
    if tokens_before is None:
        return value
    patches = value[:, tokens_before:].transpose(1, 2)
    side = round(patches.shape[2] ** 0.5)
    return patches.reshape(*patches.shape[:2], side, side)


def grad_cam(path, x, layer, k, tokens_before=None):
    """Scores, the layer's value, and relu(sum over k of (mean over p of d score / d A_k) A_k)."""
    scores, a = run(path, x, layer)
    gradient, = torch.autograd.grad(scores.flatten(1)[0, k], a)
    gradient, maps = (as_map(value, tokens_before) for value in (gradient, a))
    positions = tuple(range(2, maps.dim()))
    cam = torch.relu((gradient.mean(positions, keepdim=True) * maps).sum(1))
    return scores.detach().flatten(1), a.detach(), cam.detach()[0]
