#!/usr/bin/env python3
"""Asks fovea about drawn networks in forms that exporters give them (draw.py).

usage: drawn.py FOVEA [--count N] [--first N] [--kind KIND] [--keep FOLDER]   (requirements.txt)

Scores and probabilities are compared with ONNX Runtime's, the map of Grad-CAM and of occlusion with
that of the plain network, labels with those that were drawn.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from draw import KINDS, draw

TOLERANCE = 1e-4


def ort(model, feeds):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"]).run(None, feeds)


def fovea(program, *arguments):
    """What is told as JSON; a refusal as text."""
    done = subprocess.run([program, *map(str, arguments), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip() or done.returncode


def close(a, b):
    a, b = np.asarray(a, float).ravel(), np.asarray(b, float).ravel()
    return a.shape == b.shape and np.all(np.abs(a - b) <= TOLERANCE * (1 + np.abs(b).max()))


def predicted(answer):
    """Logits and probabilities by class."""
    rows = sorted(answer["images"][0]["predictions"], key=lambda row: row["class"])
    return ([row["logit"] for row in rows], [row["probability"] for row in rows],
            [row["label"] for row in rows])


def scores_of(case, x):
    """The scores by ONNX Runtime."""
    plain = np.asarray(ort(case.plain, {"x": x.reshape(-1, 3, *x.shape[-2:])})[0])
    if case.runs_in_ort:
        out = ort(case.model, {"x": x, **case.other_feeds})
        names = [o.name for o in case.model.graph.output]
        reals = [o for o in out if isinstance(o, np.ndarray) and o.dtype == np.float32]
        if case.scores and isinstance(out[names.index(case.scores)], np.ndarray):
            reals = [out[names.index(case.scores)]]
        maps = [o for o in out if isinstance(o, list) and isinstance(o[0], dict)]
        own = reals[0] if reals else np.array([maps[0][0][name] for name in case.labels])
        assert close(own, plain), "the drawn twins differ"
    return plain.ravel()


def check(program, case, folder):
    """What is wrong; empty: nothing."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, case.shape).astype(np.float32)
    onnx.save(case.model, folder / "model.onnx")
    onnx.save(case.plain, folder / "plain.onnx")
    np.save(folder / "x.npy", x)
    np.save(folder / "plain.npy", x.reshape(1, 3, *case.shape[-2:]))
    feeds = ["--input", f"x={folder / 'x.npy'}"]
    for name, value in case.other_feeds.items():
        np.save(folder / f"{name}.npy", value)
        feeds += ["--input", f"{name}={folder / f'{name}.npy'}"]
    arguments = [a.replace("{shape}", ",".join(map(str, case.shape))) for a in case.arguments]
    if case.scores:
        arguments += ["--output-name", case.scores]
    asked = ["--model", folder / "model.onnx", *feeds, *arguments]
    expected = scores_of(case, x)
    answer = fovea(program, "predict", *asked, "--top", 10)
    if not isinstance(answer, dict):
        return f"refused: {answer}"
    logits, probabilities, labels = predicted(answer)
    last = case.plain.graph.node[-1].op_type
    got = probabilities if last in ("Softmax", "Sigmoid") else logits
    if not close(got, expected):
        return f"scores {got}, where {expected} are right"
    if labels != (case.labels or [None] * len(labels)):
        return f"labels {labels}, where {case.labels} are right"
    for method in ("gradcam", "occlusion"):
        maps = []
        for which, own in (("model", asked),
                           ("plain", ["--model", folder / "plain.onnx", "--input",
                                      f"x={folder / 'plain.npy'}"])):
            told = fovea(program, "explain", *own, "--class", 0, "--method", method,
                         "--normalize", "none", "--map", folder / f"{which}.map.npy")
            if not isinstance(told, dict):
                return f"{method} of the {which} is refused: {told}"
            maps.append(np.load(folder / f"{which}.map.npy"))
        if not close(*maps):
            return f"{method} differs by {np.abs(maps[0] - maps[1]).max()}"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fovea")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--keep", type=Path, help="the files of what went wrong")
    asked = parser.parse_args()
    wrong = 0
    for kind in [asked.kind] if asked.kind else KINDS:
        bad = 0
        for number in range(asked.first, asked.first + asked.count):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                if asked.keep:
                    folder = asked.keep / f"{kind}-{number}"
                    folder.mkdir(parents=True, exist_ok=True)
                try:
                    said = check(asked.fovea, draw(kind, number), folder)
                except AssertionError as error:
                    said = f"not a case: {error}"
            if said:
                bad += 1
                print(f"{kind} {number}: {said}", flush=True)
        print(f"{kind}: {asked.count - bad} of {asked.count} right", flush=True)
        wrong += bad
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
