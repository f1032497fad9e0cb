#!/usr/bin/env python3
"""Processes that were forked or spawned from one that has used the library."""

import multiprocessing
import sys
import unittest

import support

import numpy as np

import fovea

X = np.full((1, 3, 192, 240), 0.25, np.float32)


def explain(explainer, queue):
    try:
        with explainer.forward(X) as run:
            why = run.explain()
            queue.put((why.map.tobytes(), why.threads, run.warnings + why.warnings))
    except fovea.Error as error:
        queue.put(error)


def in_child(how, explainer):
    context = multiprocessing.get_context(how)
    queue = context.Queue()
    child = context.Process(target=explain, args=(explainer, queue))
    child.start()
    answer = queue.get(timeout=120)
    child.join(timeout=120)
    return answer, child.exitcode


class Children(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.explainer = fovea.Explainer(support.GAP, **support.SAME)
        cls.map = cls.explainer.forward(X).explain().map

    def test_spawned(self):
        answer, status = in_child("spawn", self.explainer)
        self.assertEqual((answer[0], answer[1], status), (self.map.tobytes(), 2, 0))

    def test_forkserver(self):
        answer, status = in_child("forkserver", self.explainer)
        self.assertEqual((answer[0], status), (self.map.tobytes(), 0))

    def test_forked_goes_on_with_one_thread_and_says_so(self):
        answer, status = in_child("fork", self.explainer)
        self.assertEqual(status, 0)
        self.assertNotIsInstance(answer, Exception)
        found = np.frombuffer(answer[0], np.float32).reshape(self.map.shape)
        np.testing.assert_allclose(found, self.map, atol=1e-4)
        self.assertEqual(answer[1], 1)
        self.assertTrue([row for row in answer[2] if "fork" in row], answer[2])


if __name__ == "__main__":
    sys.path.insert(0, str(support.ROOT / "tests/python"))
    support.main()
