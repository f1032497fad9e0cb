"""The functions of fovea.h and fovea_vision.h: result, arguments. Tests compare them with the headers.

Every pointer but a text handed in is `P`. What takes long lets other Python threads run meanwhile;
`QUICK` takes microseconds and keeps them waiting, since giving the interpreter away and getting it
back can take longer than the call.
"""

from __future__ import annotations

from ctypes import c_char_p, c_float, c_int32, c_int64, c_size_t, c_void_p
from typing import Any, Dict, List, Tuple

P = c_void_p
TEXT = c_char_p
SIZE = c_size_t
I32 = c_int32
I64 = c_int64

Signature = Tuple[Any, List[Any]]

TENSORS: Dict[str, Signature] = {
    "fovea_version": (TEXT, []),
    "fovea_abi_version": (I32, []),
    "fovea_build_info": (TEXT, []),
    "fovea_status_name": (TEXT, [I32]),
    "fovea_error_init": (None, [P, SIZE]),
    "fovea_method_init": (None, [P, SIZE]),
    "fovea_call_options_init": (None, [P, SIZE]),
    "fovea_explainer_options_init": (None, [P, SIZE]),
    "fovea_explain_options_init": (None, [P, SIZE]),
    "fovea_value_info_init": (None, [P, SIZE]),
    "fovea_layer_info_init": (None, [P, SIZE]),
    "fovea_method_info_init": (None, [P, SIZE]),
    "fovea_explanation_info_init": (None, [P, SIZE]),
    "fovea_method_count": (SIZE, []),
    "fovea_method_at": (I32, [SIZE, P, P]),
    "fovea_model_load": (I32, [TEXT, TEXT, P, P]),
    "fovea_model_from_bytes": (I32, [P, SIZE, TEXT, P, P]),
    "fovea_model_destroy": (None, [P]),
    "fovea_model_input_count": (SIZE, [P]),
    "fovea_model_input": (I32, [P, SIZE, P, P]),
    "fovea_model_output_count": (SIZE, [P]),
    "fovea_model_output": (I32, [P, SIZE, P, P]),
    "fovea_model_metadata": (TEXT, [P, TEXT]),
    "fovea_model_file_count": (SIZE, [P]),
    "fovea_model_file": (TEXT, [P, SIZE]),
    "fovea_explainer_create": (I32, [P, P, P, P, P]),
    "fovea_explainer_destroy": (None, [P]),
    "fovea_explainer_input_count": (SIZE, [P]),
    "fovea_explainer_input": (I32, [P, SIZE, P, P]),
    "fovea_explainer_layer_count": (SIZE, [P]),
    "fovea_explainer_layer": (I32, [P, SIZE, P, P]),
    "fovea_explainer_threads": (I32, [P]),
    "fovea_explainer_precision": (I32, [P]),
    "fovea_explainer_plan_cache": (I32, [P, P, SIZE, P, P]),
    "fovea_explainer_warning_count": (SIZE, [P]),
    "fovea_explainer_warning": (TEXT, [P, SIZE]),
    "fovea_forward": (I32, [P, P, SIZE, P, P, P]),
    "fovea_run_destroy": (None, [P]),
    "fovea_run_predictions": (I32, [P, I64, P, SIZE, P, P]),
    "fovea_run_output": (I32, [P, TEXT, P, P]),
    "fovea_run_warning_count": (SIZE, [P]),
    "fovea_run_warning": (TEXT, [P, SIZE]),
    "fovea_run_explain": (I32, [P, P, P, SIZE, P, P, P, P]),
    "fovea_explanations_destroy": (None, [P]),
    "fovea_explanations_count": (SIZE, [P]),
    "fovea_explanation_at": (I32, [P, SIZE, P, P]),
    "fovea_explanation_array": (I32, [P, SIZE, I32, P, P]),
    "fovea_explanation_warning": (TEXT, [P, SIZE, SIZE]),
}

VISION: Dict[str, Signature] = {
    "fovea_overlay_options_init": (None, [P, SIZE]),
    "fovea_photo_read": (I32, [TEXT, P, P]),
    "fovea_photo_decode": (I32, [P, SIZE, TEXT, P, P]),
    "fovea_photo_from_rgb": (I32, [P, I32, I32, P, P]),
    "fovea_photo_destroy": (None, [P]),
    "fovea_photo_pixels": (I32, [P, P, P]),
    "fovea_recipe_create": (I32, [TEXT, P, P, P, P]),
    "fovea_recipe_destroy": (None, [P]),
    "fovea_recipe_extents": (I32, [P, P, P, P]),
    "fovea_recipe_json": (TEXT, [P]),
    "fovea_preprocess": (I32, [P, P, I32, P, P, P, P]),
    "fovea_map_on_photo": (I32, [P, P, I32, I32, P, P]),
    "fovea_overlay": (I32, [P, P, P, P, P, P]),
    "fovea_explanation_overlay": (I32, [P, SIZE, P, P, P, P, P]),
    "fovea_find_box": (I32, [P, c_float, P, P, P]),
    "fovea_draw_box": (I32, [P, P, P]),
    "fovea_encode": (I32, [P, TEXT, P, SIZE, P, P]),
    "fovea_labels": (I32, [TEXT, P, P, SIZE, P, P]),
    "fovea_find_label": (I32, [P, SIZE, TEXT, P, P]),
    "fovea_answer_request": (I32, [TEXT, P, P, P]),
    "fovea_answer_destroy": (None, [P]),
    "fovea_answer_explanations": (P, [P]),
    "fovea_answer_request_json": (TEXT, [P]),
    "fovea_answer_predictions": (I32, [P, I64, P, SIZE, P, P]),
    "fovea_answer_label": (TEXT, [P, I64]),
    "fovea_answer_warning_count": (SIZE, [P]),
    "fovea_answer_warning": (TEXT, [P, SIZE]),
    "fovea_answer_overlay": (I32, [P, SIZE, P, P]),
}

_LONG = {
    "fovea_model_load", "fovea_model_from_bytes", "fovea_model_destroy", "fovea_explainer_create",
    "fovea_explainer_destroy", "fovea_explainer_plan_cache", "fovea_forward", "fovea_run_destroy",
    "fovea_run_output", "fovea_run_explain", "fovea_explanations_destroy",
    "fovea_explanation_array", "fovea_photo_read", "fovea_photo_decode", "fovea_photo_from_rgb",
    "fovea_photo_destroy", "fovea_photo_pixels", "fovea_recipe_create", "fovea_preprocess",
    "fovea_map_on_photo", "fovea_overlay", "fovea_explanation_overlay", "fovea_find_box", "fovea_draw_box", "fovea_encode",
    "fovea_labels", "fovea_answer_request", "fovea_answer_destroy", "fovea_answer_overlay",
}
QUICK = (set(TENSORS) | set(VISION)) - _LONG
