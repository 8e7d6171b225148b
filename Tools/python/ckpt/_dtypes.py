"""Element types: safetensors' names, NumPy's types, and those of ml_dtypes where it is installed."""

from __future__ import annotations

import functools

import numpy as np

from ._errors import CheckpointError

PLAIN = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "F16": "<f2", "I32": "<i4", "U32": "<u4",
    "F32": "<f4", "C64": "<c8", "F64": "<f8", "I64": "<i8", "U64": "<u8", "C128": "<c16"}
ADDED = {
    "BF16": "bfloat16", "F8_E5M2": "float8_e5m2", "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"}
"""Types of ml_dtypes."""
RAW = {"BF16": "<u2", "F8_E5M2": "u1", "F8_E4M3": "u1", "F8_E8M0": "u1", "F8_E4M3FNUZ": "u1", "F8_E5M2FNUZ": "u1"}
"""Types of the same size, for libraries that reinterpret the bytes."""


@functools.cache
def numpy_types() -> dict[str, np.dtype]:
    """NumPy's types by safetensors' names: all that can be had here."""
    types = {name: np.dtype(spelling) for name, spelling in PLAIN.items()}
    try:
        import ml_dtypes
    except ImportError:
        return types
    for name, spelling in ADDED.items():
        if hasattr(ml_dtypes, spelling):
            types[name] = np.dtype(getattr(ml_dtypes, spelling))
    return types


@functools.cache
def raw_types() -> dict[str, np.dtype]:
    """NumPy's types by safetensors' names, with integers in place of those that NumPy lacks."""
    return {name: np.dtype(spelling) for name, spelling in (PLAIN | RAW).items()}


@functools.cache
def names() -> dict[np.dtype, str]:
    """Safetensors' names by NumPy's types."""
    return {dtype: name for name, dtype in numpy_types().items()}


def unsupported(tensor: str, name: str) -> CheckpointError:
    """The error for an element type that the arrays cannot have."""
    remedy = "install ml_dtypes, or pass dtype='float32'" if name in ADDED else "pass dtype='float32'"
    reason = f"NumPy has no element type {name}; {remedy}"
    return CheckpointError(f"tensor '{tensor}': {reason}", code="unsupported", reason=reason, tensor=tensor)


def name_of(array: np.ndarray, tensor: str) -> str:
    """Safetensors' name of an array's type."""
    found = names().get(array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype)
    if found is None:
        reason = f"a checkpoint has no element type for NumPy's {array.dtype}"
        raise CheckpointError(f"tensor '{tensor}': {reason}", code="unsupported", reason=reason, tensor=tensor)
    return found
