"""Writes the model description (JSON) of a live PyTorch model, for `ckpt init`.

usage: describe.py [-o FILE] MODULE:EXPRESSION      torchvision.models:resnet18(num_classes=10)
       describe.py [-o FILE] FILE.py:EXPRESSION     nets.py:Net(4)
       describe.py [-o FILE] MODEL.pt               a model saved whole by torch.save (it is unpickled:
                                                    only files you trust)

The expression is evaluated in the module and must give an nn.Module. It is built twice, on two
seeds. The first time every draw is recorded with the tensor that it fills; from the record the
second model is drawn again with torch and compared. What agrees is described exactly; what does not
gets `"rule": null` and a reason. See the article "The model description".
"""

import argparse
import base64
import importlib
import importlib.util
import inspect
import json
import math
import sys
import types

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

LITERAL_LIMIT = 4 << 20  # bytes of one computed tensor that a description carries
RANDOM_INITS = ["uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "xavier_normal_",
                "kaiming_uniform_", "kaiming_normal_", "orthogonal_", "sparse_"]
PLAIN_INITS = ["constant_", "ones_", "zeros_", "eye_", "dirac_"]
FANS = {"xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"}
WHOLE = {"orthogonal_", "sparse_", "eye_", "dirac_"}
ORIGINALS = {}


def number(value):
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


class Fill:
    """One operation that gives a run of elements values that depend on nothing but the generator."""

    def __init__(self, name, values, shape, dtype):
        self.name, self.values, self.shape, self.dtype = name, values, list(shape), dtype

    @property
    def draws(self):
        return self.name in RANDOM_INITS

    def apply(self, tensor):
        if self.name == "constant_":
            tensor.fill_(self.values["val"])
        else:
            ORIGINALS[self.name](tensor, **self.values)

    def text(self):
        """The initialiser as ckpt reads it."""
        if self.name == "constant_":
            return number(self.values["val"])
        standard = inspect.signature(ORIGINALS[self.name]).parameters
        parts = []
        for key, value in self.values.items():
            if standard[key].default != value:
                parts.append(f"{key}={value if isinstance(value, str) else number(value)}")
        return self.name.rstrip("_") + (f"({', '.join(parts)})" if parts else "")

    def without_fans(self):
        """The same with numbers in place of what follows from the shape."""
        if self.name not in FANS:
            return self
        probe = torch.empty(self.shape, device="meta")
        v = self.values
        if self.name.startswith("xavier"):
            fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(probe)
            std = v["gain"] * math.sqrt(2.0 / float(fan_in + fan_out))
        else:
            fan = torch.nn.init._calculate_correct_fan(probe, v["mode"])
            std = torch.nn.init.calculate_gain(v["nonlinearity"], v["a"]) / math.sqrt(fan)
        if self.name.endswith("normal_"):
            return Fill("normal_", {"mean": 0.0, "std": std}, self.shape, self.dtype)
        bound = math.sqrt(3.0) * std
        return Fill("uniform_", {"a": -bound, "b": bound}, self.shape, self.dtype)


class Advance:
    """Words of the generator that went somewhere else."""

    def __init__(self, words, cause):
        self.words, self.cause = words, cause


class Value:
    """What is known of a storage's elements: the fill they are from and what was done since."""

    def __init__(self, event=None, reason=None):
        self.event, self.steps, self.patches, self.reason = event, [], [], reason

    def copy(self):
        other = Value(self.event, self.reason)
        other.steps, other.patches = list(self.steps), list(self.patches)
        return other


def key_of(tensor):
    return tensor.untyped_storage()._cdata


def words_between(before, after):
    """Words drawn between two states of the generator; None if the cached normal changed."""
    if not torch.equal(before[5024:5048], after[5024:5048]):
        return None
    scratch = torch.Generator()
    scratch.set_state(before)
    block = torch.empty(1, dtype=torch.int32)

    def position(state):
        words = state[24:24 + 8 * 624].view(torch.int64)
        return words, int(state[8:12].view(torch.int32)), int(state[16:24].view(torch.int64))

    target, _, next_after = position(after)
    words, left, next_before = position(before)
    count = 0
    if left == 1 and next_before == 0 and not torch.equal(words, target):
        next_before = 624
    while not torch.equal(words, target):
        count += 624 - next_before
        next_before = 0
        scratch.set_state(before)
        # One draw past the end of the block makes the next one.
        torch.empty(count + 1, dtype=torch.int32).random_(generator=scratch)
        words = position(scratch.get_state())[0]
        if count > 1 << 24:
            return None
    return count + next_after - next_before


class Recorder(TorchDispatchMode):
    """Watches every operation while a model is built."""

    ARITHMETIC = {"mul": "*", "div": "/", "add": "+", "sub": "-"}
    CONSTANTS = {"zeros": 0, "ones": 1, "zeros_like": 0, "ones_like": 1, "new_zeros": 0, "new_ones": 1}

    def __init__(self):
        super().__init__()
        self.events, self.values, self.alive, self.paused = [], {}, [], False

    # nn.init's functions are replaced in their code, so that names bound earlier are watched too.

    def __enter__(self):
        for name in RANDOM_INITS + PLAIN_INITS:
            function = getattr(torch.nn.init, name)
            ORIGINALS[name] = types.FunctionType(
                function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
            ORIGINALS[name].__kwdefaults__ = function.__kwdefaults__
            source = f"def {name}(*args, **kwargs): return _ckpt_recorder.init({name!r}, args, kwargs)"
            scope = {}
            exec(source, scope)
            function.__code__ = scope[name].__code__
            function.__defaults__ = function.__kwdefaults__ = None
        torch.nn.init._ckpt_recorder = self
        return super().__enter__()

    def __exit__(self, *error):
        for name, original in ORIGINALS.items():
            function = getattr(torch.nn.init, name)
            function.__code__ = original.__code__
            function.__defaults__, function.__kwdefaults__ = original.__defaults__, original.__kwdefaults__
        return super().__exit__(*error)

    def init(self, name, args, kwargs):
        original = ORIGINALS[name]
        bound = inspect.signature(original).bind(*args, **kwargs)
        bound.apply_defaults()
        values = dict(bound.arguments)
        tensor = values.pop("tensor")
        generator = values.pop("generator", None)
        plain = isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu" and generator is None
        if self.paused or not plain or tensor.numel() == 0:
            return original(*args, **kwargs)
        if name in ("ones_", "zeros_"):
            name, values = "constant_", {"val": 1.0 if name == "ones_" else 0.0}
        if any(isinstance(v, torch.Tensor) for v in values.values()):
            values = {k: v.item() if isinstance(v, torch.Tensor) else v for k, v in values.items()}
        if name == "constant_" and not math.isfinite(float(values["val"])):
            return original(*args, **kwargs)
        self.paused = True
        try:
            result = original(*args, **kwargs)
        finally:
            self.paused = False
        self.fill(tensor, Fill(name, values, tensor.shape, tensor.dtype))
        return result

    def __torch_dispatch__(self, func, types_, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        seeded = torch.Tag.nondeterministic_seeded in func.tags
        before = torch.get_rng_state() if seeded else None
        out = func(*args, **kwargs)
        name = func._schema.name.split("::")[1]
        if not self.known(name, func, args, kwargs, out):
            self.opaque(name, func, args, kwargs, out)
            if seeded and not torch.equal(before, after := torch.get_rng_state()):
                self.events.append(Advance(words_between(before, after), name))
        return out

    def known(self, name, func, args, kwargs, out):
        """Records an operation whose result can be told; False for any other."""
        if kwargs.get("generator") is not None:
            return False
        first = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if isinstance(out, torch.Tensor) and out.device.type != "cpu":
            return True
        if name == "uniform_":
            a, b = (list(args[1:]) + [0.0, 1.0][len(args) - 1:])[:2]
            return self.fill(first, Fill("uniform_", {"a": float(a), "b": float(b)}, first.shape, first.dtype))
        if name == "normal_":
            mean, std = (list(args[1:]) + [0.0, 1.0][len(args) - 1:])[:2]
            return self.fill(first, Fill("normal_", {"mean": float(mean), "std": float(std)}, first.shape, first.dtype))
        if name in ("rand", "rand_like"):
            return self.fill(out, Fill("uniform_", {"a": 0.0, "b": 1.0}, out.shape, out.dtype))
        if name in ("randn", "randn_like"):
            return self.fill(out, Fill("normal_", {"mean": 0.0, "std": 1.0}, out.shape, out.dtype))
        if name == "normal" and not any(isinstance(a, torch.Tensor) for a in args[:2]):
            return self.fill(out, Fill("normal_", {"mean": float(args[0]), "std": float(args[1])}, out.shape, out.dtype))
        if name in ("fill_", "zero_", "copy_") or name in self.CONSTANTS or name in ("full", "full_like", "new_full"):
            return self.constant_or_copy(name, first, args, out)
        if name == "clone" or (name == "_to_copy" and out.dtype == first.dtype):
            return self.copied(first, out)
        if name in ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"):
            self.put(out, Value(reason="memory that nothing has filled"))
            return True
        return self.arithmetic(name, first, args, kwargs, out)

    def constant_or_copy(self, name, first, args, out):
        source = args[1] if len(args) > 1 else None
        if name == "copy_" and source.dim() > 0 or name == "copy_" and first.dim() == 0:
            same = source.shape == first.shape and source.dtype == first.dtype
            return same and self.copied(source, first)
        if name in ("zero_", "fill_", "copy_"):
            value = 0.0 if name == "zero_" else source
            target = first
        else:
            target = out
            value = self.CONSTANTS[name] if name in self.CONSTANTS else args[-1 if name != "new_full" else 2]
        if isinstance(value, torch.Tensor):
            value = value.item()
        if target.dtype.is_complex or not math.isfinite(float(value)):
            return False
        return self.fill(target, Fill("constant_", {"val": float(value)}, target.shape, target.dtype))

    def arithmetic(self, name, first, args, kwargs, out):
        operator = self.ARITHMETIC.get(name.rstrip("_"))
        if operator is None or first is None or len(args) != 2 or kwargs or isinstance(args[1], (torch.Tensor, bool)):
            return False
        value = self.values.get(key_of(first))
        if value is None or value.event is None or value.patches or not self.is_whole(first):
            return False
        if not first.dtype.is_floating_point or out.dtype != first.dtype or not self.is_whole(out):
            return False
        value = value.copy()
        value.steps.append((operator, float(args[1])))
        self.put(out, value)
        return True

    def is_whole(self, tensor):
        bytes_ = tensor.numel() * tensor.element_size()
        return tensor.is_contiguous() and tensor.storage_offset() == 0 and bytes_ == tensor.untyped_storage().nbytes()

    def put(self, tensor, value):
        storage = tensor.untyped_storage()
        if storage._cdata not in self.values:
            self.alive.append(storage)  # so that its address is not used again
        self.values[storage._cdata] = value

    def copied(self, source, target):
        value = self.values.get(key_of(source))
        if value is None or not self.is_whole(source) or not self.is_whole(target):
            return False
        self.put(target, value.copy())
        return True

    def fill(self, tensor, fill):
        """Records a fill of a tensor, or of a run of a storage's elements."""
        if tensor.numel() == 0:
            return True
        dense = tensor.is_contiguous()
        if not dense and fill.draws:
            if fill.without_fans().name != "uniform_" or not is_dense(tensor):
                fill.strange = True
        fill.key = key_of(tensor)
        self.events.append(fill)
        if self.is_whole(tensor):
            self.put(tensor, Value(fill))
        elif is_dense(tensor) and fill.name not in WHOLE | {"trunc_normal_"} and fill.key in self.values:
            value = self.values[fill.key].copy()
            start = tensor.storage_offset()
            fill.elements = (start, start + tensor.numel())
            if tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes():
                value = Value(fill)
                fill.reshaped = True
            else:
                value.patches.append(fill)
            self.put(tensor, value)
        else:
            self.put(tensor, Value(reason=f"{fill.name} of a part of the tensor"))
        return True

    def opaque(self, name, func, args, kwargs, out):
        inputs = {key_of(t) for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)}
        for argument, value in zip(func._schema.arguments, args):
            if argument.alias_info is not None and argument.alias_info.is_write and isinstance(value, torch.Tensor):
                self.put(value, Value(reason=f"computed by {name}"))
        for result in tree_flatten(out)[0]:
            if isinstance(result, torch.Tensor) and result.device.type == "cpu" and key_of(result) not in inputs:
                self.put(result, Value(reason=f"computed by {name}"))


def norms(tensor, dimension):
    """Norms of a tensor's slices along a dimension, None for the one norm of everything."""
    return torch.norm_except_dim(tensor, 2, -1 if dimension is None else dimension)


def is_dense(tensor):
    """Whether the elements fill one run of memory, in whatever order."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape)):
        if size != 1 and stride != expected:
            return False
        expected *= size if size != 1 else 1
    return True


class Tensor:
    """A tensor of the model under the name where it is met first."""

    def __init__(self, name, tensor, is_parameter, persistent):
        self.name, self.tensor, self.is_parameter, self.persistent = name, tensor, is_parameter, persistent
        self.rule, self.data, self.reason, self.draw = None, None, None, None


def own_tensors(module):
    for name, parameter in module._parameters.items():
        if parameter is not None:
            yield name, parameter, True, True
    for name, buffer in module._buffers.items():
        if buffer is not None:
            yield name, buffer, False, name not in module._non_persistent_buffers_set


def joined(path, name):
    return f"{path}.{name}" if path else name


def tensors_of(model):
    """Tensors by the name where each is met first, and the further names of tied parameters."""
    found, first, seen = {}, {}, set()
    for path, module in model.named_modules():
        for name, tensor, is_parameter, persistent in own_tensors(module):
            full = joined(path, name)
            if is_parameter and id(tensor) in first:
                continue
            first.setdefault(id(tensor), full)
            found[full] = Tensor(full, tensor.detach(), is_parameter, persistent)
    return found, first


class Description:
    """Turns a record into rules and draws, and checks them on a second model."""

    def __init__(self, recorder, model, first_seed, second_model, second_seed):
        self.recorder = recorder
        self.tensors, self.first = tensors_of(model)
        others = tensors_of(second_model)[0] if second_model is not None else {}
        self.others = {name: t.tensor for name, t in others.items()}
        self.draws = []
        self.extra = []
        if recorder is None:
            return
        self.assign()
        for seed, expected in ((first_seed, {n: t.tensor for n, t in self.tensors.items()}),
                               (second_seed, self.others)):
            self.check(seed, expected)

    def assign(self):
        claims, patched = {}, {}
        for name, t in self.tensors.items():
            value = self.recorder.values.get(key_of(t.tensor)) if t.tensor.numel() else None
            other = self.others.get(name)
            if other is None or other.shape != t.tensor.shape:
                t.reason = "the two seeds built different models"
            elif not t.persistent:
                t.reason = "not in state_dict()"
            elif not same(other, t.tensor) and self.settle(t, value, claims, patched):
                continue
            elif same(other, t.tensor):
                self.settle_fixed(t, value, claims, patched)
            elif t.reason is None:
                t.reason = value.reason if value and value.reason else "made in a way that was not seen"
        self.order(claims, patched)

    def settle_fixed(self, t, value, claims, patched):
        """A tensor that does not depend on the seed: a number, or carried as it is."""
        flat = t.tensor.reshape(-1)
        if t.tensor.numel() == 0:
            t.rule = "0"
        elif not t.tensor.dtype.is_complex and bool((flat == flat[0]).all()) and math.isfinite(float(flat[0])) \
                and abs(float(flat[0])) < 2**53 and not (float(flat[0]) == 0 and math.copysign(1, float(flat[0])) < 0):
            fill = value.event if value and value.event and not value.steps and not value.patches else None
            t.rule = fill.text() if fill and fill.name == "constant_" else number(flat[0].item())
        elif value and value.event and value.event.name in ("eye_", "dirac_") and not value.steps and not value.patches:
            t.rule = value.event.text()
        elif t.tensor.numel() * t.tensor.element_size() <= LITERAL_LIMIT:
            t.data = base64.b64encode(raw_bytes(t.tensor)).decode()
        else:
            t.reason = "computed, and too large to be carried"

    def settle(self, t, value, claims, patched):
        """A tensor that was drawn."""
        if not t.tensor.is_contiguous():
            t.reason = "not contiguous"
            return False
        if value is not None and value.event is None and value.patches:
            # Empty memory filled in parts; where a part is missing the check fails.
            value.event = Fill("constant_", {"val": 0.0}, t.tensor.shape, t.tensor.dtype)
        if value is None or value.event is None:
            return self.derived(t)
        fill = value.event
        if getattr(fill, "strange", False) or any(getattr(p, "strange", False) for p in value.patches):
            t.reason = "normal numbers drawn into a transposed or spaced-out tensor"
            return False
        effective = fill
        if list(t.tensor.shape) != fill.shape or getattr(fill, "reshaped", False):
            effective = fill.without_fans()
            if fill.name in WHOLE:
                t.reason = f"{fill.name} of another shape"
                return False
        padding = self.padding(t, effective, value)
        steps = "".join(f" {operator} {number(n)}" for operator, n in value.steps)
        text = effective.text() + steps
        if padding is not None:
            text = Fill.text(effective)
            text = text[:-1] + f", padding_idx={padding})" if text.endswith(")") else f"{text}(padding_idx={padding})"
        elif value.patches:
            patched[t.name] = value
        t.draw = (effective, value, padding)
        if fill.draws and id(fill) in claims:
            original = self.tensors[claims[id(fill)]]
            if original.draw[1].steps == value.steps and [id(p) for p in original.draw[1].patches] == [id(p) for p in value.patches]:
                self.extra.append({"copy": original.name, "to": t.name})
                patched.pop(t.name, None)
                t.rule = original.rule or text
                return True
            t.reason, t.draw = "two tensors made of one draw", None
            return False
        if fill.draws:
            claims[id(fill)] = t.name
        t.text = text
        if t.name in patched:
            t.reason = "filled in parts, see draws"
        else:
            t.rule = text
        return True

    def derived(self, t):
        """A weight's norms or a normalised draw beside it, as weight_norm keeps them."""
        for ours, theirs in (("original0", "original1"), ("weight_g", "weight_v")):
            source = self.tensors.get(t.name[:-len(ours)] + theirs) if t.name.endswith(ours) else None
            if source is None or source.tensor.numel() == 0:
                continue
            for dimension in [*range(source.tensor.dim()), None]:
                if same(t.tensor.reshape(-1), norms(source.tensor, dimension).reshape(-1)):
                    self.extra.append({"norms": source.name, "to": t.name})
                    if dimension != 0:
                        self.extra[-1]["dimension"] = dimension
                    t.reason = "the norms of another tensor, see draws"
                    return True
        return False

    @staticmethod
    def padding(t, fill, value):
        if fill.name != "normal_" or value.steps or len(value.patches) != 1 or t.tensor.dim() < 1:
            return None
        patch = value.patches[0]
        row = t.tensor.numel() // t.tensor.shape[0]
        lo, hi = patch.elements
        if patch.name == "constant_" and patch.values["val"] == 0 and hi - lo == row and lo % row == 0:
            return lo // row
        return None

    def order(self, claims, patched):
        """The draws in the order of the record."""
        finals = {key_of(t.tensor): t for t in self.tensors.values() if t.tensor.numel()}
        parts = {id(p): name for name, value in patched.items() for p in value.patches}
        begun = set()
        for event in self.recorder.events:
            if isinstance(event, Advance):
                if event.words is None:
                    self.draws.append({"unknown": event.cause})
                else:
                    self.draws.append({"advance": event.words})
            elif id(event) in parts:
                t = self.tensors[parts[id(event)]]
                if t.name not in begun and not t.draw[0].draws:
                    self.draws.append({"fill": t.name, "rule": t.text})
                begun.add(t.name)
                self.draws.append({"fill": t.name, "elements": list(event.elements), "rule": event.without_fans().text()})
            elif id(event) in claims:
                t = self.tensors[claims[id(event)]]
                begun.add(t.name)
                self.draws.append({"fill": t.name, "rule": t.text})
            elif event.draws:
                t = finals.get(event.key)
                if t is not None and t.name not in begun and list(t.tensor.shape) == event.shape \
                        and t.tensor.dtype == event.dtype and not getattr(event, "strange", False) and t.draw:
                    self.draws.append({"fill": t.name, "rule": event.text()})
                else:
                    entry = {"discard": event.shape, "rule": event.text()}
                    if getattr(event, "strange", False):
                        # Drawn one by one, two from four words; an odd one out is kept for the next.
                        count = math.prod(event.shape)
                        entry = {"advance": 2 * count} if count % 2 == 0 and event.dtype.is_floating_point else {"unknown": "normal numbers drawn into a transposed or spaced-out tensor"}
                    elif event.dtype != torch.float32:
                        entry["dtype"] = type_name(event.dtype)
                    self.draws.append(entry)
        self.draws += self.extra

    def check(self, seed, expected):
        """Draws with torch what the description says, and gives up what is not the model's."""
        values = {}
        torch.manual_seed(seed)
        lost = None
        for draw in self.draws:
            if "unknown" in draw:
                lost = draw["unknown"]
            elif "advance" in draw:
                torch.empty(draw["advance"], dtype=torch.int32).random_()
            elif "discard" in draw:
                tensor = torch.empty(draw["discard"], dtype=getattr(torch, draw.get("dtype", "float32")))
                evaluate(draw["rule"], tensor)
            elif "copy" in draw:
                values[draw["to"]] = values[draw["copy"]].clone()
            elif "norms" in draw:
                source = values[draw["norms"]]
                values[draw["to"]] = norms(source, draw.get("dimension", 0)).reshape(expected[draw["to"]].shape)
            else:
                name = draw["fill"]
                if "elements" in draw:
                    lo, hi = draw["elements"]
                    part = torch.empty(hi - lo, dtype=values[name].dtype)
                    values[name].view(-1)[lo:hi] = evaluate(draw["rule"], part)
                else:
                    like = self.tensors[name].tensor
                    values[name] = evaluate(draw["rule"], torch.empty(like.shape, dtype=like.dtype))
        for name, t in self.tensors.items():
            if name in values and (name not in expected or not same(values[name], expected[name])):
                cause = f"after {lost}, which cannot be described" if lost else None
                t.rule, t.reason = None, cause or "drawn again it had other values"
                self.draws = [d for d in self.draws if "elements" not in d or d["fill"] != name]
                for d in self.draws:
                    if d.get("fill") == name:
                        d["discard"], d["dtype"] = list(t.tensor.shape), type_name(t.tensor.dtype)
                        del d["fill"]
                    if d.get("to") == name or d.get("copy") == name or d.get("norms") == name:
                        d["drop"] = True
                self.draws = [d for d in self.draws if "drop" not in d]

    def json(self, model, about):
        """The text, one module and one draw a line."""
        lines, paths, stack = [], {}, [("", model)]
        while stack:
            path, module = stack.pop()
            if module is None:
                lines.append({"path": path, "class": None})
                continue
            if id(module) in paths:
                lines.append({"path": path, "is": paths[id(module)]})
                continue
            paths[id(module)] = path
            lines.append(self.module_entry(path, module))
            stack += [(joined(path, name), child) for name, child in reversed(module._modules.items())]
        draws = [d for d in self.draws if "unknown" not in d]
        parts = ['{', '"ckpt-model": 1,', f'"about": {json.dumps(about)},', '"modules": [',
                 ",\n".join(map(json.dumps, lines)) + "\n]" + ("," if self.recorder is not None else "")]
        if self.recorder is not None:
            parts += ['"draws": [', ",\n".join(map(json.dumps, draws)), "]"]
        return "\n".join(parts + ["}"]) + "\n"

    def module_entry(self, path, module):
        entry = {"path": path, "class": module._get_name()}
        base = base_of(type(module))
        if base is not None and base != entry["class"]:
            entry["base"] = base
        if text := module.extra_repr():
            entry["arguments"] = text
        lists = {True: [], False: []}
        for name, tensor, is_parameter, persistent in own_tensors(module):
            full = joined(path, name)
            original = self.first.get(id(tensor), full) if is_parameter else full
            if original != full:
                lists[True].append({"name": name, "is": original})
                continue
            t = self.tensors[full]
            item = {"name": name, "shape": list(tensor.shape)}
            if tensor.dtype != torch.float32:
                item["dtype"] = type_name(tensor.dtype)
            if t.data is not None:
                item["dtype"] = type_name(tensor.dtype)
                item["data"] = t.data
            elif t.rule is not None or self.recorder is not None or base_of(type(module)) is None:
                item["rule"] = t.rule
                if t.rule is None:
                    item["reason"] = t.reason or "a saved model does not tell how it was made"
            if not persistent:
                item["persistent"] = False
            lists[is_parameter].append(item)
        if lists[True] or base is not None:
            entry["parameters"] = lists[True]
        if lists[False]:
            entry["buffers"] = lists[False]
        return entry


def evaluate(rule, tensor):
    """Fills a tensor as a rule of a description says."""
    import re

    match = re.match(r"^([a-z_]+)(?:\((.*?)\))?((?: [*/+-] \S+)*)$", rule)
    with torch.no_grad():
        if match is None or match[1] not in {n.rstrip("_") for n in ORIGINALS}:
            return tensor.fill_(float(rule))
        values = {}
        for part in filter(None, (match[2] or "").split(", ")):
            key, value = part.split("=")
            values[key] = value if re.match(r"^[a-z_]+$", value) and value not in ("inf", "nan") else float(value)
        padding = values.pop("padding_idx", None)
        if "groups" in values:
            values["groups"] = int(values["groups"])
        ORIGINALS[match[1] + "_"](tensor, **values)
        if padding is not None:
            tensor[int(padding)] = 0
        for operator, value in re.findall(r" ([*/+-]) (\S+)", match[3]):
            value = float(value)
            tensor = {"*": tensor.mul, "/": tensor.div, "+": tensor.add, "-": tensor.sub}[operator](value)
        return tensor


def base_of(cls):
    """The nearest class of torch.nn that a class is or derives from, by its name there."""
    for ancestor in cls.__mro__:
        name = ancestor.__name__
        if ancestor is torch.nn.Module:
            return None
        if ancestor.__module__.startswith("torch.nn.modules") and getattr(torch.nn, name, None) is ancestor:
            return None if name == "Container" or name.startswith("Lazy") else name
    return None


def type_name(dtype):
    return str(dtype).removeprefix("torch.")


def raw_bytes(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def same(left, right):
    return left.shape == right.shape and left.dtype == right.dtype and raw_bytes(left) == raw_bytes(right)


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
    place, _, expression = target.partition(":")
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location("described", place)
        module = importlib.util.module_from_spec(spec)
        sys.modules["described"] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    if not expression.endswith(")"):
        expression += "()"
    return lambda: eval(expression, {"torch": torch, "nn": torch.nn}, Names(module))  # noqa: S307


def describe(target):
    """The description's text, and the tensors that it cannot give with reasons."""
    about = f"{target}, torch {torch.__version__}"
    if ":" not in target:
        model = torch.load(target, weights_only=False, map_location="cpu")
        print("describe.py: a saved model does not tell how it was made: layers are described as their classes "
              "begin, what the model's own constructor changed after that is not; give it with rules, or describe "
              "MODULE:EXPRESSION", file=sys.stderr)
        description = Description(None, model, 0, None, 1)
        return description.json(model, about), {}
    build = builder(target)
    torch.manual_seed(0)
    with Recorder() as recorder:
        model = build()
    torch.manual_seed(1)
    second = build()
    description = Description(recorder, model, 0, second, 1)
    unknown = {n: t.reason for n, t in description.tensors.items()
               if t.persistent and t.rule is None and t.data is None and "see draws" not in (t.reason or "")}
    return description.json(model, about), unknown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("target")
    parser.add_argument("-o", "--output", default="-")
    options = parser.parse_args()
    text, unknown = describe(options.target)
    for name, reason in unknown.items():
        print(f"describe.py: {name}: not knowable: {reason}", file=sys.stderr)
    if options.output == "-":
        sys.stdout.write(text)
    else:
        with open(options.output, "w") as file:
            file.write(text)
