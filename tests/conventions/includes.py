#!/usr/bin/env python3
"""Checks every #include against the table of modules in docs/architecture.md.

usage: includes.py ROOT
"""

import re
import sys
from pathlib import Path

from cxx_source import cxx_files, report

ALL = "*"
# module -> {module it may include: the headers of it, or ALL}
MODULES = {
    "base": {},
    "graph": {"base": ALL},
    "onnx": {"base": ALL, "graph": ALL},
    "passes": {"base": ALL, "graph": ALL},
    "simd": {"base": ALL},
    "engine": {"base": ALL, "graph": ALL, "simd": ALL, "passes": {"passes.hpp"}},
    "explain": {
        "base": ALL,
        "graph": {"query.hpp"},
        "simd": ALL,
        "engine": {"plan.hpp", "run.hpp"},
    },
    "task": {"base": ALL},
    "text": {"base": ALL},
    "image": {"base": ALL, "simd": ALL, "text": {"typesetter.hpp", "canvas.hpp", "fonts.hpp", "code_points.hpp"}},
    "api": {
        "base": ALL,
        "graph": ALL,
        "onnx": ALL,
        "passes": ALL,
        "engine": ALL,
        "simd": ALL,
        "explain": ALL,
        "image": ALL,
    },
    # On the public headers, as a user's program is.
    "request": {},
    "c": {},
    "vision_c": {"c": ALL},
}
# A third-party library has one home, but for JSON, which the program writes too. `tools` and `tests` count as homes of their own.
LIBRARIES = {
    "OpenMP": (r"omp\.h", "base"),
    "xxHash": (r"xxh(ash|_x86dispatch)\.h", "base"),
    # Versions of protobuf do not share a process, and a host may have its own: what is here is compiled in.
    "Protobuf": (r"google/protobuf/.*|.*\.pb\.h", "tests"),
    "protozero": (r"protozero/.*", "onnx"),
    "xsimd": (r"xsimd/.*", "simd"),
    "oneDNN": (r"(oneapi/dnnl/)?dnnl.*", "engine"),
    "Eigen": (r"Eigen/.*", "explain"),
    # Not its codecs: Debian's link a hundred libraries into whatever uses them.
    "OpenCV": (r"opencv2/(core|imgproc)(\.hpp|/.*)", "image"),
    "JPEG, PNG, WebP and TIFF codecs": (r"(jpeglib|jerror|turbojpeg|png|zlib|tiffio)\.h|webp/.*", "image"),
    "FreeType, HarfBuzz, FriBidi and fontconfig": (r"(freetype|fontconfig)/.*|ft2build\.h|hb(-ft)?\.h|fribidi\.h", "text"),
    "OpenSSL": (r"openssl/.*", "request"),
    "CLI11": (r"CLI/.*", "tools"),
    "nlohmann-json": (r"nlohmann/.*", ("request", "tools")),
}
# The instruction sets' own headers, for run-time dispatch and the denormal switch.
INTRINSICS = re.compile(r"(cpuid|x86intrin|[a-z]mmintrin)\.h")
INTRINSICS_HOMES = {"base", "simd"}
POSIX = {"dlfcn.h", "fcntl.h", "pthread.h", "sched.h", "signal.h", "unistd.h", "sys/file.h", "sys/mman.h", "sys/prctl.h",
         "sys/resource.h", "sys/stat.h", "sys/types.h", "sys/wait.h", "cxxabi.h"}
STANDARD = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv
    chrono cinttypes climits clocale cmath codecvt compare complex concepts condition_variable
    coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar
    cwctype deque exception execution filesystem format forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map
    memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio
    regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
    stop_token streambuf string string_view syncstream system_error thread tuple type_traits
    typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    version math.h stddef.h stdint.h""".split()
)
# What C programs include; only what is behind them knows of them.
C_HEADERS = {"fovea.h", "fovea_vision.h"}
C_HOMES = {"c", "vision_c", "include"}
INCLUDE = re.compile(r'\s*#\s*include\s*(?P<open>["<])(?P<name>[^">]+)[">]')


def home_of(path, root):
    """ "include", "tools", or the module of src/."""
    parts = path.relative_to(root).parts
    return parts[1] if parts[0] == "src" else parts[0]


def check_quoted(name, path, home, root):
    if name.startswith("fovea/"):
        return None if (root / "include" / name).is_file() else "no such public header"
    if name in C_HEADERS:
        return None if home in C_HOMES else f"the C headers belong to {' and '.join(sorted(C_HOMES))}"
    if home == "include":
        return "a public header includes only <standard> and fovea/ headers"
    if home == "tools":
        # Beside the file, or in a folder above it.
        beside = [folder / name for folder in path.parents if folder.is_relative_to(root / "tools")]
        own = ".." not in name and any(header.is_file() for header in beside)
        return None if own else "tools use fovea/ headers only"
    module, _, header = name.partition("/")
    if module == home:
        return None
    if module in MODULES:
        allowed = MODULES[home].get(module)
        if allowed is None:
            return f"{home} may not include {module}"
        if allowed is not ALL and header not in allowed:
            return f"{home} may include of {module} only {', '.join(sorted(allowed))}"
        return None
    return "not a module's header: write it as module/file.hpp"


def check_library(name, home):
    for library, (pattern, owner) in LIBRARIES.items():
        if re.fullmatch(pattern, name):
            owners = (owner,) if isinstance(owner, str) else owner
            allowed = home in owners
            return (True, None if allowed else f"{library} belongs to {' and '.join(owners)} alone")
    return (False, None)


def check_angled(name, home):
    if name in STANDARD:
        return None
    if home == "include":
        return "a public header includes only <standard> and fovea/ headers"
    if INTRINSICS.fullmatch(name):
        homes = INTRINSICS_HOMES
        return None if home in homes else f"intrinsics belong to {' and '.join(sorted(homes))}"
    return None if name in POSIX else "an unknown header: add its library to the table"


def check(root):
    root = Path(root)
    problems = []
    for path in cxx_files(root, ("include", "src", "tools")):
        home = home_of(path, root)
        if home not in MODULES and home not in ("include", "tools"):
            problems.append(f"{path.relative_to(root)}: {home} is not in the table of modules")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            name = found["name"]
            is_library, problem = check_library(name, home)
            if not is_library:
                problem = (
                    check_quoted(name, path, home, root)
                    if found["open"] == '"'
                    else check_angled(name, home)
                )
            if problem:
                problems.append(f"{path.relative_to(root)}:{number}: {name}: {problem}")
    return problems


if __name__ == "__main__":
    sys.exit(report(check(sys.argv[1])))
