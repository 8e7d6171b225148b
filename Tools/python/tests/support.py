"""What the tests share: a folder for each test, and arrays of every type."""

import os
import pathlib
import tempfile
import unittest

import numpy as np

try:
    import torch
except ImportError:
    torch = None

ROOT = pathlib.Path(__file__).resolve().parents[3]
needs_torch = unittest.skipIf(torch is None, "torch is not installed")


class FolderTest(unittest.TestCase):
    """A test in an empty folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def assert_same(self, one, other):
        """The names in their order, and every type, shape, and byte."""
        self.assertEqual(list(one), list(other))
        for name, array in one.items():
            self.assert_equal(array, other[name], name)

    def assert_equal(self, one, other, name=None):
        self.assertEqual((one.dtype, one.shape), (other.dtype, other.shape), name)
        self.assertEqual(one.tobytes(), other.tobytes(), name)


def arrays():
    """Arrays of all plain types, of all kinds of shapes, one larger than a chunk."""
    random = np.random.default_rng(0)
    made = {"large": random.standard_normal((700, 801)).astype("f4"), "scalar": np.array(-0.0),
            "empty": np.zeros((3, 0, 2), "i2"), "ü.ñ.weight": random.standard_normal(5)}
    for dtype in ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"):
        made[f"types.{dtype}"] = (random.standard_normal((4, 3)) * 40 if dtype != "?" else random.random((4, 3)) > 0.5
                                  ).astype(dtype)
    made["special"] = np.array([np.nan, np.inf, -np.inf, 5e-324, -0.0])
    return made
