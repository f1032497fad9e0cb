#!/usr/bin/env python3
"""Writes src/request/torchvision_weights.cpp: the preprocessing of torchvision's classification weights.

    pip install -r requirements-recipes.txt && python make_torchvision_weights.py
"""
import pathlib
import subprocess

import torchvision
from torchvision.models import get_model_weights, list_models
from torchvision.transforms import InterpolationMode

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/request/torchvision_weights.cpp"
USUAL = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def row(weights, is_default):
    recipe = weights.transforms()
    bicubic = {InterpolationMode.BICUBIC: True, InterpolationMode.BILINEAR: False}[recipe.interpolation]
    assert recipe.antialias and len(recipe.crop_size) == len(recipe.resize_size) == 1
    out = [f'"{weights}"', is_default, recipe.crop_size[0], recipe.resize_size[0], bicubic]
    text = ", ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in out)
    numbers = (recipe.mean, recipe.std)
    if numbers != USUAL:
        text += "".join(", {" + ", ".join(map(str, three)) + "}" for three in numbers)
    return "    {" + text + "},\n"


def main():
    rows = []
    for name in list_models(module=torchvision.models):
        weights = get_model_weights(name)
        rows += [row(one, one is weights.DEFAULT) for one in weights]
    OUT.write_text(f"""// Made by tests/request/make_torchvision_weights.py from torchvision {torchvision.__version__.split("+")[0]}.
#include "request/torchvision_weights.hpp"

namespace fovea::request {{
namespace {{

constexpr TorchvisionWeights kWeights[] = {{
{"".join(rows)}}};

}}  // namespace

std::span<const TorchvisionWeights> torchvision_weights() {{
  return kWeights;
}}

}}  // namespace fovea::request
""")
    subprocess.run(["clang-format-14", "-i", OUT], check=True)
    print(len(rows), "weights")


if __name__ == "__main__":
    main()
