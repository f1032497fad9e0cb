#!/usr/bin/env python3
"""Columns in, columns out: what engines call."""

import pickle
import shutil
import tempfile
import unittest
from pathlib import Path

import support

import numpy as np

import fovea
from fovea import batch

SCENES = sorted(str(path) for path in (support.ROOT / "tools/demo/scenes").glob("*.png"))[:3]
OPTIONS = dict(support.SAME, threads=1)


class Photos(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.explain = batch.Explain(support.GAP, "photo", labels=["name"] * 8, **OPTIONS)
        cls.alone = [fovea.explain(support.GAP, path, labels=["name"] * 8, **OPTIONS)
                     for path in SCENES]

    def check(self, out, rows=(0, 1, 2)):
        for place, row in enumerate(rows):
            why = self.alone[row]
            self.assertEqual(out["index"][place], why.prediction.class_index)
            self.assertEqual(out["probability"][place], np.float32(why.prediction.probability))
            self.assertEqual(out["score"][place], why.score)
            self.assertEqual((out["status"][place], out["error"][place]), ("ok", ""))
            self.assertEqual(out["label"][place], "name")
            np.testing.assert_array_equal(out["map"][place], why.feature_map.astype(np.float16))
            self.assertEqual((out["map_rows"][place], out["map_columns"][place]),
                             why.feature_map.shape)

    def test_every_kind_of_cell(self):
        data = [Path(path).read_bytes() for path in SCENES]
        as_arrays = np.empty(3, object)
        as_arrays[:] = [fovea.Photo(one).pixels for one in data]
        for column in (SCENES, np.array(SCENES), data, np.array(data, object), as_arrays,
                       [{"bytes": one, "path": None} for one in data],
                       [{"bytes": None, "path": path} for path in SCENES]):
            out = self.explain({"photo": column, "key": np.arange(3)})
            self.assertNotIn("photo", out)
            self.assertEqual(out["key"].tolist(), [0, 1, 2])
            self.check(out)

    def test_bad_rows_are_told_and_others_kept(self):
        data = Path(SCENES[0]).read_bytes()
        column = [SCENES[0], "/no/such.png", data[:1000], None, b"", float("nan"), 17,
                  np.zeros((3, 5)), data]
        out = self.explain({"photo": column})
        self.check({name: [values[0], values[8]] for name, values in out.items()}, (0, 0))
        self.assertEqual(set(out["status"][1:8]), {"bad_input"})
        self.assertIn("/no/such.png", out["error"][1])
        for row in range(1, 8):
            self.assertTrue(out["error"][row])
            self.assertEqual((out["index"][row], out["map"][row]), (-1, None))
            self.assertTrue(np.isnan(out["probability"][row]))

    def test_a_target_per_row(self):
        explain = batch.Explain(support.GAP, "photo", target_column="class", **OPTIONS)
        out = explain({"photo": SCENES, "class": np.array([2, 99, 5])})
        self.assertEqual(out["index"].tolist(), [2, -1, 5])
        self.assertEqual(list(out["status"]), ["ok", "invalid_argument", "ok"])
        of_texts = explain({"photo": SCENES[:1], "class": ["class:2"]})
        np.testing.assert_array_equal(of_texts["map"][0], out["map"][0])

    def test_options(self):
        explain = batch.Explain(support.GAP, "photo", map="input", keep=True, flat=True,
                                explain={"normalize": "minmax"}, **OPTIONS)
        out = explain({"photo": SCENES[:1]})
        self.assertEqual(out["photo"], SCENES[:1])
        self.assertEqual((out["map_rows"][0], out["map_columns"][0]), (192, 240))
        self.assertEqual(len(out["map"][0]), 192 * 240)
        run = explain.explainer().forward(SCENES[0])
        self.assertEqual(out["map"][0].tolist(),
                         run.explain(normalize="minmax").map.ravel().tolist())
        bad = explain({"photo": [b""]})
        self.assertEqual((bad["map"][0].size, bad["map"][0].dtype), (0, np.float32))
        with self.assertRaisesRegex(fovea.InvalidArgument, "no column 'photo' among picture"):
            explain({"picture": SCENES})
        with self.assertRaises(fovea.InvalidArgument):
            batch.Explain(support.GAP, map="layer")
        with self.assertRaises(fovea.InvalidArgument):
            batch.Explain(support.GAP, method="gradcan")({"image": SCENES})

    def test_rows(self):
        rows = self.explain.rows({"photo": path, "key": key} for key, path in enumerate(SCENES))
        self.assertEqual([row["key"] for row in rows], [0, 1, 2])
        self.check({name: [row[name] for row in rows] for name in rows[0]})

    def test_table(self):
        try:
            import pyarrow
        except ImportError:
            self.skipTest("this Python has no pyarrow")
        data = [Path(SCENES[0]).read_bytes(), b""]
        for rows in ([0], [1], [0, 1], []):
            table = pyarrow.table({"photo": pyarrow.array([data[row] for row in rows],
                                                          pyarrow.binary()),
                                   "key": pyarrow.array(rows, pyarrow.int64())})
            out = self.explain(table)
            self.assertEqual(out.schema.field("map").type, pyarrow.list_(pyarrow.float32()))
            self.assertEqual(out["key"].to_pylist(), rows)
            self.assertEqual(out["status"].to_pylist(), [["ok", "bad_input"][row] for row in rows])
            expected = [self.alone[0].feature_map.ravel().tolist(), []]
            self.assertEqual(out["map"].to_pylist(), [expected[row] for row in rows])

    def test_no_rows(self):
        out = self.explain({"photo": []})
        self.assertEqual({name: len(column) for name, column in out.items()},
                         dict.fromkeys(batch.COLUMNS, 0))
        self.assertEqual(self.explain.rows([]), [])

    def test_frame(self):
        try:
            import pandas
        except ImportError:
            self.skipTest("this Python has no pandas (Debian's package python3-pandas)")
        frame = pandas.DataFrame({"photo": SCENES + ["/no/such.png"], "key": range(4)},
                                 index=[5, 6, 7, 8])
        out = self.explain.frame(frame)
        self.assertEqual(out.index.tolist(), [5, 6, 7, 8])
        self.assertEqual(out["map"][5].tolist(), self.alone[0].feature_map.ravel().tolist())
        self.assertEqual(out["status"].tolist(), ["ok"] * 3 + ["bad_input"])
        meta = self.explain.meta(frame)
        self.assertEqual(list(meta.columns), list(out.columns))
        self.assertEqual([part["key"].tolist() for part in self.explain.frames([frame[:1], frame[1:]])],
                         [[0], [1, 2, 3]])


class Opening(unittest.TestCase):
    def test_once_per_process_and_options(self):
        explain = batch.Explain(support.FC, "x", **OPTIONS)
        data = pickle.dumps(explain)
        self.assertLess(len(data), 5000)
        x = np.full((1, 3, 192, 240), 0.25, np.float32)
        before = batch.opened()
        for one in (explain, pickle.loads(data), pickle.loads(data)):
            out = one({"x": [x, x[0]]})
            self.assertEqual(list(out["status"]), ["ok", "ok"], out["error"])
            np.testing.assert_array_equal(out["map"][0], out["map"][1])
        self.assertEqual(batch.opened(), before + 1)
        batch.Explain(support.FC, "x", method="layercam", **OPTIONS)({"x": [x]})
        self.assertEqual(batch.opened(), before + 2)

    def test_another_file_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "m.onnx")
            shutil.copy(support.FC, file)
            data = pickle.dumps(batch.Explain(file, "x", **OPTIONS))
            shutil.copy(support.GAP, file)
            with self.assertRaisesRegex(fovea.BadModel, "SHA-256"):
                pickle.loads(data)

    def test_models_that_differ_in_their_weights_alone(self):
        logits = []
        with tempfile.TemporaryDirectory() as folder:
            for one in (False, True):
                at = Path(folder, str(one))
                shutil.copytree(support.EXTERNAL.parent, at)
                if one:
                    weights = np.fromfile(at / "model.onnx.data", np.float32)
                    (weights[::-1] * 0.5).tofile(at / "model.onnx.data")
                explain = batch.Explain(at / "model.onnx", "x", **OPTIONS)
                shape = explain.explainer().inputs[0].shape
                x = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
                with explain.explainer().forward(x) as run:
                    logits.append(run.output().tobytes())
        self.assertNotEqual(*logits)

    def test_few_are_kept(self):
        x = np.full((1, 3, 192, 240), 0.25, np.float32)
        for method in ("gradcam", "layercam", "xgradcam", "hirescam", "gradcam++", "fem"):
            out = batch.Explain(support.FC, "x", method=method, **OPTIONS)({"x": [x]})
            self.assertEqual(out["status"][0], "ok")
        self.assertLessEqual(len(batch._explainers), batch._MOST)


if __name__ == "__main__":
    support.main()
