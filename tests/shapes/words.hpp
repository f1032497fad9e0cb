#pragma once

#include <string>
#include <vector>

namespace fovea::shapes_test {

/// Operators of one number of inputs, which can stand for each other.
inline const std::vector<std::vector<std::string>> kAlike = {
    {"Relu",          "Sigmoid",
     "Tanh",          "Abs",
     "Exp",           "Log",
     "Sqrt",          "Neg",
     "Erf",           "Floor",
     "Ceil",          "Sign",
     "Reciprocal",    "Softplus",
     "Identity",      "LeakyRelu",
     "Elu",           "HardSigmoid",
     "HardSwish",     "Gelu",
     "Mish",          "Softmax",
     "LogSoftmax",    "Flatten",
     "Transpose",     "GlobalAveragePool",
     "GlobalMaxPool", "Shape",
     "Not",           "Cast",
     "Dropout",       "ReduceMean",
     "ReduceSum",     "ReduceMax",
     "Squeeze",       "LRN",
     "AveragePool",   "MaxPool",
     "DepthToSpace",  "SpaceToDepth",
     "Size",          "ArgMax",
     "NonZero",       "ConstantOfShape",
     "Clip"},
    {"Add",     "Sub",       "Mul",       "Div",      "Pow",   "MatMul", "PRelu",         "Min",
     "Max",     "Equal",     "Greater",   "Less",     "And",   "Or",     "Mod",           "Gather",
     "Reshape", "Expand",    "Tile",      "Concat",   "Gemm",  "Conv",   "ConvTranspose", "Einsum",
     "Squeeze", "Unsqueeze", "ReduceSum", "GatherND", "Split", "Pad",    "TopK",          "Resize"},
    {"Conv", "Gemm", "Where", "Clip", "ConvTranspose", "Concat", "Slice", "LayerNormalization",
     "InstanceNormalization", "GroupNormalization", "Pad", "Range", "ScatterND", "Einsum", "OneHot",
     "Sum", "Max"}};

/// The same, of operators that take any extents.
inline const std::vector<std::vector<std::string>> kElementwise = {
    {"Relu", "Sigmoid", "Tanh", "Abs", "Exp", "Log", "Sqrt", "Neg", "Erf", "Identity", "Softplus",
     "Softmax", "LogSoftmax", "HardSwish", "Elu", "LeakyRelu", "Ceil", "Floor", "Sign"},
    {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "PRelu", "Sum", "Mean"},
    {"Sum", "Max", "Min", "Mean", "Where", "Clip"}};

inline const std::vector<std::string> kTexts = {
    "",          "SAME_UPPER", "SAME_LOWER",    "VALID",      "NOTSET", "linear",
    "nearest",   "cubic",      "constant",      "reflect",    "edge",   "wrap",
    "DCR",       "CRD",        "align_corners", "asymmetric", "floor",  "bchw->bc",
    "ij,jk->ik", "ii->i",      "...ij->...ji",  "tanh"};
inline const std::vector<std::string> kAttributes = {"axis",
                                                     "axes",
                                                     "keepdims",
                                                     "perm",
                                                     "kernel_shape",
                                                     "pads",
                                                     "strides",
                                                     "dilations",
                                                     "group",
                                                     "epsilon",
                                                     "alpha",
                                                     "beta",
                                                     "transA",
                                                     "transB",
                                                     "to",
                                                     "mode",
                                                     "auto_pad",
                                                     "ceil_mode",
                                                     "count_include_pad",
                                                     "output_padding",
                                                     "output_shape",
                                                     "allowzero",
                                                     "start",
                                                     "end",
                                                     "num_outputs",
                                                     "batch_dims",
                                                     "blocksize",
                                                     "spatial",
                                                     "size",
                                                     "training_mode"};

}  // namespace fovea::shapes_test
