#!/usr/bin/env python3
"""Tests the manual pages and the shells' completions that the build makes of the options.

usage: pages_test.py PROGRAM PAGES
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM, PAGES = sys.argv[1], Path(sys.argv[2]).resolve()
SUBCOMMANDS = ["bench", "explain", "explain-all", "index", "inspect", "methods", "predict", "version"]


def help_of(*command):
    return subprocess.run([PROGRAM, *command, "--help"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def options(text):
    """The names that --help lists: {"-m", "--model", ...}"""
    found = set()
    for line in text.splitlines():
        if match := re.match(r"  ((?:-\w, *)?--[\w-]+(?:, *--[\w-]+)*|-\w\b)", line):
            found.update(name.strip() for name in match[1].split(","))
    return found


def page(name):
    return (PAGES / "man" / name).read_text().replace("\\-", "-")


def part(text, begin, end):
    return text[text.index(begin):].split(end)[0]


class Names(unittest.TestCase):
    def test_every_subcommand_has_a_page(self):
        listed = re.findall(r"^  ([\w-]+) ", re.split("(?i)subcommands:", help_of())[1], re.MULTILINE)
        self.assertEqual(sorted(listed), SUBCOMMANDS)
        names = sorted(file.name for file in (PAGES / "man").iterdir())
        self.assertEqual(names, sorted(["fovea-%s.1" % name for name in SUBCOMMANDS] + ["fovea.1"]))
        for name in SUBCOMMANDS:
            self.assertIn(f"fovea-{name}", page("fovea.1"))

    def test_every_option_is_everywhere(self):
        bash = (PAGES / "bash/fovea").read_text()
        zsh = (PAGES / "zsh/_fovea").read_text()
        fish = (PAGES / "fish/fovea.fish").read_text()
        count = 0
        for name in SUBCOMMANDS:
            known = options(help_of(name))
            self.assertIn("--help", known)
            of_bash = part(bash, f"    {name})\n", "esac ;;").split("'")[1].split()
            self.assertEqual(set(of_bash), known, name)
            of_zsh = set(re.findall(r"'\*(--?[\w-]+)\[", part(zsh, f"        {name})\n", " ;;")))
            self.assertEqual(of_zsh, known, name)
            of_fish = set()
            for line in fish.splitlines():
                if f"'__fish_seen_subcommand_from {name}'" in line:
                    of_fish.update("--" + long for long in re.findall(r" -l ([\w-]+)", line))
                    of_fish.update("-" + short for short in re.findall(r" -s (\w)\b", line))
            self.assertEqual(of_fish, known, name)
            of_page = set(re.findall(r"\\fB(--?[\w-]+)\\fR",
                                     part(page(f"fovea-{name}.1"), ".SH OPTIONS", ".SH EXIT")))
            self.assertEqual(of_page, known, name)
            count += len(known)
        self.assertGreater(count, 100)


    def test_every_method_is_on_its_page_and_completed(self):
        listed = subprocess.run([PROGRAM, "methods", "--json"], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        methods = {row["name"] for row in json.loads(listed)["methods"]}
        of_page = part(page("fovea-explain.1"), ".SH METHODS", ".SH EXIT")
        self.assertEqual(set(re.findall(r"\.TP\n\\fB([\w+-]+)\\fR", of_page)), methods)
        for file in ("bash/fovea", "zsh/_fovea", "fish/fovea.fish"):
            words = set((PAGES / file).read_text().replace("'", " ").split())
            self.assertEqual(methods - words, set(), file)


class Pages(unittest.TestCase):
    def check(self, *command):
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        for file in sorted((PAGES / "man").iterdir()):
            done = subprocess.run([*command, str(file)], stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual((done.returncode, done.stdout), (0, ""), file.name)

    def test_groff_warns_of_nothing(self):
        self.check("groff", "-man", "-ww", "-z", "-Kutf8", "-Tutf8")

    def test_mandoc_warns_of_nothing(self):
        self.check("mandoc", "-Tlint", "-Wwarning")


class Bash(unittest.TestCase):
    def replies(self, *words):
        """COMPREPLY for the words behind `fovea`, the last of which is being typed."""
        script = ('set -u; source "$1"; shift; COMP_WORDS=(fovea "$@"); COMP_CWORD=$#; _fovea; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "net.onnx").touch()
            (Path(folder) / "my photo.png").touch()
            done = subprocess.run(["bash", "-c", script, "bash", str(PAGES / "bash/fovea"), *words],
                                  cwd=folder, check=True, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.stderr, "")
        return [line for line in done.stdout.splitlines() if line]

    def test_subcommands(self):
        self.assertEqual(self.replies("ins"), ["inspect"])
        self.assertEqual(sorted(self.replies("")), sorted(SUBCOMMANDS + ["-h", "--help", "--version"]))

    def test_options(self):
        self.assertEqual(self.replies("explain", "--colorm"), ["--colormap"])
        self.assertEqual(self.replies("inspect", "net.onnx", "--no"), ["--nodes"])
        self.assertEqual(self.replies("inspect", "--colorm"), [])

    def test_values(self):
        self.assertEqual(self.replies("explain", "--colormap", "vir"), ["viridis"])
        self.assertEqual(self.replies("explain", "--colormap", "=", "vir"), ["viridis"])
        self.assertEqual(self.replies("explain", "--method", "layer"), ["layercam"])
        self.assertEqual(self.replies("explain", "--method", "gradcam,layer"), ["gradcam,layercam"])
        self.assertEqual(self.replies("bench", "--precision", "b"), ["bf16"])
        self.assertEqual(self.replies("explain", "--option", "samp"), ["samples="])

    def test_values_with_a_colon(self):
        words = ["predict", "--preprocess", "torchvision", ":", "ResNet50_Weights.D"]
        self.assertEqual(self.replies(*words), ["ResNet50_Weights.DEFAULT"])
        self.assertIn("torch", self.replies("predict", "--preprocess", "keras", ":"))

    def test_files(self):
        self.assertEqual(self.replies("explain", "ne"), ["net.onnx"])
        self.assertEqual(self.replies("explain", "net.onnx", "my"), ["my photo.png"])
        self.assertEqual(self.replies("explain", "--model", "ne"), ["net.onnx"])
        self.assertEqual(self.replies("explain", "--class", "ne"), [])


class OtherShells(unittest.TestCase):
    def check(self, shell, file):
        if shutil.which(shell) is None:
            self.skipTest(f"{shell} is not installed")
        done = subprocess.run([shell, "-n", str(PAGES / file)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_zsh_reads_it(self):
        self.check("zsh", "zsh/_fovea")

    def test_fish_reads_it(self):
        self.check("fish", "fish/fovea.fish")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
