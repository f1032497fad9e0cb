"""A compiled network: `Explainer`."""

from __future__ import annotations

import os
from ctypes import byref, c_char_p, c_void_p, cast
from typing import (Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple,
                    Union)

from . import _structs as c
from ._arguments import (NamedTensors, PathLike, Stop, call_options, choice, encoded, pointers, read_bytes,
                         shapes, texts, whole)
from ._handles import Closing, Shared
from ._library import check, error_struct, made, sentence, tensors, text
from .errors import InvalidArgument, LibraryError
from .machine import default_threads
from .methods import AnyMethod, as_method, method_struct
from .model import AnyModel, Model, ValueInfo, as_model, values_of
from .photo import Input, Photo, Recipe, as_inputs, labels as read_labels
from .run import Run


class LayerInfo(NamedTuple):
    """A value that one could explain. `name` is the value's, `node` that of what makes it."""

    name: str
    node: str
    op: str
    shape: Tuple[int, ...]
    is_default: bool
    is_prepared: bool


class Explainer(Closing):
    """A model compiled for what will be asked of it. Never changes; serves any number of threads at
    once, each call on a team of `threads`.

    `model`: a `Model`, a path, or an ONNX file's bytes. What else it is told, by name:

    methods             methods to be ready for: names, or `Method`s
    layers              values or nodes to be explained, by name; none: the default layer
    targets             targets that are known, as texts; what they read is prepared
    fetches             further values to read from a run, by name
    labels              names of the classes: a list, or a file with one a line; None: what the model
                        brings
    preprocess          how photos become the input: a recipe's name or JSON (see `Recipe`); None:
                        what the model brings, else ImageNet's
    input_shapes        extents by input, for what the file leaves open
    fixed_inputs        values by input that are the same in every run
    batch               images of a run, where the file leaves that open
    threads             None: what OMP_NUM_THREADS says, else what affinity and quota allow
    precision           "f32", "bf16" or "automatic"; precision_falls_back: f32 where the CPU cannot
    tuning              "off", "quick" or "thorough"; tuning_time: seconds, None: the library's bound
    plan_cache          what `plan_cache()` gave for the same model on this kind of machine
    optimize            False: the slow, plain plan
    multi_label         each class is yes or no on its own; None: as the model's metadata says
                        ("fovea.activation"), else as its last operator
    output              that holds the scores; None: found out
    waiting             "adaptive", "sleep" or "openmp": how idle threads wait
    fewer_threads       where others take cores away; False where results are compared to the bit
    max_runs            under way at once
    memory_limit        bytes
    smoothing           get ready for `explain(smooth=True)`
    perturbation_batch  variants at once, of methods that need many; None: the library's choice
    token_grid          rows and columns of a transformer's patches; prefix_tokens: in front of them
    log                 called with each warning, a text, as it is found, on the thread that finds it
    timeout             seconds that the making may take; stop: a `Stop`

    Raises `InvalidArgument`, `Unsupported` (an operator, named), `OutOfMemory`, `DeadlineExceeded`,
    `Cancelled`. Cost: packs the weights, far more than a run.

    A pickled explainer is its model's path and SHA-256 and what it was told; unpickled it is made
    again.
    """

    def __init__(self, model: AnyModel, methods: Iterable[AnyMethod] = (), *,
                 layers: Iterable[str] = (), targets: Iterable[str] = (),
                 fetches: Iterable[str] = (), labels: Union[None, PathLike, Sequence[str]] = None,
                 preprocess: Optional[str] = None,
                 input_shapes: Optional[Mapping[str, Sequence[int]]] = None,
                 fixed_inputs: Optional[Mapping[str, Any]] = None, batch: int = 1,
                 threads: Optional[int] = None, precision: str = "f32",
                 precision_falls_back: bool = False, tuning: str = "quick",
                 tuning_time: Optional[float] = None, plan_cache: Optional[bytes] = None,
                 optimize: bool = True, multi_label: Optional[bool] = None, output: Optional[str] = None,
                 waiting: str = "adaptive", fewer_threads: bool = True,
                 max_runs: Optional[int] = None, memory_limit: Optional[int] = None,
                 smoothing: bool = False, perturbation_batch: Optional[int] = None,
                 token_grid: Optional[Tuple[int, int]] = None,
                 prefix_tokens: Optional[int] = None,
                 log: Optional[Callable[[str], Any]] = None,
                 timeout: Optional[float] = None, stop: Optional[Stop] = None) -> None:
        if isinstance(methods, str):
            raise InvalidArgument("methods is a list of methods, not a text")
        self._told: Dict[str, Any] = {
            "methods": [as_method(method) for method in methods], "layers": list_of(layers, "layers"),
            "targets": list_of(targets, "targets"), "fetches": list_of(fetches, "fetches"),
            "labels": labels if labels is None or isinstance(labels, (str, os.PathLike))
            else list_of(labels, "labels"),
            "preprocess": preprocess, "input_shapes": dict(input_shapes or {}),
            "fixed_inputs": dict(fixed_inputs or {}), "batch": batch, "threads": threads,
            "precision": precision, "precision_falls_back": precision_falls_back, "tuning": tuning,
            "tuning_time": tuning_time, "plan_cache": plan_cache, "optimize": optimize,
            "multi_label": multi_label, "output": output, "waiting": waiting,
            "fewer_threads": fewer_threads, "max_runs": max_runs, "memory_limit": memory_limit,
            "smoothing": smoothing, "perturbation_batch": perturbation_batch,
            "token_grid": token_grid, "prefix_tokens": prefix_tokens, "log": log,
        }
        self._model = as_model(model)
        self._labels: Optional[List[str]] = None
        self._recipe: Optional[Recipe] = None
        self._shapes: Dict[bytes, Tuple[int, ...]] = {}  # of outputs, as they were the last time
        self._log = c.Log(_logger(log)) if log is not None else c.Log()
        library, error = tensors(), error_struct()
        options = self._options(self._told)
        pointer = c_void_p()
        with self._model._handle as handle:
            check(library.fovea_explainer_create(handle, byref(options),
                                                 call_options(timeout, stop), byref(pointer),
                                                 byref(error)), error)
        self._handle = Shared("Explainer", pointer.value or 0, library.fovea_explainer_destroy)

    def _options(self, told: Dict[str, Any]) -> Any:
        out = made(c.ExplainerOptions)
        keep: List[Any] = [method_struct(method) for method in told["methods"]]
        out.methods, out.method_count = pointers(keep, c.Method)
        out.layers, out.layer_count = texts(told["layers"], "layers")
        out.targets, out.target_count = texts(told["targets"], "targets")
        out.fetches, out.fetch_count = texts(told["fetches"], "fetches")
        out.input_shapes, out.input_shape_count = shapes(self._input_shapes(told))
        fixed = NamedTensors(told["fixed_inputs"])
        out.fixed_inputs, out.fixed_input_count = fixed.pointer, fixed.count
        out.batch = told["batch"]
        threads = told["threads"]
        if threads is not None and threads < 1:
            raise InvalidArgument(f"threads is at least 1, not {threads}")
        out.threads = default_threads() if threads is None else threads
        out.precision = choice(told["precision"], c.PRECISIONS, "precision")
        out.precision_falls_back = bool(told["precision_falls_back"])
        out.tuning = choice(told["tuning"], c.TUNINGS, "tuning")
        if told["tuning_time"] is not None:
            out.tuning_time_ms = told["tuning_time"] * 1000
        cache = told["plan_cache"]
        if cache:
            buffer = c_char_p(bytes(cache))
            keep.append(buffer)
            out.plan_cache = cast(buffer, c_void_p)
            out.plan_cache_size = len(cache)
        out.optimize = bool(told["optimize"])
        each = told["multi_label"]
        if each is None:
            each = self._model.metadata("fovea.activation") == "sigmoid"
        out.multi_label = bool(each)
        out.output = None if told["output"] is None else encoded(told["output"], "output")
        out.waiting = choice(told["waiting"], c.WAITINGS, "waiting")
        out.fewer_threads = bool(told["fewer_threads"])
        for name in ("max_runs", "memory_limit", "perturbation_batch", "prefix_tokens"):
            if told[name] is not None:
                setattr(out, name, told[name])
        out.smoothing = bool(told["smoothing"])
        if told["token_grid"] is not None:
            out.token_grid[:] = [whole(extent, "token_grid") for extent in told["token_grid"]]
        out.log = self._log
        out._keep = (keep, fixed)
        return out

    def _input_shapes(self, told: Dict[str, Any]) -> Dict[str, Sequence[int]]:
        """With the recipe's rows and columns, where the file leaves an image's open."""
        known = dict(told["input_shapes"])
        inputs = [row for row in self._model.inputs if row.name not in told["fixed_inputs"]]
        if len(inputs) != 1 or inputs[0].shape is None or inputs[0].name in known:
            return known
        shape = list(inputs[0].shape)
        rows = 1 if len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3) else 2
        if len(shape) != 4 or shape[1 if rows == 2 else 3] not in (1, 3):
            return known
        if -1 not in shape[rows:rows + 2]:
            return known
        try:
            extents = self.recipe.extents
        except LibraryError:  # without photos
            return known
        for place, extent in zip((rows, rows + 1), extents):
            if shape[place] < 0 and extent:
                shape[place] = extent
        if -1 not in shape[1:]:
            shape[0] = told["batch"] if shape[0] < 0 else shape[0]
            known[inputs[0].name] = shape
        return known

    @property
    def model(self) -> Model:
        return self._model

    @property
    def recipe(self) -> Recipe:
        """How photos become the input."""
        if self._recipe is None:
            self._recipe = Recipe(self._told["preprocess"], self._model)
        return self._recipe

    @property
    def labels(self) -> List[str]:
        """Names of the classes; empty where nobody names them."""
        if self._labels is None:
            said = self._told["labels"]
            if isinstance(said, list):
                self._labels = said
            else:
                self._labels = read_labels(self._model if said is None else said)
        return self._labels

    @property
    def known_labels(self) -> Optional[List[str]]:
        """The same where they were read already or are handed in; None where they would cost."""
        if self._labels is None and (self._told["labels"] is not None or self._recipe is not None):
            return self.labels
        return self._labels

    @property
    def inputs(self) -> List[ValueInfo]:
        """What a run is fed, with every extent."""
        library = tensors()
        with self._handle as handle:
            return values_of(library.fovea_explainer_input_count, library.fovea_explainer_input,
                             handle)

    @property
    def layers(self) -> List[LayerInfo]:
        """Every value that one could explain, in the network's order."""
        library, error = tensors(), error_struct()
        info = made(c.LayerInfo)
        out = []
        with self._handle as handle:
            for index in range(library.fovea_explainer_layer_count(handle)):
                check(library.fovea_explainer_layer(handle, index, byref(info), byref(error)),
                      error)
                out.append(LayerInfo(text(info.name), text(info.node), text(info.op),
                                     tuple(info.shape[:max(info.rank, 0)]), bool(info.is_default),
                                     bool(info.is_prepared)))
        return out

    @property
    def threads(self) -> int:
        with self._handle as handle:
            return int(tensors().fovea_explainer_threads(handle))

    @property
    def precision(self) -> str:
        with self._handle as handle:
            return c.PRECISIONS[tensors().fovea_explainer_precision(handle)]

    @property
    def warnings(self) -> List[str]:
        library = tensors()
        with self._handle as handle:
            return [sentence(library.fovea_explainer_warning(handle, index))
                    for index in range(library.fovea_explainer_warning_count(handle))]

    def plan_cache(self) -> bytes:
        """What tuning found, for `Explainer(plan_cache=...)` of the same model on this kind of
        machine."""
        with self._handle as handle:
            return read_bytes(tensors().fovea_explainer_plan_cache, handle)

    def forward(self, inputs: Input, *, threads: int = 0, timeout: Optional[float] = None,
                stop: Optional[Stop] = None) -> Run:
        """Runs the network.

        `inputs`: an array of the input's shape, a dict of arrays by input, or a photo: a path, an
        encoded file's bytes, a Pillow image, a `Photo`, or an array of uint8 [rows, columns, 3].
        float32 arrays that are row-major are borrowed for the call, other numbers copied once.

        `threads`: of this call, 0: the explainer's. `timeout`: seconds. `stop`: a `Stop`. Raises
        `BadInput`, `OutOfMemory`, `Cancelled`, `DeadlineExceeded`. The run holds a workspace of the
        explainer until it is closed.
        """
        photo: Optional[Photo] = None
        if not isinstance(inputs, dict):
            inputs, photo, view = as_inputs(self, inputs)
        else:
            view = None
        feeds = NamedTensors(inputs)
        library, error = tensors(), error_struct()
        pointer = c_void_p()
        with self._handle as handle:
            status = library.fovea_forward(handle, feeds.pointer, feeds.count,
                                           call_options(timeout, stop, threads), byref(pointer),
                                           byref(error))
        if status:
            check(status, error)
        return Run(self, pointer.value, photo, view)

    def close(self) -> None:
        """Gives the explainer back. Its runs go on; calls under way end first."""
        self._handle.close()

    def __repr__(self) -> str:
        return f"Explainer({self._model!r})"

    def __reduce__(self) -> Any:
        if self._handle.closed:
            raise InvalidArgument("this Explainer is closed")
        return _remade, (self._model, self._told)


def list_of(values: Iterable[str], what: str) -> List[str]:
    if isinstance(values, str):
        raise InvalidArgument(f"{what} is a list of texts, not a text")
    return list(values)


def _logger(log: Callable[[str], Any]) -> Callable[[Any, Optional[bytes]], None]:
    def tell(user: Any, message: Optional[bytes]) -> None:
        log(sentence(message))
    return tell


def _remade(model: Model, told: Dict[str, Any]) -> Explainer:
    return Explainer(model, **told)
