"""Watches every operation while a model is built."""

import inspect
import math

import torch
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from . import operations, rules
from .nodes import Constant, Draw, Empty, Known, Opaque, Set, Singular, View, contiguous_strides
from .streams import Advance, Streams, holds_cached_normal, words_between

# Statistics that a norm's operation writes although its schema does not say so.
STATISTICS = ("running_mean", "running_var")
NORMS = {"native_batch_norm", "batch_norm", "instance_norm", "batch_norm_update_stats"}
# Operations that take more or fewer numbers from the generator as the numbers themselves, or their inputs, decide.
REJECTIONS = {"_sample_dirichlet", "_standard_gamma", "binomial", "poisson"}
BY_SIGN = {"rrelu", "rrelu_", "rrelu_with_noise", "rrelu_with_noise_"}


def key_of(tensor):
    return tensor.untyped_storage()._cdata


def is_plain(value):
    """Whether a value is a tensor with memory of its own that can be looked at."""
    return isinstance(value, torch.Tensor) and value.device.type == "cpu" \
        and not isinstance(value, torch.nn.parameter.UninitializedTensorMixin) and value.layout == torch.strided


class Recorder(TorchDispatchMode):
    """The events of a construction in order, and a node for each storage."""

    # Whether a fault of this program shows, for its tests.
    is_strict = False

    def __init__(self, seed):
        super().__init__()
        self.events, self.values, self.alive = [], {}, []
        self.streams = Streams(self.events, seed)
        self.paused = False
        # Whether Python has read a number out of a tensor that depends on a draw.
        self.escaped = False

    # nn.init's functions are exchanged in their code, so that names bound earlier are watched as well.

    def __enter__(self):
        rules.keep_originals()
        for name in rules.RANDOM_INITS + rules.PLAIN_INITS:
            function = getattr(torch.nn.init, name)
            scope = {}
            exec(f"def {name}(*args, **kwargs): return _ckpt_recorder.init({name!r}, args, kwargs)", scope)
            function.__code__ = scope[name].__code__
            function.__defaults__ = function.__kwdefaults__ = None
        torch.nn.init._ckpt_recorder = self
        self.power_method = _SpectralNorm._power_method
        _SpectralNorm._power_method = lambda module, matrix, count: self.powers(module, matrix, count)
        return super().__enter__()

    def __exit__(self, *error):
        _SpectralNorm._power_method = self.power_method
        for name, original in rules.ORIGINALS.items():
            function = getattr(torch.nn.init, name)
            function.__code__ = original.__code__
            function.__defaults__, function.__kwdefaults__ = original.__defaults__, original.__kwdefaults__
        return super().__exit__(*error)

    def init(self, name, args, kwargs):
        """A call of a function of nn.init."""
        original = rules.ORIGINALS[name]
        try:
            bound = inspect.signature(original).bind(*args, **kwargs)
        except TypeError:
            return original(*args, **kwargs)
        bound.apply_defaults()
        values = dict(bound.arguments)
        tensor = values.pop("tensor")
        generator = values.pop("generator", None)
        if name in ("ones_", "zeros_"):
            name, values = "constant_", {"val": 1.0 if name == "ones_" else 0.0}
        values = {k: v.item() if isinstance(v, torch.Tensor) else v for k, v in values.items()}
        if self.paused or not is_plain(tensor) or tensor.numel() == 0 or not tensor.is_contiguous() \
                or name == "constant_" or name in rules.PLAIN_INITS or tensor.dtype.is_complex:
            return original(*args, **kwargs)
        self.paused = True
        try:
            state = self.streams.before_draw(generator)
            result = original(*args, **kwargs)
        finally:
            self.paused = False
        self.draw(tensor, rules.Rule(name, **values), state)
        self.streams.after_draw((generator or torch.default_generator).get_state())
        return result

    def powers(self, module, matrix, count):
        """Steps of the power method, by which spectral_norm keeps its vectors."""
        if self.paused or not self.is_random(matrix) or not self.is_random(module._v):
            return self.power_method(module, matrix, count)
        source, start, steps = operations.flat(self, matrix, matrix), self.node(module._v), count
        if isinstance(start, Singular) and is_same(start.inputs[0], source):
            start, steps = start.inputs[1], start.steps + count
        self.paused = True
        try:
            self.power_method(module, matrix, count)
        finally:
            self.paused = False
        left, right = (Singular(source, start, matrix.shape, is_left, steps) for is_left in (True, False))
        left.partner, right.partner = right, left
        self.put(module._u, left)
        self.put(module._v, right)

    def __torch_dispatch__(self, func, types_, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        given = arguments(func, args, kwargs)
        seeded = torch.Tag.nondeterministic_seeded in func.tags or "generator" in given
        written = [t for t in written_by(func, given) if is_plain(t)]
        on_meta = any(isinstance(t, torch.Tensor) and t.device.type == "meta" for t in args)
        generator = given.get("generator")
        before = self.streams.before_draw(generator) if seeded and not on_meta else None
        name = func._schema.name.split("::")[1]
        varies = name in REJECTIONS or name in BY_SIGN and given["training"] and self.is_random(args[0])
        for tensor in written:
            node = self.values.get(key_of(tensor))
            if isinstance(node, Known):
                node.keep()
        out = func(*args, **kwargs)
        after = (generator or torch.default_generator).get_state() if before is not None else None
        moved = before is not None and not torch.equal(before, after)
        if before is not None and varies:
            self.events.append(Advance(None, name))
        if name == "set_" or not (written or fresh(args, kwargs, out)):
            if name == "_local_scalar_dense" and self.is_random(args[0]):
                self.escaped = True
            return out
        understood = self.follow(name, func, args, kwargs, out, before)
        if moved and not varies and understood is not operations.DRAWN:
            self.events.append(Advance(words_between(before, after), name))
        if not understood:
            self.unknown(name, args, kwargs, out, written, moved)
        if before is not None:
            self.streams.after_draw(after)
        return out

    def follow(self, name, func, args, kwargs, out, before):
        events = len(self.events)
        try:
            return operations.follow(self, name, func, args, kwargs, out, before)
        except Exception:
            # Forms of an operation that were not thought of must not end the user's program.
            if self.is_strict:
                raise
            del self.events[events:]
            return False

    # What is known of a tensor

    def node(self, tensor):
        """The node of a tensor's storage; what was made before or beside the record depends on no draw."""
        key = key_of(tensor)
        if key not in self.values:
            self.put(tensor, self.known(tensor))
        node = self.values[key]
        if node.dtype != tensor.dtype:
            if isinstance(node, Known):
                return self.known(tensor)
            count = tensor.untyped_storage().nbytes() // tensor.element_size()
            return Opaque(count, tensor.dtype, "viewed as another type")
        return node

    def view(self, tensor):
        return View(self.node(tensor), tensor.storage_offset(), tensor.shape, tensor.stride())

    def known(self, tensor):
        storage = tensor.untyped_storage()
        return Known(storage, storage.nbytes() // tensor.element_size(), tensor.dtype)

    def is_random(self, tensor):
        return is_plain(tensor) and not isinstance(self.node(tensor), Known)

    def put(self, tensor, node):
        storage = tensor.untyped_storage()
        if storage._cdata not in self.values:
            self.alive.append(storage)  # so that its address is not used again
        self.values[storage._cdata] = node

    def covers(self, tensor):
        """Whether a tensor is all of its storage, in whatever order."""
        count = tensor.untyped_storage().nbytes() // tensor.element_size()
        return tensor.storage_offset() == 0 and tensor.numel() == count and is_dense(tensor)

    # What happens to it

    def write(self, tensor, source, operations_=(), indices=None):
        """Elements of a source fill a tensor, which may be a part of its storage."""
        if tensor.numel() == 0:
            return True
        whole = self.covers(tensor) and (indices is None or bool((indices >= 0).all()))
        base = None if whole else self.node(tensor)
        plain = (Known, Constant)
        if isinstance(source.node, plain) and (base is None or isinstance(base, Known)):
            self.put(tensor, self.known(tensor))
            return True
        if isinstance(source.node, Known):
            source.node.keep()
        count = tensor.untyped_storage().nbytes() // tensor.element_size()
        target = [tensor.storage_offset(), *tensor.stride()]
        self.put(tensor, Set(base, source.expanded(list(tensor.shape)) if indices is None else source,
                             tensor.shape, target, operations_, indices, count, tensor.dtype))
        return True

    def draw(self, tensor, rule, state):
        """A draw fills a tensor."""
        if tensor.numel() == 0:
            return True
        # Elements are drawn in the order of memory.
        order = sorted(range(tensor.dim()), key=lambda d: (-tensor.stride(d), d))
        shape = list(tensor.shape) if tensor.is_contiguous() else [tensor.size(d) for d in order]
        strides = list(tensor.stride()) if tensor.is_contiguous() else [tensor.stride(d) for d in order]
        one_by_one = rule.name == "normal_" and not tensor.is_contiguous() and tensor.numel() >= 16
        node = Draw(rule, shape, tensor.dtype, one_by_one)
        node.key, node.cached_normal = key_of(tensor), holds_cached_normal(state)
        self.events.append(node)
        if self.covers(tensor):
            self.put(tensor, node)
        else:
            source = View(node, 0, shape, contiguous_strides(shape))
            count = tensor.untyped_storage().nbytes() // tensor.element_size()
            node.part = Set(self.node(tensor), source, shape, [tensor.storage_offset(), *strides],
                            count=count, dtype=tensor.dtype)
            self.put(tensor, node.part)
        return operations.DRAWN

    def unknown(self, name, args, kwargs, out, written, moved):
        """An operation that cannot be followed: what it gives is known only if no draw goes into it."""
        read = {k: v for k, v in kwargs.items() if k != "out"}
        inputs = [t for t in tree_flatten((args, read))[0] if is_plain(t)]
        is_random = moved or any(self.is_random(t) for t in inputs)
        results = [t for t in tree_flatten(out)[0] if is_plain(t)]
        keys = {key_of(t) for t in inputs}
        for tensor in written + [t for t in results if key_of(t) not in keys]:
            count = tensor.untyped_storage().nbytes() // tensor.element_size()
            if is_random:
                self.put(tensor, Opaque(count, tensor.dtype, self.reason(name, inputs, written, moved, tensor)))
            elif self.covers(tensor) or not self.is_random(tensor):
                self.put(tensor, self.known(tensor))
            else:
                values = Known(None, tensor.numel(), tensor.dtype)
                values.kept = tensor.detach().reshape(-1).clone()
                self.write(tensor, View(values, 0, tensor.shape, contiguous_strides(tensor.shape)))

    def reason(self, name, inputs, written, moved, out):
        kind = " as complex numbers" if out.dtype.is_complex else ""
        replaced = {key_of(t) for t in written} if moved else set()
        for tensor in inputs:
            node = self.node(tensor)
            # What a draw fills does not depend on what was there.
            if key_of(tensor) in replaced:
                continue
            if isinstance(node, Opaque):
                return node.reason
            if isinstance(node, Empty):
                return "computed from memory that nothing has filled"
        return f"{'drawn' if moved else 'computed'} by {name}{kind}"


def is_same(left, right):
    """Whether two nodes are one, or copies of the same elements of one."""
    if left is right:
        return True
    return all(isinstance(n, Set) and n.base is None and n.indices is None and not n.operations for n in (left, right)) \
        and left.source.node is right.source.node and left.sizes == right.sizes and left.target == right.target \
        and left.source.sizes == right.source.sizes and left.source.start_and_strides() == right.source.start_and_strides()


def arguments(func, args, kwargs):
    """An operation's arguments by name, with the defaults of those that are not given."""
    declared = func._schema.arguments
    return {a.name: a.default_value for a in declared if a.has_default_value()} \
        | {a.name: value for a, value in zip(declared, args)} | kwargs


def written_by(func, given):
    """The tensors that an operation writes."""
    is_training = given.get("training", given.get("use_input_stats", True))
    statistics = STATISTICS if is_training and func._schema.name.split("::")[1] in NORMS else ()
    for argument in func._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write or argument.name in statistics:
            yield from (t for t in tree_flatten(given.get(argument.name))[0] if isinstance(t, torch.Tensor))


def fresh(args, kwargs, out):
    """Whether an operation has made storages of its own."""
    keys = {key_of(t) for t in tree_flatten((args, kwargs))[0] if is_plain(t)}
    return any(key_of(t) not in keys for t in tree_flatten(out)[0] if is_plain(t))


def is_dense(tensor):
    """Whether the elements fill one run of memory, in whatever order."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape)):
        if size != 1 and stride != expected:
            return False
        expected *= size if size != 1 else 1
    return True
