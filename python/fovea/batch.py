"""Many photos on an engine that others run: `Explain`, a callable of columns.

It can be pickled, opens its model once per process, and a row that cannot be explained says so in
its `status` and `error`; nothing else of its partition is lost. docs/python.md has it under Dask, Ray
Data and Spark.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional

import numpy as np

from .errors import BadInput, Error, InvalidArgument
from .explainer import Explainer
from .explanation import Explanation
from .methods import AnyMethod, as_method
from .model import AnyModel, as_model
from .run import Target

# What Explain adds, and what a row has that could not be explained.
COLUMNS: Dict[str, Any] = {
    "index": -1, "label": "", "probability": float("nan"), "score": float("nan"), "map": None,
    "map_rows": 0, "map_columns": 0, "status": "", "error": "",
}
_TYPES = {"index": np.int64, "probability": np.float32, "score": np.float64, "map_rows": np.int32,
          "map_columns": np.int32}
# A worker sees one model, seldom two; what was not used for longest is closed.
_MOST = 4

_lock = threading.Lock()
_explainers: "OrderedDict[str, Explainer]" = OrderedDict()
_opened = 0


def opened() -> int:
    """How many explainers this process has made for `Explain`."""
    return _opened


class Explain:
    """Columns in, columns out: each row's photo or tensor explained.

    `model`: a path, an ONNX file's bytes or a `Model`. `column`: the name of what is explained: paths,
    encoded files' bytes, uint8 [rows, columns, 3], tensors of the input's shape (with or without the
    one image in front), or dicts with "bytes" or "path", as Hugging Face has them. `method`, `layer`
    and what else `Run.explain_each` takes in `explain`; `target`: of every row, or `target_column` has
    each row's. `map`: "feature" (the layer's grid) or "input" (the input's extents). `keep`: the
    column `column` stays in what comes out. `options`: `Explainer`'s; `threads` None is what the
    engine says (OMP_NUM_THREADS), else what affinity and quota allow.

    What comes out has the other columns and

    index, label, probability   of the class; -1, "", NaN where the target is of none
    score                       the target's value
    map                         float16, None of a bad row; with `flat`, which Parquet can hold, a
                                row of float32, empty of a bad one
    map_rows, map_columns       the map's extents
    status, error               "ok" and ""; else the error's code, and its sentence

    Raises what making the explainer raises (a bad model, an unknown method), at the first row.
    """

    def __init__(self, model: AnyModel, column: str = "image", *, method: AnyMethod = "gradcam",
                 target: Target = "top:1", target_column: Optional[str] = None,
                 layer: Optional[str] = None, map: str = "feature", flat: bool = False,
                 keep: bool = False, explain: Optional[Mapping[str, Any]] = None,
                 **options: Any) -> None:
        if map not in ("feature", "input"):
            raise InvalidArgument(f'map is "feature" or "input", not {map!r}')
        self._model = as_model(model)
        self.column = column
        self.method = as_method(method)
        self.target = target
        self.target_column = target_column
        self.layer = layer
        self.map = map
        self.flat = flat
        self.keep = keep
        self.explain = dict(explain or {})
        options.setdefault("layers", [] if layer is None else [layer])
        self.options = options
        self._key = self._make_key()

    def _make_key(self) -> str:
        told = (self._model.digests(), self.method, sorted(self.options.items()))
        return hashlib.sha256(pickle.dumps(told)).hexdigest()

    def __getstate__(self) -> Dict[str, Any]:
        return dict(self.__dict__)

    def explainer(self) -> Explainer:
        """The process' own, made by the first call."""
        global _opened
        with _lock:
            found = _explainers.get(self._key)
            if found is None:
                found = Explainer(self._model, [self.method], **self.options)
                _opened += 1
                _explainers[self._key] = found
                # Calls under way keep theirs until they end.
                while len(_explainers) > _MOST:
                    _explainers.popitem(last=False)
            _explainers.move_to_end(self._key)
        return found

    def __call__(self, batch: Any) -> Any:
        """A dict of columns, or a pyarrow.Table, whose maps are then lists of float32: as Ray Data's
        `map_batches` has them."""
        return self.columns(batch) if isinstance(batch, Mapping) else self.table(batch)

    def table(self, table: Any) -> Any:
        """A pyarrow.Table; maps are lists of float32."""
        import pyarrow

        types = {"index": pyarrow.int64(), "label": pyarrow.string(),
                 "probability": pyarrow.float32(), "score": pyarrow.float64(),
                 "map": pyarrow.list_(pyarrow.float32()), "map_rows": pyarrow.int32(),
                 "map_columns": pyarrow.int32(), "status": pyarrow.string(),
                 "error": pyarrow.string()}
        said = (self.column, self.target_column)
        out = self._flat().columns({name: table[name].to_pylist() if name in said else []
                                    for name in table.column_names})
        columns = {name: table[name] for name in table.column_names
                   if self.keep or name != self.column}
        columns.update((name, pyarrow.array(list(out[name]), types[name])) for name in types)
        return pyarrow.table(columns)

    def columns(self, batch: Mapping[str, Any]) -> Dict[str, Any]:
        """A dict of columns."""
        if self.column not in batch:
            raise InvalidArgument(f"there is no column '{self.column}' among "
                                  f"{', '.join(sorted(batch))}")
        values = batch[self.column]
        targets = None if self.target_column is None else batch[self.target_column]
        rows = [self._row(values[index], self.target if targets is None else targets[index])
                for index in range(len(values))]
        out = {name: column for name, column in batch.items()
               if self.keep or name != self.column}
        for name in COLUMNS:
            if name in _TYPES:
                out[name] = np.array([row[name] for row in rows], _TYPES[name])
            else:
                column = np.empty(len(rows), object)
                column[:] = [row[name] for row in rows] if name != "map" else None
                out[name] = column
        for index, row in enumerate(rows):
            out["map"][index] = row["map"]
        return out

    def frame(self, frame: Any) -> Any:
        """A pandas DataFrame, as Dask's `map_partitions` has it; maps are flat."""
        columns = {name: frame[name].to_numpy() for name in frame.columns}
        out = self._flat().columns(columns)
        return type(frame)({name: list(column) if name == "map" else column
                            for name, column in out.items()}, index=frame.index)

    def frames(self, frames: Iterable[Any]) -> Iterator[Any]:
        """pandas DataFrames one by one, as Spark's `mapInPandas` has them."""
        for frame in frames:
            yield self.frame(frame)

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> List[Dict[str, Any]]:
        """Dicts, as Dask's bags have them."""
        out = []
        for row in rows:
            done = self.columns({name: [value] for name, value in row.items()})
            out.append({name: column[0].item() if name in _TYPES else column[0]
                        for name, column in done.items()})
        return out

    def meta(self, frame: Any) -> Any:
        """An empty DataFrame with the columns of `frame(frame)`, for engines that ask beforehand."""
        columns = {name: frame[name].head(0).to_numpy() for name in frame.columns
                   if self.keep or name != self.column}
        for name in COLUMNS:
            columns[name] = np.empty(0, _TYPES.get(name, object))
        return type(frame.head(0))(columns)

    def _flat(self) -> "Explain":
        if self.flat:
            return self
        other = object.__new__(Explain)
        other.__dict__.update(self.__dict__, flat=True)
        return other

    def _row(self, value: Any, target: Any) -> Dict[str, Any]:
        explainer = self.explainer()
        try:
            why = self._explained(explainer, value, target)
        except Error as error:
            return self._failed(error.code, str(error))
        except (TypeError, ValueError, OSError) as error:
            return self._failed(BadInput.code, str(error) or type(error).__name__)
        heat = why.feature_map if self.map == "feature" else why.map
        extents = (int(np.prod(heat.shape[:-1])), heat.shape[-1])
        out = dict(COLUMNS, score=why.score, status="ok", map_rows=extents[0],
                   map_columns=extents[1], label=why.label or "",
                   map=heat.ravel() if self.flat else heat.astype(np.float16))
        if why.prediction is not None:
            out.update(index=why.prediction.class_index, probability=why.prediction.probability)
        return out

    def _failed(self, status: str, error: str) -> Dict[str, Any]:
        return dict(COLUMNS, status=status, error=error,
                    map=np.empty(0, np.float32) if self.flat else None)

    def _explained(self, explainer: Explainer, value: Any, target: Any) -> Explanation:
        value = _image(value)
        if isinstance(value, np.ndarray) and value.dtype != np.uint8:
            shape = explainer.inputs[0].shape
            if shape is not None and value.ndim == len(shape) - 1:
                value = value[None]
        if hasattr(target, "item"):
            target = target.item()
        with explainer.forward(value) as run:
            return run.explain(self.method, target, layer=self.layer, **self.explain)


def _image(value: Any) -> Any:
    """What a cell holds."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None or isinstance(value, float):  # pandas' NaN
        raise BadInput("the row has no image")
    if isinstance(value, (list, tuple)):
        value = np.asarray(value, np.float32)
    return value


