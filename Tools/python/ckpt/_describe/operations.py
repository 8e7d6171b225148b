"""The operations of PyTorch whose results can be told, one function for each kind.

A function returns True (or DRAWN) if it has recorded the result, else False.
"""

import math

import torch
from torch.utils._pytree import tree_flatten

from . import rules
from .nodes import Combine, Constant, Empty, Known, Norms, Set, View, contiguous_strides

DRAWN = "drawn"
# Elements up to which an irregular order is written out, as a list of indices.
INDEX_LIMIT = 1 << 20

EMPTY = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
PLAIN = {"neg": "neg", "negative": "neg", "abs": "abs", "sqrt": "sqrt", "reciprocal": "reciprocal", "square": "square",
         "sign": "sign", "sgn": "sign", "floor": "floor", "ceil": "ceil", "round": "round", "erfinv": "erfinv"}
# Functions whose last bit PyTorch's libraries decide; by the names that they have besides their own.
FUNCTIONS = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid",
             "erf"]
PLAIN |= {name: name for name in ("rsqrt", *FUNCTIONS)} | {f"special_{name}": name for name in FUNCTIONS}
PLAIN["special_expit"] = "sigmoid"
ARITHMETIC = {"mul": "*", "div": "/", "true_divide": "/", "add": "+", "sub": "-", "rsub": "rsub"}
COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
PAIRS = {"mul": "*", "div": "/", "add": "+", "sub": "-", "minimum": "minimum", "maximum": "maximum"}
# Operations that only move elements: the places of their arguments that hold elements.
MOVES = {"flip": [0], "roll": [0], "tril": [0], "triu": [0], "tril_": [0], "triu_": [0], "index_select": [0],
         "index": [0], "gather": [0], "take": [0], "rot90": [0], "pixel_shuffle": [0], "pixel_unshuffle": [0],
         "diag_embed": [0], "repeat_interleave": [0], "constant_pad_nd": [0], "block_diag": [0], "diagonal_copy": [0],
         "index_copy": [0, 3], "index_copy_": [0, 3], "slice_scatter": [0, 1], "select_scatter": [0, 1]}
# Sums of products of their first two arguments, convolution with a bias as the third.
PRODUCTS = {"convolution", "mm", "mv", "bmm"}


def is_near(operation, dtype):
    """Whether an operation's last bit differs from machine to machine."""
    word, *numbers = operation.split()
    return word == "pow" and float(numbers[0]) not in (3, -2) or word in ("sqrt", *FUNCTIONS) \
        or word == "rsqrt" and dtype.itemsize < 4


def follow(recorder, name, func, args, kwargs, out, before):
    """Records what an operation gives; False if it cannot be told."""
    if not isinstance(out, torch.Tensor) or out.device.type != "cpu" or out.dtype.is_complex \
            or out.is_quantized or out.layout != torch.strided:
        return False
    if name in EMPTY:
        count = out.untyped_storage().nbytes() // out.element_size()
        recorder.put(out, Empty(count, out.dtype))
        return True
    if before is not None:
        return drawn(recorder, name, func, args, kwargs, out, before)
    values = kwargs.get("out")
    if values is not None and values is not out:
        return False
    first = args[0] if args and isinstance(args[0], torch.Tensor) else None
    plain = name.rstrip("_") if name != "_to_copy" else name
    if name in ("fill_", "zero_"):
        return filled(recorder, first, 0 if name == "zero_" else args[1])
    if name == "masked_fill_" or name == "masked_fill":
        return masked(recorder, first, args[1], args[2], out)
    if not any_random(recorder, args):
        return False  # a constant, whatever it is
    if name in PRODUCTS and vanishes(recorder, args):
        recorder.put(out, recorder.known(out))
        return True
    if name == "where" and len(args) == 3:
        return where(recorder, *args, out)
    if name == "copy_":
        return copied(recorder, args[1], first)
    if name in ("_to_copy", "clone", "contiguous"):
        return copied(recorder, first, out)
    if plain in ("cat", "concat", "stack"):
        return joined(recorder, plain, args, kwargs, out)
    if name == "repeat":
        return repeated(recorder, first, args[1], out)
    if name in MOVES:
        return moved(recorder, func, args, kwargs, out, MOVES[name])
    if plain in ("linalg_vector_norm", "norm"):
        return norms(recorder, first, args, kwargs, out)
    return elementwise(recorder, plain, args, kwargs, out)


def any_random(recorder, args):
    return any(isinstance(t, torch.Tensor) and recorder.is_random(t) for t in tree_flatten(args)[0])


def vanishes(recorder, args):
    """Whether a sum of products is zero whatever was drawn: one factor is, as in a run of a net on zeros."""
    bias = args[2] if len(args) > 2 else None
    factors = [t for t in args[:2] if not recorder.is_random(t)]
    return bias is None and any(not bool(t.any()) for t in factors)


# Draws

def drawn(recorder, name, func, args, kwargs, out, before):
    given = dict(zip([a.name for a in func._schema.arguments], args)) | kwargs
    defaults = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
    given = defaults | given
    if name in ("uniform_", "rand", "rand_like"):
        low, high = (given.get("from", 0.0), given.get("to", 1.0))
        return recorder.draw(out, rules.Rule("uniform_", a=float(low), b=float(high)), before)
    if name in ("normal_", "randn", "randn_like", "normal"):
        mean, std = given.get("mean", 0.0), given.get("std", 1.0)
        if isinstance(mean, torch.Tensor) or isinstance(std, torch.Tensor):
            return False
        return recorder.draw(out, rules.Rule("normal_", mean=float(mean), std=float(std)), before)
    if name in ("randint", "random_", "randint_like") and "high" in given or "to" in given:
        low, high = given.get("low", given.get("from", 0)), given.get("high", given.get("to"))
        if high is None or out.dtype == torch.bool:
            return False
        return recorder.draw(out, rules.Rule("randint", low=int(low or 0), high=int(high)), before)
    if name in ("bernoulli_", "bernoulli") and isinstance(given.get("p"), float):
        return recorder.draw(out, rules.Rule("bernoulli", p=given["p"]), before)
    if name == "bernoulli" and out.dtype == torch.float32 and out.is_contiguous():
        return coin(recorder, args[0], out, before)
    if name == "randperm":
        return recorder.draw(out, rules.Rule("randperm"), before)
    return False


def coin(recorder, probabilities, out, before):
    """bernoulli(p) of a tensor that holds one number: a uniform below it."""
    node = recorder.node(probabilities)
    if not isinstance(node, Known) or probabilities.numel() == 0 or probabilities.dtype != out.dtype \
            or not bool((probabilities == probabilities.reshape(-1)[0]).all()):
        return False
    recorder.draw(out, rules.Rule("uniform_", a=0.0, b=1.0), before)
    p = rules.number(probabilities.reshape(-1)[0].item())
    recorder.write(out, recorder.view(out), [f"< {p}", type_name(out.dtype)])
    return DRAWN


# Copies and fills

def scalar(value, dtype):
    if isinstance(value, torch.Tensor):
        value = value.item()
    return View(Constant(value, dtype), 0, [], [])


def filled(recorder, target, value):
    if isinstance(value, torch.Tensor) and recorder.is_random(value):
        return recorder.write(target, recorder.view(value), casts(value, target))
    return recorder.write(target, scalar(value, target.dtype))


def masked(recorder, first, mask, value, out):
    if isinstance(value, torch.Tensor) and recorder.is_random(value):
        return False
    if recorder.is_random(mask):
        return chosen(recorder, mask, scalar(value, out.dtype), recorder.view(first), out)
    if not recorder.is_random(first) or first.numel() > INDEX_LIMIT or mask.shape != first.shape:
        return False
    if out is not first:
        copied(recorder, first, out)
    return place(recorder, out, recorder.node(out), scalar(value, out.dtype).node,
                 torch.where(mask, 0, -1).to(torch.int32))


def chosen(recorder, mask, yes, no, out):
    """One view's elements where a mask that was drawn is true, another's elsewhere."""
    if not out.dtype.is_floating_point or any(v.node.dtype != out.dtype for v in (yes, no)):
        return False
    sizes, whole = list(out.shape), [0, *contiguous_strides(out.shape)]

    def made(view, operations):
        return Set(None, view.expanded(sizes), sizes, whole, operations, count=out.numel(), dtype=out.dtype)

    result = None
    for view, operations in ((yes, ["!= 0"]), (no, ["== 0"])):
        if isinstance(view.node, Constant) and view.node.value == 0:
            continue
        if isinstance(view.node, Known):
            view.node.keep()
        part = Combine(made(view, []), made(recorder.view(mask), [*operations, type_name(out.dtype)]), "keep")
        result = part if result is None else Combine(result, part, "+")
    if result is None:
        return False
    return recorder.write(out, View(result, 0, sizes, contiguous_strides(sizes)))


def where(recorder, mask, yes, no, out):
    if not all(isinstance(t, torch.Tensor) for t in (yes, no)):
        return False
    return chosen(recorder, mask, recorder.view(yes), recorder.view(no), out)


def casts(source, target):
    return [type_name(target.dtype)] if source.dtype != target.dtype else []


def copied(recorder, source, target):
    if source.dtype.is_complex or source.device.type != "cpu":
        return False
    return recorder.write(target, recorder.view(source), casts(source, target))


def repeated(recorder, source, repeats, out):
    view = recorder.view(source)
    extra = len(repeats) - source.dim()
    sizes, strides = [], []
    for dim, count in enumerate(repeats):
        size = source.size(dim - extra) if dim >= extra else 1
        stride = source.stride(dim - extra) if dim >= extra else 0
        sizes += [count, size]
        strides += [0, stride]
    node = Set(None, View(view.node, view.offset, sizes, strides), sizes,
               [0, *contiguous_strides(sizes)], count=out.numel(), dtype=out.dtype)
    if out.numel():
        recorder.put(out, node)
    return True


def joined(recorder, name, args, kwargs, out):
    parts = [t for t in args[0] if name == "stack" or t.shape != (0,)]
    dim = (args[1] if len(args) > 1 else kwargs.get("dim", 0)) % out.dim()
    if not recorder.covers(out):
        return False
    recorder.put(out, Empty(out.numel(), out.dtype))
    start = 0
    views = [recorder.view(part) for part in parts]
    for part, view in zip(parts, views):
        if isinstance(view.node, Known):
            view.node.keep()
        size = 1 if name == "stack" else part.size(dim)
        region = out.select(dim, start) if name == "stack" else out.narrow(dim, start, size)
        recorder.write(region, view, casts(part, out))
        start += size
    return True


# Elements in another order

def moved(recorder, func, args, kwargs, out, places):
    """Any operation that only moves elements: the same is done to their indices."""
    sources = [args[place] for place in places if place < len(args)]
    others = [a for i, a in enumerate(args) if i not in places]
    if any_random(recorder, others) or out.numel() > INDEX_LIMIT or any(s.dtype != out.dtype for s in sources):
        return False
    views = [recorder.view(source) for source in sources]
    numbered, starts, start = list(args), [], 1
    for place, source, view in zip(places, sources, views):
        # Of an operation in place the elements have moved by now, their indices have not.
        numbers = torch.arange(start, start + view.node.count)
        numbered[place] = numbers.as_strided(source.shape, source.stride(), source.storage_offset()).clone()
        starts.append(start)
        start += view.node.count
    indices = func(*numbered, **kwargs).reshape(-1)
    if not recorder.covers(out) or not out.is_contiguous():
        return False
    base = None if bool((indices > 0).all()) else Set(
        None, View(Constant(0, out.dtype), 0, [out.numel()], [0]), [out.numel()], [0, 1],
        count=out.numel(), dtype=out.dtype)
    for first, view in zip(starts, views):
        here = (indices >= first) & (indices < first + view.node.count)
        if bool(here.any()):
            if isinstance(view.node, Known):
                view.node.keep()
            places_ = torch.where(here, indices - first, -1).to(torch.int32)
            base = Set(base or Empty(out.numel(), out.dtype), View(view.node, 0, [view.node.count], [1]),
                       [out.numel()], [0, 1], indices=places_)
    recorder.put(out, base)
    return True


def place(recorder, target, base, source, indices):
    if not target.is_contiguous() or not recorder.covers(target):
        return False
    recorder.put(target, Set(base, View(source, 0, [source.count], [1]), [target.numel()], [0, 1],
                             indices=indices.reshape(-1)))
    return True


# Arithmetic

def elementwise(recorder, name, args, kwargs, out):
    first = args[0]
    if not isinstance(first, torch.Tensor):
        return False
    second = args[1] if len(args) > 1 else None
    if name in ("add", "sub", "rsub") and kwargs.get("alpha", 1) != 1 or kwargs.get("rounding_mode") is not None:
        return scaled(recorder, name, first, second, kwargs, out)
    if isinstance(second, torch.Tensor):
        if second.dim() == 0 and not recorder.is_random(second):
            second = second.item()
        elif name in PAIRS:
            return paired(recorder, PAIRS[name], first, second, out)
        else:
            return False
    texts = texts_of(name, second, args, kwargs)
    if texts is None or not real(first):
        return False
    if out.dtype != first.dtype and name not in COMPARISONS and name not in ("logical_not", "bitwise_not"):
        texts = [type_name(out.dtype), *texts]
    return recorder.write(out, recorder.view(first), texts)


def real(tensor):
    return not tensor.dtype.is_complex


def texts_of(name, value, args, kwargs):
    """The operations on each element that an operation with numbers is; None for any other."""
    if name in PLAIN:
        return [PLAIN[name]]
    if name == "relu":
        return ["clamp 0 inf"]
    if name in ("clamp", "clip", "hardtanh"):
        low, high = (list(args[1:]) + [kwargs.get("min"), kwargs.get("max")][len(args) - 1:])[:2]
        if name == "hardtanh":
            low, high = -1 if low is None else low, 1 if high is None else high
        if isinstance(low, torch.Tensor) or isinstance(high, torch.Tensor):
            return None
        return [f"clamp {bound(low, -math.inf)} {bound(high, math.inf)}"]
    if name in ("clamp_min", "clamp_max"):
        return [f"clamp {bound(value, -math.inf)} inf" if name == "clamp_min" else f"clamp -inf {bound(value, 0)}"]
    if name in ("logical_not",):
        return ["== 0"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if name == "pow":
        return {1: [], 2: ["square"], 0.5: ["sqrt"], -1: ["reciprocal"]}.get(value, [f"pow {rules.number(value)}"])
    if name in ARITHMETIC:
        return [f"{ARITHMETIC[name]} {rules.number(value)}"]
    if name in COMPARISONS:
        return [f"{COMPARISONS[name]} {rules.number(value)}"]
    return None


def bound(value, missing):
    return rules.number(missing if value is None else value) if value is None or math.isfinite(value) else str(value)


def scaled(recorder, name, first, second, kwargs, out):
    """first + alpha * number."""
    alpha = kwargs.get("alpha", 1)
    if name == "rsub" or kwargs.get("rounding_mode") is not None or isinstance(second, torch.Tensor):
        return False
    return recorder.write(out, recorder.view(first), [f"{ARITHMETIC[name]} {rules.number(alpha * second)}"])


def paired(recorder, sign, first, second, out):
    if not out.dtype.is_floating_point:
        return False
    sides = [flat(recorder, side, out) for side in (first, second)]
    node = Combine(*sides, sign)
    return recorder.write(out, View(node, 0, out.shape, contiguous_strides(out.shape)))


def flat(recorder, tensor, out):
    """A node with the elements of a tensor, broadcast to a result's shape, in row-major order."""
    view = recorder.view(tensor).expanded(list(out.shape))
    if view.is_whole and tensor.dtype == out.dtype:
        if isinstance(view.node, Known):
            view.node.keep()
        return view.node
    if isinstance(view.node, Known):
        view.node.keep()
    return Set(None, view, out.shape, [0, *contiguous_strides(out.shape)], casts(tensor, out),
               count=out.numel(), dtype=out.dtype)


def norms(recorder, source, args, kwargs, out):
    """Euclidean norms of all slices along one dimension, or of everything."""
    order = args[1] if len(args) > 1 else kwargs.get("ord", 2)
    dims = args[2] if len(args) > 2 else kwargs.get("dim")
    if order is not None and float(order) != 2 or not source.dtype.is_floating_point or source.dtype != out.dtype:
        return False
    dims = set(range(source.dim())) if not dims else {d % source.dim() for d in dims}
    kept = [d for d in range(source.dim()) if d not in dims and source.size(d) != 1]
    if len(kept) > 1 or source.numel() == 0:
        return False
    node = Norms(flat(recorder, source, source), list(source.shape), kept[0] if kept else None)
    return recorder.write(out, View(node, 0, out.shape, contiguous_strides(out.shape)))


def type_name(dtype):
    return str(dtype).removeprefix("torch.")
