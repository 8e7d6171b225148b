"""`safe_open` of safetensors, for files of any format."""

from __future__ import annotations

from typing import Any

from ._errors import CheckpointError
from ._file import File, Slice, open  # noqa: A004

FRAMEWORKS = {"np": "numpy", "numpy": "numpy", "pt": "torch", "torch": "torch", "pytorch": "torch", "jax": "jax",
              "flax": "jax"}


class safe_open:  # noqa: N801
    """Opens a checkpoint to read single tensors, or parts of them, as `safetensors.safe_open` does.

    ```
    with safe_open("model.ckz", framework="pt", device="cpu") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            part = file.get_slice(name)[:, :16]
    ```
    """

    def __init__(self, filename, framework: str, device: Any = "cpu", **options):
        if framework not in FRAMEWORKS:
            raise CheckpointError(f"framework '{framework}': expected np, pt, or jax", code="usage")
        kind = FRAMEWORKS[framework]
        if kind == "torch":
            from .torch import opened

            self._file: File = opened(filename, device, **options)
        elif kind == "jax":
            from .jax import opened

            self._file = opened(filename, device, **options)
        else:
            self._file = open(filename, **options)

    def keys(self) -> list[str]:
        """The tensors' names, sorted as safetensors has them."""
        return sorted(self._file)

    def offset_keys(self) -> list[str]:
        """The tensors' names in the file's order."""
        return list(self._file)

    def metadata(self) -> dict[str, str] | None:
        """The texts that are stored with the tensors; None if there are none."""
        return self._file.metadata or None

    def get_tensor(self, name: str):
        """A tensor."""
        if name not in self._file:
            raise CheckpointError(f"{self._file.path}: no tensor '{name}'", code="missing",
                                  path=self._file.path, tensor=name)
        return self._file[name]

    def get_tensors(self, names) -> dict[str, Any]:
        """Tensors, read at once and in parallel."""
        return self._file.load(names)

    def get_slice(self, name: str) -> Slice:
        """A tensor of which parts are read."""
        return self._file.slice(name)

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *_) -> None:
        self._file.close()
