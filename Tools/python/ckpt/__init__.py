"""Checkpoint files of neural networks: any format in, any format out.

```
import ckpt

tensors = ckpt.load_file("model.ckz")                 # name -> NumPy array; ckpt.torch for tensors
ckpt.save_file(tensors, "model.safetensors")
file = ckpt.open("trainer.pt")                        # a lazy mapping; nothing is unpickled
file["model.fc.weight"], file.extras, file.tree
ckpt.diff("epoch3.pt", "epoch7.pt")
```

`ckpt.torch`, `ckpt.numpy`, and `ckpt.jax` have the same functions for each kind of array. The article Python of
CheckpointKit describes all of it.
"""

from ._diff import Diff
from ._errors import CheckpointError
from ._file import File, Slice, open  # noqa: A004
from ._operations import (
    Verification,
    check,
    convert,
    describe,
    diff,
    find_seed,
    fingerprint,
    init,
    reinit,
    verify,
)
from ._safe_open import safe_open
from ._values import TENSOR, Opaque
from .numpy import load, load_file, save, save_file

__version__ = "0.1.0"
__all__ = ["TENSOR", "CheckpointError", "Diff", "File", "Opaque", "Slice", "Verification", "check", "convert", "describe",
           "diff", "find_seed", "fingerprint", "init", "load", "load_file", "open", "reinit", "safe_open", "save",
           "save_file", "verify"]


def __getattr__(name):
    if name in ("ckz", "distributed", "jax", "lightning", "torch", "transformers"):
        import importlib

        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'ckpt' has no attribute '{name}'")
