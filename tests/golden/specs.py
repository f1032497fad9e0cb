"""Which networks become goldens, and how each is exported."""

from dataclasses import dataclass, field
from typing import Callable, Optional

import encoders
import nets


@dataclass
class Spec:
    """`opset` None: today's default exporter; a number: the TorchScript exporter at that opset."""

    name: str
    build: Callable
    shape: tuple  # of one input, without the batch
    opset: Optional[int] = None
    keep_batch_norm: bool = False
    external_data: bool = False
    dynamic: bool = False  # batch and spatial sizes
    end: Optional[str] = None  # the activation that follows the logits
    # Per layer that is no [n, c, ...]: how many tokens come before those of the grid, and the grid.
    grids: dict = field(default_factory=dict)
    seed: int = 0  # one that gives maps worth keeping


SPECS = [
    # Global average pooling and one linear layer.
    Spec("gap", nets.plain, (3, 35, 35)),
    Spec("gap_bn_kept", nets.four_convs, (3, 33, 33), 13, keep_batch_norm=True, seed=1),
    Spec("gap_bn_folded", nets.four_convs, (3, 33, 33), 13, seed=1),
    Spec("resnet", nets.resnet, (3, 49, 49), 13, dynamic=True),
    Spec("resnet_preactivation", nets.resnet_preactivation, (3, 37, 37)),
    Spec("densenet", nets.densenet, (3, 41, 41), external_data=True),
    Spec("inception", nets.inception, (3, 41, 41), 17),
    Spec("mobilenet_v2", nets.mobilenet_v2, (3, 40, 40), 11),
    Spec("efficientnet", nets.efficientnet, (3, 40, 40)),
    Spec("shufflenet", nets.shufflenet, (3, 48, 48), 11),
    Spec("dilated", nets.dilated, (3, 35, 35), 9),
    Spec("mean_keepdims", nets.mean_keepdims, (3, 33, 33), seed=2),
    Spec("mean_no_keepdims", nets.mean_no_keepdims, (3, 33, 33), 13, seed=3),
    Spec("pyramid", nets.pyramid, (3, 36, 36), 11),
    Spec("group_norm", nets.group_norm, (3, 33, 33), 17),
    Spec("dynamic_wide", nets.plain, (3, 33, 58), dynamic=True),
    Spec("signal", nets.signal, (2, 101), 13, seed=1),
    Spec("volume", nets.volume, (1, 17, 20, 15)),
    # No linear layer, or more than one, or something between.
    Spec("squeezenet", nets.squeeze, (3, 49, 49), 9),
    Spec("vgg", nets.vgg, (3, 32, 32), 11),
    Spec("vgg_adaptive", nets.vgg_adaptive, (3, 49, 49)),
    Spec("lenet", nets.lenet, (1, 36, 36), 13),
    Spec("mobilenet_v3", nets.mobilenet_v3, (3, 40, 40), 17),
    Spec("convnext", nets.convnext, (3, 48, 48)),
    Spec("max_pooled", nets.max_pooled, (3, 33, 33), 13),
    # Transformers.
    Spec("vit", encoders.vit, (3, 36, 48),
         grids={"default": (1, 6, 8), "early": (1, 6, 8)}),
    Spec("vit_unfolded", encoders.vit_unfolded, (3, 36, 48), grids={"default": (1, 6, 8)}),
    Spec("vit_torch_attention", encoders.vit_torch_attention, (3, 35, 35),
         grids={"default": (1, 7, 7), "early": (1, 7, 7)}),
    Spec("vit_registers", encoders.vit_registers, (3, 30, 42), 17,
         grids={"default": (5, 5, 7), "early": (5, 5, 7)}),
    Spec("vit_mean", encoders.vit_mean, (3, 36, 36), 13,
         grids={"default": (0, 6, 6), "early": (0, 6, 6)}, seed=1),
    Spec("vit_cut_patches", encoders.vit_cut_patches, (3, 36, 48),
         grids={"default": (0, 6, 8), "early": (0, 6, 8)}, seed=1),
    Spec("swin", encoders.swin, (3, 36, 48), grids={"early": (0, 9, 12)}),
    # What the file ends in.
    Spec("softmax_end", nets.softmax_end, (3, 33, 33), 9, end="softmax", seed=4),
    Spec("softmax_4d_end", nets.softmax_4d_end, (3, 33, 33), 13, end="softmax", seed=5),
    Spec("sigmoid_end", nets.sigmoid_end, (3, 33, 33), end="sigmoid", seed=6),
]
