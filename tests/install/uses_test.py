#!/usr/bin/env python3
"""Uses an installed fovea with pkg-config and by components, and fovea's sources as part of a project.

usage: uses_test.py SETTINGS.json {pkg_config|clash|components|subdirectory|fetch}
The last two configure such a project and compile its own part; with FOVEA_BUILD_SUBPROJECT=1 in the environment
they build all of it and run it, which takes as long as fovea does.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from package_test import SKIPPED, Failure, expect, is_on, run

HERE = Path(__file__).parent
OUTPUTS = {"version": "{version}\nbad_model\n", "pictures": "bad_input\n"}


def programs(settings):
    return ["version", "pictures"] if is_on(settings["vision"]) else ["version"]


def expect_output(program, settings):
    output = run(program)
    expect(output == OUTPUTS[program.name].format(**settings), f"{program} printed: {output}")


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def pkg_config(settings):
    """Compiles and links as pkg-config says, in a copy of the prefix that lies elsewhere."""
    if not shutil.which("pkg-config"):
        print("skipped: there is no pkg-config")
        return SKIPPED
    scratch = fresh(Path(settings["scratch"]) / "pkg-config")
    moved = scratch / "moved"
    shutil.copytree(settings["prefix"], moved, symlinks=True)
    files = moved / settings["libdir"] / "pkgconfig"
    os.environ["PKG_CONFIG_PATH"] = str(files)

    names = sorted(file.stem for file in files.glob("*.pc"))
    wanted = {"fovea"} | ({"fovea-vision"} if is_on(settings["vision"]) else set())
    wanted |= {"fovea-request"} if is_on(settings["request"]) else set()
    wanted |= {"fovea-c"} | ({"fovea-vision-c"} if is_on(settings["request"]) else set())
    expect(wanted <= set(names), f"pkg-config files: {names}")
    for name in names:
        run("pkg-config", "--validate", name)
        version = run("pkg-config", "--modversion", name).strip()
        expect(version == settings["version"], f"{name}.pc is of version {version}")
        flags = run("pkg-config", "--cflags", "--libs", name)
        for folder in re.findall(r"-[IL](\S+)", flags):
            expect(Path(folder).resolve().is_relative_to(moved.resolve()),
                   f"{name}.pc points to {folder}, not to where it was moved")

    for program in programs(settings):
        name = "fovea-vision" if program == "pictures" else "fovea"
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", name))
        run(settings["compiler"], "-std=c++20", HERE / "consumer" / f"{program}.cpp", "-o", scratch / program,
            *flags, *shlex.split(settings["flags"]), f"-Wl,-rpath,{moved / settings['libdir']}")
        expect_output(scratch / program, settings)
    return 0


def clash(settings):
    """A host with a protobuf and an OpenCV of its own, whose names the loader finds first."""
    if not is_on(settings["shared"]):
        print("skipped: a static library is linked with its user's own libraries")
        return SKIPPED
    scratch = fresh(Path(settings["scratch"]) / "clash")
    prefix = Path(settings["prefix"])
    images = is_on(settings["vision"])
    flags = ["-std=c++20", "-g0", *shlex.split(settings["flags"])]
    run(settings["compiler"], *flags, "-shared", "-fPIC", HERE / "clash/host.cpp", "-o", scratch / "libhost.so")
    run(settings["compiler"], *flags, *(["-DWITH_IMAGES"] if images else []), f"-I{prefix}/include",
        HERE / "clash/program.cpp", "-o", scratch / "program", f"-L{scratch}", f"-L{prefix / settings['libdir']}",
        "-Wl,--no-as-needed", "-lhost", *(["-lfovea_vision"] if images else []), "-lfovea",
        f"-Wl,-rpath,{scratch}:{prefix / settings['libdir']}")
    demo = Path(settings["source_dir"]) / "tools/demo"
    output = run(scratch / "program", demo / "models/demo_gap.onnx", demo / "scenes/scene_1.png")
    expect(output.startswith("drawn " if images else "loaded"), f"the program printed: {output}")
    return 0


def configure(settings, source, folder, *definitions):
    """What CMake says, and whether it could."""
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run([settings["cmake"], "-S", source, "-B", folder, "-G", "Ninja",
                           f"-DCMAKE_CXX_COMPILER={settings['compiler']}",
                           f"-DCMAKE_CXX_FLAGS={settings['flags']}", *definitions],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # CMake breaks lines.
    return done.returncode == 0, re.sub(r"\s+", " ", done.stdout)


def find_components(settings, prefix, components, refused=None):
    folder = Path(settings["scratch"]) / "components"
    fine, said = configure(settings, HERE / "consumer", folder, f"-DCMAKE_PREFIX_PATH={prefix}",
                           f"-DCOMPONENTS={components}")
    if refused:
        expect(not fine and refused in said, f"components {components!r}: {said}")
    else:
        expect(fine, f"components {components!r}: {said}")


def project_in_c(settings, prefix):
    """A project of C alone, which knows nothing of C++."""
    folder = fresh(Path(settings["scratch"]) / "in-c")
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(in_c LANGUAGES C)\n"
        "find_package(fovea 0.1 REQUIRED COMPONENTS c vision_c)\n"
        f"add_executable(in_c {HERE.parent / 'c/other_version.c'})\ntarget_link_libraries(in_c PRIVATE fovea::vision_c)\n")
    run(settings["cmake"], "-S", folder, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_C_FLAGS={settings['flags']}")
    run(settings["cmake"], "--build", folder / "build")
    output = run(folder / "build/in_c")
    expect(output == "ok \n", f"the project in C printed: {output}")


def components(settings):
    built = ["fovea", "vision"] if is_on(settings["vision"]) else ["fovea"]
    built += ["request"] if is_on(settings["request"]) else []
    built += ["c"] + (["vision_c"] if is_on(settings["request"]) else [])
    prefix = Path(settings["prefix"])
    find_components(settings, prefix, "")
    find_components(settings, prefix, ";".join(built))
    if is_on(settings["request"]) and is_on(settings["shared"]):
        project_in_c(settings, prefix)
    find_components(settings, prefix, "viison", "fovea has no component 'viison'; those it can have are fovea, vision")

    # The same package as a build without images would have made it.
    without = fresh(Path(settings["scratch"]) / "without")
    package = Path(settings["libdir"]) / "cmake/fovea"
    shutil.copytree(prefix / package, without / package)
    config = without / package / "foveaConfig.cmake"
    text, changed = re.subn(r"set\(fovea_built .*\)", 'set(fovea_built "fovea")', config.read_text())
    expect(changed == 1, "foveaConfig.cmake does not say what was built")
    config.write_text(text)
    find_components(settings, without, "vision",
                    "this fovea was built without its component 'vision'; it has fovea")
    return 0


def subproject(settings, how):
    folder = Path(settings["scratch"]) / how
    fine, said = configure(settings, HERE / "subproject", folder, "-DCMAKE_BUILD_TYPE=Release", f"-DHOW={how}",
                           f"-DFOVEA_SOURCE={settings['source_dir']}", f"-DFOVEA_VISION={settings['vision']}",
                           "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    expect(fine, said)
    names = programs(settings)
    if os.environ.get("FOVEA_BUILD_SUBPROJECT") != "1":
        # Compiled against the headers where they are; to link would take the whole library.
        commands = json.loads((folder / "compile_commands.json").read_text())
        own = [entry for entry in commands if entry["file"] == str(HERE / "consumer/version.cpp")]
        expect(len(own) == 2, f"{len(own)} commands compile the project's own file")
        for entry in own:
            command = shlex.split(entry["command"])
            uses = "version.dir" in entry["command"]
            expect((f"-I{settings['source_dir']}/include" in command) == uses and "-Werror" not in command,
                   f"flags that should not be: {entry['command']}")
            if uses:
                run(*command, "-fsyntax-only", cwd=entry["directory"])
        return 0
    run(settings["cmake"], "--build", folder, "--target", *names)
    for name in names:
        expect_output(folder / name, settings)
    # What the project installs is its own.
    installed = fresh(folder / "installed")
    run(settings["cmake"], "--install", folder, "--prefix", installed)
    expect(not any(installed.rglob("*fovea*")), f"fovea installs itself: {list(installed.rglob('*fovea*'))}")
    return 0


if __name__ == "__main__":
    parts = {"pkg_config": pkg_config, "clash": clash, "components": components,
             "subdirectory": lambda settings: subproject(settings, "subdirectory"),
             "fetch": lambda settings: subproject(settings, "fetch")}
    try:
        sys.exit(parts[sys.argv[2]](json.loads(Path(sys.argv[1]).read_text())))
    except Failure as failure:
        sys.exit(f"failed: {failure}")
