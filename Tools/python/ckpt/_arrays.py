"""Tensors as NumPy arrays: reading many at once, and handing arrays to the library."""

from __future__ import annotations

import ctypes
import functools
import itertools
import json
from collections.abc import Iterator
from ctypes import byref, c_void_p

import numpy as np

from . import _dtypes
from ._library import Call, Handle, Table, check, dtype_names, encoded, library, take_text, texts

PART = np.dtype([("tensor", "u8"), ("offset", "u8"), ("size", "u8"), ("target", "u8")])
ALIGNMENT = 64
PAGE = 2 << 20
"""Bytes of a large page of memory."""
SMALL = 1 << 20
"""Bytes below which tensors of one type and shape are rows of one array."""
FEW = 4
"""Tensors of one type and shape from which on they are."""
ARENA = 16 << 20
"""Bytes of memory that tensors share, at most; a larger one has memory of its own."""


def _column(pointer: int, kind: str, count: int) -> np.ndarray:
    """A copy of an array of the library."""
    dtype = np.dtype(kind)
    return np.frombuffer(ctypes.string_at(pointer, count * dtype.itemsize), dtype)


class TensorTable:
    """Names, types, shapes, and sizes of a checkpoint's tensors, taken over in a few copies."""

    def __init__(self, handle: Handle):
        table = library().ckpt_tensors(handle.pointer).contents
        count = table.count
        self._name_ends = _column(table.name_ends, "u8", count).astype(np.int64)
        self._name_bytes = ctypes.string_at(table.names, int(self._name_ends[-1]) if count else 0)
        self.codes = _column(table.dtypes, "u1", count)
        self.ends = _column(table.size_ends, "u8", count).astype(np.int64)
        self.sizes = _column(table.sizes, "i8", self.ends[-1] if count else 0)
        self.ranks = np.diff(self.ends, prepend=0)
        self.byte_counts = _column(table.byte_counts, "u8", count).astype(np.int64)
        self.aliases = _column(table.aliases, "i8", count)

    def __len__(self) -> int:
        return len(self.codes)

    @functools.cached_property
    def names(self) -> list[str]:
        """The tensors' names."""
        ends, blob = self._name_ends, self._name_bytes
        if b"\0" in blob or not len(ends):
            return [blob[start:end].decode() for start, end in zip([0, *ends.tolist()], ends.tolist())]
        # One split is faster than a part for each.
        return np.insert(np.frombuffer(blob, np.uint8), ends[:-1], 0).tobytes().decode().split("\0")

    @functools.cached_property
    def index(self) -> dict[str, int]:
        """The tensors' numbers by name."""
        return {name: index for index, name in enumerate(self.names)}

    @functools.cached_property
    def dtypes(self) -> list[str]:
        """The element types' names."""
        return list(map(dtype_names().__getitem__, self.codes.tolist()))

    def shape(self, index: int) -> tuple[int, ...]:
        """A tensor's sizes."""
        end = self.ends[index]
        return tuple(self.sizes[end - self.ranks[index]:end].tolist())

    def alike(self, chosen: np.ndarray) -> Iterator[np.ndarray]:
        """The places of tensors among the chosen, together where types and shapes are the same."""
        for rank in np.unique(self.ranks[chosen]).tolist():
            places = np.flatnonzero(self.ranks[chosen] == rank)
            numbers = chosen[places]
            columns = [self.codes[numbers], *(self.sizes[self.ends[numbers] - axis] for axis in range(1, rank + 1))]
            order = np.lexsort(columns)
            changes = np.zeros(len(order) - 1, bool)
            for column in columns:
                column = column[order]
                changes |= column[1:] != column[:-1]
            yield from np.split(places[order], np.flatnonzero(changes) + 1)


def read_many(handle: Handle, tensors, offsets, sizes, targets, call: Call) -> None:
    """Reads parts of tensors into memory at these addresses."""
    parts = np.empty(len(sizes), PART)
    parts["tensor"], parts["offset"], parts["size"], parts["target"] = tensors, offsets, sizes, targets
    call.run(library().ckpt_read_many, handle.pointer, len(parts), parts.ctypes.data)


def read(handle: Handle, table: TensorTable, chosen: np.ndarray, types: dict[str, np.dtype],
         call: Call) -> list[np.ndarray]:
    """Reads whole tensors by their numbers; those that are tied are one array."""
    if not len(chosen):
        return []
    for index in _unknown(table, chosen, types):
        raise _dtypes.unsupported(table.names[index], table.dtypes[index])
    is_tied = bool((table.aliases[chosen] >= 0).any())
    firsts = _originals(table, chosen) if is_tied else chosen
    own = np.unique(firsts) if is_tied else chosen
    sizes = table.byte_counts[own]
    targets = np.zeros(len(own), np.uint64)
    made: list = [None] * len(own)
    is_small = (sizes > 0) & (sizes < SMALL) & (table.ranks[own] > 0) & (len(own) > 1)
    kinds = dtype_names()
    alone = np.flatnonzero(~is_small).tolist()
    small = np.flatnonzero(is_small)
    for group in table.alike(own[small]):
        places = small[group]
        if len(places) < FEW:
            alone += places.tolist()
            continue
        index, size = own[places[0]], int(sizes[places[0]])
        _share_memory(types[kinds[table.codes[index]]], table.shape(index), size, places, made, targets)
    for part in _together(alone, sizes.tolist()):
        count = sum(int(sizes[place]) + ALIGNMENT for place in part)
        boundary = PAGE if count >= 2 * PAGE else ALIGNMENT
        memory = np.empty(count + boundary, np.uint8)
        start = memory.ctypes.data
        end = start + -start % boundary
        for place in part:
            index = own[place]
            made[place] = np.ndarray(table.shape(index), types[kinds[table.codes[index]]], memory, end - start)
            targets[place] = end
            end += int(sizes[place])
            end += -end % ALIGNMENT
    if len(own) == 1 and sizes[0] < SMALL and handle.is_near and call.callback is None:
        # Done before another thread could begin.
        check(library().ckpt_read(handle.pointer, int(own[0]), 0, int(sizes[0]), int(targets[0])))
    else:
        read_many(handle, own, 0, sizes, targets, call)
    if not is_tied:
        return made
    arrays = [made[place] for place in np.searchsorted(own, firsts).tolist()]
    shapes = [table.shape(index) for index in chosen]
    return [array if shape == array.shape else array.reshape(shape) for shape, array in zip(shapes, arrays)]


def _together(places: list[int], sizes: list[int]) -> Iterator[list[int]]:
    """Tensors in groups that share memory, so that the system can give it in large pages: small ones cost far more."""
    part, room = [], ARENA
    for place in sorted(places):
        if part and sizes[place] > room:
            yield part
            part, room = [], ARENA
        part.append(place)
        room -= sizes[place]
    if part:
        yield part


def _share_memory(kind: np.dtype, shape: tuple, size: int, places: np.ndarray, made: list, targets: np.ndarray) -> None:
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
        for place, row in zip(part.tolist(), np.ndarray((len(part), *shape), kind, memory, skip, (step, *strides))):
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
