"""Small networks in the manner of the well-known families, for make_goldens.py.

Every network has `logits`, a tap on the scores, then `end`, what it ends in. A `Tap` passes its
input on and vanishes from an exported file: it marks a feature map that maps are made for.
`default` is the tap on the last spatial feature map that feeds the head, `early` one before it.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Tap(nn.Identity):
    pass


class Net(nn.Module):
    """`features` must contain the taps `default` and `early`; `head` turns a map into scores."""

    def __init__(self, features, head, end=None):
        super().__init__()
        self.features, self.head = features, head
        self.logits, self.end = Tap(), end or nn.Identity()

    def forward(self, x):
        return self.end(self.logits(self.head(self.features(x))))

    def tap(self, name):
        if name == "logits":
            return self.logits
        return next(m for m in self.modules() if isinstance(m, Marked) and m.name == name).tap


class Marked(nn.Module):
    """A module and a tap on what it returns."""

    def __init__(self, name, module):
        super().__init__()
        self.name, self.module, self.tap = name, module, Tap()

    def forward(self, x):
        return self.tap(self.module(x))


def default(module):
    return Marked("default", module)


def early(module):
    return Marked("early", module)


def conv(c, k, size=3, stride=1, groups=1, dilation=1, act=nn.ReLU, norm=nn.BatchNorm2d):
    """Convolution, norm, activation; `size` may be a pair. The padding keeps the size."""
    sizes = size if isinstance(size, tuple) else (size, size)
    pad = tuple(dilation * (s - 1) // 2 for s in sizes)
    layers = [nn.Conv2d(c, k, sizes, stride, pad, dilation, groups, norm is None)]
    layers += [norm(k)] if norm else []
    layers += [act()] if act else []
    return nn.Sequential(*layers)


def gap(channels, classes):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Mean(nn.Module):
    def __init__(self, keepdim):
        super().__init__()
        self.keepdim = keepdim

    def forward(self, x):
        return x.mean((2, 3), keepdim=self.keepdim)


class Sum(nn.Module):
    """The sum of what its branches return."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        total = self.branches[0](x)
        for branch in self.branches[1:]:
            total = total + branch(x)
        return total


class Concat(nn.Module):
    """What its branches return, along the channels."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def plain(classes=5, end=None, head=None):
    features = nn.Sequential(
        conv(3, 8, stride=2), early(conv(8, 12)), nn.MaxPool2d(2), default(conv(12, 16)))
    return Net(features, head or gap(16, classes), end)


def four_convs():
    features = nn.Sequential(
        conv(3, 8, stride=2), early(conv(8, 12, act=None)), nn.ReLU(), conv(12, 16, stride=2),
        default(conv(16, 16)))
    return Net(features, gap(16, 5))


def squeeze():
    def fire(c, s, e):
        plain_conv = dict(norm=None)
        return nn.Sequential(
            conv(c, s, 1, **plain_conv),
            Concat(conv(s, e, 1, **plain_conv), conv(s, e, 3, **plain_conv)))
    features = nn.Sequential(
        nn.Conv2d(3, 12, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), fire(12, 4, 8),
        early(fire(16, 6, 10)), nn.MaxPool2d(3, 2, ceil_mode=True), fire(20, 8, 12), nn.Dropout(),
        nn.Conv2d(24, 6, 1), default(nn.ReLU()))
    return Net(features, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def vgg():
    c = dict(norm=None)
    features = nn.Sequential(
        conv(3, 8, **c), nn.MaxPool2d(2), early(conv(8, 12, **c)), nn.MaxPool2d(2),
        conv(12, 16, **c), default(conv(16, 16, **c)), nn.MaxPool2d(2))
    head = nn.Sequential(nn.Flatten(), nn.Linear(16 * 16, 20), nn.ReLU(), nn.Dropout(),
                         nn.Linear(20, 6))
    return Net(features, head)


def vgg_adaptive():
    features = nn.Sequential(
        conv(3, 8, 5, 2, norm=None), nn.MaxPool2d(3, 2), early(conv(8, 12, norm=None)),
        default(conv(12, 12, norm=None)), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(3))
    head = nn.Sequential(nn.Flatten(), nn.Linear(12 * 9, 24), nn.ReLU(), nn.Linear(24, 16),
                         nn.ReLU(), nn.Linear(16, 7))
    return Net(features, head)


def lenet():
    features = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), early(nn.Tanh()), nn.AvgPool2d(2), nn.Conv2d(6, 10, 5),
        default(nn.Tanh()), nn.AvgPool2d(2))
    head = nn.Sequential(nn.Flatten(), nn.Linear(10 * 49, 12), nn.Tanh(), nn.Linear(12, 5))
    return Net(features, head)


def resnet():
    def block(c, k, stride=1):
        body = nn.Sequential(conv(c, k, 3, stride), conv(k, k, act=None))
        skip = nn.Identity() if c == k else conv(c, k, 1, stride, act=None)
        return nn.Sequential(Sum(body, skip), nn.ReLU())
    features = nn.Sequential(
        conv(3, 8, 5, 2), nn.MaxPool2d(3, 2, 1), block(8, 8), early(block(8, 16, 2)),
        default(block(16, 16)))
    return Net(features, gap(16, 6))


def resnet_preactivation():
    def block(c, k, stride=1):
        body = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, k, 3, stride, 1),
                             nn.BatchNorm2d(k), nn.ReLU(), nn.Conv2d(k, k, 3, 1, 1))
        return Sum(body, nn.Identity() if c == k else nn.Conv2d(c, k, 1, stride))
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), block(8, 8), early(block(8, 14, 2)), block(14, 14),
        nn.BatchNorm2d(14), default(nn.ReLU()))
    return Net(features, gap(14, 5))


def bn_relu_conv(c, k, size):
    return nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(),
                         nn.Conv2d(c, k, size, 1, size // 2, bias=False))


def densenet():
    def dense(c, growth):
        return Concat(nn.Identity(), nn.Sequential(bn_relu_conv(c, 2 * growth, 1),
                                                   bn_relu_conv(2 * growth, growth, 3)))
    features = nn.Sequential(
        conv(3, 8, 5, 2), dense(8, 4), early(dense(12, 4)), bn_relu_conv(16, 8, 1), nn.AvgPool2d(2),
        dense(8, 4), dense(12, 4), nn.BatchNorm2d(16), default(nn.ReLU()))
    return Net(features, gap(16, 6))


def inception():
    def block(c):
        return Concat(
            conv(c, 6, 1),
            nn.Sequential(conv(c, 5, 1), conv(5, 6, (1, 5)), conv(6, 6, (5, 1))),
            nn.Sequential(conv(c, 5, 1), Concat(conv(5, 4, (1, 3)), conv(5, 4, (3, 1)))),
            nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), conv(c, 4, 1)))
    reduction = Concat(conv(24, 6, 3, 2), nn.MaxPool2d(3, 2, 1))
    features = nn.Sequential(
        conv(3, 10, 3, 2), early(block(10)), reduction, default(block(30)))
    return Net(features, gap(24, 6))


def inverted_residual(c, k, stride, act, excite=None, size=3):
    wide = 3 * c
    layers = [conv(c, wide, 1, act=act), conv(wide, wide, size, stride, wide, act=act)]
    layers += [excite(wide)] if excite else []
    body = nn.Sequential(*layers, conv(wide, k, 1, act=None))
    return Sum(body, nn.Identity()) if stride == 1 and c == k else body


class SqueezeExcite(nn.Module):
    def __init__(self, c, act, gate):
        super().__init__()
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, 4, 1), act(),
                                  nn.Conv2d(4, c, 1), gate())

    def forward(self, x):
        return x * self.gate(x)


def mobilenet(act, excite=None, size=3, head=None):
    features = nn.Sequential(
        conv(3, 8, 3, 2, act=act), early(inverted_residual(8, 8, 1, act, excite)),
        inverted_residual(8, 12, 2, act, excite, size), inverted_residual(12, 12, 1, act, excite),
        default(conv(12, 20, 1, act=act)))
    return Net(features, head or gap(20, 6))


def mobilenet_v2():
    return mobilenet(nn.ReLU6)


def mobilenet_v3():
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(20, 16), nn.Hardswish(),
                         nn.Dropout(0.2), nn.Linear(16, 6))
    return mobilenet(nn.Hardswish, lambda c: SqueezeExcite(c, nn.ReLU, nn.Hardsigmoid), 5, head)


def efficientnet():
    return mobilenet(nn.SiLU, lambda c: SqueezeExcite(c, nn.SiLU, nn.Sigmoid), 5)


class Shuffle(nn.Module):
    """Half of the channels pass, half go through the branch; then both halves interleave."""

    def __init__(self, c):
        super().__init__()
        c = c // 2
        self.branch = nn.Sequential(conv(c, c, 1), conv(c, c, 3, 1, c, act=None), conv(c, c, 1))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        y = torch.cat([a, self.branch(b)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def shufflenet():
    features = nn.Sequential(
        conv(3, 8, 3, 2), nn.MaxPool2d(3, 2, 1), early(Shuffle(8)),
        Concat(conv(8, 8, 3, 2, 8), conv(8, 8, 3, 2, 2)), Shuffle(16), default(conv(16, 20, 1)))
    return Net(features, nn.Sequential(Mean(False), nn.Linear(20, 6)))


class LayerNormChannels(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNextBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.depthwise = nn.Conv2d(c, c, 7, 1, 3, groups=c)
        self.mlp = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, 3 * c), nn.GELU(),
                                 nn.Linear(3 * c, c))
        self.scale = nn.Parameter(torch.full((c, 1, 1), 0.7))

    def forward(self, x):
        y = self.mlp(self.depthwise(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return x + self.scale * y


def convnext():
    features = nn.Sequential(
        nn.Conv2d(3, 10, 4, 4), LayerNormChannels(10), early(ConvNextBlock(10)),
        LayerNormChannels(10), nn.Conv2d(10, 16, 2, 2), default(ConvNextBlock(16)))
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), LayerNormChannels(16), nn.Flatten(),
                         nn.Linear(16, 6))
    return Net(features, head)


def dilated():
    features = nn.Sequential(
        conv(3, 8), early(conv(8, 10, dilation=2)), nn.MaxPool2d(2), conv(10, 12, dilation=3),
        default(conv(12, 12, dilation=4)))
    return Net(features, gap(12, 5))


def mean_keepdims():
    head = nn.Sequential(Mean(True), nn.Conv2d(16, 6, 1), nn.Flatten())
    return plain(head=head)


def mean_no_keepdims():
    return plain(head=nn.Sequential(Mean(False), nn.Linear(16, 6)))


def softmax_end():
    return plain(end=nn.Softmax(1))


class SoftmaxOver4D(nn.Module):
    def forward(self, x):
        return F.softmax(x, 1).flatten(1)


def softmax_4d_end():
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 6, 1))
    return plain(head=head, end=SoftmaxOver4D())


def sigmoid_end():
    return plain(end=nn.Sigmoid())


class Pyramid(nn.Module):
    """A coarse map, upsampled, beside a fine one."""

    def __init__(self):
        super().__init__()
        leaky = lambda: nn.LeakyReLU(0.1)
        self.fine = conv(3, 8, 3, 2, act=leaky)
        self.coarse = early(conv(8, 12, 3, 2, act=leaky))
        self.deep = conv(12, 12, act=lambda: nn.PReLU(12))
        self.last = default(conv(20, 16, act=leaky))

    def forward(self, x):
        fine = self.fine(x)
        up = F.interpolate(self.deep(self.coarse(fine)), scale_factor=2.0, mode="nearest")
        return self.last(torch.cat([fine, up], 1))


def pyramid():
    return Net(Pyramid(), gap(16, 5))


def group_norm():
    def norm(c):
        return nn.GroupNorm(4, c)
    features = nn.Sequential(
        conv(3, 8, 3, 2, norm=norm), early(conv(8, 12, norm=norm)), nn.MaxPool2d(2),
        default(conv(12, 12, norm=norm)))
    return Net(features, gap(12, 5))


def max_pooled():
    features = nn.Sequential(conv(3, 8, 3, 2), early(conv(8, 12, act=nn.ELU)), nn.MaxPool2d(2),
                             default(conv(12, 16, act=nn.Softplus)))
    return Net(features, nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(16, 5)))


def signal():
    features = nn.Sequential(
        nn.Conv1d(2, 8, 7, 2, 3), nn.ReLU(), nn.MaxPool1d(2), early(nn.Conv1d(8, 12, 5, 1, 2)),
        nn.ReLU(), nn.Conv1d(12, 12, 3, 1, 1), default(nn.ReLU()))
    return Net(features, nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(12, 5)))


def volume():
    features = nn.Sequential(
        nn.Conv3d(1, 6, 3, 2, 1), nn.BatchNorm3d(6), early(nn.ReLU()), nn.MaxPool3d(2),
        nn.Conv3d(6, 10, 3, 1, 1), nn.BatchNorm3d(10), default(nn.ReLU()))
    return Net(features, nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(10, 5)))
