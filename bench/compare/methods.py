"""Each method beside the peer that has it (run.py --methods): what is run, and by how much fovea
should be faster."""

from dataclasses import dataclass, field

from contestants import Contestant

INPUT_GRADIENT = "input-gradient"  # beside a prediction; there is no peer
GRADIENT_TARGET = 2.5  # predictions, at most
GRADIENT_NETWORKS = ("resnet50", "vgg16", "mobilenet_v2")
POOLED = ("resnet50", "mobilenet_v2")


@dataclass(frozen=True)
class Comparison:
    method: str  # fovea's name
    peer: str
    theirs: str  # the peer's name
    target: object = None  # at least so many times as fast; of every network, or by network
    networks: tuple = POOLED
    layers: dict = field(default_factory=dict)  # by network, where the peer takes another by itself
    runs: int = 0  # of the peer in a process, where it takes many seconds; 0: as time allows
    slow: bool = False  # minutes; only when asked for
    sign_free: bool = False  # the sign of the peer's map is arbitrary
    options: str = ""  # fovea's, "NAME=NUMBER,..."
    background: int = 0  # the last inputs, so many, are what images are compared with
    variant: str = ""  # tells apart two ways of one method
    same_map: bool = True  # False: each draws at random what the other does not
    note: str = ""

    @property
    def ours(self):
        return f"fovea:{self.method}{self.variant}"

    @property
    def key(self):
        return f"{self.method}{self.variant}:{self.peer}"

    def target_on(self, network):
        return self.target.get(network) if isinstance(self.target, dict) else self.target


@dataclass(frozen=True)
class Peer:
    environment: str
    module: str
    minmax: bool  # its maps are scaled by their least and largest value
    arguments: tuple = ()


PEERS = {
    "grad-cam": Peer("main", "grad_cam", True),
    "captum": Peer("main", "captum", False),
    "zennit": Peer("main", "zennit_lrp", False),
    "openvino-xai": Peer("xai", "openvino_xai", True, ("--precision", "f32")),
    # It takes bf16 where the CPU has it, slower or not.
    "openvino-xai-as-it-is": Peer("xai", "openvino_xai", True),
}

ONLY_METHODS = ("zennit",)  # peers that are no contestants of Grad-CAM

COMPARISONS = (
    Comparison("gradcam++", "grad-cam", "GradCAMPlusPlus", 7),
    Comparison("layercam", "grad-cam", "LayerCAM", 7),
    Comparison("finercam", "grad-cam", "FinerCAM", 7),
    Comparison("eigencam", "grad-cam", "EigenCAM", 8, sign_free=True),
    Comparison("eigengradcam", "grad-cam", "EigenGradCAM", 12, sign_free=True),
    Comparison("xgradcam", "grad-cam", "XGradCAM"),
    Comparison("hirescam", "grad-cam", "HiResCAM"),
    Comparison("fullgrad", "grad-cam", "FullGrad", 50, runs=3),
    Comparison("saliency", "captum", "Saliency", {"resnet50": 2.5, "mobilenet_v2": 5}),
    Comparison("guided-backprop", "captum", "GuidedBackprop", {"resnet50": 2.5, "mobilenet_v2": 5},
               note="captum guides ReLU modules only: on MobileNetV2, which has ReLU6, its map is "
                    "the plain gradient's"),
    Comparison("gradient-x-input", "captum", "InputXGradient"),
    Comparison("integrated-gradients", "captum", "IntegratedGradients", 3, runs=3,
               note="50 steps; captum takes them in one batch, as is its default"),
    Comparison("reciprocam", "openvino-xai", "RECIPROCAM", {"resnet50": 1.5, "vgg16": 3},
               networks=("resnet50", "vgg16"), layers={"vgg16": "avg_pool2d"},
               note="at the layer that OpenVINO XAI takes by itself, on VGG-16 the 7 x 7 values "
                    "behind the last pooling; its maps are whole numbers up to 255"),
    Comparison("reciprocam", "openvino-xai-as-it-is", "RECIPROCAM",
               networks=("resnet50", "vgg16"), layers={"vgg16": "avg_pool2d"},
               note="in the precision that OpenVINO takes by itself, bf16 where the CPU has it"),
    Comparison("lrp", "zennit", "EpsilonPlusFlat", 5,
               note="fovea starts with the score, zennit with 1: a factor, which scaling takes away. "
                    "zennit hands a residual sum's relevance to both branches whole, but on "
                    "ResNet, which it has a canonizer for: MobileNetV2's maps differ in that"),
    Comparison("lrp", "captum", "LRP", options="composite=6,epsilon=1e-9", variant="-epsilon",
               note="the epsilon rule everywhere; captum takes batch norms as layers of their own "
                    "and knows no rule for ReLU6"),
    Comparison("deep-shap", "captum", "DeepLiftShap", 10, background=10,
               note="10 backgrounds; captum refuses a ReLU that is used twice, as ResNet's are, and "
                    "passes the gradient of ReLU6, for which it has no rule: MobileNetV2's "
                    "attributions miss the sum, and the maps differ"),
    Comparison("deeplift", "captum", "DeepLift", note="as above"),
    Comparison("occlusion", "captum", "Occlusion", {"resnet50": 3.3}, runs=2,
               options="window=32,stride=16,incremental=1",
               note="32 x 32 at stride 16, 169 windows"),
    Comparison("occlusion", "captum", "Occlusion", {"resnet50": 2.2}, runs=2, variant="-plain",
               options="window=32,stride=16,incremental=0",
               note="every window by the whole network"),
    Comparison("rise", "openvino-xai", "RISE", {"resnet50": 1.1, "vgg16": 1.5},
               networks=("resnet50", "vgg16", "mobilenet_v2"), runs=2, options="masks=200,cells=8",
               same_map=False, note="200 masks of each one's own drawing"),
    Comparison("ablationcam", "grad-cam", "AblationCAM", runs=1, slow=True,
               note="grad-cam runs the network before the layer again for every channel"),
    Comparison("scorecam", "grad-cam", "ScoreCAM", runs=1, slow=True),
)

METHODS = (*dict.fromkeys(c.method for c in COMPARISONS), INPUT_GRADIENT)


def chosen(methods, peers, slow=False):
    """The comparisons of these methods with these peers; of no methods: all, the slow ones when
    asked for."""
    return [c for c in COMPARISONS if c.peer.removesuffix("-as-it-is") in peers
            and (c.method in methods if methods else slow or not c.slow)]


def pair(comparison, network_names):
    """The two processes that are compared, fovea's first."""
    c = comparison
    peer = PEERS[c.peer]
    networks = tuple(name for name in c.networks if name in network_names)
    common = {"networks": networks, "maps": True, "layers": c.layers}
    signed = ("--keep-sign", "1") if c.sign_free else ()
    options = ("--options", c.options) if c.options else ()
    background = ("--background", str(c.background)) if c.background else ()
    return [
        Contestant(c.ours, None, "fovea_worker",
                   arguments=("--task", "method", "--method", c.method, *signed, *options,
                              *background),
                   least=c.runs if c.slow else None, warm_up=not c.slow, **common),
        Contestant(c.key, peer.environment, peer.module,
                   arguments=("--method", c.theirs, *peer.arguments, *background),
                   least=c.runs or None, warm_up=c.runs == 0, **common),
    ]


def contestants(methods, peers, slow, network_names):
    """A row per process of a round."""
    rows = [row for comparison in chosen(methods, peers, slow)
            for row in pair(comparison, network_names)]
    rows = list({row.name: row for row in rows}.values())  # one of ours for all of theirs
    if not methods or INPUT_GRADIENT in methods:
        networks = tuple(name for name in GRADIENT_NETWORKS if name in network_names)
        rows.append(Contestant(INPUT_GRADIENT, None, "input_gradient", networks=networks))
    return rows
