"""Captum: LayerGradCam, or a method that explains the input."""

import captum
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
OVER_CHANNELS = {"Saliency": magnitude, "GuidedBackprop": magnitude, "InputXGradient": total,
                 "IntegratedGradients": total}


def layer_grad_cam(net, layer):
    method = attr.LayerGradCam(net, layer)

    def explain(x, best):
        x = torch.from_numpy(x)
        cam = method.attribute(x, target=torch.from_numpy(best), relu_attributions=True)
        cam = attr.LayerAttribution.interpolate(cam, x.shape[2:], "bilinear")
        return cam.detach()[:, 0].numpy()

    return explain


def of_input(name, net):
    method = getattr(attr, name)(net)

    def explain(x, best):
        attribution = method.attribute(torch.from_numpy(x), target=torch.from_numpy(best))
        return OVER_CHANNELS[name](attribution.detach()).numpy()

    return explain


def create(job):
    torch.set_num_threads(job.threads)
    net, layer = torch_networks.load(job.network, job.models)
    return {"explain": of_input(job.method, net) if job.method else layer_grad_cam(net, layer)}
