#!/usr/bin/env python3
"""Runs every shell snippet that the documentation marks with <!-- run -->, compiles its Python and
runs that where its packages are, and looks up every option of every other snippet.

usage: commands.py ROOT BINARY_DIR
"""

import ast
import functools
import importlib.util
import os
import subprocess
import sys
import tempfile

import markdown

SKIPPED = 77


# Nothing is fetched: the weights are as a network begins with.
OFFLINE = {"pretrained=True": "pretrained=False", "(weights=weights)": "()"}


def python_problem(snippet, folder):
    """What is wrong with a Python snippet; None where it is right, or its packages are not there."""
    try:
        tree = ast.parse(snippet)
    except SyntaxError as error:
        return str(error)
    names = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import)
             for name in node.names}
    missing = sorted(name for name in names if importlib.util.find_spec(name) is None)
    files = [node.args[0].value for node in ast.walk(tree)
             if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "onnx.load")
             and len(node.args) == 1 and isinstance(node.args[0], ast.Constant)]
    missing += [name for name in files if not os.path.exists(os.path.join(folder, name))]
    if missing:
        print(f"not run, for want of {', '.join(missing)}:\n{snippet}", flush=True)
        return None
    for online, offline in OFFLINE.items():
        snippet = snippet.replace(online, offline)
    done = subprocess.run([sys.executable, "-c", snippet], cwd=folder, stdin=subprocess.DEVNULL)
    return None if done.returncode == 0 else f"exit status {done.returncode}"


def dockerfile_problem(text):
    """Its commands are the shell's, and every stage begins at Debian."""
    lines = text.replace("\\\n", " ").splitlines()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM" and not rest.startswith("debian:"):
            return f"not Debian's: {line}"
        if word == "RUN" and subprocess.run(["bash", "-n", "-c", rest]).returncode != 0:
            return f"no shell command: {line}"
        if line and word not in ("FROM", "COPY", "WORKDIR", "RUN", "ENV", "ENTRYPOINT", "#"):
            return f"no instruction: {line}"
    return None if lines else "empty"


@functools.lru_cache
def help_of(program, subcommand):
    return subprocess.run([program, subcommand, "--help"], stdout=subprocess.PIPE, text=True).stdout


def unknown_options(text, program):
    return [f"fovea {sub} has no {option}" for sub, option in markdown.options(text)
            if f"{option} " not in help_of(program, sub).replace("\n", " ").replace(",", " ")]


def run(root, binary_dir):
    """(number of snippets, [what failed])"""
    environment = dict(os.environ)
    environment["PATH"] = f"{binary_dir}/tools:{environment['PATH']}"
    count, failed = 0, []
    for document in markdown.documents(root):
        with tempfile.TemporaryDirectory() as scratch:
            folder = markdown.playground(root, binary_dir, os.path.join(scratch, "fovea"))
            text = document.read_text()
            failed += [f"{document.name}: {problem}"
                       for problem in unknown_options(text, f"{binary_dir}/tools/fovea")]
            for what, snippets in ((python_problem, markdown.python(text)),
                                   (dockerfile_problem, markdown.dockerfiles(text))):
                for snippet in snippets:
                    arguments = [snippet, folder] if what is python_problem else [snippet]
                    if (problem := what(*arguments)) is not None:
                        failed.append(f"{document.name}: {problem}: {snippet}")
            for snippet in markdown.commands(text):
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
