"""From a PyTorch module: `fovea.torch.explain(module, x)`.

The module is exported once (`torch.onnx.export`), kept by what it holds, and explained by fovea: no
gradient of PyTorch's is asked for, and no hook set.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from ._arguments import PathLike
from .errors import BadInput, InvalidArgument
from .explainer import Explainer
from .explanation import Explanation
from .methods import AnyMethod
from .model import Model
from .run import Target

if TYPE_CHECKING:
    import torch

_PARTS = ("layers", "targets", "fetches", "preprocess", "labels", "input_shapes", "fixed_inputs",
          "batch", "threads", "precision", "precision_falls_back", "tuning", "tuning_time",
          "plan_cache", "optimize", "multi_label", "output", "waiting", "fewer_threads", "max_runs",
          "memory_limit", "smoothing", "perturbation_batch", "token_grid", "prefix_tokens", "log",
          "stop", "timeout")
# Of the last module: an explainer, and the layer's name in its graph.
_last: Dict[Tuple[str, str], Tuple[Explainer, Optional[str]]] = {}


def cache_folder() -> str:
    """Where exported models are kept: $XDG_CACHE_HOME/fovea, or ~/.cache/fovea."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "fovea")


def digest(module: "torch.nn.Module", x: Any, opset: Optional[int] = None) -> str:
    """What an export depends on: the module's structure (its text and its classes' code), its
    weights and buffers, the input's shape and type, PyTorch's version and the opset. SHA-256, in
    hexadecimal."""
    import torch

    out = hashlib.sha256()
    seen = set()
    for part in module.modules():
        kind = type(part)
        if kind not in seen:
            seen.add(kind)
            code = getattr(kind.forward, "__code__", None)
            out.update(f"{kind.__module__}.{kind.__qualname__}".encode())
            out.update(b"" if code is None else code.co_code + repr(code.co_consts).encode())
    said = (repr(module), torch.__version__, opset, tuple(x.shape), str(x.dtype))
    out.update(repr(said).encode())
    for name, value in sorted(module.state_dict().items()):
        if not hasattr(value, "shape"):
            out.update(f"{name} {value!r}".encode())
            continue
        tensor = value.detach().cpu().contiguous()
        out.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        out.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return out.hexdigest()


def export(module: "torch.nn.Module", x: Any, *, cache: Optional[PathLike] = None,
           opset: Optional[int] = None) -> str:
    """The module as an ONNX file, in evaluation mode, for inputs of `x`'s shape; its path.

    `cache`: a folder, None: `cache_folder()`. One that is there already is taken. The module comes
    back in the mode in which it was.
    """
    import torch

    if not isinstance(x, torch.Tensor):
        raise BadInput(f"x is a torch.Tensor, not a {type(x).__name__}")
    folder = cache_folder() if cache is None else os.fsdecode(cache)
    path = os.path.join(folder, f"{digest(module, x, opset)}.onnx")
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    modes = [(part, part.training) for part in module.modules()]
    options: Dict[str, Any] = {} if opset is None else {"opset_version": opset}
    # The older exporter, where there is a choice, needs no further package.
    if "dynamo" in torch.onnx.export.__code__.co_varnames:
        options["dynamo"] = False
    try:
        module.eval()
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            written = os.path.join(scratch, "model.onnx")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the exporter about itself
                torch.onnx.export(module, (x.detach(),), written, input_names=["x"], **options)
            others = [name for name in os.listdir(scratch) if name != "model.onnx"]
            if others:
                raise InvalidArgument("the module's weights are too large for one file: export it "
                                      "with torch.onnx.export, and open it with fovea.Model")
            os.replace(written, path)
    finally:
        for part, mode in modes:
            part.training = mode
    return path


def explainer(module: "torch.nn.Module", x: Any, method: AnyMethod = "gradcam", *,
              cache: Optional[PathLike] = None, opset: Optional[int] = None,
              **options: Any) -> Explainer:
    """An `Explainer` of the module for inputs of `x`'s shape; `options` are its."""
    return Explainer(Model(export(module, x, cache=cache, opset=opset)), [method], **options)


def explain(module: "torch.nn.Module", x: Any, method: AnyMethod = "gradcam",
            target: Target = "top:1", *, layer: Optional[str] = None,
            cache: Optional[PathLike] = None, opset: Optional[int] = None,
            **options: Any) -> Explanation:
    """Where did the module look?

    `module`: a `torch.nn.Module` of one input, explained in evaluation mode. `x`: the input, a
    `torch.Tensor` of one image. `layer`: a name of the ONNX graph's, or a submodule's ("layer4"): what
    it hands out last; None: the last feature map before the head. `method`, `target` and what
    changes the map: as `Run.explain_each`; else `options` are `Explainer`'s.

    The export is kept on disk by its digest, the explainer in this process, so that the next call of
    the same module costs a digest, a forward pass and the map.
    """
    made = {name: options.pop(name) for name in _PARTS if name in options}
    path = export(module, x, cache=cache, opset=opset)
    key = (path, repr((method, layer, sorted(made.items()))))
    if key not in _last:
        model = Model(path)
        value = None if layer is None else layer_of(model, layer)
        if value is not None:
            made.setdefault("layers", [value])
        found = Explainer(model, [method], **made)
        _last.clear()  # notebooks change weights: the one before is seldom wanted again
        _last[key] = (found, value)
    found, value = _last[key]
    with found.forward({"x": x.detach().cpu().numpy()}) as run:
        return run.explain(method, target, layer=value, **options)


def layer_of(model: Model, name: str) -> str:
    """The last value of the ONNX graph that a submodule makes; the name itself where it is one."""
    with Explainer(model, tuning="off") as made:
        layers = made.layers
    if any(name in (row.name, row.node) for row in layers):
        return name
    path = "/" + name.replace(".", "/") + "/"
    inside = [row for row in layers if row.node.startswith(path) or row.name.startswith(path)]
    if not inside:
        raise InvalidArgument(f"there is no layer and no submodule '{name}' in the exported graph")
    return inside[-1].name
