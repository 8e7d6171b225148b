"""What is known of a storage's elements: a graph of draws, and of what was done with them since.

Every node stands for the elements of one storage in memory order. A write makes a new node; nodes never
change.
"""

import itertools
import math

import torch

SERIAL = itertools.count()


def contiguous_strides(sizes):
    return [math.prod(sizes[i + 1:]) for i in range(len(sizes))]


class View:
    """Elements of a node: an offset, and a stride for each size."""

    def __init__(self, node, offset, sizes, strides):
        self.node, self.offset, self.sizes, self.strides = node, offset, list(sizes), list(strides)

    @property
    def is_whole(self):
        """Whether it is all elements of the node in their order."""
        return self.offset == 0 and math.prod(self.sizes) == self.node.count and all(
            size == 1 or stride == plain
            for size, stride, plain in zip(self.sizes, self.strides, contiguous_strides(self.sizes)))

    def expanded(self, sizes):
        """The view broadcast to larger sizes."""
        extra = len(sizes) - len(self.sizes)
        strides = [0] * extra + [
            0 if ours == 1 and size != 1 else stride
            for ours, stride, size in zip(self.sizes, self.strides, sizes[extra:])]
        return View(self.node, self.offset, sizes, strides)

    def start_and_strides(self):
        return [self.offset, *self.strides]


class Node:
    inputs = ()

    def __init__(self, count, dtype):
        self.count, self.dtype, self.serial = count, dtype, next(SERIAL)


class Known(Node):
    """Elements that no draw has gone into: those that the storage holds, or held before it was written."""

    def __init__(self, storage, count, dtype):
        super().__init__(count, dtype)
        self.storage, self.kept = storage, None

    def keep(self):
        if self.kept is None:
            self.kept = self.values().clone()

    def values(self):
        if self.kept is not None:
            return self.kept
        flat = torch.empty(0, dtype=self.dtype)
        return flat.set_(self.storage, 0, (self.count,), (1,))


class Constant(Node):
    """One number."""

    def __init__(self, value, dtype):
        super().__init__(1, dtype)
        self.value = value


class Empty(Node):
    """Memory that nothing has filled."""

    reason = "never filled: torch.empty leaves what was in memory"


class Opaque(Node):
    """Elements that cannot be told."""

    def __init__(self, count, dtype, reason):
        super().__init__(count, dtype)
        self.reason = reason


class Draw(Node):
    """Elements drawn by a rule for a tensor of a shape; `one_by_one` if that shape has gaps."""

    def __init__(self, rule, shape, dtype, one_by_one=False):
        super().__init__(math.prod(shape), dtype)
        self.rule, self.shape, self.one_by_one = rule, list(shape), one_by_one
        # The storage that was filled, and the write to it if only a part of it was.
        self.key, self.part = None, None
        # Whether the generator held a normal number that an earlier draw left over.
        self.cached_normal = False


class Set(Node):
    """A base with a region that elements of a source fill, after some operations."""

    def __init__(self, base, source, sizes, target, operations=(), indices=None, count=None, dtype=None):
        super().__init__(base.count if base else count, base.dtype if base else dtype)
        self.base, self.source, self.sizes, self.target = base, source, list(sizes), list(target)
        self.operations, self.indices = list(operations), indices
        self.inputs = (source.node,) if base is None else (base, source.node)

    @property
    def is_in_place(self):
        """Whether only operations are done, on each element where it is."""
        return self.base is None and self.indices is None and self.source.is_whole \
            and self.target == [0, *contiguous_strides(self.sizes)] and self.source.node.count == self.count


class Combine(Node):
    """The sum, product, … of two nodes, element by element."""

    def __init__(self, left, right, sign):
        super().__init__(left.count, left.dtype)
        self.sign, self.inputs = sign, (left, right)


class Norms(Node):
    """Norms of the slices of a node of some shape along a dimension, or of all of it for None."""

    def __init__(self, source, shape, dimension):
        super().__init__(shape[dimension] if dimension is not None else 1, source.dtype)
        self.shape, self.dimension, self.inputs = list(shape), dimension, (source,)


class Singular(Node):
    """A left or right singular vector of a matrix of some shape, after steps of the power method from a start."""

    def __init__(self, matrix, start, shape, is_left, steps):
        super().__init__(shape[0] if is_left else shape[1], matrix.dtype)
        self.shape, self.is_left, self.steps, self.inputs = list(shape), is_left, steps, (matrix, start)
        # The other vector.
        self.partner = None
