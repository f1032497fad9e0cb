"""Methods of explanation by name."""

from __future__ import annotations

from ctypes import byref
from typing import Any, List, Mapping, NamedTuple, Optional, Union

from . import _structs as c
from ._arguments import NamedTensors, encoded
from ._library import check, error_struct, made, tensors, text

Number = Union[int, float]


class Method:
    """A method and what it is told: `Method("smoothgrad", {"samples": 50})`.

    `options`: numbers by name (`methods()` lists them; switches are 0 or 1). `layer_rules`: of LRP's
    rules, by a layer's or node's name. `given`: tensors in place of what the method would draw at
    random (noise, masks, backgrounds), by name. Names are checked where the method is used.
    """

    __slots__ = ("name", "options", "layer_rules", "given")

    def __init__(self, name: str, options: Optional[Mapping[str, Number]] = None, *,
                 layer_rules: Optional[Mapping[str, str]] = None,
                 given: Optional[Mapping[str, Any]] = None) -> None:
        self.name = name
        self.options = dict(options or {})
        self.layer_rules = dict(layer_rules or {})
        self.given = dict(given or {})

    def __repr__(self) -> str:
        return f"Method({self.name!r}, {self.options!r})"

    def __getstate__(self) -> Any:
        return (self.name, self.options, self.layer_rules, self.given)

    def __setstate__(self, state: Any) -> None:
        self.name, self.options, self.layer_rules, self.given = state


AnyMethod = Union[str, Method]


class MethodInfo(NamedTuple):
    """A row of the list of methods. `options` is "samples=25 1..10000,...": defaults and ranges."""

    name: str
    title: str
    paper: str
    use: str
    options: str
    is_expensive: bool
    is_of_input: bool


def methods() -> List[MethodInfo]:
    """Every method that the library knows."""
    library, error = tensors(), error_struct()
    info = made(c.MethodInfo)
    out = []
    for index in range(library.fovea_method_count()):
        check(library.fovea_method_at(index, byref(info), byref(error)), error)
        out.append(MethodInfo(text(info.name), text(info.title), text(info.paper), text(info.use),
                              text(info.options), bool(info.is_expensive), bool(info.is_of_input)))
    return out


def as_method(method: AnyMethod) -> Method:
    return method if isinstance(method, Method) else Method(method)


def method_struct(method: AnyMethod) -> Any:
    """A fovea_method, which keeps alive what it points to."""
    method = as_method(method)
    out = made(c.Method)
    out.name = encoded(method.name, "a method's name")
    if method.options:
        told = [f"{name}={float(value):.17g}" for name, value in method.options.items()]
        out.options = encoded(",".join(told), "a method's option")
    if method.layer_rules:
        told = [f"{layer}={rule}" for layer, rule in method.layer_rules.items()]
        out.layer_rules = encoded(",".join(told), "a layer's rule")
    if method.given:
        given = NamedTensors(method.given)
        out.given = given.pointer
        out.given_count = given.count
        out._given = given
    return out
