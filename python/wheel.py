#!/usr/bin/env python3
"""Makes a wheel of the package, the libraries and the program: it runs where Debian's packages of
what it is linked with are not there.

usage: wheel.py BUILD_DIR OUTPUT_DIR

BUILD_DIR is a configured and built folder of CMake's, of shared libraries. Needed: Debian's patchelf
and binutils. What is linked is carried, under names of its own so that no other copy in a process is
taken for it, but for glibc, libgcc and libstdc++, which every system has, and with the licences of
Debian's packages. GCC's OpenMP is carried under its own name and loaded where the system has none:
a process should have one.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# manylinux's policies have them on every system.
SYSTEM = re.compile(r"(ld-linux-x86-64|libc|libm|libmvec|libdl|librt|libpthread|libresolv|libutil|"
                    r"libgcc_s|libstdc\+\+)\.so\.\d+$")
OPENMP = "libgomp.so.1"
LIBRARIES = ("libfovea_c.so.0", "libfovea_vision_c.so.0")


class Failure(Exception):
    pass


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def needed(file):
    """The names of the libraries that a file is linked with."""
    return re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", run("readelf", "-d", file))


def where(file):
    """{name: path} of everything that the loader brings in for a file."""
    found = {}
    for line in run("ldd", file).splitlines():
        match = re.match(r"\s*(\S+) => (/\S+)", line)
        if match:
            found[match[1]] = match[2]
        elif "not found" in line:
            raise Failure(f"{file}: {line.strip()}")
    return found


def closure(files):
    """{name: path} of what these files need, and so on, without the system's."""
    paths, todo, found = {}, list(files), {}
    for file in files:
        paths.update(where(file))
    while todo:
        for name in needed(todo.pop()):
            if name not in found and not SYSTEM.match(name):
                found[name] = Path(paths[name])
                todo.append(found[name])
    return found


def package_of(file):
    """Debian's package of a file: its name."""
    for path in (str(file), str(file.resolve()), re.sub("^/usr", "", str(file.resolve()))):
        done = subprocess.run(["dpkg", "-S", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0].split(",")[0]
    raise Failure(f"{file} belongs to no package of Debian's: whose licence is it under?")


def compiled_in():
    """{package: licence} of headers and archives that may be part of the libraries themselves."""
    packages = run(HERE.parent / "run", "packages", "build").split()
    licences = {name: Path(f"/usr/share/doc/{name}/copyright") for name in packages
                if name.endswith("-dev")}
    return {name: file for name, file in licences.items() if file.exists()}


def install(build, folder):
    """The build's libraries, program and demo, in `folder`, stripped."""
    run("cmake", "--install", build, "--prefix", folder / "installed", "--strip")
    return folder / "installed"


def gather(prefix, package):
    """Lays libraries, program and demo into the package, with names that lead to each other.

    Returns what came from Debian: {package: licence}."""
    program = prefix / "bin/fovea"
    ours = {}
    for path in prefix.rglob("libfovea*.so*"):
        soname = re.search(r"\(SONAME\)\s+Library soname: \[(.*)\]", run("readelf", "-d", path))
        ours[soname[1]] = path.resolve()
    roots = [ours[name] for name in LIBRARIES if name in ours]
    if len(roots) != len(LIBRARIES):
        raise Failure(f"{prefix} has no {' or no '.join(LIBRARIES)}: are the C libraries built?")
    libraries, binaries = package / "lib", package / "bin"
    libraries.mkdir()
    binaries.mkdir()
    licences, renamed = {}, {}
    for name, path in closure([program, *roots]).items():
        if name in ours:
            renamed[name] = name
        else:
            owner = package_of(path)
            licences[owner] = Path(f"/usr/share/doc/{owner}/copyright")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
            stem, _, rest = name.partition(".so")
            renamed[name] = name if name == OPENMP else f"{stem}-{digest}.so{rest}"
        folder = libraries / "openmp" if name == OPENMP else libraries
        folder.mkdir(exist_ok=True)
        shutil.copyfile(path.resolve(), folder / renamed[name])
    for root, name in zip(roots, LIBRARIES):
        renamed[name] = name
        shutil.copyfile(root, libraries / name)
    shutil.copyfile(program, binaries / "fovea")
    for name, new in renamed.items():
        if name != OPENMP:
            patch(libraries / new, renamed, ("--set-soname", new), ("--set-rpath", "$ORIGIN"))
    # A process of the program's takes the carried OpenMP: loaded first, it is its libraries' too.
    patch(binaries / "fovea", renamed, ("--set-rpath", "$ORIGIN/../lib:$ORIGIN/../lib/openmp"))
    if OPENMP not in needed(binaries / "fovea"):
        run("patchelf", "--add-needed", OPENMP, binaries / "fovea")
    (binaries / "fovea").chmod(0o755)
    shutil.copytree(prefix / "share/fovea", package / "share/fovea")
    return licences


def patch(file, renamed, *changes):
    """One change at a time: patchelf 0.14 loses track of several."""
    for name in needed(file):
        if renamed.get(name, name) != name:
            run("patchelf", "--replace-needed", name, renamed[name], file)
    for change in changes:
        run("patchelf", *change, file)


def glibc():
    """The C library's version, which everything carried was linked with: (2, 36)."""
    return tuple(int(part) for part in os.confstr("CS_GNU_LIBC_VERSION").split()[1].split("."))


def metadata(project, version):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {version}",
             f"Summary: {project['description']}", f"License: {project['license']['text']}",
             f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {text}" for text in project["classifiers"]]
    lines += [f"Requires-Dist: {text}" for text in project["dependencies"]]
    for extra, packages in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {text}; extra == "{extra}"' for text in packages]
    return "\n".join(lines) + "\n"


def write(folder, file):
    """The folder as a wheel: the same bytes for the same files."""
    record, entries = [], sorted(path for path in folder.rglob("*") if path.is_file())
    info = next(path for path in folder.iterdir() if path.name.endswith(".dist-info"))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        def add(name, data, executable=False):
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(entry, data)
        for path in entries:
            name, data = str(path.relative_to(folder)), path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
            add(name, data, os.access(path, os.X_OK))
        name = f"{info.name}/RECORD"
        add(name, "\n".join([*record, f"{name},,"]) + "\n")


def build(build_dir, output_dir):
    """The wheel's path."""
    for tool in ("patchelf", "readelf", "dpkg", "cmake"):
        if not shutil.which(tool):
            raise Failure(f"{tool} is not installed")
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    version = re.search(r'VERSION = "(.*)"', (HERE / "fovea/_version.py").read_text())[1]
    tag = "py3-none-manylinux_{}_{}_x86_64".format(*glibc())
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        content = scratch / "wheel"
        package = content / "fovea"
        shutil.copytree(HERE / "fovea", package, ignore=shutil.ignore_patterns("__pycache__"))
        licences = {**compiled_in(), **gather(install(build_dir, scratch), package)}
        info = content / f"fovea-{version}.dist-info"
        (info / "licenses").mkdir(parents=True)
        shutil.copyfile(HERE.parent / "LICENSE", info / "licenses/LICENSE")
        for owner, licence in sorted(licences.items()):
            shutil.copyfile(licence, info / "licenses" / f"{owner}.copyright")
        (info / "METADATA").write_text(metadata(project, version))
        (info / "WHEEL").write_text("Wheel-Version: 1.0\nGenerator: fovea\nRoot-Is-Purelib: false\n"
                                    f"Tag: {tag}\n")
        (info / "entry_points.txt").write_text("[console_scripts]\nfovea = fovea.__main__:main\n")
        output_dir.mkdir(parents=True, exist_ok=True)
        file = output_dir / f"fovea-{version}-{tag}.whl"
        write(content, scratch / file.name)
        shutil.move(scratch / file.name, file)
        return file


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    try:
        made = build(Path(sys.argv[1]), Path(sys.argv[2]))
        print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")
    except Failure as failure:
        sys.exit(f"wheel.py: {failure}")
