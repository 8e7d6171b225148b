"""What the command does, as functions."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from ._diff import Diff
from ._errors import CheckpointError
from ._file import File, dtype_text, shown_path
from ._library import Call, library, opened, run


def _options(**given) -> list[str]:
    """Options of the command by their names: a list repeats one, True is a flag, and None and False are left out."""
    options: list[str] = []
    for name, value in given.items():
        spelled = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            options.append(spelled)
            continue
        for item in value if isinstance(value, (list, tuple)) else [value]:
            text = dtype_text(item) if name in ("dtype", "cast") else str(item)
            options.append(f"{spelled}={text}")
    return options


def _listed(items) -> list[str]:
    return [items] if isinstance(items, str) else list(items)


@contextlib.contextmanager
def _model(model: Any) -> Iterator[str | None]:
    """A file with the model: a path, a text of print(model), a description, or a module or a function that makes one."""
    if model is None:
        yield None
        return
    if isinstance(model, os.PathLike) or isinstance(model, str) and "(" not in model and "{" not in model:
        yield shown_path(model)
        return
    text = model if isinstance(model, str) else describe(model)
    with tempfile.TemporaryDirectory(prefix="ckpt-") as folder:
        path = pathlib.Path(folder) / "model.txt"
        path.write_text(text)
        try:
            yield str(path)
        except CheckpointError as error:
            raise _renamed(error, str(path), "model") from None


def _renamed(error: CheckpointError, path: str, name: str) -> CheckpointError:
    """The error with a name in place of a file that the caller does not know."""
    return CheckpointError(str(error).replace(path, name), code=error.code, reason=error.reason.replace(path, name),
                           path=name if error.path == path else error.path, tensor=error.tensor, offset=error.offset,
                           errno=error.errno)


@contextlib.contextmanager
def _file(source: Any) -> Iterator[str]:
    """The path of a checkpoint: a path, an opened file, a mapping of arrays or tensors, or a module."""
    if isinstance(source, File) and not source._options:
        yield source.path
        return
    if hasattr(source, "state_dict") and not isinstance(source, Mapping):
        source = source.state_dict()
    if not isinstance(source, Mapping):
        yield shown_path(source)
        return
    with tempfile.TemporaryDirectory(prefix="ckpt-", dir=_memory(source)) as name:
        path = os.path.join(name, "tensors.ckz")
        if isinstance(source, File):
            # As it was opened, with all that is not a tensor.
            run(["convert", "--quiet", "--compression=none", *source._options, "--", source.path, path])
        else:
            _saver(source)(source, path, compression="none")
        try:
            yield path
        except CheckpointError as error:
            raise _renamed(error, path, "tensors") from None


def _memory(tensors: Mapping[str, Any]) -> str | None:
    """A folder in memory, if there is one with room."""
    if isinstance(tensors, File):
        needed = sum(map(tensors.nbytes, tensors))
    else:
        needed = sum(getattr(tensor, "nbytes", 0) for tensor in tensors.values())
    folder = "/dev/shm"
    with contextlib.suppress(OSError):
        if shutil.disk_usage(folder).free > 2 * needed + (1 << 20):
            return folder
    return None


def _saver(tensors: Mapping[str, Any]) -> Any:
    first = next(iter(tensors.values()), None)
    if type(first).__module__.split(".")[0] == "torch":
        from . import torch as arrays
    else:
        from . import numpy as arrays  # type: ignore[no-redef]
    return arrays.save_file


def _label(source: Any) -> str:
    if isinstance(source, File):
        return source.path
    if isinstance(source, (str, bytes, os.PathLike)):
        return shown_path(source)
    return type(source).__name__


def init(model: Any = None, seed: int = 0, rules=(), *, recipe=None, library=None, dtype=None, cast=None, order=None,
         skip=None, at_construction=(), extra=None, match_torch=None, allow_incomplete: bool = False, output=None,
         overwrite: bool = False, framework: str | None = None, threads: int | None = None, progress=None):
    """The values that PyTorch gives a model after `torch.manual_seed(seed)`, bit for bit, by name.

    `model` is the text of `print(model)` or the path of a file with it, a description, an nn.Module, or a function that
    makes one. `rules` are as `'Linear: weight=xavier_uniform, bias=1'`. With `output`, they are written to a file, with
    their recipe, and nothing is returned. `framework` is `numpy` or `torch`; by default `torch` for a module.
    """
    framework = framework or ("numpy" if model is None or isinstance(model, (str, os.PathLike)) else "torch")
    options = _options(seed=seed, rule=_listed(rules), recipe=None if recipe is None else shown_path(recipe),
                       library=library, dtype=dtype, cast=cast, order=order, skip=skip,
                       at_construction=_listed(at_construction), match_torch=match_torch,
                       extra=None if extra is None else shown_path(extra), allow_incomplete=allow_incomplete)
    with _model(model) as path:
        if output is not None:
            target = [f"--output={shown_path(output)}"] + (["--force"] if overwrite else [])
            run(["init", *target, *options, *([] if path is None else ["--", path])], threads, progress)
            return None
        if path is None:
            raise CheckpointError("init: expected a model", code="usage")
        handle = opened(_library().ckpt_open_model, path, options)
        name = path if isinstance(model, (str, os.PathLike)) else "model"
        if framework == "torch":
            from .torch import _READ, _tensor

            file = File(handle, name, threads=threads, types=_READ, wrap=_tensor)
        else:
            file = File(handle, name, threads=threads)
        return file.load(progress=progress)


_library = library


def describe(model: Any, *, embed_unknown: bool = False) -> str:
    """The description (JSON) of a PyTorch model, which says what its constructor draws; needs torch.

    `model` is a function without arguments that makes the model, `MODULE:EXPRESSION`, or a model that is there. Of the
    last, layers are described as their classes begin: what its constructor changed afterwards is not known. What there
    is to say about the description is a warning; tensors whose values are not known have the reason in it.
    """
    if isinstance(model, str) and ":" not in model:
        raise CheckpointError(
            "describe: expected MODULE:EXPRESSION; of a file that you trust, pass the model that torch.load gives",
            code="usage")
    from . import _describe

    try:
        description = _describe.described(model, embed_unknown)
    except _describe.TargetError as error:
        raise CheckpointError(str(error), code="unsupported") from None
    for note in description.notes:
        warnings.warn(note, stacklevel=2)
    about = model if isinstance(model, str) else getattr(model, "__qualname__", type(model).__qualname__)
    return description.json(f"{about}, torch {_describe.torch.__version__}")


class Verification(dict):
    """The document of a verification; `is_verified` is the answer."""

    @property
    def is_verified(self) -> bool:
        """Whether all that the recipe covers is identical."""
        return self["isVerified"]

    @property
    def tensors(self) -> list[dict[str, Any]]:
        """The outcome of each tensor."""
        return self["tensors"]


def verify(file: Any, model: Any = None, seed: int | None = None, rules=(), *, recipe=None, library=None, dtype=None,
           cast=None, order=None, skip=None, rename=(), key=None, threads: int | None = None,
           progress=None) -> Verification:
    """Redraws the values that a recipe gives and compares: the file's own recipe, or a model with a seed and rules."""
    with _file(file) as path, _model(model) as description:
        options = _options(model=description, seed=seed, rule=_listed(rules), library=library, dtype=dtype, cast=cast,
                           order=order, skip=skip, rename=_listed(rename), key=key,
                           recipe=None if recipe is None else shown_path(recipe))
        _, document, _ = run(["verify", "--json", *options, "--", path], threads, progress)
    return Verification(json.loads(document))


def find_seed(file: Any, model: Any = None, rules=(), *, range: tuple[int, int] = (0, 100_000),  # noqa: A002
              library=None, dtype=None, rename=(), match=(), key=None, threads: int | None = None,
              progress=None) -> int | None:
    """The seed from which a checkpoint's untouched weights were drawn, or None; `range` is inclusive."""
    with _file(file) as path, _model(model) as description:
        options = _options(model=description, rule=_listed(rules), range=f"{range[0]}..{range[1]}", library=library,
                           dtype=dtype, rename=_listed(rename), match=_listed(match), key=key)
        _, document, _ = run(["find-seed", "--json", *options, "--", path], threads, progress)
    return json.loads(document).get("seed")


def reinit(file: Any, match, *, seed: int = 0, rules=(), model: Any = None, exclude=(), order=None, source=None,
           output=None, in_place: bool = False, dry_run: bool = False, overwrite: bool = False, rename=(), key=None,
           threads: int | None = None, progress=None) -> list[str]:
    """Redraws selected layers of a checkpoint, or copies them from another (`source`); everything else stays.

    Writes to `output`, or to the file itself with `in_place`; returns the names of the tensors that are new.
    """
    with _model(model) as description:
        options = _options(match=_listed(match), exclude=_listed(exclude), seed=seed, rule=_listed(rules),
                           model=description, order=order, rename=_listed(rename), key=key, in_place=in_place,
                           dry_run=dry_run, output=None if output is None else shown_path(output), force=overwrite,
                           **{"from": None if source is None else shown_path(source)})
        _, document, _ = run(["reinit", "--json", *options, "--", shown_path(file)], threads, progress)
    return json.loads(document)["replaced"]


def diff(first: Any, second: Any, *, rtol: float = 0.0, atol: float = 0.0, match=(), exclude=(), rename=(), map=None,  # noqa: A002
         key=None, threads: int | None = None, progress=None) -> Diff:
    """Compares two checkpoints value by value: files of any formats, mappings of arrays or tensors, or modules."""
    with _file(first) as left, _file(second) as right:
        options = _options(rtol=rtol or None, atol=atol or None, match=_listed(match), exclude=_listed(exclude),
                           rename=_listed(rename), map=None if map is None else shown_path(map), key=key)
        _, document, notes = run(["diff", "--json", *options, "--", left, right], threads, progress)
    return Diff(json.loads(document), notes, _label(first), _label(second))


def fingerprint(file: Any, *, algorithm: str = "blake3", threads: int | None = None, progress=None) -> str:
    """The digest of a checkpoint's tensors, which is the same in every format: 64 hexadecimal digits."""
    with _file(file) as path:
        status, document, notes = run(["hash", "--json", f"--algorithm={algorithm}", "--", path], threads, progress)
    if status:
        raise CheckpointError(notes[-1] if notes else f"{path}: cannot be read", code="malformed", path=path)
    return json.loads(document)[0]["fingerprint"]


def check(file: Any, *, threads: int | None = None, progress=None) -> list[str]:
    """Reads every byte of a file and compares all checksums; returns what is damaged, one line each."""
    status, document, notes = run(["check", "--", shown_path(file)], threads, progress)
    return [] if status == 0 else notes or document.splitlines()


def convert(source: Any, output, *, format: str | None = None, match=(), exclude=(), rename=(), dtype=None,  # noqa: A002
            compression: str | None = None, parity: int | None = None, shard_size: str | None = None, like=None,
            parts: bool = False, key=None, overwrite: bool = False, threads: int | None = None,
            progress=None) -> list[str]:
    """Writes a checkpoint in another format, whole or in part, in bounded memory; returns the files' paths."""
    options = _options(to=format, match=_listed(match), exclude=_listed(exclude), rename=_listed(rename), dtype=dtype,
                       compression=compression, parity=parity, shard_size=shard_size, all=parts, key=key,
                       like=None if like is None else shown_path(like), force=overwrite)
    with _file(source) as path:
        _, document, _ = run(["convert", "--json", *options, "--", path, shown_path(output)], threads, progress)
    return json.loads(document)["files"]


__all__ = ["Call", "Verification", "check", "convert", "describe", "diff", "find_seed", "fingerprint", "init", "reinit",
           "verify"]
