"""Checkpoints as JAX arrays: any format in, any format out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import numpy as _numpy
from ._file import File
from ._file import open as _open

__all__ = ["load_file", "open", "opened", "save_file"]


def opened(path, device: Any = None, **options) -> File:
    """A lazy mapping from names to arrays; see ckpt.open for the options."""
    target = device if isinstance(device, jax.Device) else None

    def wrap(array: np.ndarray, dtype: str):
        return jnp.asarray(array) if target is None else jax.device_put(array, target)

    return _open(path, _wrap=wrap, **options)


open = opened  # noqa: A001


def load_file(filename, *, progress=None, **options) -> dict[str, jax.Array]:
    """The tensors of a checkpoint of any format by name; see ckpt.open for the options."""
    with opened(filename, **options) as file:
        return file.load(progress=progress)


def save_file(tensors: Mapping[str, jax.Array], filename, metadata: Mapping[str, str] | None = None,
              **options) -> list[str]:
    """Writes arrays; see ckpt.numpy.save_file."""
    return _numpy.save_file({name: np.asarray(array) for name, array in tensors.items()}, filename, metadata, **options)
