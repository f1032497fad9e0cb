#!/usr/bin/env python3
"""`fovea explain-all` over a folder of photos: is every photo there once, as single calls have it, also after a kill;
and how many photos a second beside a shell's loop of single calls and beside the grad-cam package.

usage: folder.py [--check | --time] [options]; --help lists them

The networks are those of run.py (`build/compare/models`); the photos those of a folder, repeated under other names,
with six broken ones among them.
"""

import argparse
import filecmp
import hashlib
import itertools
import json
import os
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXTENSIONS = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
BROKEN = 6
QUIET = 1.5  # of the load that a quiet machine has, at most


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/tools/fovea")
    parser.add_argument("--photos", type=Path, default=ROOT / "../shared/real", help="folder whose photos are taken")
    parser.add_argument("--models", type=Path, default=ROOT / "build/compare/models")
    parser.add_argument("--networks", nargs="+", default=["mobilenet_v2", "resnet50"])
    parser.add_argument("--count", type=int, default=512, help="photos, the broken ones among them")
    parser.add_argument("--loop", type=int, default=128, help="photos of them that the slower contestants are timed with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--python", help="an interpreter with torch and grad-cam; without it they are left out")
    parser.add_argument("--check", action="store_true", help="what comes out, and nothing else")
    parser.add_argument("--time", action="store_true", help="how fast, and nothing else")
    parser.add_argument("--results", type=Path, help="where the figures go as JSON")
    return parser.parse_args()


def make_photos(source, folder, count):
    """`count` files in `folder`; the names of the broken ones."""
    found = sorted(path for path in source.rglob("*") if path.suffix.lower() in EXTENSIONS and path.stat().st_size > 20000)
    if not found:
        sys.exit(f"folder: no photos in {source}")
    for number, photo in zip(range(count - BROKEN), itertools.cycle(found)):
        shutil.copyfile(photo, folder / f"{number:04}-{photo.name}")
    whole = found[0].read_bytes()
    broken = {"0000-a.jpg": b"", "0100-a.jpg": b"no picture\n", "0200-a.jpg": whole[:len(whole) // 2], "0300-a.png": whole[:100],
              "0400-a.jpg": b"\xff\xd8\xff" + bytes(1000), "9999-a.webp": b"RIFF"}
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    return sorted(broken)


def run(command, environment, **more):
    """(exit status, seconds, peak of resident memory in MB, standard error, seconds of the processor)"""
    with tempfile.TemporaryFile("w+") as errors:
        start = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors, **more)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return process.returncode, seconds, usage.ru_maxrss * 1024 / 1e6, errors.read(), usage.ru_utime + usage.ru_stime


def lines_of(folder):
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def digest(folder):
    out = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            out[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return out


class Network:
    def __init__(self, name, args, scratch, broken):
        self.name, self.args, self.scratch, self.broken = name, args, scratch, broken
        self.model = args.models / f"{name}.onnx"
        self.environment = {**machine.worker_environment(args.threads), "OMP_WAIT_POLICY": "passive"}
        self.photos = sorted(path.relative_to(scratch) for path in (scratch / "photos").iterdir())
        self.good = [path for path in self.photos if path.name not in broken]
        self.figures = {"network": name}

    def all(self, out, images="photos", extra=("--overlay", "--feature-map")):
        return [self.args.program, "explain-all", "--model", self.model, "--images", images, "--output", out, *extra,
                "--plan-cache", f"{self.name}-1.plan"]

    def fresh(self, command, out):
        shutil.rmtree(self.scratch / out, ignore_errors=True)
        return run(command, self.environment, cwd=self.scratch)

    def expect(self, right, what):
        print(f"{'ok  ' if right else 'NOT '} {self.name}: {what}", flush=True)
        if not right:
            sys.exit(1)

    def check(self):
        few = [str(photo) for photo in self.photos[:64]]
        (self.scratch / "few.txt").write_text("\n".join(few))
        self.fresh(self.all("few", "few.txt"), "few")  # finds the plan, which takes memory of its own
        _, _, few_peak, _, _ = self.fresh(self.all("few", "few.txt"), "few")
        status, _, peak, errors, _ = self.fresh(self.all("out"), "out")
        lines = lines_of(self.scratch / "out")
        failed = [Path(line["image"]).name for line in lines if line["status"] == "failed"]
        self.expect([line.get("image") for line in lines[:-1]] == [str(photo) for photo in self.photos]
                    and lines[-1] == {"status": "done", "photos": len(self.photos), "ok": len(self.good),
                                      "failed": len(self.broken)},
                    f"{len(self.photos)} photos, a line for each, in order")
        self.expect(status == 4 and failed == self.broken and all(f"photos/{name}" in errors for name in failed),
                    f"the {len(failed)} broken ones named, exit status 4")
        self.compare_with_single_calls(lines)
        self.kill_and_go_on()
        self.expect(peak < 1.15 * few_peak, f"peak memory {few_peak:.0f} MB of {len(few)} photos, {peak:.0f} MB of {len(self.photos)}")
        self.figures.update(peak_mb=round(peak), peak_mb_of_64=round(few_peak))

    def compare_with_single_calls(self, lines):
        """Of every photo: the overlay, the map, and what is told."""
        same = 0
        for line in lines[:-1]:
            if line["status"] != "ok":
                continue
            status, _, _, errors, _ = run(
                [self.args.program, "explain", "--model", self.model, "--image", line["image"], "--threads", "1", "--box",
                 "--plan-cache", f"{self.name}-1.plan", "--output", "one.png", "--feature-map", "one.npy", "--json", "one.json"],
                self.environment, cwd=self.scratch)
            if status != 0:
                sys.exit(f"folder: {errors}")
            result = json.loads((self.scratch / "one.json").read_text())
            told = result["images"][0]["explanations"]
            told[0]["overlay"] = f"overlay/{line['name']}.png"
            same += (filecmp.cmp(self.scratch / "one.png", self.scratch / "out" / line["explanations"][0]["overlay"], shallow=False)
                     and filecmp.cmp(self.scratch / "one.npy", self.scratch / "out" / line["feature_map_file"], shallow=False)
                     and told == line["explanations"] and result["predictions"] == line["predictions"])
        self.expect(same == len(self.good), f"{same} photos as single calls have them, to the bit")

    def kill_and_go_on(self):
        whole = digest(self.scratch / "out")
        shutil.rmtree(self.scratch / "killed", ignore_errors=True)
        results = self.scratch / "killed/results.jsonl"
        process = subprocess.Popen(self.all("killed"), env=self.environment, cwd=self.scratch, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while process.poll() is None and (not results.exists() or results.read_bytes().count(b"\n") < len(self.photos) // 2):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = len(results.read_bytes().splitlines())
        run(self.all("killed"), self.environment, cwd=self.scratch)
        self.expect(digest(self.scratch / "killed") == whole and done < len(self.photos),
                    f"killed at {done} lines and called again: the same {len(whole)} files")

    def once(self, contestant):
        """(photos a second, milliseconds of the processor for each)"""
        few = [str(path) for path in self.good[:self.args.loop]]
        if contestant == "explain-all":
            status, seconds, _, errors, cpu = self.fresh(self.all("timed", extra=("--overlay",)), "timed")
            if status != 4:
                sys.exit(f"folder: {errors}")
            return len(self.good) / seconds, 1000 * cpu / len(self.good)
        shutil.rmtree(self.scratch / "loop", ignore_errors=True)
        (self.scratch / "loop").mkdir()
        if contestant == "single calls":
            call = shlex.join(map(str, [self.args.program, "explain", "--model", self.model, "--box", "--plan-cache",
                                        f"{self.name}-team.plan"]))
            script = f'for f in "$@"; do {call} --image "$f" --output "loop/${{f##*/}}.png" --json "loop/${{f##*/}}.json"; done'
            status, seconds, _, errors, cpu = run(["bash", "-e", "-c", script, "bash", *few], self.environment, cwd=self.scratch)
            if status != 0:
                sys.exit(f"folder: {errors}")
            return len(few) / seconds, 1000 * cpu / len(few)
        told = subprocess.run([self.args.python, HERE / "folder_gradcam.py", self.name, self.args.models.resolve(),
                               str(self.args.threads), "loop", *few], cwd=self.scratch, check=True, stdout=subprocess.PIPE,
                              env=self.environment, text=True).stdout
        rate, cpu = map(float, told.split())
        return rate, cpu

    def time(self):
        contestants = ["explain-all", "single calls"] + (["grad-cam"] if self.args.python else [])
        run([self.args.program, "explain", "--model", self.model, "--image", self.good[0], "--plan-cache", f"{self.name}-team.plan"],
            self.environment, cwd=self.scratch)
        run(self.all("timed", "photos"), self.environment, cwd=self.scratch)  # and its plan cache
        found = {name: [] for name in contestants}
        for _ in range(self.args.rounds):
            for name in contestants:
                found[name].append(self.once(name))
        rate = {name: statistics.median(rate for rate, _ in values) for name, values in found.items()}
        cpu = {name: statistics.median(cpu for _, cpu in values) for name, values in found.items()}
        for name in contestants:
            print(f"     {self.name}: {name} {rate[name]:.1f} photos/s (" + ", ".join(f"{r:.1f}" for r, _ in found[name]) +
                  f"), {cpu[name]:.1f} ms of a core each; explain-all is {rate['explain-all'] / rate[name]:.2f} times as fast",
                  flush=True)
        self.figures["photos_per_second"] = {name: [round(r, 2) for r, _ in values] for name, values in found.items()}
        self.figures["cpu_ms"] = {name: [round(c, 2) for _, c in values] for name, values in found.items()}


def main():
    args = options()
    args.program, args.models = args.program.resolve(), args.models.resolve()
    load = os.getloadavg()[0]
    if load > QUIET and not args.check:
        print(f"     the machine is not quiet: its load is {load:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fovea-folder-") as folder:
        scratch = Path(folder)
        (scratch / "photos").mkdir()
        broken = make_photos(args.photos, scratch / "photos", args.count)
        figures = []
        for name in args.networks:
            network = Network(name, args, scratch, broken)
            if not args.time:
                network.check()
            if not args.check:
                network.time()
            figures.append(network.figures)
    result = {"commit": machine.commit(ROOT), "machine": machine.description(), "load": round(load, 2), "threads": args.threads,
              "photos": args.count, "networks": figures}
    if args.results:
        args.results.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
