#!/usr/bin/env python3
"""Quantus judges fovea's maps: one metric of faithfulness, one of robustness, one of complexity.
Development only: Quantus and PyTorch come from PyPI.

Tried with quantus 0.6, torch 2.14.
"""

import sys
import unittest
import warnings

import support

import numpy as np


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import fovea
        from fovea.contrib import quantus as bridge
        cls.bridge = bridge
        cls.module = bridge.Wrapped(support.GAP, threads=1, tuning="off")
        photos = sorted((support.ROOT / "tools/demo/scenes").glob("*.png"))[:3]
        recipe = fovea.Recipe(None, fovea.Model(support.GAP))
        cls.x = np.concatenate([recipe.apply(fovea.Photo(path), (1, 3, 192, 240))[0]
                                for path in photos])
        explainer = fovea.Explainer(support.GAP, threads=1, tuning="off")
        cls.y, cls.maps = [], []
        for image in cls.x:
            with explainer.forward(image[None]) as run:
                cls.y.append(run.predictions[0].class_index)
                cls.maps.append(run.explain().map[None])
        cls.y, cls.maps = np.array(cls.y), np.stack(cls.maps)

    def judge(self, metric, maps=None, **told):
        told.setdefault("explain_func_kwargs", {"method": "gradcam"})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return metric(model=self.module, x_batch=self.x, y_batch=self.y, a_batch=maps,
                          channel_first=True, softmax=False, device="cpu",
                          explain_func=self.bridge.explain, **told)

    def test_the_bridge(self):
        found = self.bridge.explain(self.module, self.x, self.y, method="gradcam", device="cpu")
        np.testing.assert_array_equal(found, self.maps)
        import torch
        scores = self.module(torch.from_numpy(self.x))
        self.assertEqual(scores.argmax(1).tolist(), self.y.tolist())

    def test_faithfulness(self):
        import quantus
        # Hiding what the map shows takes more of the score than hiding what it does not.
        metric = quantus.PixelFlipping(features_in_step=192 * 240 // 16,
                                       perturb_baseline="mean", disable_warnings=True)
        shown = self.judge(metric)
        turned = self.judge(metric, maps=1 - self.maps)
        self.assertEqual(len(shown), len(self.x))
        self.assertLess(np.mean(shown), np.mean(turned))

    def test_robustness(self):
        import quantus
        found = self.judge(quantus.MaxSensitivity(nr_samples=2, lower_bound=0.02,
                                                  disable_warnings=True))
        self.assertEqual(len(found), len(self.x))
        self.assertTrue(np.isfinite(found).all() and (np.array(found) < 0.5).all(), found)

    def test_complexity(self):
        import quantus
        metric = quantus.Sparseness(disable_warnings=True)
        shown = self.judge(metric)
        even = self.judge(metric, maps=np.ones_like(self.maps) + 0.001 * self.maps)
        self.assertTrue((np.array(shown) > np.array(even)).all(), (shown, even))


if __name__ == "__main__":
    try:
        import quantus  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (PyPI's quantus, development only)")
        sys.exit(support.SKIPPED)
    support.main()
