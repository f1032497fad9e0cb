"""A network: `Model`."""

from __future__ import annotations

import hashlib
import os
from ctypes import byref, c_void_p
from itertools import zip_longest
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

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


Stamp = Tuple[int, int, int]

# By path and stamp: a worker reads a pickled model once for each of its tasks.
_known: Dict[Tuple[str, Stamp], str] = {}


def sha256(path: PathLike) -> str:
    key = (os.fspath(path), _stamp(os.fspath(path)))
    if key not in _known:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        _known[key] = digest.hexdigest()
    return _known[key]


class Model(Closing):
    """An ONNX model: a file, or the bytes of one. Never changes; serves any number of threads.

    `external_data`: the folder of its weights' files; None: the file's own folder. Raises `BadModel`
    where it is missing, malformed or inconsistent, `Unsupported` where no output can be computed.
    Cost: a read of the file but for large weights, which are read when an explainer is made.

    A pickled model is its path (the bytes where it came as bytes), the SHA-256 of its files and its
    options; unpickled it reads them again and refuses others.
    """

    def __init__(self, source: Union[PathLike, bytes, bytearray, memoryview], *,
                 external_data: Optional[PathLike] = None) -> None:
        library, error = tensors(), error_struct()
        folder = None if external_data is None else path_bytes(external_data, "external_data")
        pointer = c_void_p()
        self._external_data = None if external_data is None else os.fspath(external_data)
        self._bytes: Optional[bytes] = None
        self._path: Optional[str] = None
        stamp: Optional[Stamp] = None
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._bytes = bytes(source)
            status = library.fovea_model_from_bytes(self._bytes, len(self._bytes), folder,
                                                    byref(pointer), byref(error))
        else:
            name = path_bytes(source)
            self._path = os.path.abspath(os.fsdecode(name))
            stamp = _stamp(self._path)
            status = library.fovea_model_load(name, folder, byref(pointer),
                                              byref(error))
        check(status, error)
        self._handle = Shared("Model", pointer.value or 0, library.fovea_model_destroy)
        self._files = [os.path.abspath(os.fsdecode(library.fovea_model_file(pointer, index)))
                       for index in range(library.fovea_model_file_count(pointer))]
        self._stamps = [_stamp(file) for file in self._files]
        if stamp is not None:
            self._stamps[0] = stamp  # of before it was read

    @property
    def path(self) -> Optional[str]:
        """The file's absolute path; None of a model that came as bytes."""
        return self._path

    @property
    def files(self) -> List[str]:
        """Where its bytes came from: the file, unless it came as bytes, then those of its weights."""
        return list(self._files)

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
        """The model file's SHA-256, in hexadecimal: the first of `digests`."""
        return self.digests()[0]

    def digests(self) -> Tuple[str, ...]:
        """The SHA-256 of the model's file (or bytes), then of each file of its weights. Raises
        `BadModel` where one has changed since it was read. Cost: a read of what this process has not
        read for it yet."""
        out = [] if self._bytes is None else [hashlib.sha256(self._bytes).hexdigest()]
        for file, stamp in zip(self._files, self._stamps):
            if _stamp(file) != stamp:
                raise BadModel("the file has changed since it was read", file=file)
            out.append(sha256(file))
        return tuple(out)

    def __repr__(self) -> str:
        return f"Model({self._path!r})" if self._path else f"Model({len(self._bytes or b'')} bytes)"

    def __reduce__(self) -> Any:
        if self._handle.closed:
            raise InvalidArgument("this Model is closed")
        source = self._bytes if self._path is None else self._path
        return _reopened, (source, self.digests(), self._external_data)


def _stamp(path: str) -> Stamp:
    try:
        stat = os.stat(path)
    except OSError:  # the library says it better
        return (0, 0, 0)
    return (stat.st_size, stat.st_mtime_ns, stat.st_ino)


def _reopened(source: Union[str, bytes], digests: Tuple[str, ...],
              external_data: Optional[str]) -> Model:
    model = Model(source, external_data=external_data)
    named = ([""] if isinstance(source, bytes) else []) + model.files
    for file, now, then in zip_longest(named, model.digests(), digests):
        if now != then:
            raise BadModel("the file is another one than when it was pickled: its SHA-256 differs",
                           file=file or model.path or "")
    return model


AnyModel = Union[Model, PathLike, bytes]


def as_model(model: AnyModel) -> Model:
    return model if isinstance(model, Model) else Model(model)
