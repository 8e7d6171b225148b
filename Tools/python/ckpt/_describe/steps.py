"""Turns the record of a construction into the draws of a description."""

import base64
import math

import torch

from . import rules
from .nodes import Combine, Constant, Draw, Empty, Known, Norms, Opaque, Set, Singular, View, contiguous_strides
from .operations import type_name
from .streams import Advance, Reseed, Restore, Save

LITERAL_LIMIT = 16 << 20  # bytes of one computed tensor that a description carries
POWER_STEPS = 16  # of the power method, that a new spectral_norm makes
SERIAL_LIMIT = 60_000  # normal numbers that are drawn one by one, fifteen in a step
FOLDED = ("* ", "/ ", "+ ", "- ", "erfinv", "clamp ")  # operations that a rule can hold


def raw_bytes(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def to_base64(tensor):
    return base64.b64encode(raw_bytes(tensor)).decode()


class Unknowable(Exception):
    """A tensor cannot be described, for this reason."""


class Steps:
    """The draws that give some of a model's tensors.

    `finals` holds the node of each tensor by its name, `shapes` its shape and type. A tensor is `wanted`
    unless it has been given up.
    """

    def __init__(self, recorder, finals, shapes):
        self.recorder, self.finals, self.shapes = recorder, finals, dict(shapes)
        self.draws, self.rules, self.reasons = [], {}, {}
        self.places, self.begun, self.scratches = {}, set(), 0
        self.folded, self.absorbed = {}, {}
        for name in list(self.finals):
            try:
                require(self.finals[name])
            except Unknowable as error:
                self.reasons[name] = str(error)
                del self.finals[name]
        self.collect()
        self.assign()
        self.emit()

    # Which nodes are needed, and where each is kept

    def collect(self):
        """The nodes that some tensor needs, with those that use each."""
        self.users, pending = {}, list(self.finals.values())
        while pending:
            node = pending.pop()
            if node.serial in self.users:
                continue
            self.users[node.serial] = []
            pending += node.inputs
        self.needed = []
        pending = list(self.finals.values())
        seen = set()
        while pending:
            node = pending.pop()
            if node.serial in seen:
                continue
            seen.add(node.serial)
            self.needed.append(node)
            for source in node.inputs:
                self.users[source.serial].append(node)
                pending.append(source)
        self.needed.sort(key=lambda n: n.serial)

    def assign(self):
        for name, node in self.finals.items():
            if node.serial not in self.places:
                self.keep_in(name, node)
        for node in reversed(self.needed):
            if node.serial not in self.places and not isinstance(node, (Empty, Constant)):
                self.scratches += 1
                self.keep_in(f"#{self.scratches}", node)

    def keep_in(self, place, node):
        """Keeps a node in a tensor, and in the same what it was made from in place."""
        while True:
            self.places[node.serial] = place
            source = None
            if isinstance(node, Set):
                source = node.base if node.base is not None else node.source.node if node.is_in_place else None
            if source is None or source.serial in self.places or isinstance(source, (Constant, Empty)) \
                    or source.dtype != node.dtype or source.count != node.count \
                    or any(user.serial > node.serial for user in self.users[source.serial]) \
                    or any(final is source for final in self.finals.values()):
                return
            node = source

    # Emission

    def emit(self):
        """All steps in the order of the record; what no tensor needs is drawn and thrown away."""
        needed = {node.serial for node in self.needed}
        queue = [n for n in self.needed if not isinstance(n, Draw)]
        position = 0
        for event in self.recorder.events:
            if isinstance(event, Draw):
                while position < len(queue) and queue[position].serial < event.serial:
                    self.node(queue[position])
                    position += 1
                if event.serial in needed:
                    self.drawn(event)
                else:
                    self.discarded(event)
            elif isinstance(event, Advance):
                self.draws.append({"unknown": event.cause} if event.words is None else {"advance": event.words})
            elif isinstance(event, Reseed):
                self.draws.append({"seed": event.seed})
            elif isinstance(event, Save):
                self.draws.append({"save": event.name})
            elif isinstance(event, Restore):
                self.draws.append({"restore": event.name})
        for node in queue[position:]:
            self.node(node)
        for name, node in self.finals.items():
            place = self.places.get(node.serial)
            if place is not None and place != name:
                self.copy(place, name)
                self.rules.setdefault(name, self.rules.get(place))

    def declare(self, place, shape, dtype):
        """Makes a place that is not one of the model's tensors, once."""
        if place not in self.shapes:
            self.shapes[place] = (list(shape), dtype)
            step = {"scratch": place, "shape": list(shape)}
            if dtype != torch.float32:
                step["dtype"] = type_name(dtype)
            self.draws.append(step)

    def scratch(self, shape, dtype):
        self.scratches += 1
        self.declare(f"#{self.scratches}", shape, dtype)
        return f"#{self.scratches}"

    def copy(self, source, target):
        if self.shapes[source] == self.shapes[target]:
            self.draws.append({"copy": source, "to": target})
        else:
            self.draws.append({"set": target, "from": source})
        self.begun.add(target)

    def fold(self, draw):
        """The operations with numbers that follow a draw at once, if only they use it."""
        operations, node = [], draw
        while True:
            users = self.users[node.serial]
            if len(users) != 1 or any(final is node for final in self.finals.values()):
                return operations
            user = users[0]
            if not (isinstance(user, Set) and user.is_in_place and user.source.node is node
                    and user.dtype == node.dtype and node.dtype.is_floating_point
                    and all(op.startswith(FOLDED) and "inf" not in op for op in user.operations)
                    and self.places[user.serial] == self.places[draw.serial]):
                return operations
            operations += user.operations
            self.absorbed[user.serial] = True
            node = user

    def drawn(self, event):
        """A draw that is needed."""
        users = self.users[event.serial]
        if len(users) == 1 and self.is_run(users[0], event) and not event.one_by_one \
                and event.rule.name not in rules.WHOLE and not any(f is event for f in self.finals.values()):
            self.folded[event.serial] = True  # drawn where it is put, see `set`
            return
        place = self.places[event.serial]
        name = place
        operations = self.fold(event)
        text = event.rule.text()
        if place in self.shapes and list(self.shapes[place][0]) != event.shape:
            if event.rule.name in rules.WHOLE or event.rule.name == "trunc_normal_":
                name = self.scratch(event.shape, event.dtype)
            else:
                text = event.rule.without_fans(event.shape).text()
        self.declare(name, event.shape, event.dtype)
        if event.one_by_one:
            self.draws.append({"fill": name, "rule": "0"})
            for start in range(0, event.count, 15):
                self.draws.append({"fill": name, "elements": [start, min(start + 15, event.count)],
                                   "rule": text})
            if operations:
                self.draws.append({"set": name, "from": name, "apply": "; ".join(operations)})
        else:
            text += "".join(f" {rule_text(op)}" for op in operations)
            padding = self.padding(event) if not operations and name == place else None
            if padding is not None:
                text = text[:-1] + f", padding_idx={padding})" if text.endswith(")") else f"{text}(padding_idx={padding})"
            text = rules.grouped(text)
            self.draws.append({"fill": name, "rule": text})
        self.begun.add(name)
        if name != place:
            self.copy(name, place)
        elif self.is_final(place):
            self.rules[place] = None if event.one_by_one else text

    def is_final(self, place):
        return not place.startswith("#") or place in self.finals

    def padding(self, event):
        """The row of an embedding that is zero, if that is all that was done to the draw."""
        if event.rule.name != "normal_" or len(event.shape) < 2 or len(self.users[event.serial]) != 1:
            return None
        user = self.users[event.serial][0]
        row = event.count // max(event.shape[0], 1)
        if not (isinstance(user, Set) and user.base is event and isinstance(user.source.node, Constant)
                and user.source.node.value == 0 and user.indices is None and self.places[user.serial] == self.places[event.serial]):
            return None
        span = run_of(user)
        if span is None or span[1] - span[0] != row or span[0] % row:
            return None
        self.absorbed[user.serial] = True
        return span[0] // row

    def is_run(self, node, draw):
        """Whether a node puts a draw into a run of its elements, in order."""
        return node is draw.part and run_of(node) is not None

    def discarded(self, event):
        rule = event.rule
        entry = {"discard": event.shape, "rule": rule.text()}
        if event.dtype != torch.float32:
            entry["dtype"] = type_name(event.dtype)
        if event.one_by_one:
            if event.count % 2 == 0 and not event.cached_normal:
                # Two from four words; an odd one out is kept for the next.
                self.draws.append({"advance": 2 * event.count})
                return
            entry["discard"] = [15]
            self.draws += [entry] * (event.count // 15)
            if event.count % 15:
                self.draws.append(entry | {"discard": [event.count % 15]})
            return
        # A tensor that is filled again later can take it as well, which reads better.
        for name, final in self.finals.items():
            if self.recorder.final_keys.get(name) == event.key and name not in self.begun \
                    and self.shapes[name] == (event.shape, event.dtype):
                self.draws.append({"fill": name, "rule": rule.text()})
                return
        self.draws.append(entry)

    def node(self, node):
        """The step that makes a node that is not a draw."""
        if node.serial in self.absorbed or isinstance(node, (Empty, Constant)):
            return
        place = self.places[node.serial]
        if self.is_final(place):
            self.rules[place] = None
        if isinstance(node, Known):
            self.declare(place, [node.count], node.dtype)
            self.draws.append({"fill": place} | literal(node))
        elif isinstance(node, Set):
            self.set(node, place)
        elif isinstance(node, Combine):
            left, right = (self.places[n.serial] for n in node.inputs)
            self.declare(place, [node.count], node.dtype)
            self.draws.append({"combine": left, "with": right, "by": node.sign, "to": place})
        elif isinstance(node, Singular):
            self.singular(node)
        elif isinstance(node, Norms):
            source = self.shaped(node.inputs[0], node.shape)
            self.declare(place, [node.count], node.dtype)
            step = {"norms": source, "to": place}
            if node.dimension != 0:
                step["dimension"] = node.dimension
            self.draws.append(step)
        self.begun.add(place)

    def shaped(self, node, shape):
        """A place that holds a node's elements in this shape."""
        place = self.places[node.serial]
        if list(self.shapes[place][0]) != list(shape):
            shaped = self.scratch(shape, node.dtype)
            self.copy(place, shaped)
            return shaped
        return place

    def singular(self, node):
        """Both vectors of a matrix: they are computed together."""
        left, right = (node, node.partner) if node.is_left else (node.partner, node)
        matrix = self.shaped(node.inputs[0], node.shape)
        u, v = (self.places.get(n.serial) or self.scratch([n.count], n.dtype) for n in (left, right))
        for vector, place in ((left, u), (right, v)):
            self.declare(place, [vector.count], vector.dtype)
        start = self.places[node.inputs[1].serial]
        if start != v:
            self.copy(start, v)
        self.draws.append({"powers": matrix, "u": u, "v": v, "rows": 0})
        self.begun |= {u, v}
        self.absorbed |= {left.serial: True, right.serial: True}
        for place in (u, v):
            if self.is_final(place):
                self.rules[place] = None

    def set(self, node, place):
        self.declare(place, [node.count], node.dtype)
        if isinstance(node.base, Empty):
            self.draws.append({"fill": place, "rule": "0"})
        elif node.base is not None and self.places[node.base.serial] != place:
            self.copy(self.places[node.base.serial], place)
        source, span = node.source.node, run_of(node)
        if isinstance(source, Draw) and source.serial in self.folded:
            text = source.rule.without_fans(source.shape).text()
            self.draws.append({"fill": place, "elements": list(span), "rule": text})
            return
        if isinstance(source, Constant):
            rule = rules.number(source.value)
            if span == (0, node.count) and node.indices is None:
                self.draws.append({"fill": place, "rule": rule})
                return
            if span is not None and node.indices is None:
                self.draws.append({"fill": place, "elements": list(span), "rule": rule})
                return
            origin = self.scratch([1], source.dtype)
            self.draws.append({"fill": origin, "rule": rule})
        else:
            origin = self.places[source.serial]
        step = {"set": place, "from": origin}
        if node.indices is not None:
            step["indices"] = to_base64(node.indices)
        elif not (node.is_in_place and node.count == source.count):
            sizes, target, strides = joined(node.sizes, node.target, node.source.start_and_strides())
            step |= {"sizes": sizes, "target": target, "source": strides}
        if node.operations:
            step["apply"] = "; ".join(node.operations)
        self.draws.append(step)


def require(node):
    """Raises if a node depends on something that cannot be told."""
    pending, seen = [node], set()
    while pending:
        node = pending.pop()
        if node.serial in seen:
            continue
        seen.add(node.serial)
        if isinstance(node, (Opaque, Empty)):
            raise Unknowable(node.reason)
        if isinstance(node, Singular) and node.steps != POWER_STEPS:
            raise Unknowable(f"{node.steps} steps of the power method, expected the {POWER_STEPS} of a new spectral_norm")
        if isinstance(node, Known) and node.count * node.dtype.itemsize > LITERAL_LIMIT and not is_uniform(node.values()):
            raise Unknowable("computed with a constant that is too large to be carried")
        if isinstance(node, Draw) and node.one_by_one and node.count > SERIAL_LIMIT:
            raise Unknowable("too many normal numbers drawn into a transposed or spaced-out tensor")
        if isinstance(node, Set) and isinstance(node.base, (Set, Empty)):
            pending += filled_parts(node)
        else:
            pending += node.inputs


def filled_parts(node):
    """The inputs of a chain of writes; raises if it begins in empty memory and leaves some of it."""
    inputs, chain = [], node
    while isinstance(chain, Set) and chain.base is not None:
        inputs.append(chain.source.node)
        if isinstance(chain.base, Set):
            chain = chain.base
            continue
        break
    if not isinstance(chain, Set) or not isinstance(chain.base, Empty):
        return inputs + [chain.base if isinstance(chain, Set) and chain.base is not None else chain]
    filled = torch.zeros(node.count, dtype=torch.bool)
    step = node
    while isinstance(step, Set) and step.base is not None:
        if step.indices is not None:
            filled |= step.indices >= 0
        else:
            filled.as_strided(step.sizes, step.target[1:], step.target[0]).fill_(True)
        step = step.base
    if isinstance(step, Set):
        filled.fill_(True)
    if not bool(filled.all()):
        raise Unknowable(Empty.reason if not bool(filled.any()) else "in part " + Empty.reason)
    return inputs


def is_uniform(values):
    return values.numel() > 0 and not values.dtype.is_complex and bool((values == values[0]).all()) \
        and math.isfinite(float(values[0])) and abs(float(values[0])) < 2 ** 53 \
        and not (float(values[0]) == 0 and math.copysign(1, float(values[0])) < 0)


def literal(node):
    values = node.values()
    return {"rule": rules.number(values[0].item())} if is_uniform(values) else {"data": to_base64(values)}


def rule_text(operation):
    """An operation as a rule has it: clamp(-2, 2)."""
    word, *numbers = operation.split()
    return f"clamp({', '.join(numbers)})" if word == "clamp" else operation


def run_of(node):
    """The run of elements that a write fills in order, as (from, to); None for anything else."""
    if node.indices is not None:
        return None
    strides = node.target[1:]
    expected = 1
    for size, stride in zip(reversed(node.sizes), reversed(strides)):
        if size != 1:
            if stride != expected:
                return None
            expected *= size
    return node.target[0], node.target[0] + math.prod(node.sizes)


def joined(sizes, target, source):
    """A region with the dimensions of size 1 left out and neighbors joined where both views run on."""
    dims = []
    for size, to, of in zip(sizes, target[1:], source[1:]):
        if size == 1:
            continue
        if dims and dims[-1][1] == to * size and dims[-1][2] == of * size:
            dims[-1] = (dims[-1][0] * size, to, of)
        else:
            dims.append((size, to, of))
    return [d[0] for d in dims], [target[0]] + [d[1] for d in dims], [source[0]] + [d[2] for d in dims]
