#!/usr/bin/env python3
"""The library is found where it should be, and one of another kind is refused by name."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support

from fovea import LibraryError, _functions, _library
from fovea._version import ABI_VERSION, VERSION


def stub(folder, name, functions, version=VERSION, abi=ABI_VERSION, without=()):
    """A library with these functions, none of which does anything."""
    compiler = os.environ.get("FOVEA_CC") or shutil.which("cc")
    if not compiler:
        raise unittest.SkipTest("no C compiler")
    lines = [f'const char* fovea_version(void) {{ return "{version}"; }}',
             f"int fovea_abi_version(void) {{ return {abi}; }}"]
    done = {"fovea_version", "fovea_abi_version"}
    lines += [f"long {one}(void) {{ return 0; }}" for one in functions
              if one not in done and one not in without]
    source = Path(folder, "stub.c")
    source.write_text("\n".join(lines))
    path = Path(folder, name)
    subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(path)], check=True)
    return str(path)


class Finding(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.bundled = _library.BUNDLED
        self.addCleanup(lambda: setattr(_library, "BUNDLED", self.bundled))
        _library.BUNDLED = os.path.join(self.folder, "none")

    def test_beside_the_package_first(self):
        _library.BUNDLED = self.folder
        Path(self.folder, _library.TENSORS_NAME).touch()
        with support.environment(FOVEA_LIBRARY="/nowhere"):
            self.assertEqual(_library.path_of(_library.TENSORS_NAME),
                             os.path.join(self.folder, _library.TENSORS_NAME))

    def test_then_where_the_environment_says(self):
        for name in (_library.TENSORS_NAME, _library.VISION_NAME):
            Path(self.folder, name).touch()
        for said in (self.folder, f"/nowhere:{self.folder}"):
            with support.environment(FOVEA_LIBRARY=said):
                for name in (_library.TENSORS_NAME, _library.VISION_NAME):
                    self.assertEqual(_library.path_of(name), os.path.join(self.folder, name))

    def test_what_the_environment_says_must_be_there(self):
        with support.environment(FOVEA_LIBRARY="/nowhere/at/all"):
            with self.assertRaisesRegex(LibraryError, "FOVEA_LIBRARY is '/nowhere/at/all'"):
                _library.path_of(_library.TENSORS_NAME)

    def test_then_the_system_s(self):
        with support.environment(FOVEA_LIBRARY=None):
            self.assertEqual(_library.path_of(_library.TENSORS_NAME), _library.TENSORS_NAME)

    def test_none(self):
        code = "import fovea\ntry: fovea.methods()\nexcept fovea.LibraryError as e: print(e)"
        done = subprocess.run([sys.executable, "-B", "-c", code], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "FOVEA_LIBRARY": "",
                                   "LD_LIBRARY_PATH": self.folder,
                                   "PYTHONPATH": str(support.ROOT / "python")})
        if not done.stdout:
            self.skipTest("the system has the library installed")
        self.assertIn(_library.TENSORS_NAME + " cannot be loaded", done.stdout)
        self.assertIn("FOVEA_LIBRARY", done.stdout)

    def test_no_library(self):
        Path(self.folder, _library.TENSORS_NAME).write_text("no library")
        with support.environment(FOVEA_LIBRARY=self.folder):
            with self.assertRaisesRegex(LibraryError, "cannot be loaded"):
                _library._load(_library.TENSORS_NAME, _functions.TENSORS)


class Refusing(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name

    def load(self, **changes):
        path = stub(self.folder, "libfovea_c.so", _functions.TENSORS, **changes)
        library = _library.Library(path, _functions.TENSORS)
        _library.check_version(library, path)

    def test_the_right_one(self):
        self.load()

    def test_a_newer_one(self):
        self.load(version="1.27.3")

    def test_an_older_one(self):
        with self.assertRaisesRegex(LibraryError, f"is fovea 0.0.9; this package needs {VERSION}"):
            self.load(version="0.0.9")

    def test_another_abi(self):
        with self.assertRaisesRegex(LibraryError, "with ABI 7; this package, .*, needs ABI 0"):
            self.load(abi=7)

    def test_one_without_a_function(self):
        with self.assertRaisesRegex(LibraryError, "has no fovea_run_explain: it is another version"):
            self.load(without=("fovea_run_explain",))

    def test_another_machine(self):
        _library.check_machine("x86_64", "linux")
        for machine, system in (("aarch64", "linux"), ("riscv64", "linux"), ("x86_64", "darwin")):
            with self.assertRaisesRegex(LibraryError, f"this is {system} on {machine}"):
                _library.check_machine(machine, system)


if __name__ == "__main__":
    support.main(needs_library=False)
