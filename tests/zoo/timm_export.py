"""PyTorch's answers for timm's networks, and their export."""

import contextlib

import torch
import torch.nn.functional as F
from torch import nn


def answers(net, network, x):
    """Scores, the last feature map, and the gradient of the best score with respect to `x`."""
    x = x.clone().requires_grad_()
    seen, of = [], None
    if network.feature_map:
        of = net.get_submodule(network.feature_map).register_forward_hook(
            lambda module, inputs, output: seen.append(output))
    with replaced("batch_norm", batch_norm):
        scores = net(x)
        if of is None:
            with torch.no_grad():
                seen.append(net.forward_features(x))
        else:
            of.remove()
    gradient, = torch.autograd.grad(scores[0].max(), x)
    return tuple(value.detach().numpy() for value in (scores, seen[0], gradient))


def initialise(net, size, pictures):
    """timm's own random weights, but for what it sets to one value (norms' scales and shifts,
    layer scales that would hide a block), and batch norms that have seen pictures."""
    norms = [module for module in net.modules()
             if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for parameter in net.parameters():
        values = parameter.detach().flatten()
        if values.numel() == 1 and values.abs() < 1e-3:
            nn.init.constant_(parameter, 0.4)
        elif values.numel() == 1 or not (values == values[0]).all():
            continue
        elif values[0] == 1:
            nn.init.uniform_(parameter, 0.6, 1.4)
        elif values[0] == 0:
            nn.init.normal_(parameter, 0, 0.1 if max(parameter.shape) == values.numel() else 0.02)
        else:
            nn.init.uniform_(parameter, 0.2, 0.8)
    for norm in norms:
        if norm.weight is not None and norm.weight.abs().max() < 0.5:  # the last of a branch
            nn.init.uniform_(norm.weight, 0.2, 0.5)
        norm.momentum = None  # the mean of all batches
    net.eval()
    for norm in norms:
        norm.train()
    with torch.no_grad():
        for _ in range(2 if norms else 0):
            net(pictures(4, size))
    net.eval()


@contextlib.contextmanager
def replaced(name, function):
    """PyTorch's function of that name, replaced for as long as the context lasts."""
    original = getattr(F, name)
    setattr(F, name, lambda *given, **named: function(original, *given, **named))
    try:
        yield
    finally:
        setattr(F, name, original)


def batch_norm(original, x, mean, variance, weight=None, bias=None, training=False, momentum=0.1,
               eps=1e-5):
    """By arithmetic: the backward pass of PyTorch's own goes wrong in inference where the gradient
    comes in with its channels last, as it does through a transposition (2.13, on the CPU)."""
    if training:
        return original(x, mean, variance, weight, bias, training, momentum, eps)
    column = (1, -1) + (1,) * (x.dim() - 2)
    y = (x - mean.reshape(column)) * (variance + eps).rsqrt().reshape(column)
    y = y if weight is None else y * weight.reshape(column)
    return y if bias is None else y + bias.reshape(column)


def fold(original, x, output_size, *given, **named):
    """With extents that are numbers: the older exporter cannot translate traced ones."""
    return original(x, tuple(int(extent) for extent in output_size), *given, **named)


def export(net, x, file, exporter):
    with replaced("fold", fold):
        torch.onnx.export(net, (x,), file, verbose=False, dynamo=exporter == "dynamo")
