"""CAMs by other people's code: grad-cam, torch-cam and OpenVINO XAI.

Each is, or makes, a function (net, x, layers, target, given) -> {"feature_map", "package_map"}: the
raw signed map at the layer's own grid, [batch, grid...], and the package's finished map where it
makes one. `target` is a Target of method_targets.py, `given` holds what a random method is handed.
"""

import contextlib
import io
from unittest import mock

import numpy as np
import pytorch_grad_cam as package
import torch
from openvino_xai.methods.white_box.torch import TorchActivationMap, TorchReciproCAM
from pytorch_grad_cam.refine_cam import RefineCAM
from torchcam import methods as torchcam


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def recorded(method):
    """What the package makes of each layer before its positive part and scaling."""
    maps, original = [], method.get_cam_image

    def record(*arguments, **options):
        maps.append(np.array(original(*arguments, **options), np.float64))
        return np.array(maps[-1])

    method.get_cam_image = record
    return maps


def checked(maps):
    if not maps:
        raise RuntimeError("the package swallowed an error")
    return maps[0]


def gradcam_package(name, aug_smooth=False, **options):
    def run(net, x, layers, target, given):
        method = getattr(package, name)(net, [net.tap(layer) for layer in layers], **options)
        maps = recorded(method)
        with quiet():
            out = method(x, [target] * len(x), aug_smooth=aug_smooth)
        method.activations_and_grads.release()
        single = len(layers) == 1 and not aug_smooth
        return {"feature_map": checked(maps) if single else None, "package_map": out}
    return run


def random_cam(net, x, layers, target, given):
    weights = given["weights"].numpy()
    with mock.patch("numpy.random.uniform", lambda low, high, size: weights.reshape(size)):
        return gradcam_package("RandomCAM")(net, x, layers, target, given)


def finercam(alpha, comparisons):
    def run(net, x, layers, target, given):
        method = package.FinerCAM(net, [net.tap(layer) for layer in layers])
        maps = recorded(method.base_cam)
        out = method(x, None, alpha=alpha, comparison_categories=list(range(1, comparisons + 1)),
                     target_idx=target.spec["class"])
        method.base_cam.activations_and_grads.release()
        return {"feature_map": checked(maps), "package_map": out}
    return run


def fullgrad(net, x, layers, target, given):
    """The sum over input and biases, before the last scaling; it has the input's size."""
    method = package.FullGrad(net, [])
    sums, original = [], method.compute_cam_per_layer

    def record(*arguments):
        sums.append(original(*arguments))
        return sums[-1].copy()

    method.compute_cam_per_layer = record
    out = method(x, [target] * len(x))
    method.activations_and_grads.release()
    return {"feature_map": checked(sums)[:, 0], "package_map": out}


def refined(net, x, layers, target, given):
    """The product over layers of the finished Grad-CAMs."""
    method = RefineCAM(net, [net.tap(layer) for layer in layers], base_method=package.GradCAM)
    return {"feature_map": None, "package_map": method(x, [target] * len(x))}


class Given:
    """Stands for torch-cam's random distribution; hands out what is given, in order."""

    def __init__(self, noise):
        self.noise = list(noise)

    def sample(self, size):
        one = self.noise.pop(0)
        assert one.shape == size
        return one


def torchcam_map(name, eps=None, **options):
    def run(net, x, layers, target, given):
        method = getattr(torchcam, name)(net, [net.tap(layer) for layer in layers],
                                         input_shape=tuple(x.shape[1:]), **options)
        getattr(method, "base_cam", method)._relu = False
        if "noise" in given:
            method._distrib = Given(given["noise"].to(x.dtype))
        scores = net(x)
        more = {} if eps is None else {"eps": eps}
        maps = method(target.spec["class"], scores, normalized=False, **more)
        return {"feature_map": maps[0].detach().double().numpy(), "package_map": None}
    return run


def torchcam_fused(net, x, layers, target, given):
    """The maximum over layers of the normalised Grad-CAMs, at the input's size."""
    method = torchcam.GradCAM(net, [net.tap(layer) for layer in layers],
                              input_shape=tuple(x.shape[1:]))
    maps = method(target.spec["class"], net(x))
    out = method.fuse_cams(maps, tuple(x.shape[2:]))
    return {"feature_map": None, "package_map": out.detach().double().numpy()}


def openvino_xai(method_class):
    """Its implementation for PyTorch; its method that casts the input to f32 is passed by."""
    def run(net, x, layers, target, given):
        tap = net.tap(layers[0])
        name = next(name for name, module in net.named_modules() if module is tap)
        method = method_class(net, target_layer=name, embed_scaling=False)
        with torch.no_grad():
            maps = method._model_compiled(x)["saliency_map"].double().numpy()
        if maps.ndim == 4:
            maps = maps[:, target.spec["class"]]
        return {"feature_map": maps, "package_map": None}
    return run


reciprocam = openvino_xai(TorchReciproCAM)
activation_map = openvino_xai(TorchActivationMap)
