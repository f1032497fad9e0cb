#!/usr/bin/env python3
"""PyTorch modules, and the maps of pytorch-grad-cam and Captum. Development only: PyTorch comes from
PyPI. What docs/coming-from.md says side by side is held together here.

Tried with torch 2.14, grad-cam 1.5.7, captum 0.9.
"""

import os
import sys
import tempfile
import unittest

import support

import numpy as np


def network(seed=0):
    """A small ResNet-like classifier."""
    import torch
    from torch import nn
    torch.manual_seed(seed)

    class Block(nn.Module):
        def __init__(self, inside, out):
            super().__init__()
            self.conv = nn.Conv2d(inside, out, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(out)
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(self.norm(self.conv(x)))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer1 = Block(3, 8)
            self.pool = nn.MaxPool2d(2)
            self.layer2 = Block(8, 16)
            self.fc = nn.Linear(16, 5)

        def forward(self, x):
            x = self.layer2(self.pool(self.layer1(x)))
            return self.fc(x.mean((2, 3)))

    out = Network()
    for part in out.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.1, 0.1)
            part.running_var.uniform_(0.5, 2)
    return out.eval()


class Scratch(unittest.TestCase):
    def setUp(self):
        import torch
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.cache = scratch.name
        torch.manual_seed(1)
        self.x = torch.randn(1, 3, 32, 32)
        self.told = {"cache": self.cache, "tuning": "off", "threads": 1}


class Modules(Scratch):
    def files(self):
        return sorted(os.listdir(self.cache))

    def test_exported_once(self):
        import fovea.torch
        module = network()
        why = fovea.torch.explain(module, self.x, target=2, **self.told)
        self.assertEqual((why.map.shape, why.feature_map.shape), ((32, 32), (16, 16)))
        scores = module(self.x).detach().numpy()[0]
        self.assertAlmostEqual(why.score, float(scores[2]), places=4)
        first = self.files()
        self.assertEqual(len(first), 1)
        again = fovea.torch.explain(module, self.x, target=2, **self.told)
        self.assertEqual(again.map.tobytes(), why.map.tobytes())
        self.assertEqual(self.files(), first)

    def test_weights_shapes_and_structure_make_another(self):
        import torch

        import fovea.torch
        module = network()
        digests = {fovea.torch.digest(module, self.x)}
        with torch.no_grad():
            module.fc.bias[0] += 1
        digests.add(fovea.torch.digest(module, self.x))
        digests.add(fovea.torch.digest(module, torch.zeros(1, 3, 64, 64)))
        digests.add(fovea.torch.digest(module, self.x, opset=17))
        module.layer1.relu = torch.nn.ELU()
        digests.add(fovea.torch.digest(module, self.x))
        self.assertEqual(len(digests), 5)
        self.assertEqual(fovea.torch.digest(network(), self.x),
                         fovea.torch.digest(network(), self.x))

    def test_weights_that_changed_are_seen(self):
        import torch

        import fovea.torch
        module = network()
        before = fovea.torch.explain(module, self.x, target=1, **self.told)
        with torch.no_grad():
            module.fc.weight[1] *= -1
        after = fovea.torch.explain(module, self.x, target=1, **self.told)
        self.assertNotEqual(before.map.tobytes(), after.map.tobytes())
        self.assertEqual(len(self.files()), 2)

    def test_the_mode_comes_back(self):
        import fovea.torch
        module = network().train()
        module.layer2.eval()
        fovea.torch.export(module, self.x, cache=self.cache)
        self.assertTrue(module.training and module.layer1.training)
        self.assertFalse(module.layer2.training)

    def test_a_submodule_as_layer(self):
        import fovea.torch
        why = fovea.torch.explain(network(), self.x, layer="layer1", **self.told)
        self.assertEqual(why.feature_map.shape, (32, 32))
        with self.assertRaisesRegex(fovea.InvalidArgument, "no submodule 'layer7'"):
            fovea.torch.explain(network(), self.x, layer="layer7", **self.told)

    def test_refused(self):
        import fovea.torch
        with self.assertRaisesRegex(fovea.BadInput, "torch.Tensor"):
            fovea.torch.explain(network(), self.x.numpy(), **self.told)

    def test_where_it_is_kept(self):
        import fovea.torch
        with support.environment(XDG_CACHE_HOME=self.cache):
            path = fovea.torch.export(network(), self.x)
        self.assertTrue(path.startswith(os.path.join(self.cache, "fovea", "")))


class Peers(Scratch):
    def test_pytorch_grad_cam(self):
        try:
            from pytorch_grad_cam import GradCAM, LayerCAM
            from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
        except ImportError as error:
            self.skipTest(str(error))
        import fovea.torch
        module = network()
        for method, theirs in (("gradcam", GradCAM), ("layercam", LayerCAM)):
            with theirs(model=module, target_layers=[module.layer2]) as cam:
                expected = cam(input_tensor=self.x, targets=[ClassifierOutputTarget(1)])[0]
            ours = fovea.torch.explain(module, self.x, method, 1, normalize="minmax", **self.told)
            # The package normalises once more after resizing.
            seen = (ours.map - ours.map.min()) / (ours.map.max() - ours.map.min())
            np.testing.assert_allclose(seen, expected, atol=2e-5)

    def test_captum(self):
        try:
            from captum.attr import (InputXGradient, IntegratedGradients, LayerGradCam, Saliency)
        except ImportError as error:
            self.skipTest(str(error))
        import fovea
        import fovea.torch
        module = network()
        theirs = LayerGradCam(module, module.layer2).attribute(self.x, target=1,
                                                                relu_attributions=True)
        ours = fovea.torch.explain(module, self.x, "gradcam", 1, **self.told)
        np.testing.assert_allclose(ours.feature_map, theirs.detach().numpy()[0, 0], atol=2e-6)
        steps = fovea.Method("integrated-gradients", {"steps": 20})
        for method, expected in (
                ("saliency", Saliency(module).attribute(self.x, target=1, abs=False)),
                ("gradient-x-input", InputXGradient(module).attribute(self.x, target=1)),
                (steps, IntegratedGradients(module).attribute(
                    self.x, target=1, n_steps=20, method="riemann_middle"))):
            ours = fovea.torch.explain(module, self.x, method, 1, **self.told)
            # A ReLU that a step meets at its kink goes either way in f32.
            np.testing.assert_allclose(ours.attribution, expected.detach().numpy()[0], atol=1e-4)


if __name__ == "__main__":
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (PyPI's torch and onnx, development only)")
        sys.exit(support.SKIPPED)
    support.main()
