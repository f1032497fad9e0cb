"""What the comparisons share: the program's answers, and what they are apart from a package's."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "structured"
TOLERANCE = 1e-4  # of a map's largest value
# What was compared and how far it was apart, for run.py to tell.
MEASURED = []


class Compared(unittest.TestCase):
    """A folder for files, the program, and the difference of two maps."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def program(self, command, model, inputs, *arguments):
        """The JSON of one call."""
        given = []
        for name, value in inputs.items():
            np.save(self.folder / f"{name}.npy", np.ascontiguousarray(value, np.float32))
            given += ["--input", f"{name}={name}.npy"]
        done = subprocess.run([os.environ["FOVEA_PROGRAM"], command, str(model), *given, *map(str, arguments),
                               "--json", "-"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def explained(self, model, inputs, *arguments):
        """The score, and the map as it is: at the layer's grid, with signs, not scaled."""
        said = self.program("explain", model, inputs, *arguments, "--keep-sign", "--normalize", "none",
                            "--feature-map", "map.npy", "--map", "whole.npy")
        return said["score"], np.squeeze(np.load(self.folder / "map.npy"))

    def check(self, what, map_, wanted, tolerance=TOLERANCE):
        self.assertEqual(map_.shape, wanted.shape, what)
        largest = float(np.abs(wanted).max())
        self.assertGreater(largest, 0, f"{what}: the package's map is empty")
        apart = float(np.abs(map_ - wanted).max()) / largest
        MEASURED.append((what, apart))
        self.assertLessEqual(apart, tolerance, what)


def raw_map(cam, inputs, target):
    """The map that one of grad-cam's classes makes before it is clipped, scaled and resized."""
    cam(inputs, [target])
    (layer,) = cam.target_layers
    gradients = cam.activations_and_grads.gradients
    return cam.get_cam_image(inputs, layer, [target], cam.activations_and_grads.activations[0].detach().numpy(),
                             gradients[0].detach().numpy() if gradients else None, False)[0]


def exports():
    """What tests/selections knows of exporting torchvision's networks."""
    folder = str(ROOT / "tests" / "selections")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import export
    return export
