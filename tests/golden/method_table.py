"""Every golden that make_method_goldens.py makes: method, peer, networks, layers, options."""

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Callable, Optional

import method_equations as equations
import method_peers as peers
import method_pixels as pixels
from method_peers import gradcam_package, torchcam_map

GRADCAM = f"grad-cam {version('grad-cam')}"
TORCHCAM = f"torchcam {version('torchcam')}"
CAPTUM = f"captum {version('captum')}"
OPENVINO = f"openvino_xai {version('openvino_xai')}"
AUTOGRAD = "PyTorch's autograd"

CAM = ["gap", "vgg", "shared_relu", "mobilenet_v2", "efficientnet", "densenet"]
FEW = ["gap", "vgg", "shared_relu", "efficientnet"]
RELU = ["gap", "vgg", "shared_relu", "densenet"]  # without an activation of another kind
PIXEL = ["gap", "vgg", "shared_relu", "efficientnet"]
EACH = (("default",), ("early",))
DEFAULT = (("default",),)
BOTH = (("default", "early"),)
IMAGE = ((),)  # the input itself


@dataclass
class Method:
    """`target` None: the map knows no class. The other fields are those of the manifest."""

    name: str
    peer: str
    run: Callable
    networks: list
    layers: tuple = EACH
    kind: str = "cam"
    target: Optional[str] = "class"
    options: dict = field(default_factory=dict)
    choices: dict = field(default_factory=dict)
    given: tuple = ()
    variant: Optional[str] = None
    fusion: Optional[str] = None
    augment: Optional[str] = None
    sign_free: bool = False
    tolerance: Optional[str] = None


def eigen(name, peer, run, **more):
    return Method(name, peer, run, FEW, sign_free=True, **more)


def pixel(name, peer, run, networks, **more):
    return Method(name, peer, run, networks, kind="pixel", **{"layers": IMAGE, **more})


def integrated(rule, networks, steps=12, baseline=False, **more):
    given = (("baselines", "baseline"),) if baseline else ()
    return pixel("integrated-gradients", CAPTUM,
                 pixels.of_captum("IntegratedGradients", given, n_steps=steps, method=rule),
                 networks, options={"steps": steps}, choices={"rule": rule},
                 given=("baseline",) if baseline else (), **more)


def noisy(name, kind):
    return pixel(name, CAPTUM, pixels.noise_tunnel(kind), ["gap", "vgg"], given=("noise",))


METHODS = [
    # The layer's gradient.
    Method("gradcam", GRADCAM, gradcam_package("GradCAM"), CAM),
    Method("gradcam++", GRADCAM, gradcam_package("GradCAMPlusPlus"), CAM),
    Method("xgradcam", GRADCAM, gradcam_package("XGradCAM"), CAM),
    Method("xgradcam", TORCHCAM, torchcam_map("XGradCAM", eps=1e-7), ["vgg"]),
    Method("layercam", GRADCAM, gradcam_package("LayerCAM"), CAM),
    Method("layercam", TORCHCAM, torchcam_map("LayerCAM"), ["vgg"]),
    Method("hirescam", GRADCAM, gradcam_package("HiResCAM"), CAM),
    Method("gradcam-elementwise", GRADCAM, gradcam_package("GradCAMElementWise"), CAM),
    Method("smooth-gradcam++", AUTOGRAD, equations.smooth_gradcam_plus_plus, FEW,
           given=("noise",)),
    Method("smooth-gradcam++", TORCHCAM, torchcam_map("SmoothGradCAMpp", 1e-6, num_samples=1),
           ["gap"], DEFAULT, given=("one-noise",),
           variant="weighs the activations of the last noisy image"),
    Method("shapleycam", GRADCAM, gradcam_package("ShapleyCAM"), FEW, tolerance="hessian"),
    Method("shapleycam", GRADCAM, gradcam_package("ShapleyCAM"), FEW, target="rest",
           tolerance="hessian"),
    Method("finercam", GRADCAM, peers.finercam(1, 3), FEW,
           options={"alpha": 1, "comparisons": 3}),
    Method("finercam", GRADCAM, peers.finercam(0.6, 2), ["vgg"],
           options={"alpha": 0.6, "comparisons": 2}),
    Method("finercam", TORCHCAM, torchcam_map("FinerCAM", gamma=0.6, num_references=3), ["vgg"],
           options={"alpha": 0.6, "comparisons": 3}, variant="plain mean of the comparisons"),
    # What the layer holds.
    eigen("eigencam", GRADCAM, gradcam_package("EigenCAM"), target=None),
    eigen("eigengradcam", GRADCAM, gradcam_package("EigenGradCAM")),
    eigen("kpca-cam", GRADCAM, gradcam_package("KPCA_CAM"), target=None),
    eigen("kpca-cam", GRADCAM, gradcam_package("KPCA_CAM", gamma=0.02), target=None,
          options={"gamma": 0.02}),
    Method("fem", GRADCAM, gradcam_package("FEM"), FEW, target=None, options={"k": 2}),
    Method("fem", GRADCAM, gradcam_package("FEM", k=1), FEW, target=None, options={"k": 1}),
    Method("activationmap", OPENVINO, peers.activation_map, FEW, target=None),
    Method("random-cam", GRADCAM, peers.random_cam, FEW, target=None, given=("weights",)),
    # Many heads, or many predictions.
    Method("reciprocam", OPENVINO, peers.reciprocam,
           ["gap", "vgg", "mobilenet_v2", "efficientnet", "densenet"]),
    # It cannot cut a network where another path passes the layer by.
    Method("reciprocam", OPENVINO, peers.reciprocam, ["shared_relu"], DEFAULT),
    Method("ablationcam", GRADCAM, gradcam_package("AblationCAM"), RELU, DEFAULT),
    Method("ablationcam", AUTOGRAD, equations.ablationcam, FEW),
    Method("scorecam", GRADCAM, gradcam_package("ScoreCAM"), FEW, DEFAULT,
           variant="masks resized between corners, then scaled"),
    Method("scorecam", TORCHCAM, torchcam_map("ScoreCAM"), FEW),
    Method("ss-cam", TORCHCAM, torchcam_map("SSCAM", num_samples=2), ["vgg"], DEFAULT,
           options={"samples": 2}, given=("mask-noise",)),
    Method("is-cam", TORCHCAM, torchcam_map("ISCAM", num_samples=5), FEW, DEFAULT,
           options={"samples": 5}),
    Method("fullgrad", GRADCAM, peers.fullgrad,
           ["gap", "vgg", "shared_relu", "gap_bn_kept", "densenet"], IMAGE),
    # Targets, layers, augmentation.
    *[Method("gradcam", GRADCAM, gradcam_package("GradCAM"), ["vgg", "gap", "softmax_end"],
             target=kind) for kind in ("probability", "difference", "counterfactual")],
    Method("layercam", GRADCAM, gradcam_package("LayerCAM"), ["vgg", "efficientnet"],
           target="probability"),
    *[Method(name, GRADCAM, gradcam_package(package), ["vgg", "efficientnet"], BOTH, fusion="mean")
      for name, package in (("gradcam", "GradCAM"), ("layercam", "LayerCAM"))],
    Method("gradcam", TORCHCAM, peers.torchcam_fused, ["vgg", "efficientnet"], BOTH, fusion="max"),
    Method("gradcam", GRADCAM, peers.refined, ["vgg", "efficientnet"], BOTH, fusion="product"),
    Method("gradcam", GRADCAM, gradcam_package("GradCAM", aug_smooth=True), ["vgg", "efficientnet"],
           DEFAULT, augment="flips and factors 0.9, 1, 1.1"),
    # The gradient to the input.
    pixel("saliency", CAPTUM, pixels.of_captum("Saliency", abs=True), CAM),
    pixel("saliency", CAPTUM, pixels.of_captum("Saliency", abs=False), ["vgg"],
          variant="signed"),
    pixel("gradient-x-input", CAPTUM, pixels.of_captum("InputXGradient"), PIXEL),
    noisy("smoothgrad", "smoothgrad"),
    noisy("smoothgrad-squared", "smoothgrad_sq"),
    noisy("vargrad", "vargrad"),
    integrated("gausslegendre", ["vgg", "efficientnet"]),
    integrated("gausslegendre", ["gap"], baseline=True),
    integrated("riemann_right", ["gap"]),
    integrated("riemann_right", ["vgg"], baseline=True),
    integrated("riemann_trapezoid", ["gap"], variant="weights that sum to 1 - 1/steps"),
    pixel("guided-backprop", CAPTUM, pixels.of_captum("GuidedBackprop"), RELU + ["mobilenet_v2"]),
    pixel("guided-backprop", GRADCAM, pixels.guided_backprop_package, ["shared_relu"]),
    pixel("deconvolution", CAPTUM, pixels.of_captum("Deconvolution"), RELU),
    pixel("guided-gradcam", CAPTUM, pixels.guided_gradcam_captum("bilinear"), ["gap", "vgg"],
          layers=DEFAULT),
    pixel("guided-gradcam", CAPTUM, pixels.guided_gradcam_captum("nearest"), ["vgg"],
          layers=DEFAULT, variant="map resized to the nearest"),
    pixel("guided-gradcam", GRADCAM, pixels.guided_gradcam_package, ["vgg"], layers=DEFAULT,
          variant="map scaled to [0, 1]"),
]
