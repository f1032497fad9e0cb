"""`python -m fovea` is the program `fovea`."""

from __future__ import annotations

import os
import shutil
import sys

from ._library import BUNDLED


def program() -> str:
    """The program that the package carries, or the one that the system has."""
    beside = os.path.join(os.path.dirname(BUNDLED), "bin", "fovea")
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("fovea")
    # The script that a wheel installs is this module again.
    if found is not None and open(found, "rb").read(4) == b"\x7fELF":
        return found
    sys.exit("fovea: no program beside the Python package and none on the PATH")


def main() -> None:
    path = program()
    os.execv(path, [path, *sys.argv[1:]])


if __name__ == "__main__":
    main()
