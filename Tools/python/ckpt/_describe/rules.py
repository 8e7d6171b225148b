"""Initializers as text: what `ckpt` reads, and how torch fills a tensor by it."""

import inspect
import math
import re
import types

import torch

RANDOM_INITS = ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_",
                "kaiming_uniform_", "kaiming_normal_", "orthogonal_", "sparse_"]
PLAIN_INITS = ["constant_", "ones_", "zeros_", "eye_", "dirac_"]
FANS = {"xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"}
# What depends on the shape in other ways than by its fans.
WHOLE = {"orthogonal_", "sparse_", "eye_", "dirac_"}
# nn.init's own functions, which the recorder exchanges for its own while a model is built.
ORIGINALS = {}


def keep_originals():
    """Keeps copies of nn.init's functions that no recorder can reach."""
    for name in RANDOM_INITS + PLAIN_INITS:
        if name not in ORIGINALS:
            function = getattr(torch.nn.init, name)
            ORIGINALS[name] = types.FunctionType(
                function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
            ORIGINALS[name].__kwdefaults__ = function.__kwdefaults__


def number(value):
    """The shortest text that reads back equal, whole numbers without a fraction."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


class Rule:
    """One way to fill a tensor that depends on nothing but the generator."""

    def __init__(self, name, **values):
        self.name, self.values = name, values

    def text(self):
        if self.name == "constant_":
            return number(self.values["val"])
        defaults = {}
        if self.name in ORIGINALS:
            defaults = {k: p.default for k, p in inspect.signature(ORIGINALS[self.name]).parameters.items()}
        parts = [f"{key}={value if isinstance(value, str) else number(value)}"
                 for key, value in self.values.items() if defaults.get(key, self) != value]
        return self.name.rstrip("_") + (f"({', '.join(parts)})" if parts else "")

    def without_fans(self, shape):
        """The same with numbers in place of what follows from the shape."""
        if self.name not in FANS:
            return self
        probe = torch.empty(shape, device="meta")
        v = self.values
        if self.name.startswith("xavier"):
            fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(probe)
            std = v["gain"] * math.sqrt(2.0 / float(fan_in + fan_out))
        else:
            fan = torch.nn.init._calculate_correct_fan(probe, v["mode"])
            std = torch.nn.init.calculate_gain(v["nonlinearity"], v["a"]) / math.sqrt(fan)
        if self.name.endswith("normal_"):
            return Rule("normal_", mean=0.0, std=std)
        bound = math.sqrt(3.0) * std
        return Rule("uniform_", a=-bound, b=bound)


ARITHMETIC = {"*": torch.mul, "/": torch.div, "+": torch.add, "-": torch.sub}
DRAWS = {
    "randint": lambda t, low=0, high=None: t.random_(int(low), int(high)),
    "bernoulli": lambda t, p=0.5: t.bernoulli_(p),
    "randperm": lambda t: t.copy_(torch.randperm(t.numel(), dtype=t.dtype)),
}


def grouped(rule):
    """A rule with parentheses where a product follows a sum."""
    text, *operations = re.split(r" (?=[*/+-] )", rule)
    is_sum = False
    for operation in operations:
        if is_sum and operation[0] in "*/":
            text = f"({text})"
        is_sum = operation[0] in "+-"
        text += f" {operation}"
    return text


def ungrouped(rule):
    """The same without them: its operations are done one after the other."""
    text, depth = "", 0
    for character in rule.lstrip("("):
        if character == ")" and depth == 0:
            continue
        depth += {"(": 1, ")": -1}.get(character, 0)
        text += character
    return text


def fill(rule, tensor):
    """The values that a rule's text gives a contiguous tensor, which may be the tensor itself."""
    rule = ungrouped(rule)
    match = re.match(r"^([a-z_]+)(?:\((.*?)\))?((?: (?:[*/+-] \S+|erfinv|clamp\(\S+ \S+\)))*)$", rule)
    if match is None or match[1] in ("inf", "nan"):
        return tensor.fill_(float(rule))
    values = {}
    for part in filter(None, (match[2] or "").split(", ")):
        key, value = part.split("=")
        values[key] = value if re.match(r"^[a-z_]+$", value) and value not in ("inf", "nan") else float(value)
    padding = values.pop("padding_idx", None)
    if "groups" in values:
        values["groups"] = int(values["groups"])
    if match[1] in DRAWS:
        DRAWS[match[1]](tensor, **values)
    else:
        ORIGINALS[match[1] + "_"](tensor, **values)
    if padding is not None:
        tensor[int(padding)] = 0
    for operator, value, low, high in re.findall(r" (?:([*/+-]) (\S+)|erfinv|clamp\((\S+), (\S+)\))", match[3]):
        if low:
            tensor = torch.clamp(tensor, float(low), float(high))
        else:
            tensor = ARITHMETIC[operator](tensor, float(value)) if operator else torch.erfinv(tensor)
    return tensor
