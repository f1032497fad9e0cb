#!/usr/bin/env python3
"""Tests how the documentation's snippets are found and run."""

import sys
import tempfile
import unittest
from pathlib import Path

import commands
import markdown

EXAMPLE = "<!-- example: a.cpp -->\n```cpp\nint main() {}\n```\n"


class Finding(unittest.TestCase):
    def test_marked_blocks_only(self):
        text = f"```cpp\nunmarked\n```\n{EXAMPLE}\n<!-- run -->\n\n```sh\ntrue\n```\n```sh\nno\n```\n"
        self.assertEqual(markdown.examples(text), {"a.cpp": "int main() {}\n"})
        self.assertEqual(markdown.commands(text), ["true\n"])

    def test_mark_without_a_block(self):
        with self.assertRaises(ValueError):
            markdown.commands("<!-- run -->\ntext\n```sh\ntrue\n```\n")

    def test_same_name_twice(self):
        with self.assertRaises(ValueError):
            markdown.examples(EXAMPLE + EXAMPLE)

    def test_wrong_language(self):
        with self.assertRaises(ValueError):
            markdown.commands("<!-- run -->\n```cpp\ntrue\n```\n")


class Running(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name) / "root"
        self.binary_dir = Path(scratch.name) / "binaries"
        self.root.mkdir()
        (self.binary_dir / "tools").mkdir(parents=True)
        self.program = self.binary_dir / "tools/fovea"
        self.program.write_text("#!/bin/sh\necho called\n")
        self.program.chmod(0o755)

    def run_snippet(self, snippet):
        (self.root / "README.md").write_text(f"<!-- run -->\n```sh\n{snippet}\n```\n")
        return commands.run(self.root, self.binary_dir)

    def test_passes(self):
        snippet = 'test "$(fovea)" = called && build/release/tools/fovea && test -f README.md'
        self.assertEqual(self.run_snippet(snippet), (1, []))

    def test_fails(self):
        count, problems = self.run_snippet("false\ntrue")
        self.assertEqual((count, len(problems)), (1, 1))

    def test_python_is_compiled_and_run(self):
        def problem(code):
            (self.root / "README.md").write_text(f"<!-- python -->\n```python\n{code}\n```\n")
            return commands.run(self.root, self.binary_dir)[1]
        self.assertEqual(problem("import sys\nassert sys"), [])
        self.assertEqual(len(problem("import sys\nsys.exit(3)")), 1)
        self.assertEqual(len(problem("def (")), 1)
        self.assertEqual(problem("import no_such_package_at_all\n1 / 0"), [])
        self.assertEqual(problem("open('no-such-file')\n1 / 0"), [])

    def test_an_option_that_is_not_there(self):
        self.program.write_text("#!/bin/sh\necho '  -m,--model FILE  what'\n")
        def problems(line):
            (self.root / "README.md").write_text(f"```sh\n{line}\n```\n")
            return commands.run(self.root, self.binary_dir)[1]
        self.assertEqual(problems("fovea inspect --model a.onnx | head --lines 3"), [])
        self.assertEqual(len(problems("fovea inspect --modle a.onnx")), 1)
        self.assertEqual(len(problems("fovea explain-all --modle a.onnx")), 1)
        self.assertEqual(len(problems("docker run --cpus 2 fovea \\\n  inspect --modle a.onnx")), 1)

    def test_dockerfiles(self):
        self.assertIsNone(commands.dockerfile_problem("FROM debian:13 AS a\nRUN true && \\\n  false\n"))
        self.assertIsNotNone(commands.dockerfile_problem("FROM alpine\n"))
        self.assertIsNotNone(commands.dockerfile_problem("FROM debian:13\nRUN if\n"))
        self.assertIsNotNone(commands.dockerfile_problem("FROM debian:13\nRUNS x\n"))

    def test_leaves_nothing_behind(self):
        self.run_snippet("touch left.png")
        self.assertFalse((self.root / "left.png").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
