#!/usr/bin/env python3
"""How many objects a change of a header compiles again.

usage: touch.py BUILD [HEADER ...]

BUILD is a configured folder, HEADERs are paths from the root (none: every public header and those
that many modules share). Reads the sources' #include lines: nothing need be built.
"""

import json
import re
import shlex
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)
SHARED = ["src/graph/graph.hpp", "src/graph/ops.hpp", "src/engine/plan.hpp", "src/explain/method.hpp"]


@cache
def included(path, folders):
    """The checkout's own headers that a file includes itself."""
    found = []
    for name in INCLUDE.findall(path.read_text(errors="replace")):
        for folder in (path.parent, *folders):
            header = folder / name
            if header.is_file():
                header = header.resolve()
                if header.is_relative_to(ROOT):
                    found.append(header)
                break
    return found


def reached(source, folders):
    seen, waiting = set(), [source]
    while waiting:
        for header in included(waiting.pop(), folders):
            if header not in seen:
                seen.add(header)
                waiting.append(header)
    return seen


def main(build, names):
    entries = json.loads((Path(build) / "compile_commands.json").read_text())
    entries = [e for e in entries if Path(e["file"]).is_file()]
    headers = [(ROOT / name).resolve() for name in names] or sorted((ROOT / "include").rglob("*.hpp"))
    if not names:
        headers += [ROOT / name for name in SHARED]
    count = dict.fromkeys(headers, 0)
    for entry in entries:
        words = shlex.split(entry["command"])
        folders = tuple(Path(word[2:]) for word in words if word.startswith("-I"))
        found = reached(Path(entry["file"]), folders)
        for header in headers:
            count[header] += header in found
    for header in headers:
        print(f"{count[header]:5}  {header.relative_to(ROOT)}")
    print(f"{len(entries):5}  objects in all")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
