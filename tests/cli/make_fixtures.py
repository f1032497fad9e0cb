#!/usr/bin/env python3
"""Writes the little models that the command line is tested with into fixtures/.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install onnx==1.23.2 numpy==2.4.6
    /tmp/venv/bin/python tests/cli/make_fixtures.py

Their answers are known without running them: every feature map is a colour of the input (negative
values cut off), every score the mean of one colour, so the Grad-CAM map of a class is that colour
divided by the number of pixels, and CAM's is the colour itself.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parent / "fixtures"
FLOAT = TensorProto.FLOAT
SIZE = 16


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array, np.float32), name)


def head(classes, features="features"):
    """Global pooling, then a linear layer that hands each channel's mean on."""
    nodes = [
        helper.make_node("GlobalAveragePool", [features], ["pooled"], "pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "identity"], ["scores"], "linear"),
    ]
    return nodes, [constant("identity", np.eye(classes))]


def colours(data="data", channels=3, spatial=2):
    """A pointwise convolution that changes nothing, and a ReLU."""
    shape = (channels, channels) + (1,) * spatial
    nodes = [
        helper.make_node("Conv", [data, "kernel"], ["mixed"], "mix"),
        helper.make_node("Relu", ["mixed"], ["features"], "relu"),
    ]
    return nodes, [constant("kernel", np.eye(channels).reshape(shape))]


def save(name, nodes, inputs, outputs, initializers=(), metadata=None, check=True):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)],
                              producer_name="make_fixtures")
    if metadata:
        helper.set_model_props(model, metadata)
    if check:
        onnx.checker.check_model(model, full_check=True)
    onnx.save(model, FOLDER / f"{name}.onnx")


def simple(name, shape, channels=3, metadata=None, before=(), data="data"):
    """`before` turns the input "data" into `data`, [n, channels, ...]."""
    body, kernel = colours(data, channels, max(len(shape) - 2, 1))
    tail, identity = head(channels)
    save(name, [*before, *body, *tail], [value("data", shape)], [value("scores", [shape[0], channels])],
         kernel + identity, metadata)


def main():
    FOLDER.mkdir(exist_ok=True)
    simple("colours", ["N", 3, SIZE, SIZE])
    body, kernel = colours()
    save("segments", [*body, helper.make_node("Identity", ["features"], ["segments"], "out")],
         [value("data", [1, 3, SIZE, SIZE])], [value("segments", [1, 3, SIZE, SIZE])], kernel)
    simple("open_extents", ["N", 3, "H", "W"])
    simple("pair", [2, 3, SIZE, SIZE])
    simple("grey", [1, 1, SIZE, SIZE], channels=1)
    simple("volume", [1, 3, 4, 6, 8])
    # A map per class, pooled to the scores, as SqueezeNet ends; of the first mostly a bias.
    body, kernel = colours()
    save("class_maps", [*body, helper.make_node("Conv", ["features", "classes", "bias"], ["sums"], "sum"),
                        helper.make_node("Relu", ["sums"], ["class_maps"], "above"),
                        helper.make_node("GlobalAveragePool", ["class_maps"], ["pooled"], "pool"),
                        helper.make_node("Flatten", ["pooled"], ["scores"], "flatten")],
         [value("data", ["N", 3, SIZE, SIZE])], [value("scores", ["N", 2])],
         [*kernel, constant("classes", np.reshape([[1, 0, 0.5], [0, 1, 0.25]], (2, 3, 1, 1))),
          constant("bias", [1000, 0])])
    simple("labelled", [1, 3, SIZE, SIZE], metadata={
        "fovea.labels": "crimson\nemerald\nazure",
        "fovea.activation": "sigmoid",
        "fovea.preprocess": json.dumps({"geometry": "stretch"}),
    })
    simple("bad_recipe", [1, 3, SIZE, SIZE], metadata={"fovea.preprocess": '{"colour": "RGB"}'})
    simple("nhwc", [1, SIZE, SIZE, 3], data="planes", before=[
        helper.make_node("Transpose", ["data"], ["planes"], "to_planes", perm=[0, 3, 1, 2])])

    # Two inputs, two outputs: the second lists the classes backwards.
    body, kernel = colours("photo")
    nodes = [*body,
             helper.make_node("Mul", ["features", "gain"], ["scaled"], "scale"),
             *head(3, "scaled")[0],
             helper.make_node("Gemm", ["scores", "backwards"], ["reversed"], "turn")]
    save("two_inputs", nodes, [value("photo", [1, 3, SIZE, SIZE]), value("gain", [1, 3, 1, 1])],
         [value("scores", [1, 3]), value("reversed", [1, 3])],
         [*kernel, *head(3)[1], constant("backwards", np.eye(3)[::-1])])

    save("no_image", [helper.make_node("Gemm", ["row", "weights"], ["scores"], "linear")],
         [value("row", [1, 10])], [value("scores", [1, 3])],
         [constant("weights", np.arange(30).reshape(10, 3))])

    # Small, but of many convolutions that differ, each of which is worth timing.
    nodes, sizes, last = [], [], "data"
    for i in range(40):
        shape = [33 + i, 3 if i == 0 else 32 + i, 3, 3]
        sizes.append(numpy_helper.from_array(np.asarray(shape, np.int64), f"shape{i}"))
        nodes += [
            helper.make_node("ConstantOfShape", [f"shape{i}"], [f"kernel{i}"],
                             value=numpy_helper.from_array(np.asarray([0.01], np.float32))),
            helper.make_node("Conv", [last, f"kernel{i}"], [f"conv{i}"], pads=[1, 1, 1, 1])]
        last = f"conv{i}"
    tail, identity = head(72, last)
    save("slow_to_tune", nodes + tail, [value("data", [1, 3, 256, 256])],
         [value("scores", [1, 72])], sizes + identity)

    strange = helper.make_node("Frobnicate", ["mixed"], ["features"], "strange")
    save("unknown_op", [colours()[0][0], strange, *head(3)[0]],
         [value("data", [1, 3, SIZE, SIZE])], [value("scores", [1, 3])],
         colours()[1] + head(3)[1], check=False)


if __name__ == "__main__":
    main()
