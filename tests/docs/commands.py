#!/usr/bin/env python3
"""Runs every shell snippet that the documentation marks with <!-- run -->.

usage: commands.py ROOT BINARY_DIR
"""

import os
import subprocess
import sys
import tempfile

import markdown

SKIPPED = 77


def run(root, binary_dir):
    """(number of snippets, [what failed])"""
    environment = dict(os.environ)
    environment["PATH"] = f"{binary_dir}/tools:{environment['PATH']}"
    count, failed = 0, []
    for document in markdown.documents(root):
        with tempfile.TemporaryDirectory() as scratch:
            folder = markdown.playground(root, binary_dir, os.path.join(scratch, "fovea"))
            for snippet in markdown.commands(document.read_text()):
                count += 1
                print(f"{document.name}:\n{snippet}", flush=True)
                done = subprocess.run(["bash", "-euc", snippet], cwd=folder, env=environment,
                                      stdin=subprocess.DEVNULL)
                if done.returncode != 0:
                    failed.append(f"{document.name}: exit status {done.returncode} of: {snippet}")
    return count, failed


if __name__ == "__main__":
    total, problems = run(*sys.argv[1:3])
    if total == 0:
        print("skipped: no document has a <!-- run --> block")
        sys.exit(SKIPPED)
    print(*problems, f"{total - len(problems)} of {total} snippets ran", sep="\n")
    sys.exit(1 if problems else 0)
