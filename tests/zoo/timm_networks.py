"""Networks of timm, of kinds that torchvision has none of, and what the zoo expects of each."""

from dataclasses import dataclass

EXPORTERS = ("dynamo", "torchscript")


@dataclass(frozen=True)
class Network:
    """The last feature map that feeds the head is what `forward_features` returns, or the output of
    the module `feature_map`."""
    size: int = 128
    feature_map: str = ""
    layout: str = "channels first"  # or "channels last", "tokens"
    tokens_before: int = 0  # of tokens: those in front of the patches
    exporters: tuple = EXPORTERS


NETWORKS = {
    "bat_resnext26ts": Network(256),
    "botnet26t_256": Network(256),
    "cait_xxs24_224": Network(224, "blocks.23", "tokens"),
    "coatnet_nano_rw_224": Network(224),
    "dm_nfnet_f0": Network(96),
    "eca_nfnet_l0": Network(),
    "edgenext_xx_small": Network(),
    "efficientformer_l1": Network(224, layout="tokens"),
    "efficientformerv2_s0": Network(224),
    "fastvit_t8": Network(),
    "focalnet_tiny_srf": Network(),
    "gcresnext26ts": Network(),
    "hardcorenas_a": Network(),
    "hgnetv2_b0": Network(),
    "inception_next_atto": Network(),
    "lambda_resnet26t": Network(),
    "mobilevit_xxs": Network(),
    "mobilevitv2_050": Network(),
    # The newer exporter cannot translate attention over windows, of five axes.
    "nest_tiny": Network(224, exporters=("torchscript",)),
    "nf_regnet_b0": Network(),
    "nfnet_f0": Network(96),
    "poolformer_s12": Network(),
    "repvit_m0_9": Network(),
    "resnest14d": Network(),
    "selecsls42b": Network(),
    "starnet_s1": Network(),
    "tiny_vit_5m_224": Network(),
    "twins_svt_small": Network(224, layout="tokens", exporters=("torchscript",)),
    "volo_d1_224": Network(224, "post_network.0", "tokens", 1),
    "xcit_nano_12_p16_224": Network(224, "cls_attn_blocks.1.norm1", "tokens", 1),
}


def names():
    return [f"{name}.{exporter}" for name, network in NETWORKS.items()
            for exporter in network.exporters]


def is_one(name):
    return "." in name
