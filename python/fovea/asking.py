"""What the program answers, from Python: `answer`."""

from __future__ import annotations

import json
from ctypes import byref, c_void_p
from typing import Any, Dict, List, Mapping, Optional, Union

from ._arguments import Stop, call_options, encoded, whole
from ._handles import Shared
from ._library import check, error_struct, sentence, text, vision
from .explanation import Explanation, explanations_of
from .photo import read_image
from .run import Predictions, read_predictions


class Answer:
    """A request's answer: `explanations`, in the request's order; `request`, as it came out: with
    files' digests, extents, every option; run again, it gives the same. `warnings`."""

    def __init__(self, owner: Shared) -> None:
        self._handle = owner
        library = vision()
        with owner as handle:
            # They live as long as the answer.
            whole = Shared("Answer", library.fovea_answer_explanations(handle), _nothing)
            self.explanations: List[Explanation] = explanations_of(whole, None, None)
            self.request: Dict[str, Any] = json.loads(text(library.fovea_answer_request_json(handle)))
            self.warnings = [sentence(library.fovea_answer_warning(handle, index))
                             for index in range(library.fovea_answer_warning_count(handle))]
        for one in self.explanations:
            one._source = None
            if one.prediction is not None:
                one.label = self.label(one.prediction.class_index)

    def predictions(self, image: int = 0) -> Predictions:
        """Every class of an image, best first."""
        with self._handle as handle:
            return read_predictions(vision().fovea_answer_predictions, handle,
                                    whole(image, "image"))

    def label(self, class_index: int) -> Optional[str]:
        """A class's name; None where it has none."""
        with self._handle as handle:
            name = vision().fovea_answer_label(handle, whole(class_index, "class_index"))
        return None if name is None else text(name)

    def overlay(self, index: int = 0) -> Any:
        """An explanation over the request's photo, in its colours: uint8 [rows, columns, 3]."""
        with self._handle as handle:
            return read_image(vision().fovea_answer_overlay, handle, whole(index, "index"))


def _nothing(pointer: int) -> None:
    pass


def answer(request: Union[str, Mapping[str, Any]], *, timeout: Optional[float] = None,
           stop: Optional[Stop] = None) -> Answer:
    """From a request to its answer, as the program does it: tasks (boxes, words, answers), several
    inputs, sheets and what else there is.

    `request`: the program's own JSON, a text or a dict: `provenance` of what `fovea explain --json`
    writes. Files are read; one with a digest ("sha256") that holds something else now is refused
    (`BadModel`, `BadInput`; of labels it is a warning). Cost: as a call of the program; the model is
    read and compiled anew.
    """
    told = request if isinstance(request, str) else json.dumps(request)
    pointer, error = c_void_p(), error_struct()
    library = vision()
    check(library.fovea_answer_request(encoded(told, "a request"), call_options(timeout, stop),
                                       byref(pointer), byref(error)), error)
    return Answer(Shared("Answer", pointer.value or 0, library.fovea_answer_destroy))
