#!/usr/bin/env python3
"""Requests in the program's JSON, answered from Python as by the program."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import support

import numpy as np

import fovea

CAPTION = {"model": {"file": str(support.MODELS / "caption.onnx")},
           "image": {"file": str(support.ROOT / "tools/demo/shapes/shapes_52.png")}}


class Requests(unittest.TestCase):
    def test_as_the_program(self):
        if "FOVEA_PROGRAM" not in os.environ:
            self.skipTest("the program was not built")
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            subprocess.run([os.environ["FOVEA_PROGRAM"], "explain", support.GAP, support.SCENE,
                            "--method", "layercam", "--class", "2", "--colormap", "viridis",
                            "--threads", "1", "--json", str(folder / "why.json"), "--map",
                            str(folder / "map.npy"), "--output", str(folder / "why.png")],
                           check=True, stdout=subprocess.DEVNULL)
            told = json.loads((folder / "why.json").read_text())
            answer = fovea.answer(told["provenance"])
            why, = answer.explanations
            self.assertEqual((why.method, why.target), ("layercam", "class:2"))
            self.assertEqual(np.load(folder / "map.npy").tobytes(), why.map.tobytes())
            self.assertEqual(fovea.Photo(folder / "why.png").pixels.tobytes(),
                             answer.overlay().tobytes())
            self.assertEqual(answer.label(2), told["target"]["label"])
            self.assertEqual(why.label, answer.label(2))
            best = answer.predictions()[0]
            self.assertEqual(best.class_index, told["predictions"][0]["class"])

    def test_words_of_a_caption(self):
        answer = fovea.answer(dict(CAPTION, targets=[{"text": "words"}]))
        self.assertGreater(len(answer.explanations), 4)
        self.assertEqual([why.target for why in answer.explanations[:3]],
                         ["word:0", "word:1", "word:2"])
        first, second = (answer.overlay(index) for index in range(2))
        self.assertEqual(first.shape, second.shape)
        self.assertNotEqual(first.tobytes(), second.tobytes())

    def test_a_caption_by_two_files(self):
        folder = support.ROOT / "tests/compose/captioner"
        golden = json.loads((folder / "golden.json").read_text())
        with tempfile.TemporaryDirectory() as scratch:
            image = Path(scratch) / "image.npy"
            np.save(image, np.array(golden["image"], np.float32).reshape(1, 3, 16, 16))
            answer = fovea.answer({
                "model": {"file": str(folder / "encoder.onnx")}, "second": {"file": str(folder / "decoder.onnx")},
                "inputs": {"image": {"file": str(image)}}, "task": {"task": "caption", "names": golden["names"]},
                "targets": [{"text": "words"}]})
            self.assertEqual(len(answer.explanations), len(golden["word_maps"]))
            for t, why in enumerate(answer.explanations):
                self.assertEqual((why.target, why.layer), (f"word:{t}", "features"))
                self.assertAlmostEqual(why.score, golden["logits"][t][golden["tokens"][t + 1]], 4)

    def test_what_came_out_can_be_asked_again(self):
        answer = fovea.answer(CAPTION)
        again = fovea.answer(json.dumps(answer.request))
        self.assertEqual(again.request, answer.request)
        self.assertEqual([why.map.tobytes() for why in again.explanations],
                         [why.map.tobytes() for why in answer.explanations])

    def test_of_the_files_that_it_records(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for name in ("model.onnx", "model.onnx.data"):
                shutil.copy(support.EXTERNAL.parent / name, folder)
            model, weights, x = (folder / name for name in
                                 ("model.onnx", "model.onnx.data", "x.npy"))
            shape = fovea.Explainer(str(model)).inputs[0].shape
            np.save(x, np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))
            request = fovea.answer({"model": {"file": str(model)},
                                    "inputs": {"": {"file": str(x)}}}).request
            fovea.answer(request)
            for file, kind, what in ((model, fovea.BadModel, "model"),
                                     (weights, fovea.BadModel, "weights file"),
                                     (x, fovea.BadInput, "tensor")):
                data = file.read_bytes()
                # Of a tensor the last number, of a model what it does not read.
                file.write_bytes(data[:-2] + b"\0\0" if file != model else data + b"\xc2\x3e\0")
                with self.subTest(what), self.assertRaisesRegex(kind, f"not the {what}") as caught:
                    fovea.answer(request)
                self.assertEqual(caught.exception.file, str(file))
                file.write_bytes(data)
            fovea.answer(request)

    def test_refused(self):
        for request in ("", "{", "[]", "{}", {"model": {"file": "/no/such.onnx"}},
                        dict(CAPTION, method="gradcan"), dict(CAPTION, image={"file": "/no.png"}),
                        "a\0b"):
            with self.subTest(request), self.assertRaises(fovea.Error):
                fovea.answer(request)
        stop = fovea.Stop()
        stop.set()
        with self.assertRaises(fovea.Cancelled):
            fovea.answer(CAPTION, stop=stop)
        with self.assertRaises(IndexError):
            fovea.answer(CAPTION).explanations[1]


if __name__ == "__main__":
    support.main()
