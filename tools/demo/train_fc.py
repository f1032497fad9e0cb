"""Makes demo_fc.onnx: demo_gap's feature extractor under two fully connected layers, trained on drawn scenes.

    cmake --build build/release --target fovea-demo-scenes
    python tools/demo/train_fc.py --generator GENERATOR   # after train.py has made demo_gap.onnx

The features stay as they are; the head is max-pool, flatten, linear, ReLU, linear. It starts as the pool +
linear head it replaces, the same weights at every position, and each position then learns its own. Minutes
on one core.
"""

import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

from train import FIRST_TRAINING_SEED, HELD_OUT, Generator

HERE = pathlib.Path(__file__).resolve().parent
HIDDEN = 32
POOL = 3


def feature_value(model: onnx.ModelProto) -> str:
    """What global pooling reads."""
    return next(n.input[0] for n in model.graph.node if n.op_type in ("ReduceMean", "GlobalAveragePool"))


def features_of(model: onnx.ModelProto, rgb: np.ndarray) -> torch.Tensor:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    name = feature_value(model)
    copy.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(copy.SerializeToString(), options)
    parts = []
    for start in range(0, len(rgb), 20):
        x = ((rgb[start:start + 20].astype(np.float32) / 255 - 0.5) / 0.5).transpose(0, 3, 1, 2)
        parts.append(session.run([name], {model.graph.input[0].name: np.ascontiguousarray(x)})[0])
    return torch.from_numpy(np.concatenate(parts))


def linear_of(model: onnx.ModelProto):
    """The weights [classes, channels] and bias of demo_gap's linear layer."""
    gemm = next(n for n in model.graph.node if n.op_type == "Gemm")
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    weight, bias = tensors[gemm.input[1]], tensors[gemm.input[2]]
    transposed = any(a.name == "transB" and a.i for a in gemm.attribute)
    return torch.tensor(weight if transposed else weight.T), torch.tensor(bias)


class Head(nn.Module):
    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, rows: int, columns: int):
        super().__init__()
        classes, channels = weight.shape
        self.first = nn.Linear(channels * rows * columns, HIDDEN)
        self.last = nn.Linear(HIDDEN, classes)
        positions = rows * columns
        with torch.no_grad():
            # A class's score is the difference of two hidden units: its positive and its negative part.
            shared = torch.cat([weight, -weight, 0.1 * torch.randn(HIDDEN - 2 * classes, channels)])
            self.first.weight.copy_(
                (shared / positions)[:, :, None].expand(-1, -1, positions).reshape(HIDDEN, -1))
            self.first.bias.zero_()
            self.last.weight.mul_(0.1)
            for c in range(classes):
                self.last.weight[c, c] = 1
                self.last.weight[c, classes + c] = -1
            self.last.bias.copy_(bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(features, POOL).flatten(1)
        return self.last(functional.relu(self.first(x)))


def in_box(head: Head, features: torch.Tensor, truth, size) -> list:
    """Share of Grad-CAM maxima in the box of the first object, and of the second."""
    hits = [0, 0]
    for image, scene in zip(features, truth):
        a = image[None].requires_grad_()
        logits = head(a)
        for i, thing in enumerate(scene["objects"][:2]):
            grad, = torch.autograd.grad(logits[0, thing["class"]], a, retain_graph=True)
            cam = functional.relu((grad.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True)).detach()
            cam = functional.interpolate(cam, size, mode="bilinear")[0, 0]
            y, x = divmod(int(cam.argmax()), size[1])
            x0, y0, x1, y1 = thing["box"]
            hits[i] += cam.max() > 0 and x0 <= x < x1 and y0 <= y < y1
    return [hit / len(truth) for hit in hits]


def write(model: onnx.ModelProto, head: Head, path: pathlib.Path):
    """demo_gap's nodes up to the features, then the head."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    name = feature_value(model)
    made = {name}
    kept = []
    for node in reversed(model.graph.node):
        if any(output in made for output in node.output):
            kept.insert(0, node)
            made.update(node.input)
    weights = {"fc1.weight": head.first.weight, "fc1.bias": head.first.bias,
               "fc2.weight": head.last.weight, "fc2.bias": head.last.bias}
    nodes = [
        helper.make_node("MaxPool", [name], ["pooled"], "pool", kernel_shape=[POOL, POOL],
                         strides=[POOL, POOL]),
        helper.make_node("Flatten", ["pooled"], ["flat"], "flatten", axis=1),
        helper.make_node("Gemm", ["flat", "fc1.weight", "fc1.bias"], ["hidden"], "fc1", transB=1),
        helper.make_node("Relu", ["hidden"], ["active"], "relu_fc1"),
        helper.make_node("Gemm", ["active", "fc2.weight", "fc2.bias"], [model.graph.output[0].name],
                         "fc2", transB=1)]
    del out.graph.node[:], out.graph.value_info[:]
    out.graph.node.extend(kept + nodes)
    initializers = [t for t in model.graph.initializer if t.name in made]
    del out.graph.initializer[:]
    out.graph.initializer.extend(initializers)
    out.graph.initializer.extend(
        numpy_helper.from_array(value.detach().numpy(), key) for key, value in weights.items())
    onnx.checker.check_model(out, full_check=True)
    onnx.save(out, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, default=HERE / "models")
    parser.add_argument("--scenes", type=int, default=320)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = onnx.load(options.models / "demo_gap.onnx")
    generator = Generator(options.generator)
    rgb, _, truth = generator.draw(FIRST_TRAINING_SEED, options.scenes)
    features, present = features_of(model, rgb), generator.present(truth)
    rows, columns = (extent // POOL for extent in features.shape[2:])
    head = Head(*linear_of(model), rows, columns)
    held_rgb, _, held_truth = generator.draw(*HELD_OUT)
    held = features_of(model, held_rgb)
    size = held_rgb.shape[1:3]
    print("at the start", in_box(head, held, held_truth, size), flush=True)
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-4, weight_decay=0.01)
    for epoch in range(options.epochs):
        losses = []
        for batch in torch.randperm(len(features)).split(32):
            loss = functional.binary_cross_entropy_with_logits(head(features[batch]), present[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    head.eval()
    first, second = in_box(head, held, held_truth, size)
    with torch.no_grad():
        right = ((head(held) > 0) == (generator.present(held_truth) > 0)).all(1).double().mean()
    print(f"held out: in the box {first:.3f} and {second:.3f}; all classes right {right:.3f}")
    write(model, head, options.models / "demo_fc.onnx")


if __name__ == "__main__":
    main()
