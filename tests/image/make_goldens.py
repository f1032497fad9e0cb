#!/usr/bin/env python3
"""Makes golden/: small pictures in every format, and what Pillow and OpenCV make of them.

Run it in an environment of its own, outside the checkout:

    pip install numpy==2.4.6 pillow==12.3.0 opencv-python-headless==4.10.0.84
    python tests/image/make_goldens.py

Pillow is pinned below 13, which resizes rows before columns where that is faster; every version
before it resizes columns first, and so does fovea. Several pictures of one golden stand one after
the other in one binary PPM file.
"""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

HERE = pathlib.Path(__file__).resolve().parent / "golden"


def picture(width, height, seed):
    """Smooth gradients, hard edges and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([255 * x / width, 255 * y / height, 127 + 120 * np.sin(x / 3) * np.cos(y / 5)], -1)
    rgb[height // 4 : height // 2, width // 3 : width // 2] = (250, 20, 40)
    rgb[height // 2 :, : width // 5] = (5, 240, 130)
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8)


def ppm(pictures):
    out = b""
    for pixels in pictures:
        pixels = np.asarray(pixels)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[:, :, None], 3, 2)
        out += b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()
    return out


def write(name, data):
    (HERE / name).write_bytes(data)


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def png(rows, width, height, bits, color_type, chunks=(), interlaced=False):
    """A PNG made by hand: `rows(x0, y0, dx, dy)` packs every dx-th pixel of every dy-th row."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(b"\0" + row for p in passes for row in rows(*p))
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(chunk(n, d) for n, d in chunks)
        + chunk(b"IDAT", zlib.compress(data, 9))
        + chunk(b"IEND", b"")
    )


def bmp(pixels_bottom_up, width, height, bits, compression=0, tables=b"", core=False):
    """A BMP made by hand from packed rows."""
    rows = b"".join(r + b"\0" * (-len(r) % 4) for r in pixels_bottom_up)
    if core:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        colors = len(tables) // 4 if bits <= 8 else 0
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, colors, 0)
    at = 14 + len(header) + len(tables)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + header + tables + rows


def jpegs():
    base = Image.fromarray(picture(23, 19, 1))
    noisy = Image.fromarray(picture(23, 19, 11))
    samples = {
        "baseline.jpg": saved(base, "JPEG", quality=85),
        "full_chroma.jpg": saved(base, "JPEG", quality=90, subsampling=0),
        "half_chroma.jpg": saved(base, "JPEG", quality=80, subsampling=1),
        "progressive.jpg": saved(base, "JPEG", quality=85, progressive=True),
        "restarts.jpg": saved(base, "JPEG", quality=85, restart_marker_blocks=1),
        "grey.jpg": saved(base.convert("L"), "JPEG", quality=85),
        "cmyk.jpg": saved(Image.merge("CMYK", [*base.split(), noisy.getchannel(1)]), "JPEG", quality=85),
    }
    for name, data in samples.items():
        write(name, data)
        write(name.replace(".jpg", ".ppm"), ppm([decoded(data)]))


def exif():
    data = saved(Image.fromarray(picture(17, 10, 2)), "JPEG", quality=95, subsampling=0)
    write("plain.jpg", data)
    image = Image.open(io.BytesIO(data))
    turned = []
    for orientation in range(1, 9):
        image.getexif()[0x0112] = orientation
        turned.append(ImageOps.exif_transpose(image))
    write("plain_oriented.ppm", ppm(turned))


def webps():
    base = Image.fromarray(picture(23, 19, 1))
    alpha = base.copy()
    alpha.putalpha(Image.fromarray(picture(23, 19, 3)[:, :, 2]))
    orientation = Image.Exif()
    orientation[0x0112] = 6
    write("lossy.webp", data := saved(base, "WEBP", quality=80))
    write("lossy.ppm", ppm([decoded(data)]))
    write("lossless.webp", saved(base, "WEBP", lossless=True))
    # exact: libwebp may otherwise change pixels that nobody sees.
    write("alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True))
    write("turned.webp", saved(base, "WEBP", lossless=True, exif=orientation))
    frames = [Image.fromarray(picture(8, 8, s)) for s in (4, 5)]
    write("animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))


def pngs(rgb):
    height, width = rgb.shape[:2]
    grey = rgb[:, :, 1]
    alpha = picture(width, height, 6)[:, :, :1]

    def rows_of(pixels):
        return lambda x0, y0, dx, dy: [
            r[x0::dx].tobytes() for r in pixels[y0::dy] if len(r[x0::dx]) > 0
        ]

    def packed(values, bits):
        def pack(row):
            text = "".join(format(int(v), "0%db" % bits) for v in row)
            text += "0" * (-len(text) % 8)
            return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))

        return lambda x0, y0, dx, dy: [pack(r[x0::dx]) for r in values[y0::dy] if len(r[x0::dx]) > 0]

    # Low bytes far from the high ones: rounding to 8 bits is not dropping them.
    low = (255 - rgb).astype(np.uint16)
    wide = (rgb.astype(np.uint16) << 8 | low).astype(">u2")
    wide_grey = wide[:, :, 1].copy()
    shape = (width, height)
    write("rgb.png", saved(Image.fromarray(rgb), "PNG"))
    write("rgb_interlaced.png", png(rows_of(rgb), *shape, 8, 2, interlaced=True))
    write("rgb16.png", png(rows_of(wide), *shape, 16, 2))
    write("rgba.png", png(rows_of(np.concatenate([rgb, alpha], 2)), *shape, 8, 6))
    write("key.png", png(rows_of(rgb), *shape, 8, 2, [(b"tRNS", struct.pack(">HHH", *map(int, rgb[0, 0])))]))
    orientation = Image.Exif()
    orientation[0x0112] = 8
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 3000, zip=True)
    write("turned.png", saved(Image.fromarray(rgb), "PNG", exif=orientation, pnginfo=info))

    write("grey.png", png(rows_of(grey), *shape, 8, 0))
    write("grey16.png", png(rows_of(wide_grey), *shape, 16, 0))
    write("grey_alpha.png", png(rows_of(np.concatenate([grey[:, :, None], alpha], 2)), *shape, 8, 4))
    write("grey_levels.ppm", ppm([grey]))

    palette = picture(16, 1, 8)[0]
    indices = (rgb[:, :, 0] >> 4).astype(np.uint8)
    table = [(b"PLTE", palette.tobytes())]
    write("palette.png", png(rows_of(indices), *shape, 8, 3, table))
    write("palette4.png", png(packed(indices, 4), *shape, 4, 3, table + [(b"tRNS", bytes(range(0, 160, 10)))], True))
    write("palette.ppm", ppm([palette[indices]]))

    write("bits1.png", png(packed(grey >> 7, 1), *shape, 1, 0))
    write("bits2.png", png(packed(grey >> 6, 2), *shape, 2, 0, interlaced=True))
    write("bits.ppm", ppm([(grey >> 7) * 255, (grey >> 6) * 85]))

    for name in ("rgb.png", "rgb_interlaced.png", "rgb16.png", "rgba.png", "key.png"):
        assert (decoded((HERE / name).read_bytes()) == rgb).all(), name
    for name in ("palette.png", "palette4.png"):
        assert (decoded((HERE / name).read_bytes()) == palette[indices]).all(), name
    return palette, indices


def bmps(rgb, palette, indices):
    height, width = rgb.shape[:2]
    bgr = rgb[::-1, :, ::-1]
    shape = (width, height)
    write("rgb.bmp", saved(Image.fromarray(rgb), "BMP"))
    write("top_down.bmp", bmp([r.tobytes() for r in rgb[:, :, ::-1]], width, -height, 24))
    write("core.bmp", bmp([r.tobytes() for r in bgr], *shape, 24, core=True))
    fourth = np.full((height, width, 1), 77, np.uint8)
    rgbx = np.concatenate([bgr, fourth], 2)
    write("rgbx.bmp", bmp([r.tobytes() for r in rgbx], *shape, 32))
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    write("masks32.bmp", bmp([r.tobytes() for r in rgbx], *shape, 32, 3, masks))
    table = b"".join(bytes(c[::-1]) + b"\0" for c in palette)
    write("palette8.bmp", bmp([r.tobytes() for r in indices[::-1]], *shape, 8, tables=table))
    nibbles = [bytes(int(a) << 4 | int(b) for a, b in zip(r[0::2], np.append(r, 0)[1::2])) for r in indices[::-1]]
    write("palette4.bmp", bmp(nibbles, *shape, 4, tables=table))
    words = (bgr[:, :, 2].astype(np.uint16) >> 3 << 11) | (bgr[:, :, 1].astype(np.uint16) >> 2 << 5) | (bgr[:, :, 0] >> 3)
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    write("masks16.bmp", bmp([r.astype("<u2").tobytes() for r in words], *shape, 16, 3, masks))
    for name in ("rgb.bmp", "top_down.bmp", "core.bmp", "rgbx.bmp", "masks32.bmp"):
        assert (decoded((HERE / name).read_bytes()) == rgb).all(), name


def cropped(image, height, width):
    """torchvision's center_crop."""
    w, h = image.size
    if width > w or height > h:
        left, top = max(width - w, 0) // 2, max(height - h, 0) // 2
        padded = Image.new(image.mode, (max(w, width), max(h, height)))
        padded.paste(image, (left, top))
        image, (w, h) = padded, padded.size
    top, left = round((h - height) / 2), round((w - width) / 2)
    return image.crop((left, top, left + width, top + height))


def prepared(image, geometry, resample, shorter, height, width):
    w, h = image.size
    if geometry == "stretch":
        return image.resize((width, height), resample)
    if geometry == "center_square":
        side = min(w, h)
        left, top = (w - side) // 2, (h - side) // 2
        return image.crop((left, top, left + side, top + side)).resize((width, height), resample)
    if geometry == "resize_crop":
        size = (shorter, int(shorter * h / w)) if w <= h else (int(shorter * w / h), shorter)
        return cropped(image.resize(size, resample), height, width)
    scale = min(width / w, height / h)
    size = (max(1, int(w * scale + 0.5)), max(1, int(h * scale + 0.5)))
    out = Image.new(image.mode, (width, height))
    out.paste(image.resize(size, resample), ((width - size[0]) // 2, (height - size[1]) // 2))
    return out


def preprocessing():
    wide = Image.fromarray(picture(41, 31, 9))
    tall = Image.fromarray(np.ascontiguousarray(picture(37, 18, 10).transpose(1, 0, 2)))
    write("photos.ppm", ppm([wide, tall]))
    cases = [
        # photo, geometry, resize, order, shorter side, height, width
        (0, "stretch", "antialias", "rgb", 0, 24, 20),
        (0, "stretch", "antialias", "rgb", 0, 31, 20),
        (0, "stretch", "antialias", "rgb", 0, 19, 41),
        (0, "stretch", "antialias", "rgb", 0, 31, 41),
        (0, "stretch", "antialias", "rgb", 0, 15, 50),
        (0, "stretch", "nearest", "rgb", 0, 19, 23),
        (1, "stretch", "antialias", "luma", 0, 13, 17),
        (0, "center_square", "antialias", "rgb", 0, 24, 24),
        (1, "center_square", "antialias", "rgb", 0, 17, 17),
        (0, "center_square", "antialias", "luma", 0, 28, 28),
        (1, "center_square", "nearest", "rgb", 0, 11, 13),
        (0, "resize_crop", "antialias", "rgb", 22, 19, 19),
        (0, "resize_crop", "antialias", "rgb", 23, 20, 20),
        (1, "resize_crop", "antialias", "rgb", 27, 21, 24),
        (1, "resize_crop", "antialias", "rgb", 18, 17, 15),
        (0, "resize_crop", "antialias", "luma", 25, 20, 18),
        (1, "resize_crop", "antialias", "rgb", 12, 20, 17),
        (0, "resize_crop", "antialias", "rgb", 9, 14, 16),
        (0, "letterbox", "antialias", "rgb", 0, 24, 24),
        (1, "letterbox", "antialias", "rgb", 0, 15, 22),
        (1, "letterbox", "nearest", "rgb", 0, 17, 18),
        (0, "letterbox", "antialias", "luma", 0, 20, 9),
    ]
    filters = {"antialias": Image.BILINEAR, "nearest": Image.NEAREST}
    results = []
    for photo, geometry, resize, order, shorter, height, width in cases:
        image = (wide, tall)[photo]
        image = image.convert("L") if order == "luma" else image
        results.append(np.asarray(prepared(image, geometry, filters[resize], shorter, height, width)))
    write("preprocess.txt", "".join(" ".join(map(str, c)) + "\n" for c in cases).encode())
    write("preprocess.ppm", ppm(results))

    # The usual recipes in f32, for a 14 x 12 stretch of the first photo, channels first.
    x = np.asarray(wide.resize((12, 14), Image.BILINEAR)).astype(np.float32)
    f = lambda *v: np.array(v, np.float32)
    recipes = [
        (x * np.float32(1 / 255) - f(0.485, 0.456, 0.406)) / f(0.229, 0.224, 0.225),
        (x * np.float32(1 / 255) - f(0.5, 0.5, 0.5)) / f(0.5, 0.5, 0.5),
        x[:, :, ::-1] - f(104, 117, 123),
        x,
    ]
    write("recipes.f32", b"".join(r.transpose(2, 0, 1).astype("<f4").tobytes() for r in recipes))


def colormaps():
    ramp = np.arange(256, dtype=np.uint8)[None]
    kinds = [cv2.COLORMAP_JET, cv2.COLORMAP_TURBO, cv2.COLORMAP_VIRIDIS, cv2.COLORMAP_INFERNO]
    write("colormaps.ppm", ppm([cv2.applyColorMap(ramp, k)[:, :, ::-1] for k in kinds]))


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    rgb = picture(23, 19, 1)
    write("rgb.ppm", ppm([rgb]))
    jpegs()
    exif()
    webps()
    bmps(rgb, *pngs(rgb))
    preprocessing()
    colormaps()
