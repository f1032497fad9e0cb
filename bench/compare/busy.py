"""fovea and its peers beside processes that only count: who is measured, and those processes."""

import ctypes
import os
import signal
import subprocess
import sys
from statistics import median

from contestants import Contestant

PR_SET_PDEATHSIG = 1
PEERS = ("onnxruntime", "openvino")
ONCE_NETWORKS = ("squeezenet1_1",)
# What libgomp does where nobody says anything; said, so that the program leaves it at that.
DEFAULT_POLICY = {"GOMP_SPINCOUNT": "300000"}
AS_A_USER_STARTS_IT = {"OMP_NUM_THREADS": None}

# Enough runs for a p95, also where one takes long.
MANY = ("--most", "2000", "--least", "20")

ROWS = (
    # The program, which chooses how its threads wait.
    Contestant("fovea", None, "fovea", variables=AS_A_USER_STARTS_IT),
    Contestant("fovea-default", None, "fovea", variables={**AS_A_USER_STARTS_IT, **DEFAULT_POLICY}),
    # The library in somebody's process.
    Contestant("fovea-library", None, "fovea_worker", arguments=("--task", "method", *MANY)),
    Contestant("onnxruntime", "main", "onnxruntime", arguments=MANY),
    Contestant("openvino", "main", "openvino", arguments=MANY),
)


def contestants(peers):
    return [row for row in ROWS if row.name.split("-")[0] in peers]


def runs_beside(contestant, count):
    """libgomp's own policy is what fovea is held against on an idle machine; beside others it takes
    minutes."""
    return contestant.name != "fovea-default" or count == 0


class Counting:
    """So many processes on these CPUs, gone at the end of a `with`, and with this process whatever
    ends it."""

    def __init__(self, count, cpus):
        self.count, self.cpus, self.processes = count, cpus, []

    def __enter__(self):
        prctl = ctypes.CDLL(None).prctl

        def begin():
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, self.cpus)

        try:
            for _ in range(self.count):
                self.processes.append(subprocess.Popen(
                    [sys.executable, "-S", "-E", "-c", "n = 0\nwhile True: n += 1"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, preexec_fn=begin))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.processes = []


def from_program(told):
    """`fovea bench --json` tells figures, not every run."""
    names = ("min", "p50", "p95", "max")
    return {"title": "fovea bench", "version": told["version"], "onednn": told["onednn"],
            "waiting": {name: told[name] for name in ("waiting", "wait_policy", "spin_count")},
            "warnings": told["warnings"],
            "batch": told["batch"], "load_ms": told["load_ms"], "create_ms": told["create_ms"],
            "first_ms": told["first_ms"],
            "figures_ms": {name: {**{of: told[f"{name}_ms"][of] for of in names},
                                  "runs": told["runs"]} for name in ("explain", "predict")}}


def percentile(times, percent):
    """The least time that so many of the runs did not exceed."""
    times = sorted(times)
    return times[max(0, -(-percent * len(times) // 100) - 1)]


def figures(result, series):
    """min, p50, p95, max and runs of a series of one process; None where it was not measured."""
    if result is None or "error" in result:
        return None
    told = result.get("figures_ms", {}).get(series)
    if told:
        return told
    times = result.get("series_ms", {}).get(series)
    return times and {"min": min(times), "p50": percentile(times, 50),
                      "p95": percentile(times, 95), "max": max(times), "runs": len(times)}


def of_round(round_, count, contestant, series, figure):
    found = figures(round_.get(str(count), {}).get(contestant), series)
    return found and found[figure]


def faster_peer(round_, count, figure):
    found = [of_round(round_, count, peer, "forward", figure) for peer in PEERS]
    return None if None in found else min(found)


def create(round_, count, contestant):
    result = round_.get(str(count), {}).get(contestant, {})
    return result.get("create_ms")


def ratio(above, below):
    return above / below if above is not None and below else None


def summary(values):
    """The median over the rounds, the least and the largest; None where there is nothing."""
    values = [value for value in values if value is not None]
    return (median(values), min(values), max(values)) if values else None
