#!/usr/bin/env python3
"""Do the maps of real networks lie where they should? Of the shared networks (../shared/structured beside the
checkout), by the program:

  characters  of drawn lines of text, the column of a character's map (its share on either side of its middle) lies
              within two steps of the step that the character was read at
  boxes       the map's energy inside its box, beside that of the same box at random places of the picture
  policies    hiding the top tenth of the action's map by perturbation (greydanus), by the picture's mean, changes the
              action's logit more than hiding a random tenth does; of Grad-CAM's map it is printed beside it

Development only: wants numpy and Pillow. Prints a line each; fails where one does not hold.

    tests/structured/sense.py build/release/tools/fovea
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SHARED = Path(__file__).resolve().parents[3] / "shared" / "structured"
CHARACTERS = ("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
              "!\"#$%&'()*+,-./")
LINES = ["fovea 2026 LSTM", "Where it looked", "gradient 0.25", "Debian 12 and 13", "READ THIS LINE", "x = 3 * y + 41",
         "quick brown fox", "Grad-CAM (2017)", "one line of text", "column 57 of 115"]
FONTS = ["DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"]


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = str(Path(path).resolve()), Path(folder)

    def run(self, command, model, inputs, *arguments):
        for name, value in inputs.items():
            np.save(self.folder / f"{name}.npy", np.ascontiguousarray(value, np.float32))
        given = [argument for name in inputs for argument in ("--input", f"{name}={name}.npy")]
        done = subprocess.run([self.path, command, str(SHARED / "models" / f"{model}.onnx"), *given, *arguments,
                               "--json", "-"], cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{model}: {done.stderr}")
        return json.loads(done.stdout)

    def maps(self, model, inputs, *arguments):
        """The call's JSON, and every explanation's map at the layer."""
        said = self.run("explain", model, inputs, *arguments, "--feature-map", "map.npy", "--keep-sign")
        return said, np.load(self.folder / "map.npy")


def characters(program):
    (program.folder / "alphabet.txt").write_text("".join(f"{c}\n" for c in [*CHARACTERS, " ", " "]))
    (program.folder / "ctc.json").write_text(json.dumps(
        {"task": "ctc", "names_file": "alphabet.txt", "text": {"blank": 0}}))
    near = total = misread = 0
    for line in LINES:
        for file in FONTS:
            font = ImageFont.truetype(file, 22)
            width = int(font.getlength(line)) + 12
            image = Image.new("RGB", (width, 32), "white")
            ImageDraw.Draw(image).text((6, 3), line, fill="black", font=font)
            x = ((np.asarray(image, np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
            model, task = "ocr_ppocr_en_bilstm_ctc_op12", ("--task", "ctc.json")
            read = program.run("predict", model, {"x": x}, *task)
            misread += read["text"] != line
            targets = [f"char:{i}" for i in range(len(read["characters"]))]
            _, maps = program.maps(model, {"x": x}, *task, *(t for name in targets for t in ("--target", name)))
            for character, map_ in zip(read["characters"], maps.reshape(len(targets), -1, maps.shape[-1])):
                column = np.abs(map_).sum(0).argmax()
                near += abs(column / 2 - character["step"]) <= 2
                total += 1
    print(f"characters: {100 * near / total:.1f} % of {total} within two steps "
          f"({misread} of {len(LINES) * len(FONTS)} lines not read to the letter)")
    return near >= 0.8 * total


def energy(map_, box, size):
    """The share of the map's positive part in a box of the picture."""
    height, width = map_.shape
    rows = np.clip(np.minimum((np.arange(height) + 1) * size / height, box[3])
                   - np.maximum(np.arange(height) * size / height, box[1]), 0, None)
    columns = np.clip(np.minimum((np.arange(width) + 1) * size / width, box[2])
                      - np.maximum(np.arange(width) * size / width, box[0]), 0, None)
    cell = (size / height) * (size / width)
    return (np.maximum(map_, 0) * np.outer(rows, columns) / cell).sum() / max(np.maximum(map_, 0).sum(), 1e-30)


def boxes(program):
    photo = np.load(SHARED / "examples" / "det_yolox_nano_op11__anchor3462_class16_logit.npz")["in/images"]
    draw = np.random.default_rng(1)
    inside, elsewhere = [], []
    for variant in range(16):
        # Mirrored, smaller (a box as large as the picture has nowhere else to be), on the grey that the network's pictures are padded with.
        side = int(416 * draw.uniform(0.3, 0.7))
        small = np.asarray(Image.fromarray(photo[:, ::-1] if variant % 2 else photo).resize((side, side)))
        scene = np.full((416, 416, 3), 114, np.uint8)
        top, left = (draw.integers(0, 416 - side + 1, 2))
        scene[top:top + side, left:left + side] = small
        x = scene.astype(np.float32).transpose(2, 0, 1)[None]
        model = "det_yolox_nano_op11"
        found = program.run("predict", model, {"images": x}, "--task", "yolox")["boxes"]
        for i, box in enumerate(found):
            _, map_ = program.maps(model, {"images": x}, "--task", "yolox", "--target", f"box:{i}")
            corners = np.clip(box["box"], 0, 416)
            width, height = corners[2] - corners[0], corners[3] - corners[1]
            inside.append(energy(map_, corners, 416))
            others = []
            for _ in range(64):
                x0, y0 = draw.uniform(0, 416 - width), draw.uniform(0, 416 - height)
                others.append(energy(map_, [x0, y0, x0 + width, y0 + height], 416))
            elsewhere.append(np.mean(others))
    times = np.mean(inside) / np.mean(elsewhere)
    print(f"boxes: {np.mean(inside):.2f} of a map's energy in its box, {np.mean(elsewhere):.2f} in one of its size at "
          f"random: {times:.1f} times, of {len(inside)} boxes")
    return times >= 2


def policies(program):
    draw = np.random.default_rng(2)
    holds = True
    for model, image in [("rl_a3c_breakout_gru_op14", "frame"), ("rl_ppo_mario_op18", "frames")]:
        arrays = np.load(next((SHARED / "examples").glob(f"{model}__action.npz")))
        feeds = {key[3:]: arrays[key] for key in arrays.files if key.startswith("in/")}
        frames = feeds[image]
        target = f"action_logits[0,{arrays['out/action_logits'].argmax()}]"
        score = program.run("explain", model, feeds, "--target", target)["score"]
        hidden = frames[0, 0].size // 10

        def change(where):
            flat = frames.reshape(*frames.shape[:2], -1).copy()
            flat[:, :, where] = flat.mean(axis=2, keepdims=True)
            return abs(program.run("explain", model, {**feeds, image: flat.reshape(frames.shape)},
                                   "--target", target)["score"] - score)

        others = np.mean([change(random_tenth(draw, frames.shape[2:], hidden)) for _ in range(24)])
        changes = {}
        for method in ("greydanus", "gradcam"):
            program.run("explain", model, feeds, "--target", target, "--method", method, "--map", "map.npy")
            map_ = np.load(program.folder / "map.npy")
            changes[method] = change(np.argsort(-map_, axis=None, kind="stable")[:hidden])
        print(f"policies: {model}: the action's logit, {score:.2f}, changes by {changes['greydanus']:.2f} without the "
              f"top tenth of Greydanus' map, by {changes['gradcam']:.2f} without that of Grad-CAM's, by {others:.2f} "
              "without a random one")
        holds = holds and changes["greydanus"] > others
    return holds


def random_tenth(draw, shape, count):
    """As connected as a map's top: the nearest pixels to a drawn one."""
    rows, columns = np.indices(shape)
    y, x = draw.uniform(0, shape[0]), draw.uniform(0, shape[1])
    return np.argsort((rows - y) ** 2 + (columns - x) ** 2, axis=None, kind="stable")[:count]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--only", choices=["characters", "boxes", "policies"])
    given = arguments.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        program = Program(given.program, folder)
        for check in (characters, boxes, policies):
            if given.only in (None, check.__name__) and not check(program):
                failed.append(check.__name__)
    if failed:
        print("does not hold: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
