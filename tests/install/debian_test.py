#!/usr/bin/env python3
"""debian/ says of the build what is so.

usage: debian_test.py SETTINGS.json
The packages that building needs are those that `./run packages package` installs, the version is the project's, and
each file that is installed is in one package.
"""

import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

from package_test import SKIPPED, Failure, expect, is_on


def fields(text):
    """A control file's paragraphs."""
    return [dict(re.findall(r"^([A-Za-z-]+):((?:.*\n)(?:[ \t].*\n)*)", paragraph + "\n", re.MULTILINE))
            for paragraph in text.split("\n\n") if paragraph.strip()]


def names(field):
    return {re.sub(r"\s*\(.*\)", "", entry).strip() for entry in field.split(",") if entry.strip()}


def check_build_depends(root, source):
    told = names(source["Build-Depends"]) - {"debhelper-compat"}
    used = subprocess.run([root / "run", "packages", "package"], check=True, stdout=subprocess.PIPE, text=True)
    # What every Debian has that builds packages.
    used = set(used.stdout.split()) - {"g++", "build-essential", "debhelper"}
    expect(told == used, f"debian/control and ./run package build with other packages: {sorted(told ^ used)}")


def check_version(root, settings):
    first = (root / "debian/changelog").read_text().splitlines()[0]
    version = re.match(r"fovea \(([0-9.]+)", first)
    expect(version and version.group(1) == settings["version"], f"debian/changelog begins with {first}")


def check_files(root, prefix, packages):
    """`prefix` is laid out as /usr, but for the libraries, which lie in a folder per architecture there."""
    patterns = {}
    for package in packages:
        for line in (root / f"debian/{package}.install").read_text().splitlines():
            patterns.setdefault(line.split()[0], []).append(package)
    for line in (root / "debian/not-installed").read_text().splitlines():
        patterns.setdefault(line, []).append("none")
    unused = set(patterns)
    installed = [path.relative_to(prefix) for path in prefix.rglob("*") if not path.is_dir()]
    files = ["usr/" + re.sub(r"^lib/", "lib/x86_64-linux-gnu/", str(path)) for path in installed]
    # CMake does not install the Python package.
    files += [str(path.relative_to(root)) for path in (root / "python/fovea").rglob("*")
              if not path.is_dir() and path.parent.name != "__pycache__"]
    for name in sorted(files):
        # A pattern's star ends at a slash, and a folder stands for what is in it.
        matched = [pattern for pattern in patterns
                   if fnmatch.fnmatch(name, pattern + "/*") or (fnmatch.fnmatch(name, pattern)
                                                               and name.count("/") == pattern.count("/"))]
        homes = {package for pattern in matched for package in patterns[pattern]}
        expect(len(homes) == 1, f"{name} is in {sorted(homes) or 'no package'}")
        unused -= set(matched)
    expect(not unused, f"debian/ names what is not installed: {sorted(unused)}")


def main():
    settings = json.loads(Path(sys.argv[1]).read_text())
    root = Path(settings["source_dir"])
    source, *binaries = fields((root / "debian/control").read_text())
    check_build_depends(root, source)
    check_version(root, settings)
    if not all(is_on(settings[part]) for part in ("shared", "vision", "request", "program")):
        print("skipped: the packages are of a whole build, with shared libraries")
        return SKIPPED
    check_files(root, Path(settings["prefix"]), [binary["Package"].strip() for binary in binaries])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"failed: {failure}")
