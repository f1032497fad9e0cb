#!/usr/bin/env python3
"""Checks fovea on the classification networks of torchvision; README.md says what and how.

    python3.11 tests/zoo/run.py
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from networks import LEFT_OUT, family_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"
DOCUMENT = ROOT / "docs" / "conformance.md"
MARKERS = ("<!-- zoo:begin -->", "<!-- zoo:end -->")
LIST_NETWORKS = ("import check; models = check.vision().models; "
                 "print(*models.list_models(module=models))")
# Small, and worth keeping: what failed can be looked at, what passed is in the table.
KEPT = {"result.json", "log.txt"}


def environment(folder):
    """The interpreter of the zoo's own environment, made or brought up to date."""
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        print(f"zoo: setting up {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-r", REQUIREMENTS],
                       check=True)
        stamp.write_text(REQUIREMENTS.read_text())
    return python


def check(python, name, program, work, keep):
    """Runs one network in a process of its own, so that its memory is given back."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    result_file = folder / "result.json"
    result_file.unlink(missing_ok=True)
    with open(folder / "log.txt", "w") as log:
        run = subprocess.run([python, "-B", HERE / "check.py", name, program, folder], stdout=log,
                             stderr=subprocess.STDOUT)
    if program != "none" and not result_file.exists():
        lines = (folder / "log.txt").read_text().splitlines() or ["no output"]
        result_file.write_text(json.dumps({"status": "fail", "note": f"check.py: {lines[-1]}"}))
    if not keep:
        for path in folder.iterdir():
            if path.name not in KEPT:
                path.unlink()
    if program == "none":
        return {"status": "exported" if run.returncode == 0 else "fail"}
    return json.loads(result_file.read_text())


def number(value):
    return "" if value is None else f"{value:.1e}"


def row(name, result):
    layer = f"`{result['layer']}`" if result.get("layer") else ""
    if result.get("grid"):
        layer += " " + "x".join(map(str, result["grid"]))
    parameters = f"{result['parameters'] / 1e6:.1f}" if result.get("parameters") else ""
    status = result["status"] + (f" ({result['note']})" if result["note"] else "")
    status = status.replace("|", "\\|")
    return (f"| {name} | {parameters} | {layer} | {number(result.get('logits_error'))} | "
            f"{number(result.get('map_error'))} | {status} |")


def table(results, program):
    version = subprocess.run([program, "version"], capture_output=True, text=True).stdout
    version = [" ".join(line.split()) for line in version.splitlines()]
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", REQUIREMENTS.read_text(), re.MULTILINE))
    counts = {s: sum(r["status"] == s for r in results.values()) for s in ("pass", "waits", "fail")}
    lines = [
        f"{counts['pass']} pass, {counts['waits']} wait, {counts['fail']} fail. torch "
        f"{pins['torch']}, torchvision {pins['torchvision']}; " + "; ".join(
            line for line in version if line.startswith(("fovea", "oneDNN", "kernels"))) + ".",
        "",
        "| network | million parameters | default layer, its grid | scores: error / range | "
        "map: error / maximum | |",
        "| --- | ---: | --- | ---: | ---: | --- |",
        *(row(name, results[name]) for name in sorted(results)),
    ]
    left_out = [f"{name}: {why}." for name, why in sorted(LEFT_OUT.items()) if name not in results]
    if left_out:
        lines += ["", "Left out: " + " ".join(left_out)]
    return "\n".join(lines)


def write_document(text):
    document = DOCUMENT.read_text()
    before, rest = document.split(MARKERS[0])
    after = rest.split(MARKERS[1])[1]
    temporary = DOCUMENT.with_suffix(".tmp")
    temporary.write_text(f"{before}{MARKERS[0]}\n{text}\n{MARKERS[1]}{after}")
    os.replace(temporary, DOCUMENT)


def saved_results(work, names):
    files = {name: work / name / "result.json" for name in names}
    return {name: json.loads(path.read_text()) for name, path in files.items() if path.exists()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", metavar="REGEX", help="networks whose whole name matches")
    parser.add_argument("--resume", action="store_true", help="skip networks with a saved result")
    parser.add_argument("--export-only", action="store_true", help="fill the cache; implies --keep")
    parser.add_argument("--jobs", type=int, default=1, help="networks at the same time (default 1)")
    parser.add_argument("--keep", action="store_true",
                        help="keep exported models in DIR for the next run (about 17 GB in all)")
    parser.add_argument("--work", metavar="DIR", type=Path, default=ROOT / "build/zoo/work")
    parser.add_argument("--venv", metavar="DIR", type=Path, default=ROOT / "build/zoo/venv")
    parser.add_argument("--fovea", metavar="FILE", type=Path,
                        default=ROOT / "build/release/tools/fovea")
    return parser.parse_args()


def main():
    options = arguments()
    program = "none" if options.export_only else options.fovea.resolve()
    if not options.export_only and not program.exists():
        sys.exit(f"zoo: no {program}: build it first (cmake --build --preset release)")
    python = environment(options.venv.resolve())
    known = subprocess.run([python, "-B", "-c", LIST_NETWORKS], cwd=HERE, check=True,
                           capture_output=True, text=True).stdout.split()
    chosen = [name for name in known
              if (re.fullmatch(options.only, name) if options.only else name not in LEFT_OUT)]
    if not chosen:
        sys.exit(f"zoo: no network matches {options.only}")
    for name in chosen:
        family_of(name)  # a new family stops the run here, not hours later
    work = options.work.resolve()
    todo = [n for n in chosen if not (options.resume and (work / n / "result.json").exists())]
    keep = options.keep or options.export_only
    failed = False
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {pool.submit(check, python, name, program, work, keep): name for name in todo}
        for run in concurrent.futures.as_completed(runs):
            result = run.result()
            failed = failed or result["status"] == "fail"
            print(runs[run], result["status"], number(result.get("logits_error")),
                  number(result.get("map_error")), result.get("note", ""), flush=True)
    if options.export_only:
        sys.exit(failed)
    results = saved_results(work, known)
    missing = [name for name in known if name not in results and name not in LEFT_OUT]
    if missing:
        print(f"zoo: {DOCUMENT} stays as it is: no result yet for {len(missing)} networks")
    else:
        write_document(table(results, program))
        print(f"zoo: wrote {DOCUMENT}; rows that did not run now come from earlier runs")
    sys.exit(any(results[name]["status"] == "fail" for name in chosen))


if __name__ == "__main__":
    main()
