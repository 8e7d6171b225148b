"""Checkpoints as NumPy arrays, with the names of `safetensors.numpy`: any format in, any format out."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _arrays, _dtypes, _values
from ._errors import CheckpointError
from ._file import open  # noqa: A004
from ._library import Call
from ._safe_open import safe_open

__all__ = ["load", "load_file", "open", "safe_open", "save", "save_file"]


def load_file(path, *, dtype=None, threads: int | None = None, progress=None, **options) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint of any format by name, in the file's order; see ckpt.open for the options.

    bfloat16 and float8 need the package ml_dtypes, unless `dtype` casts them.
    """
    with open(path, dtype=dtype, threads=threads, **options) as file:
        return file.load(progress=progress)


def save_file(tensors: Mapping[str, np.ndarray], path, metadata: Mapping[str, str] | None = None, *,
              extras: Mapping[str, Any] | None = None, format: str | None = None,  # noqa: A002
              compression: str | None = None, parity: int | None = None, overwrite: bool = True,
              threads: int | None = None, progress=None) -> list[str]:
    """Writes arrays in the format of the path's ending, or in `format`; the file is replaced atomically.

    `metadata` are texts, and `extras` other values, that are stored with them. `compression` and `parity` are those of
    the command. Returns what the format cannot hold, one sentence each.
    """
    names, dtypes, shapes, kept = [], [], [], []
    for name, tensor in tensors.items():
        array = np.asarray(tensor)
        kind = _dtypes.name_of(array, name)
        if not array.flags.c_contiguous:
            array = np.ascontiguousarray(array).reshape(array.shape)
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        names.append(name)
        dtypes.append(kind)
        shapes.append(array.shape)
        kept.append(array)
    addresses = [array.__array_interface__["data"][0] for array in kept]
    aliases = tied(dtypes, shapes, addresses)
    sizes = [array.nbytes for array in kept]
    return written(path, (names, dtypes, shapes, sizes, addresses, aliases), metadata, extras, format, compression, parity,
                   overwrite, threads, progress)


def tied(dtypes: list[str], shapes: list[tuple], addresses: list[int]) -> list[int]:
    """For each tensor the earlier one that is the same memory, else -1."""
    if len(set(addresses)) == len(addresses):
        return [-1] * len(addresses)
    seen: dict = {}
    aliases = []
    for index, (dtype, shape, address) in enumerate(zip(dtypes, shapes, addresses)):
        first = seen.setdefault((address, dtype, tuple(shape)), index)
        aliases.append(first if first != index and 0 not in shape else -1)
    return aliases


Described = tuple[list[str], list[str], list[tuple], list[int], list[int], list[int]]
"""Names, dtypes, shapes, sizes in bytes, addresses, and aliases of tensors."""


def written(path, tensors: Described, metadata, extras, format, compression, parity, overwrite, threads, progress,  # noqa: A002
            nests=False) -> list[str]:
    """Writes tensors that lie in memory; see save_file."""
    options = ["--force"] if overwrite else []
    if nests:
        options.append("--nest")
    for name, value in (("--to", format), ("--compression", compression), ("--parity", parity)):
        if value is not None:
            options += [name, str(value)]
    values = dict(extras or {})
    for key, text in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise CheckpointError(f"metadata: expected texts, found {key!r}: {text!r}", code="usage")
        values[key] = text
    return _arrays.write(path, *tensors, _values.encode(values) if values else None, options, Call(threads, progress))


def load(data: bytes, **options) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint that is in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "data"
        path.write_bytes(data)
        return load_file(path, **options)


def save(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None, *,
         format: str = "safetensors", **options) -> bytes:  # noqa: A002
    """A checkpoint as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data")
        save_file(tensors, path, metadata, format=format, **options)
        return pathlib.Path(path).read_bytes()
