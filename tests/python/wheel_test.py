#!/usr/bin/env python3
"""A wheel, made of this build and installed in a fresh environment: the documents' Python runs there,
and so does the program.

usage: wheel_test.py BUILD_DIR
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import support

sys.path[:0] = [str(support.ROOT / "python"), str(support.ROOT / "tests/docs")]
import markdown  # noqa: E402
import wheel  # noqa: E402

DOCUMENTS = ("README.md", "docs/python.md")
BUILD = None


def snippets():
    """[(document, code)] of the Python that calls fovea."""
    return [(name, code) for name in DOCUMENTS
            for code in markdown.python((support.ROOT / name).read_text()) if "fovea" in code]


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = Path(scratch.name)
        cls.wheel = wheel.build(BUILD, cls.folder)
        subprocess.run([sys.executable, "-m", "venv", "--system-site-packages",
                        str(cls.folder / "venv")], check=True)
        cls.bin = cls.folder / "venv/bin"
        subprocess.run([str(cls.bin / "pip"), "install", "--quiet", "--no-index", "--no-deps",
                        "--disable-pip-version-check", str(cls.wheel)], check=True)
        cls.package = next((cls.folder / "venv/lib").glob("python3*/site-packages/fovea"))
        cls.playground = markdown.playground(support.ROOT, cls.folder / "none",
                                             cls.folder / "playground")

    def run_it(self, *command, **changes):
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder),
                       "OMP_WAIT_POLICY": "passive", **changes}
        done = subprocess.run([str(part) for part in command], cwd=self.playground,
                              env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_the_documents_lines(self):
        found = snippets()
        self.assertEqual({name for name, _ in found}, set(DOCUMENTS))
        for name, code in found:
            with self.subTest(name):
                self.run_it(self.bin / "python", "-c", code)

    def test_it_is_the_wheel_s(self):
        code = ("import fovea; from fovea import _library; fovea.methods(); _library.vision(); "
                "print(fovea.__file__); print(open('/proc/self/maps').read())")
        said = self.run_it(self.bin / "python", "-c", code)
        self.assertIn(str(self.package), said.splitlines()[0])
        loaded = set(re.findall(r"(/\S+\.so[.\d]*)$", said, re.MULTILINE))
        carried = {path for path in loaded if path.startswith(str(self.package))}
        self.assertIn(str(self.package / "lib/libfovea_c.so.0"), carried)
        self.assertTrue([path for path in carried if "dnnl" in path])
        self.assertEqual([path for path in loaded - carried
                          if re.search("dnnl|fovea|protobuf|opencv", path)], [])
        # One OpenMP of GCC's, the system's where there is one.
        self.assertEqual(len([path for path in loaded if "libgomp" in path]), 1)

    def test_the_tests_pass_with_it(self):
        for name in ("photo_test.py", "machine_test.py", "batch_test.py"):
            with self.subTest(name):
                self.run_it(self.bin / "python", "-B", support.ROOT / "tests/python" / name,
                            FOVEA_INSTALLED="1")

    def test_the_program(self):
        from fovea import __version__
        for command in ([self.bin / "fovea"], [self.bin / "python", "-m", "fovea"],
                        [self.package / "bin/fovea"]):
            self.assertIn(__version__, self.run_it(*command, "version"))
        self.assertIn(str(self.package / "bin/../lib/openmp/libgomp.so.1"),
                      self.run_it("ldd", self.package / "bin/fovea"))
        self.run_it(self.bin / "fovea", "explain", "--output", "demo.png")
        self.assertTrue((self.playground / "demo.png").read_bytes().startswith(b"\x89PNG"))

    def test_everything_it_needs_is_carried(self):
        names = {path.name for path in (self.package / "lib").rglob("*.so*")}
        for path in [*(self.package / "lib").rglob("*.so*"), self.package / "bin/fovea"]:
            for name in wheel.needed(path):
                self.assertTrue(name in names or wheel.SYSTEM.match(name), f"{path}: {name}")

    def test_licences_and_tag(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            info = next(name.split("/")[0] for name in names if ".dist-info/" in name)
            tag = archive.read(f"{info}/WHEEL").decode()
            self.assertIsNone(archive.testzip())
        self.assertIn("Tag: py3-none-manylinux_{}_{}_x86_64".format(*wheel.glibc()), tag)
        licences = [name for name in names if f"{info}/licenses/" in name]
        self.assertIn(f"{info}/licenses/LICENSE", licences)
        for word in ("dnnl", "opencv-core", "eigen", "xsimd", "jpeg", "freetype", "gomp"):
            self.assertTrue([name for name in licences if word in name], word)

    def test_made_again_it_is_the_same(self):
        content = self.folder / "content"
        (content / "a-1.dist-info").mkdir(parents=True)
        (content / "b.py").write_text("pass\n")
        (content / "a.py").write_text("pass\n")
        for name in ("one", "two"):
            wheel.write(content, self.folder / name)
            os.utime(content / "a.py", (0, 0))
        self.assertEqual((self.folder / "one").read_bytes(), (self.folder / "two").read_bytes())
        with zipfile.ZipFile(self.folder / "one") as archive:
            self.assertEqual(archive.namelist(), ["a.py", "b.py", "a-1.dist-info/RECORD"])


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1))
    for tool in ("patchelf", "dpkg"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            sys.exit(support.SKIPPED)
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        print("skipped: this Python makes no environments (Debian's package python3-venv)")
        sys.exit(support.SKIPPED)
    os.environ.pop("FOVEA_LIBRARY", None)
    support.main(needs_library=False)
