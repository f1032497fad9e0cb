#!/usr/bin/env python3
"""Measures fovea and its peers in turn, and writes what it saw; README.md says what and how.

    python3.11 bench/compare/run.py
    python3.11 bench/compare/run.py --methods
    python3.11 bench/compare/run.py --busy 0 1 2 6
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import busy
import busy_report
import machine
import method_report
import methods
import report
from catalogue import NETWORKS
from contestants import CONTESTANTS
from environments import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROCESS_SECONDS = 600
PEER_NAMES = [*CONTESTANTS, *methods.ONLY_METHODS]
PROGRAMS = {"fovea_worker": "bench/compare/fovea_worker", "floor": "bench/models/floor",
            "input_gradient": "bench/models/input_gradient", "fovea": "tools/fovea"}
TELLERS = {"floor": report.from_floor, "input_gradient": method_report.from_input_gradient,
           "fovea": busy.from_program}
REPORTS = {"peers": report, "methods": method_report, "busy": busy_report}


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", metavar="NAME", choices=list(NETWORKS),
                        default=list(NETWORKS), help=", ".join(NETWORKS))
    parser.add_argument("--peers", nargs="+", metavar="NAME", choices=PEER_NAMES,
                        default=PEER_NAMES, help=", ".join(PEER_NAMES))
    parser.add_argument("--methods", nargs="*", metavar="NAME", choices=methods.METHODS,
                        help="in place of Grad-CAM: each method beside the peer that has it; "
                        f"none named: all but the slow ones; {', '.join(methods.METHODS)}")
    parser.add_argument("--busy", nargs="+", metavar="N", type=int,
                        help="in place of that: fovea and the peers that predict, beside N "
                        "processes that only count, for each N")
    parser.add_argument("--slow", action="store_true", help="with --methods: the slow ones too")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of every peer; default: all CPUs")
    parser.add_argument("--seconds", type=float, default=2,
                        help="measured per process and series (default 2)")
    parser.add_argument("--quick", action="store_true", help="a fifth of a second, one round")
    parser.add_argument("--results", metavar="DIR", type=Path, default=ROOT / "bench/results",
                        help="where the report goes; default bench/results")
    parser.add_argument("--append", metavar="FILE.json", type=Path,
                        help="add the rounds to this result of the same machine and versions")
    parser.add_argument("--work", metavar="DIR", type=Path, default=ROOT / "build/compare",
                        help="for the networks; default build/compare")
    parser.add_argument("--venv", metavar="DIR", type=Path,
                        help="for the environments; default venv in the work folder")
    parser.add_argument("--python", metavar="PROGRAM", type=Path,
                        help="of the peers, in place of the pinned environments: what it has is "
                        "what is measured")
    parser.add_argument("--build", metavar="DIR", type=Path, default=ROOT / "build/release",
                        help="with fovea's programs; default build/release")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 0.2
    options.work = options.work.resolve()
    options.venv = (options.venv or options.work / "venv").resolve()
    options.build = options.build.resolve()
    if options.busy is not None and options.methods is not None:
        parser.error("--busy and --methods are measured apart")
    if any(count < 0 for count in options.busy or ()):
        parser.error("--busy: fewer than no processes")
    return options


def kind_of(options):
    if options.busy is not None:
        return "busy"
    return "peers" if options.methods is None else "methods"


def chosen(options):
    """The contestants of a round, in order."""
    if options.busy is not None:
        return busy.contestants(options.peers)
    if options.methods is not None:
        return methods.contestants(options.methods, options.peers, options.slow, options.models)
    wanted = set(options.peers)
    if "fovea" in wanted:
        wanted.add("fovea-cold")  # which leaves its plan cache to the others
    return [CONTESTANTS[name] for name in CONTESTANTS if name in wanted]


class Bench:
    def __init__(self, options):
        self.options = options
        self.models = options.work / "models"
        self.maps = options.work / "maps"
        self.maps.mkdir(parents=True, exist_ok=True)
        self.cpus = machine.chosen_cpus(options.threads)
        self.chosen = chosen(options)
        self.pythons = {}
        self.failed = {}  # (network, contestant): why; not tried again

    def python(self, name):
        if self.options.python:
            return self.options.python
        if name not in self.pythons:
            self.pythons[name] = environment(name, self.options.venv)
        return self.pythons[name]

    def set_up(self):
        """Environments and networks, before anything is measured."""
        names = self.options.models
        for contestant in self.chosen:
            if contestant.environment:
                self.python(contestant.environment)
            elif not self.program(contestant).exists():
                sys.exit(f"compare: no {self.program(contestant)}: build it first "
                         "(./run test, or cmake --build --preset release)")
        say("making the networks that are not there yet")
        self.script("main", "make_models.py", self.models, *names)
        with_keras = [name for name in names if NETWORKS[name].keras]
        if any(contestant.keras for contestant in self.chosen):
            self.script("keras", "make_keras_models.py", self.models, *with_keras)
        if self.once(names):
            self.script("main", "once.py", self.models)

    def once(self, names):
        """Those of the networks that are asked about by a process of their own."""
        measured = {"fovea", "onnxruntime"} <= {contestant.name for contestant in self.chosen}
        busy_ = self.options.busy is not None and measured
        return [name for name in names if busy_ and name in busy.ONCE_NETWORKS]

    def script(self, name, script, *arguments):
        run = subprocess.run([self.python(name), "-B", HERE / script, *map(str, arguments)],
                             capture_output=True, text=True,
                             env=machine.worker_environment(self.options.threads))
        if run.returncode != 0:
            sys.exit(f"{run.stderr}compare: {script} failed")
        return run.stdout

    def program(self, contestant):
        return self.options.build / PROGRAMS[contestant.module]

    def command(self, contestant, network):
        if contestant.module == "fovea":  # predicts and explains
            return [self.program(contestant), "bench", "--model", self.models / f"{network}.onnx",
                    "--seconds", 2 * self.options.seconds, "--json"]
        if contestant.module in TELLERS:
            return [self.program(contestant), self.models / f"{network}.onnx", "--json",
                    "--threads", self.options.threads, "--runs", 5 if self.options.quick else 40]
        start = ([self.python(contestant.environment), "-B", HERE / "worker.py", contestant.module]
                 if contestant.environment else [self.program(contestant)])
        command = [*start, "--models", self.models, "--network", network,
                   "--threads", self.options.threads, "--batch", contestant.batch,
                   "--seconds", self.options.seconds,
                   "--warm-up", min(1, self.options.seconds / 2) if contestant.warm_up else 0,
                   *contestant.arguments]
        if network in contestant.layers:
            command += ["--layer", contestant.layers[network]]
        if contestant.plan_cache:
            option = {"reads": "--plan-cache", "writes": "--write-plan-cache"}
            command += [option[contestant.plan_cache], self.maps / network / "plan_cache"]
        if contestant.least:
            command += ["--least", contestant.least, "--most", contestant.least]
        if contestant.maps:
            command += ["--maps", self.map_file(contestant.name, network)]
        return command

    def map_file(self, name, network):
        return self.maps / network / f"{name}.npy"

    def measure(self, contestant, network):
        """A process of its own; what it printed, or {"error": why}."""
        try:
            run = subprocess.run(
                list(map(str, self.command(contestant, network))), capture_output=True, text=True,
                timeout=PROCESS_SECONDS,
                env=machine.worker_environment(self.options.threads, contestant.variables),
                preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))
        except subprocess.TimeoutExpired:
            return {"error": f"no answer in {PROCESS_SECONDS} s"}
        if run.returncode != 0:
            lines = run.stderr.strip().splitlines() or [""]
            return {"error": f"exit {run.returncode}: {lines[-1][:200]}"}
        if contestant.module in TELLERS:
            return TELLERS[contestant.module](json.loads(run.stdout))
        return json.loads(run.stdout.strip().splitlines()[-1])

    def milliseconds_of(self, command, variables=()):
        """Of a process, from its start to its end, and what it printed."""
        start = time.perf_counter()
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True,
                             timeout=PROCESS_SECONDS,
                             env=machine.worker_environment(self.options.threads, variables),
                             preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))
        return (time.perf_counter() - start) * 1e3, run.stdout

    def measure_once(self, network):
        """One picture by a process of its own, in turn: the whole of fovea's, and of ONNX Runtime's
        load and run."""
        ours, theirs = [], []
        predict = [self.options.build / PROGRAMS["fovea"], "predict", "--model",
                   self.models / f"{network}.onnx", "--input", self.models / "one.npy"]
        load_and_run = [self.python("main"), "-B", HERE / "once.py", self.models, network,
                        self.options.threads]
        for _ in range(2 if self.options.quick else 10):
            ours.append(self.milliseconds_of(predict, busy.AS_A_USER_STARTS_IT)[0])
            theirs.append(float(self.milliseconds_of(load_and_run)[1]))
        say(f"  once: fovea {report.median(ours):.1f}, onnxruntime {report.median(theirs):.1f} ms")
        return {"fovea-once": {"series_ms": {"once": ours}},
                "onnxruntime-once": {"series_ms": {"once": theirs}}}

    def round(self, network):
        if self.options.busy is None:
            return self.in_turn(network, self.chosen)
        measured = {}
        for count in self.options.busy:
            say(f" beside {count}")
            with busy.Counting(count, self.cpus):
                measured[str(count)] = self.in_turn(
                    network, [c for c in self.chosen if busy.runs_beside(c, count)])
                if self.once([network]):
                    measured[str(count)].update(self.measure_once(network))
        return measured

    def in_turn(self, network, contestants):
        measured = {}
        for contestant in contestants:
            if not contestant.takes(network) or (network, contestant.name) in self.failed:
                continue
            result = self.measure(contestant, network)
            measured[contestant.name] = result
            if "error" in result:
                self.failed[network, contestant.name] = result["error"]
                say(f"  {contestant.name}: {result['error']}")
                continue
            series = {**result.get("series_ms", {}), **result.get("figures_ms", {})}
            medians = (f"{name} {busy.figures(result, name)['p50']:.2f}" for name in series)
            say(f"  {contestant.name}: {', '.join(medians)} ms")
        return measured

    def agreement(self, network, rounds):
        """How near each method's map is to its peer's, or each map to autograd's at the layer that
        fovea explained."""
        if self.options.busy is not None:
            return {}
        if self.options.methods is not None:
            return json.loads(self.script("main", "method_agreement.py", self.maps / network))
        layers = [r["fovea"]["layer"] for r in rounds if "layer" in r.get("fovea", {})]
        files = [self.map_file(c.name, network) for c in self.chosen if c.maps]
        files = [file for file in files if file.exists()]
        if not layers or not files:
            return {}
        return json.loads(self.script("main", "agreement.py", self.models, network, layers[0],
                                      *files))

    def network(self, name):
        folder = self.maps / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        rounds = []
        for number in range(self.options.rounds):
            say(f"{name}, round {number + 1} of {self.options.rounds}")
            rounds.append(self.round(name))
        size = sum(file.stat().st_size for file in self.models.glob(f"{name}.onnx*"))
        return {"file_mib": round(size / 2**20, 2), "rounds": rounds,
                "agreement": self.agreement(name, rounds)}


def heading(options):
    return {
        "kind": kind_of(options),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "commit": machine.commit(ROOT),
        "machine": machine.description(),
        "threads": options.threads,
        "seconds": options.seconds,
        "command": " ".join(["python3.11 bench/compare/run.py", *sys.argv[1:]]),
    }


def appended(before, result):
    """`result` as further rounds of an earlier one."""
    for field in ("kind", "machine", "threads"):
        if before.get(field, "peers") != result.get(field, "peers"):
            sys.exit(f"compare: --append: another {field}: {before.get(field)}")
    for name, network in result["networks"].items():
        old = before["networks"].setdefault(name, {**network, "rounds": [], "agreement": {}})
        old["rounds"] += network["rounds"]
        old["agreement"].update(network["agreement"])
    order = list(NETWORKS)
    before["networks"] = {name: before["networks"][name] for name in order
                          if name in before["networks"]}
    before["commit"] = result["commit"] if before["commit"] == result["commit"] else (
        f"{before['commit']}, {result['commit']}")
    return before


def write(result, options):
    if options.append:
        file = options.append
    else:
        stem = f"{result['date'][:16].replace(':', '').replace('T', '-')}"
        kind = "" if result["kind"] == "peers" else f"{result['kind']}-"
        file = options.results / f"{stem}-{kind}{machine.best_instruction_set()}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = REPORTS[result.get("kind", "peers")].markdown(result)
    for path, content in ((file, report.compact_json(result)), (file.with_suffix(".md"), text)):
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_text(content)
        os.replace(unfinished, path)
    print(text)
    say(f"wrote {file} and {file.with_suffix('.md').name}")


def main():
    options = arguments()
    bench = Bench(options)
    bench.set_up()
    result = {**heading(options), "networks": {}}
    before = json.loads(options.append.read_text()) if options.append else None
    for name in options.models:
        if not any(contestant.takes(name) for contestant in bench.chosen):
            continue
        result["networks"][name] = bench.network(name)
    write(appended(before, result) if before else result, options)
    mine = ("fovea", methods.INPUT_GRADIENT)
    sys.exit(any(name.startswith(mine) for _, name in bench.failed))


if __name__ == "__main__":
    main()
