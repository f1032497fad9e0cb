"""The networks as PyTorch has them: made once with random weights, loaded by every torch worker."""

import sys
from pathlib import Path

import torch
from torch import nn

from catalogue import NETWORKS

ZOO = Path(__file__).resolve().parents[2] / "tests" / "zoo"
sys.path.append(str(ZOO))
import check as zoo  # noqa: E402: random weights, inputs and torchvision as the zoo makes them


class DenseNet(nn.Module):
    """torchvision's DenseNet, but that the last ReLU is a module that can be hooked. There it is a
    functional call that overwrites the feature map, where hooks on modules read and write wrong."""

    def __init__(self, net):
        super().__init__()
        self.features = net.features
        self.relu = nn.ReLU()
        self.classifier = net.classifier

    def forward(self, x):
        x = self.relu(self.features(x))
        return self.classifier(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


# Before anything else imports torchvision: zoo.vision declares operators that it wants declared.
torchvision = zoo.vision()


def architecture(name):
    arguments = {"init_weights": False} if name.startswith("vgg") else {}
    net = torchvision.models.get_model(name, weights=None, **arguments)
    return DenseNet(net) if name.startswith("densenet") else net


def load(name, models):
    """The network in eval mode, and the module whose output is explained."""
    with torch.device("meta"):
        net = architecture(name)
    net.load_state_dict(torch.load(models / f"{name}.pt", weights_only=True), assign=True)
    net.eval()
    return net, net.get_submodule(NETWORKS[name].module)
