"""Runs an ONNX file node by node in PyTorch, in f64, so that autograd gives the gradient of a
score with respect to any value the file names. Slow and obvious. What is not here and needs no
gradient (shapes, constants) runs in ONNX's own reference evaluator."""

import math

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator


def window(x, kernel, a):
    """Strides, dilations, and what `F.pad` puts in front and behind."""
    n = len(kernel)
    strides, dilations = a.get("strides", [1] * n), a.get("dilations", [1] * n)
    pads = a.get("pads", [0] * 2 * n)
    auto = a.get("auto_pad", b"NOTSET")
    if auto in (b"SAME_UPPER", b"SAME_LOWER"):
        for i, extent in enumerate(x.shape[2:]):
            last = (math.ceil(extent / strides[i]) - 1) * strides[i]
            missing = max(last + (kernel[i] - 1) * dilations[i] + 1 - extent, 0)
            less, more = missing // 2, (missing + 1) // 2
            pads[i], pads[n + i] = (less, more) if auto == b"SAME_UPPER" else (more, less)
    flat = [v for i in reversed(range(n)) for v in (pads[i], pads[n + i])]
    return strides, dilations, flat


def conv(a, x, w, b=None):
    stride, dilation, pad = window(x, w.shape[2:], a)
    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[x.dim() - 2]
    return convolve(F.pad(x, pad), w, b, stride, 0, dilation, a.get("group", 1))


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


def per_channel(vector, x):
    return vector.reshape(1, -1, *[1] * (x.dim() - 2))


def batch_norm(a, x, scale, bias, mean, variance, *unused):
    if a.get("training_mode", 0):
        return F.batch_norm(x, None, None, scale, bias, True, 0.0, a.get("epsilon", 1e-5))
    # Arithmetic: the backward pass of PyTorch's own goes wrong where the gradient comes in with its
    # channels last, as it does through a transposition.
    factor = scale / (variance + a.get("epsilon", 1e-5)).sqrt()
    return (x - per_channel(mean, x)) * per_channel(factor, x) + per_channel(bias, x)


def layer_norm(a, x, scale, bias=None):
    axis = a.get("axis", -1) % x.dim()
    return F.layer_norm(x, x.shape[axis:], scale, bias, a.get("epsilon", 1e-5))


def group_norm(a, x, scale, bias):
    return F.group_norm(x, a["num_groups"], scale, bias, a.get("epsilon", 1e-5))


def instance_norm(a, x, scale, bias):
    return F.instance_norm(x, weight=scale, bias=bias, eps=a.get("epsilon", 1e-5))


def cast(a, x):
    kind = onnx.helper.tensor_dtype_to_np_dtype(a["to"])
    return x.double() if kind.kind == "f" else torch.from_numpy(x.detach().numpy().astype(kind))


def reduction(reduce):
    def reduced(a, x, axes=None):
        axes = a.get("axes") if axes is None else axes.tolist()
        if not axes:  # none: all, unless they say that none is none
            axes = [] if a.get("noop_with_empty_axes", 0) else list(range(x.dim()))
        return reduce(x, axes, bool(a.get("keepdims", 1))) if axes else x
    return reduced


def reshape(a, x, shape):
    copied = not a.get("allowzero", 0)
    return x.reshape([x.shape[i] if n == 0 and copied else n for i, n in enumerate(shape.tolist())])


def divide(a, x, y):
    return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def flatten(a, x):
    return x.reshape(math.prod(x.shape[:a.get("axis", 1)]), -1)


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


def col2im(a, x, image, block):
    n = len(block)
    pads = a.get("pads", [0] * 2 * n)
    if n != 2 or pads[:n] != pads[n:]:
        raise NotImplementedError("Col2Im but of two axes and even pads")
    return F.fold(x, image.tolist(), block.tolist(), a.get("dilations", [1] * n), pads[:n],
                  a.get("strides", [1] * n))


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
    "Cast": cast,
    "Col2Im": col2im,
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "ConstantOfShape": constant_of_shape,
    "Conv": conv,
    "Div": divide,
    "Dropout": lambda a, x, *unused: x,
    "Elu": lambda a, x: F.elu(x, a.get("alpha", 1.0)),
    "Equal": lambda a, x, y: x == y,
    "Erf": lambda a, x: torch.erf(x),
    "Exp": lambda a, x: torch.exp(x),
    "Expand": lambda a, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype),
    "Flatten": flatten,
    "Gather": gather,
    "GatherND": gather_nd,
    "Gelu": gelu,
    "Gemm": gemm,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda a, x: x.amax((2, 3), keepdim=True),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": lambda a, x: x * torch.clamp(x / 6 + 0.5, 0, 1),
    "GroupNormalization": group_norm,
    "Identity": lambda a, x: x,
    "InstanceNormalization": instance_norm,
    "LayerNormalization": layer_norm,
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
    "Log": lambda a, x: torch.log(x),
    "LogSoftmax": lambda a, x: torch.log_softmax(x, a.get("axis", -1)),
    "Mish": lambda a, x: F.mish(x),
    "Neg": lambda a, x: -x,
    "Pow": lambda a, x, y: x ** y,
    "Einsum": lambda a, *xs: torch.einsum(a["equation"].decode(), *xs),
    "Tanh": lambda a, x: torch.tanh(x),
    "Max": lambda a, x, y: torch.maximum(x, y),
    "Min": lambda a, x, y: torch.minimum(x, y),
    "MatMul": lambda a, x, y: x @ y,
    "MaxPool": max_pool,
    "Mul": lambda a, x, y: x * y,
    "Not": lambda a, x: ~x,
    "Pad": pad,
    "ReduceL2": reduction(lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt()),
    "ReduceMax": reduction(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "ReduceMean": reduction(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "ReduceSum": reduction(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "ReduceSumSquare": reduction(lambda x, axes, keep: x.square().sum(axes, keepdim=keep)),
    "Reciprocal": lambda a, x: 1 / x,
    "Relu": lambda a, x: torch.relu(x),
    "Reshape": reshape,
    "ScatterND": scatter_nd,
    "Shape": lambda a, x: torch.tensor(x.shape)[a.get("start", 0):a.get("end")],
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Slice": slice_,
    "Softplus": lambda a, x: F.softplus(x, threshold=math.inf),
    "Sqrt": lambda a, x: torch.sqrt(x),
    "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "Split": split,
    "Squeeze": lambda a, x, axes: x.squeeze(axes.tolist()),
    "Sub": lambda a, x, y: x - y,
    "Tile": lambda a, x, repeats: x.repeat(repeats.tolist()),
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Unsqueeze": unsqueeze,
    "Where": lambda a, c, x, y: torch.where(c, x, y),
}


def tensor(proto, folder):
    value = torch.from_numpy(numpy_helper.to_array(proto, folder).copy())
    return value.double() if value.is_floating_point() else value


def constant(a, folder):
    if "value" in a:
        return tensor(a["value"], folder)
    (kind, value), = a.items()
    return torch.tensor(value, dtype=torch.float64 if "float" in kind else torch.int64)


def evaluated(node, inputs, opset):
    """What ONNX's own evaluator makes of a node that no gradient passes."""
    if any(x is not None and x.requires_grad for x in inputs):
        raise NotImplementedError(f"{node.domain} {node.op_type}, which needs a gradient")
    fed = {name: x.numpy() for name, x in zip(node.input, inputs) if name}
    declared = [onnx.helper.make_tensor_value_info(
        name, onnx.helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for name, x in fed.items()]
    wanted = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "one", declared, wanted)
    model = onnx.helper.make_model(graph, opset_imports=opset)
    results = iter(ReferenceEvaluator(model).run(None, fed))
    results = [torch.from_numpy(np.array(next(results))) if name else None for name in node.output]
    return tuple(r.double() if r is not None and r.is_floating_point() else r for r in results)


def run_nodes(graph, values, watch, folder, opset):
    for initial in graph.initializer:
        values[initial.name] = tensor(initial, folder)
    for node in graph.node:
        a = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        inputs = [values[name] for name in node.input]
        if node.op_type == "Constant":
            results = constant(a, folder)
        elif node.op_type == "If":
            branch = a["then_branch" if inputs[0].item() else "else_branch"]
            run_nodes(branch, values, watch, folder, opset)
            results = tuple(values[each.name] for each in branch.output)
        elif node.domain == "" and node.op_type in OPS:
            results = OPS[node.op_type](a, *inputs)
        else:
            results = evaluated(node, inputs, opset)
        results = results if isinstance(results, tuple) else (results,)
        for name, result in zip(node.output, results):
            # Everything before the watched value needs no gradient.
            values[name] = result.detach().requires_grad_() if name == watch else result


def run(path, x, watch):
    """The first output and the value named `watch`, which autograd knows; `x` is f64."""
    model = onnx.load(path, load_external_data=False)
    initial = {t.name for t in model.graph.initializer}
    fed = next(i.name for i in model.graph.input if i.name not in initial)
    values = {"": None, fed: x.requires_grad_() if fed == watch else x}
    run_nodes(model.graph, values, watch, str(path.parent), model.opset_import)
    return values[model.graph.output[0].name], values[watch]


def as_map(value, family):
    """[n, c, rows, columns] of a layer; of tokens [n, t, c], those of the patches, in a square."""
    if family.layout == "channels first":
        return value
    if family.layout == "channels last":
        return value.permute(0, 3, 1, 2)
    patches = value[:, family.tokens_before:].transpose(1, 2)
    side = round(patches.shape[2] ** 0.5)
    return patches.reshape(*patches.shape[:2], side, side)


def grad_cam(path, x, layer, k, family):
    """Scores, the layer's value, and relu(sum over k of (mean over p of d score / d A_k) A_k)."""
    scores, a = run(path, x, layer)
    gradient, = torch.autograd.grad(scores.flatten(1)[0, k], a)
    gradient, maps = (as_map(value, family) for value in (gradient, a))
    cam = torch.relu((gradient.mean((2, 3), keepdim=True) * maps).sum(1))
    return scores.detach().flatten(1), a.detach(), cam.detach()[0]
