#!/usr/bin/env python3
"""Checks that clang-format would change nothing. Versions format differently, so one is pinned.

usage: format.py ROOT [CLANG_FORMAT]
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from cxx_source import SKIPPED, cxx_files, report

PINNED = "clang-format-14"


def check(root, program):
    files = [str(path) for path in cxx_files(root)]
    if not files:
        return []
    command = [program, "--dry-run", "-Werror", "--style=file", *files]
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    places = re.findall(r"^(.+):(\d+):\d+: error: ", run.stderr, re.MULTILINE)
    if run.returncode != 0 and not places:
        return [run.stderr]
    lines = {}
    for path, line in places:
        lines.setdefault(Path(path).relative_to(root), []).append(int(line))
    return [f"{path}:{min(at)}: would be formatted differently (./run format)"
            for path, at in lines.items()]


if __name__ == "__main__":
    clang_format = sys.argv[2] if len(sys.argv) > 2 else PINNED
    if not shutil.which(clang_format):
        print(f"skipped: no {clang_format} here, and other versions format differently")
        sys.exit(SKIPPED)
    sys.exit(report(check(sys.argv[1], clang_format)))
