"""The figures that are held against targets: what they are, and where they should be."""

from dataclasses import dataclass, field
from statistics import median
from typing import Callable, Optional

from catalogue import NETWORKS


class Seen:
    """What some rounds measured; None where something was not."""

    def __init__(self, rounds, file_mib):
        self.rounds, self.file_mib = rounds, file_mib

    def results(self, contestant):
        found = (r[contestant] for r in self.rounds if contestant in r)
        return [result for result in found if "error" not in result]

    def times(self, contestant, series):
        return [t for r in self.results(contestant) for t in r["series_ms"].get(series, ())]

    def time(self, contestant, series):
        times = self.times(contestant, series)
        return median(times) if times else None

    def value(self, contestant, *fields):
        """The sum of some fields of a process."""
        results = self.results(contestant)
        return median(sum(r[f] for f in fields) for r in results) if results else None

    def batch(self, contestant):
        results = self.results(contestant)
        return results[0]["batch"] if results else None


def ratio(above, below):
    return above / below if above is not None and below else None


def least(*values):
    return None if None in values else min(values)


def explain(seen):
    return seen.time("fovea", "explain")


def faster_forward(seen, suffix=""):
    return least(*(seen.time(peer + suffix, "forward") for peer in ("onnxruntime", "openvino")))


def start(seen, contestant):
    return seen.value(contestant, "load_ms", "create_ms", "first_ms")


@dataclass(frozen=True)
class Figure:
    title: str
    of: Callable
    targets: dict = field(default_factory=dict)  # by network
    at_least: bool = False
    everywhere: Optional[float] = None  # the target of every network

    def target(self, network):
        return self.targets.get(network, self.everywhere)

    def met(self, network, value):
        target = self.target(network)
        if target is None or value is None:
            return None
        return value >= target if self.at_least else value <= target


def by_network(*values):
    return {name: value for name, value in zip(NETWORKS, values) if value is not None}


FIRST = Figure("explain / the faster of ONNX Runtime's and OpenVINO's forward",
               lambda s: ratio(explain(s), faster_forward(s)),
               by_network(0.95, 0.65, 0.95, 0.85, 1.00, 0.92))
GEOMETRIC_MEAN = 0.87  # of FIRST over all networks, at most

FIGURES = (
    FIRST,
    Figure("explain / floor (tuned bare convolutions)",
           lambda s: ratio(s.time("floor", "explain"), s.time("floor", "floor")),
           by_network(1.10, 1.40, 1.15, 1.35, 1.25, 1.15)),
    Figure("explain / predict", lambda s: ratio(explain(s), s.time("fovea", "predict")),
           by_network(1.03, 1.04, 1.04, 1.03, 1.03, 1.04)),
    Figure("grad-cam package / explain", lambda s: ratio(s.time("grad-cam", "explain"), explain(s)),
           by_network(8, 10, 18, 16, 8, 11), at_least=True),
    Figure("Keras guide's function, eager / explain",
           lambda s: ratio(s.time("keras", "eager"), explain(s)),
           by_network(20, 9, 100, 120, 40, None), at_least=True),
    Figure("added peak memory of load + create + run, plan cache warm / model file",
           lambda s: ratio(s.value("fovea", "added_mib"), s.file_mib),
           by_network(1.6, 1.45, 3, 2.5, 2.5, 6)),
    Figure("the same while it tunes / model file",
           lambda s: ratio(s.value("fovea-cold", "added_mib"), s.file_mib)),
    Figure("load + create + first explain / ONNX Runtime's session + first run",
           lambda s: ratio(start(s, "fovea"), start(s, "onnxruntime")), by_network(0.75, 0.75)),
    Figure("tuning when the explainer is made, seconds",
           lambda s: ratio(s.value("fovea-cold", "create_ms"), 1e3), by_network(2)),
    Figure("the maps of all classes / predict",
           lambda s: ratio(s.time("fovea-class-maps", "class maps"),
                           s.time("fovea-class-maps", "predict")), by_network(1.10)),
    Figure("batch 8, per image / batch 1",
           lambda s: ratio(s.time("fovea-batch8", "explain"), 8 * (explain(s) or 0)),
           everywhere=1.0),
    Figure("batch 8 / the faster peer's forward at batch 8",
           lambda s: ratio(s.time("fovea-batch8", "explain"), faster_forward(s, "-batch8")),
           everywhere=0.95),
    Figure("explain in the automatic precision / f32 explain",
           lambda s: ratio(s.time("fovea-auto", "explain"), explain(s)), everywhere=1.03),
    Figure("bf16 explain / f32 explain",
           lambda s: ratio(s.time("fovea-bf16", "explain"), explain(s))),
)
