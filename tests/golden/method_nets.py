"""Which networks the goldens of the methods are made on, for make_method_goldens.py."""

from dataclasses import dataclass
from typing import Callable, Optional

import torch.nn.functional as F
from torch import nn

import nets
from nets import Net, default, early, gap
from specs import SPECS, Spec


class Block(nn.Module):
    """A residual block whose activations are one module in place, called twice, as torchvision's."""

    def __init__(self, c, k, stride, relu, tap=None):
        super().__init__()
        self.conv1 = nn.Conv2d(c, k, 3, stride, 1, bias=False)
        norm = nn.BatchNorm2d(k)
        self.norm1 = tap(norm) if tap else norm
        self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(k)
        self.skip = nn.Identity() if c == k else nn.Sequential(
            nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k))
        self.relu1, self.relu2 = relu(), relu()

    def forward(self, x):
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        y += self.skip(x)
        return self.relu2(y)


class Functional(nn.Module):
    def forward(self, x):
        return F.relu(x, inplace=True)


def shared_relu(plain=False):
    """One ReLU module in place throughout, and functional calls in the last block. The early tap is
    on a value that the ReLU after it overwrites. `plain`: the same with a module for each."""
    shared = nn.ReLU(inplace=True)
    relu = nn.ReLU if plain else lambda: shared
    last = nn.ReLU if plain else Functional
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), relu(),
        Block(8, 12, 2, relu, early), default(Block(12, 12, 1, last)))
    return Net(features, gap(12, 5))


@dataclass
class Network:
    """`spec` is built from its seed; `twin` builds the same computation in the form that the peers
    can follow, and takes over its weights. `stored`: the files are those of data/."""

    spec: Spec
    stored: bool = True
    twin: Optional[Callable] = None


def stored(name, twin=None):
    return Network(next(spec for spec in SPECS if spec.name == name), True, twin)


class ClampedRelu(nn.Module):
    """ReLU6 in two steps, so that what is made for nn.ReLU finds one."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(x).clamp(max=6)


NETWORKS = [
    stored("gap"),
    stored("vgg"),
    Network(Spec("shared_relu", shared_relu, (3, 33, 33), 13), False, lambda: shared_relu(True)),
    stored("mobilenet_v2", lambda: nets.mobilenet(ClampedRelu)),
    stored("efficientnet"),
    stored("densenet"),
    stored("gap_bn_kept"),
    stored("softmax_end"),
]
