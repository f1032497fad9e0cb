"""grad-cam's SemanticSegmentationTarget on torchvision's segmentations, beside --task segmentation."""

import copy
import warnings

import numpy as np
import support
import torch
from pytorch_grad_cam import GradCAM, HiResCAM
from pytorch_grad_cam.utils.model_targets import SemanticSegmentationTarget
from torchvision.models import segmentation
from torchvision.models.resnet import Bottleneck

METHODS = {"gradcam": GradCAM, "hirescam": HiResCAM}
CLASSES, HEIGHT, WIDTH = 6, 96, 128


def lraspp():
    return segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)


def deeplabv3():
    return segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)


def fcn():
    return segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=CLASSES)


# The last map of the backbone: the coarsest one.
NETWORKS = {"lraspp_mobilenet_v3_large": (lraspp, "backbone.16"),
            "deeplabv3_mobilenet_v3_large": (deeplabv3, "backbone.16"),
            "fcn_resnet50": (fcn, "backbone.layer4")}


class Scores(torch.nn.Module):
    """The segmentation without the dictionary around it."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)["out"]


def settled(make):
    """Random weights of a seed, and batch norms that have seen pictures."""
    torch.manual_seed(19)
    network = make().train()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None
        if isinstance(part, Bottleneck):
            # As training leaves them; else depth multiplies rounding until no two libraries agree.
            torch.nn.init.constant_(part.bn3.weight, 0.2)
    with torch.no_grad():
        for _ in range(2):
            network(torch.stack([picture(seed) for seed in range(4)]))
    return Scores(network).eval()


def picture(seed):
    """Noise, with blocks of colour in it."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(-1, 1, (3, HEIGHT, WIDTH))
    for _ in range(6):
        top, left = draw.integers(0, HEIGHT - 32), draw.integers(0, WIDTH - 32)
        x[:, top:top + 32, left:left + 32] = draw.uniform(-2, 2, (3, 1, 1))
    return torch.tensor(x, dtype=torch.float32)


def clear_picture(network, doubles):
    """The first for which no ReLU behind the layer stands so near its kink that rounding chooses the gradient."""
    def before_relus(of, x):
        found = []
        hooks = [part.register_forward_pre_hook(lambda _, before: found.append(before[0].double().clone()))
                 for part in of.network.classifier.modules() if isinstance(part, torch.nn.ReLU)]
        with torch.no_grad():
            of(x)
        for hook in hooks:
            hook.remove()
        return found

    for seed in range(100, 200):
        x = picture(seed)[None]
        both = zip(before_relus(network, x), before_relus(doubles, x.double()))
        if all(exact.abs().min() > 4 * (rounded - exact).std() for rounded, exact in both):
            return x
    raise AssertionError("every picture stands at a kink")


class Segments(support.Compared):
    def compare(self, name, new_exporter):
        make, layer = NETWORKS[name]
        network = settled(make)
        doubles = copy.deepcopy(network).double()
        x = clear_picture(network, doubles)
        file = self.folder / "model.onnx"
        how = {"dynamo": True, "external_data": False} if new_exporter else {"dynamo": False, "opset_version": 17}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(network, (x,), str(file), input_names=["image"], output_names=["scores"],
                              verbose=False, **how)
        seen = {}
        module = network.network.get_submodule(layer)
        hook = module.register_forward_hook(lambda _, __, out: seen.update(layer=out.detach().numpy()))
        with torch.no_grad():
            predicted = network(x)[0].argmax(0).numpy()
        hook.remove()
        value = support.exports().value_of(file, x.numpy(), seen["layer"])

        classes, counts = np.unique(predicted, return_counts=True)
        first, second = classes[np.argsort(-counts)[:2]]
        draw = np.random.default_rng(7)
        drawn = (draw.uniform(size=predicted.shape) < 0.1).astype(np.float32)
        signed = np.zeros_like(drawn)
        signed[30:60, 40:64], signed[30:60, 64:88] = 1, -1
        place = np.zeros_like(drawn)
        place[50, 70] = 1
        np.save(self.folder / "drawn.npy", drawn)
        np.save(self.folder / "signed.npy", signed)
        cases = [("what was predicted", first, (predicted == first).astype(np.float32), f"mask:{first}"),
                 ("the second class", second, (predicted == second).astype(np.float32), f"mask:{second}"),
                 ("a drawn mask", second, drawn, f"mask:drawn.npy@{second}"),
                 ("a border", first, signed, f"mask:signed.npy@{first}"),
                 ("a pixel", first, place, f"pixel:70,50@{first}")]
        module = doubles.network.get_submodule(layer)
        for what, index, mask, words in cases:
            for method, theirs in METHODS.items():
                with theirs(model=doubles, target_layers=[module]) as cam:
                    target = SemanticSegmentationTarget(int(index), mask.astype(np.float64))
                    wanted = support.raw_map(cam, x.double(), target)
                    score = target(cam.outputs[0]).item()
                got, map_ = self.explained(file, {"image": x.numpy()}, "--task", "segmentation", "--target", words,
                                           "--layer", value, "--method", method)
                # The package's target is the sum over the mask, the program's the mean.
                size = np.abs(mask).sum()
                exporter = "torch.export" if new_exporter else "TorchScript"
                self.check(f"{name} ({exporter}), {what}, {method}", map_ * size, wanted)
                self.assertAlmostEqual(got * size / score, 1, delta=1e-3)


def add(name, new_exporter):
    def test(self):
        self.compare(name, new_exporter)
    setattr(Segments, f"test_{name}_{'export' if new_exporter else 'script'}", test)


for each in NETWORKS:
    add(each, True)
    add(each, False)
