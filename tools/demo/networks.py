"""The demo's network with a pool + linear head; train_fc.py puts fully connected layers on its features.

It splits into `features`, whose output is the last spatial feature map (fovea's default target
layer), and `head`, which turns that map into one logit per class.
"""

import torch
from torch import nn


def conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU())


class Residual(nn.Module):
    """Depthwise and pointwise convolution around a skip."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels, 3, groups=channels),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.body(x))


class DemoGap(nn.Module):
    """Residual, depthwise; a 24 x 30 map, its mean, one linear layer."""

    def __init__(self, classes: int):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, 16, 5, stride=2), conv(16, 24, 3, stride=2), conv(24, 48, 3, stride=2),
            Residual(48), conv(48, 64, 1))
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))

    def slow_parameters(self):
        return []

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(image))


NETWORKS = {"demo_gap": DemoGap}
