"""Draws again with torch what a description says.

This knows nothing of how a description came to be: it reads the steps and the model's shapes, as `ckpt`
does, so that what it gives can be held against a live model.
"""

import base64
import math
import operator

import torch

from . import operations, rules

POWER_STEPS = 16
UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sqrt": torch.sqrt, "reciprocal": torch.reciprocal,
    "square": torch.square, "sign": torch.sign, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "erfinv": torch.erfinv,
}
UNARY |= {name: getattr(torch, name) for name in ("rsqrt", *operations.FUNCTIONS)}
WITH_NUMBER = {
    "pow": torch.pow,
    "*": torch.mul, "/": torch.div, "+": torch.add, "-": torch.sub, "rsub": torch.rsub,
    "rdiv": lambda x, n: n / x, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}
PAIRS = {"+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div,
         "minimum": torch.minimum, "maximum": torch.maximum,
         "keep": lambda x, mask: torch.where(mask == 0, 0, x)}


def applied(text, tensor):
    """One operation on each element."""
    word, *numbers = text.split()
    numbers = [float(n) for n in numbers]
    if not numbers:
        return UNARY[word](tensor) if word in UNARY else tensor.to(getattr(torch, word))
    if word == "clamp":
        low, high = (None if math.isinf(n) else n for n in numbers)
        return torch.clamp(tensor, low, high)
    value = numbers[0]
    if not tensor.dtype.is_floating_point and value.is_integer():
        value = int(value)
    return WITH_NUMBER[word](tensor, value)


def norms(tensor, dimension):
    """Norms of a tensor's slices along a dimension, None for the one norm of everything."""
    return torch.norm_except_dim(tensor, 2, -1 if dimension is None else dimension)


def from_base64(text, dtype):
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=dtype) if text else torch.empty(0, dtype=dtype)


class Replay:
    """The tensors that a list of draws gives from a seed; `shapes` holds the model's shapes and types."""

    def __init__(self, shapes):
        self.shapes = dict(shapes)
        self.values, self.generators = {}, {}
        # What a step could not be done for, with the reason.
        self.failed = {}

    def run(self, seed, draws):
        torch.manual_seed(seed)
        with torch.no_grad():
            for draw in draws:
                kind = next(k for k in KINDS if k in draw)
                try:
                    KINDS[kind](self, draw)
                except (RuntimeError, ValueError, KeyError, IndexError, NotImplementedError) as error:
                    name = draw.get("to") or draw.get("set") or draw.get("fill")
                    self.values.pop(name, None)
                    self.failed[name] = str(error).split("\n")[0]
        return self.values

    def empty(self, name):
        shape, dtype = self.shapes[name]
        return torch.empty(shape, dtype=dtype)

    def fill(self, draw):
        name = draw["fill"]
        if "data" in draw:
            shape, dtype = self.shapes[name]
            self.values[name] = from_base64(draw["data"], dtype).reshape(shape)
        elif "elements" in draw:
            low, high = draw["elements"]
            part = torch.empty(high - low, dtype=self.values[name].dtype)
            self.values[name].view(-1)[low:high] = rules.fill(draw["rule"], part)
        else:
            self.values[name] = rules.fill(draw["rule"], self.empty(name))

    def discard(self, draw):
        rules.fill(draw["rule"], torch.empty(draw["discard"], dtype=getattr(torch, draw.get("dtype", "float32"))))

    def advance(self, draw):
        torch.empty(draw["advance"], dtype=torch.int32).random_()

    def copy(self, draw):
        self.values[draw["to"]] = self.values[draw["copy"]].clone()

    def norms(self, draw):
        source = self.values[draw["norms"]]
        shape, _ = self.shapes[draw["to"]]
        self.values[draw["to"]] = norms(source, draw.get("dimension", 0)).reshape(shape)

    def powers(self, draw):
        matrix, u, v = (self.values.get(draw[key]) for key in ("powers", "u", "v"))
        matrix = matrix.movedim(draw["rows"], 0).flatten(1)
        for _ in range(POWER_STEPS):
            u = torch.nn.functional.normalize(torch.mv(matrix, v), dim=0, eps=1e-12)
            v = torch.nn.functional.normalize(torch.mv(matrix.H, u), dim=0, eps=1e-12)
        self.values[draw["u"]], self.values[draw["v"]] = u, v

    def scratch(self, draw):
        self.shapes[draw["scratch"]] = (draw["shape"], getattr(torch, draw.get("dtype", "float32")))

    def set(self, draw):
        name = draw["set"]
        source = self.values[draw["from"]].reshape(-1)
        result = self.values[name].clone() if name in self.values else self.empty(name)
        operations = filter(None, draw.get("apply", "").split("; "))
        if "indices" in draw:
            indices = from_base64(draw["indices"], torch.int32).long()
            part = source[indices.clamp(min=0)]
            for text in operations:
                part = applied(text, part)
            result.view(-1)[indices >= 0] = part[indices >= 0]
        else:
            sizes = draw.get("sizes", [result.numel()])
            whole = [0] + [math.prod(sizes[i + 1:]) for i in range(len(sizes))]
            to, of = draw.get("target", whole), draw.get("source", whole)
            part = torch.as_strided(source, sizes, of[1:], of[0])
            for text in operations:
                part = applied(text, part)
            torch.as_strided(result, sizes, to[1:], to[0]).copy_(part)
        self.values[name] = result

    def combine(self, draw):
        shape, _ = self.shapes[draw["to"]]
        left, right = (self.values[draw[key]].reshape(-1) for key in ("combine", "with"))
        self.values[draw["to"]] = PAIRS[draw["by"]](left, right).reshape(shape)

    def seed(self, draw):
        torch.manual_seed(draw["seed"])

    def save(self, draw):
        self.generators[draw["save"]] = torch.get_rng_state()

    def restore(self, draw):
        torch.set_rng_state(self.generators[draw["restore"]])


KINDS = {kind: getattr(Replay, kind) for kind in (
    "fill", "discard", "advance", "copy", "norms", "powers", "scratch", "set", "combine", "seed", "save", "restore")}
