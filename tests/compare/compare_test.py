#!/usr/bin/env python3
"""Tests what bench/compare makes of its measurements, which need no peer and no network.

usage: compare_test.py ROOT
"""

import json
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[1]) / "bench" / "compare"))
import figures  # noqa: E402
import machine  # noqa: E402
import report  # noqa: E402
import run  # noqa: E402
from catalogue import NETWORKS  # noqa: E402


def process(series, **more):
    return {"title": "t", "version": "1", "batch": 1, "load_ms": 1, "create_ms": 2, "first_ms": 3,
            "added_mib": 20, "series_ms": series, **more}


def a_round(explain, onnxruntime, openvino):
    return {"fovea": process({"explain": explain, "predict": [1.0]}),
            "onnxruntime": process({"forward": onnxruntime}),
            "openvino": process({"forward": openvino})}


def a_network(*rounds):
    return {"file_mib": 10.0, "rounds": list(rounds), "agreement": {}}


def a_result(**networks):
    return {"date": "2026-01-02T03:04+00:00", "commit": "abc", "threads": 2, "seconds": 2,
            "command": "run.py", "networks": networks,
            "machine": {"cpu": "c", "cpu_family_model_stepping": "1-2-3", "cpus": 2,
                        "memory_gib": 1, "system": "s", "instruction_sets": ["avx2"]}}


class Figures(unittest.TestCase):
    def test_median_over_all_runs_and_the_faster_peer(self):
        network = a_network(a_round([8, 9], [20], [10]), a_round([10, 100, 100], [20], [10]))
        self.assertEqual(figures.FIRST.of(report.pooled(network)), 10 / 10)
        self.assertEqual([figures.FIRST.of(s) for s in report.each_round(network)],
                         [8.5 / 10, 100 / 10])

    def test_missing_measurements_give_no_figure(self):
        seen = report.pooled(a_network({"fovea": process({"explain": [1.0]}),
                                        "onnxruntime": {"error": "exit 1"}}))
        told = {figure.title: figure.of(seen) for figure in figures.FIGURES}
        memory = [title for title in told if title.startswith("added")]
        self.assertEqual({k: v for k, v in told.items() if v is not None}, {memory[0]: 2.0})

    def test_targets(self):
        self.assertTrue(figures.FIRST.met("resnet50", 0.95))
        self.assertFalse(figures.FIRST.met("resnet50", 0.951))
        at_least = next(f for f in figures.FIGURES if f.at_least)
        self.assertTrue(at_least.met("resnet50", 8))
        self.assertFalse(at_least.met("resnet50", 7.9))
        self.assertIsNone(figures.FIRST.met("another", 1))


class Report(unittest.TestCase):
    def test_missed_targets_are_bold(self):
        network = a_network(a_round([10], [20], [10]), a_round([9], [20], [10]))
        text = report.markdown(a_result(resnet50=network))
        self.assertIn("| 0.950 (0.900-1.00), at most 0.95 |", text)
        slower = a_network(a_round([10], [20], [10]))
        self.assertIn("| **1.00**, at most 0.95 |", report.markdown(a_result(resnet50=slower)))

    def test_geometric_mean_needs_every_network(self):
        network = a_network(a_round([10], [20], [10]))
        some = report.markdown(a_result(resnet50=network))
        self.assertNotIn("Geometric mean", some)
        every = report.markdown(a_result(**{name: network for name in NETWORKS}))
        self.assertIn("Geometric mean of the first row: 1.000 (at most 0.87, missed)", every)

    def test_a_failure_is_told(self):
        network = a_network({"captum": {"error": "exit 1: TypeError"}})
        text = report.markdown(a_result(resnet50=network))
        self.assertIn("captum failed: exit 1: TypeError.", text)

    def test_numbers(self):
        self.assertEqual([report.number(v) for v in (0, 0.0312, 1, 43.21, 1234.5, None)],
                         ["0", "0.0312", "1.00", "43.2", "1234", ""])

    def test_json_comes_back(self):
        result = a_result(resnet50=a_network(a_round([10.5, 1e-5], [2], [3])))
        text = report.compact_json(result)
        self.assertEqual(json.loads(text), result)
        self.assertIn('"explain": [10.5, 1e-05]', text)


class Appending(unittest.TestCase):
    def test_rounds_add_up_and_networks_keep_their_order(self):
        before = a_result(vgg16=a_network(a_round([1], [1], [1])))
        after = a_result(vgg16=a_network(a_round([3], [1], [1])),
                         resnet50=a_network(a_round([2], [1], [1])))
        both = run.appended(before, after)
        self.assertEqual(list(both["networks"]), ["resnet50", "vgg16"])
        self.assertEqual(report.pooled(both["networks"]["vgg16"]).times("fovea", "explain"), [1, 3])

    def test_another_machine_is_refused(self):
        other = a_result()
        other["machine"] = {**other["machine"], "cpu": "d"}
        with self.assertRaises(SystemExit):
            run.appended(a_result(), other)


class Machine(unittest.TestCase):
    def test_describes_this_one(self):
        told = machine.description()
        self.assertGreater(told["cpus"], 0)
        self.assertTrue(told["system"])

    def test_refuses_more_threads_than_cpus(self):
        with self.assertRaises(SystemExit):
            machine.chosen_cpus(100000)
        self.assertEqual(len(machine.chosen_cpus(1)), 1)

    def test_keeps_the_shell_s_tuning_out(self):
        os.environ["OMP_WAIT_POLICY"] = "passive"
        told = machine.worker_environment(2)
        self.assertEqual((told["OMP_NUM_THREADS"], "OMP_WAIT_POLICY" in told), ("2", False))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
