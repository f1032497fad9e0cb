"""Measures on unseen scenes what the captioner and the answerer say, and where their maps lie, by the program.

    python tools/demo/point_shapes.py build/release/tools/fovea

Grad-CAM at the default layer; no tolerance. A map points at a thing where its maximum lies in the
thing's box; chance is the boxes' share of the picture.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

from shapes_scenes import COLOURS, SIDE, ask, draw

MODELS = pathlib.Path(__file__).resolve().parent / "models"
FIRST = 2001  # seed


def points_at(cam: np.ndarray, thing) -> bool:
    y, x = np.unravel_index(cam.argmax(), cam.shape)
    x0, y0, x1, y1 = thing.box
    return bool(cam.max() > 0 and x0 <= x < x1 and y0 <= y < y1)


def run(command: list) -> list:
    """The results of `fovea explain`, one for each photo."""
    out = subprocess.run([*map(str, command), "--json", "-"], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()] if out.startswith('{"') else [json.loads(out)]


def measure_captions(program, model, method, scenes, folder) -> dict:
    exact, points = [], []
    results = run([program, "explain", "--model", model, *[folder / f"{s.seed}.png" for s in scenes],
                   "--target", "words", "--method", method, "--map", folder / "{}.npy"])
    for scene, result in zip(scenes, results):
        exact.append(result["caption"] == scene.caption())
        maps, said = np.load(folder / f"{scene.seed}.npy"), [word["name"] for word in result["words"]]
        for thing in scene.things:
            points.append(thing.colour in said and points_at(maps[said.index(thing.colour)], thing))
    chance = np.mean([(t.box[2] - t.box[0]) * (t.box[3] - t.box[1]) for s in scenes for t in s.things])
    return {"scenes": len(scenes), "captions_exact": np.mean(exact), "colour_words_point": np.mean(points),
            "chance": chance / SIDE ** 2}


def measure_answers(program, model, method, scenes, folder) -> dict:
    """The same question about each of the two things: right, pointing, and moving from one to the other."""
    right, points, moves = [], [], []
    for scene in scenes:
        first, second = scene.things
        if first.shape == second.shape:
            continue
        peaks = []
        for thing in scene.things:
            file = folder / f"{scene.seed}.npy"
            result, = run([program, "explain", "--model", model, folder / f"{scene.seed}.png", "--method", method,
                           "--input", f"question=what color is the {thing.shape}?", "--map", file,
                           "--target", f"answer:{thing.colour}"])
            right.append(result["answers"][0]["name"] == thing.colour)
            cam = np.load(file)
            points.append(points_at(cam, thing))
            peaks.append(points[-1])
        moves.append(all(peaks))  # the maximum went from one to the other
    return {"questions": len(right), "answers_right": np.mean(right), "answers_point": np.mean(points),
            "both_of_a_scene_point": np.mean(moves)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, default=MODELS)
    parser.add_argument("--count", type=int, default=300, help="scenes")
    parser.add_argument("--method", default="gradcam")
    parser.add_argument("--only", choices=["caption", "answer"])
    options = parser.parse_args()
    scenes = [draw(FIRST + i) for i in range(options.count)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for scene in scenes:
            Image.fromarray(scene.rgb).save(folder / f"{scene.seed}.png")
        for name, measure in (("caption", measure_captions), ("answer", measure_answers)):
            if options.only in (None, name):
                found = measure(options.program.resolve(), options.models / f"{name}.onnx", options.method, scenes,
                                folder)
                print(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
