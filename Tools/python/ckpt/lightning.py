"""Checkpoints of Lightning in any format: `Trainer(plugins=[ckpt.lightning.CkptIO()])`."""

from __future__ import annotations

import os
from typing import Any

try:
    from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
except ImportError:
    from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO

from . import torch as _torch


class CkptIO(CheckpointIO):
    """Writes what the trainer saves, in the format of the path's ending or in `format`, and reads any format.

    Nothing is pickled: what is neither a tensor nor plain data is refused with a TypeError when it is saved.
    """

    def __init__(self, format: str | None = None, **options: Any):  # noqa: A002
        self.format, self.options = format, options

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes a checkpoint; the file is replaced atomically."""
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        _torch.save(checkpoint, path, format=self.format, **self.options)

    def load_checkpoint(self, path: Any, map_location: Any = None, *_: Any, **__: Any) -> dict[str, Any]:
        """Reads a checkpoint; a function as `map_location` gives tensors on the CPU."""
        return _torch.load(path, None if callable(map_location) else map_location)

    def remove_checkpoint(self, path: Any) -> None:
        """Removes a checkpoint."""
        if os.path.exists(path):
            os.remove(path)
