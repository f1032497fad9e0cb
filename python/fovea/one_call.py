"""From files to a map in one call: `explain`."""

from __future__ import annotations

from typing import Any, List, Optional, Union

from ._arguments import Stop
from .explainer import Explainer
from .explanation import Explanation
from .methods import AnyMethod
from .model import AnyModel
from .photo import Input
from .run import Target, target_text


def explain(model: Union[AnyModel, Explainer], image: Input, method: AnyMethod = "gradcam",
            target: Target = "top:1", *, layer: Optional[str] = None,
            timeout: Optional[float] = None, stop: Optional[Stop] = None,
            normalize: Optional[str] = None, smooth: bool = False, keep_sign: bool = False,
            score: str = "by-method", negated: bool = False, **options: Any) -> Explanation:
    """Where did the network look?

    `model`: a path, an ONNX file's bytes, a `Model`, or an `Explainer`, which is the one to keep for
    more than one image: everything else is read and compiled again by each call. `image`: what
    `Explainer.forward` takes. `method`, `target`, `layer` and what changes the map: as
    `Run.explain_each` has them; `options`: `Explainer`'s. `timeout`: seconds of each of compiling,
    running and explaining.
    """
    if isinstance(model, Explainer):
        if options:
            raise TypeError(f"an Explainer is made already: {', '.join(sorted(options))} cannot "
                            "be told to it")
        explainer, own = model, False
    else:
        known: List[str] = list(options.pop("targets", []))
        wanted = target_text(target)
        if not wanted.startswith(("top:", "class:", "label:")):
            known.append(wanted)
        layers = list(options.pop("layers", [])) + ([] if layer is None else [layer])
        explainer = Explainer(model, [method], layers=layers, targets=known, smoothing=smooth,
                              timeout=timeout, stop=stop, **options)
        own = True
    try:
        with explainer.forward(image, timeout=timeout, stop=stop) as run:
            found = run.explain(method, target, layer=layer, normalize=normalize, smooth=smooth,
                                keep_sign=keep_sign, score=score, negated=negated,
                                timeout=timeout, stop=stop)
            found.warnings[:0] = run.warnings
            if found.photo is not None:
                if explainer.recipe.source == "assumed":
                    found.warnings.append("nobody says how photos become this model's input: "
                                          "ImageNet's recipe was assumed (preprocess=)")
        return found
    finally:
        if own:
            explainer.close()
