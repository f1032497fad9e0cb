"""Captum's LayerGradCam."""

import captum
import torch
from captum.attr import LayerAttribution, LayerGradCam

import torch_networks

TITLE = "Captum, LayerGradCam"
VERSION = captum.__version__


def create(job):
    torch.set_num_threads(job.threads)
    net, layer = torch_networks.load(job.network, job.models)
    method = LayerGradCam(net, layer)

    def explain(x, best):
        x = torch.from_numpy(x)
        cam = method.attribute(x, target=torch.from_numpy(best), relu_attributions=True)
        cam = LayerAttribution.interpolate(cam, x.shape[2:], "bilinear")
        return cam.detach()[:, 0].numpy()

    return {"explain": explain}
