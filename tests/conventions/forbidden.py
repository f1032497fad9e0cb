#!/usr/bin/env python3
"""Checks that the library never prints, aborts, exits or asserts, and starts threads and reads the
environment in one place only.

usage: forbidden.py ROOT
"""

import re
import sys
from pathlib import Path

from cxx_source import code_lines, cxx_files, report

# (pattern, why, the one module that may)
RULES = [
    (r"\bstd::(cout|cerr|clog)\b", "the library never prints", None),
    (r"\b(f|v|vf)?printf\s*\(|\bf?puts\s*\(|\bf?putchar\s*\(|\bperror\s*\(",
     "the library never prints", None),
    (r"\b(abort|_?exit|_Exit|quick_exit|terminate)\s*\(", "errors are thrown", None),
    (r"(?<!_)\bassert\s*\(", "errors are thrown", None),
    (r"\b(secure_)?getenv\s*\(", "the library reads the environment only in base", "base"),
    (r"\b(un|put|set)s?etenv\s*\(|\bputenv\s*\(|\benviron\b",
     "the library never changes the environment", None),
    (r"\bstd::thread\b", "threads come from base/parallel.hpp", "base"),
    (r"\bstd::(jthread|async)\b", "threads come from base/parallel.hpp", None),
    (r"^\s*#\s*pragma\s+omp\b|\bomp_\w+\s*\(", "OpenMP is used only in base", "base"),
]


def check(root):
    root = Path(root)
    rules = [(re.compile(pattern), why, home) for pattern, why, home in RULES]
    problems = []
    for path in cxx_files(root, ("src", "include")):
        relative = path.relative_to(root)
        for number, line in enumerate(code_lines(path.read_text()), 1):
            for pattern, why, home in rules:
                found = pattern.search(line)
                if found and relative.parts[1] != home:
                    problems.append(f"{relative}:{number}: {found.group(0).strip()}: {why}")
    return problems


if __name__ == "__main__":
    sys.exit(report(check(sys.argv[1])))
