"""What can be measured: a row per process of a round."""

from dataclasses import dataclass, field
from typing import Optional

from catalogue import NETWORKS


@dataclass(frozen=True)
class Contestant:
    name: str
    environment: Optional[str]  # of requirements/; None: a program of this repository
    module: str  # of peers/, or the program
    batch: int = 1
    arguments: tuple = ()
    plan_cache: str = ""  # "reads" or "writes" the network's file
    least: Optional[int] = None  # runs; nothing more is measured of the steady state
    maps: bool = False  # its maps are held against autograd's
    minmax: bool = False  # its maps are scaled by their least and largest value, not the largest
    keras: bool = False  # takes keras.applications' network, not the ONNX file's
    networks: Optional[tuple] = None  # None: all
    layers: dict = field(default_factory=dict)  # of the ONNX file, by network; else the default
    warm_up: bool = True  # False: the first run does
    variables: dict = field(default_factory=dict)  # of its environment; None: not set

    def takes(self, network):
        if self.networks is not None and network not in self.networks:
            return False
        return not self.keras or NETWORKS[network].keras is not None


# In the order of a round: what is compared most closely stands side by side.
CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        # Tunes, and leaves what it found to the next.
        Contestant("fovea-cold", None, "fovea_worker", plan_cache="writes", least=2),
        Contestant("fovea", None, "fovea_worker", plan_cache="reads", maps=True),
        Contestant("onnxruntime", "main", "onnxruntime"),
        Contestant("openvino", "main", "openvino"),
        Contestant("floor", None, "floor"),
        Contestant("fovea-auto", None, "fovea_worker", arguments=("--precision", "auto"),
                   maps=True),
        Contestant("fovea-bf16", None, "fovea_worker", arguments=("--precision", "bf16"),
                   maps=True),
        Contestant("fovea-class-maps", None, "fovea_worker", plan_cache="reads",
                   arguments=("--task", "class-maps")),
        Contestant("fovea-batch8", None, "fovea_worker", batch=8),
        Contestant("onnxruntime-batch8", "main", "onnxruntime", batch=8),
        Contestant("openvino-batch8", "main", "openvino", batch=8),
        Contestant("torch", "main", "torch_gradient", maps=True),
        Contestant("captum", "main", "captum", maps=True),
        Contestant("grad-cam", "main", "grad_cam", maps=True, minmax=True),
        Contestant("openvino-xai", "xai", "openvino_xai", maps=True, minmax=True),
        Contestant("keras", "keras", "keras_guide", keras=True),
    )
}
