"""Captum: LayerGradCam, or a method that explains the input."""

import captum
import numpy as np
import torch
from captum import attr

import torch_networks

TITLE = "Captum"
METHOD = "LayerGradCam"
VERSION = f"{captum.__version__} (PyTorch {torch.__version__})"


def magnitude(attribution):
    return attribution.abs().amax(dim=1)


def total(attribution):
    return attribution.sum(dim=1)


# How channels become the map that fovea draws.
OVER_CHANNELS = {"Saliency": magnitude, "GuidedBackprop": magnitude}  # others: total


def layer_grad_cam(net, layer):
    method = attr.LayerGradCam(net, layer)

    def explain(x, best):
        x = torch.from_numpy(x)
        cam = method.attribute(x, target=torch.from_numpy(best), relu_attributions=True)
        cam = attr.LayerAttribution.interpolate(cam, x.shape[2:], "bilinear")
        return cam.detach()[:, 0].numpy()

    return explain


def arguments_of(name, job):
    if name == "DeepLiftShap":
        images = np.load(job.models / "inputs.npy")[-job.background:]
        return {"baselines": torch.from_numpy(images)}
    if name == "Occlusion":
        return {"sliding_window_shapes": (3, 32, 32), "strides": (3, 16, 16)}
    return {}


def of_input(job, net):
    name = job.method
    method = getattr(attr, name)(net)
    arguments = arguments_of(name, job)

    def explain(x, best):
        attribution = method.attribute(torch.from_numpy(x), target=torch.from_numpy(best),
                                       **arguments)
        if name == "Occlusion":  # a window hides every channel, and each is told all it did
            return attribution.detach()[:, 0].numpy()
        return OVER_CHANNELS.get(name, total)(attribution.detach()).numpy()

    return explain


def create(job):
    torch.set_num_threads(job.threads)
    net, layer = torch_networks.load(job.network, job.models)
    return {"explain": of_input(job, net) if job.method else layer_grad_cam(net, layer)}
