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
import busy  # noqa: E402
import busy_report  # noqa: E402
import figures  # noqa: E402
import machine  # noqa: E402
import method_report  # noqa: E402
import methods  # noqa: E402
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


def a_method_round(fovea, peer, predict=(2,), gradient=(4,)):
    return {"fovea:saliency": process({"explain": list(fovea)}, onednn="3", compiler="c"),
            "saliency:captum": process({"explain": list(peer)}, version="7"),
            "input-gradient": {"series_ms": {"predict": list(predict),
                                             "gradient": list(gradient)}}}


class Methods(unittest.TestCase):
    everyone = ["grad-cam", "captum", "openvino-xai", "zennit"]

    def names(self, network="resnet50", models=("resnet50", "vgg16"), named=(), slow=False,
              peers=None):
        rows = methods.contestants(list(named), peers or self.everyone, slow, models)
        return [row.name for row in rows if row.takes(network)]

    def test_ours_stands_before_theirs(self):
        for slow in (False, True):
            names = self.names(slow=slow)
            self.assertEqual(len(names), len(set(names)))
            for c in methods.chosen([], self.everyone, slow):
                self.assertLess(names.index(c.ours), names.index(c.key))

    def test_choice(self):
        self.assertNotIn("fovea:scorecam", self.names())
        self.assertIn("scorecam:grad-cam", self.names(slow=True))
        self.assertEqual(self.names(named=["scorecam"]), ["fovea:scorecam", "scorecam:grad-cam"])
        self.assertEqual(self.names(named=["input-gradient"]), ["input-gradient"])
        self.assertEqual(self.names(named=["saliency"], peers=["grad-cam"]), [])
        self.assertEqual(self.names("vgg16"),
                         ["fovea:reciprocam", "reciprocam:openvino-xai",
                          "reciprocam:openvino-xai-as-it-is", "fovea:rise", "rise:openvino-xai",
                          "input-gradient"])
        self.assertEqual(self.names("densenet121"), [])
        self.assertEqual(self.names("vgg16", models=["resnet50"]), [])

    def test_two_ways_of_one_method(self):
        self.assertEqual(self.names(named=["occlusion"]),
                         ["fovea:occlusion", "occlusion:captum", "fovea:occlusion-plain",
                          "occlusion-plain:captum"])
        rows = methods.contestants(["occlusion", "deep-shap"], self.everyone, False, ["resnet50"])
        arguments = {row.name: row.arguments for row in rows}
        self.assertIn("window=32,stride=16,incremental=0", arguments["fovea:occlusion-plain"])
        self.assertEqual(arguments["fovea:deep-shap"][-2:], ("--background", "10"))
        self.assertEqual(arguments["deep-shap:captum"][-2:], ("--background", "10"))

    def test_targets_by_network(self):
        saliency = next(c for c in methods.COMPARISONS if c.method == "saliency")
        self.assertEqual([saliency.target_on(n) for n in ("resnet50", "mobilenet_v2", "vgg16")],
                         [2.5, 5, None])
        fullgrad = next(c for c in methods.COMPARISONS if c.method == "fullgrad")
        self.assertEqual(fullgrad.target_on("resnet50"), 50)

    def test_what_misses_is_bold(self):
        network = a_network(a_method_round([2, 4], [10]), a_method_round([4], [8]))
        network["agreement"] = {"saliency:captum": {"pearson_least": 0.99991, "max_error": 2e-2,
                                                    "error_of_999": 4e-3}}
        text = method_report.markdown(a_result(resnet50=network, mobilenet_v2=network))
        row = ("| saliency | captum: Saliency | 4.00 | 9.00 | {} | {} | 0.99991 | 2e-02 | 4e-03 |"
               " 3, 2 |")
        self.assertIn(row.format("**2.25 (2.00-3.33)**", "2.5"), text)
        self.assertIn(row.format("**2.25 (2.00-3.33)**", "5"), text)
        self.assertIn("| ResNet-50 | 2.00 | 4.00 | 2.00 (2.00-2.00) | 2.5 |", text)
        self.assertIn("- fovea: 1, oneDNN 3, c\n- captum: 7", text)
        far = a_network(a_method_round([2], [10], gradient=[5.1]))
        text = method_report.markdown(a_result(resnet50=far))
        self.assertIn("| 5.00 | 2.5 |", text)
        self.assertIn("| **2.55** | 2.5 |", text)

    def test_failures_and_notes_are_told(self):
        network = a_network({"fovea:reciprocam": process({"explain": [1.0]}),
                             "reciprocam:openvino-xai": {"error": "exit 1: no layer"}})
        text = method_report.markdown(a_result(vgg16=network))
        self.assertIn("reciprocam:openvino-xai failed: exit 1: no layer.", text)
        self.assertIn("- reciprocam, openvino-xai: at the layer", text)
        self.assertNotIn("integrated", text)

    def test_the_program_s_figures_stand_for_its_runs(self):
        told = {f"{name}_ms": {"min": 1, "median": at, "p90": 9}
                for name, at in (("predict", 2), ("gradient", 5), ("backward", 3))}
        seen = report.pooled(a_network({"input-gradient": method_report.from_input_gradient(told)}))
        self.assertEqual(method_report.gradient_ratio(seen), 2.5)


def a_program(p50, p95, create):
    return {"title": "fovea bench", "version": "1", "onednn": "3", "create_ms": create,
            "waiting": {"wait_policy": "passive", "spin_count": "default"},
            "figures_ms": {"explain": {"min": 1, "p50": p50, "p95": p95, "max": 99, "runs": 10}}}


def a_busy_round(p50, p95, peers=(5, 4), create=10):
    def beside(p50, create, slower):
        return {"fovea": a_program(p50, p95, create),
                "onnxruntime": process({"forward": [peers[0] * slower] * 20}),
                "openvino": process({"forward": [peers[1] * slower] * 19 + [100]})}
    idle = {**beside(p50, 10, 1), "fovea-default": a_program(2, 2, 10)}
    return {"0": idle, "6": beside(2 * p50, create, 2)}


class Busy(unittest.TestCase):
    def found(self, *rounds):
        result = {**a_result(mobilenet_v2=a_network(*rounds)), "kind": "busy"}
        rows = busy_report.rows_against_targets(result)
        return {title: found["mobilenet_v2"] for title, found, _ in rows}, result

    def test_ratios_are_of_a_round_and_to_the_faster_peer(self):
        found, _ = self.found(a_busy_round(4, 6), a_busy_round(8, 6, peers=(5, 8)),
                              a_busy_round(6, 6))
        self.assertEqual(found["idle, fovea: p50 of explain / of the faster peer's forward"],
                         (1.5, 1.0, 1.6))
        self.assertEqual(found["beside 6, fovea: p50 of explain / of the faster peer's forward"],
                         (1.5, 1.0, 1.6))
        # Of ONNX Runtime and OpenVINO whose p95 is less.
        self.assertEqual(found["idle, fovea: p95 of explain / of the faster peer's forward"],
                         (6 / 4, 6 / 5, 6 / 4))

    def test_making_the_explainer_and_the_default_policy(self):
        found, _ = self.found(a_busy_round(3, 6, create=40))
        self.assertEqual(found["beside 6, fovea: making the explainer / the same idle"][0], 4)
        self.assertEqual(
            found["idle, fovea: p50 of explain / with libgomp's default policy"][0], 1.5)

    def test_once(self):
        round_ = {"6": {"fovea-once": {"series_ms": {"once": [3, 2, 9]}},
                        "onnxruntime-once": {"series_ms": {"once": [2, 2, 2]}}}}
        found, _ = self.found(round_)
        self.assertEqual(
            found["beside 6: fovea predict, once / ONNX Runtime's load + run"][0], 1.5)

    def test_what_was_not_measured_gives_no_figure(self):
        found, result = self.found({"6": {"fovea": a_program(1, 1, 1),
                                          "onnxruntime": {"error": "exit 1"}}})
        self.assertEqual(found, {})
        self.assertIn("onnxruntime beside 6 failed: exit 1.", busy_report.markdown(result))

    def test_report(self):
        _, result = self.found(a_busy_round(8, 12), a_busy_round(8, 12))
        text = busy_report.markdown(result)
        self.assertIn("| **2.00** (2.00-2.00), at most 1.1 |", text)
        self.assertIn("| 1.00 (1.00-1.00), at most 3 |", text)
        self.assertIn("| beside 6, fovea: explain | 1.00 (1.00-1.00) | 16.0 (16.0-16.0) |", text)
        self.assertIn("- fovea: fovea bench, 1, oneDNN 3, wait_policy passive", text)

    def test_the_program_s_figures_are_taken_as_they_are(self):
        of = {"min": 1, "mean": 2, "p50": 2, "p90": 3, "p95": 4, "p99": None, "max": 5}
        told = {"version": "1", "onednn": "3", "waiting": "adaptive", "wait_policy": "default",
                "spin_count": "default", "warnings": [], "batch": 1, "load_ms": 1,
                "create_ms": 2, "first_ms": 3, "runs": 7, "predict_ms": of, "explain_ms": of}
        result = busy.from_program(told)
        self.assertEqual(busy.figures(result, "explain"),
                         {"min": 1, "p50": 2, "p95": 4, "max": 5, "runs": 7})
        self.assertEqual(result["waiting"]["waiting"], "adaptive")
        self.assertIsNone(busy.figures(result, "forward"))

    def test_percentiles(self):
        self.assertEqual([busy.percentile(range(1, 101), p) for p in (50, 95)], [50, 95])
        self.assertEqual(busy.percentile([7], 95), 7)
        self.assertEqual(busy.percentile([5, 7, 9], 50), 7)

    def test_counting_processes_end(self):
        with busy.Counting(2, os.sched_getaffinity(0)) as counting:
            processes = list(counting.processes)
            self.assertEqual([p.poll() for p in processes], [None, None])
        self.assertEqual([p.poll() for p in processes], [-9, -9])

    def test_who_is_measured(self):
        names = [c.name for c in busy.contestants(["fovea", "onnxruntime", "torch"])]
        self.assertEqual(names, ["fovea", "fovea-default", "fovea-library", "onnxruntime"])
        default = next(c for c in busy.ROWS if c.name == "fovea-default")
        self.assertEqual([busy.runs_beside(default, n) for n in (0, 1)], [True, False])

    def test_rounds_are_appended(self):
        _, before = self.found(a_busy_round(4, 6))
        _, after = self.found(a_busy_round(4, 6))
        both = run.appended(before, after)
        self.assertEqual(len(both["networks"]["mobilenet_v2"]["rounds"]), 2)
        with self.assertRaises(SystemExit):
            run.appended(before, a_result())


class Appending(unittest.TestCase):
    def test_rounds_add_up_and_networks_keep_their_order(self):
        before = a_result(vgg16=a_network(a_round([1], [1], [1])))
        after = a_result(vgg16=a_network(a_round([3], [1], [1])),
                         resnet50=a_network(a_round([2], [1], [1])))
        both = run.appended(before, after)
        self.assertEqual(list(both["networks"]), ["resnet50", "vgg16"])
        self.assertEqual(report.pooled(both["networks"]["vgg16"]).times("fovea", "explain"), [1, 3])

    def test_methods_are_no_rounds_of_the_peers(self):
        with self.assertRaises(SystemExit):
            run.appended(a_result(), {**a_result(), "kind": "methods"})

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

    def test_a_worker_has_variables_of_its_own(self):
        told = machine.worker_environment(2, {"OMP_NUM_THREADS": None, "GOMP_SPINCOUNT": "3"})
        self.assertNotIn("OMP_NUM_THREADS", told)
        self.assertEqual(told["GOMP_SPINCOUNT"], "3")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
