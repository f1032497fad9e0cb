#!/usr/bin/env python3
"""What compiling costs: the processor's seconds of each object and their sum.

usage: compile.py BUILD [PATTERN ...]

BUILD is a configured folder, PATTERNs are regular expressions searched for in the sources' paths
from the root (none: all). Each object is compiled alone and thrown away, without a cache, so what
other programs do meanwhile disturbs the figures little. Precompiled headers that the objects need
are made first, in place, and listed.
"""

import json
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def seconds(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder)
    if done.returncode != 0:
        sys.exit(f"compile.py: failed: {shlex.join(command)}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime


def without_cache(command):
    words = shlex.split(command)
    return words[1:] if Path(words[0]).name in ("ccache", "sccache") else words


def is_header(entry):
    return Path(entry["file"]).name.startswith("cmake_pch.")


def headers_of(entry):
    """The precompiled headers that an object's command names."""
    return {word for word in shlex.split(entry["command"]) if Path(word).name.startswith("cmake_pch.h")}


def main(build, patterns):
    entries = json.loads((Path(build) / "compile_commands.json").read_text())
    found = []
    for entry in entries:
        source = Path(entry["file"])
        name = str(source.relative_to(ROOT)) if source.is_relative_to(ROOT) else str(source)
        if not is_header(entry) and (not patterns or any(re.search(p, name) for p in patterns)):
            found.append((name, entry))
    needed = set().union(*(headers_of(entry) for _, entry in found))
    total = 0.0
    for entry in entries:
        if is_header(entry) and any(entry["file"].startswith(header) for header in needed):
            cost = seconds(without_cache(entry["command"]), entry["directory"])
            total += cost
            print(f"{cost:7.2f}  {Path(entry['file']).relative_to(Path(build).resolve())}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, entry in found:
            words = without_cache(entry["command"])
            words[words.index("-o") + 1] = f"{folder}/object"
            cost = seconds(words, entry["directory"])
            total += cost
            print(f"{cost:7.2f}  {name}", flush=True)
    print(f"{total:7.2f}  in all, {len(found)} objects")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
