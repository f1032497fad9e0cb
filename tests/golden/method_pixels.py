"""Gradients to the input by captum and grad-cam: functions (net, x, layers, target, given) ->
{"attribution"}, signed, [batch, channels, height, width]."""

import warnings
from unittest import mock

import captum.attr as captum
import numpy as np
import torch
from pytorch_grad_cam import GradCAM, GuidedBackpropReLUModel


def answer(tensor):
    return {"attribution": tensor.detach().double().numpy()}


def of_captum(name, given_options=(), **options):
    """An attribution of captum's; `given_options`: of its arguments, those that are tensors."""
    def run(net, x, layers, target, given):
        more = {argument: given[key].to(x.dtype) for argument, key in given_options}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = getattr(captum, name)(net).attribute(
                x.clone().requires_grad_(), target=target.spec["class"], **options, **more)
        return answer(out)
    return run


def noise_tunnel(kind):
    def run(net, x, layers, target, given):
        noise = given["noise"].to(x.dtype)
        samples = len(noise)
        # captum repeats each image `samples` times in a row.
        drawn = noise.transpose(0, 1).flatten(0, 1)

        def normal(mean, deviations):
            assert deviations.shape == drawn.shape
            return drawn

        with mock.patch("torch.normal", normal):
            out = captum.NoiseTunnel(captum.Saliency(net)).attribute(
                x.clone(), nt_type=kind, nt_samples=samples, stdevs=1.0, abs=False,
                target=target.spec["class"])
        return answer(out)
    return run


def guided_gradcam_captum(mode):
    def run(net, x, layers, target, given):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = captum.GuidedGradCam(net, net.tap(layers[0])).attribute(
                x.clone().requires_grad_(), target=target.spec["class"], interpolate_mode=mode)
        return answer(out)
    return run


def guided_package(net, x, target):
    """grad-cam takes one image at a time."""
    model = GuidedBackpropReLUModel(net)
    return np.stack([model(x[n:n + 1].clone(), target.spec["class"]).transpose(2, 0, 1)
                     for n in range(len(x))]).astype(np.float64)


def guided_backprop_package(net, x, layers, target, given):
    return {"attribution": guided_package(net, x, target)}


def guided_gradcam_package(net, x, layers, target, given):
    """The package's finished Grad-CAM times the guided gradient, before it is made a picture."""
    method = GradCAM(net, [net.tap(layers[0])])
    maps = method(x, [target] * len(x))
    method.activations_and_grads.release()
    return {"attribution": maps[:, None] * guided_package(net, x, target)}
