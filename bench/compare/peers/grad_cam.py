"""The grad-cam package (pytorch-grad-cam)."""

from importlib.metadata import version

import torch

import torch_networks  # first: it makes torchvision importable, which the package imports
from pytorch_grad_cam import GradCAM

TITLE = "grad-cam package, GradCAM"
VERSION = version("grad-cam")


def create(job):
    torch.set_num_threads(job.threads)
    net, layer = torch_networks.load(job.network, job.models)
    method = GradCAM(model=net, target_layers=[layer])

    def explain(x, best):
        return method(input_tensor=torch.from_numpy(x), targets=None)  # the best class of each image

    return {"explain": explain}
