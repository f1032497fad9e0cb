#!/usr/bin/env python3
"""Installs the build, and uses it from a CMake project of its own.

usage: package_test.py SETTINGS.json {package|examples}
`package` installs and checks what is installed; `examples` builds and runs the programs that the
documentation marks with <!-- example: NAME.cpp --> (see tests/docs/markdown.py).
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "docs"))
import markdown  # noqa: E402

SKIPPED = 77
# Loading them is what a call of the program that computes little spends its time on, and a service
# inherits each. HarfBuzz, FreeType and fontconfig bring ten, with GLib, for which Debian has no HarfBuzz
# without. Sanitizers bring a few.
MOST_LIBRARIES = 55


class Failure(Exception):
    pass


def run(*command, cwd=None):
    """The command's output; a Failure with all of it where the command fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def expect(condition, problem):
    if not condition:
        raise Failure(problem)


def is_on(setting):
    """A CMake option's value."""
    return setting.upper() in ("ON", "TRUE", "YES", "1")


def build_consumer(settings, folder, examples=()):
    shutil.rmtree(folder, ignore_errors=True)
    run(settings["cmake"], "-S", Path(__file__).parent / "consumer", "-B", folder, "-G", "Ninja",
        "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={settings['compiler']}",
        f"-DCMAKE_CXX_FLAGS={settings['flags']}", f"-DCMAKE_PREFIX_PATH={settings['prefix']}",
        f"-DEXAMPLES={';'.join(map(str, examples))}")
    run(settings["cmake"], "--build", folder)


def check_shared(library, forbidden):
    """A shared library exports fovea's names alone, and is not linked with what it may not need."""
    needed = run("readelf", "--dynamic", library)
    for name in forbidden:
        expect(name not in needed, f"{library} is linked with {name}")
    for line in run("nm", "--dynamic", "--defined-only", "--demangle", library).splitlines():
        symbol = line.split(maxsplit=2)[2]
        ours = re.match(r"((vtable|typeinfo|typeinfo name) for )?fovea::", symbol)
        expect(ours, f"{library} exports {symbol}")
        inner = re.match(r"fovea::(base|graph|onnx|passes|simd|engine|explain|image|text|api|request)::", symbol)
        expect(not inner and "::Impl" not in symbol, f"{library} exports {symbol}")


def check_c(library, needed):
    """A C library exports fovea_ names of its version alone, and is linked with these of fovea's."""
    exported = run("nm", "--dynamic", "--defined-only", library).split()[2::3]
    expect(any(name == "fovea_model_load@@FOVEA_0" or name.startswith("fovea_photo_") for name in exported),
           f"{library} exports {exported}")
    for symbol in exported:
        expect(symbol == "FOVEA_0" or re.fullmatch(r"fovea_[a-z0-9_]+@@FOVEA_0", symbol), f"{library} exports {symbol}")
    found = set(re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "--dynamic", library)))
    system = {"libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
    ours = {name for name in found - system if not re.match(r"lib(asan|ubsan|tsan)\.", name)}
    expect(ours == needed, f"{library} needs {sorted(ours)}")


def check_loaded(file):
    """What the loader brings in for a program or a library is no more than it needs."""
    loaded = run("ldd", file).splitlines()
    expect(len(loaded) <= MOST_LIBRARIES,
           f"{file} loads {len(loaded)} libraries:\n" + "\n".join(loaded))


def package(settings):
    prefix = Path(settings["prefix"])
    shutil.rmtree(prefix, ignore_errors=True)
    run(settings["cmake"], "--install", settings["binary_dir"], "--prefix", prefix)

    public = {path.name for path in (Path(settings["source_dir"]) / "include/fovea").iterdir()}
    if not is_on(settings["vision"]):
        public.remove("image.hpp")
    if not is_on(settings["request"]):
        public -= {"request.hpp", "session.hpp", "files.hpp", "drawing.hpp"}
    installed = {path.name for path in (prefix / "include/fovea").iterdir()}
    expect(installed == public, f"headers differ: {sorted(installed ^ public)}")
    in_c = {"fovea.h", "fovea_vision.h"} if is_on(settings["request"]) else {"fovea.h"}
    installed = {path.name for path in (prefix / "include").glob("*.h")}
    expect(installed == in_c, f"the C headers installed are {sorted(installed)}")

    libraries = prefix / settings["libdir"]
    if is_on(settings["shared"]):
        check_shared(libraries / "libfovea.so", ["opencv", "jpeg", "png", "protobuf"])
        minor = settings["version"].rpartition(".")[0]
        check_c(libraries / "libfovea_c.so.0", {f"libfovea.so.{minor}"})
        if is_on(settings["vision"]):
            check_shared(libraries / "libfovea_vision.so", ["dnnl", "protobuf", "opencv"])
            check_loaded(libraries / "libfovea_vision.so")
        if is_on(settings["request"]):
            check_c(libraries / "libfovea_vision_c.so.0",
                    {"libfovea_c.so.0", *(f"libfovea{part}.so.{minor}" for part in ("", "_vision", "_request"))})
            check_shared(libraries / "libfovea_request.so", ["opencv", "jpeg", "png", "dnnl"])

    licence = prefix / settings["docdir"] / "LICENSE"
    expect(licence.is_file() and "Apache" in licence.read_text(), "the licence is not installed")
    if is_on(settings["program"]):
        share = prefix / settings["datadir"]
        pages = {path.name for path in (prefix / settings["mandir"] / "man1").iterdir()}
        expect({"fovea.1", "fovea-explain.1", "fovea-bench.1"} <= pages, f"manual pages: {sorted(pages)}")
        for file in ("bash-completion/completions/fovea", "zsh/site-functions/_fovea",
                     "fish/vendor_completions.d/fovea.fish"):
            expect((share / file).is_file(), f"{file} is not installed")

    folder = Path(settings["scratch"]) / "package"
    build_consumer(settings, folder)
    output = run(folder / "version")
    expect(output == f"{settings['version']}\nbad_model\n", f"the consumer printed: {output}")
    if is_on(settings["program"]):
        output = run(prefix / settings["bindir"] / "fovea", "version")
        expect(settings["version"] in output, f"fovea version printed: {output}")
        check_loaded(prefix / settings["bindir"] / "fovea")


def build_c(settings, program, folder):
    """As a C program's documentation says: by pkg-config alone."""
    os.environ["PKG_CONFIG_PATH"] = str(Path(settings["prefix"]) / settings["libdir"] / "pkgconfig")
    packages = ["fovea-c"]
    if "<fovea_vision.h>" in program.read_text():
        packages.append("fovea-vision-c")
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", *packages))
    libraries = Path(settings["prefix"]) / settings["libdir"]
    run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *shlex.split(settings["flags"]), program, *flags,
        f"-Wl,-rpath,{libraries}", f"-Wl,-rpath-link,{libraries}", "-o", folder / program.stem)


def examples(settings):
    scratch = Path(settings["scratch"]) / "examples"
    shutil.rmtree(scratch, ignore_errors=True)
    programs = []
    for document in markdown.documents(settings["source_dir"]):
        for name, code in markdown.examples(document.read_text()).items():
            program = scratch / name
            program.parent.mkdir(parents=True, exist_ok=True)
            expect(not program.exists(), f"{document}: another document has an example {name}")
            program.write_text(code)
            programs.append(program)
    if not programs:
        print("skipped: no document has an <!-- example: NAME.cpp --> block")
        return SKIPPED
    in_c = [program for program in programs if program.suffix == ".c"]
    build_consumer(settings, scratch / "build", [program for program in programs if program not in in_c])
    if not shutil.which("pkg-config"):
        print(f"{len(in_c)} examples in C are left out: there is no pkg-config")
        programs = [program for program in programs if program not in in_c]
    else:
        for program in in_c:
            build_c(settings, program, scratch / "build")
    folder = markdown.playground(settings["source_dir"], settings["binary_dir"], scratch / "run")
    for program in programs:
        print(f"{program.name}:\n{run(scratch / 'build' / program.stem, cwd=folder)}")
    return 0


if __name__ == "__main__":
    try:
        what = {"package": package, "examples": examples}[sys.argv[2]]
        sys.exit(what(json.loads(Path(sys.argv[1]).read_text())))
    except Failure as failure:
        sys.exit(f"failed: {failure}")
