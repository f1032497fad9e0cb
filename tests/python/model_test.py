#!/usr/bin/env python3
"""Models and explainers: what they say, what they refuse, closing and pickling."""

import copy
import os
import pickle
import shutil
import tempfile
import unittest
from pathlib import Path

import support

import numpy as np

import fovea


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)


class Models(Scratch):
    def test_of_a_file(self):
        with fovea.Model(support.GAP) as model:
            self.assertEqual(model.path, support.GAP)
            self.assertEqual([(row.dtype, row.shape) for row in model.inputs],
                             [("float32", (-1, 3, 192, 240))])
            self.assertEqual([row.refusal for row in model.outputs], [""])
            self.assertIsNone(model.metadata("no such key"))
            self.assertIn("demo_gap.onnx", repr(model))

    def test_of_a_path_object_and_a_relative_path(self):
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(support.MODELS)
        model = fovea.Model(Path("demo_gap.onnx"))
        os.chdir(here)
        self.assertEqual(model.path, support.GAP)
        self.assertEqual(len(model.digest()), 64)

    def test_of_bytes(self):
        data = Path(support.GAP).read_bytes()
        of_file = fovea.Model(support.GAP)
        for source in (data, bytearray(data), memoryview(data)):
            model = fovea.Model(source)
            self.assertIsNone(model.path)
            self.assertEqual(model.inputs, of_file.inputs)
            self.assertEqual(model.digest(), of_file.digest())

    def test_refused(self):
        with self.assertRaises(fovea.BadModel) as caught:
            fovea.Model("/no/such/model.onnx")
        self.assertEqual(caught.exception.code, "bad_model")
        self.assertIn("/no/such/model.onnx", str(caught.exception))
        with self.assertRaises(fovea.BadModel):
            fovea.Model(b"no model")
        with self.assertRaises(fovea.BadModel):
            fovea.Model(b"")
        with self.assertRaises(fovea.Unsupported) as caught:
            fovea.Model(str(support.FIXTURES / "unknown_op.onnx"))
            fovea.Explainer(str(support.FIXTURES / "unknown_op.onnx"))
        self.assertTrue(caught.exception.sentence)
        with self.assertRaises(fovea.InvalidArgument):
            fovea.Model("a\0b.onnx")
        with self.assertRaises(TypeError):
            fovea.Model(17)

    def test_closed(self):
        model = fovea.Model(support.GAP)
        explainer = fovea.Explainer(model, **support.SAME)
        model.close()
        model.close()
        for use in (lambda: model.inputs, lambda: model.metadata("a"),
                    lambda: fovea.Explainer(model), lambda: pickle.dumps(model)):
            with self.assertRaisesRegex(fovea.InvalidArgument, "this Model is closed"):
                use()
        self.assertEqual(len(explainer.inputs), 1)  # which keeps what it was made from


class Pickling(Scratch):
    def test_a_model_is_read_again(self):
        model = fovea.Model(support.GAP)
        data = pickle.dumps(model)
        self.assertLess(len(data), 1000)
        again = pickle.loads(data)
        self.assertEqual((again.path, again.inputs), (model.path, model.inputs))
        self.assertEqual(copy.copy(model).path, model.path)

    def test_bytes_travel(self):
        data = Path(support.GAP).read_bytes()
        again = pickle.loads(pickle.dumps(fovea.Model(data)))
        self.assertEqual(again.inputs, fovea.Model(data).inputs)

    def test_another_file_is_refused(self):
        file = self.folder / "m.onnx"
        shutil.copy(support.GAP, file)
        data = pickle.dumps(fovea.Model(file))
        shutil.copy(support.FC, file)
        with self.assertRaisesRegex(fovea.BadModel, "SHA-256") as caught:
            pickle.loads(data)
        self.assertIn("m.onnx", str(caught.exception))
        file.unlink()
        with self.assertRaises(fovea.BadModel):
            pickle.loads(data)

    def test_integers_that_the_library_has_no_room_for(self):
        # ctypes would take all of these for 0 or 1.
        model = fovea.Model(support.GAP)
        for options in ({"threads": 2**32 + 1}, {"batch": 2**64 + 1}, {"max_runs": 2**32 + 1},
                        {"memory_limit": 2**64}, {"token_grid": (2**64, 1)},
                        {"input_shapes": {"image": (2**64 + 1, 3, 192, 240)}}):
            with self.subTest(options), self.assertRaisesRegex(fovea.InvalidArgument, "range"):
                fovea.Explainer(model, **options)
        explainer = fovea.Explainer(model, **support.SAME)
        run = explainer.forward(np.zeros((1, 3, 192, 240), np.float32))
        photo = fovea.Photo(support.SCENE)
        for use in (lambda: explainer.forward(np.zeros((1, 3, 192, 240)), threads=2**32),
                    lambda: run.predictions_of(2**64), lambda: run.predictions_of(-2**64),
                    lambda: fovea.draw_box(photo.pixels, (2**64, 0, 1, 1)),
                    lambda: fovea.map_on_photo(np.ones((2, 2)), 2**32 + 8, 8),
                    lambda: fovea.Recipe("imagenet").apply(photo, (2**64 + 1, 3, 8, 8))):
            with self.assertRaisesRegex(fovea.InvalidArgument, "range"):
                use()

    def test_a_masked_array_is_refused(self):
        masked = np.ma.masked_array(np.zeros((1, 3, 192, 240), np.float32), mask=True)
        with self.assertRaisesRegex(fovea.BadInput, "masked"):
            fovea.Explainer(support.GAP, **support.SAME).forward(masked)

    def test_other_weights_are_refused(self):
        for name in ("model.onnx", "model.onnx.data"):
            shutil.copy(support.EXTERNAL.parent / name, self.folder)
        file, weights = self.folder / "model.onnx", self.folder / "model.onnx.data"
        model = fovea.Model(file)
        self.assertEqual(model.files, [str(file), str(weights)])
        from_bytes = fovea.Model(file.read_bytes(), external_data=self.folder)
        self.assertEqual(from_bytes.files, [str(weights)])
        self.assertEqual(from_bytes.digests(), model.digests())
        pickled = [pickle.dumps(one) for one in (model, from_bytes, fovea.Explainer(model))]
        for data in pickled:
            pickle.loads(data)
        told = weights.read_bytes()
        weights.write_bytes(told[:-2] + b"\0\0")
        for data in pickled:
            with self.assertRaisesRegex(fovea.BadModel, "SHA-256") as caught:
                pickle.loads(data)
            self.assertEqual(caught.exception.file, str(weights))
        with self.assertRaisesRegex(fovea.BadModel, "changed") as caught:
            pickle.dumps(model)
        self.assertEqual(caught.exception.file, str(weights))

    def test_a_file_that_changed_since_it_was_read(self):
        file = self.folder / "m.onnx"
        shutil.copy(support.GAP, file)
        model = fovea.Model(file)
        shutil.copy(support.FC, file)
        with self.assertRaisesRegex(fovea.BadModel, "changed"):
            pickle.dumps(model)

    def test_an_explainer_is_made_again(self):
        explainer = fovea.Explainer(support.GAP, [fovea.Method("smoothgrad", {"samples": 3})],
                                    **support.SAME)
        again = pickle.loads(pickle.dumps(explainer))
        x = [[[[0.25] * 240] * 192] * 3]
        maps = [one.forward(x).explain("smoothgrad").map for one in (explainer, again)]
        self.assertEqual(maps[0].tobytes(), maps[1].tobytes())
        self.assertEqual(again.threads, 2)

    def test_errors_travel(self):
        for kind in (fovea.BadModel, fovea.OutOfMemory, fovea.DeadlineExceeded):
            error = kind("a sentence", file="f", node="n", op="Conv")
            again = pickle.loads(pickle.dumps(error))
            self.assertIs(type(again), kind)
            self.assertEqual((again.sentence, again.file, again.node, again.op),
                             ("a sentence", "f", "n", "Conv"))


class Explainers(Scratch):
    def test_what_it_says(self):
        explainer = fovea.Explainer(support.GAP, ["gradcam", "lrp"], **support.SAME)
        self.assertEqual((explainer.threads, explainer.precision), (2, "f32"))
        self.assertEqual(explainer.inputs[0].shape, (1, 3, 192, 240))
        default = [row for row in explainer.layers if row.is_default]
        self.assertEqual(len(default), 1)
        self.assertTrue(default[0].is_prepared and default[0].node and default[0].op)
        self.assertEqual(len(default[0].shape), 4)
        self.assertIsInstance(explainer.warnings, list)

    def test_of_path_bytes_and_model(self):
        data = Path(support.GAP).read_bytes()
        x = [[[[0.25] * 240] * 192] * 3]
        maps = {fovea.Explainer(model, **support.SAME).forward(x).explain().map.tobytes()
                for model in (support.GAP, data, fovea.Model(support.GAP))}
        self.assertEqual(len(maps), 1)

    def test_plan_cache(self):
        first = fovea.Explainer(support.GAP, threads=1, tuning="quick")
        cache = first.plan_cache()
        self.assertIsInstance(cache, bytes)
        self.assertTrue(cache)
        second = fovea.Explainer(support.GAP, threads=1, plan_cache=cache)
        self.assertEqual(second.plan_cache(), cache)
        fovea.Explainer(support.GAP, threads=1, tuning="off", plan_cache=b"\0damaged")

    def test_refused(self):
        for told, text in (({"methods": ["gradcan"]}, "gradcam"),
                           ({"methods": "gradcam"}, "list of methods"),
                           ({"layers": "relu"}, "list of texts"),
                           ({"layers": ["no such layer"]}, "no such layer"),
                           ({"precision": "f64"}, "precision is one of f32, bf16"),
                           ({"tuning": "a lot"}, "tuning is one of"),
                           ({"waiting": "there"}, "waiting is one of"),
                           ({"threads": 0}, "at least 1"),
                           ({"threads": 100000}, "threads"),
                           ({"batch": 0}, "batch"),
                           ({"targets": ["class:"]}, "class"),
                           ({"timeout": 0}, "timeout"),
                           ({"input_shapes": {"nobody": (1, 2)}}, "nobody"),
                           ({"methods": [fovea.Method("rise", {"masks": -1})]}, "masks"),
                           ({"methods": [fovea.Method("rise", {"maskes": 1})]}, "masks")):
            with self.subTest(told), self.assertRaisesRegex(fovea.InvalidArgument, text):
                fovea.Explainer(support.GAP, **told)
        with self.assertRaises(ValueError):  # which InvalidArgument is
            fovea.Explainer(support.GAP, precision="f64")
        with self.assertRaises(TypeError):
            fovea.Explainer(support.GAP, no_such_option=1)

    def test_memory_limit(self):
        with self.assertRaises(fovea.OutOfMemory) as caught:
            fovea.Explainer(support.GAP, memory_limit=1000, tuning="off").forward(
                [[[[0.25] * 240] * 192] * 3])
        self.assertIsInstance(caught.exception, MemoryError)

    def test_stopped_and_late(self):
        stop = fovea.Stop()
        stop.set()
        with self.assertRaises(fovea.Cancelled):
            fovea.Explainer(support.GAP, stop=stop)
        with self.assertRaises(fovea.DeadlineExceeded) as caught:
            fovea.Explainer(support.GAP, timeout=1e-9)
        self.assertIsInstance(caught.exception, TimeoutError)

    def test_log(self):
        told = []
        explainer = fovea.Explainer(support.GAP, log=told.append, **support.SAME)
        x = [[[[float("nan")] * 240] * 192] * 3]
        with explainer.forward(x) as run:
            self.assertTrue(run.warnings)
            self.assertEqual(told[:len(run.warnings)], run.warnings)

    def test_closed(self):
        explainer = fovea.Explainer(support.GAP, **support.SAME)
        run = explainer.forward([[[[0.25] * 240] * 192] * 3])
        with explainer:
            pass
        for use in (lambda: explainer.threads, lambda: explainer.layers, explainer.plan_cache,
                    lambda: explainer.forward([[0]]), lambda: pickle.dumps(explainer)):
            with self.assertRaisesRegex(fovea.InvalidArgument, "this Explainer is closed"):
                use()
        self.assertEqual(run.explain().map.shape, (192, 240))


class Methods(unittest.TestCase):
    def test_list(self):
        found = {row.name: row for row in fovea.methods()}
        self.assertGreater(len(found), 30)
        self.assertTrue(found["rise"].is_expensive and not found["gradcam"].is_expensive)
        self.assertTrue(found["saliency"].is_of_input and not found["gradcam"].is_of_input)
        self.assertIn("samples=", found["smoothgrad"].options)
        self.assertTrue(found["gradcam"].title and found["gradcam"].paper)

    def test_versions(self):
        self.assertEqual(fovea.library_version(), fovea.__version__)
        self.assertIn("onednn", fovea.build_info().lower())


if __name__ == "__main__":
    support.main()
