"""A network: `Model`."""

from __future__ import annotations

import hashlib
import os
from ctypes import byref, c_void_p
from typing import Any, List, NamedTuple, Optional, Tuple, Union

from . import _structs as c
from ._arguments import PathLike, encoded, path_bytes
from ._handles import Closing, Shared
from ._library import check, error_struct, made, tensors, text
from .errors import BadModel, InvalidArgument


class ValueInfo(NamedTuple):
    """An input or output. `shape` is None where the file does not say; an extent that it leaves open
    is -1. `refusal` says of an output why it cannot be computed, else it is ""."""

    name: str
    dtype: str
    shape: Optional[Tuple[int, ...]]
    refusal: str


def values_of(count: Any, at: Any, handle: int) -> List[ValueInfo]:
    error = error_struct()
    info = made(c.ValueInfo)
    out = []
    for index in range(count(handle)):
        check(at(handle, index, byref(info), byref(error)), error)
        shape = None if info.rank < 0 else tuple(info.shape[:info.rank])
        dtype = c.DTYPES[info.dtype] if 0 <= info.dtype < len(c.DTYPES) else "other"
        out.append(ValueInfo(text(info.name), dtype, shape, text(info.refusal)))
    return out


def sha256(path: PathLike) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Model(Closing):
    """An ONNX model: a file, or the bytes of one. Never changes; serves any number of threads.

    `external_data`: the folder of its weights' files; None: the file's own folder. Raises `BadModel`
    where it is missing, malformed or inconsistent, `Unsupported` where no output can be computed.
    Cost: a read of the file but for large weights, which are read when an explainer is made.

    A pickled model is its path (the bytes where it came as bytes), the file's SHA-256 and its
    options; unpickled it reads the file again and refuses another one.
    """

    def __init__(self, source: Union[PathLike, bytes, bytearray, memoryview], *,
                 external_data: Optional[PathLike] = None) -> None:
        library, error = tensors(), error_struct()
        folder = None if external_data is None else path_bytes(external_data, "external_data")
        pointer = c_void_p()
        self._external_data = None if external_data is None else os.fspath(external_data)
        self._bytes: Optional[bytes] = None
        self._path: Optional[str] = None
        self._stamp: Tuple[int, int] = (0, 0)
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._bytes = bytes(source)
            status = library.fovea_model_from_bytes(self._bytes, len(self._bytes), folder,
                                                    byref(pointer), byref(error))
        else:
            name = path_bytes(source)
            self._path = os.path.abspath(os.fsdecode(name))
            self._stamp = _stamp(self._path)
            status = library.fovea_model_load(name, folder, byref(pointer),
                                              byref(error))
        check(status, error)
        self._handle = Shared("Model", pointer.value or 0, library.fovea_model_destroy)

    @property
    def path(self) -> Optional[str]:
        """The file's absolute path; None of a model that came as bytes."""
        return self._path

    @property
    def inputs(self) -> List[ValueInfo]:
        library = tensors()
        with self._handle as handle:
            return values_of(library.fovea_model_input_count, library.fovea_model_input, handle)

    @property
    def outputs(self) -> List[ValueInfo]:
        library = tensors()
        with self._handle as handle:
            return values_of(library.fovea_model_output_count, library.fovea_model_output, handle)

    def metadata(self, key: str) -> Optional[str]:
        """What the file's metadata says under a key; None where it says nothing."""
        with self._handle as handle:
            value = tensors().fovea_model_metadata(handle, encoded(key, "a key"))
        return None if value is None else text(value)

    def close(self) -> None:
        """Gives the model back. Explainers made of it go on; calls under way end first."""
        self._handle.close()

    def digest(self) -> str:
        """The file's SHA-256, in hexadecimal. Raises `BadModel` where the file has changed since it
        was read. Cost: a read of the file."""
        if self._bytes is not None:
            return hashlib.sha256(self._bytes).hexdigest()
        assert self._path is not None
        if _stamp(self._path) != self._stamp:
            raise BadModel("the file has changed since it was read", file=self._path)
        return sha256(self._path)

    def __repr__(self) -> str:
        return f"Model({self._path!r})" if self._path else f"Model({len(self._bytes or b'')} bytes)"

    def __reduce__(self) -> Any:
        if self._handle.closed:
            raise InvalidArgument("this Model is closed")
        source = self._bytes if self._path is None else self._path
        return _reopened, (source, self.digest(), self._external_data)


def _stamp(path: str) -> Tuple[int, int]:
    try:
        stat = os.stat(path)
    except OSError:  # the library says it better
        return (0, 0)
    return (stat.st_size, stat.st_mtime_ns)


def _reopened(source: Union[str, bytes], digest: str, external_data: Optional[str]) -> Model:
    model = Model(source, external_data=external_data)
    if model.digest() != digest:
        raise BadModel("the file is another one than when it was pickled: its SHA-256 differs",
                       file=source if isinstance(source, str) else "")
    return model


AnyModel = Union[Model, PathLike, bytes]


def as_model(model: AnyModel) -> Model:
    return model if isinstance(model, Model) else Model(model)
