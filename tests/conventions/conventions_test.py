#!/usr/bin/env python3
"""Plants one violation of each convention in an otherwise clean tree, and expects it to be found."""

import functools
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import defaults
import file_length
import forbidden
import format as clang_format
import includes

CLEAN = {
    "include/fovea/a.hpp": "#pragma once\n\n#include <vector>\n",
    "src/base/checked.hpp": "#pragma once\n",
    "src/graph/query.hpp": '#pragma once\n\n#include "base/checked.hpp"\n',
    "src/engine/engine.cpp": '#include <dnnl.hpp>\n\n#include "fovea/a.hpp"\n#include "graph/ops.hpp"\n',
    "src/explain/method.cpp": '#include "graph/query.hpp"\n// std::cout << "a comment";\n',
    "tools/fovea/main.cpp": '#include <CLI/CLI.hpp>\n#include <iostream>\n\n#include "fovea/a.hpp"\n',
}


class Planted(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def expect(self, check, name, text, fragment):
        """One problem, in the planted file, that says `fragment`."""
        self.assertEqual(check(self.root), [])
        self.write(name, text)
        problems = check(self.root)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(name, problems[0])
        self.assertIn(fragment, problems[0])


class Includes(Planted):
    def plant(self, name, line, fragment):
        self.expect(includes.check, name, line + "\n", fragment)

    def test_module_boundary(self):
        self.plant("src/graph/bad.cpp", '#include "engine/plan.hpp"', "may not include engine")

    def test_partly_open_module(self):
        self.plant("src/explain/bad.cpp", '#include "graph/ops.hpp"', "only query.hpp")

    def test_third_party_has_one_home(self):
        self.plant("src/explain/bad.cpp", '#include "oneapi/dnnl/dnnl.hpp"', "engine alone")

    def test_public_header_uses_a_library(self):
        self.plant("include/fovea/bad.hpp", "#include <opencv2/core.hpp>", "image alone")

    def test_public_header_uses_a_module(self):
        self.plant("include/fovea/bad.hpp", '#include "base/checked.hpp"', "public header")

    def test_public_header_uses_the_system(self):
        self.plant("include/fovea/bad.hpp", "#include <unistd.h>", "public header")

    def test_tool_uses_a_module(self):
        self.plant("tools/fovea/bad.cpp", '#include "base/checked.hpp"', "fovea/ headers only")

    def test_tool_reaches_around(self):
        self.plant("tools/fovea/bad.cpp", '#include "../../src/base/checked.hpp"', "tools use")

    def test_module_reaches_around(self):
        self.plant("src/graph/bad.cpp", '#include "../engine/plan.hpp"', "not a module's header")

    def test_unknown_library(self):
        self.plant("src/graph/bad.cpp", "#include <boost/any.hpp>", "unknown header")

    def test_c_headers_elsewhere(self):
        self.plant("src/request/bad.cpp", '#include "fovea.h"', "C headers belong to")

    def test_opencv_codecs(self):
        self.plant("src/image/bad.cpp", "#include <opencv2/imgcodecs.hpp>", "unknown header")

    def test_eigen(self):
        self.plant("src/engine/bad.cpp", "#include <Eigen/Core>", "explain alone")

    def test_unknown_module(self):
        self.plant("src/helpers/bad.cpp", "#include <vector>", "not in the table")

    def test_intrinsics(self):
        self.plant("src/engine/bad.cpp", "#include <immintrin.h>", "intrinsics belong to")


class Forbidden(Planted):
    def plant(self, line, fragment):
        self.expect(forbidden.check, "src/graph/bad.cpp", line + "\n", fragment)

    def test_prints(self):
        self.plant('void f() { std::cerr << "x"; }', "never prints")

    def test_prints_in_c(self):
        self.plant('void f() { std::fprintf(stderr, "x"); }', "never prints")

    def test_aborts(self):
        self.plant("void f() { std::abort(); }", "are thrown")

    def test_asserts(self):
        self.plant("void f(int x) { assert(x > 0); }", "are thrown")

    def test_reads_the_environment(self):
        self.plant('const char* f() { return std::getenv("X"); }', "environment")

    def test_threads(self):
        self.plant("void f() { std::thread t; }", "base/parallel.hpp")

    def test_openmp(self):
        self.plant("#pragma omp parallel for", "only in base")

    def test_looks_alike(self):
        self.write(
            "src/graph/good.cpp",
            "static_assert(1 > 0);\n"
            "/* abort( */ void f(char* b) { std::snprintf(b, 4, \"exit()\"); }\n"
            "int g() { return 1'000 + 'a'; }  // getenv(\n",
        )
        self.assertEqual(forbidden.check(self.root), [])


class Defaults(Planted):
    def plant(self, text):
        self.expect(defaults.check, "src/graph/bad.cpp", text + "\n", "graph/op_traits.hpp")

    def test_any_other_operator(self):
        self.plant("template <class Other>\nbool moves(const Other&) const {\n  return false;\n}")

    def test_among_other_parameters(self):
        self.plant("template <typename T>\nint reads(const T& /* op */, unsigned wanted);")

    def test_lambda(self):
        self.plant("auto f = [](const auto&) { return false; };")

    def test_template_of_a_lambda(self):
        self.plant("auto f = [&]<class Op>(const Op&) { return false; };")

    def test_default_of_a_switch_over_kinds(self):
        text = "switch (k) {\n  case graph::UnaryKind::relu:\n    return 1;\n  default:\n    return 0;\n}"
        self.expect(defaults.check, "src/graph/bad.cpp", text + "\n", "src/graph/bad.cpp:4")

    def test_default_of_another_switch(self):
        text = "switch (k) {\n  case Part::range:\n    return 1;\n  default:\n    return 0;\n}"
        self.write("src/graph/good.cpp", text + "\n")
        self.assertEqual(defaults.check(self.root), [])

    def test_looks_alike(self):
        self.write(
            "src/graph/good.cpp",
            "template <class Op>\nbool moves(const Op& op) { return trait::row<Op>.moves; }\n"
            "template <class Op>\n  requires std::is_empty_v<Op>\nvoid print(const Op&) {}\n"
            "template <class T>\nvoid all(const std::vector<T>&, const Shape&) {}\n",
        )
        self.assertEqual(defaults.check(self.root), [])


class FileLength(Planted):
    def test_too_long(self):
        self.expect(file_length.check, "src/graph/bad.cpp", "\n" * 501, "501 lines")


@unittest.skipUnless(shutil.which(clang_format.PINNED), f"no {clang_format.PINNED} here")
class Format(Planted):
    def test_unformatted(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        check = functools.partial(clang_format.check, program=clang_format.PINNED)
        self.expect(check, "src/graph/bad.cpp", "int  f( ) ;\n", "bad.cpp:1")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
