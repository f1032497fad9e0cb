"""The classification networks of torchvision, and what the zoo expects of each family."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    pattern: str
    # The module whose output is the last feature map that feeds the head.
    feature_map: str
    size: int = 224
    arguments: tuple = ()
    attention: bool = False
    layout: str = "channels first"  # or "channels last", "tokens"
    tokens_before: int = 0  # of tokens: those in front of the patches, which lie on a square grid


FAMILIES = [
    Family(r"alexnet", "features.11"),  # the ReLU before the last pool
    Family(r"convnext_.*", "features"),
    Family(r"densenet.*", "features"),  # whose output a ReLU then overwrites
    Family(r"efficientnet_.*", "features"),
    Family(r"googlenet", "inception5b", arguments=(("init_weights", False),)),
    Family(r"inception_v3", "Mixed_7c", 299, (("init_weights", False),)),
    Family(r"mnasnet.*", "layers"),
    Family(r"mobilenet_.*", "features"),
    Family(r"regnet_.*", "trunk_output"),
    Family(r"(wide_)?resne[x]?t.*", "layer4"),
    Family(r"shufflenet_.*", "conv5"),
    Family(r"squeezenet.*", "classifier.2"),  # the ReLU after the last convolution
    Family(r"vgg.*", "features.-2"),  # the ReLU before the last pool
    Family(r"swin_.*", "permute", attention=True),
    Family(r"maxvit_.*", "blocks.-1", attention=True),
    # The first norm of the last block: behind it the class token alone leads to the scores.
    Family(r"vit_.*", "encoder.layers.-1.ln_1", attention=True, layout="tokens",
           tokens_before=1),
]

# Run only when --only matches them: why.
LEFT_OUT = {
    "regnet_y_128gf": "645 million parameters; the seven smaller RegNetY have the same layers",
    "vit_h_14": "632 million parameters; the four smaller ViT have the same layers",
}


def family_of(name):
    for family in FAMILIES:
        if re.fullmatch(family.pattern, name):
            return family
    raise SystemExit(f"{name}: a family that networks.py does not know")
