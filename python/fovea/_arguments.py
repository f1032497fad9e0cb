"""From Python's values to the library's structs, and back.

A struct that is returned keeps alive what it points to.
"""

from __future__ import annotations

import ctypes
import operator
import os
from ctypes import POINTER, byref, c_char_p, c_int64, cast
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _structs as c
from ._library import check, error_struct, made
from .errors import BadInput, InvalidArgument

PathLike = Union[str, "os.PathLike[str]"]


def whole(value: Any, what: str, bits: int = 64) -> int:
    """An integer that the library can be handed: ctypes cuts larger ones off."""
    number = operator.index(value)
    if not -2**(bits - 1) <= number < 2**(bits - 1):
        raise InvalidArgument(f"{what} is out of range: {number}")
    return number


def encoded(text: str, what: str) -> bytes:
    if not isinstance(text, str):
        raise InvalidArgument(f"{what} is a text, not a {type(text).__name__}")
    if "\0" in text:
        raise InvalidArgument(f"{what} has a zero byte in it")
    return text.encode("utf-8", "surrogateescape")


def path_bytes(path: PathLike, what: str = "the file's name") -> bytes:
    name = os.fsencode(path)
    if b"\0" in name:
        raise InvalidArgument(f"{what} has a zero byte in it")
    return name


def choice(value: str, choices: Sequence[str], what: str) -> int:
    try:
        return choices.index(value)
    except ValueError:
        raise InvalidArgument(f"{what} is one of {', '.join(choices)}, not {value!r}") from None


def texts(values: Iterable[str], what: str) -> Tuple[Any, int]:
    """An array of texts and how many; (None, 0) of none."""
    if isinstance(values, str):
        raise InvalidArgument(f"{what} is a list of texts, not a text")
    items = [encoded(value, what) for value in values]
    return ((c_char_p * len(items))(*items), len(items)) if items else (None, 0)


def float_array(value: Any, name: str = "") -> Any:
    """The value as float32, row-major: itself where it is that already, else a copy."""
    if isinstance(value, np.ma.MaskedArray):
        what = f"input '{name}'" if name else "the tensor"
        raise BadInput(f"{what} is masked, which the library knows nothing of: fill it")
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    kind = array.dtype.kind
    if array.dtype == np.float32 and array.flags.c_contiguous and array.dtype.isnative:
        return array
    if kind not in "fiub":
        what = f"input '{name}'" if name else "the tensor"
        raise BadInput(f"{what} has elements of type {array.dtype}, which are no real numbers")
    return np.ascontiguousarray(array, dtype=np.float32)


def fill_tensor(tensor: Any, array: Any) -> None:
    """`array` is float32 and row-major, and stays alive while the tensor is used."""
    rank = array.ndim
    if rank > c.MAX_RANK:
        raise BadInput(f"a tensor has at most {c.MAX_RANK} extents, not {rank}")
    tensor.data = array.__array_interface__["data"][0]
    tensor.dtype = 0
    tensor.rank = rank
    tensor.shape = (c_int64 * rank)(*array.shape)
    tensor._array = array  # noqa: SLF001


def tensor_of(array: Any) -> Any:
    tensor = c.Tensor()
    fill_tensor(tensor, array)
    return tensor


class NamedTensors:
    """An array of named tensors, `count` of them, and what they point to."""

    __slots__ = ("pointer", "count", "_arrays")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.count = len(values)
        self.pointer = (c.NamedTensor * self.count)() if values else None
        self._arrays: List[Any] = []
        for index, (name, value) in enumerate(values.items()):
            array = float_array(value, name)
            self._arrays.append(array)
            row = self.pointer[index]  # type: ignore[index]
            if name:
                row.name = encoded(name, "an input's name")
            fill_tensor(row.tensor, array)


def shapes(values: Mapping[str, Sequence[int]]) -> Tuple[Any, int]:
    if not values:
        return None, 0
    rows = (c.NamedShape * len(values))()
    for row, (name, shape) in zip(rows, values.items()):
        if len(shape) > c.MAX_RANK:
            raise InvalidArgument(f"input '{name}' has at most {c.MAX_RANK} extents")
        row.name = encoded(name, "an input's name")
        row.rank = len(shape)
        row.shape[:len(shape)] = [whole(extent, "an extent") for extent in shape]
    return rows, len(values)


class Stop:
    """A switch that ends calls under way: pass it as `stop=`, and `set()` it from any thread.

    A call that it ends raises `Cancelled`.
    """

    def __init__(self) -> None:
        self._flag = ctypes.c_int(0)

    def set(self) -> None:
        self._flag.value = 1

    def clear(self) -> None:
        self._flag.value = 0

    @property
    def is_set(self) -> bool:
        return self._flag.value != 0

    @property
    def address(self) -> int:
        return ctypes.addressof(self._flag)


def call_options(timeout: Optional[float], stop: Optional[Stop], threads: int = 0) -> Any:
    """A pointer to fovea_call_options, or None for the defaults."""
    if timeout is None and stop is None and threads == 0:
        return None
    options = made(c.CallOptions)
    if timeout is not None:
        if not timeout > 0:
            raise InvalidArgument("timeout is more than 0 seconds")
        options.timeout_ms = timeout * 1000
    if stop is not None:
        options.stop = stop.address
        options._stop = stop
    options.threads = threads
    return byref(options)


def read_array(function: Any, *arguments: Any, guess: Optional[Tuple[int, ...]] = None) -> Any:
    """A numpy array of what `function(*arguments, array, error)` hands out.

    `guess` is the shape that it had the last time, which saves the question for its size.
    """
    error = error_struct()
    array = c.Array()
    while True:
        out = None
        if guess is not None:
            out = np.empty(guess, np.float32)
            array.data = out.__array_interface__["data"][0]
            array.capacity = out.size
        status = function(*arguments, byref(array), byref(error))
        shape = tuple(array.shape[:array.rank])
        if out is not None and status == 0 and (shape == guess or out.size == array.size):
            return out if shape == guess else out.reshape(shape)
        if status not in (0, c.BUFFER_TOO_SMALL):
            check(status, error)
        if out is None and array.size == 0:
            return np.empty(shape if array.rank else (0,), np.float32)
        guess = shape


def read_bytes(function: Any, *arguments: Any) -> bytes:
    """What `function(*arguments, buffer, capacity, size, error)` hands out."""
    error = error_struct()
    size = ctypes.c_size_t()
    check(function(*arguments, None, 0, byref(size), byref(error)), error)
    while size.value:
        capacity = size.value
        buffer = ctypes.create_string_buffer(capacity)
        status = function(*arguments, buffer, capacity, byref(size), byref(error))
        if status == 0:
            return buffer.raw[:size.value]
        if status != c.BUFFER_TOO_SMALL:
            check(status, error)
    return b""


def pointers(items: Sequence[Any], kind: Any) -> Tuple[Any, int]:
    """An array of pointers to structs of `kind`."""
    if not items:
        return None, 0
    rows = (POINTER(kind) * len(items))(*[ctypes.pointer(item) for item in items])
    return cast(rows, POINTER(POINTER(kind))), len(items)
