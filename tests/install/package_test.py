#!/usr/bin/env python3
"""Installs the build, and uses it from a CMake project of its own.

usage: package_test.py SETTINGS.json {package|examples}
`package` installs and checks what is installed; `examples` builds and runs the programs that the
documentation marks with <!-- example: NAME.cpp --> (see tests/docs/markdown.py).
"""

import json
import re
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
        public -= {"request.hpp", "session.hpp", "files.hpp"}
    installed = {path.name for path in (prefix / "include/fovea").iterdir()}
    expect(installed == public, f"headers differ: {sorted(installed ^ public)}")

    libraries = prefix / settings["libdir"]
    if is_on(settings["shared"]):
        check_shared(libraries / "libfovea.so", ["opencv", "jpeg", "png"])
        if is_on(settings["vision"]):
            check_shared(libraries / "libfovea_vision.so", ["dnnl", "protobuf", "imgcodecs"])
            check_loaded(libraries / "libfovea_vision.so")
        if is_on(settings["request"]):
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
    build_consumer(settings, scratch / "build", programs)
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
