#!/usr/bin/env python3
"""Makes the pictures of README.md and docs/pictures.md from the demo's scenes.

    python docs/images/make.py build/release/tools/fovea

Wants numpy and Pillow. What stands beside fovea's pictures is drawn of fovea's own maps as other
packages draw theirs: pytorch-grad-cam's show_cam_on_image, and captum's visualize_image_attr
("blended_heat_map", sign "all", outlier_perc 2).
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
SCENES = HERE.parents[1] / "tools/demo/scenes"
DEMO = SCENES.parent
CROP = '{"geometry": "resize-crop", "shorter_side": %d, "mean": 0.5, "std": 0.5}'
GAP = 8


def rgb(file):
    return np.asarray(Image.open(file).convert("RGB"))


class Program:
    def __init__(self, program, scratch):
        self.program, self.scratch = str(pathlib.Path(program).resolve()), pathlib.Path(scratch)

    def picture(self, *arguments, option="--output"):
        file = self.scratch / "picture.png"
        subprocess.run([self.program, "explain", *arguments, option, file], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return rgb(file)

    def result(self, *arguments):
        file = self.scratch / "map.npy"
        out = subprocess.run([self.program, "explain", *arguments, "--feature-map", file, "--json"],
                             check=True, capture_output=True)
        return json.loads(out.stdout), np.load(file)


def seen_part(picture, result):
    seen = result["seen"]
    return picture[seen["y"]:seen["y"] + seen["height"], seen["x"]:seen["x"] + seen["width"]]


def as_grad_cam_draws(photo, heat):
    mixed = 0.5 * heat.astype(float) + 0.5 * photo
    return (255 * (mixed / mixed.max())).astype(np.uint8)


def as_captum_draws(photo, attribution):
    magnitudes = np.sort(np.abs(attribution), axis=None)
    sums = np.cumsum(magnitudes)
    threshold = magnitudes[np.argmax(sums >= 0.98 * sums[-1])]
    shares = np.clip(attribution / threshold, -1, 1)
    ends = np.where(shares[..., None] < 0, [255, 0, 0], [0, 128, 0])  # "red", "white", "green"
    weight = np.abs(shares)[..., None]
    grey = photo.mean(axis=2, keepdims=True)
    small = np.asarray(Image.fromarray(np.repeat(grey, 3, 2).astype(np.uint8)).resize(
        attribution.shape[::-1], Image.BILINEAR))
    drawn = 0.5 * small + 0.5 * ((1 - weight) * 255 + weight * ends)
    return np.asarray(Image.fromarray(drawn.astype(np.uint8)).resize(photo.shape[1::-1],
                                                                     Image.NEAREST))


def side_by_side(*pictures):
    height = max(p.shape[0] for p in pictures)
    row = []
    for p in pictures:
        page = np.full((height, p.shape[1] + GAP, 3), 255, np.uint8)
        page[:p.shape[0], :p.shape[1]] = p
        row.append(page)
    return np.concatenate(row, axis=1)[:, :-GAP]


def save(name, picture):
    Image.fromarray(picture).save(HERE / name, optimize=True, quality=90)


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        fovea = Program(program, scratch)
        photo = rgb(SCENES / "scene_1.png")
        ball = ["--label", "ball"]
        crop = [*ball, "--preprocess", CROP % 220]

        save("ball.png", fovea.picture(*crop, "--opacity", "value", "--box"))
        save("disc.png", fovea.picture("--label", "disc", "--opacity", "value",
                                       "--colormap", "viridis"))
        save("pixels.png", fovea.picture(*ball, "--method", "integrated-gradients"))
        save("methods.jpg", fovea.picture(
            "--method", "gradcam,layercam,guided-gradcam,integrated-gradients,lrp,occlusion"))

        result, _ = fovea.result(*crop)
        heat = fovea.picture(*crop, option="--heatmap")
        save("crop.png", side_by_side(
            as_grad_cam_draws(seen_part(photo, result), seen_part(heat, result)),
            fovea.picture(*crop, "--box")))
        shapes = str(DEMO / "shapes/shapes_52.png")
        save("words.png", fovea.picture(DEMO / "models/caption.onnx", shapes, "--target", "words", option="--strip"))
        for shape in ("circle", "triangle"):
            save(f"{shape}.png", fovea.picture(DEMO / "models/answer.onnx", shapes, "--target", "answer",
                                               "--input", f"question=what color is the {shape}?"))
        strip = fovea.scratch / "strip.png"
        Image.fromarray(photo[50:170]).save(strip)
        save("whole.png", side_by_side(*(fovea.picture(*crop, "--image", strip, *how) for how in (
            [], ["--whole"], ["--whole", "letterbox"]))))
        save("opacity.png", side_by_side(
            fovea.picture(*ball), fovea.picture(*ball, "--opacity", "value"),
            fovea.picture(*ball, "--opacity", "value", "--colormap", "inferno")))
        for method, name in (("integrated-gradients", "signed.png"), ("saliency", "magnitudes.png")):
            how = [*crop, "--method", method]
            result, attribution = fovea.result(*how)
            save(name, side_by_side(as_captum_draws(seen_part(photo, result), attribution),
                                    fovea.picture(*how),
                                    fovea.picture(*how, "--rendering", "heat")))


if __name__ == "__main__":
    main(sys.argv[1])
