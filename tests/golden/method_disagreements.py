#!/usr/bin/env python3
"""Prints where the packages part from each other, from the equation, or from themselves: what
README.md beside this file says of them. Run as make_method_goldens.py is."""

import copy
import logging
import warnings

import numpy as np
import torch
from torch import nn

from make_goldens import BATCH, define_vision_operators, images, initialise


def apart(a, b):
    """The largest difference as a share of b's largest magnitude, the worse of the images."""
    return max(np.abs(one - other).max() / np.abs(other).max() for one, other in zip(a, b))


def prepared(spec):
    net = initialise(spec.build(), spec.shape, spec.seed).double()
    net.end = nn.Flatten()
    return net, torch.from_numpy(images(spec.shape, BATCH, 1)).double()


def compare(title, a, b):
    try:
        print(f"{title}: {apart(a(), b()):.2g}")
    except Exception as error:
        print(f"{title}: {type(error).__name__}: {str(error).splitlines()[0]}")


def maps(run, net, x, layer, k=0, **given):
    from method_targets import Target
    parts = run(copy.deepcopy(net), x, [layer], Target(kind="class", **{"class": k}), given)
    return parts["feature_map"] if "feature_map" in parts else parts["attribution"]


def main():
    library = define_vision_operators()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    import method_equations as equations
    import method_peers as peers
    import method_pixels as pixels
    from method_nets import NETWORKS
    from method_peers import gradcam_package, torchcam_map

    networks = {network.spec.name: network for network in NETWORKS}
    vgg, x = prepared(networks["vgg"].spec)
    silu, y = prepared(networks["efficientnet"].spec)
    shared, z = prepared(networks["shared_relu"].spec)
    twin = networks["shared_relu"].twin()
    twin.load_state_dict(shared.state_dict())
    twin = twin.double().eval()
    twin.end = nn.Flatten()
    none = torch.zeros(1, *x.shape, dtype=torch.float64)

    compare("torchcam's GradCAMpp against grad-cam's, vgg",
            lambda: maps(torchcam_map("GradCAMpp", eps=1e-6), vgg, x, "default"),
            lambda: maps(gradcam_package("GradCAMPlusPlus"), vgg, x, "default"))
    compare("torchcam's SmoothGradCAMpp without noise against grad-cam's Grad-CAM++, vgg",
            lambda: maps(torchcam_map("SmoothGradCAMpp", eps=1e-6, num_samples=1), vgg, x,
                         "default", noise=none),
            lambda: maps(gradcam_package("GradCAMPlusPlus"), vgg, x, "default"))
    compare("this equation of Smooth Grad-CAM++ without noise against grad-cam's Grad-CAM++, vgg",
            lambda: maps(equations.smooth_gradcam_plus_plus, vgg, x, "default", noise=none),
            lambda: maps(gradcam_package("GradCAMPlusPlus"), vgg, x, "default"))
    compare("torchcam's ScoreCAM against grad-cam's, vgg",
            lambda: maps(torchcam_map("ScoreCAM"), vgg, x, "default"),
            lambda: maps(gradcam_package("ScoreCAM"), vgg, x, "default"))
    compare("torchcam's FinerCAM (alpha 1) against grad-cam's, vgg",
            lambda: maps(torchcam_map("FinerCAM", gamma=1.0), vgg, x, "default"),
            lambda: maps(peers.finercam(1, 3), vgg, x, "default"))
    compare("grad-cam's AblationCAM against the equation, vgg",
            lambda: maps(gradcam_package("AblationCAM"), vgg, x, "default"),
            lambda: maps(equations.ablationcam, vgg, x, "default"))
    compare("grad-cam's AblationCAM against the equation, efficientnet (negative activations)",
            lambda: maps(gradcam_package("AblationCAM"), silu, y, "default"),
            lambda: maps(equations.ablationcam, silu, y, "default"))
    compare("captum's guided backpropagation against grad-cam's, one ReLU shared, plain twin",
            lambda: maps(pixels.of_captum("GuidedBackprop"), twin, z, "default"),
            lambda: maps(pixels.guided_backprop_package, twin, z, "default"))
    for title, run in {
        "grad-cam's GradCAM": gradcam_package("GradCAM"),
        "torchcam's GradCAM": torchcam_map("GradCAM"),
        "captum's guided backpropagation": pixels.of_captum("GuidedBackprop"),
        "captum's deconvolution": pixels.of_captum("Deconvolution"),
        "grad-cam's guided backpropagation": pixels.guided_backprop_package,
        "OpenVINO XAI's ReciproCAM": peers.reciprocam,
    }.items():
        compare(f"{title} on one ReLU in place throughout, early layer, against its plain twin",
                lambda: maps(run, shared, z, "early"), lambda: maps(run, twin, z, "early"))
    del library


if __name__ == "__main__":
    main()
