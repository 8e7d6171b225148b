"""Draws of all kinds one after another from one generator; used by make-fixtures.py.

Each case is a model of bare tensors as a side file has them, `lines`, and the SHA-256 of what
torch.nn.init draws for them in turn: so what one draw leaves of the generator, cached normal
included, is what the next begins with. `path` is the CPU path, avx2 or default.
"""

import hashlib
import random
import subprocess
import sys

TYPES = ["float32", "float64", "bfloat16", "float16"]
SEEDS = [0, 42, -1, -(2**63), 2**64 - 1, 2**32, 2**32 + 5, 2**63, -123456789]
# Around blocks of 16, the generator's 624 words, and what is drawn at once.
SIZES = [0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 48, 156, 311, 313, 607, 623, 624, 625, 640, 1247, 1248,
         1249, 2495, 2496, 2497, 4999]


def number(choice, *usual):
    return choice.choice([*usual, choice.uniform(-3, 3)])


def initializer(choice, is_matrix):
    """A rule's text, and the function and arguments of torch.nn.init that it stands for."""
    kinds = ["uniform", "uniform", "normal", "normal", "normal", "trunc_normal"]
    if is_matrix:
        kinds += ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "sparse", "orthogonal"]
    kind = choice.choice(kinds)
    if kind == "uniform":
        low = number(choice, 0.0, -0.5, -1e-3)
        values = {"a": low, "b": low + choice.choice([1.0, 0.0, 2**-10, 0.3])}
    elif kind == "normal":
        values = {"mean": number(choice, 0.0, 0.0, 1.0), "std": choice.choice([1.0, 0.02, 0.0, 2.7])}
    elif kind == "trunc_normal":
        mean, std, a, b = choice.choice(
            [(0.0, 1.0, -2.0, 2.0), (0.0, 0.02, -2.0, 2.0), (0.0, 1.0, -0.1, 0.2), (-1.0, 1.0, 0.5, 3.0)])
        values = {"mean": mean, "std": std, "a": a, "b": b}
    elif kind == "sparse":
        values = {"sparsity": choice.choice([0.0, 0.5, 0.97, 1.0]), "std": 0.3}
    elif kind == "orthogonal":
        values = {"gain": 0.0}  # its values are near torch's only; what counts is the words it takes
    elif kind.startswith("xavier"):
        values = {"gain": choice.choice([1.0, 0.0, 5 / 3])}
    else:
        values = {"a": choice.choice([0.0, 0.2, 5**0.5]), "mode": choice.choice(["fan_in", "fan_out"]),
                  "nonlinearity": choice.choice(["relu", "leaky_relu", "tanh", "selu", "linear"])}
    text = ", ".join(f"{key}={value}" for key, value in values.items())
    steps = ""
    if kind in ("normal", "uniform"):
        steps = choice.choice(["", "", "", " * 0.02", " / 3 + 1"])
    elif kind == "orthogonal":
        steps = " + 0"  # no negative zeros
    return f"{kind}({text}){steps}", kind + "_", values, steps


def case(index):
    import torch

    choice = random.Random(index)
    seed = SEEDS[index % len(SEEDS)]
    lines, sums = [], []
    torch.manual_seed(seed)
    for position in range(16):
        size = choice.choice(SIZES)
        factor = choice.choice([f for f in (1, 2, 3, 4, 8, 13) if size % f == 0])
        shape = choice.choice([[size], [factor, size // factor]])
        dtype = choice.choice(TYPES)
        text, function, values, steps = initializer(choice, len(shape) == 2 and size > 0)
        if function == "orthogonal_" and (dtype not in TYPES[:2] or size > 1000):
            text, function, values, steps = "normal()", "normal_", {}, ""
        lines.append(f"p{position}: {shape} {dtype} = {text}")
        tensor = torch.empty(shape, dtype=getattr(torch, dtype))
        getattr(torch.nn.init, function)(tensor, **values)
        words = steps.split()
        for operator, operand in zip(words[::2], words[1::2]):
            tensor = {"*": tensor.mul, "/": tensor.div, "+": tensor.add}[operator](float(operand))
        raw = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        sums.append(hashlib.sha256(raw).hexdigest())
    path = "default" if torch.backends.cpu.get_cpu_capability() == "DEFAULT" else "avx2"
    return {"id": f"{path} {index}", "path": path, "seed": str(seed % 2**64), "lines": lines, "sha256": sums}


def cases():
    """Those of the machine's own path, then those of the other, from a process of its own."""
    import json
    import os

    first = [case(index) for index in range(27)]
    other = subprocess.run(
        [sys.executable, __file__], check=True, capture_output=True, text=True,
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default"})
    return first + json.loads(other.stdout)


if __name__ == "__main__":
    import json

    print(json.dumps([case(index) for index in range(27, 36)]))
