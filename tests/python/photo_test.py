#!/usr/bin/env python3
"""Photos in, pictures out, and a map in one call."""

import io
import json
import pickle
import tempfile
import unittest
from pathlib import Path

import support

import numpy as np

import fovea

PIXELS = np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8)


class Photos(unittest.TestCase):
    def test_sources_agree(self):
        whole = fovea.Photo(support.SCENE)
        data = Path(support.SCENE).read_bytes()
        self.assertEqual(whole.pixels.shape, (whole.height, whole.width, 3))
        for source in (Path(support.SCENE), data, bytearray(data), whole.pixels,
                       np.asfortranarray(whole.pixels), pickle.loads(pickle.dumps(whole))):
            photo = source if isinstance(source, fovea.Photo) else fovea.Photo(source)
            self.assertEqual(photo.pixels.tobytes(), whole.pixels.tobytes())
        self.assertIn("scene_1.png", repr(whole))

    def test_pillow(self):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("this Python has no Pillow (Debian's package python3-pil)")
        image = Image.open(support.SCENE)
        self.assertEqual(fovea.Photo(image).pixels.tobytes(),
                         fovea.Photo(support.SCENE).pixels.tobytes())
        grey = fovea.Photo(image.convert("L")).pixels
        self.assertTrue((grey[..., 0] == grey[..., 2]).all())
        png = Image.open(io.BytesIO(fovea.encode(PIXELS)))
        self.assertEqual(np.asarray(png).tobytes(), PIXELS.tobytes())

    def test_round_trip(self):
        for ending in (".png", ".bmp"):
            again = fovea.Photo(fovea.encode(PIXELS, ending)).pixels
            self.assertEqual(again.tobytes(), PIXELS.tobytes())
        for ending in (".jpg", ".webp"):
            again = fovea.Photo(fovea.encode(np.full((16, 16, 3), 100, np.uint8), ending)).pixels
            self.assertLess(abs(again.astype(int) - 100).max(), 4)
        grey = fovea.Photo(PIXELS[..., 0]).pixels
        self.assertEqual(grey[..., 1].tobytes(), PIXELS[..., 0].tobytes())

    def test_refused(self):
        for bad in ("/no/such.png", b"no photo", b"", fovea.encode(PIXELS)[:100],
                    PIXELS.astype(np.float32), PIXELS[..., :2], np.zeros((0, 5, 3), np.uint8),
                    support.GAP):
            with self.assertRaises((fovea.BadInput, fovea.InvalidArgument)):
                fovea.Photo(bad)
        with self.assertRaisesRegex(fovea.BadInput, "/no/such.png"):
            fovea.Photo("/no/such.png")
        with self.assertRaises(fovea.InvalidArgument):
            fovea.encode(PIXELS, ".gif")
        photo = fovea.Photo(PIXELS)
        photo.close()
        with self.assertRaisesRegex(fovea.InvalidArgument, "this Photo is closed"):
            photo.pixels


class Drawing(unittest.TestCase):
    def test_overlay(self):
        heat = np.zeros((4, 6), np.float32)
        heat[1, 2] = 1
        photo = fovea.Photo(PIXELS)
        out = fovea.overlay(photo, heat)
        self.assertEqual((out.shape, out.dtype), (PIXELS.shape, np.uint8))
        self.assertEqual(fovea.overlay(photo, heat, alpha=0).tobytes(), PIXELS.tobytes())
        only = fovea.overlay(photo, heat, heatmap_only=True)
        black = fovea.overlay(fovea.Photo(PIXELS * 0), heat, heatmap_only=True)
        self.assertEqual(only.tobytes(), black.tobytes())
        self.assertNotEqual(fovea.overlay(photo, heat, colormap="viridis").tobytes(), out.tobytes())
        self.assertNotEqual(fovea.overlay(photo, heat, opacity="value").tobytes(), out.tobytes())
        self.assertNotEqual(fovea.overlay(photo, heat, pale=True).tobytes(), out.tobytes())
        for told in ({"colormap": "yet"}, {"opacity": "a lot"}, {"alpha": 7.0}):
            with self.assertRaises(fovea.InvalidArgument):
                fovea.overlay(photo, heat, **told)
        with self.assertRaises((fovea.InvalidArgument, fovea.BadInput)):
            fovea.overlay(photo, heat[0])

    def test_view_and_box(self):
        heat = np.ones((4, 4), np.float32)
        seen = fovea.map_on_photo(heat, 40, 20, fovea.View(10, 0, 30, 20))
        self.assertEqual(seen.shape, (20, 40))
        np.testing.assert_array_equal(seen, np.pad(np.ones((20, 20)), ((0, 0), (10, 10))))
        self.assertEqual(fovea.find_box(seen), fovea.Box(10, 0, 20, 20))
        heat[0], heat[1:] = 1, 0.3  # above the program's own share
        self.assertEqual(fovea.find_box(heat), fovea.Box(0, 0, 4, 4))
        self.assertEqual(fovea.find_box(heat, 0.5), fovea.Box(0, 0, 4, 1))
        self.assertIsNone(fovea.find_box(np.zeros((4, 4), np.float32)))
        drawn = fovea.draw_box(PIXELS, fovea.Box(5, 5, 20, 10))
        self.assertNotEqual(drawn.tobytes(), PIXELS.tobytes())
        self.assertEqual(drawn[20:].tobytes(), PIXELS[20:].tobytes())


class Recipes(unittest.TestCase):
    def test_sources(self):
        self.assertEqual(fovea.Recipe("imagenet").source, "said")
        self.assertEqual(fovea.Recipe().source, "assumed")
        self.assertEqual(fovea.Recipe(None, fovea.Model(support.GAP)).source, "model")
        with self.assertRaisesRegex(fovea.InvalidArgument, "imagenet"):
            fovea.Recipe("imagnet")

    def test_as_numpy_has_it(self):
        recipe = fovea.Recipe('{"geometry": "stretch", "mean": [0, 0, 0], "std": [1, 1, 1]}')
        x, view = recipe.apply(fovea.Photo(PIXELS), (1, 3, 40, 60))
        np.testing.assert_allclose(x[0], PIXELS.transpose(2, 0, 1) / 255, rtol=1e-6)
        self.assertEqual(view, fovea.View(0, 0, 60, 40))
        rows_last, _ = recipe.apply(fovea.Photo(PIXELS), (1, 40, 60, 3))
        self.assertEqual(rows_last[0].tobytes(), x[0].transpose(1, 2, 0).tobytes())

    def test_open_extents_are_the_recipe_s(self):
        recipe = '{"geometry": "stretch", "height": 32, "width": 48}'
        explainer = fovea.Explainer(str(support.FIXTURES / "open_extents.onnx"), preprocess=recipe,
                                    **support.SAME)
        self.assertEqual(explainer.inputs[0].shape, (1, 3, 32, 48))
        self.assertEqual(explainer.recipe.extents, (32, 48))
        self.assertEqual(explainer.forward(PIXELS).explain().map.shape, (32, 48))


class OneCall(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.why = fovea.explain(support.GAP, support.SCENE, **support.SAME)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def test_it_knows_what_it_shows(self):
        why = self.why
        photo = fovea.Photo(support.SCENE)
        self.assertEqual(why.label, fovea.labels(fovea.Model(support.GAP))
                         [why.prediction.class_index] if why.label else why.label)
        self.assertEqual((why.photo.width, why.photo.height), (photo.width, photo.height))
        self.assertEqual(why.overlay().shape, photo.pixels.shape)
        self.assertEqual(why.on_photo().shape, photo.pixels.shape[:2])
        self.assertIsNotNone(why.box())
        self.assertTrue(why._repr_png_().startswith(b"\x89PNG"))
        np.testing.assert_array_equal(fovea.Photo(why._repr_png_()).pixels, why.overlay())

    def test_every_kind_of_image_and_model(self):
        data = Path(support.SCENE).read_bytes()
        explainer = fovea.Explainer(support.GAP, **support.SAME)
        for model in (fovea.Model(support.GAP), Path(support.GAP).read_bytes(), explainer):
            for image in (data, fovea.Photo(data), fovea.Photo(data).pixels):
                told = {} if model is explainer else support.SAME
                again = fovea.explain(model, image, **told)
                self.assertEqual(again.map.tobytes(), self.why.map.tobytes())
        with self.assertRaisesRegex(TypeError, "made already: tuning"):
            fovea.explain(explainer, data, tuning="off")

    def test_a_tensor_draws_its_colours_alone(self):
        explainer = fovea.Explainer(support.GAP, **support.SAME)
        x, _ = explainer.recipe.apply(fovea.Photo(support.SCENE), (1, 3, 192, 240))
        why = fovea.explain(explainer, x)
        self.assertEqual(why.map.tobytes(), self.why.map.tobytes())
        self.assertIsNone(why.photo)
        self.assertEqual(why.overlay().shape, (192, 240, 3))
        self.assertEqual(why.overlay(support.SCENE).shape, self.why.overlay().shape)

    def test_targets_layers_methods(self):
        why = fovea.explain(support.GAP, support.SCENE, "layercam", 1, score="probability",
                            **support.SAME)
        self.assertEqual((why.method, why.target), ("layercam", "class:1"))
        layer = fovea.Explainer(support.GAP).layers[-3].name
        why = fovea.explain(support.GAP, support.SCENE, layer=layer, **support.SAME)
        self.assertEqual(why.layer, layer)
        names = ["thing"] * 5 + ["wanted one"]
        why = fovea.explain(support.GAP, support.SCENE, target="label:wanted", labels=names,
                            **support.SAME)
        self.assertEqual((why.prediction.class_index, why.label), (5, "wanted one"))
        both = fovea.explain(support.GAP, support.SCENE, target="label:wanted one-label:wanted",
                             labels=names, **support.SAME)
        self.assertEqual(both.score, 0)
        with self.assertRaises(fovea.InvalidArgument):
            fovea.explain(support.GAP, support.SCENE, target="label:nobody", labels=names,
                          **support.SAME)

    def test_an_assumed_recipe_is_told(self):
        why = fovea.explain(support.GAP, support.SCENE, **support.SAME)
        self.assertFalse([row for row in why.warnings if "assumed" in row])
        bare = str(support.FIXTURES / "open_extents.onnx")
        why = fovea.explain(bare, support.SCENE, input_shapes={"data": (1, 3, 32, 32)}, **support.SAME)
        self.assertTrue([row for row in why.warnings if "assumed" in row])

    def test_save(self):
        for name, head in (("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8"), ("a.webp", b"RIFF"),
                           ("a.bmp", b"BM"), ("a.npy", b"\x93NUMPY"), ("a.json", b"{")):
            self.why.save(self.folder / name)
            self.assertTrue((self.folder / name).read_bytes().startswith(head), name)
        np.testing.assert_array_equal(np.load(self.folder / "a.npy"), self.why.map)
        told = json.loads((self.folder / "a.json").read_text())
        self.assertEqual(told["prediction"]["class_index"], self.why.prediction.class_index)
        np.testing.assert_allclose(told["feature_map"], self.why.feature_map)
        self.why.save(self.folder / "b.png", colormap="viridis")
        self.assertNotEqual((self.folder / "b.png").read_bytes(),
                            (self.folder / "a.png").read_bytes())
        with self.assertRaisesRegex(fovea.InvalidArgument, ".npy"):
            self.why.save(self.folder / "a.gif")
        with self.assertRaises(OSError):
            self.why.save(self.folder / "no" / "folder.png")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["a.bmp", "a.jpg", "a.json", "a.npy", "a.png", "a.webp", "b.png"])

    def test_it_can_be_pickled(self):
        again = pickle.loads(pickle.dumps(self.why))
        self.assertEqual(again.map.tobytes(), self.why.map.tobytes())
        self.assertEqual(again.to_dict(map=True), self.why.to_dict(map=True))
        self.assertEqual(again.overlay().shape, self.why.overlay().shape)
        self.assertEqual(again.photo.pixels.tobytes(), self.why.photo.pixels.tobytes())

    def test_a_map_with_a_sign_is_red_and_blue(self):
        why = fovea.explain(support.GAP, support.SCENE, keep_sign=True, **support.SAME)
        self.assertLess(float(why.map.min()), 0)
        for one in (why, pickle.loads(pickle.dumps(why))):
            seen = one.on_photo()
            heat = one.overlay(heatmap_only=True).astype(int).reshape(-1, 3)
            strongest, weakest = heat[seen.argmax()], heat[seen.argmin()]
            self.assertGreater(strongest[0], strongest[2])
            self.assertGreater(weakest[2], weakest[0])

    def test_numbers_that_json_has_not(self):
        why = pickle.loads(pickle.dumps(self.why))
        why.feature_map[0, 0] = float("nan")
        why.score = float("inf")
        told = json.loads(json.dumps(why.to_dict(), allow_nan=False))
        self.assertIsNone(told["feature_map"][0][0])
        self.assertIsNone(told["score"])

    def test_a_bad_photo(self):
        with self.assertRaises(fovea.BadInput):
            fovea.explain(support.GAP, "/no/such.jpg")
        with self.assertRaises(fovea.BadInput):
            fovea.explain(support.GAP, b"\xff\xd8 broken")


if __name__ == "__main__":
    support.main()
