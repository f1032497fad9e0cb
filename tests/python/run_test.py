#!/usr/bin/env python3
"""Forward passes and explanations of tensors."""

import gc
import pickle
import threading
import time
import unittest

import support

import numpy as np

import fovea

SHAPE = (1, 3, 192, 240)


def drawn(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.explainer = fovea.Explainer(support.GAP, ["gradcam", "saliency"], **support.SAME)
        cls.x = drawn()

    def test_predictions(self):
        with self.explainer.forward(self.x) as run:
            rows, logits = run.predictions, run.output()
            self.assertEqual(logits.dtype, np.float32)
            self.assertEqual(len(rows), logits.shape[1])
            best = rows[0]
            self.assertEqual(best.class_index, int(logits[0].argmax()))
            self.assertEqual(best.logit, float(logits[0].max()))
            # The model's metadata says that its classes are each on their own.
            np.testing.assert_allclose(best.probability, 1 / (1 + np.exp(-float(best.logit))), rtol=1e-5)
            self.assertEqual([row.class_index for row in rows], rows.class_indices.tolist())
            self.assertEqual(list(rows[:2]), [rows[0], rows[1]])
            self.assertEqual(rows[-1].logit, float(logits.min()))
            self.assertIn(str(best.class_index), repr(rows))
            with self.assertRaises(fovea.InvalidArgument):
                run.predictions_of(1)

    def test_probabilities_are_what_the_caller_says_before_the_model(self):
        for told in (False, True):
            explainer = fovea.Explainer(support.GAP, multi_label=told, **support.SAME)
            with explainer.forward(self.x / 100) as run:
                rows, logits = run.predictions, run.output()[0].astype(float)
                self.assertLess(np.ptp(logits), 30)
                soft = np.exp(logits - logits.max())
                each = 1 / (1 + np.exp(-logits))
                want = each if told else soft / soft.sum()
                np.testing.assert_allclose([row.probability for row in rows],
                                           want[rows.class_indices], rtol=1e-5)

    def test_outputs(self):
        name = self.explainer.model.outputs[0].name
        layer = next(row.name for row in self.explainer.layers if row.is_default)
        explainer = fovea.Explainer(support.GAP, fetches=[layer], **support.SAME)
        run = explainer.forward(self.x)
        for _ in range(2):  # with and without a known shape
            self.assertEqual(run.output(layer).ndim, 4)
            self.assertEqual(run.output(name).shape, self.explainer.forward(self.x).output(name).shape)
        first, second = run.output(layer), run.output(layer)
        first[:] = 0  # its own memory
        self.assertTrue(second.any())
        with self.assertRaises(fovea.InvalidArgument):
            run.output("nobody")

    def test_explanation(self):
        with self.explainer.forward(self.x) as run:
            why = run.explain("gradcam", target=1)
            self.assertEqual((why.method, why.target, why.image), ("gradcam", "class:1", 0))
            self.assertEqual(why.map.shape, SHAPE[2:])
            self.assertEqual(why.feature_map.ndim, 2)
            self.assertEqual((why.map.dtype, why.feature_map.dtype), (np.float32, np.float32))
            self.assertIsNone(why.attribution)
            self.assertEqual(why.prediction.class_index, 1)
            self.assertEqual(why.score, why.prediction.logit)
            self.assertEqual(why.score, float(run.output()[0, 1]))
            self.assertEqual(why.threads, 2)
            self.assertGreater(why.timings.forward_ms, 0)
            self.assertLessEqual(float(why.map.max()), 1)
            self.assertIn("class:1", repr(why))
            of_input = run.explain("saliency")
            self.assertEqual(of_input.attribution.shape, SHAPE[1:])

    def test_targets(self):
        with self.explainer.forward(self.x) as run:
            logits = run.output()[0]
            self.assertEqual(run.explain(target="top:1").prediction.class_index, logits.argmax())
            both = run.explain(target="class:0-class:1")
            self.assertAlmostEqual(both.score, float(logits[0]) - float(logits[1]), places=4)
            self.assertIsNone(both.prediction)
            self.assertEqual(run.explain(target=np.int64(1)).target, "class:1")
            three = run.explain_each("gradcam", [0, "top:2", "class:0-class:1"])
            self.assertEqual([row.target for row in three], ["class:0", "top:2", "class:0-class:1"])
            self.assertEqual(three[2].map.tobytes(), both.map.tobytes())
            for bad in (1.5, True, None, [1]):
                with self.assertRaisesRegex(fovea.InvalidArgument, "a target is a class's index"):
                    run.explain(target=bad)
            for bad in (99, -1, "class:99", "klass:1", "", "class:0-", "a\0b"):
                with self.subTest(bad), self.assertRaises(fovea.InvalidArgument):
                    run.explain(target=bad)
            with self.assertRaisesRegex(fovea.InvalidArgument, "list of targets"):
                run.explain_each(targets="top:1")

    def test_options(self):
        with self.explainer.forward(self.x) as run:
            plain = run.explain(target=0)
            raw = run.explain(target=0, normalize="none", keep_sign=True)
            self.assertLess(float(raw.map.min()), 0)
            self.assertEqual(plain.prediction, raw.prediction)
            scaled = run.explain(target=0, score="probability")
            self.assertAlmostEqual(scaled.score, plain.prediction.probability, places=5)
            against = run.explain(target=0, negated=True)
            self.assertNotEqual(against.map.tobytes(), plain.map.tobytes())
            layer = next(row.name for row in self.explainer.layers if row.is_default)
            self.assertEqual(run.explain(target=0, layer=layer).map.tobytes(), plain.map.tobytes())
            for told, text in (({"normalize": "a bit"}, "normalize is one of max, minmax, none"),
                               ({"layer": "nobody"}, "nobody"), ({"fuse": "sum"}, "fuse is one of"),
                               ({"score": "odds"}, "score is one of"), ({"smooth": True}, "smooth"),
                               ({"method": "lrp"}, "not prepared for LRP: name it in methods"), ({"method": "gradcan"}, "gradcam")):
                with self.subTest(told), self.assertRaisesRegex(fovea.InvalidArgument, text):
                    run.explain(**told)

    def test_method_options_and_given(self):
        method = fovea.Method("smoothgrad", {"samples": 2})
        explainer = fovea.Explainer(support.GAP, [method], **support.SAME)
        with explainer.forward(self.x) as run:
            of_seed = [run.explain(fovea.Method("smoothgrad", {"samples": 2, "seed": seed})).map
                       for seed in (1, 1, 2)]
            self.assertEqual(of_seed[0].tobytes(), of_seed[1].tobytes())
            self.assertNotEqual(of_seed[0].tobytes(), of_seed[2].tobytes())
            noise = drawn(3, (2,) + SHAPE)
            given = [run.explain(fovea.Method("smoothgrad", {"samples": 2}, given={"noise": tensor}))
                     for tensor in (noise, noise.astype(np.float64))]
            self.assertEqual(given[0].map.tobytes(), given[1].map.tobytes())
            self.assertNotEqual(given[0].map.tobytes(), of_seed[0].tobytes())

    def test_layer_rules(self):
        conv = next(row.node for row in self.explainer.layers if row.op == "Conv")
        method = fovea.Method("lrp", layer_rules={conv: "epsilon"})
        explainer = fovea.Explainer(support.GAP, ["lrp", method], **support.SAME)
        with explainer.forward(self.x) as run:
            plain = run.explain("lrp")
            ruled = run.explain(method)
            self.assertNotEqual(plain.map.tobytes(), ruled.map.tobytes())
            with self.assertRaises(fovea.InvalidArgument):
                run.explain(fovea.Method("lrp", layer_rules={conv: "no such rule"}))

    def test_batch(self):
        explainer = fovea.Explainer(str(support.FIXTURES / "open_extents.onnx"), batch=2,
                                    input_shapes={"data": (2, 3, 32, 32)}, **support.SAME)
        with explainer.forward(drawn(0, (2, 3, 32, 32))) as run:
            found = run.explain_each("gradcam", [0, 1])
            self.assertEqual([(row.image, row.target) for row in found],
                             [(0, "class:0"), (0, "class:1"), (1, "class:0"), (1, "class:1")])
            self.assertNotEqual(run.predictions_of(0)[0], run.predictions_of(1)[0])
            with self.assertRaisesRegex(fovea.InvalidArgument, "2 images: explain_each"):
                run.explain()

    def test_stopped_and_late(self):
        stop = fovea.Stop()
        self.assertFalse(stop.is_set)
        stop.set()
        self.assertTrue(stop.is_set)
        with self.assertRaises(fovea.Cancelled):
            self.explainer.forward(self.x, stop=stop)
        with self.explainer.forward(self.x) as run:
            with self.assertRaises(fovea.Cancelled):
                run.explain("saliency", stop=stop)
            with self.assertRaises(fovea.DeadlineExceeded):
                run.explain("saliency", timeout=1e-9)
            stop.clear()
            run.explain("saliency", stop=stop)

    def test_stopped_from_another_thread(self):
        explainer = fovea.Explainer(support.GAP, ["occlusion"], **support.SAME)
        method = fovea.Method("occlusion", {"window": 5, "stride": 1})
        stop = fovea.Stop()
        with explainer.forward(self.x) as run:
            threading.Timer(0.2, stop.set).start()
            with self.assertRaises(fovea.Cancelled):
                run.explain(method, stop=stop)

    def test_closed(self):
        run = self.explainer.forward(self.x)
        why = run.explain()
        run.close()
        run.close()
        for use in (lambda: run.predictions, run.output, run.explain, lambda: run.warnings):
            with self.assertRaisesRegex(fovea.InvalidArgument, "this Run is closed"):
                use()
        self.assertTrue(why.map.any())  # results own their memory
        with self.assertRaisesRegex(TypeError, "its explainer can"):
            pickle.dumps(self.explainer.forward(self.x))

    def test_workspaces_come_back(self):
        explainer = fovea.Explainer(support.GAP, max_runs=1, **support.SAME)
        for _ in range(3):
            explainer.forward(self.x)  # dropped without close
            gc.collect()
        with explainer.forward(self.x):
            with self.assertRaises(fovea.DeadlineExceeded):
                explainer.forward(self.x, timeout=0.05)


class Feeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.explainer = fovea.Explainer(support.GAP, **support.SAME)
        cls.x = drawn()
        cls.scores = cls.explainer.forward(cls.x).output().tobytes()
        cls.name = cls.explainer.inputs[0].name

    def test_the_same_numbers_otherwise(self):
        wide = np.zeros(SHAPE[:3] + (480,), np.float32)
        wide[..., ::2] = self.x
        big = np.asarray(self.x, ">f4")
        for same in (self.x, {self.name: self.x}, {"": self.x}, np.asfortranarray(self.x),
                     wide[..., ::2], self.x.astype(np.float64), big, self.x[0][None],
                     np.flip(np.flip(self.x, 2).copy(), 2), self.x.tolist()):
            with self.explainer.forward(same) as run:
                self.assertEqual(run.output().tobytes(), self.scores)

    def test_other_types_are_converted(self):
        ints = np.clip(self.x, -3, 3).astype(np.int32)
        of_floats = self.explainer.forward(ints.astype(np.float32)).output()
        for kind in (np.int8, np.int64, np.float16):
            of_kind = self.explainer.forward(ints.astype(kind)).output()
            self.assertEqual(of_kind.tobytes(), of_floats.tobytes())

    def test_it_is_not_changed(self):
        before = self.x.copy()
        self.explainer.forward(self.x).explain()
        self.assertEqual(before.tobytes(), self.x.tobytes())

    def test_read_only_memory(self):
        x = self.x.copy()
        x.flags.writeable = False
        self.assertEqual(self.explainer.forward(x).output().tobytes(), self.scores)

    def test_refused(self):
        for bad, text in ((self.x.astype(np.complex64), "complex64"),
                          (np.array(["a"]), "no real numbers"),
                          (np.array([object()]), "object"),
                          (self.x[0], "192"), (self.x[:, :2], "2"),
                          (np.zeros((0, 3, 192, 240), np.float32), ""),
                          (np.float32(1), ""), (np.zeros((1,) * 9, np.float32), "at most 8"),
                          ({}, ""), ({"nobody": self.x}, "nobody"),
                          ({self.name: self.x, "nobody": self.x}, "nobody")):
            with self.subTest(text), self.assertRaisesRegex((fovea.BadInput, fovea.InvalidArgument),
                                                            text):
                self.explainer.forward(bad)
        with self.assertRaises(fovea.InvalidArgument):
            self.explainer.forward({"a\0b": self.x})

    def test_two_inputs(self):
        explainer = fovea.Explainer(str(support.FIXTURES / "two_inputs.onnx"), **support.SAME)
        feeds = {row.name: drawn(index, row.shape) for index, row in enumerate(explainer.inputs)}
        self.assertEqual(len(feeds), 2)
        self.assertTrue(len(explainer.forward(feeds).predictions))
        with self.assertRaises((fovea.BadInput, fovea.InvalidArgument)):
            explainer.forward(drawn())


class Threads(unittest.TestCase):
    def test_one_explainer_many_threads(self):
        explainer = fovea.Explainer(support.GAP, threads=1, tuning="off", fewer_threads=False)
        inputs = [drawn(seed) for seed in range(4)]
        expected = [explainer.forward(x).explain().map.tobytes() for x in inputs]
        wrong = []

        def work(index):
            for turn in range(5):
                with explainer.forward(inputs[index]) as run:
                    if run.explain().map.tobytes() != expected[index]:
                        wrong.append((index, turn))
        workers = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(wrong, [])

    def test_one_run_many_threads(self):
        explainer = fovea.Explainer(support.GAP, threads=1, tuning="off", fewer_threads=False)
        run = explainer.forward(drawn())
        expected = [run.explain(target=target).map.tobytes() for target in (0, 1, 2, 3)]
        found = [None] * 4

        def work(target):
            found[target] = run.explain(target=target).map.tobytes()
        workers = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(found, expected)

    def test_closing_waits_for_calls(self):
        explainer = fovea.Explainer(support.GAP, threads=1, tuning="off")
        x, outcomes = drawn(), []

        def work():
            try:
                while True:
                    explainer.forward(x).close()
            except fovea.InvalidArgument as error:
                outcomes.append(str(error))
        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        time.sleep(0.05)
        explainer.close()
        for worker in workers:
            worker.join()
        self.assertEqual(outcomes, ["this Explainer is closed"] * 3)

    def test_other_threads_run_meanwhile(self):
        explainer = fovea.Explainer(support.GAP, ["occlusion"], threads=1, tuning="off")
        turns, done = [0], threading.Event()

        def count():
            while not done.is_set():
                turns[0] += 1
        with explainer.forward(drawn()) as run:
            counter = threading.Thread(target=count)
            counter.start()
            before = turns[0]
            run.explain(fovea.Method("occlusion", {"window": 16, "stride": 8}))
            during = turns[0] - before
            done.set()
            counter.join()
        # With the interpreter held through the call, the counter would get it once or twice.
        self.assertGreater(during, 1000)


if __name__ == "__main__":
    support.main()
