"""The grad-cam package (pytorch-grad-cam), as its README uses it."""

from importlib.metadata import version

import torch

import torch_networks  # first: it makes torchvision importable, which the package imports
import pytorch_grad_cam

TITLE = "grad-cam package"
METHOD = "GradCAM"
VERSION = f"{version('grad-cam')} (PyTorch {torch.__version__})"


def create(job):
    torch.set_num_threads(job.threads)
    net, layer = torch_networks.load(job.network, job.models)
    name = job.method or METHOD
    layers = [] if name == "FullGrad" else [layer]  # which takes every layer with a bias
    method = getattr(pytorch_grad_cam, name)(model=net, target_layers=layers)

    def explain(x, best):
        return method(input_tensor=torch.from_numpy(x), targets=None)  # the best class of each image

    return {"explain": explain}
