"""Handles of the library as Python objects own them."""

from __future__ import annotations

import threading
import weakref
from typing import Any, Callable, Optional, Tuple, Type, TypeVar

from .errors import InvalidArgument

T = TypeVar("T", bound="Closing")


class Closing:
    """`with` and `close()`; a closed object is refused."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()


class Shared:
    """A handle that serves any number of threads at once.

    It is destroyed when it was closed (or its owner collected) and the last call under way is over.
    """

    __slots__ = ("_pointer", "_destroy", "_what", "_lock", "_calls", "_closed", "_finalizer",
                 "__weakref__")

    def __init__(self, what: str, pointer: int, destroy: Callable[[int], None]) -> None:
        self._what = what
        self._pointer = pointer
        self._destroy = destroy
        self._lock = threading.Lock()
        self._calls = 0
        self._closed = False
        self._finalizer = weakref.finalize(self, destroy, pointer)
        # A daemon thread may be in a call when the interpreter ends; the memory goes with the process.
        self._finalizer.atexit = False

    def __enter__(self) -> int:
        with self._lock:
            if self._closed:
                raise InvalidArgument(f"this {self._what} is closed")
            self._calls += 1
        return self._pointer

    def __exit__(self, kind: Optional[Type[BaseException]], *unused: Any) -> None:
        with self._lock:
            self._calls -= 1
            last = self._closed and self._calls == 0
        if last:
            self._finalizer()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            last = self._calls == 0
        if last:
            self._finalizer()

    @property
    def closed(self) -> bool:
        return self._closed


class Single:
    """A handle that serves one call at a time: calls of several threads wait for each other."""

    __slots__ = ("_pointer", "_destroy", "_what", "_lock")

    def __init__(self, what: str, pointer: int, destroy: Callable[[int], None]) -> None:
        self._what = what
        self._pointer: Optional[int] = pointer
        self._destroy = destroy
        self._lock = threading.Lock()

    def __enter__(self) -> int:
        self._lock.acquire()
        if self._pointer is None:
            self._lock.release()
            raise InvalidArgument(f"this {self._what} is closed")
        return self._pointer

    def __exit__(self, *unused: Any) -> None:
        self._lock.release()

    def close(self) -> None:
        with self._lock:
            pointer, self._pointer = self._pointer, None
        if pointer is not None:
            self._destroy(pointer)

    @property
    def closed(self) -> bool:
        return self._pointer is None

    def __del__(self) -> None:
        pointer, self._pointer = getattr(self, "_pointer", None), None
        if pointer is not None:
            self._destroy(pointer)


