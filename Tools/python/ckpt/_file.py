"""Opened checkpoints: a lazy mapping from names to arrays."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Union

import numpy as np

from . import _arrays, _dtypes, _values
from ._errors import CheckpointError
from ._library import Call, Handle, library, opened, run

Path = Union[str, bytes, os.PathLike]


class File(Mapping):
    """The tensors of a checkpoint by name, in the file's order; each is read when it is asked for.

    `file[name]` gives a new array. Nothing is loaded when the file is opened. The object can be used by several
    threads, in processes that were forked, and as a context manager.
    """

    def __init__(self, handle: Handle, path: str, *, threads: int | None = None, types=None, wrap=None, options=()):
        self._handle: Handle | None = handle
        self._threads, self._wrap = threads, wrap
        self._types = types or _dtypes.numpy_types()
        self.path = path
        # How the file was opened, in the command's words; other tensors than the file's own with any of them.
        self._options = list(options)
        self._table = _arrays.TensorTable(handle)
        self.format: str = library().ckpt_format(handle.pointer).decode()

    # The mapping.

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.names)

    def __contains__(self, name) -> bool:
        return name in self._table.index

    def __getitem__(self, name: str):
        return self._made(name, self.numpy(name))

    def load(self, names=None, *, progress=None) -> dict[str, Any]:
        """The arrays of these names, all by default, read at once and in parallel; tied ones are one array.

        `progress` is called with the bytes done and the bytes in all.
        """
        table = self._table
        wanted = table.names if names is None else list(names)
        indices = np.arange(len(table)) if names is None else np.array([self._index(name) for name in wanted], np.int64)
        arrays = _arrays.read(self._live, table, indices, self._types, Call(self._threads, progress))
        if self._wrap is None:
            return dict(zip(wanted, arrays))
        wrap = self._wrap
        dtypes = table.dtypes if names is None else [table.dtypes[index] for index in indices]
        if not (table.aliases >= 0).any():
            return dict(zip(wanted, map(wrap, arrays, dtypes)))
        made: dict[int, Any] = {}
        for array, dtype in zip(arrays, dtypes):
            if id(array) not in made:
                made[id(array)] = wrap(array, dtype)
        return {name: made[id(array)] for name, array in zip(wanted, arrays)}

    def load_into(self, arrays: Mapping[str, np.ndarray], *, progress=None) -> None:
        """Reads tensors into arrays that are there, of their types and shapes, without gaps: memory is used again."""
        table = self._table
        indices = [self._index(name) for name in arrays]
        for index, (name, array) in zip(indices, arrays.items()):
            kind = self._types.get(table.dtypes[index])
            if array.dtype != kind or array.shape != table.shape(index) or not array.flags.carray:
                raise CheckpointError(
                    f"{self.path}: tensor '{name}': expected a writable array of {kind} {table.shape(index)} without "
                    f"gaps, found {array.dtype} {array.shape}", code="mismatched", path=self.path, tensor=name)
        targets = [array.__array_interface__["data"][0] for array in arrays.values()]
        sizes = table.byte_counts[np.asarray(indices, np.int64)]
        _arrays.read_many(self._live, indices, 0, sizes, targets, Call(self._threads, progress))

    # What tensors are, without reading them.

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's sizes, outermost first."""
        return self._table.shape(self._index(name))

    def dtype(self, name: str) -> str:
        """A tensor's element type by safetensors' name, `F32`."""
        return self._table.dtypes[self._index(name)]

    def alias(self, name: str) -> str | None:
        """The earlier name of the tensor to which this one is tied."""
        alias = int(self._table.aliases[self._index(name)])
        return None if alias < 0 else self._table.names[alias]

    def nbytes(self, name: str) -> int:
        """Bytes of a tensor's elements."""
        return int(self._table.byte_counts[self._index(name)])

    def numpy(self, name: str) -> np.ndarray:
        """A tensor as an array, whatever kind of array the file gives."""
        return _arrays.read(self._live, self._table, np.array([self._index(name)]), self._types, Call(self._threads))[0]

    def slice(self, name: str) -> Slice:
        """A tensor of which parts can be read: `file.slice(name)[2:5, :, 0]`."""
        return Slice(self, name)

    # What else a file holds.

    @property
    def extras(self) -> dict[str, Any]:
        """Everything in the file that is not a tensor: epochs, learning rates, attributes, vocabularies.

        An object of a class becomes an Opaque, with the class's name and those of its members that are plain. In
        nested values, TENSOR stands where a tensor is.
        """
        return {name: value for name, value in self._values.items() if not _values.is_reserved(name, value)}

    @property
    def metadata(self) -> dict[str, str]:
        """The extras that are text, as safetensors has them."""
        return {name: value for name, value in self.extras.items() if isinstance(value, str)}

    @property
    def recipe(self) -> str | None:
        """The JSON of the recipe from which the values can be drawn again, if the file has one."""
        return self._values.get("recipe")

    @property
    def notes(self) -> list[str]:
        """What the library remarked about the file, one sentence each."""
        import json

        return json.loads(self._live.text(library().ckpt_notes))

    @property
    def tree(self) -> str:
        """The module tree as PyTorch prints it; where the file has none, it is inferred from names and shapes."""
        # The last line counts the modules.
        parts = [option for option in self._options if option.startswith("--key=")]
        return run(["tree", *parts, "--", self.path])[1].rstrip("\n").rpartition("\n")[0]

    @property
    def _values(self) -> dict[str, Any]:
        return _values.decode(self._live.text(library().ckpt_values))

    # The end.

    def close(self) -> None:
        """Closes the file; arrays that were read stay."""
        self._handle = None

    def __enter__(self) -> File:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __repr__(self) -> str:
        total = int(self._table.byte_counts[self._table.aliases < 0].sum())
        return f"<ckpt.File {self.path!r}: {self.format}, {len(self)} tensors, {total:,} bytes>"

    @property
    def _live(self) -> Handle:
        if self._handle is None:
            raise CheckpointError(f"{self.path}: is closed", code="usage", path=self.path)
        return self._handle

    def _index(self, name: str) -> int:
        try:
            return self._table.index[name]
        except KeyError:
            raise KeyError(name) from None

    def _made(self, name: str, array: np.ndarray):
        return array if self._wrap is None else self._wrap(np.asarray(array), self.dtype(name))


class Slice:
    """A tensor of which parts are read: only the bytes that the part needs, or the rows that hold them."""

    # Runs of fewer bytes than this are read together with what lies between them.
    _RUN = 4096

    def __init__(self, file: File, name: str):
        self._file, self._name = file, name
        self.shape, self.dtype = file.shape(name), file.dtype(name)

    def get_shape(self) -> list[int]:
        """The tensor's sizes, as safetensors has them."""
        return list(self.shape)

    def get_dtype(self) -> str:
        """The element type by safetensors' name."""
        return self.dtype

    def __getitem__(self, key):
        return self._file._made(self._name, self.numpy(key))

    def numpy(self, key) -> np.ndarray:
        """The part as an array."""
        file, name = self._file, self._name
        kind = file._types.get(self.dtype)
        if kind is None:
            raise _dtypes.unsupported(name, self.dtype)
        keys = self._keys(key)
        if keys is None or 0 in self.shape or not self.shape:
            return file.numpy(name)[key]
        index = file._index(name)
        if len(keys[0]) > 1 and abs(keys[0].step) * (nbytes := self._row(kind)) < self._RUN:
            # Short rows: all from the first to the last are read as one.
            low, high = sorted((keys[0][0], keys[0][-1]))
            array = np.empty((high - low + 1, *self.shape[1:]), kind)
            sizes = np.array([array.nbytes])
            _arrays.read_many(file._live, index, np.array([low * nbytes]), sizes, np.array([array.ctypes.data]),
                              Call(file._threads))
            keys[0] = range(keys[0].start - low, keys[0].stop - low, keys[0].step)
            return self._cut(array, keys, 0)
        # As many leading axes are cut exactly as leave runs that are long enough; the rest is cut from what was read.
        axes, inner = 0, int(np.prod(self.shape, dtype=np.int64)) * kind.itemsize
        offsets = np.zeros(1, np.int64)
        for axis, (size, chosen) in enumerate(zip(self.shape, keys)):
            if axis > 0 and (inner // size < self._RUN or len(offsets) * len(chosen) > 1 << 16):
                break
            inner //= size
            offsets = (offsets[:, None] + np.fromiter(chosen, np.int64, len(chosen)) * inner).ravel()
            axes += 1
        outer = [len(chosen) for chosen in keys[:axes]]
        array = np.empty((*outer, *self.shape[axes:]), kind)
        if array.size:
            starts, sizes = _joined(offsets, inner)
            targets = array.ctypes.data + np.cumsum(sizes) - sizes
            _arrays.read_many(file._live, index, starts, sizes, targets, Call(file._threads))
        return self._cut(array, keys, axes)

    def _row(self, kind) -> int:
        """Bytes of one index of the first axis."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * kind.itemsize

    @staticmethod
    def _cut(array: np.ndarray, keys, axes: int) -> np.ndarray:
        """What the keys choose of an array, of which so many axes are cut already."""
        rest = tuple(slice(None) for _ in range(axes)) + tuple(
            slice(chosen.start, chosen.stop if chosen.stop >= 0 else None, chosen.step) for chosen in keys[axes:])
        drop = tuple(0 if isinstance(chosen, _One) else slice(None) for chosen in keys)
        part = array[rest][drop]
        return part if part.flags.c_contiguous and part.base is None else np.ascontiguousarray(part).reshape(part.shape)

    def _keys(self, key):
        """A range of indices for each axis; None for a key that NumPy must take."""
        keys = list(key) if isinstance(key, tuple) else [key]
        if any(not (isinstance(item, (slice, type(Ellipsis))) or _is_index(item)) for item in keys) or any(
                isinstance(item, (bool, np.bool_)) for item in keys):
            return None
        if Ellipsis in [item for item in keys if item is Ellipsis]:
            place = next(order for order, item in enumerate(keys) if item is Ellipsis)
            keys[place:place + 1] = [slice(None)] * (len(self.shape) - len(keys) + 1)
        if len(keys) > len(self.shape) or any(item is Ellipsis for item in keys):
            raise IndexError(f"tensor '{self._name}' of shape {self.shape}: too many indices")
        keys += [slice(None)] * (len(self.shape) - len(keys))
        return [_chosen(item, size, self._name) for item, size in zip(keys, self.shape)]


def _is_index(item) -> bool:
    try:
        operator.index(item)
    except TypeError:
        return False
    return True


class _One:
    """One index of an axis, which the result does not have."""

    def __init__(self, index):
        self.start, self.stop, self.step = index, index + 1, 1

    def __len__(self):
        return 1

    def __iter__(self):
        return iter((self.start,))


def _chosen(item, size, name):
    if isinstance(item, slice):
        return range(*item.indices(size))
    index = operator.index(item)
    if not -size <= index < size:
        raise IndexError(f"tensor '{name}': index {index} is out of range for a size of {size}")
    return _One(index % size)


def _joined(offsets: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs of a size at these offsets, those that follow each other as one."""
    firsts = np.flatnonzero(np.r_[True, np.diff(offsets) != size])
    counts = np.diff(np.r_[firsts, len(offsets)])
    return offsets[firsts], counts * size


def shown_path(path) -> str:
    """A path as a text."""
    return os.fsdecode(path)


def open(path: Path, *, key: str | None = None, parts: bool = False, match=(), exclude=(), rename=(),  # noqa: A001
         dtype=None, threads: int | None = None, allow_large: bool = False, _types=None, _wrap=None) -> File:
    """Opens a checkpoint of any format, by content: a file, a folder, or an http address.

    `key` selects a part of a file that holds several, and `parts=True` takes all of them, with nested names. `match`
    and `exclude` are selectors, `rename` are substitutions `s/a/b/`, and `dtype` casts floating-point tensors and
    gives the values of quantized ones: each as of the command `ckpt convert`.
    """
    options = []
    if key is not None:
        options.append(f"--key={key}")
    if parts:
        options.append("--all")
    for name, items in (("--match", match), ("--exclude", exclude), ("--rename", rename)):
        for item in [items] if isinstance(items, str) else items:
            options.append(f"{name}={item}")
    if dtype is not None:
        options.append(f"--dtype={dtype_text(dtype)}")
    if allow_large:
        options.append("--allow-large")
    path = shown_path(path)
    return File(opened(library().ckpt_open, path, options), path, threads=threads, types=_types, wrap=_wrap,
                options=options)


def dtype_text(dtype) -> str:
    """The name of an element type: 'float32', numpy.float32, torch.float32."""
    if isinstance(dtype, str):
        return dtype
    text = str(dtype)
    if re.fullmatch(r"torch\.\w+", text):
        return text.removeprefix("torch.")
    return np.dtype(dtype).name
