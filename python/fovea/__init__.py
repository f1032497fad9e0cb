"""fovea: where a convolutional network looked.

    why = fovea.explain("resnet50.onnx", "cat.jpg")     # draws itself in a notebook
    why.save("why.png")

and for services, what is made once and serves any number of threads:

    explainer = fovea.Explainer("resnet50.onnx", ["gradcam"])
    with explainer.forward(x) as run:                   # float32 numpy, or a photo
        run.predictions[0]
        run.explain("gradcam", target=281).map

Everything that goes wrong is an `Error`, by kind. See docs/python.md.
"""

from ._arguments import Stop
from ._library import tensors as _tensors
from ._version import VERSION as __version__
from .asking import Answer, answer
from .errors import (BadInput, BadModel, Cancelled, DeadlineExceeded, Error, Internal,
                     InvalidArgument, LibraryError, OutOfMemory, Unsupported)
from .explainer import Explainer, LayerInfo
from .explanation import Explanation, Timings
from .machine import default_threads
from .methods import Method, MethodInfo, methods
from .model import Model, ValueInfo
from .one_call import explain
from .photo import (Box, Photo, Recipe, View, draw_box, encode, find_box, find_label, labels, map_on_photo,
                    overlay)
from .run import Prediction, Predictions, Run

__all__ = [
    "Answer", "BadInput", "BadModel", "Box", "Cancelled", "DeadlineExceeded", "Error", "Explainer",
    "Explanation", "Internal", "InvalidArgument", "LayerInfo", "LibraryError", "Method",
    "MethodInfo", "Model", "OutOfMemory", "Photo", "Prediction", "Predictions", "Recipe", "Run",
    "Stop", "Timings", "Unsupported", "ValueInfo", "View", "answer", "build_info", "default_threads",
    "draw_box", "encode", "explain", "find_box", "find_label", "labels", "library_version", "map_on_photo",
    "methods", "overlay",
]


def library_version() -> str:
    """The version of the library that was loaded."""
    return str(_tensors().fovea_version().decode())


def build_info() -> str:
    """Of what the library was made and what it found: a line."""
    return str(_tensors().fovea_build_info().decode())
