"""What the command does, against torch and against digests computed here."""

import json
import math
import os
import pathlib

import blake3
import numpy as np

import ckpt

from .support import FolderTest, needs_torch, torch

TEXT = "Sequential(\n  (0): Linear(in_features=20, out_features=30, bias=True)\n  (1): BatchNorm1d(30, eps=1e-05, " \
       "momentum=0.1, affine=True, track_running_stats=True)\n  (2): Linear(in_features=30, out_features=2, bias=True)\n)"


class Operations(FolderTest):
    def test_init_and_its_file_agree(self):
        made = ckpt.init(TEXT, 3, "Linear: bias=1")
        self.assertIsNone(ckpt.init(TEXT, 3, ["Linear: bias=1"], output="a.ckz"))
        self.assert_same(ckpt.load_file("a.ckz"), made)
        self.assertEqual(made["0.bias"].tolist(), [1.0] * 30)
        pathlib.Path("model.txt").write_text(TEXT)
        self.assert_same(ckpt.init(pathlib.Path("model.txt"), 3, "Linear: bias=1"), made)
        self.assert_same(ckpt.init("model.txt", 3, "Linear: bias=1"), made)
        with self.assertRaisesRegex(ckpt.CheckpointError, "exist|force"):
            ckpt.init(TEXT, 4, output="a.ckz")
        self.assertEqual(ckpt.open("a.ckz").tree.splitlines()[0], "Sequential(")
        self.assertEqual(json.loads(ckpt.open("a.ckz").recipe)["seed"], "3")

    def test_verify_and_find_seed(self):
        made = ckpt.init(TEXT, 77)
        ckpt.init(TEXT, 77, output="a.ckz")
        self.assertTrue(ckpt.verify("a.ckz").is_verified)
        self.assertTrue(ckpt.verify(made, TEXT, 77).is_verified)
        found = ckpt.verify(made, TEXT, 78)
        self.assertFalse(found.is_verified)
        self.assertEqual({tensor["name"] for tensor in found.tensors}, set(made))
        self.assertEqual(ckpt.find_seed(made, TEXT), 77)
        self.assertIsNone(ckpt.find_seed(made, TEXT, range=(0, 76)))

    def test_reinit_changes_what_it_says(self):
        ckpt.init(TEXT, 1, output="a.ckz")
        names = ckpt.reinit("a.ckz", "2", seed=5, output="b.safetensors")
        self.assertEqual(names, ["2.weight", "2.bias"])
        old, new = ckpt.load_file("a.ckz"), ckpt.load_file("b.safetensors")
        self.assertEqual({name for name in old if old[name].tobytes() != new[name].tobytes()}, set(names))
        self.assertEqual(ckpt.reinit("a.ckz", "Linear", seed=5, dry_run=True), ["0.weight", "0.bias", *names])
        ckpt.reinit("a.ckz", "2", seed=5, in_place=True)
        self.assertTrue(ckpt.diff("a.ckz", "b.safetensors").is_equal)

    def test_diff(self):
        first = {"a": np.arange(6.0), "b": np.zeros((2, 2)), "gone": np.arange(3), "same": np.ones(4)}
        second = {"a": np.array([0, 1, 2.5, 3, 4, np.nan]), "b": np.zeros((4, 1)), "<new>\x1b": np.ones(2),
                  "same": np.ones(4)}
        diff = ckpt.diff(first, second)
        kinds = {change["name"]: change["kind"] for change in diff}
        self.assertEqual(kinds, {"a": "changed", "b": "reshaped", "gone": "removed", "<new>\x1b": "added"})
        self.assertEqual((len(diff), diff.identical, diff.is_equal), (4, 1, False))
        record = next(record for record in diff.to_records() if record["name"] == "a")
        self.assertEqual((record["differing"], record["elements"], record["becameNaN"]), (2, 6, 1))
        self.assertTrue(math.isnan(record["maxAbsolute"]))
        self.assertEqual(len({tuple(record) for record in diff.to_records()}), 1)
        text, page = repr(diff), diff._repr_html_()
        self.assertNotIn("\x1b", text + page)
        self.assertNotIn("<new>", page)
        self.assertIn("&lt;new&gt;", page)
        self.assertIn("2 of 6", text)
        self.assertTrue(ckpt.diff(first, first).is_equal)
        self.assertTrue(ckpt.diff({"a": np.ones(3)}, {"a": np.ones(3) + 1e-9}, rtol=1e-6).is_equal)
        ckpt.save_file(first, "a.h5", extras={"epoch": 3})
        ckpt.save_file(first, "b.ckz", extras={"epoch": 4})
        self.assertEqual(ckpt.diff("a.h5", "b.ckz").values, [{"address": "epoch", "old": 3, "new": 4}])

    def test_the_fingerprint_is_that_of_the_manifest(self):
        made = {"b.x": np.arange(6, dtype="f4").reshape(2, 3), "a": np.random.default_rng(0).standard_normal(300_000)}
        lines = "".join(f"{blake3.blake3(made[name].tobytes()).hexdigest()}  {kind}  [{shape}]  {name}\n"
                        for name, kind, shape in (("a", "F64", "300000"), ("b.x", "F32", "2,3")))
        expected = blake3.blake3(lines.encode()).hexdigest()
        for ending in ("ckz", "h5", "safetensors", "npz"):
            ckpt.save_file(made, f"a.{ending}")
            self.assertEqual(ckpt.fingerprint(f"a.{ending}"), expected)
        self.assertEqual(ckpt.fingerprint(made), expected)

    def test_convert(self):
        made = {f"n{index}": np.full(100_000, index, "f4") for index in range(5)}
        ckpt.save_file(made, "a.h5", extras={"epoch": 3})
        self.assertEqual(ckpt.convert("a.h5", "b.ckz"), ["b.ckz"])
        self.assert_same(ckpt.load_file("b.ckz"), made)
        files = ckpt.convert("a.h5", "shards/m.safetensors", shard_size="1MB", overwrite=True) if os.makedirs(
            "shards") is None else []
        self.assertEqual(len(files), 4)
        self.assert_same({name: ckpt.load_file("shards")[name] for name in made}, made)
        self.assertEqual(ckpt.load_file(ckpt.convert(made, "c.npz", dtype="float16")[0])["n3"].dtype, np.dtype("f2"))

    def test_check(self):
        ckpt.save_file({"a": np.arange(1000.0)}, "a.ckz")
        self.assertEqual(ckpt.check("a.ckz"), [])

    def test_errors_of_a_text_name_the_model(self):
        with self.assertRaises(ckpt.CheckpointError) as caught:
            ckpt.init("Net(\n  (0): Linear(in_features=x, out_features=2)\n)")
        self.assertTrue(str(caught.exception).startswith("model: line 2"), caught.exception)


@needs_torch
class TorchOperations(FolderTest):
    def net(self):
        return torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.BatchNorm1d(30), torch.nn.Linear(30, 2))

    def test_init_is_torchs(self):
        torch.manual_seed(11)
        expected = self.net().state_dict()
        for model in (str(self.net()), self.net(), self.net, lambda: self.net()):
            made = ckpt.init(model, 11, framework="torch")
            self.assertEqual(list(made), list(expected))
            for name, tensor in expected.items():
                self.assertEqual(made[name].dtype, tensor.dtype)
                self.assertTrue(torch.equal(made[name], tensor), name)
        self.assertTrue(ckpt.verify(expected, self.net, 11).is_verified)
        self.assertEqual(ckpt.find_seed(expected, self.net()), 11)

    def test_describe_records_a_constructor(self):
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(4, 4)
                self.scale = torch.nn.Parameter(torch.randn(3) * 2)
                torch.nn.init.zeros_(self.fc.bias)

        torch.manual_seed(5)
        expected = Net().state_dict()
        made = ckpt.init(Net, 5, framework="numpy")
        for name, tensor in expected.items():
            self.assert_equal(made[name], tensor.numpy(), name)
        self.assertIn('"scale"', ckpt.describe(Net))

    def test_diff_of_modules(self):
        net = self.net()
        other = self.net()
        other.load_state_dict(net.state_dict())
        self.assertTrue(ckpt.diff(net, other).is_equal)
        torch.nn.init.ones_(other[2].bias)
        self.assertEqual([change["name"] for change in ckpt.diff(net, other)], ["2.bias"])
