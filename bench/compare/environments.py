"""The environments of the peers: one per set of pins that fit together (requirements/)."""

import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
PYTHON = (3, 11)  # what the pins are for


def environment(name, folder):
    """The interpreter of an environment, made or brought up to date."""
    if sys.version_info[:2] != PYTHON:
        sys.exit("compare: the pinned peers need Python 3.11: run it with python3.11")
    requirements = REQUIREMENTS / f"{name}.txt"
    place = folder / name
    python = place / "bin" / "python"
    stamp = place / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        print(f"compare: setting up {place}", file=sys.stderr, flush=True)
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-r", requirements],
                       check=True)
        stamp.write_text(requirements.read_text())
    return python
