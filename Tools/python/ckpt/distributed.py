"""Checkpoints in any format for `torch.distributed.checkpoint`, with state dicts of FSDP, DTensor, and plain tensors:

```
dcp.save({"model": model.state_dict()}, storage_writer=ckpt.distributed.CkptStorageWriter("model.ckz"))
dcp.load(state, storage_reader=ckpt.distributed.CkptStorageReader("model.ckz"))
```
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.distributed.checkpoint import FileSystemWriter, StorageReader
from torch.distributed.checkpoint.metadata import (
    BytesStorageMetadata,
    ChunkStorageMetadata,
    Metadata,
    TensorProperties,
    TensorStorageMetadata,
)
from torch.distributed.checkpoint.planner import LoadItemType, LoadPlan, LoadPlanner, ReadItem
from torch.futures import Future

from . import _dtypes, _operations, _values
from . import torch as _torch
from ._errors import CheckpointError
from ._file import File

__all__ = ["CkptStorageReader", "CkptStorageWriter"]


class CkptStorageReader(StorageReader):
    """Reads a checkpoint of any format; each rank reads the slices that it needs, into its own memory where it can.

    Names are those of the file: with `parts=True` a training checkpoint's nested names, such as `model.fc.weight`. See
    ckpt.open for the options. Nothing in the file is unpickled.
    """

    def __init__(self, path: str | os.PathLike, **options: Any):
        self.path, self.options = path, options
        self._file: File | None = None
        self._values: dict[str, Any] = {}

    @property
    def checkpoint_id(self) -> str | os.PathLike:
        """The path."""
        return self.path

    @classmethod
    def validate_checkpoint_id(cls, checkpoint_id: str | os.PathLike) -> bool:
        """Whether there is such a file or folder."""
        return os.path.exists(checkpoint_id)

    def reset(self, checkpoint_id: str | os.PathLike | None = None) -> None:
        """Takes another path."""
        self.path, self._file = checkpoint_id or self.path, None

    def read_metadata(self) -> Metadata:
        """Opens the file: each tensor is one chunk."""
        file = self._file = _torch.opened(self.path, **self.options)
        self._values = dict(_leaves(file.extras))
        found: dict[str, Any] = {name: BytesStorageMetadata() for name in self._values}
        for name in file:
            size = torch.Size(file.shape(name))
            # A type that torch does not have is refused when such a tensor is read.
            properties = TensorProperties(dtype=_torch.TYPES.get(file.dtype(name), torch.uint8))
            chunk = ChunkStorageMetadata(torch.Size([0] * len(size)), size)
            found[name] = TensorStorageMetadata(properties, size, [chunk])
        return Metadata(found)

    def set_up_storage_reader(self, metadata: Metadata, is_coordinator: bool, *_: Any, **__: Any) -> None:
        """Nothing is needed."""

    def prepare_local_plan(self, plan: LoadPlan) -> LoadPlan:
        """The plan as it is."""
        return plan

    def prepare_global_plan(self, plans: list[LoadPlan]) -> list[LoadPlan]:
        """The plans as they are."""
        return plans

    def read_data(self, plan: LoadPlan, planner: LoadPlanner) -> Future[None]:
        """Reads whole tensors at once and in parallel, and parts of tensors one after another."""
        file = self._file
        assert file is not None
        whole: dict[str, np.ndarray] = {}
        done = []
        for item in plan.items:
            name = item.storage_index.fqn
            if item.type == LoadItemType.BYTE_IO:
                data = io.BytesIO()
                torch.save(self._values[name], data)
                data.seek(0)
                planner.load_bytes(item, data)
                continue
            target = planner.resolve_tensor(item).detach()
            if name not in whole and (memory := _memory(file, item, target)) is not None:
                whole[name] = memory
            else:
                ranges = zip(item.storage_offsets, item.lengths)
                target.copy_(file.slice(name)[tuple(slice(start, start + count) for start, count in ranges)])
            done.append((item, target))
        file.load_into(whole)
        for item, target in done:
            planner.commit_tensor(item, target)
        future: Future = Future()
        future.set_result(None)
        return future


class CkptStorageWriter(FileSystemWriter):
    """Writes one file, in the format of the path's ending or in `format`: a `.ckz` file that every command reads.

    Each rank writes its own shards, into the folder PATH.parts as torch does, and the first rank makes the file of them
    in bounded memory, atomically, and removes the folder; one that holds anything before is refused. All ranks must see
    the folder, and the disk must have room for both. Options are those of ckpt.convert.
    """

    def __init__(self, path: str | os.PathLike, *, format: str | None = None, **options: Any):  # noqa: A002
        super().__init__(f"{os.fsdecode(path)}.parts", sync_files=False)
        self.output, self.options = path, {"format": format, "parts": True, "overwrite": True, **options}

    def reset(self, checkpoint_id: str | os.PathLike | None = None) -> None:
        """Takes another path."""
        self.output = checkpoint_id or self.output
        super().reset(f"{os.fsdecode(self.output)}.parts")

    def set_up_storage_writer(self, is_coordinator: bool, *args: Any, **options: Any) -> None:
        """Learns the rank's part; see dcp.save."""
        if not options.get("use_collectives", True):
            raise CheckpointError("use_collectives=False writes no file of all ranks", code="unsupported")
        # No rank writes a file before all have come this far.
        if is_coordinator and os.path.isdir(self.path) and os.listdir(self.path):
            raise CheckpointError(
                f"{self.path}: holds files that would be lost: remove it if a save that failed has left it",
                code="system", path=str(self.path))
        super().set_up_storage_writer(is_coordinator, *args, **options)

    def finish(self, metadata: Metadata, results: Any) -> None:
        """Makes the file, on the first rank when all have written."""
        super().finish(metadata, results)
        _operations.convert(self.path, self.output, **self.options)
        shutil.rmtree(self.path)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Values that are not tensors by their dotted names, divided as dcp divides a state dict."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif _is_divided(value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{index}")
    elif value != _values.TENSOR:
        yield name, value


def _is_divided(value: Any) -> bool:
    """Whether a list holds dictionaries or tensors."""
    return type(value) is list and any(
        isinstance(inner, dict) or inner == _values.TENSOR or _is_divided(inner) for inner in value)


def _memory(file: File, item: ReadItem, target: torch.Tensor) -> np.ndarray | None:
    """A target's memory as an array, if a whole tensor of the file can be read into it as it is."""
    name = item.storage_index.fqn
    dtype = file.dtype(name)
    if tuple(item.lengths) != file.shape(name) or target.device.type != "cpu" or target.numel() == 0 \
            or not target.is_contiguous() or target.is_conj() or target.is_neg() \
            or target.dtype != _torch.TYPES.get(dtype):
        return None
    # NumPy lacks some types.
    is_plain = dtype in _dtypes.PLAIN
    return (target if is_plain else target.view(torch.uint16 if target.itemsize == 2 else torch.uint8)).numpy()
