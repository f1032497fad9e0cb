#!/usr/bin/env python3
"""Draws TIFFs: strips and tiles, planes together and apart, 8 and 16 bits, every compression that is read.

    pip install -r requirements-resizes.txt && python draw_tiffs.py

writes golden/tiffs.bin, and a few of them as golden/*.tif: the length of a file, the file, and the
width, height and CRC-32 of its RGB pixels, as uint32. What Pillow can open, it is asked too. More of
them, once:

    python draw_tiffs.py --count 3000 --out /tmp/more.bin
    FOVEA_TIFFS=/tmp/more.bin build/release/tests/image/image_test --gtest_filter='Tiff*'
"""
import argparse
import io
import pathlib
import random
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
NONE, LZW, ADOBE, PACKBITS, DEFLATE = 1, 5, 8, 32773, 32946


def packbits(row):
    """Runs as runs, everything else byte by byte in pieces of up to 128."""
    out, at = bytearray(), 0
    while at < len(row):
        run = 1
        while at + run < len(row) and run < 128 and row[at + run] == row[at]:
            run += 1
        if run > 1:
            out += bytes((257 - run, row[at]))
            at += run
            continue
        end = at + 1
        while end < len(row) and end - at < 128 and not (end + 1 < len(row) and row[end] == row[end + 1]):
            end += 1
        out += bytes((end - at - 1,)) + row[at:end]
        at = end
    return bytes(out)


def lzw(data):
    """Codes of 9 to 12 bits, high bits first, and a width that grows one code early."""
    out, held, bits = bytearray(), 0, 0

    def put(code, width):
        nonlocal held, bits
        held, bits = held << width | code, bits + width
        while bits >= 8:
            bits -= 8
            out.append(held >> bits & 255)

    table, width, word = {}, 9, b""
    put(256, width)
    table = {bytes((i,)): i for i in range(256)}
    following = 258
    for byte in data:
        longer = word + bytes((byte,))
        if longer in table:
            word = longer
            continue
        put(table[word], width)
        table[longer] = following
        following += 1
        if following == 4094:
            put(256, width)
            table, following, width = {bytes((i,)): i for i in range(256)}, 258, 9
        elif following + 1 > (1 << width) and width < 12:
            width += 1
        word = bytes((byte,))
    put(table[word], width)
    following += 1
    if following + 1 > (1 << width) and width < 12:
        width += 1
    put(257, width)
    if bits:
        put(0, 8 - bits)
    return bytes(out)


def pack(block, compression, predictor, order):
    """Samples [rows, columns, samples] as they are stored."""
    if predictor == 2:
        before = np.zeros_like(block)
        before[:, 1:] = block[:, :-1]
        block = block - before
    data = block.astype(block.dtype.newbyteorder(order)).tobytes()
    if compression == NONE:
        return data
    if compression == LZW:
        return lzw(data)
    if compression == PACKBITS:
        return b"".join(packbits(data[i:i + len(data) // block.shape[0]])
                        for i in range(0, len(data), len(data) // block.shape[0]))
    return zlib.compress(data)


def tiff(rng):
    order = rng.choice("<>")
    width, height = rng.randint(1, 22), rng.randint(1, 18)
    bits = rng.choice((8, 8, 16))
    kind = rng.choice(("grey", "inverted", "rgb", "rgb", "palette", "grey+alpha", "rgb+alpha"))
    if kind == "palette":
        bits = 8
    samples = {"grey": 1, "inverted": 1, "rgb": 3, "palette": 1, "grey+alpha": 2, "rgb+alpha": 4}[kind]
    apart = samples > 1 and rng.random() < 0.35
    compression = rng.choice((NONE, LZW, ADOBE, PACKBITS, DEFLATE))
    predictor = 2 if compression in (LZW, ADOBE, DEFLATE) and rng.random() < 0.4 else 1
    pixels = np.random.default_rng(rng.randint(0, 2**31)).integers(0, 1 << bits, (height, width, samples))
    if rng.random() < 0.5:  # runs
        pixels = np.repeat(pixels[:, ::4], 4, axis=1)[:, :width]
    pixels = pixels.astype(np.uint8 if bits == 8 else np.uint16)
    planes = [pixels[..., c:c + 1] for c in range(samples)] if apart else [pixels]
    tiled = rng.random() < 0.4
    blocks = []
    if tiled:
        tw, th = 16 * rng.randint(1, 2), 16 * rng.randint(1, 2)
        for plane in planes:
            padded = np.zeros((-(-height // th) * th, -(-width // tw) * tw, plane.shape[2]), plane.dtype)
            padded[:height, :width] = plane
            blocks += [padded[y:y + th, x:x + tw] for y in range(0, padded.shape[0], th)
                       for x in range(0, padded.shape[1], tw)]
    else:
        rows = rng.choice((1, 2, 5, height, 1000))
        for plane in planes:
            blocks += [plane[y:y + rows] for y in range(0, height, rows)]
    data = [pack(np.ascontiguousarray(block), compression, predictor, order) for block in blocks]

    photometric = {"grey": 1, "inverted": 0, "rgb": 2, "palette": 3, "grey+alpha": 1, "rgb+alpha": 2}[kind]
    orientation = rng.choice((1, 1, 1, 2, 3, 4, 5, 6, 7, 8))
    fields = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * samples), 259: (3, [compression]),
              262: (3, [photometric]), 274: (3, [orientation]), 277: (3, [samples]),
              284: (3, [2 if apart else 1]), 317: (3, [predictor])}
    if kind == "palette":
        palette = np.random.default_rng(width).integers(0, 65536, (3, 256))
        fields[320] = (3, palette.reshape(-1).tolist())
    if kind.endswith("alpha"):
        fields[338] = (3, [2])
    if tiled:
        fields |= {322: (4, [tw]), 323: (4, [th]), 324: (4, [0] * len(data)), 325: (4, list(map(len, data)))}
    else:
        fields |= {278: (4, [rows]), 273: (4, [0] * len(data)), 279: (4, list(map(len, data)))}
    if orientation == 1:
        del fields[274]

    head = 8 + 2 + 12 * len(fields) + 4
    extra = {tag: 0 for tag in fields}
    at = head
    for tag, (type_, values) in sorted(fields.items()):
        size = len(values) * (2 if type_ == 3 else 4)
        if size > 4:
            extra[tag], at = at, at + size + size % 2
    offsets = []
    for piece in data:
        offsets.append(at)
        at += len(piece)
    fields[324 if tiled else 273] = (4, offsets)
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(fields))
    tail = b""
    for tag, (type_, values) in sorted(fields.items()):
        packed = struct.pack(order + ("H" if type_ == 3 else "I") * len(values), *values)
        out += struct.pack(order + "HHI", tag, type_, len(values))
        if len(packed) <= 4:
            out += packed.ljust(4, b"\0")
            continue
        out += struct.pack(order + "I", extra[tag])
        tail += packed + b"\0" * (len(packed) % 2)
    out += b"\0\0\0\0" + tail + b"".join(data)

    levels = (pixels >> (bits - 8)).astype(np.uint8)
    if kind == "palette":
        rgb = (palette >> 8).astype(np.uint8)[:, levels[..., 0]].transpose(1, 2, 0)
    elif kind.startswith("rgb"):
        rgb = levels[..., :3]
    else:
        rgb = np.repeat(255 - levels[..., :1] if kind == "inverted" else levels[..., :1], 3, axis=2)
    upright = Image.fromarray(np.ascontiguousarray(rgb))
    upright.getexif()[274] = orientation
    rgb = np.asarray(ImageOps.exif_transpose(upright))
    # Pillow mixes up the bytes of 16 bits in planes that lie apart.
    asked = not (bits == 16 and apart) and ask_pillow(out, bits, kind, rgb)
    return out, rgb, asked


def ask_pillow(data, bits, kind, rgb):
    """Holds the pixels to Pillow's; False for what it does not open."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception:
        return False
    if bits == 16 and not kind.startswith("rgb"):
        return False  # it clips them
    image = ImageOps.exif_transpose(image)
    got = np.asarray(image.convert("RGBA"))[..., :3] if image.mode == "RGBA" else np.asarray(image.convert("RGB"))
    assert got.shape == rgb.shape and (got == rgb).all(), (bits, kind)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "golden/tiffs.bin")
    args = parser.parse_args()
    out, asked = bytearray(), 0
    for i in range(args.count):
        data, rgb, by_pillow = tiff(random.Random(i))
        asked += by_pillow
        crc = zlib.crc32(np.ascontiguousarray(rgb).tobytes())
        out += struct.pack("<I", len(data)) + data + struct.pack("<III", rgb.shape[1], rgb.shape[0], crc)
        if args.out.parent == HERE / "golden" and i in (3, 11, 17, 23):
            (HERE / f"golden/drawn{i}.tif").write_bytes(data)
    args.out.write_bytes(out)
    print(args.count, "files,", asked, "of them as Pillow reads them")


if __name__ == "__main__":
    main()
