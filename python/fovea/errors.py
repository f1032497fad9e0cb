"""What goes wrong, as exceptions: one per status of the library, each a kind of `Error`."""

from __future__ import annotations

from typing import Dict, Optional, Type


class Error(Exception):
    """What a call of fovea could not do.

    `code` is the status's name ("bad_model"), `sentence` says why. Where they are known: `file` is
    the path of the model, photo or tensor, `node` a node, layer or value of the graph, `op` the
    node's operator; else "".
    """

    code = "internal"

    def __init__(self, sentence: str, *, file: str = "", node: str = "", op: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.file = file
        self.node = node
        self.op = op

    def __str__(self) -> str:
        where = [f"'{part}'" for part in (self.file, self.node) if part not in self.sentence]
        if self.op and self.op not in self.sentence:
            where.append(self.op)
        return f"{self.sentence} ({', '.join(where)})" if where else self.sentence

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return _remade, (type(self), self.sentence, self.file, self.node, self.op)


class InvalidArgument(Error, ValueError):
    """Asks for something that does not exist or cannot be, or of a handle that was closed."""

    code = "invalid_argument"


class BadModel(Error, ValueError):
    """A model that is missing, unreadable, malformed or inconsistent."""

    code = "bad_model"


class BadInput(Error, ValueError):
    """A tensor or a photo that is missing, unreadable or of the wrong shape."""

    code = "bad_input"


class Unsupported(Error, NotImplementedError):
    """Valid, but with something that fovea does not have."""

    code = "unsupported"


class Cancelled(Error):
    """The caller's `Stop` was set."""

    code = "cancelled"


class DeadlineExceeded(Error, TimeoutError):
    """The caller's `timeout` was up."""

    code = "deadline_exceeded"


class OutOfMemory(Error, MemoryError):
    """An allocation failed or would exceed `memory_limit`."""

    code = "out_of_memory"


class Internal(Error, RuntimeError):
    """A bug in fovea: please report it."""

    code = "internal"


class LibraryError(ImportError):
    """fovea's shared library is missing, of another version, or for another machine."""


# By fovea_status.
BY_STATUS: Dict[int, Type[Error]] = {
    1: InvalidArgument,
    2: BadModel,
    3: BadInput,
    4: Unsupported,
    5: Cancelled,
    6: DeadlineExceeded,
    7: OutOfMemory,
    8: Internal,
}


def _remade(kind: Type[Error], sentence: str, file: str, node: str, op: str) -> Error:
    return kind(sentence, file=file, node=node, op=op)


def of_status(status: int, sentence: str, file: str = "", node: str = "",
              op: str = "") -> Error:
    """The exception of a status that is not FOVEA_OK."""
    kind: Optional[Type[Error]] = BY_STATUS.get(status)
    if kind is None:
        return Internal(f"the library answered with status {status}: {sentence}")
    return kind(sentence or kind.code, file=file, node=node, op=op)
