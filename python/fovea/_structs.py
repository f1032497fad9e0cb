"""fovea.h and fovea_vision.h in ctypes; tests compare every field with the headers."""

from __future__ import annotations

from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int32,
                    c_int64, c_size_t, c_uint8, c_void_p)

from .errors import InvalidArgument

MAX_RANK = 8
BUFFER_TOO_SMALL = 9

DTYPES = ("float32", "float16", "bfloat16", "float64", "int8", "uint8", "int16", "uint16", "int32",
          "uint32", "int64", "uint64", "bool", "string", "other")
PRECISIONS = ("f32", "bf16", "automatic")
TUNINGS = ("off", "quick", "thorough")
WAITINGS = ("adaptive", "sleep", "openmp")
NORMALIZE_METHOD = -1
NORMALIZATIONS = ("max", "minmax", "none")
SCORES = ("by-method", "logit", "probability")
FUSES = ("mean", "max", "product")
MAP, FEATURE_MAP, ATTRIBUTION = 0, 1, 2
RECIPE_SOURCES = ("said", "model", "assumed")



class Checked(Structure):
    """A struct that is filled with what a caller hands in: an integer that its field has no room for
    is refused, where ctypes cuts it off."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if isinstance(value, int) and getattr(self, name) != value:
            raise InvalidArgument(f"{name} is out of range: {value}")


Texts = POINTER(c_char_p)
Shape = c_int64 * MAX_RANK


class Error(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("code", c_int32),
        ("message", c_char * 1024),
        ("file", c_char * 512),
        ("node", c_char * 256),
        ("op", c_char * 64),
    ]


class Tensor(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
    ]


class NamedTensor(Structure):
    _fields_ = [("name", c_char_p), ("tensor", Tensor)]


class Array(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("capacity", c_size_t),
        ("size", c_size_t),
        ("rank", c_int32),
        ("shape", Shape),
    ]


class Method(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("options", c_char_p),
        ("layer_rules", c_char_p),
        ("given", POINTER(NamedTensor)),
        ("given_count", c_size_t),
    ]


class NamedShape(Checked):
    _fields_ = [("name", c_char_p), ("rank", c_int32), ("shape", Shape)]


class CallOptions(Checked):
    _fields_ = [
        ("struct_size", c_size_t),
        ("stop", c_void_p),
        ("timeout_ms", c_double),
        ("threads", c_int32),
    ]


Log = CFUNCTYPE(None, c_void_p, c_char_p)


class ExplainerOptions(Checked):
    _fields_ = [
        ("struct_size", c_size_t),
        ("methods", POINTER(POINTER(Method))),
        ("method_count", c_size_t),
        ("layers", Texts),
        ("layer_count", c_size_t),
        ("targets", Texts),
        ("target_count", c_size_t),
        ("fetches", Texts),
        ("fetch_count", c_size_t),
        ("input_shapes", POINTER(NamedShape)),
        ("input_shape_count", c_size_t),
        ("fixed_inputs", POINTER(NamedTensor)),
        ("fixed_input_count", c_size_t),
        ("batch", c_int64),
        ("threads", c_int32),
        ("precision", c_int32),
        ("precision_falls_back", c_int32),
        ("tuning", c_int32),
        ("tuning_time_ms", c_double),
        ("plan_cache", c_void_p),
        ("plan_cache_size", c_size_t),
        ("optimize", c_int32),
        ("multi_label", c_int32),
        ("output", c_char_p),
        ("waiting", c_int32),
        ("fewer_threads", c_int32),
        ("max_runs", c_int32),
        ("memory_limit", c_int64),
        ("smoothing", c_int32),
        ("perturbation_batch", c_int64),
        ("token_grid", c_int64 * 2),
        ("prefix_tokens", c_int64),
        ("log", Log),
        ("log_user", c_void_p),
    ]


class ExplainOptions(Checked):
    _fields_ = [
        ("struct_size", c_size_t),
        ("layers", Texts),
        ("layer_count", c_size_t),
        ("fuse", c_int32),
        ("normalize", c_int32),
        ("smooth", c_int32),
        ("keep_sign", c_int32),
        ("score", c_int32),
        ("negated", c_int32),
    ]


class Prediction(Structure):
    _fields_ = [("class_index", c_int64), ("logit", c_float), ("probability", c_float)]


class ValueInfo(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", Shape),
        ("refusal", c_char_p),
    ]


class LayerInfo(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("node", c_char_p),
        ("op", c_char_p),
        ("rank", c_int32),
        ("shape", Shape),
        ("is_default", c_int32),
        ("is_prepared", c_int32),
    ]


class MethodInfo(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("title", c_char_p),
        ("paper", c_char_p),
        ("use", c_char_p),
        ("options", c_char_p),
        ("is_expensive", c_int32),
        ("is_of_input", c_int32),
    ]


class ExplanationInfo(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("method", c_char_p),
        ("layer", c_char_p),
        ("target", c_char_p),
        ("image", c_int64),
        ("score", c_double),
        ("class_index", c_int64),
        ("logit", c_float),
        ("probability", c_float),
        ("forward_ms", c_double),
        ("backward_ms", c_double),
        ("map_ms", c_double),
        ("threads", c_int32),
        ("warning_count", c_int32),
    ]


class Image(Structure):
    _fields_ = [
        ("rgb", POINTER(c_uint8)),
        ("capacity", c_size_t),
        ("size", c_size_t),
        ("width", c_int32),
        ("height", c_int32),
    ]


class View(Checked):
    _fields_ = [("x0", c_double), ("y0", c_double), ("x1", c_double), ("y1", c_double)]


class Box(Checked):
    _fields_ = [("x", c_int64), ("y", c_int64), ("width", c_int64), ("height", c_int64)]


class OverlayOptions(Checked):
    _fields_ = [
        ("struct_size", c_size_t),
        ("alpha", c_double),
        ("colormap", c_char_p),
        ("opacity_by_value", c_int32),
        ("pale", c_int32),
        ("heatmap_only", c_int32),
    ]


# The headers' names of the structs above.
TENSOR_STRUCTS = {
    "fovea_error": Error,
    "fovea_tensor": Tensor,
    "fovea_named_tensor": NamedTensor,
    "fovea_array": Array,
    "fovea_method": Method,
    "fovea_named_shape": NamedShape,
    "fovea_call_options": CallOptions,
    "fovea_explainer_options": ExplainerOptions,
    "fovea_explain_options": ExplainOptions,
    "fovea_prediction": Prediction,
    "fovea_value_info": ValueInfo,
    "fovea_layer_info": LayerInfo,
    "fovea_method_info": MethodInfo,
    "fovea_explanation_info": ExplanationInfo,
}
VISION_STRUCTS = {
    "fovea_image": Image,
    "fovea_view": View,
    "fovea_box": Box,
    "fovea_overlay_options": OverlayOptions,
}
