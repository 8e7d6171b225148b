"""Values that are not tensors, and the exact JSON that stands for them: see the article Values."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
from typing import Any

RESERVED = ("recipe", "provenance", "keras.layers")


@dataclasses.dataclass(frozen=True)
class Opaque:
    """An object of a class that is not made: its class's name, and those of its members that are plain."""

    kind: str
    members: dict

    def __repr__(self):
        return f"<{self.kind} {self.members}>" if self.members else f"<{self.kind}>"


TENSOR = Opaque("torch.Tensor", {})
"""Stands in nested values for a tensor, which is under its dotted name."""


def is_reserved(name: str, value: Any) -> bool:
    """Whether a value is a note of ckpt itself: a JSON text of a name of its own."""
    return (name in RESERVED or name.startswith("ckpt.")) and isinstance(value, str) and (
        name not in RESERVED or value[:1] in ("{", "["))


def decode(text: str) -> dict[str, Any]:
    """The values that a JSON text stands for."""
    return _object(json.loads(text))


def _object(value):
    if isinstance(value, list):
        return [_object(element) for element in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, content), = value.items()
        if key == "$real":
            if content.startswith("0x"):
                return struct.unpack("<d", struct.pack("<Q", int(content, 16)))[0]
            return float(content)
        if key == "$bytes":
            return bytes.fromhex(content)
        if key == "$tuple":
            return tuple(_object(element) for element in content)
        if key == "$dictionary":
            return {_key(_object(name)): _object(element) for name, element in content}
        if key == "$opaque":
            return _opaque(content[0], _object(content[1]))
    return {name: _object(element) for name, element in value.items()}


def _key(value):
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _opaque(kind: str, members):
    try:
        if kind == "int" and isinstance(members.get("digits"), str):
            return int(members["digits"])
        if kind == "set":
            return set(members.values())
    except (TypeError, ValueError):
        pass  # a set of what cannot be in one here, or digits that are none or too many
    return Opaque(kind, members)


def encode(values: dict[str, Any]) -> str:
    """The JSON text of values: None, bool, int, float, str, bytes, list, tuple, set, and dict.

    NumPy's scalars become Python's. Other objects are refused by TypeError.
    """
    return json.dumps(_exact(values), ensure_ascii=False, allow_nan=False)


def _exact(value):
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else {"$opaque": ["int", {"digits": str(value)}]}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$real": _real(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, tuple):
        return {"$tuple": [_exact(element) for element in value]}
    if isinstance(value, list):
        return [_exact(element) for element in value]
    if isinstance(value, (set, frozenset)):
        return {"$opaque": ["set", {str(index): _exact(element) for index, element in enumerate(value)}]}
    if isinstance(value, Opaque):
        return {"$opaque": [value.kind, _exact(value.members)]}
    if isinstance(value, dict):
        if all(isinstance(name, str) and not name.startswith("$") for name in value):
            return {name: _exact(element) for name, element in value.items()}
        return {"$dictionary": [[_exact(name), _exact(element)] for name, element in value.items()]}
    raise TypeError(f"expected None, bool, int, float, str, bytes, list, tuple, set, or dict, found "
                    f"{type(value).__name__}")


def _real(value: float) -> str:
    if math.isinf(value):
        return "-inf" if value < 0 else "inf"
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    return "nan" if bits == 0x7FF8000000000000 else f"0x{bits:x}"


def flatten(nested, is_tensor) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors of nested dictionaries, lists, and tuples by their dotted names, and the values with TENSOR in
    their places. Tensors directly in the outermost dictionary have no place among the values."""
    tensors: dict[str, Any] = {}

    def walk(value, address):
        if is_tensor(value):
            if address in tensors:
                raise ValueError(f"two tensors would be called '{address}'")
            tensors[address] = value
            return TENSOR
        if isinstance(value, dict):
            return {key: walk(element, f"{address}.{key}") for key, element in value.items()}
        if type(value) in (list, tuple):
            return type(value)([walk(element, f"{address}.{index}") for index, element in enumerate(value)])
        return value

    values = {}
    for key, element in nested.items():
        if not isinstance(key, str):
            raise TypeError(f"expected texts as keys of the outermost dictionary, found {key!r}")
        if is_tensor(element):
            walk(element, key)
        else:
            values[key] = walk(element, key)
    return tensors, values


def nest(values: dict[str, Any], tensors: dict[str, Any]) -> dict[str, Any]:
    """Puts tensors where their dotted names lead among values: the reverse of flatten."""
    root = _Place(dict, {key: _Place.of(value) for key, value in values.items()})
    for name, tensor in tensors.items():
        root.put(name, tensor)
    return root.value()


class _Place:
    """A container of nested values, by keys; those of a list are its indices. The kind of an object is its class's
    name."""

    def __init__(self, kind, items):
        self.kind, self.items = kind, items
        self.names = {str(key): key for key, item in items.items() if isinstance(item, _Place) or item == TENSOR}

    @classmethod
    def of(cls, value):
        if isinstance(value, Opaque) and value.members:
            return cls(value.kind, {key: cls.of(element) for key, element in value.members.items()})
        if isinstance(value, dict):
            return cls(dict, {key: cls.of(element) for key, element in value.items()})
        if isinstance(value, (list, tuple)):
            return cls(type(value), {index: cls.of(element) for index, element in enumerate(value)})
        return value

    def put(self, name, tensor) -> bool:
        end = -1
        while self.names and end < len(name):
            end = name.find(".", end + 1)
            end = len(name) if end < 0 else end
            key = self.names.get(name[:end], self)
            if key is self:
                continue
            inner = self.items[key]
            if isinstance(inner, _Place):
                if end < len(name) and inner.put(name[end + 1:], tensor):
                    return True
            elif end == len(name):
                self.items[key] = tensor
                del self.names[name]
                return True
        if self.kind is not dict:
            return False
        self.items[name] = tensor
        return True

    def value(self):
        items = {key: item.value() if isinstance(item, _Place) else item for key, item in self.items.items()}
        if isinstance(self.kind, str):
            return Opaque(self.kind, items)
        return items if self.kind is dict else self.kind(items.values())
