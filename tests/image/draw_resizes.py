#!/usr/bin/env python3
"""Draws resizes and whole recipes and writes what Pillow and torchvision make of them.

    pip install -r requirements-resizes.txt && python draw_resizes.py

writes golden/resizes.txt. More of them, once:

    python draw_resizes.py --count 3000 --first 1000 --out /tmp/more.txt
    FOVEA_RESIZES=/tmp/more.txt build/release/tests/image/image_test --gtest_filter='Resizes*'

A picture is made of its seed, and what came of it is written as a CRC-32, so that both sides can
draw large pictures. Two kinds of lines:

    resize KIND CHANNELS SEED WIDTH HEIGHT  CROP(x y w h)  BOX(x0 y0 x1 y1)  RESIZED(w h)  TAKEN(x y w h)  CRC
    recipe GEOMETRY KIND ODD SEED WIDTH HEIGHT  SHORTER RESIZED(w h)  INPUT(w h)  CRC
"""
import argparse
import math
import pathlib
import random
import zlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize
from torchvision.transforms.v2 import functional

HERE = pathlib.Path(__file__).resolve().parent
FILTERS = {
    "bilinear-antialias": Image.BILINEAR, "bicubic-antialias": Image.BICUBIC,
    "lanczos-antialias": Image.LANCZOS, "hamming-antialias": Image.HAMMING,
    "box-antialias": Image.BOX, "nearest": Image.NEAREST,
}
TENSORS = {
    "bilinear-tensor": InterpolationMode.BILINEAR, "bicubic-tensor": InterpolationMode.BICUBIC,
    "lanczos-tensor": InterpolationMode.LANCZOS, "nearest-tensor": InterpolationMode.NEAREST_EXACT,
}
# Of the recipes that are drawn: bytes minus these, so that a border of the mean's nearest byte shows.
MEAN = (124, 116, 104)


def picture(seed, width, height, channels):
    """Noise, a quarter of it black and a quarter white: rounding and clipping both matter."""
    mask = np.uint64(0xFFFFFFFF)
    at = np.arange(1, width * height * channels + 1, dtype=np.uint64)
    v = (at * np.uint64(2654435761) + np.uint64(seed * 2246822519 % 2**32)) & mask
    v ^= v >> np.uint64(15)
    v = v * np.uint64(2246822519) & mask
    v ^= v >> np.uint64(13)
    out = (v & np.uint64(255)).astype(np.uint8)
    block = v >> np.uint64(8) & np.uint64(3)
    out[block == 0] = 0
    out[block == 1] = 255
    return out.reshape(height, width, channels)


def image(pixels):
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def resized(pixels, kind, width, height, box=None):
    if kind in FILTERS:
        out = np.asarray(image(pixels).resize((width, height), FILTERS[kind], box=box))
    else:
        tensor = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
        done = functional.resize(tensor, [height, width], interpolation=TENSORS[kind], antialias=True)
        out = done.permute(1, 2, 0).numpy()
    return np.ascontiguousarray(out.reshape(height, width, pixels.shape[2]))


def side(rng):
    """Mostly small; now and then one pixel, or many."""
    most = rng.choice((1, 3, 12, 40, 40, 90, 90, 200, 500))
    return rng.randint(1, most)


def draw_resize(rng):
    kind = rng.choice(list(FILTERS) + list(TENSORS))
    channels, seed = rng.choice((1, 3)), rng.randint(0, 2**31)
    width, height = side(rng), side(rng)
    crop = [0, 0, width, height]
    if rng.random() < 0.4:
        crop[2], crop[3] = rng.randint(1, width), rng.randint(1, height)
        crop[0], crop[1] = rng.randint(0, width - crop[2]), rng.randint(0, height - crop[3])
    to = [side(rng), side(rng)]
    # Pictures whose edges meet between pixels, and those that keep one extent.
    if rng.random() < 0.3:
        to = [max(1, crop[2] * rng.randint(1, 4) // rng.randint(1, 6)) for _ in range(2)]
    if rng.random() < 0.1:
        to[rng.randint(0, 1)] = crop[2 + rng.randint(0, 1)]
    box = [0.0, 0.0, float(crop[2]), float(crop[3])]
    if kind.endswith("antialias") and rng.random() < 0.3:
        for axis in range(2):
            most = crop[2 + axis] * 64
            begin = rng.randint(0, most - 32)
            box[axis], box[2 + axis] = begin / 64, rng.randint(begin + 32, most) / 64
    take = [0, 0, *to]
    if rng.random() < 0.5:
        take[2], take[3] = rng.randint(1, to[0]), rng.randint(1, to[1])
        take[0], take[1] = rng.randint(0, to[0] - take[2]), rng.randint(0, to[1] - take[3])
    if kind in TENSORS and (min(crop[2:]) < 3 or min(to) < 3):
        # PyTorch refuses some of these itself, and its "nearest-exact" of two pixels depends on the
        # instruction set.
        return None
    pixels = picture(seed, width, height, channels)
    pixels = np.ascontiguousarray(pixels[crop[1]:crop[1] + crop[3], crop[0]:crop[0] + crop[2]])
    done = resized(pixels, kind, *to, box=box if kind in FILTERS else None)
    done = np.ascontiguousarray(done[take[1]:take[1] + take[3], take[0]:take[0] + take[2]])
    numbers = (channels, seed, width, height, *crop, *box, *to, *take, zlib.crc32(done.tobytes()))
    return " ".join(map(str, ("resize", kind, *numbers)))


def centre(pixels, width, height, odd, fill):
    """The centre of a picture, or the picture with borders, as torchvision's CenterCrop and
    transformers' center_crop have it: they differ where an odd number of pixels is left over."""
    h, w = pixels.shape[:2]
    left, top = max(0, (width - w) // 2), max(0, (height - h) // 2)
    canvas = np.empty((max(height, h), max(width, w), 3), np.uint8)
    canvas[:] = fill
    canvas[top:top + h, left:left + w] = pixels
    half = round if odd == "even" else math.floor
    x, y = half((canvas.shape[1] - width) / 2), half((canvas.shape[0] - height) / 2)
    out = np.ascontiguousarray(canvas[y:y + height, x:x + width])
    if odd == "even" and fill == (0, 0, 0):
        assert out.tobytes() == np.asarray(CenterCrop((height, width))(Image.fromarray(pixels))).tobytes()
    return out


def draw_recipe(rng):
    geometry = rng.choice(("resize-crop", "squash-crop", "cover-crop", "contain-crop", "stretch"))
    kind = rng.choice(list(FILTERS))
    odd = rng.choice(("even", "down"))
    seed, width, height = rng.randint(0, 2**31), rng.randint(2, 150), rng.randint(2, 150)
    iw, ih = rng.randint(1, 90), rng.randint(1, 90)
    shorter = rng.randint(1, 120)
    rw, rh = rng.randint(1, 120), rng.randint(1, 120)
    pixels = picture(seed, width, height, 3)
    fill = (0, 0, 0)
    if geometry == "stretch":
        size = (iw, ih)
    elif geometry == "resize-crop":
        made = Resize(shorter, InterpolationMode.NEAREST)(Image.fromarray(pixels))
        size = made.size
    elif geometry == "squash-crop":
        size = (rw, rh)
    else:  # timm's ResizeKeepRatio
        ratios = (width / rw, height / rh)
        longest = 1.0 if geometry == "contain-crop" else 0.0
        ratio = max(ratios) * longest + min(ratios) * (1.0 - longest)
        size = tuple(round(extent / ratio) for extent in (width, height))
        fill = MEAN if geometry == "contain-crop" else fill
    if min(size) < 1:
        return None
    done = centre(resized(pixels, kind, *size), iw, ih, odd, fill)
    numbers = (seed, width, height, shorter, rw, rh, iw, ih, zlib.crc32(done.tobytes()))
    return " ".join(map(str, ("recipe", geometry, kind, odd, *numbers)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "golden/resizes.txt")
    args = parser.parse_args()
    lines = []
    for i in range(args.first, args.first + args.count):
        rng = random.Random(i)
        line = draw_resize(rng) if i % 3 else draw_recipe(rng)
        if line:
            lines.append(line + "\n")
    args.out.write_text("".join(lines))
    print(len(lines), "cases")


if __name__ == "__main__":
    main()
