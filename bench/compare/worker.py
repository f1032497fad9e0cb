"""Measures one peer on one network in this process, and prints what it saw as a line of JSON. All
workers, fovea's too, take the same options and print the same fields.

A peer is a module of peers/ with

    TITLE       what it is, a line
    METHOD      what it does unless --method says otherwise; may be missing
    VERSION     of the package that is measured
    create(job) loads the network and returns {series: call}; call(x, best) is a run on the input x,
                whose best classes are `best` (for a peer that must be told); a call of the series
                "explain" returns the map at the input's extents
    layout(x)   x as the peer wants it; may be missing

Its imports are not part of what is measured, neither in time nor in memory.
"""

import argparse
import importlib
import json
import os
import time
from pathlib import Path

import numpy as np

MAPS = 4  # inputs whose maps are kept, to be compared


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("peer")
    parser.add_argument("--models", type=Path, required=True, help="folder of networks and inputs")
    parser.add_argument("--network", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--method", help="the peer's name of it")
    parser.add_argument("--layer", help="of the ONNX file, in place of the peer's choice")
    parser.add_argument("--precision", help="in place of the peer's choice")
    parser.add_argument("--background", type=int, default=0,
                        help="of the inputs, the last ones, for methods that compare with some")
    parser.add_argument("--warm-up", type=float, default=1, help="seconds; 0: the first run does")
    parser.add_argument("--seconds", type=float, default=2, help="measured, per series")
    parser.add_argument("--least", type=int, default=5, help="runs, whatever they take")
    parser.add_argument("--most", type=int, default=64, help="runs")
    parser.add_argument("--maps", metavar="FILE", help="write the first inputs' maps (.npy)")
    return parser.parse_args()


def status_kib(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def memory_baseline():
    """What the process holds now; the peak is counted from here on."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak becomes what is resident now
    return status_kib("VmRSS:")


def milliseconds(work, *arguments):
    start = time.perf_counter()
    result = work(*arguments)
    return (time.perf_counter() - start) * 1e3, result


class Clock:
    """Runs one series over the inputs in turn, and keeps the time of each run."""

    def __init__(self, call, inputs, job):
        self.call, self.inputs, self.job = call, inputs, job
        self.next, self.times = 0, []
        self.maps = []  # of the first inputs

    def run(self):
        x, best = self.inputs[self.next % len(self.inputs)]
        self.next += 1
        ms, result = milliseconds(self.call, x, best)
        if len(self.maps) < min(MAPS, len(self.inputs)):
            self.maps.append(np.array(result, dtype=np.float32))
        return ms

    def warm_up(self):
        if self.job.warm_up == 0:
            return
        end = time.perf_counter() + self.job.warm_up
        runs = 0
        while runs < 2 or (time.perf_counter() < end and runs < self.job.most):
            self.run()
            runs += 1

    def done(self):
        if len(self.times) < self.job.least:
            return False
        return len(self.times) >= self.job.most or sum(self.times) >= self.job.seconds * 1e3

    def measure_block(self, alone):
        """Once over the inputs, or until done. Several series take blocks in turn; the first run
        of a block, which finds the other's data in the caches, is not counted."""
        if not alone:
            self.run()
        for _ in self.inputs:
            if self.done():
                break
            self.times.append(self.run())


def batches(job, layout):
    images = np.load(job.models / "inputs.npy")
    best = np.load(job.models / f"{job.network}-classes.npy")
    starts = range(0, len(images) - job.batch + 1, job.batch)
    return [(layout(images[i:i + job.batch]), best[i:i + job.batch]) for i in starts]


def main():
    job = options()
    peer = importlib.import_module(f"peers.{job.peer}")
    inputs = batches(job, getattr(peer, "layout", np.ascontiguousarray))
    before = memory_baseline()
    create_ms, calls = milliseconds(peer.create, job)
    first_ms, _ = milliseconds(next(iter(calls.values())), *inputs[0])
    added = status_kib("VmHWM:") - before

    clocks = {series: Clock(call, inputs, job) for series, call in calls.items()}
    for clock in clocks.values():
        clock.warm_up()
    while not all(clock.done() for clock in clocks.values()):
        for clock in clocks.values():
            clock.measure_block(alone=len(clocks) == 1)
    if job.maps:
        np.save(job.maps, np.concatenate(clocks["explain"].maps))
    names = (peer.TITLE, job.method or getattr(peer, "METHOD", None))
    print(json.dumps({
        "title": ", ".join(filter(None, names)), "version": peer.VERSION,
        "threads": job.threads, "batch": job.batch,
        "load_ms": 0, "create_ms": round(create_ms, 3), "first_ms": round(first_ms, 3),
        "added_mib": round(added / 1024, 1),
        "series_ms": {name: [round(t, 3) for t in clock.times] for name, clock in clocks.items()},
    }), flush=True)
    os._exit(0)  # some runtimes take seconds to come down


if __name__ == "__main__":
    main()
