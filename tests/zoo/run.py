#!/usr/bin/env python3
"""Checks fovea on the classification networks of torchvision, or on timm's; README.md says what and
how.

    python3.11 tests/zoo/run.py [--timm]
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import timm_networks
from networks import LEFT_OUT, family_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"
DOCUMENT = ROOT / "docs" / "conformance.md"
MARKERS = "<!-- {0}:begin -->", "<!-- {0}:end -->"
LIST_NETWORKS = ("import check; models = check.vision().models; "
                 "print(*models.list_models(module=models))")
# Small, and worth keeping: what failed can be looked at, what passed is in the table.
KEPT = {"result.json", "log.txt"}

ERRORS = {"logits_error": "scores: error / range", "map_error": "map: error / maximum",
          "saliency_error": "saliency: error / maximum"}


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


@dataclass(frozen=True)
class Run:
    """What one call of this script does to each of its networks."""
    python: Path
    program: Optional[Path]  # None: only export
    work: Path  # holds a folder per network: the model, its input, PyTorch's answers
    results: Path  # the same for the program's answers; may be the same folders
    more: list  # further arguments for the program
    keep: bool

    def check(self, name):
        """Runs one network in a process of its own, so that its memory is given back."""
        folder, answers = self.work / name, self.results / name
        for each in (folder, answers):
            each.mkdir(parents=True, exist_ok=True)
        result_file, log_file = answers / "result.json", answers / "log.txt"
        if self.program:
            result_file.unlink(missing_ok=True)
        with open(log_file, "w") as log:
            run = subprocess.run(
                [self.python, "-B", HERE / "check.py", name, self.program or "none", folder,
                 answers, *self.more], stdout=log, stderr=subprocess.STDOUT)
        if not self.program:
            return {"status": "exported" if run.returncode == 0 else "fail"}
        if not result_file.exists():
            lines = log_file.read_text().splitlines() or ["no output"]
            result_file.write_text(json.dumps({"status": "fail", "note": f"check.py: {lines[-1]}"}))
        for path in [*folder.iterdir(), *answers.iterdir()]:
            if not self.keep and path.name not in KEPT:
                path.unlink(missing_ok=True)
        return json.loads(result_file.read_text())


def number(value):
    return "" if value is None else f"{value:.1e}"


def row(name, result, errors):
    layer = f"`{result['layer']}`" if result.get("layer") else ""
    if result.get("grid"):
        layer += " " + "x".join(map(str, result["grid"]))
    parameters = f"{result['parameters'] / 1e6:.1f}" if result.get("parameters") else ""
    status = result["status"] + (f" ({result['note']})" if result["note"] else "")
    status = status.replace("|", "\\|")
    cells = [name.replace(".", ", "), parameters, layer,
             *(number(result.get(error)) for error in errors), status]
    return "| " + " | ".join(cells) + " |"


def without_folders(text, folders):
    """Where this machine keeps its files is of no interest in a table; the longest path goes first,
    so that nothing of a folder within another stays."""
    for folder in sorted(map(str, folders), key=len, reverse=True):
        text = text.replace(folder + "/", "").replace(folder, "")
    return text


def table(results, options):
    version = subprocess.run([options.fovea, "version"], capture_output=True, text=True).stdout
    version = [" ".join(line.split()) for line in version.splitlines()]
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", REQUIREMENTS.read_text(), re.MULTILINE))
    packages, errors = ["torch", "torchvision"], dict(ERRORS)
    if options.timm:
        packages[1] = "timm"
    else:
        del errors["saliency_error"]
    counts = {s: sum(r["status"] == s for r in results.values()) for s in ("pass", "fail")}
    more = f" With `{shlex.join(options.fovea_arguments)}`." if options.fovea_arguments else ""
    lines = [
        f"{counts['pass']} pass, {counts['fail']} fail.{more} "
        + ", ".join(f"{package} {pins[package]}" for package in packages) + "; " + "; ".join(
            line for line in version if line.startswith(("fovea", "oneDNN", "kernels"))) + ".",
        "",
        "| network | million parameters | default layer, its grid | "
        + " | ".join(errors.values()) + " | |",
        "| --- | ---: | --- |" + " ---: |" * len(errors) + " --- |",
    ]
    for name in sorted(results):
        folders = [each / name for each in (options.work, options.results)]
        lines.append(without_folders(row(name, results[name], errors),
                                     [*folders, options.venv, ROOT]))
    left_out = [f"{name}: {why}." for name, why in sorted(options.left_out.items())
                if name not in results]
    if left_out:
        lines += ["", "Left out: " + " ".join(left_out)]
    return "\n".join(lines)


def write_document(text, table_name):
    begin, end = (marker.format(table_name) for marker in MARKERS)
    document = DOCUMENT.read_text()
    before, rest = document.split(begin)
    after = rest.split(end)[1]
    temporary = DOCUMENT.with_suffix(".tmp")
    temporary.write_text(f"{before}{begin}\n{text}\n{end}{after}")
    os.replace(temporary, DOCUMENT)


def saved_results(folder, names):
    files = {name: folder / name / "result.json" for name in names}
    return {name: json.loads(path.read_text()) for name, path in files.items() if path.exists()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--timm", action="store_true",
                        help="timm's networks, by both of PyTorch's exporters")
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
    parser.add_argument("--fovea-arguments", metavar="TEXT", type=shlex.split, default=[],
                        help="further arguments for fovea, quoted as a shell would have them "
                        "(--fovea-arguments='--threads 1'); needs --results")
    parser.add_argument("--results", metavar="DIR", type=Path,
                        help="where fovea's answers and the table go; the document stays as it is")
    options = parser.parse_args()
    if options.fovea_arguments and not options.results:
        parser.error("--fovea-arguments needs --results: the document is about fovea's defaults")
    if options.export_only and options.results:
        parser.error("--export-only has no results")
    options.left_out = {} if options.timm else LEFT_OUT
    options.apart = options.results is not None
    options.results = options.results or options.work
    for name in ("work", "venv", "fovea", "results"):
        setattr(options, name, getattr(options, name).resolve())
    return options


def publish(options, known):
    """Writes the table: into the document when every network has a result, into a folder of its own
    whatever there is."""
    results = saved_results(options.results, known)
    if options.apart:
        file = options.results / "table.md"
        file.write_text(table(results, options) + "\n")
        print(f"zoo: wrote {file}, {len(results)} networks")
        return
    missing = [name for name in known if name not in results and name not in options.left_out]
    if missing:
        print(f"zoo: {DOCUMENT} stays as it is: no result yet for {len(missing)} networks")
    else:
        write_document(table(results, options), "timm" if options.timm else "zoo")
        print(f"zoo: wrote {DOCUMENT}; rows that did not run now come from earlier runs")


def main():
    options = arguments()
    if not options.export_only and not options.fovea.exists():
        sys.exit(f"zoo: no {options.fovea}: build it first (cmake --build --preset release)")
    python = environment(options.venv)
    known = timm_networks.names() if options.timm else subprocess.run(
        [python, "-B", "-c", LIST_NETWORKS], cwd=HERE, check=True, capture_output=True,
        text=True).stdout.split()
    chosen = [name for name in known
              if (re.fullmatch(options.only, name) if options.only
                  else name not in options.left_out)]
    if not chosen:
        sys.exit(f"zoo: no network matches {options.only}")
    for name in chosen if not options.timm else []:
        family_of(name)  # a new family stops the run here, not hours later
    done = saved_results(options.results, chosen) if options.resume else {}
    run = Run(python, None if options.export_only else options.fovea, options.work, options.results,
              options.fovea_arguments, options.keep or options.export_only)
    failed = False
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(run.check, name): name for name in chosen if name not in done}
        for each in concurrent.futures.as_completed(running):
            result = each.result()
            failed = failed or result["status"] == "fail"
            print(running[each], result["status"], number(result.get("logits_error")),
                  number(result.get("map_error")), result.get("note", ""), flush=True)
    if not options.export_only:
        publish(options, known)
    sys.exit(failed or any(result["status"] == "fail" for result in done.values()))


if __name__ == "__main__":
    main()
