"""Checkpoints as PyTorch tensors, with the names of `safetensors.torch` and of `torch`: any format in, any format
out, and nothing is ever unpickled."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from . import _dtypes, _values
from . import numpy as _numpy
from ._errors import CheckpointError
from ._file import File
from ._file import open as _open
from ._safe_open import safe_open

__all__ = ["load", "load_file", "load_model", "open", "opened", "safe_open", "save", "save_file", "save_model"]

NAMES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "F16": "float16", "BF16": "bfloat16",
    "I32": "int32", "U32": "uint32", "F32": "float32", "C64": "complex64", "F64": "float64", "I64": "int64",
    "U64": "uint64", "C128": "complex128", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"}
TYPES = {name: getattr(torch, spelling) for name, spelling in NAMES.items() if hasattr(torch, spelling)}
SPELLED = {dtype: name for name, dtype in TYPES.items()}
_READ = {name: dtype for name, dtype in _dtypes.raw_types().items() if name in TYPES}
_PLAIN = set(_dtypes.PLAIN)


def _tensor(array: np.ndarray, dtype: str) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    return tensor if dtype in _PLAIN else tensor.view(TYPES[dtype])


def opened(path, device: Any = "cpu", **options) -> File:
    """A lazy mapping from names to tensors on a device; see ckpt.open for the options."""
    device = torch.device(f"cuda:{device}" if isinstance(device, int) else device)
    wrap = _tensor if device.type == "cpu" else lambda array, dtype: _tensor(array, dtype).to(device)
    return _open(path, _types=_READ, _wrap=wrap, **options)


open = opened  # noqa: A001


def load_file(filename, device: Any = "cpu", *, progress=None, **options) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint of any format by name, in the file's order; see ckpt.open for the options."""
    with opened(filename, device, **options) as file:
        return file.load(progress=progress)


def _gathered(tensors: Mapping[str, torch.Tensor]):
    """What the library needs to know of tensors, and the list of those that must be kept."""
    names, dtypes, shapes, sizes, addresses, aliases = [], [], [], [], [], []
    kept: list[torch.Tensor] = []
    seen: dict = {}
    for index, (name, tensor) in enumerate(tensors.items()):
        if not isinstance(tensor, torch.Tensor):
            raise CheckpointError(f"tensor '{name}': expected a torch.Tensor, found {type(tensor).__name__}",
                                  code="usage", tensor=name)
        if tensor.layout != torch.strided or tensor.device.type == "meta" or tensor.dtype not in SPELLED:
            what = "has no data" if tensor.device.type == "meta" else f"has layout {tensor.layout}" if (
                tensor.layout != torch.strided) else f"has dtype {tensor.dtype}"
            raise CheckpointError(f"tensor '{name}': {what}, which a checkpoint cannot hold", code="unsupported",
                                  tensor=name)
        key = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride(),
               tensor.is_conj(), tensor.is_neg())
        # Kept, so that its address is not used again.
        first = seen.setdefault(key, (index, tensor))[0] if tensor.numel() else index
        plain = kept[first] if first != index else (
            tensor.detach().cpu().resolve_conj().resolve_neg().contiguous())
        names.append(name)
        dtypes.append(SPELLED[tensor.dtype])
        shapes.append(tuple(tensor.shape))
        sizes.append(plain.nbytes)
        addresses.append(plain.data_ptr())
        aliases.append(first if first != index else -1)
        kept.append(plain)
    return (names, dtypes, shapes, sizes, addresses, aliases), kept


def save_file(tensors: Mapping[str, torch.Tensor], filename, metadata: Mapping[str, str] | None = None, *,
              extras: Mapping[str, Any] | None = None, format: str | None = None,  # noqa: A002
              compression: str | None = None, parity: int | None = None, overwrite: bool = True,
              threads: int | None = None, progress=None) -> list[str]:
    """Writes tensors in the format of the path's ending, or in `format`; the file is replaced atomically.

    Tensors that are one stay tied where the format can. `metadata` are texts, and `extras` other values, that are
    stored with them. Returns what the format cannot hold, one sentence each.
    """
    gathered, kept = _gathered(tensors)
    notes = _numpy.written(filename, gathered, metadata, extras, format, compression, parity, overwrite, threads, progress)
    del kept
    return notes


def save_model(model: torch.nn.Module, filename, metadata: Mapping[str, str] | None = None, **options) -> list[str]:
    """Writes a model's state dict; see save_file."""
    return save_file(model.state_dict(), filename, metadata, **options)


def load_model(model: torch.nn.Module, filename, strict: bool = True, device: Any = "cpu", **options):
    """Loads a checkpoint of any format into a model; returns the missing and the unexpected names."""
    return model.load_state_dict(load_file(filename, device, **options), strict=strict)


def load(path, map_location: Any = None, weights_only: bool = True, *, threads: int | None = None,
         allow_large: bool = False) -> Any:
    """What `torch.load` gives, of a file of any format: the nested dictionaries of a training checkpoint, with tensors.

    Nothing in the file is called. An object of a class becomes a ckpt.Opaque with the class's name; so
    `weights_only=False`, which makes such objects, is refused.
    """
    if not weights_only:
        raise CheckpointError(
            "weights_only=False calls whatever a file names, which ckpt never does; load the weights without it, or "
            "run torch.load on a file that you trust", code="unsupported")
    if hasattr(path, "read"):
        with tempfile.NamedTemporaryFile() as copy:
            copy.write(path.read())
            copy.flush()
            return load(copy.name, map_location, threads=threads, allow_large=allow_large)
    with opened(path, _device(map_location), parts=True, threads=threads, allow_large=allow_large) as file:
        return _values.nest(_with_dtypes(file.extras), file.load())


def _device(location):
    if location is None:
        return "cpu"
    if isinstance(location, (str, torch.device)):
        return location
    if isinstance(location, dict):
        return location.get("cpu", "cpu")
    raise CheckpointError(f"map_location: expected a device, found {type(location).__name__}", code="usage")


def _with_dtypes(value):
    if isinstance(value, _values.Opaque):
        found = getattr(torch, value.kind.removeprefix("torch."), None)
        return found if isinstance(found, torch.dtype) and not value.members else _values.Opaque(
            value.kind, _with_dtypes(value.members)) if value.members else value
    if isinstance(value, dict):
        return {key: _with_dtypes(element) for key, element in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with_dtypes(element) for element in value)
    return value


def save(value: Mapping[str, Any], path, *, format: str | None = None, compression: str | None = None,  # noqa: A002
         parity: int | None = None, overwrite: bool = True, threads: int | None = None, progress=None) -> list[str]:
    """Writes nested dictionaries, lists, and tuples with tensors, such as the state of a training run, so that `load`
    gives them again: a .pt file that torch.load reads as well, or a file of any other format.

    Objects of classes are refused with a TypeError; returns what the format cannot hold, one sentence each.
    """
    tensors, values = _values.flatten(value, lambda item: isinstance(item, torch.Tensor))
    gathered, kept = _gathered(tensors)
    nests = (format or pathlib.PurePath(os.fsdecode(path)).suffix.lstrip(".")) in ("pt", "pth", "bin", "ckpt", "pytorch")
    notes = _numpy.written(path, gathered, None, _as_values(values), format, compression, parity, overwrite, threads,
                           progress, nests=nests)
    del kept
    return notes


def _as_values(value):
    if isinstance(value, torch.dtype):
        return _values.Opaque(str(value), {})
    if isinstance(value, dict):
        return {key: _as_values(element) for key, element in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_as_values(element) for element in value)
    return value
