#!/usr/bin/env python3
"""Runs python/ckpt/_describe, the description of PyTorch models, from its folder: nothing need be installed.

usage: python3 Tools/describe.py MODULE:EXPRESSION [-o FILE]     see --help

`import describe` gives the package itself.
"""
import importlib.util
import os
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "python/ckpt/_describe"


def load():
    """The package under the name `describe`."""
    spec = importlib.util.spec_from_file_location(
        "describe", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    package = importlib.util.module_from_spec(spec)
    sys.modules["describe"] = package
    spec.loader.exec_module(package)


try:
    load()
except ModuleNotFoundError as error:
    if __name__ != "__main__" or (error.name or "").split(".")[0] != "torch":
        raise
    name = os.environ.get("CKPT_DESCRIBE_NAME", "describe.py")
    print(f"{name}: needs PyTorch, which this Python does not have; pip install torch, or set PYTHON to one that has it",
          file=sys.stderr)
    sys.exit(2)
if __name__ == "__main__":
    from describe.__main__ import run

    run()
