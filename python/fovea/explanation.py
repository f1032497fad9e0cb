"""Where the network looked: `Explanation`."""

from __future__ import annotations

import json
import math
import os
import tempfile
from ctypes import byref
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from . import _structs as c
from ._arguments import PathLike, read_array
from ._handles import Shared
from ._library import check, error_struct, made, sentence, tensors, text, vision
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .photo import Box, Photo, View
    from .run import Prediction

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


class Timings(NamedTuple):
    """Milliseconds of each stage, 0 where one did not run."""

    forward_ms: float
    backward_ms: float
    map_ms: float


class Explanation:
    """Where the network looked, for one image and one target. A plain value: its arrays are its own,
    and it can be pickled.

    map          float32 at the input's extents ([h, w] or [d, h, w]), normalised
    feature_map  float32 at the layer's extents, as the method's paper has it
    attribution  float32 in the input's shape without the images, signed; None where the method has
                 none
    score        the target's value: a logit, a probability, a difference
    prediction   the target's class (`Prediction`); None where it is of no class
    label        the class's name, where known
    method, layer, target, image, warnings, timings, threads
    photo, view  what was explained, where it was a photo, and the part of it that the map covers
    """

    def __init__(self, *, map: Any, feature_map: Any, attribution: Optional[Any], method: str,
                 layer: str, target: str, image: int, score: float,
                 prediction: "Optional[Prediction]", warnings: List[str], timings: Timings,
                 threads: int, photo: "Optional[Photo]" = None,
                 view: "Optional[View]" = None, label: Optional[str] = None,
                 source: "Optional[Tuple[Shared, int]]" = None) -> None:
        self.map = map
        self.feature_map = feature_map
        self.attribution = attribution
        self.method = method
        self.layer = layer
        self.target = target
        self.image = image
        self.score = score
        self.prediction = prediction
        self.warnings = warnings
        self.timings = timings
        self.threads = threads
        self.photo = photo
        self.view = view
        self.label = label
        self._source = source

    def overlay(self, photo: Any = None, **options: Any) -> Any:
        """The map's colours over the photo, uint8 [rows, columns, 3], as the program draws it: red and
        blue where the map has a sign, a frame around what the network saw.

        `photo`: None: the one that was explained; where that was a tensor, the colours alone at the
        input's extents. A photo of another source (a path, bytes, a Pillow image, an array) is taken
        to show what the map shows. `options` are those of `fovea.overlay` (alpha, colormap, opacity,
        pale, heatmap_only).
        """
        from .photo import Photo, as_photo, overlay, overlay_options, read_image, view_struct

        if self.map.ndim != 2:
            raise InvalidArgument(f"a map of {self.map.ndim} extents cannot be drawn; "
                                  "its slices can, with fovea.overlay")
        view = None
        if photo is not None:
            photo = as_photo(photo)
        elif self.photo is not None:
            photo, view = self.photo, self.view
        else:
            photo = Photo(np.zeros(self.map.shape + (3,), np.uint8))
            options = dict(options, heatmap_only=True)
        if self._source is not None:
            handle, index = self._source
            told = overlay_options(**options)
            with handle as explanations, photo._handle as under:
                return read_image(vision().fovea_explanation_overlay, explanations, index, under,
                                  view_struct(view), byref(told))
        if "colormap" not in options and float(self.map.min()) < 0:
            options = dict(options, colormap="red-blue")
        return overlay(photo, self.map, view=view, **options)

    def on_photo(self) -> Any:
        """The map at the photo's pixels, float32 [rows, columns]; without a photo the map itself."""
        from .photo import map_on_photo

        if self.photo is None:
            return self.map
        return map_on_photo(self.map, self.photo.width, self.photo.height, self.view)

    def box(self, share: float = 0.2) -> "Optional[Box]":
        """Around the largest part of the map above `share` of its maximum, in the photo's pixels
        (without a photo in the input's); None where there is none."""
        from .photo import find_box

        return find_box(self.on_photo(), share)

    def _repr_png_(self) -> Optional[bytes]:
        """For notebooks."""
        from .photo import encode

        return encode(self.overlay(), ".png") if self.map.ndim == 2 else None

    def save(self, path: PathLike, **options: Any) -> None:
        """Writes a file by its name's ending: the overlay (.png, .jpg, .bmp, .webp; `options` are
        `overlay`'s), the map (.npy), or `to_dict()` (.json). It appears whole or not at all."""
        from .photo import encode

        ending = os.path.splitext(os.fsdecode(path))[1].lower()
        if ending in PICTURES:
            data = encode(self.overlay(**options), ".jpg" if ending == ".jpeg" else ending)
            write_whole(path, lambda file: file.write(data))
        elif ending == ".npy":
            write_whole(path, lambda file: np.save(file, self.map, allow_pickle=False))
        elif ending == ".json":
            told = json.dumps(self.to_dict(), indent=2, allow_nan=False).encode()
            write_whole(path, lambda file: file.write(told + b"\n"))
        else:
            raise InvalidArgument(f"'{os.fsdecode(path)}' ends in none of "
                                  f"{', '.join(PICTURES)}, .npy, .json")

    def to_dict(self, *, map: bool = False) -> Dict[str, Any]:
        """What JSON can hold: everything but photo and attribution, the feature map as nested lists,
        the map too where `map`. What is not finite is None."""
        prediction = None
        if self.prediction is not None:
            prediction = {name: _plain(value)
                          for name, value in self.prediction._asdict().items()}
            if self.label is not None:
                prediction["label"] = self.label
        out = {
            "method": self.method, "layer": self.layer, "target": self.target,
            "image": self.image, "score": _plain(self.score), "prediction": prediction,
            "feature_map": _nested(self.feature_map), "map_shape": list(self.map.shape),
            "view": None if self.view is None else list(self.view),
            "warnings": list(self.warnings), "timings": self.timings._asdict(),
            "threads": self.threads,
        }
        if map:
            out["map"] = _nested(self.map)
        return out

    def __getstate__(self) -> Dict[str, Any]:
        return dict(self.__dict__, _source=None)

    def __repr__(self) -> str:
        extents = " x ".join(str(extent) for extent in self.map.shape)
        return f"Explanation({self.method}, {self.target}, score {self.score:.4g}, {extents})"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _nested(array: Any) -> Any:
    values = array.tolist()
    if np.isfinite(array).all():
        return values

    def plain(part: Any) -> Any:
        return [plain(one) for one in part] if isinstance(part, list) else _plain(part)
    return plain(values)


def write_whole(path: PathLike, write: Any) -> None:
    """The file appears when all of it is written."""
    target = os.path.abspath(os.fsdecode(path))
    descriptor, scratch = tempfile.mkstemp(dir=os.path.dirname(target),
                                           prefix=f".{os.path.basename(target)}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(scratch, 0o666 & ~mask)
        os.replace(scratch, target)
    except BaseException:
        os.unlink(scratch)
        raise


def explanations_of(owner: Shared, photo: "Optional[Photo]",
                    view: "Optional[View]") -> List[Explanation]:
    """Copies of what a fovea_explanations holds, which draws them."""
    from .run import Prediction

    with owner as handle:
        return _copies(owner, handle, photo, view, Prediction)


def _copies(owner: Shared, handle: int, photo: "Optional[Photo]", view: "Optional[View]",
            prediction_of: Any) -> List[Explanation]:
    library, error = tensors(), error_struct()
    info = made(c.ExplanationInfo)
    out = []
    for index in range(library.fovea_explanations_count(handle)):
        check(library.fovea_explanation_at(handle, index, byref(info), byref(error)), error)

        def array(which: int) -> Any:
            return read_array(library.fovea_explanation_array, handle, index, which)

        attribution = array(c.ATTRIBUTION)
        prediction = None
        if info.class_index >= 0:
            prediction = prediction_of(info.class_index, info.logit, info.probability)
        warnings = [sentence(library.fovea_explanation_warning(handle, index, row))
                    for row in range(info.warning_count)]
        out.append(Explanation(
            map=array(c.MAP), feature_map=array(c.FEATURE_MAP),
            attribution=attribution if attribution.size else None, method=text(info.method),
            layer=text(info.layer), target=text(info.target), image=info.image, score=info.score,
            prediction=prediction, warnings=warnings,
            timings=Timings(info.forward_ms, info.backward_ms, info.map_ms), threads=info.threads,
            photo=photo, view=view, source=(owner, index)))
    return out
