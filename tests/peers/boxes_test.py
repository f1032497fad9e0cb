"""grad-cam's FasterRCNNBoxScoreTarget on torchvision's detectors, their selections inside the file."""

import contextlib
import warnings

import numpy as np
import support
import torch
from pytorch_grad_cam import EigenCAM, GradCAM, HiResCAM
from pytorch_grad_cam.utils.model_targets import FasterRCNNBoxScoreTarget

METHODS = {"gradcam": GradCAM, "hirescam": HiResCAM, "eigencam": EigenCAM}
# Beside the layer that tests/selections takes.
PYRAMID = {"retinanet": "backbone.fpn.layer_blocks.0", "fasterrcnn": "backbone.fpn.layer_blocks.0"}


@contextlib.contextmanager
def attached():
    """A file does not say what PyTorch detaches: Faster R-CNN's proposals."""
    detach, torch.Tensor.detach = torch.Tensor.detach, lambda self: self
    try:
        yield
    finally:
        torch.Tensor.detach = detach


class Detector(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        with attached():
            return self.network(list(images))


class Boxes(support.Compared):
    def compare(self, name):
        export = support.exports()
        network, layer, size, gain, parts = export.DETECTORS[name]()
        network = export.seeded(network, gain, parts)
        image = export.picture(size)
        file = self.folder / "model.onnx"
        order = list(network([image])[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(network, ([image],), str(file), opset_version=17, dynamo=False, input_names=["image"],
                              output_names=order)
        detector = Detector(network)
        layers = [layer, *([PYRAMID[name]] if name in PYRAMID else [])]
        seen = {}
        hooks = [network.get_submodule(each).register_forward_hook(
            lambda _, __, out, each=each: seen.update({each: out.detach().numpy()})) for each in layers]
        with torch.no_grad():
            network([image])
        for hook in hooks:
            hook.remove()
        values = {each: export.value_of(file, image.numpy(), seen[each]) for each in layers}

        network.double()
        with torch.no_grad():
            found = detector(image.double()[None])[0]
        (self.folder / "all.json").write_text('{"task": "in-file", "boxes": {"threshold": 0}}')
        said = self.program("predict", file, {"image": image.numpy()}, "--task", "all.json")["boxes"]
        self.assertEqual(len(said), len(found["boxes"]))
        for box, wanted, label, score in zip(said, found["boxes"], found["labels"], found["scores"]):
            np.testing.assert_allclose(box["box"], wanted, atol=0.06, err_msg="told in tenths of pixels")
            self.assertEqual(box["class"], int(label))
            self.assertAlmostEqual(box["score"], float(score), places=4)

        # Where the boxes stood, by 4 % of their size: at the very place an overlap has a kink.
        moved = found["boxes"] + 0.04 * (found["boxes"][:, [2, 3, 2, 3]] - found["boxes"][:, [0, 1, 0, 1]])
        for layer in layers:
            module = network.get_submodule(layer)
            for method in ("gradcam", "hirescam"):
                with METHODS[method](model=detector, target_layers=[module]) as cam:
                    wanted = support.raw_map(cam, image.double()[None], lambda output: output["scores"][1])
                _, map_ = self.explained(file, {"image": image.numpy()}, "--task", "all.json", "--target", "box:1",
                                         "--layer", values[layer], "--method", method)
                self.check(f"{name}, score of row 1 at {layer}, {method}", map_, wanted)
            for rows in ([0], [1, 2], list(range(len(moved)))):
                target = FasterRCNNBoxScoreTarget(found["labels"][rows], moved[rows].numpy())
                for method, theirs in METHODS.items():
                    if method == "eigencam" and rows != [0]:
                        continue
                    with theirs(model=detector, target_layers=[module]) as cam:
                        wanted = support.raw_map(cam, image.double()[None], target)
                        output = cam.outputs[0]
                    # The package's target as what it is made of: a row's score, and its corners by the
                    # slope of the overlap.
                    slopes = torch.autograd.grad(target(output), (output["scores"], output["boxes"]))
                    words = "+".join(f"{float(slope)!r}*{key}[{','.join(map(str, at))}]"
                                     for key, slope_of in zip(("scores", "boxes"), slopes)
                                     for at, slope in np.ndenumerate(slope_of.numpy()) if slope != 0)
                    score, map_ = self.explained(file, {"image": image.numpy()}, "--target", words.replace("+-", "-"),
                                             "--layer", values[layer], "--method", method)
                    value = sum((slope * output[key]).sum().item() for key, slope in zip(("scores", "boxes"), slopes))
                    self.assertAlmostEqual(score, value, delta=1e-4 * max(1, abs(value)))
                    if method == "eigencam":
                        map_ *= np.sign((map_ * wanted).sum())
                    self.check(f"{name}, boxes {','.join(map(str, rows))} at {layer}, {method}", map_, wanted)

    def test_ssdlite(self):
        self.compare("ssdlite")

    def test_retinanet(self):
        self.compare("retinanet")

    def test_faster_rcnn(self):
        self.compare("fasterrcnn")
