"""Descriptions of live PyTorch models: see the article "The model description".

The expression is evaluated in its module and must give an nn.Module. It is built on two seeds. The first
time every operation is recorded (record, operations, streams) as a graph of what each storage holds
(nodes). From the graph come the description's steps (steps), from those both models are drawn again with
torch by code that knows only the steps (replay), and every tensor is compared. What agrees is described;
what does not gets `"rule": null` and a reason.
"""

import contextlib
import sys
import warnings

import torch

from . import rules
from .model import Description
from .record import Recorder
from .steps import raw_bytes
from .target import TargetError, builder, watched

__all__ = ["builder", "describe", "described", "raw_bytes", "TargetError"]

# Not seeds that a script sets itself.
SEEDS = [2_017_483_647, 1_986_210_411, 1_734_992_003, 1_611_733_709]


@contextlib.contextmanager
def settings():
    """Leaves torch's global settings as they were, and standard output to the description."""
    dtype, deterministic = torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled()
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_default_device(None)
            torch.use_deterministic_algorithms(deterministic)


def built(build, seed, recorder=contextlib.nullcontext()):
    with settings():
        torch.manual_seed(seed)
        with recorder:
            return build()


def described(target, embeds=False):
    """The description of what a target builds: a text, a function without arguments, or a model that is there."""
    rules.keep_originals()
    if isinstance(target, torch.nn.Module):
        return Description(None, target, 0)
    if callable(target):
        build = target
    elif ":" not in target:
        return saved(target)
    else:
        with settings():
            build = builder(target)
    recorder = Recorder(SEEDS[0])
    model = built(build, SEEDS[0], recorder)
    # A number that Python has read may have decided what is built; more seeds show it.
    seeds = SEEDS[1:] if recorder.escaped else SEEDS[1:2]
    others = [(seed, built(build, seed)) for seed in seeds]
    with settings():
        return Description(recorder, model, SEEDS[0], others, embeds)


def saved(path):
    with settings(), watched(path):
        model = torch.load(path, weights_only=False, map_location="cpu")
    if not isinstance(model, torch.nn.Module):
        raise TargetError(f"{path} holds {type(model).__name__}: expected an nn.Module that was saved whole, or "
                          "MODULE:EXPRESSION")
    return Description(None, model, 0)


def describe(target, embeds=False, about=None):
    """The description's text, and the reasons of the tensors that it cannot give."""
    description = described(target, embeds)
    return description.json(f"{about or target}, torch {torch.__version__}"), description.unknown()
