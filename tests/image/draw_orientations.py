#!/usr/bin/env python3
"""Draws what files say of their orientation, and writes how Pillow's exif_transpose turns them.

    pip install -r requirements-resizes.txt && python draw_orientations.py

writes golden/orientations.bin: the length of a file (uint32), the file, the orientation that was
followed (one byte). The first three are a JPEG, a PNG and a WebP that say nothing. More of them, once:

    python draw_orientations.py --count 3000 --out /tmp/more.bin
    FOVEA_ORIENTATIONS=/tmp/more.bin build/release/tests/image/image_test --gtest_filter='Exif*'
"""
import argparse
import io
import pathlib
import random
import struct
import warnings
import zlib

import numpy as np
from PIL import ExifTags, Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
PIXELS = Image.fromarray(np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14)
PACKED = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}


def entry(tag, kind, count, value, order, extra, at):
    """One field of a directory; what does not fit in four bytes goes to `extra`."""
    if kind in (5, 10):
        packed = struct.pack(order + ("II" if kind == 5 else "ii"), value * 2, 2) * count
    elif kind == 2:
        packed = b"%d\0" % abs(value)
    elif kind in PACKED:
        packed = struct.pack(order + PACKED[kind], value) * count
    else:
        packed = struct.pack(order + "I", value & 0xFFFFFFFF) * count
    if len(packed) > 4:
        where = at + len(extra)
        extra += packed
        packed = struct.pack(order + "I", where)
    return struct.pack(order + "HHI", tag, kind, count) + packed.ljust(4, b"\0")


def exif(rng):
    order = rng.choice("<>")
    tags = [(0x0100, 3, 1, 640)]
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2))):
        kind = rng.choice((3, 3, 4, 4, 9, 8, 6, 1, 2, 5, 10, 11, 12, 13, 7))
        value = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 8, 6, 0, 9))
        tags.append((0x0112, kind, rng.choice((1, 1, 1, 1, 1, 2)), value))
    tags.append((0x011A, 3, 1, 5))
    start = 8 + 2 + 12 * len(tags) + 4
    extra = bytearray()
    fields = b"".join(entry(*tag, order, extra, start) for tag in tags)
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    out += struct.pack(order + "H", len(tags)) + fields + b"\0\0\0\0" + bytes(extra)
    return out


def xmp(rng):
    value = rng.choice("1234567890")
    said = rng.choice((
        f'<rdf:Description tiff:Orientation="{value}"/>',
        f"<tiff:Orientation>{value}</tiff:Orientation>",
        f"<rdf:Description tiff:Orientation='{value}'/>",
        f'<rdf:Description tiff:OrientationX="3" tiff:Orientation="{value}"/>',
        f'<rdf:Description tiff:Make="{value}"/>',
    ))
    return ("<x:xmpmeta>" + said + "</x:xmpmeta>").encode()


def png(block, text, rng):
    out = io.BytesIO()
    PIXELS.save(out, "PNG")
    data = out.getvalue()

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    extra = b""
    if block is not None:
        if rng.random() < 0.6:
            extra += chunk(b"eXIf", block)
        else:  # ImageMagick's
            block = b"Exif\0\0" + block
            lines = b"\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
            extra += chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(lines))
    if text is not None:
        packed = rng.random() < 0.5
        body = zlib.compress(text) if packed else text
        extra += chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes((packed, 0)) + b"\0\0" + body)
    at = data.index(b"IDAT") - 4 if rng.random() < 0.8 else data.index(b"IEND") - 4
    return data[:at] + extra + data[at:]


def jpeg(block, text, rng):
    out = io.BytesIO()
    PIXELS.save(out, "JPEG", quality=90)
    data = out.getvalue()

    def segment(body):
        return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body

    extra = b""
    if block is not None:
        extra += segment(b"Exif\0\0" + block)
    if text is not None:
        extra += segment(b"http://ns.adobe.com/xap/1.0/\0" + text)
    return data[:2] + extra + data[2:]


def webp(block, text, rng):
    out = io.BytesIO()
    PIXELS.save(out, "WEBP", lossless=True, exif=block or b"", xmp=text or b"")
    return out.getvalue()


def followed(data):
    image = Image.open(io.BytesIO(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        turned = ImageOps.exif_transpose(image)
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    value = int(value) if value in range(2, 9) else 1
    assert turned.size == (image.size[::-1] if value >= 5 else image.size)
    return value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=180)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "golden/orientations.bin")
    args = parser.parse_args()
    out, seen = bytearray(), [0] * 9
    for i in range(args.count):
        rng = random.Random(i)
        block = exif(rng) if i >= 3 and rng.random() < 0.8 else None
        text = xmp(rng) if i >= 3 and rng.random() < 0.5 else None
        # Fewer JPEGs: their tables make them large.
        make = (jpeg, png, webp)[i] if i < 3 else rng.choice((jpeg, png, png, webp, webp))
        data = make(block, text, rng)
        value = followed(data)
        seen[value] += 1
        out += struct.pack("<I", len(data)) + data + bytes((value,))
    args.out.write_bytes(out)
    print(args.count, "files, by orientation", seen[1:])


if __name__ == "__main__":
    main()
