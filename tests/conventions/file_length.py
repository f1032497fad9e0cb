#!/usr/bin/env python3
"""Checks that every source file can be read in one sitting.

usage: file_length.py ROOT
"""

import sys
from pathlib import Path

from cxx_source import FOLDERS, report

LIMIT = 500
SUFFIXES = {".hpp", ".cpp", ".h", ".c", ".py", ".sh", ".cmake", ".proto"}


def check(root):
    root = Path(root)
    problems = []
    for folder in FOLDERS + ("cmake", ".ci"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES or path.name == "CMakeLists.txt":
                lines = len(path.read_text().splitlines())
                if lines > LIMIT:
                    problems.append(f"{path.relative_to(root)}: {lines} lines, {LIMIT} allowed")
    return problems


if __name__ == "__main__":
    sys.exit(report(check(sys.argv[1])))
