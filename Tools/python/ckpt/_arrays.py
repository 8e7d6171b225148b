"""Tensors as NumPy arrays: reading many at once, and handing arrays to the library."""

from __future__ import annotations

import collections
import ctypes
import functools
import itertools
import json
from ctypes import byref, c_void_p

import numpy as np

from . import _dtypes
from ._library import Call, Handle, Table, check, dtype_names, encoded, library, take_text, texts

PART = np.dtype([("tensor", "u8"), ("offset", "u8"), ("size", "u8"), ("target", "u8")])
ALIGNMENT = 64
LARGE = 1 << 20
"""Bytes from which on a tensor has memory of its own."""
ARENA = 16 << 20
"""Bytes of the memory that small tensors share, at most."""


def _column(pointer: int, kind: str, count: int) -> np.ndarray:
    """A copy of an array of the library."""
    dtype = np.dtype(kind)
    return np.frombuffer(ctypes.string_at(pointer, count * dtype.itemsize), dtype)


class TensorTable:
    """Names, types, shapes, and sizes of a checkpoint's tensors, taken over in a few copies."""

    def __init__(self, handle: Handle):
        table = library().ckpt_tensors(handle.pointer).contents
        count = table.count
        ends = _column(table.name_ends, "u8", count).tolist()
        blob = ctypes.string_at(table.names, ends[-1] if ends else 0)
        starts = [0, *ends[:-1]] if ends else []
        if blob.isascii():
            text = blob.decode("ascii")
            self.names = [text[start:end] for start, end in zip(starts, ends)]
        else:
            self.names = [blob[start:end].decode() for start, end in zip(starts, ends)]
        kinds = dtype_names()
        self.codes = _column(table.dtypes, "u1", count)
        self.dtypes = [kinds[code] for code in self.codes.tolist()]
        size_ends = _column(table.size_ends, "u8", count).tolist()
        sizes = tuple(_column(table.sizes, "i8", size_ends[-1] if size_ends else 0).tolist())
        self.shapes = [sizes[start:end] for start, end in zip([0, *size_ends[:-1]], size_ends)]
        self.byte_counts = _column(table.byte_counts, "u8", count).astype(np.int64)
        self.aliases = _column(table.aliases, "i8", count)

    @functools.cached_property
    def index(self) -> dict[str, int]:
        """The tensors' numbers by name."""
        return {name: index for index, name in enumerate(self.names)}


def read_many(handle: Handle, tensors, offsets, sizes, targets, call: Call) -> None:
    """Reads parts of tensors into memory at these addresses."""
    parts = np.empty(len(sizes), PART)
    parts["tensor"], parts["offset"], parts["size"], parts["target"] = tensors, offsets, sizes, targets
    call.run(library().ckpt_read_many, handle.pointer, len(parts), parts.ctypes.data)


def read(handle: Handle, table: TensorTable, indices: list[int], types: dict[str, np.dtype],
         call: Call) -> list[np.ndarray]:
    """Reads whole tensors; those that are tied are one array."""
    if not indices:
        return []
    chosen = np.asarray(indices, np.int64)
    dtypes = table.dtypes
    for index in _unknown(table, chosen, types):
        raise _dtypes.unsupported(table.names[index], dtypes[index])
    is_tied = bool((table.aliases[chosen] >= 0).any())
    firsts = _originals(table, chosen) if is_tied else chosen
    own = np.unique(firsts) if is_tied else chosen
    sizes = table.byte_counts[own]
    targets = np.zeros(len(own), np.uint64)
    made: list = [None] * len(own)
    alike: dict[tuple[str, tuple], list[int]] = collections.defaultdict(list)
    shapes = table.shapes
    for place, (index, size) in enumerate(zip(own.tolist(), sizes.tolist())):
        dtype, shape = dtypes[index], shapes[index]
        if 0 < size < LARGE and shape:
            alike[dtype, shape].append(place)
        else:
            memory = np.empty(size, np.uint8)
            made[place] = np.ndarray(shape, types[dtype], memory)
            targets[place] = memory.ctypes.data
    for (dtype, shape), places in alike.items():
        _share_memory(types[dtype], shape, int(sizes[places[0]]), places, made, targets)
    read_many(handle, own, 0, sizes, targets, call)
    if not is_tied:
        return made
    position = np.searchsorted(own, firsts).tolist()
    return [made[place] if shapes[index] == made[place].shape else made[place].reshape(shapes[index])
            for place, index in zip(position, indices)]


def _share_memory(kind: np.dtype, shape: tuple, size: int, places: list[int], made: list, targets: np.ndarray) -> None:
    """Gives tensors of one type and shape memory together: the rows of an array are made faster than arrays."""
    step = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1)
    strides, inner = [], kind.itemsize
    for extent in reversed(shape):
        strides.insert(0, inner)
        inner *= extent
    most = max(ARENA // step, 1)
    for first in range(0, len(places), most):
        part = places[first:first + most]
        memory = np.empty(len(part) * step + ALIGNMENT, np.uint8)
        skip = -memory.ctypes.data % ALIGNMENT
        targets[part] = memory.ctypes.data + skip + np.arange(len(part), dtype=np.uint64) * step
        for place, row in zip(part, np.ndarray((len(part), *shape), kind, memory, skip, (step, *strides))):
            made[place] = row


def _unknown(table: TensorTable, chosen: np.ndarray, types: dict[str, np.dtype]) -> list[int]:
    missing = np.array([name not in types for name in dtype_names()])
    return chosen[missing[table.codes[chosen]]].tolist()


def _originals(table: TensorTable, chosen: np.ndarray) -> np.ndarray:
    """The tensors whose bytes are those of the chosen ones."""
    aliases = table.aliases[chosen]
    tied = np.where(aliases >= 0, aliases, chosen)
    # The original may be tied itself.
    while (table.aliases[tied] >= 0).any():
        tied = np.where(table.aliases[tied] >= 0, table.aliases[tied], tied)
    return tied


def write(path, names: list[str], dtypes: list[str], shapes: list[tuple], sizes: list[int], addresses: list[int],
          aliases: list[int], values: str | None, options: list[str], call: Call) -> list[str]:
    """Writes tensors that lie at these addresses; what keeps them alive is the caller's."""
    kinds = {name: code for code, name in enumerate(dtype_names())}
    blob = [name.encode() for name in names]
    count = len(names)
    columns: dict[str, np.ndarray] = {
        "name_ends": np.cumsum(np.fromiter(map(len, blob), np.uint64, count), dtype=np.uint64),
        "dtypes": np.fromiter((kinds[dtype] for dtype in dtypes), np.uint8, count),
        "sizes": np.fromiter(itertools.chain.from_iterable(shapes), np.int64),
        "size_ends": np.cumsum(np.fromiter(map(len, shapes), np.uint64, count), dtype=np.uint64),
        "byte_counts": np.asarray(sizes, np.uint64),
        "aliases": np.asarray(aliases, np.int64),
        "names": np.frombuffer(b"".join(blob) + b"\0", np.uint8)}
    table = Table(count=count, **{name: column.ctypes.data for name, column in columns.items()})
    data = np.asarray(addresses, np.uint64)
    notes = c_void_p()
    call.run(library().ckpt_write, encoded(path), texts(options), byref(table), data.ctypes.data,
             None if values is None else values.encode(), byref(notes))
    return json.loads(take_text(notes))


__all__ = ["TensorTable", "check", "read", "read_many", "write"]
