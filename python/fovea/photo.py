"""Photos in, pictures out: `Photo`, `Recipe`, `encode`."""

from __future__ import annotations

import os
from ctypes import POINTER, byref, c_int32, c_int64, c_uint8, c_void_p, cast
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from . import _structs as c
from ._arguments import (PathLike, encoded, float_array, path_bytes, read_array, read_bytes,
                         tensor_of, whole)
from ._handles import Closing, Shared
from ._library import check, error_struct, made, vision
from ._library import text as text_of
from .errors import BadInput, InvalidArgument, Unsupported
from .model import Model

if TYPE_CHECKING:
    from .explainer import Explainer

# A path, an encoded file's bytes, a Pillow image, or an array of uint8 [rows, columns, 3] (RGB) or
# [rows, columns] (grey).
PhotoSource = Union[PathLike, bytes, Any]
# What `Explainer.forward` takes.
Input = Union["Photo", PhotoSource, Dict[str, Any]]


class View(NamedTuple):
    """The part of a photo that the network's input shows, in the photo's pixels."""

    x0: float
    y0: float
    x1: float
    y1: float


class Box(NamedTuple):
    """In pixels: the left upper corner and the extents."""

    x: int
    y: int
    width: int
    height: int


class Photo(Closing):
    """An 8-bit RGB image: of a path (JPEG, PNG, BMP, WebP, TIFF), an encoded file's bytes, a Pillow
    image, or an array of uint8 [rows, columns, 3] or [rows, columns]. Never changes; serves any
    number of threads. Raises `BadInput` where it cannot be decoded. Cost: a decode, or a copy.
    """

    def __init__(self, source: PhotoSource, *, name: Optional[str] = None) -> None:
        library, error = vision(), error_struct()
        pointer = c_void_p()
        self.name: Optional[str] = name
        if isinstance(source, (str, os.PathLike)):
            self.name = os.fsdecode(source) if name is None else name
            status = library.fovea_photo_read(path_bytes(source), byref(pointer), byref(error))
        elif isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
            label = None if name is None else encoded(name, "a photo's name")
            status = library.fovea_photo_decode(data, len(data), label, byref(pointer),
                                                byref(error))
        else:
            rgb = _rgb(source)
            status = library.fovea_photo_from_rgb(rgb.ctypes.data, rgb.shape[1], rgb.shape[0],
                                                  byref(pointer), byref(error))
        check(status, error)
        self._handle = Shared("Photo", pointer.value or 0, library.fovea_photo_destroy)
        image = c.Image()
        with self._handle as handle:
            check(library.fovea_photo_pixels(handle, byref(image), byref(error)), error)
        self.width: int = image.width
        self.height: int = image.height

    @property
    def pixels(self) -> Any:
        """A copy, uint8 [rows, columns, 3]."""
        with self._handle as handle:
            return read_image(vision().fovea_photo_pixels, handle)

    def close(self) -> None:
        self._handle.close()

    def __repr__(self) -> str:
        return f"Photo({self.name!r}, {self.width}x{self.height})"

    def __reduce__(self) -> Any:
        return _of_pixels, (self.pixels, self.name)


def _of_pixels(pixels: Any, name: Optional[str]) -> Photo:
    return Photo(pixels, name=name)


def _rgb(source: Any) -> Any:
    if hasattr(source, "convert") and hasattr(source, "getbands"):  # Pillow's
        source = source.convert("RGB")
    array = np.asarray(source)
    if array.dtype != np.uint8:
        raise BadInput(f"a photo's pixels are uint8, not {array.dtype}")
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise BadInput(f"a photo is [rows, columns, 3], not {list(array.shape)}")
    return np.ascontiguousarray(array)


def is_photo(value: Any) -> bool:
    """What `forward` takes for a photo rather than for a tensor."""
    if isinstance(value, (Photo, str, os.PathLike, bytes, bytearray, memoryview)):
        return True
    if isinstance(value, np.ndarray):
        return value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3
    return hasattr(value, "convert") and hasattr(value, "getbands")


def as_photo(value: Any) -> Photo:
    return value if isinstance(value, Photo) else Photo(value)


class Recipe(Closing):
    """How a photo becomes the network's input: a name ("imagenet", "keras:caffe",
    "torchvision:ResNet50_Weights.DEFAULT") or JSON, as the program's --preprocess takes it; None:
    what the model brings, else ImageNet's. `source` is "said", "model" or "assumed".
    """

    def __init__(self, text: Optional[str] = None, model: Optional[Model] = None) -> None:
        library, error = vision(), error_struct()
        pointer, source = c_void_p(), c_int32()
        said = None if text is None else encoded(text, "a recipe")

        def create(handle: Optional[int]) -> None:
            check(library.fovea_recipe_create(said, handle, byref(pointer), byref(source),
                                              byref(error)), error)

        if model is None:
            create(None)
        else:
            with model._handle as handle:
                create(handle)
        self.source = c.RECIPE_SOURCES[source.value]
        self._handle = Shared("Recipe", pointer.value or 0, library.fovea_recipe_destroy)

    @property
    def json(self) -> str:
        """All of it, as `Recipe` takes it."""
        with self._handle as handle:
            return text_of(vision().fovea_recipe_json(handle))

    @property
    def extents(self) -> Tuple[int, int]:
        """Rows and columns of the input that the recipe is for; 0 where it does not say."""
        rows, columns = c_int64(), c_int64()
        error = error_struct()
        with self._handle as handle:
            check(vision().fovea_recipe_extents(handle, byref(rows), byref(columns), byref(error)),
                  error)
        return rows.value, columns.value

    def apply(self, photo: Photo, shape: Tuple[int, ...]) -> Tuple[Any, View]:
        """The photo as float32 of an input's shape ([1, c, rows, columns] or [1, rows, columns, c],
        c 1 or 3), and the part of it that these show."""
        view = c.View()
        extents = (c_int64 * len(shape))(*[whole(extent, "an extent") for extent in shape])
        library = vision()
        with self._handle as handle, photo._handle as image:
            def prepare(array: Any, error: Any) -> int:
                return int(library.fovea_preprocess(image, handle, len(shape), extents, array,
                                                    byref(view), error))
            out = read_array(prepare, guess=tuple(shape))
        return out, View(view.x0, view.y0, view.x1, view.y1)

    def close(self) -> None:
        self._handle.close()


def as_inputs(explainer: "Explainer", value: Any) -> Tuple[Dict[str, Any], Optional[Photo],
                                                           Optional[View]]:
    """The feeds of a model with one input, and the photo that they show."""
    if not is_photo(value):
        return {"": value}, None, None
    photo = as_photo(value)
    inputs = explainer.inputs
    if len(inputs) != 1:
        raise InvalidArgument(f"the model has {len(inputs)} inputs: give a dict of arrays by input "
                              "(Recipe.apply makes one of a photo)")
    shape = inputs[0].shape
    if shape is None or -1 in shape:
        raise Unsupported("the model leaves its input's extents open: give input_shapes",
                          node=inputs[0].name)
    array, view = explainer.recipe.apply(photo, shape)
    return {"": array}, photo, view


def read_image(function: Any, *arguments: Any) -> Any:
    """uint8 [rows, columns, 3] of what `function(*arguments, image, error)` hands out."""
    error, image = error_struct(), c.Image()
    while True:
        status = function(*arguments, byref(image), byref(error))
        if status not in (0, c.BUFFER_TOO_SMALL):
            check(status, error)
        pixels = np.empty((image.height, image.width, 3), np.uint8)
        if image.rgb and status == 0:
            return image._pixels
        image.rgb = cast(pixels.ctypes.data, POINTER(c_uint8))
        image.capacity = pixels.size
        image._pixels = pixels


def _image_struct(pixels: Any) -> Any:
    image = c.Image()
    image.rgb = cast(pixels.ctypes.data, POINTER(c_uint8))
    image.capacity = image.size = pixels.size
    image.height, image.width = pixels.shape[:2]
    image._pixels = pixels
    return image


def encode(pixels: Any, format: str = ".png") -> bytes:
    """An image, uint8 [rows, columns, 3], as a file's bytes: ".png", ".jpg", ".bmp" or ".webp"."""
    image = _image_struct(_rgb(pixels))
    return read_bytes(vision().fovea_encode, byref(image), encoded(format, "the format"))


def overlay(photo: Photo, heat: Any, *, view: Optional[View] = None, alpha: Optional[float] = None,
            colormap: Optional[str] = None, opacity: str = "even", pale: bool = False,
            heatmap_only: bool = False) -> Any:
    """The photo with a map's colours over it, uint8 [rows, columns, 3].

    `heat`: a map [h, w] that covers `view` of the photo (None: all of it). `alpha`: the colours'
    weight, 0 to 1. `colormap`: by name as the program has them, "jet" unless said. `opacity`: "even"
    or "value" (weak parts let the photo through). `pale`: the photo in pale grey. `heatmap_only`:
    the colours alone.
    """
    options = overlay_options(alpha, colormap, opacity, pale, heatmap_only)
    tensor = tensor_of(float_array(heat, "map"))
    with photo._handle as handle:
        return read_image(vision().fovea_overlay, handle, byref(tensor), view_struct(view),
                          byref(options))


def overlay_options(alpha: Optional[float] = None, colormap: Optional[str] = None,
                    opacity: str = "even", pale: bool = False, heatmap_only: bool = False) -> Any:
    options = made(c.OverlayOptions)
    if alpha is not None:
        options.alpha = alpha
    if colormap is not None:
        options.colormap = encoded(colormap, "colormap")
    if opacity not in ("even", "value"):
        raise InvalidArgument(f'opacity is "even" or "value", not {opacity!r}')
    options.opacity_by_value = opacity == "value"
    options.pale, options.heatmap_only = pale, heatmap_only
    return options


def view_struct(view: Optional[View]) -> Any:
    return None if view is None else byref(c.View(*view))


def map_on_photo(heat: Any, width: int, height: int, view: Optional[View] = None) -> Any:
    """A map [h, w] that covers `view`, at a photo's pixels: float32 [height, width]."""
    tensor = tensor_of(float_array(heat, "map"))
    return read_array(vision().fovea_map_on_photo, byref(tensor), view_struct(view),
                      whole(width, "width", 32), whole(height, "height", 32))


def find_box(heat: Any, share: float = 0.2) -> Optional[Box]:
    """The box around the largest part of a map [h, w] above `share` of its maximum; None where there
    is none."""
    tensor, error = tensor_of(float_array(heat, "map")), error_struct()
    box, found = c.Box(), c_int32()
    check(vision().fovea_find_box(byref(tensor), share, byref(box), byref(found), byref(error)),
          error)
    return Box(box.x, box.y, box.width, box.height) if found.value else None


def draw_box(pixels: Any, box: Box) -> Any:
    """A copy of an image, uint8 [rows, columns, 3], with a box's outline in it."""
    drawn = np.array(_rgb(pixels))
    image, error = _image_struct(drawn), error_struct()
    check(vision().fovea_draw_box(byref(image), byref(c.Box(*box)), byref(error)), error)
    return drawn


def labels(source: Union[Model, PathLike]) -> List[str]:
    """Names of the classes: what a model brings, or a file's lines. Empty where there are none."""
    library = vision()
    if isinstance(source, Model):
        with source._handle as handle:
            data = read_bytes(library.fovea_labels, None, handle)
    else:
        data = read_bytes(library.fovea_labels, path_bytes(source), None)
    return [name.decode("utf-8", "replace") for name in data.split(b"\0")[:-1]]


def find_label(names: List[str], text: str) -> int:
    """The class whose name is `text`: the whole name, one of its parts between commas, or the only
    one that contains it. Raises `InvalidArgument`, which lists the candidates or the nearest."""
    data = b"".join(encoded(name, "a label") + b"\0" for name in names)
    index, error = c_int64(), error_struct()
    check(vision().fovea_find_label(data, len(data), encoded(text, "a label"), byref(index),
                                    byref(error)), error)
    return index.value
