#!/usr/bin/env python3
"""Writes pillow.bin: what Pillow's resize and its conversion to grey give.

    pip install -r requirements.txt && python make_pillow.py

A record is five int32 (channels, source width and height, output width and height), four float64
(the box: left, top, right, bottom), the source bytes and the output bytes, all little-endian. Output
width 0 marks a conversion to grey: as many output bytes as pixels.
"""
import pathlib
import struct

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBX"}

# channels, source (w, h), output (w, h), box or None
CASES = [
    (1, (7, 5), (3, 2), None),
    (1, (64, 48), (17, 9), None),
    (1, (1, 1), (5, 4), None),
    (1, (5, 3), (13, 11), None),
    (1, (97, 3), (4, 3), None),
    (1, (3, 97), (3, 6), None),
    (1, (640, 2), (5, 2), None),
    (1, (50, 40), (50, 20), None),
    (1, (40, 30), (16, 12), (3.5, 2.25, 37.0, 28.5)),
    (3, (37, 29), (16, 16), None),
    (3, (16, 16), (37, 29), None),
    (3, (33, 21), (33, 21), None),
    (3, (100, 75), (43, 32), None),
    (3, (2, 2), (9, 9), None),
    (3, (5, 90), (5, 7), None),
    (3, (90, 5), (7, 5), None),
    (3, (1, 17), (6, 3), None),
    (3, (333, 5), (3, 1), None),
    (3, (61, 47), (28, 28), (0.0, 10.5, 60.75, 47.0)),
    (3, (19, 23), (64, 40), (4.25, 0.0, 18.0, 11.125)),
    (4, (31, 17), (13, 23), None),
    (4, (23, 31), (64, 5), None),
]


def picture(rng, width, height, channels):
    """Noise, with black and white blocks: rounding and clipping both matter."""
    pixels = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    blocks = (np.add.outer(np.arange(height) // 3, np.arange(width) // 4) % 4)[..., None]
    pixels = np.where(blocks == 0, np.uint8(0), pixels)
    return np.where(blocks == 1, np.uint8(255), pixels)


def main():
    rng = np.random.default_rng(3)
    out = bytearray()
    for channels, (sw, sh), (dw, dh), box in CASES:
        pixels = picture(rng, sw, sh, channels)
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, None)
        if channels == 4:
            image = Image.frombytes("RGBX", (sw, sh), pixels.tobytes())
        assert image.mode == MODES[channels]
        resized = image.resize((dw, dh), Image.Resampling.BILINEAR, box=box)
        out += struct.pack("<5i4d", channels, sw, sh, dw, dh, *(box or (0, 0, sw, sh)))
        out += pixels.tobytes() + resized.tobytes()
    pixels = picture(rng, 61, 43, 3)
    out += struct.pack("<5i4d", 3, 61, 43, 0, 0, 0, 0, 61, 43)
    out += pixels.tobytes() + Image.fromarray(pixels).convert("L").tobytes()
    pathlib.Path(__file__).with_name("pillow.bin").write_bytes(out)


if __name__ == "__main__":
    main()
