"""Finds and loads fovea's shared libraries: `tensors()` and `vision()`.

Looked for, in this order: beside the package (a wheel carries them), where the environment variable
FOVEA_LIBRARY says (folders, ":" between them), and where the system's loader looks.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
import threading
from typing import Any, Dict, Mapping, NoReturn, Optional

from . import _functions
from . import _structs as c
from ._version import ABI_VERSION, VERSION
from .errors import LibraryError, of_status

TENSORS_NAME = f"libfovea_c.so.{ABI_VERSION}"
VISION_NAME = f"libfovea_vision_c.so.{ABI_VERSION}"
BUNDLED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")

_lock = threading.RLock()
_loaded: Dict[str, "Library"] = {}
_of_thread = threading.local()


class Library:
    """A loaded library: its functions as attributes."""

    def __init__(self, path: str, functions: Mapping[str, _functions.Signature]) -> None:
        self.path = path
        # The same library twice: calls of the first let other threads run, of the second do not.
        long, quick = ctypes.CDLL(path), ctypes.PyDLL(path)
        for name, (result, arguments) in functions.items():
            try:
                function = getattr(quick if name in _functions.QUICK else long, name)
            except AttributeError:
                raise LibraryError(f"{path} has no {name}: it is another version than this "
                                   f"package, {VERSION}") from None
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)
        self.long = long

    def __getattr__(self, name: str) -> Any:  # for type checkers: the loop above sets them
        raise AttributeError(name)


def _numbers(version: str) -> "tuple[int, ...]":
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def check_machine(machine: Optional[str] = None, system: Optional[str] = None) -> None:
    """Refuses a machine that the library was not built for, before its loader does so darkly."""
    machine = platform.machine() if machine is None else machine
    system = sys.platform if system is None else system
    if system != "linux" or machine not in ("x86_64", "AMD64"):
        raise LibraryError(f"fovea runs on Linux on x86-64; this is {system} on {machine}")


def check_version(library: Any, path: str) -> None:
    """Refuses a library that has not what this package was written for."""
    version, abi = library.fovea_version().decode(), library.fovea_abi_version()
    if abi != ABI_VERSION:
        raise LibraryError(f"{path} is fovea {version} with ABI {abi}; this package, {VERSION}, "
                           f"needs ABI {ABI_VERSION}")
    if _numbers(version) < _numbers(VERSION):
        raise LibraryError(f"{path} is fovea {version}; this package needs {VERSION} or newer")


def path_of(name: str) -> str:
    """The library's path, or its bare name where the system's loader is to find it."""
    bundled = os.path.join(BUNDLED, name)
    if os.path.exists(bundled):
        return bundled
    said = os.environ.get("FOVEA_LIBRARY")
    if not said:
        return name
    for folder in said.split(":"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    raise LibraryError(f"FOVEA_LIBRARY is '{said}', where there is no {name}")


def _load_openmp() -> None:
    """The system's OpenMP, so that a process has one of GCC's; where there is none, the carried."""
    carried = os.path.join(BUNDLED, "openmp", "libgomp.so.1")
    if not os.path.exists(carried):
        return
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        ctypes.CDLL(carried)


def _load(name: str, functions: Mapping[str, _functions.Signature]) -> Library:
    check_machine()
    path = path_of(name)
    try:
        _load_openmp()
        return Library(path, functions)
    except OSError as error:
        raise LibraryError(
            f"{name} cannot be loaded: {error}. Install a wheel of fovea, which carries it, or "
            "Debian's package of it, or set FOVEA_LIBRARY to the folder that it is in") from None


def tensors() -> Any:
    """libfovea_c: models, explainers, runs."""
    found = _loaded.get("tensors")
    if found is None:
        with _lock:
            found = _loaded.get("tensors")
            if found is None:
                found = _load(TENSORS_NAME, _functions.TENSORS)
                check_version(found, found.path)
                _loaded["tensors"] = found
    return found


def vision() -> Any:
    """libfovea_vision_c: photos and pictures."""
    found = _loaded.get("vision")
    if found is None:
        tensors()
        with _lock:
            found = _loaded.get("vision")
            if found is None:
                found = _loaded["vision"] = _load(VISION_NAME, _functions.VISION)
    return found


# The functions that fill structs with their defaults.
_INITS = {kind: name + "_init" for name, kind in
          (*c.TENSOR_STRUCTS.items(), *c.VISION_STRUCTS.items())}


def made(kind: Any) -> Any:
    """A struct of `kind` with its defaults."""
    out = kind()
    library = vision() if kind is c.OverlayOptions else tensors()
    getattr(library, _INITS[kind])(ctypes.byref(out), ctypes.sizeof(out))
    return out


def error_struct() -> Any:
    """Where a call of this thread is told what went wrong."""
    try:
        return _of_thread.error
    except AttributeError:
        error = _of_thread.error = made(c.Error)
        return error


def fail(status: int, error: Any) -> NoReturn:
    """Raises what a call that returned `status` told `error`."""
    raise of_status(status, sentence(error.message), text(error.file), text(error.node),
                    text(error.op))


def check(status: int, error: Any) -> None:
    if status:
        fail(status, error)


_OPTION = re.compile(r"\b(?:Compile|Prepare|Pool|Explain|Call)Options::(\w+)")
_RENAMED = {"allow_precision_fallback": "precision_falls_back", "max_workspaces": "max_runs",
            "deadline": "timeout"}


def sentence(value: Optional[bytes]) -> str:
    """A text that may name options of the library, by this package's names."""
    return _OPTION.sub(lambda match: _RENAMED.get(match[1], match[1]), text(value))


def text(value: Optional[bytes]) -> str:
    return "" if value is None else value.decode("utf-8", "replace")
