"""A live model as a description: its modules, its tensors, and the draws that give them."""

import json

import torch

from . import rules
from .nodes import Known, Set, Singular, View, contiguous_strides
from .operations import is_near, type_name
from .record import key_of
from .replay import Replay
from .steps import LITERAL_LIMIT, Steps, is_uniform, raw_bytes, to_base64
from .target import TargetError, watched

LOST = 1_492_003_117  # a seed that nobody sets
CHANGED = "drawn again, it has other values: something changed it in a way that was not seen"


class Tensor:
    """A tensor of the model under the name where it is met first."""

    def __init__(self, name, tensor, is_parameter, persistent):
        self.name, self.tensor, self.is_parameter, self.persistent = name, tensor, is_parameter, persistent
        self.rule, self.data, self.reason = None, None, None
        # Whether the draws fill it.
        self.drawn = False


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
    found, first = {}, {}
    for path, module in model.named_modules():
        for name, tensor, is_parameter, persistent in own_tensors(module):
            full = joined(path, name)
            if is_parameter and id(tensor) in first:
                continue
            first.setdefault(id(tensor), full)
            found[full] = Tensor(full, tensor.detach() if is_there(tensor) else tensor, is_parameter, persistent)
    return found, first


def require_tree(module, path="", above=None, done=None):
    """Refuses a model whose names a description cannot hold, or that contains itself."""
    above, done = above or {}, set() if done is None else done
    if id(module) in above:
        whole = repr(above[id(module)]) if above[id(module)] else "the model"
        raise TargetError(f"module '{path}' is {whole} again: a module that contains itself cannot be described")
    if id(module) in done:
        return
    if isinstance(module, torch.jit.ScriptModule):
        place = f"module '{path}'" if path else "the model"
        raise TargetError(f"{place} is TorchScript, which cannot be described: describe the model that it is made from")
    done.add(id(module))
    names = [*module._modules, *module._parameters, *module._buffers]
    if dotted := next((n for n in names if "." in n or not n), None):
        raise TargetError(f"{repr(path) if path else 'the model'} has an attribute named '{dotted}': names with dots "
                          "cannot be described; assign it under another name")
    for name, child in module._modules.items():
        if child is not None:
            require_tree(child, joined(path, name), above | {id(module): path}, done)


def is_there(tensor):
    return not isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin)


def same(left, right):
    return left.shape == right.shape and left.dtype == right.dtype and raw_bytes(left) == raw_bytes(right)


def is_one(left, right):
    """Whether two tensors are the same elements in memory."""
    return left.shape == right.shape and left.dtype == right.dtype and left.data_ptr() == right.data_ptr() \
        and left.stride() == right.stride()


def functions_of(node):
    """The functions that made a node, of those whose last bit differs from machine to machine; sorted names."""
    pending, seen, names = [node], set(), set()
    while pending:
        node = pending.pop()
        if node.serial not in seen:
            seen.add(node.serial)
            pending += node.inputs
            if isinstance(node, Singular):
                names.add("the power method")
            names |= {op.split()[0] for op in getattr(node, "operations", []) if is_near(op, node.dtype)}
    return sorted(names)


class Description:
    """Turns a record into draws, and checks what they give against models of several seeds."""

    def __init__(self, recorder, model, seed, others=(), embeds=False):
        require_tree(model)
        self.recorder, self.model, self.seed, self.others, self.embeds = recorder, model, seed, others, embeds
        self.tensors, self.first = tensors_of(model)
        self.draws, self.finals = [], {}
        # Tensors of state_dict() that no module owns; names there of those that it renames; notes on both.
        self.strays, self.renamed, self.notes = {}, {}, []
        self.compare_state()
        if recorder is not None:
            self.examine()
        else:
            self.note_statistics()
        for t in [*self.tensors.values(), *self.strays.values()]:
            if embeds and t.persistent and self.is_unknown(t) and is_there(t.tensor):
                t.data, t.reason = to_base64(t.tensor), None

    def compare_state(self):
        """Holds state_dict() against the modules' tensors: a hook, or the class itself, may change it."""
        own = {joined(path, name): tensor for path, module in self.model.named_modules(remove_duplicate=False)
               for name, tensor, _, persistent in own_tensors(module) if persistent}
        with watched("state_dict()"):
            state = {n: t for n, t in self.model.state_dict().items() if isinstance(t, torch.Tensor) and is_there(t)}
        paths = {path for path, _ in self.model.named_modules()}
        lost = [name for name, tensor in own.items() if is_there(tensor) and name not in state]
        for name, tensor in state.items():
            if name in own:
                if name in self.tensors and is_there(own[name]) and not is_one(tensor, own[name]) \
                        and not same(tensor, own[name].detach()):
                    self.tensors[name].reason = "state_dict() gives other values than its module holds"
                continue
            original = next((n for n in lost if is_one(tensor, own[n])), None)
            if original is not None:
                lost.remove(original)
                self.renamed[name] = original
                self.notes.append(f"{original}: state_dict() calls it '{name}'; the description has the module's name")
                continue
            path, _, leaf = name.rpartition(".")
            if path not in paths:
                raise TargetError(f"state_dict() holds '{name}', which belongs to no module: such a tensor cannot be "
                                  "described")
            stray = self.strays[name] = Tensor(name, tensor, False, True)
            stray.reason = "state_dict() adds it; no module owns it"
        self.notes += [f"{name}: its module holds it, but state_dict() leaves it out; the description has it"
                       for name in lost]

    def note_statistics(self):
        """Notes the norms of a model that is there whose statistics are not those that they begin with."""
        begun = {"running_mean": 0, "running_var": 1, "num_batches_tracked": 0}
        changed = [joined(path, name) for path, module in self.model.named_modules()
                   if isinstance(module, torch.nn.modules.batchnorm._NormBase)
                   for name, tensor, _, _ in own_tensors(module)
                   if name in begun and is_there(tensor) and not tensor.is_meta and bool((tensor != begun[name]).any())]
        if changed:
            more = f" and {len(changed) - 1} more buffers" if len(changed) > 1 else ""
            self.notes.append(f"{changed[0]}{more}: changed by runs of the model; described as its class begins, which "
                              "is not what a constructor that runs the model gives: for that, describe the constructor")

    def examine(self):
        models = [(seed, {n: t.tensor for n, t in tensors_of(other)[0].items()}) for seed, other in self.others]
        live = [(self.seed, {n: t.tensor for n, t in self.tensors.items()}), *models]
        finals = {}
        for name, t in self.tensors.items():
            t.reason = t.reason or self.refusal(t, [tensors.get(name) for _, tensors in models])
            if t.reason is not None:
                continue
            node = self.node(t.tensor)
            if not isinstance(node, Known):
                finals[name] = node
            elif all(same(tensors[name], t.tensor) for _, tensors in models):
                self.constant(t)
            else:
                t.reason = "differs from one construction to the next in a way that was not seen"
        self.recorder.final_keys = {name: key_of(self.tensors[name].tensor) for name in finals}
        shapes = {n: (list(t.tensor.shape), t.tensor.dtype) for n, t in self.tensors.items() if is_there(t.tensor)}
        while True:
            steps = Steps(self.recorder, dict(finals), shapes)
            wrong = self.check(steps, shapes, live)
            for name in wrong:
                self.tensors[name].reason = wrong[name]
                del finals[name]
            if not wrong:
                break
        for name, reason in steps.reasons.items():
            self.tensors[name].reason = reason
        for name in steps.finals:
            t = self.tensors[name]
            t.drawn, t.rule = True, steps.rules.get(name)
            if t.rule is None:
                t.reason = "made in steps, see draws"
        self.draws, self.finals = steps.draws, steps.finals

    def refusal(self, t, others):
        if not is_there(t.tensor):
            return "a lazy module that has not seen an input yet: run the model once in the expression"
        if t.tensor.device.type != "cpu":
            return f"on device {t.tensor.device}, expected cpu"
        if t.tensor.layout != torch.strided or t.tensor.is_quantized:
            return "sparse or quantized"
        if any(o is None or not is_there(o) or o.shape != t.tensor.shape or o.dtype != t.tensor.dtype for o in others):
            return "two seeds built different models"
        if not t.persistent:
            return "not in state_dict()"
        if t.tensor.numel() == 0:
            t.rule = "0"
            return "empty"
        return None

    def node(self, tensor):
        """The node of just a tensor's elements, in row-major order."""
        view = self.recorder.view(tensor)
        if view.is_whole or isinstance(view.node, Known):
            return view.node
        sizes = list(tensor.shape)
        return Set(None, View(view.node, view.offset, sizes, view.strides), sizes,
                   [0, *contiguous_strides(sizes)], count=tensor.numel(), dtype=tensor.dtype)

    def constant(self, t):
        """A tensor that does not depend on the seed: a number, or carried as it is."""
        flat = t.tensor.reshape(-1)
        if is_uniform(flat):
            t.rule = rules.number(flat[0].item())
        elif flat.numel() * flat.element_size() <= LITERAL_LIMIT:
            t.data = to_base64(t.tensor)
        else:
            t.reason = "computed, and too large to be carried"

    def check(self, steps, shapes, live):
        """The tensors that do not have the values of a live model when they are drawn again."""
        wrong = {}
        for seed, expected in live:
            replay = Replay(shapes)
            lost = next((d["unknown"] for d in steps.draws if "unknown" in d), None)
            # Where the stream is lost, from another place, so that nothing agrees by chance.
            values = replay.run(seed, [{"seed": LOST} if "unknown" in d else d for d in steps.draws])
            for name in steps.finals:
                if name in wrong or name in values and same(values[name], expected[name]):
                    continue
                wrong[name] = replay.failed.get(name) or (
                    f"drawn after {lost}, which takes numbers from the generator in a way that is not known" if lost else CHANGED)
            del values
        return wrong

    @staticmethod
    def is_unknown(t):
        return t.rule is None and t.data is None and not t.drawn

    def near(self):
        """The tensors whose values are near PyTorch's, with the functions that they were computed by."""
        return {n: names for n, node in self.finals.items() if self.tensors[n].drawn
                if (names := functions_of(node))}

    def unknown(self):
        """The reasons of the tensors of state_dict() that the description does not give."""
        return {n: t.reason for n, t in (self.tensors | self.strays).items() if t.persistent and self.is_unknown(t)}

    # The text

    def json(self, about):
        """One module and one draw per line."""
        lines, paths, stack = [], {}, [("", self.model)]
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
            if not is_there(tensor):
                continue
            lists[is_parameter].append(self.tensor_entry(name, self.tensors[full], base))
        lists[False] += [self.tensor_entry(name.rpartition(".")[2], stray, None) for name, stray in self.strays.items()
                         if name.rpartition(".")[0] == path]
        if lists[True] or base is not None:
            entry["parameters"] = lists[True]
        if lists[False]:
            entry["buffers"] = lists[False]
        return entry

    def tensor_entry(self, name, t, base):
        item = {"name": name, "shape": list(t.tensor.shape)}
        if t.tensor.dtype != torch.float32:
            item["dtype"] = type_name(t.tensor.dtype)
        if t.data is not None:
            item["dtype"] = type_name(t.tensor.dtype)
            item["data"] = t.data
        elif t.rule is not None or self.recorder is not None or base is None:
            item["rule"] = t.rule
            if t.rule is None:
                item["reason"] = t.reason or "a saved model does not tell how it was made"
        if not t.persistent:
            item["persistent"] = False
        return item


def base_of(cls):
    """The nearest class of torch.nn that a class is or derives from, by its name there."""
    for ancestor in cls.__mro__:
        name = ancestor.__name__
        if ancestor is torch.nn.Module:
            return None
        if ancestor.__module__.startswith("torch.nn.modules") and getattr(torch.nn, name, None) is ancestor:
            return None if name == "Container" or name.startswith("Lazy") else name
    return None
