#!/usr/bin/env python3
"""Writes a C program that calls every function of the C headers with NULL in every place.

usage: null_calls.py OUTPUT.c HEADER.h...

A function whose parameters have no value below stops the build: a new one needs its rows.
"""

import re
import sys
from pathlib import Path

# What a parameter is given, by "function.name", else by "type name", else by type.
VALUES = {
    "const char* file": "model_file",
    "fovea_photo_read.file": "photo_file",
    "fovea_labels.file": "labels_file",
    "const void* bytes": "model_bytes",
    "fovea_model_from_bytes.size": "model_size",
    "fovea_photo_decode.bytes": "photo_bytes",
    "fovea_photo_decode.size": "photo_size",
    "const char* external_data": '"."',
    "const char* key": '"fovea.labels"',
    "const fovea_named_tensor* inputs": "&input",
    "size_t input_count": "1",
    "fovea_forward.inputs": "&input",
    "const char* name": '"logits"',
    "fovea_run_output.name": "output_name",
    "const char* const* targets": "targets",
    "size_t target_count": "1",
    "int64_t image": "0",
    "int64_t class_index": "0",
    "int32_t which": "FOVEA_MAP",
    "fovea_prediction* predictions": "&prediction",
    "void* buffer": "buffer",
    "char* buffer": "buffer",
    "size_t capacity": "1",
    "fovea_explainer_plan_cache.capacity": "sizeof buffer",
    "fovea_encode.capacity": "sizeof buffer",
    "fovea_labels.capacity": "sizeof buffer",
    "size_t* size": "&size",
    "size_t index": "0",
    "size_t warning": "0",
    "fovea_status status": "FOVEA_OK",
    "fovea_array* array": "&array",
    "const uint8_t* rgb": "pixels",
    "int32_t width": "4",
    "int32_t height": "4",
    "int32_t rank": "4",
    "const int64_t* shape": "photo_shape",
    "const char* text": '"imagenet"',
    "fovea_find_label.text": '"one"',
    "const char* names": '"one\\0two"',
    "fovea_find_label.size": "8",
    "int64_t* class_index": "&number",
    "int32_t* source": "&whole",
    "int64_t* height": "&number",
    "int64_t* width": "&number",
    "int32_t* found": "&whole",
    "const fovea_tensor* map": "&map",
    "float share": "0.2f",
    "const char* format": '".png"',
    "const char* request_json": "request",
    "size_t struct_size": "sizeof *{first}",
}
# Handles that the program has, and what a call makes.
HANDLES = ("model", "explainer", "run", "explanations", "photo", "recipe", "answer")
# Structs that a call reads or fills, filled by their _init.
STRUCTS = ("error", "method", "call_options", "explainer_options", "explain_options", "value_info", "layer_info",
           "method_info", "explanation_info", "overlay_options")
PLAIN = ("image", "view", "box")  # without one
# Where NULL means something: the call is not refused for it.
OPTIONAL = {
    "error", "call", "options", "fovea_model_load.external_data", "fovea_model_from_bytes.external_data",
    "fovea_run_explain.method", "fovea_run_output.name", "predictions", "buffer", "view", "name",
    "fovea_recipe_create.text", "fovea_recipe_create.model", "fovea_recipe_create.source", "fovea_labels.file",
    "fovea_labels.model",
}
PROTOTYPE = re.compile(r"FOVEA_C_API\s+(?P<returns>[^();]*?[\s*])(?P<name>fovea_\w+)\s*\((?P<parameters>[^)]*)\)\s*;")


def functions(header):
    text = re.sub(r"/\*.*?\*/|^#[^\n]*", "", header, flags=re.DOTALL | re.MULTILINE)
    found = list(PROTOTYPE.finditer(text))
    declared = len(re.findall(r"\bFOVEA_C_API\b", text))
    if len(found) != declared:
        sys.exit(f"{declared} functions are declared, and {len(found)} could be read")
    for match in found:
        parameters = []
        for parameter in " ".join(match["parameters"].split()).split(","):
            if parameter.strip() != "void":
                kind, name = re.fullmatch(r"(.*?[\s*])(\w+)", parameter.strip()).groups()
                parameters.append((kind.strip(), name))
        yield match["returns"].strip(), match["name"], parameters


def prepared(function, kind, name, first):
    """The C that makes a value ready, the value, and what frees it."""
    for key in (f"{function}.{name}", f"{kind} {name}"):
        if key in VALUES:
            return "", VALUES[key].format(first=first), ""
    for handle in HANDLES:
        if kind == f"fovea_{handle}**":
            return f"fovea_{handle}* made_{handle} = NULL;", f"&made_{handle}", f"fovea_{handle}_destroy(made_{handle});"
        if kind == f"fovea_{handle}*" and function == f"fovea_{handle}_destroy":
            return "", f"another_{handle}()", ""
        if kind in (f"fovea_{handle}*", f"const fovea_{handle}*"):
            return "", handle, ""
    for struct in STRUCTS:
        if kind in (f"fovea_{struct}*", f"const fovea_{struct}*"):
            return f"fovea_{struct} own_{struct}; fovea_{struct}_init(&own_{struct}, sizeof own_{struct});", f"&own_{struct}", ""
    for struct in PLAIN:
        if kind in (f"fovea_{struct}*", f"const fovea_{struct}*"):
            return "", f"&{struct}", ""
    sys.exit(f"{function}: {kind} {name} has no value in {Path(__file__).name}")


def calls(returns, function, parameters):
    """Every call of a function: each pointer NULL once, all of them, and none."""
    pointers = [i for i, (kind, _) in enumerate(parameters) if kind.endswith("*")]
    first = parameters[0][1] if parameters else ""
    for missing in [()] + [(i,) for i in pointers] + ([tuple(pointers)] if len(pointers) > 1 else []):
        if function.endswith("_destroy") and missing == ():
            continue  # what is tested here is NULL
        before, arguments, after = [], [], []
        for i, (kind, name) in enumerate(parameters):
            ready, value, freed = prepared(function, kind, name, first)
            if "_init" in function and i == 0:
                value = f"&own_{function[len('fovea_'):-len('_init')]}"
            before.append(ready)
            if name == "struct_size":
                value = "sizeof own_" + function[len("fovea_"):-len("_init")]
            arguments.append("NULL" if i in missing else value)
            after.append(freed)
        call = f"{function}({', '.join(arguments)})"
        names = [parameters[i][1] for i in missing]
        refused = any(name not in OPTIONAL and f"{function}.{name}" not in OPTIONAL for name in names)
        lines = ["  {", "    reset();", *(f"    {line}" for line in before if line)]
        if returns == "fovea_status":
            expected = "FOVEA_INVALID_ARGUMENT" if refused else "FOVEA_OK"
            what = f"{function} without {' and '.join(names) or 'nothing'}"
            lines.append(f'    expect("{what}", {call}, {expected});')
        elif returns == "void":
            lines.append(f"    {call};")
        else:
            lines.append(f"    (void){call};")
        lines += [f"    {line}" for line in after if line] + ["  }"]
        yield "\n".join(lines)


def main(output, *headers):
    parts, names = [], []
    for header in headers:
        for returns, function, parameters in functions(Path(header).read_text()):
            names.append(f"null_in_{function}")
            parts.append(f"static void {names[-1]}(void) {{\n" + "\n".join(calls(returns, function, parameters)) + "\n}")
    include = "\n".join(f'#include "{Path(header).name}"' for header in headers)
    run = "void call_all(void) {\n" + "".join(f"  {name}();\n" for name in names) + "}\n"
    Path(output).write_text("\n\n".join([include, '#include "null_calls.h"', *parts, run]))


if __name__ == "__main__":
    main(*sys.argv[1:])
