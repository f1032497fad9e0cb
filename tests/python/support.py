"""What the tests of the Python package share."""

import contextlib
import os
import sys
import unittest
from pathlib import Path

SKIPPED = 77
ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "python") not in sys.path and "FOVEA_INSTALLED" not in os.environ:
    sys.path.insert(0, str(ROOT / "python"))
MODELS = ROOT / "tools/demo/models"
GAP = str(MODELS / "demo_gap.onnx")
FC = str(MODELS / "demo_fc.onnx")
EXTERNAL = ROOT / "tests/golden/data/densenet/model.onnx"  # its weights are in a file of their own
SCENE = str(ROOT / "tools/demo/scenes/scene_1.png")
FIXTURES = ROOT / "tests/cli/fixtures"
# What makes results the same to the bit from call to call.
SAME = {"threads": 2, "tuning": "off", "fewer_threads": False}


def shared(*parts):
    """A path of the folder of real models and photos that may lie beside the checkout."""
    path = ROOT.parent.joinpath("shared", *parts)
    return path if path.exists() else None


@contextlib.contextmanager
def environment(**changes):
    before = {name: os.environ.get(name) for name in changes}

    def put(values):
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    put(changes)
    try:
        yield
    finally:
        put(before)


def check_rows(case, table, alone):
    """An engine's seven rows, the last two of them broken, are those of one process, each once."""
    case.assertEqual(sorted(row["key"] for row in table), list(range(7)))
    for row in table:
        one = alone[row["key"]]
        case.assertEqual((row["index"], row["status"], row["error"]),
                         (one["index"], one["status"], one["error"]))
        if one["status"] == "ok":
            case.assertEqual(list(row["map"]), one["map"].tolist())
    case.assertEqual(sorted(row["key"] for row in table if row["status"] == "bad_input"), [5, 6])


def main(needs_library=True):
    """Runs the tests of the calling module, or skips with the reason."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        print("skipped: this Python has no numpy (Debian's package python3-numpy)")
        sys.exit(SKIPPED)
    if needs_library and "FOVEA_LIBRARY" not in os.environ and "FOVEA_INSTALLED" not in os.environ:
        print("skipped: the shared C libraries were not built (FOVEA_LIBRARY)")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[1:])
