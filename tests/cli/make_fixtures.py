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


def integers(name, array):
    return numpy_helper.from_array(np.asarray(array, np.int64), name)


def detector():
    """YOLOX' form at strides 4 and 8: a cell's class is the colour of its middle, its box the cell, its
    scores sigmoids of 10 colour - 5."""
    nodes, weights = [], []
    for stride in (4, 8):
        side = SIZE // stride
        s = f"s{stride}"
        # Means over the cell, then over nothing but itself, so that a layer with neighbours is in front.
        small = "data"
        for step in range(1, stride.bit_length()):
            halves = s if 2 ** step == stride else f"{s}_{step}"
            nodes.append(helper.make_node("AveragePool", [small], [halves], f"{halves}_shrink",
                                          kernel_shape=[2, 2], strides=[2, 2]))
            small = halves
        nodes += [helper.make_node("Conv", [s, "middle"], [f"{s}_neck"], f"neck{stride}", pads=[1, 1, 1, 1]),
                  helper.make_node("Conv", [f"{s}_neck", "class_tower"], [f"{s}_class_map"],
                                   f"class_tower{stride}", pads=[1, 1, 1, 1]),
                  helper.make_node("Conv", [f"{s}_neck", "box_tower"], [f"{s}_box_map"], f"box_tower{stride}",
                                   pads=[1, 1, 1, 1]),
                  helper.make_node("Conv", [f"{s}_class_map", "classes", "shift"], [f"{s}_logits"],
                                   f"classes{stride}"),
                  helper.make_node("Sigmoid", [f"{s}_logits"], [f"{s}_scores"], f"scores{stride}"),
                  helper.make_node("Conv", [f"{s}_box_map", "boxes", "half"], [f"{s}_boxes"], f"boxes{stride}"),
                  helper.make_node("Conv", [f"{s}_box_map", "boxes1", "sure"], [f"{s}_object"],
                                   f"object{stride}"),
                  helper.make_node("Sigmoid", [f"{s}_object"], [f"{s}_objectness"], f"objectness{stride}"),
                  helper.make_node("Concat", [f"{s}_boxes", f"{s}_objectness", f"{s}_scores"], [f"{s}_all"],
                                   f"join{stride}", axis=1),
                  helper.make_node("Reshape", [f"{s}_all", f"flat{stride}"], [f"{s}_flat"], f"flatten{stride}")]
        weights.append(integers(f"flat{stride}", [1, 8, side * side]))
    nodes += [helper.make_node("Concat", ["s4_flat", "s8_flat"], ["columns"], "levels", axis=2),
              helper.make_node("Transpose", ["columns"], ["output"], "rows", perm=[0, 2, 1])]
    middle = np.zeros((3, 3, 3, 3))
    middle[range(3), range(3), 1, 1] = 1
    weights += [constant("middle", middle), constant("class_tower", middle), constant("box_tower", middle),
                constant("classes", 10 * np.eye(3).reshape(3, 3, 1, 1)), constant("shift", [-5, -5, -5]),
                constant("boxes", np.zeros((4, 3, 1, 1))), constant("half", [0.5, 0.5, 0, 0]),
                constant("boxes1", np.zeros((1, 3, 1, 1))), constant("sure", [8])]
    save("detector", nodes, [value("data", [1, 3, SIZE, SIZE])], [value("output", [1, 20, 8])], weights)


def policy():
    """Actions are the colours' means and a third of the memory, which is the colours' means next time."""
    body, kernel = colours("frame")
    nodes = [*body,
             helper.make_node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
             helper.make_node("Flatten", ["pooled"], ["memory_out"], "flatten"),
             helper.make_node("Mul", ["memory", "third"], ["past"], "remember"),
             helper.make_node("Add", ["memory_out", "past"], ["action_logits"], "act"),
             helper.make_node("Gemm", ["memory_out", "worth"], ["value"], "judge")]
    save("policy", nodes, [value("frame", [1, 3, SIZE, SIZE]), value("memory", [1, 3])],
         [value("action_logits", [1, 3]), value("value", [1, 1]), value("memory_out", [1, 3])],
         [*kernel, constant("third", [1 / 3]), constant("worth", [[1], [2], [4]])])


def reader():
    """A line of 16 steps: class 0 is the blank, which is 0.5, the others are the colours of its columns."""
    body, kernel = colours("line")
    nodes = [*body,
             helper.make_node("AveragePool", ["features"], ["row"], "pool", kernel_shape=[4, 1]),
             helper.make_node("Squeeze", ["row", "axis"], ["channels"], "squeeze"),
             helper.make_node("Pad", ["channels", "front", "level"], ["with_blank"], "blank"),
             helper.make_node("Transpose", ["with_blank"], ["steps"], "steps", perm=[0, 2, 1]),
             helper.make_node("Mul", ["steps", "sharp"], ["logits"], "sharpen"),
             helper.make_node("Softmax", ["logits"], ["read"], "softmax", axis=2)]
    save("reader", nodes, [value("line", [1, 3, 4, SIZE])], [value("read", [1, SIZE, 4])],
         [*kernel, integers("axis", [2]), integers("front", [0, 1, 0, 0, 0, 0]), constant("level", 0.5),
          constant("sharp", 20)])


def answerer():
    """The mean of the colour that the question names, of four answers: red, green, blue, none."""
    body, kernel = colours("image")
    nodes = [*body,
             helper.make_node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
             helper.make_node("Flatten", ["pooled"], ["seen"], "flatten"),
             helper.make_node("Gemm", ["question", "asked"], ["wanted"], "listen"),
             helper.make_node("Mul", ["seen", "wanted"], ["both"], "fuse"),
             helper.make_node("Gemm", ["both", "answers", "doubt"], ["logits"], "answer"),
             helper.make_node("Softmax", ["logits"], ["answer_probabilities"], "softmax")]
    asked = np.zeros((5, 3))
    asked[2, 0] = asked[3, 1] = asked[4, 2] = 10
    save("answerer", nodes, [value("image", [1, 3, SIZE, SIZE]), value("question", [1, 5])],
         [value("answer_probabilities", [1, 4])],
         [*kernel, constant("asked", asked), constant("answers", np.eye(3, 4)), constant("doubt", [0, 0, 0, 0.1])],
         metadata={"fovea.task": json.dumps({
             "task": "answer", "names": ["red", "green", "blue", "none"],
             "inputs": {"question": {"role": "question", "words": ["", "is", "red", "green", "blue"]}}})})


def writer():
    """The first word is the brightest colour, the second the end, whatever was written before."""
    body, kernel = colours("image")
    nodes = [*body,
             helper.make_node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
             helper.make_node("Flatten", ["pooled"], ["seen"], "flatten"),
             helper.make_node("Gemm", ["seen", "colour_words"], ["said"], "say"),
             helper.make_node("Gather", ["next", "words"], ["follows"], "follow", axis=0),
             helper.make_node("Unsqueeze", ["said", "one"], ["said_row"], "row"),
             helper.make_node("Gather", ["looks", "words"], ["looked"], "look", axis=0),
             helper.make_node("Mul", ["said_row", "looked"], ["when"], "when"),
             helper.make_node("Add", ["when", "follows"], ["word_logits"], "words")]
    colour_words = np.zeros((3, 6))
    colour_words[0, 3] = colour_words[1, 4] = colour_words[2, 5] = 10
    follows = np.zeros((6, 6))
    follows[3:, 2] = 20
    save("writer", nodes, [value("image", [1, 3, SIZE, SIZE]), value("words", [1, 4], TensorProto.INT64)],
         [value("word_logits", [1, 4, 6])],
         [*kernel, constant("colour_words", colour_words), constant("next", follows), integers("one", [1]),
          constant("looks", np.eye(6)[:, 1:2])],
         metadata={"fovea.task": json.dumps({
             "task": "caption", "names": ["<pad>", "<s>", "</s>", "red", "green", "blue"]})})


def one_word():
    """Says the brightest colour; what was written before is one number."""
    body, kernel = colours("image")
    nodes = [*body,
             helper.make_node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
             helper.make_node("Flatten", ["pooled"], ["seen"], "flatten"),
             helper.make_node("Cast", ["before"], ["number"], "number", to=TensorProto.FLOAT),
             helper.make_node("Mul", ["seen", "number"], ["said"], "say"),
             helper.make_node("Unsqueeze", ["said", "one"], ["scores"], "row"),
             helper.make_node("Pad", ["scores", "front"], ["word_logits"], "words")]
    save("one_word", nodes, [value("image", [1, 3, SIZE, SIZE]), value("before", [], TensorProto.INT64)],
         [value("word_logits", [1, 1, 5])], [*kernel, integers("one", [1]), integers("front", [0, 0, 2, 0, 0, 0])],
         metadata={"fovea.task": json.dumps({
             "task": "caption", "names": ["</s>", "<s>", "red", "green", "blue"],
             "inputs": {"before": {"role": "tokens"}}})})


def step_decoder():
    """One word at a time, behind `see`: the brightest colour that was not said before, and the end where what is left is
    darker than 0.05. `said` remembers the colours that were words."""
    nodes = [helper.make_node("Gather", ["colour_of", "word"], ["just"], "just", axis=0),
             helper.make_node("Add", ["said", "just"], ["said_out"], "remember"),
             helper.make_node("Mul", ["said_out", "never"], ["gone"], "gone"),
             helper.make_node("Mul", ["seen", "ten"], ["bright"], "bright"),
             helper.make_node("Sub", ["bright", "gone"], ["left"], "left"),
             helper.make_node("Gemm", ["left", "colour_words", "base"], ["word_logits"], "say")]
    colour_of = np.zeros((6, 3))
    colour_of[3:] = np.eye(3)
    colour_words = np.zeros((3, 6))
    colour_words[:, 3:] = np.eye(3)
    save("step_decoder", nodes,
         [value("word", [1], TensorProto.INT64), value("seen", [1, 3]), value("said", [1, 3])],
         [value("word_logits", [1, 6]), value("said_out", [1, 3])],
         [constant("colour_of", colour_of), constant("never", 100), constant("ten", 10),
          constant("colour_words", colour_words), constant("base", [-100, -100, 0.5, 0, 0, 0])],
         metadata={"fovea.task": json.dumps({
             "task": "caption", "names": ["<pad>", "<s>", "</s>", "red", "green", "blue"]})})
    body, kernel = colours("image")
    save("see", [*body, helper.make_node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
                 helper.make_node("Flatten", ["pooled"], ["seen"], "flatten")],
         [value("image", [1, 3, SIZE, SIZE])], [value("seen", [1, 3])], kernel,
         metadata={"fovea.preprocess": json.dumps({"geometry": "stretch", "mean": [0, 0, 0], "std": [1, 1, 1]})})


def chosen():
    """One picture without an extent for images, as torchvision's detectors take it. Its boxes are those rows of
    four whose score, the mean of a colour (the last row's of red and green), is above 0.1."""
    body, kernel = colours("planes")
    nodes = [helper.make_node("Unsqueeze", ["image", "zero"], ["planes"], "planes"), *body,
             helper.make_node("GlobalAveragePool", ["features"], ["pooled"], "pool"),
             helper.make_node("Flatten", ["pooled"], ["means"], "flatten"),
             helper.make_node("MatMul", ["means", "rows"], ["row_scores"], "score"),
             helper.make_node("Squeeze", ["row_scores", "zero"], ["all_scores"], "alone"),
             helper.make_node("Greater", ["all_scores", "least"], ["kept"], "keep"),
             helper.make_node("NonZero", ["kept"], ["places"], "find"),
             helper.make_node("Squeeze", ["places", "zero"], ["index"], "index"),
             helper.make_node("Gather", ["all_scores", "index"], ["scores"], "take_scores"),
             helper.make_node("Gather", ["all_boxes", "index"], ["boxes"], "take_boxes"),
             helper.make_node("Gather", ["all_labels", "index"], ["labels"], "take_labels")]
    rows = np.zeros((3, 4))
    rows[range(3), range(3)] = 1
    rows[:2, 3] = 0.5
    corners = [[0, 0, 8, 8], [8, 0, 16, 8], [0, 8, 8, 16], [8, 8, 16, 16]]
    save("chosen", nodes, [value("image", [3, SIZE, SIZE])],
         [value("boxes", ["n", 4]), value("scores", ["n"]), value("labels", ["n"], TensorProto.INT64)],
         [*kernel, integers("zero", [0]), constant("rows", rows), constant("least", 0.1),
          constant("all_boxes", corners), integers("all_labels", [1, 2, 3, 1])])


def tasks():
    one_word()
    chosen()
    detector()
    policy()
    reader()
    answerer()
    writer()
    step_decoder()


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
    # Two pictures, called so that the first is the last by name: 0 is the red of both, 1 the green.
    nodes, identity = [], []
    for name in ("query", "candidate"):
        nodes += [helper.make_node("Conv", [name, "kernel"], [f"{name}_mixed"], f"mix_{name}"),
                  helper.make_node("Relu", [f"{name}_mixed"], [f"{name}_map"], f"relu_{name}"),
                  helper.make_node("GlobalAveragePool", [f"{name}_map"], [f"{name}_pooled"], f"pool_{name}"),
                  helper.make_node("Flatten", [f"{name}_pooled"], [f"{name}_flat"], f"flatten_{name}")]
    nodes += [helper.make_node("Concat", ["query_flat", "candidate_flat"], ["both"], "both", axis=1),
              helper.make_node("Gemm", ["both", "of_both"], ["scores"], "linear")]
    save("two_images", nodes, [value(name, [1, 3, SIZE, SIZE]) for name in ("query", "candidate")],
         [value("scores", [1, 2])],
         [colours()[1][0], constant("of_both", np.eye(3)[:, :2].repeat(2, 0)[[0, 2, 4, 1, 3, 5]])])
    # Of samples, laid out as frames of four.
    body, kernel = colours("frames", 1)
    pooled, identity = head(1)
    save("wave", [helper.make_node("Reshape", ["samples", "laid"], ["frames"], "frames"), *body, *pooled],
         [value("samples", [1, 64])], [value("scores", [1, 1])],
         [*kernel, *identity, integers("laid", [1, 1, 16, 4])])
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

    tasks()

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
