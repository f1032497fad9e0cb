"""fovea with Conan 2, from this clone: conan create cmake/packages/conan --no-remote.

What fovea is linked with comes from Debian, as in every build of it: Conan says which packages are missing
(-c tools.system.package_manager:mode=install lets it install them).
"""

import re
import subprocess
from pathlib import Path

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load
from conan.tools.system.package_manager import Apt


class Fovea(ConanFile):
    name = "fovea"
    description = "Where a CNN looked: explanations from ONNX files on the CPU"
    license = "Apache-2.0"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "vision": [True, False], "request": [True, False], "tools": [True, False]}
    default_options = {"shared": True, "vision": True, "request": True, "tools": False}

    @property
    def _root(self):
        return Path(self.recipe_folder).parents[2]

    def set_version(self):
        project = load(self, self._root / "CMakeLists.txt")
        self.version = re.search(r"project\(fovea VERSION ([0-9.]+)", project).group(1)

    def export(self):
        copy(self, "run", self._root, self.export_folder)

    def export_sources(self):
        for name in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*", "tools/*"):
            copy(self, name, self._root, self.export_sources_folder, excludes=("cmake/packages/*", "*.pyc"))

    def configure(self):
        # What has a value keeps it: an option that means nothing goes.
        if not self.options.vision:
            self.options.rm_safe("request")
        if not self.options.get_safe("request"):
            self.options.rm_safe("tools")

    def system_requirements(self):
        # The export keeps `run` beside the recipe.
        names = subprocess.run(["bash", Path(self.recipe_folder) / "run", "packages", "build"], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.split()
        Apt(self).install(names, check=True)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for name in ("vision", "request", "tools"):
            toolchain.cache_variables[f"FOVEA_{name.upper()}"] = bool(self.options.get_safe(name))
        for name in ("TESTS", "BENCH", "WERROR"):
            toolchain.cache_variables[f"FOVEA_{name}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # fovea brings its own foveaConfig.cmake, with its components.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/fovea"]
        self.cpp_info.libs = ["fovea"]
