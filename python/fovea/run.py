"""A forward pass and what it left behind: `Run`."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_void_p
from typing import (TYPE_CHECKING, Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence,
                    Union)

import numpy as np

from . import _structs as c
from ._arguments import Stop, call_options, choice, encoded, read_array, texts, whole
from ._handles import Closing, Shared, Single
from ._library import check, error_struct, made, sentence, tensors, text
from .errors import InvalidArgument
from .explanation import Explanation, explanations_of
from .methods import AnyMethod, method_struct

if TYPE_CHECKING:
    from .explainer import Explainer
    from .photo import Photo, View

# An index of a class, or a text: "top:1", "class:281", "class:281-class:282", "logits[0,5]".
Target = Union[int, str]

_ROWS = np.dtype([("class_index", np.int64), ("logit", np.float32), ("probability", np.float32)])


class Prediction(NamedTuple):
    """A class of an image. `probability` is NaN where there is none."""

    class_index: int
    logit: float
    probability: float


class Predictions(Sequence[Prediction]):
    """The classes of an image, best first; as arrays: `class_indices`, `logits`, `probabilities`."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        rows = self._rows[index]
        return Predictions(rows) if isinstance(index, slice) else Prediction(*rows.item())

    def __iter__(self) -> Iterator[Prediction]:
        return (Prediction(*row) for row in self._rows.tolist())

    @property
    def class_indices(self) -> Any:
        return self._rows["class_index"]

    @property
    def logits(self) -> Any:
        return self._rows["logit"]

    @property
    def probabilities(self) -> Any:
        return self._rows["probability"]

    def __repr__(self) -> str:
        shown = ", ".join(f"{row.class_index}: {row.probability:.3g}" for row in self[:5])
        return f"Predictions({shown}{', ...' if len(self) > 5 else ''})"


def read_predictions(function: Any, handle: int, image: int) -> Predictions:
    size, error = c_size_t(), error_struct()
    check(function(handle, image, None, 0, byref(size), byref(error)), error)
    rows = np.empty(size.value, _ROWS)
    if len(rows):
        check(function(handle, image, rows.ctypes.data, len(rows), byref(size), byref(error)),
              error)
    return Predictions(rows)


def target_text(target: Target, explainer: "Optional[Explainer]" = None) -> str:
    """The library's text of a target: of an index, and of "label:cat" or "label:cat-label:dog" by
    the explainer's labels."""
    if isinstance(target, str):
        if target.startswith("label:") and explainer is not None:
            from .photo import find_label

            names = target[len("label:"):].split("-label:")
            return "-".join(f"class:{find_label(explainer.labels, name)}" for name in names)
        return target
    if isinstance(target, bool) or not hasattr(target, "__index__"):
        raise InvalidArgument(f"a target is a class's index or a text, not {target!r}")
    return f"class:{target.__index__()}"


class Run(Closing):
    """A forward pass: predictions now, explanations as often as wanted. Serves one call at a time;
    calls of several threads wait for each other. Holds a workspace of its explainer until it is
    closed or collected.
    """

    def __init__(self, explainer: "Explainer", pointer: Any, photo: "Optional[Photo]",
                 view: "Optional[View]") -> None:
        self._explainer = explainer
        self._handle = Single("Run", pointer, tensors().fovea_run_destroy)
        self.photo = photo
        self.view = view

    @property
    def predictions(self) -> Predictions:
        """Every class of the first image, best first; empty where scores are not of classes."""
        return self.predictions_of(0)

    def predictions_of(self, image: int) -> Predictions:
        """The same of any image of the batch."""
        with self._handle as handle:
            return read_predictions(tensors().fovea_run_predictions, handle, whole(image, "image"))

    def output(self, name: str = "") -> Any:
        """An output, or one of the explainer's fetches, as float32; "": the raw scores."""
        key = encoded(name, "an output's name")
        known = self._explainer._shapes
        with self._handle as handle:
            out = read_array(tensors().fovea_run_output, handle, key, guess=known.get(key))
        if known.get(key) != out.shape:
            known[key] = out.shape
        return out

    @property
    def warnings(self) -> List[str]:
        library = tensors()
        with self._handle as handle:
            return [sentence(library.fovea_run_warning(handle, index))
                    for index in range(library.fovea_run_warning_count(handle))]

    def explain(self, method: AnyMethod = "gradcam", target: Target = "top:1",
                **options: Any) -> Explanation:
        """Where the network looked, of a run of one image.

        `method`: a name or a `Method`, one of those that the explainer was made for. `target`: a
        class's index, or a text: "top:1" (the best class), "label:cat", "class:281-class:282" (why
        this one and not that), "logits[0,5]-logits[0,3]", "mean(seg[0,1,40:60,40:60])". Further options are those
        of `explain_each`.
        """
        found = self.explain_each(method, [target], **options)
        if len(found) != 1:
            raise InvalidArgument(f"the run has {len(found)} images: explain_each explains them")
        return found[0]

    def explain_each(self, method: AnyMethod = "gradcam", targets: Iterable[Target] = ("top:1",), *,
                     layer: Optional[str] = None, layers: Iterable[str] = (), fuse: str = "mean",
                     normalize: Optional[str] = None, smooth: bool = False,
                     keep_sign: bool = False, score: str = "by-method", negated: bool = False,
                     timeout: Optional[float] = None,
                     stop: Optional[Stop] = None) -> List[Explanation]:
        """One explanation per image and target, image by image.

        `layer`: one of the explainer's, None: the first; `layers`: several, fused by `fuse` ("mean",
        "max", "product"). `normalize`: "max", "minmax", "none"; None: as the method's maps want.
        `smooth`: the mean over six runs, mirrored and dimmed. `keep_sign`: what speaks against the
        target stays, as negative values. `score`: of a class "logit" or "probability"; "by-method": the
        logit unless the method is defined on the other. `negated`: what speaks against the target.
        `timeout`: seconds; `stop`: a `Stop`.

        Raises `InvalidArgument` for a method, layer or target that does not exist or was not
        prepared for, `OutOfMemory`, `Cancelled`, `DeadlineExceeded`.
        """
        library, error = tensors(), error_struct()
        options = made(c.ExplainOptions)
        chosen = [layer] if layer is not None else layers
        options.layers, options.layer_count = texts(chosen, "layers")
        options.fuse = choice(fuse, c.FUSES, "fuse")
        if normalize is not None:
            options.normalize = choice(normalize, c.NORMALIZATIONS, "normalize")
        options.smooth, options.keep_sign = smooth, keep_sign
        options.score = choice(score, c.SCORES, "score")
        options.negated = negated
        if isinstance(targets, str):
            raise InvalidArgument("targets is a list of targets, not a text")
        words, count = texts([target_text(target, self._explainer) for target in targets],
                             "targets")
        pointer = c_void_p()
        told = method_struct(method)
        with self._handle as handle:
            check(library.fovea_run_explain(handle, byref(told), words, count, byref(options),
                                            call_options(timeout, stop), byref(pointer),
                                            byref(error)), error)
        owner = Shared("Explanation", pointer.value or 0, library.fovea_explanations_destroy)
        found = explanations_of(owner, self.photo, self.view)
        names = self._explainer.known_labels or []
        for one in found if names else []:
            if one.prediction is not None and one.prediction.class_index < len(names):
                one.label = names[one.prediction.class_index]
        return found

    def close(self) -> None:
        self._handle.close()

    def __reduce__(self) -> Any:
        raise TypeError("a Run cannot be pickled: its explainer can, and so can explanations")
