"""Finds what a target names, and says in one line what is wrong with it."""

import difflib
import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback

import torch


class TargetError(Exception):
    """What is wrong with the target or in the user's own code, in one line."""


class Names(dict):
    """A module's names, looked up as attributes so that lazy ones are found."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def __missing__(self, name):
        try:
            return getattr(self.module, name)
        except AttributeError:
            raise KeyError(name) from None


def builder(target):
    """A function that builds the model anew at each call."""
    place, colon, expression = target.partition(":")
    if not colon:
        raise TargetError(f"'{target}': expected MODULE:EXPRESSION, FILE.py:EXPRESSION, or a file saved by torch.save")
    if not expression.strip():
        raise TargetError(f"'{target}': expected an expression after the colon, such as Net()")
    module = loaded(place)
    expression = expression.strip()
    if not expression.endswith(")"):
        expression += "()"
    try:
        code = compile(expression, "<expression>", "eval")
    except SyntaxError as error:
        raise TargetError(f"'{expression}' is not a Python expression: {error.msg}") from None

    def build():
        with watched(place):
            try:
                model = eval(code, {"torch": torch, "nn": torch.nn}, Names(module))  # noqa: S307
            except NameError as error:
                raise named(error, module, place) from None
        if not isinstance(model, torch.nn.Module):
            raise TargetError(f"'{expression}' gives {article(type(model).__name__)}: expected an nn.Module")
        return model

    return build


def named(error, module, place):
    """A NameError of the expression, with the nearest name; one of the user's code is passed on."""
    if error.__traceback__ is not None and error.__traceback__.tb_next is not None \
            and error.__traceback__.tb_next.tb_next is not None:
        return error
    text = f"{place} has no name '{error.name}'"
    near = difflib.get_close_matches(str(error.name), dir(module), n=1)
    return TargetError(text + (f"; did you mean {near[0]}?" if near else ""))


def article(word):
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def loaded(place):
    """The module that a target's first part names."""
    if place.endswith(".py") or os.sep in place:
        return loaded_file(place)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    with watched(place):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            if error.name is None or not (place == error.name or place.startswith(error.name + ".")):
                raise
    raise TargetError(f"no module named '{place}'" + suggestion(place))


def suggestion(place):
    parent, _, leaf = place.rpartition(".")
    try:
        paths = importlib.import_module(parent).__path__ if parent else None
    except Exception:
        return ""
    names = [m.name for m in pkgutil.iter_modules(paths)]
    near = difflib.get_close_matches(leaf, names, n=1)
    if near:
        return f"; did you mean {joined(parent, near[0])}?"
    if os.path.exists(place + ".py"):
        return f"; did you mean {place}.py?"
    return ""


def joined(parent, leaf):
    return f"{parent}.{leaf}" if parent else leaf


def loaded_file(path):
    """A file as a module under its own name, with its folder, or its package's, on the search path."""
    if not os.path.isfile(path):
        folder = os.path.dirname(path) or "."
        names = os.listdir(folder) if os.path.isdir(folder) else []
        near = difflib.get_close_matches(os.path.basename(path), [n for n in names if n.endswith(".py")], n=1)
        raise TargetError(f"there is no file '{path}'"
                          + (f"; did you mean {os.path.join(os.path.dirname(path), near[0])}?" if near else ""))
    folder, name = os.path.split(os.path.abspath(path))
    name = name.removesuffix(".py")
    root, parts = folder, [name]
    while os.path.isfile(os.path.join(root, "__init__.py")):
        root, part = os.path.split(root)
        parts.insert(0, part)
    for entry in (os.getcwd(), root):
        if entry in sys.path:
            sys.path.remove(entry)
        sys.path.insert(0, entry)
    with watched(path):
        if len(parts) > 1:
            return importlib.import_module(".".join(parts))
        if name in sys.modules or not name.isidentifier():
            name = "described"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


class watched:
    """Turns what the user's code raises into one line with its place."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None or isinstance(error, (TargetError, KeyboardInterrupt, NameError)) and not trace_in_code(trace):
            return False
        if isinstance(error, (TargetError, KeyboardInterrupt)):
            return False
        raise TargetError(text_of(error, trace)) from None


def trace_in_code(trace):
    return any("<expression>" not in frame.filename and not is_ours(frame.filename) for frame in traceback.extract_tb(trace))


def is_ours(path):
    return os.path.dirname(os.path.abspath(path)) == os.path.dirname(os.path.abspath(__file__))


def text_of(error, trace):
    """FILE:LINE: what is wrong; the line is the innermost that is not an installed library's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(error.filename)}:{error.lineno}: SyntaxError: {error.msg}"
    frames = [f for f in traceback.extract_tb(trace)
              if not is_ours(f.filename) and "importlib" not in f.filename and not f.filename.startswith("<frozen")]
    own = [f for f in frames if "site-packages" not in f.filename and "dist-packages" not in f.filename
           and "/lib/python" not in f.filename and f.filename != "<expression>"]
    message = str(error).split("\n")[0]
    if isinstance(error, SystemExit):
        message = f"the program ends itself with exit status {error.code}"
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    place = (own or [f for f in frames if f.filename != "<expression>"] or [None])[-1]
    return f"{shown(place.filename)}:{place.lineno}: {what}" if place else what


def shown(path):
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
