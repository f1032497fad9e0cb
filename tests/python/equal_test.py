#!/usr/bin/env python3
"""Python and the program give the same maps, to the bit: five models, five methods."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import support

import numpy as np

import fovea

GOLDEN = support.ROOT / "tests/golden/data"
METHODS = ("gradcam", "layercam", "integrated-gradients", "lrp", "occlusion")
THREADS = 2


def models():
    """Five, of several families, that take images as float32."""
    found = [support.GAP, support.FC]
    real = [support.shared("real/models", name)
            for name in ("mobilenet_v2_1.0_224_op13.onnx", "squeezenet_v1.1_onnxzoo_op21.onnx",
                         "resnet8_cifar10_op12.onnx")]
    found += [str(path) for path in real if path]
    for path in sorted(GOLDEN.rglob("*.onnx")):
        if len(found) == 5:
            break
        model = fovea.Model(path)
        if len(model.inputs) == 1 and model.inputs[0].shape and len(model.inputs[0].shape) == 4:
            found.append(str(path))
    return found


def program(model, method, x, folder):
    """(map, attribution) of the program."""
    np.save(folder / "x.npy", x)
    command = [os.environ["FOVEA_PROGRAM"], "explain", "--model", model, "--input",
               str(folder / "x.npy"), "--method", method, "--class", "1", "--threads", str(THREADS),
               "--tune", "off", "--map", str(folder / "map.npy"), "--feature-map",
               str(folder / "grid.npy")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.load(folder / "map.npy"), np.load(folder / "grid.npy")


class Equal(unittest.TestCase):
    def test_program(self):
        if "FOVEA_PROGRAM" not in os.environ:
            self.skipTest("the program was not built")
        names = models()
        self.assertEqual(len(names), 5)
        compared = 0
        for name in names:
            shape = tuple(1 if extent < 0 else extent for extent in fovea.Model(name).inputs[0].shape)
            x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
            for method in METHODS:
                with self.subTest(model=name, method=method), tempfile.TemporaryDirectory() as here:
                    seen, grid = program(name, method, x, Path(here))
                    # For this method alone: what a plan fuses depends on what it is made for.
                    explainer = fovea.Explainer(name, [method], threads=THREADS, tuning="off",
                                                fewer_threads=False)
                    with explainer.forward(x) as run:
                        found = run.explain_each(method, [1])
                    for kind, file in (("map", seen), ("feature_map", grid)):
                        maps = np.stack([getattr(why, kind) for why in found])
                        self.assertEqual(file.size, maps.size)
                        self.assertEqual(file.tobytes(), maps.tobytes())
                    compared += 1
        self.assertEqual(compared, 25)


if __name__ == "__main__":
    support.main()
