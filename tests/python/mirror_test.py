#!/usr/bin/env python3
"""The package's structs and functions are the headers', and its text is Python 3.9's."""

import ast
import ctypes
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import support

INCLUDE = support.ROOT / "include"
HEADERS = ("fovea.h", "fovea_vision.h")


def header_text():
    text = "".join((INCLUDE / name).read_text() for name in HEADERS)
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def header_functions():
    """{name: [each argument's type: 'pointer' or the type's name]}"""
    found = {}
    for name, arguments in re.findall(r"FOVEA_C_API [^;(]*?\b(fovea_\w+)\(([^)]*)\)", header_text()):
        parts = [part.strip() for part in arguments.split(",")]
        if parts == ["void"]:
            parts = []
        found[name] = ["pointer" if "*" in part else re.sub(r"\bconst\b", "", part).split()[0]
                       for part in parts]
    return found


def header_structs():
    return set(re.findall(r"typedef struct (fovea_\w+) \{", header_text()))


def syntax_problem(text):
    """Why a text is no Python 3.9; None where it is."""
    try:
        tree = ast.parse(text, feature_version=(3, 9))
    except SyntaxError as error:
        return str(error)
    for node in ast.walk(tree):  # which feature_version does not look at
        if isinstance(node, ast.Match):
            return f"line {node.lineno}: match"
    return None


class Structs(unittest.TestCase):
    def setUp(self):
        from fovea import _structs
        self.structs = {**_structs.TENSOR_STRUCTS, **_structs.VISION_STRUCTS}

    def test_every_struct_is_mirrored(self):
        self.assertEqual(header_structs(), set(self.structs))

    def test_every_field_lies_where_the_compiler_puts_it(self):
        compiler = os.environ.get("FOVEA_CC") or shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler")
        lines = []
        for name, kind in self.structs.items():
            lines.append(f'P("{name}", sizeof({name}), (size_t)0);')
            lines += [f'P("{name}.{field[0]}", offsetof({name}, {field[0]}), '
                      f"sizeof((({name}*)0)->{field[0]}));" for field in kind._fields_]
        program = ('#include <stdio.h>\n#include "fovea_vision.h"\n'
                   '#define P(name, a, b) printf("%s %zu %zu\\n", name, a, b)\n'
                   "int main(void) {\n" + "\n".join(lines) + "\nreturn 0;\n}\n")
        with tempfile.TemporaryDirectory() as folder:
            source, binary = Path(folder, "layout.c"), Path(folder, "layout")
            source.write_text(program)
            subprocess.run([compiler, "-std=c11", f"-I{INCLUDE}", str(source), "-o", str(binary)],
                           check=True)
            output = subprocess.run([str(binary)], check=True, stdout=subprocess.PIPE,
                                    text=True).stdout
        said = dict((row.split()[0], tuple(map(int, row.split()[1:])))
                    for row in output.splitlines())
        ours = {}
        for name, kind in self.structs.items():
            ours[name] = (ctypes.sizeof(kind), 0)
            for field in kind._fields_:
                place = getattr(kind, field[0])
                ours[f"{name}.{field[0]}"] = (place.offset, place.size)
        self.assertEqual(said, ours)

    def test_constants(self):
        from fovea import _structs as c
        from fovea import _version
        text = header_text()
        constants = {name: int(value)
                     for name, value in re.findall(r"\b(FOVEA_\w+) = (-?\d+)", text)}
        constants.update((name, int(value))
                         for name, value in re.findall(r"#define (FOVEA_\w+) (\d+)", text))
        version = ".".join(str(constants[f"FOVEA_VERSION_{part}"])
                           for part in ("MAJOR", "MINOR", "PATCH"))
        self.assertEqual(version, _version.VERSION)
        self.assertEqual(constants["FOVEA_ABI_VERSION"], _version.ABI_VERSION)
        self.assertEqual(constants["FOVEA_MAX_RANK"], c.MAX_RANK)
        self.assertEqual(constants["FOVEA_BUFFER_TOO_SMALL"], c.BUFFER_TOO_SMALL)
        for prefix, names in (("PRECISION", c.PRECISIONS), ("TUNING", c.TUNINGS),
                              ("WAITING", c.WAITINGS), ("FUSE", c.FUSES), ("SCORE", c.SCORES),
                              ("RECIPE", ("said", "of_model", "assumed"))):
            for value, name in enumerate(names):
                key = f"FOVEA_{prefix}_{name.replace('-', '_').upper()}"
                self.assertEqual(constants[key], value, key)
            self.assertEqual(sum(key.startswith(f"FOVEA_{prefix}_") for key in constants),
                             len(names), prefix)
        for value, name in enumerate(c.NORMALIZATIONS):
            self.assertEqual(constants[f"FOVEA_NORMALIZE_{name.upper()}"], value)
        self.assertEqual(constants["FOVEA_NORMALIZE_METHOD"], c.NORMALIZE_METHOD)
        dtypes = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}
        for value, name in enumerate(c.DTYPES):
            key = dtypes.get(name, name.replace("uint", "u").replace("int", "i").upper())
            self.assertEqual(constants[f"FOVEA_{key}"], value, name)
        for which in ("MAP", "FEATURE_MAP", "ATTRIBUTION"):
            self.assertEqual(constants[f"FOVEA_{which}"], getattr(c, which))

    def test_every_status_has_an_exception(self):
        from fovea import errors
        block = re.search(r"typedef int32_t fovea_status;\s*enum \{(.*?)\}", header_text(),
                          re.DOTALL)
        statuses = {name.lower(): int(value)
                    for name, value in re.findall(r"FOVEA_(\w+) = (\d+)", block.group(1))}
        del statuses["ok"], statuses["buffer_too_small"]
        self.assertEqual(statuses, {kind.code: value for value, kind in errors.BY_STATUS.items()})


class Functions(unittest.TestCase):
    CODES = {"size_t": ctypes.c_size_t, "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64,
             "fovea_status": ctypes.c_int32, "float": ctypes.c_float}

    def test_every_function_with_its_arguments(self):
        from fovea import _functions
        ours = {**_functions.TENSORS, **_functions.VISION}
        said = header_functions()
        self.assertEqual(set(said), set(ours))
        for name, arguments in said.items():
            kinds = ours[name][1]
            self.assertEqual(len(arguments), len(kinds), name)
            for argument, kind in zip(arguments, kinds):
                if argument == "pointer":
                    self.assertIn(kind, (ctypes.c_void_p, ctypes.c_char_p), name)
                else:
                    self.assertEqual(kind, self.CODES[argument], name)


class Text(unittest.TestCase):
    def test_syntax_is_python_3_9(self):
        files = sorted((support.ROOT / "python").rglob("*.py"))
        self.assertGreater(len(files), 10)
        for file in files:
            self.assertIsNone(syntax_problem(file.read_text()), file)
        self.assertIsNotNone(syntax_problem("match a:\n  case 1: pass\n"))
        self.assertIsNotNone(syntax_problem("try:\n  pass\nexcept* ValueError:\n  pass\n"))

    def test_everything_public_is_described(self):
        import fovea
        self.assertEqual(sorted(fovea.__all__), fovea.__all__)
        for name in fovea.__all__:
            thing = getattr(fovea, name)
            self.assertTrue(thing.__doc__ and not thing.__doc__.startswith(f"{name}("), name)
        self.assertTrue((Path(fovea.__file__).parent / "py.typed").exists())

    def test_version_is_the_build_s(self):
        from fovea import __version__
        project = (support.ROOT / "CMakeLists.txt").read_text()
        self.assertIn(f"project(fovea VERSION {__version__} ", project)


if __name__ == "__main__":
    support.main(needs_library=False)
