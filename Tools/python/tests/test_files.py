"""Reading and writing, against the readers and writers of other projects."""

import os
import pathlib
import unittest

import h5py
import numpy as np
import safetensors
import safetensors.numpy

import ckpt
import ckpt.numpy

from .support import ROOT, FolderTest, arrays, needs_torch, torch


class ForeignFiles(FolderTest):
    def test_safetensors_reads_what_was_written(self):
        made = {name: array for name, array in arrays().items() if array.dtype != np.complex128}
        self.assertEqual(ckpt.save_file(made, "a.safetensors", {"who": "me"}), [])
        found = safetensors.numpy.load_file("a.safetensors")
        self.assertEqual(set(found), set(made))
        for name in made:
            self.assert_equal(found[name], made[name], name)
        with safetensors.safe_open("a.safetensors", "np") as file:
            self.assertEqual(file.metadata()["who"], "me")

    def test_what_safetensors_wrote_is_read(self):
        made = {name: array for name, array in arrays().items() if array.dtype.kind != "c"}
        safetensors.numpy.save_file(made, "a.safetensors", {"who": "me"})
        found = ckpt.load_file("a.safetensors")
        self.assertEqual(set(found), set(made))
        for name in made:
            self.assert_equal(found[name], made[name], name)
        self.assertEqual(ckpt.open("a.safetensors").metadata, {"who": "me"})

    def test_hdf5_both_ways(self):
        made = {"a.weight": np.arange(6.0).reshape(2, 3), "a.bias": np.arange(3, dtype="f2")}
        ckpt.save_file(made, "a.h5", extras={"epoch": 3})
        with h5py.File("a.h5") as file:
            self.assert_equal(file["a/weight"][()], made["a.weight"])
            self.assert_equal(file["a/bias"][()], made["a.bias"])
            self.assertEqual(file.attrs["epoch"], 3)
        with h5py.File("b.h5", "w") as file:
            file.create_dataset("x/y", data=made["a.weight"], compression="gzip", shuffle=True)
            file.attrs["lr"] = 0.25
        with ckpt.open("b.h5") as file:
            self.assert_equal(file["x.y"], made["a.weight"])
            self.assertEqual(file.extras, {"lr": 0.25})

    def test_npz_both_ways(self):
        made = arrays()
        ckpt.save_file(made, "a.npz")
        with np.load("a.npz") as file:
            for name in made:
                self.assert_equal(file[name], made[name], name)
        np.savez("b.npz", **made)
        self.assert_same(ckpt.load_file("b.npz"), made)

    def test_the_reader_in_python_reads_ckz(self):
        from ckpt import ckz

        made = arrays()
        ckpt.save_file(made, "a.ckz", parity=10)
        self.assert_same({name: np.asarray(array) for name, array in ckz.read("a.ckz").items()}, made)


class RoundTrips(FolderTest):
    def test_every_format_gives_back_what_was_written(self):
        for ending in ("ckz", "safetensors", "pt", "h5", "npz"):
            made = {name: array for name, array in arrays().items()
                    if ending not in ("safetensors",) or array.dtype != np.complex128}
            notes = ckpt.save_file(made, f"a.{ending}", extras={"epoch": 3})
            found = ckpt.load_file(f"a.{ending}")
            self.assert_same({name: found[name] for name in made}, made)
            self.assertEqual(len(found), len(made))
            self.assertEqual(any("left out" in note for note in notes), ending == "npz")

    def test_layouts_that_are_not_plain(self):
        base = np.arange(24, dtype="f4").reshape(4, 6)
        made = {"transposed": base.T, "strided": base[::2, 1::2], "big": base.astype(">f4"),
                "reversed": base[::-1]}
        ckpt.save_file(made, "a.ckz")
        found = ckpt.load_file("a.ckz")
        for name, array in made.items():
            self.assertEqual(found[name].dtype, np.dtype("f4"))
            np.testing.assert_array_equal(found[name], array)

    def test_extras_of_every_kind(self):
        extras = {"none": None, "true": True, "int": -(1 << 62), "huge": 1 << 70, "float": 0.1, "inf": float("-inf"),
                  "text": "ü\n\"", "bytes": b"\x00\xff", "list": [1, [2.0, "x"]], "tuple": (1, (), "y"),
                  "keys": {0: "a", True if False else 7: {"$x": 1}}, "set": {1, 2}, "empty": {}, "numpy": np.float32(0.5)}
        ckpt.save_file({"a": np.zeros(1)}, "a.ckz", extras=extras)
        found = ckpt.open("a.ckz").extras
        self.assertEqual(found, extras)
        self.assertIs(type(found["tuple"]), tuple)
        self.assertIs(type(found["keys"][7]), dict)
        with self.assertRaises(TypeError):
            ckpt.save_file({"a": np.zeros(1)}, "b.ckz", extras={"x": object()})
        self.assertFalse(os.path.exists("b.ckz"))

    def test_arrays_that_are_one_stay_tied(self):
        weight = np.arange(6.0)
        ckpt.save_file({"a": weight, "b": weight, "c": weight.copy()}, "a.ckz")
        file = ckpt.open("a.ckz")
        self.assertEqual([file.alias(name) for name in file], [None, "a", None])
        found = file.load()
        self.assertIs(found["a"], found["b"])
        self.assertIsNot(found["a"], found["c"])
        self.assert_equal(found["c"], weight)

    def test_many_small_tensors(self):
        made = {f"layer.{index}.w": np.full(index % 7, index, "i4") for index in range(5_000)}
        for path in ("a.safetensors", "a.ckz"):
            ckpt.save_file(made, path)
            self.assert_same(ckpt.load_file(path), made)

    def test_tensors_of_every_size_around_the_limits(self):
        made = {f"n{size}": np.random.default_rng(size).integers(0, 255, size, "u1")
                for base in (1 << 20, 2 << 20, 16 << 20) for size in (base - 1, base, base + 1)}
        made |= {f"s{index}": np.full(900_000, index, "u1") for index in range(20)}
        ckpt.save_file(made, "a.safetensors")
        self.assert_same(ckpt.load_file("a.safetensors"), made)

    def test_bytes_in_memory(self):
        made = {"a": np.arange(3.0)}
        self.assert_same(safetensors.numpy.load(ckpt.save(made)), made)
        self.assert_same(ckpt.load(ckpt.save(made, format="ckz")), made)


class Mappings(FolderTest):
    def test_a_file_is_a_mapping(self):
        made = arrays()
        ckpt.save_file(made, "a.ckz", {"k": "v"}, extras={"epoch": 3})
        with ckpt.open("a.ckz") as file:
            self.assert_same(dict(file), made)
            self.assertEqual((len(file), list(file.keys())), (len(made), list(made)))
            self.assertIn("large", file)
            self.assertNotIn("other", file)
            self.assertEqual((file.shape("large"), file.dtype("large"), file.nbytes("large")),
                             ((700, 801), "F32", 4 * 700 * 801))
            self.assertIsNone(file.get("other"))
            with self.assertRaises(KeyError):
                file["other"]
            self.assertEqual((file.format, file.extras, file.metadata), ("ckz", {"epoch": 3, "k": "v"}, {"k": "v"}))
            self.assert_same(file.load(["special", "scalar"]), {name: made[name] for name in ("special", "scalar")})
        with self.assertRaisesRegex(ckpt.CheckpointError, "a.ckz: is closed"):
            file["large"]

    def test_slices_are_numpys(self):
        cube = np.arange(40 * 30 * 50, dtype="i4").reshape(40, 30, 50)
        rows = np.arange(3_000_000, dtype="f4").reshape(3000, 1000)
        ckpt.save_file({"cube": cube, "rows": rows, "scalar": np.array(3.0)}, "a.ckz")
        keys = [np.s_[3], np.s_[-1], np.s_[2:9], np.s_[::-1], np.s_[5:2], np.s_[:, 4], np.s_[..., 7], np.s_[1:20:3, ::2],
                np.s_[10:0:-2, 5:1:-1], np.s_[5, 6, 7], np.s_[5, ..., 7], np.s_[...], np.s_[:, :, 49:60], np.s_[[3, 1, 2]],
                np.s_[0:0], np.s_[np.int64(3)]]
        with ckpt.safe_open("a.ckz", framework="np") as file:
            for name, whole in (("cube", cube), ("rows", rows)):
                part = file.get_slice(name)
                self.assertEqual((part.get_shape(), part.get_dtype()[1:]), (list(whole.shape), "32"))
                for key in keys:
                    if isinstance(key, tuple) and len(key) > whole.ndim:
                        continue
                    self.assert_equal(np.asarray(part[key]), np.asarray(whole[key]), (name, key))
            self.assertEqual(file.get_slice("scalar")[()], 3.0)
            for key in (40, -41, (0, 30), (0, 0, 0, 0)):
                with self.assertRaises(IndexError):
                    file.get_slice("cube")[key]

    def test_arrays_that_are_there_are_filled(self):
        made = arrays()
        ckpt.save_file(made, "a.ckz")
        with ckpt.open("a.ckz") as file:
            targets = {name: np.empty_like(array) for name, array in made.items()}
            file.load_into(targets)
            self.assert_same(targets, made)
            for wrong in (np.empty((801, 700), "f4"), np.empty((700, 801), "f8"), np.empty((801, 700), "f4").T):
                with self.assertRaisesRegex(ckpt.CheckpointError, "expected a writable array of float32"):
                    file.load_into({"large": wrong})
            wrong = np.empty((700, 801), "f4")
            wrong.flags.writeable = False
            with self.assertRaisesRegex(ckpt.CheckpointError, "expected a writable array"):
                file.load_into({"large": wrong})

    def test_safe_open_has_safetensors_names(self):
        made = {"b": np.arange(3.0), "a": np.arange(4)}
        safetensors.numpy.save_file(made, "a.safetensors", {"k": "v"})
        for kind in (safetensors.safe_open, ckpt.safe_open, ckpt.numpy.safe_open):
            with kind("a.safetensors", framework="np") as file:
                self.assertEqual(sorted(file.keys()), ["a", "b"])
                self.assertEqual(file.metadata(), {"k": "v"})
                self.assert_equal(file.get_tensor("b"), made["b"])
                self.assert_equal(file.get_slice("b")[1:], made["b"][1:])

    def test_options_of_convert(self):
        made = {"net.a.weight": np.arange(4, dtype="f4"), "net.a.bias": np.arange(2, dtype="f4"), "step": np.array(3)}
        ckpt.save_file(made, "a.ckz")
        found = ckpt.load_file("a.ckz", match="net*", exclude=["*.bias"], rename="s/^net\\.//", dtype="float16")
        self.assert_same(found, {"a.weight": np.arange(4, dtype="f2")})
        with self.assertRaisesRegex(ckpt.CheckpointError, "no tensor|matches no"):
            ckpt.load_file("a.ckz", match="nothing")

    def test_quantized_tensors_by_their_values(self):
        path = next((ROOT / "Fixtures").rglob("*.gguf"), None)
        self.assertIsNotNone(path)
        file = ckpt.open(path)
        for name, array in ckpt.load_file(path, dtype="float32").items():
            if file.dtype(name) not in ("I8", "I16", "I32", "I64", "F64"):
                self.assertEqual((array.dtype, array.shape), (np.dtype("f4"), file.shape(name)))
        quantized = [name for name in file if file.dtype(name)[0] in "QT"]
        for name in quantized:
            with self.assertRaisesRegex(ckpt.CheckpointError, "NumPy has no element type .*; pass dtype='float32'"):
                file[name]


class Errors(FolderTest):
    def test_an_error_has_fields(self):
        pathlib.Path("a.h5").write_bytes(b"hello, this is not HDF5")
        with self.assertRaises(ckpt.CheckpointError) as caught:
            ckpt.load_file("a.h5")
        self.assertEqual((caught.exception.path, caught.exception.code), ("a.h5", "malformed"))
        self.assertTrue(str(caught.exception).startswith("a.h5: "))
        with self.assertRaises(ckpt.CheckpointError) as caught:
            ckpt.load_file("none.ckz")
        self.assertEqual((caught.exception.code, caught.exception.errno), ("system", 2))

    def test_damage_is_found_by_name_and_offset(self):
        ckpt.save_file({"a": np.zeros(10), "b": np.random.default_rng(0).standard_normal(100_000)}, "a.ckz")
        data = bytearray(pathlib.Path("a.ckz").read_bytes())
        data[len(data) // 2] ^= 1
        pathlib.Path("a.ckz").write_bytes(data)
        with self.assertRaises(ckpt.CheckpointError) as caught:
            ckpt.load_file("a.ckz")
        self.assertEqual((caught.exception.tensor, caught.exception.code, caught.exception.path), ("b", "malformed", "a.ckz"))
        self.assertIsInstance(caught.exception.offset, int)
        self.assertIn("'b'", ckpt.check("a.ckz")[0])

    def test_wrong_arguments(self):
        made = {"a": np.zeros(2)}
        for call in (lambda: ckpt.save_file(made, "a.xyz"), lambda: ckpt.save_file(made, "a.ckz", compression="zip"),
                     lambda: ckpt.save_file({"a": np.array(["x"])}, "a.ckz"), lambda: ckpt.load_file("-"),
                     lambda: ckpt.save_file(made, "a.ckz", {"k": 3}), lambda: ckpt.save_file(made, "a.ckz", threads=0),
                     lambda: ckpt.load_file("a\0b"), lambda: ckpt.save_file(made, "no/such/folder/a.ckz")):
            with self.assertRaises(ckpt.CheckpointError):
                call()
        self.assertEqual(os.listdir(), [])

    def test_a_zero_byte_does_not_end_a_path(self):
        ckpt.save_file({"a": np.arange(3)}, "a.ckz")
        for call in (lambda: ckpt.load_file("a.ckz\0x"), lambda: ckpt.save_file({"a": np.zeros(2)}, "a.ckz\0x")):
            with self.assertRaises(ckpt.CheckpointError) as found:
                call()
            self.assertEqual(found.exception.code, "usage")
        self.assertEqual(ckpt.load_file("a.ckz")["a"].tolist(), [0, 1, 2])

    def test_slices_of_short_rows(self):
        made = np.arange(60, dtype=np.float32).reshape(20, 3)
        ckpt.save_file({"w": made, "v": made.ravel()}, "a.safetensors")
        with ckpt.open("a.safetensors") as file:
            for key in (slice(2, None), slice(None, None, 2), slice(None, None, -1), slice(9, 3, -2), slice(-3, None),
                        slice(5, 5), (slice(3, 9), 1), (slice(None, None, -3), slice(None, None, -1)), 4, np.array([3, 1])):
                np.testing.assert_array_equal(file.slice("w")[key], made[key])
                if not isinstance(key, tuple):
                    np.testing.assert_array_equal(file.slice("v")[key], made.ravel()[key])

    def test_an_opened_file_is_used_as_it_was_opened(self):
        ckpt.save_file({"a": np.arange(3, dtype=np.float32), "b": np.zeros(2, np.float32)}, "a.ckz", extras={"epoch": 3})
        part = ckpt.open("a.ckz", match="a", dtype="float16")
        self.assertEqual(ckpt.fingerprint(part), ckpt.fingerprint({"a": np.arange(3, dtype=np.float16)}))
        ckpt.convert(part, "b.safetensors")
        with ckpt.open("b.safetensors") as file:
            self.assertEqual((list(file), file.dtype("a")), (["a"], "F16"))

    def test_a_failed_write_leaves_the_old_file(self):
        ckpt.save_file({"a": np.arange(3)}, "a.safetensors")
        with self.assertRaises(ckpt.CheckpointError):
            ckpt.save_file({"a": np.zeros(2, "c16")}, "a.safetensors")
        self.assertEqual(ckpt.load_file("a.safetensors")["a"].tolist(), [0, 1, 2])
        with self.assertRaisesRegex(ckpt.CheckpointError, "exists|force"):
            ckpt.save_file({"a": np.zeros(2)}, "a.safetensors", overwrite=False)

    def test_names_and_paths_that_are_not_plain(self):
        made = {"a b\n\t'": np.arange(2), "": np.arange(1), "é": np.arange(3), "e\u0301": np.arange(4)}
        path = os.fsencode("x y\n") + b"\xff.ckz"
        ckpt.save_file(made, path)
        self.assert_same(ckpt.load_file(path), made)
        self.assertEqual(os.fsencode(ckpt.open(path).path), path)


@needs_torch
class Torch(FolderTest):
    def test_every_dtype(self):
        import ckpt.torch as tensors

        made = {spelling: torch.arange(-6, 6, dtype=torch.float32).to(dtype) if not dtype.is_complex else
                torch.arange(12).to(dtype) for spelling, dtype in tensors.TYPES.items()}
        for path in ("a.ckz", "a.pt"):
            tensors.save_file(made, path)
            found = tensors.load_file(path)
            self.assertEqual(list(found), list(made))
            for name, tensor in made.items():
                self.assertEqual((found[name].dtype, found[name].shape), (tensor.dtype, tensor.shape))
                self.assertTrue(torch.equal(found[name].view(torch.uint8), tensor.view(torch.uint8)), name)
        found = torch.load("a.pt", weights_only=True)
        self.assertTrue(torch.equal(found["BF16"], made["BF16"]))

    def test_tensors_have_memory_of_their_own(self):
        import ckpt.torch as tensors

        made = {"a": torch.randn(3, 4), "b": torch.randn(5)}
        made |= {"view": made["a"].T, "tied": made["b"], "conj": torch.randn(3, dtype=torch.complex64).conj()}
        tensors.save_file(made, "a.ckz")
        found = tensors.load_file("a.ckz")
        for name in made:
            self.assertTrue(torch.equal(found[name], made[name]), name)
        self.assertIs(found["tied"], found["b"])
        self.assertEqual(found["a"].untyped_storage().nbytes(), 48)
        found["a"].fill_(0)
        safetensors_torch = __import__("safetensors.torch").torch
        safetensors_torch.save_file({name: found[name] for name in ("a", "b")}, "b.safetensors")
        with self.assertRaisesRegex(ckpt.CheckpointError, "has no data"):
            tensors.save_file({"a": torch.empty(3, device="meta")}, "c.ckz")

    def test_load_is_torch_load(self):
        import ckpt.torch as tensors

        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        optimizer = torch.optim.AdamW(net.parameters())
        net(torch.randn(5, 3)).sum().backward()
        optimizer.step()
        state = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "dtype": torch.bfloat16,
                 "list": [torch.ones(2), (1, torch.zeros(1))], "plain": torch.arange(3)}
        torch.save(state, "a.pt")
        tensors.save(state, "b.pt")
        tensors.save(state, "c.ckz")
        for found in (tensors.load("a.pt"), torch.load("b.pt", weights_only=True), tensors.load("b.pt"),
                      tensors.load("c.ckz")):
            self.assertEqual(set(found), set(state))
            self.assertEqual((found["epoch"], found["dtype"]), (3, torch.bfloat16))
            self.assertTrue(torch.equal(found["list"][1][1], torch.zeros(1)))
            self.assertIs(type(found["list"][1]), tuple)
            fresh = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
            fresh.load_state_dict(found["model"])
            other = torch.optim.AdamW(fresh.parameters())
            other.load_state_dict(found["optimizer"])
            for one, two in zip(other.state_dict()["state"].values(), optimizer.state_dict()["state"].values()):
                self.assertTrue(torch.equal(one["exp_avg"], two["exp_avg"]))
        with open("a.pt", "rb") as file:
            self.assertEqual(tensors.load(file)["epoch"], 3)

    def test_nothing_is_unpickled(self):
        import ckpt.torch as tensors

        class Evil:
            def __reduce__(self):
                return os.mkdir, ("called",)

        torch.save({"a": torch.ones(2), "x": Evil()}, "a.pt")
        found = tensors.load("a.pt")
        self.assertTrue(torch.equal(found["a"], torch.ones(2)))
        self.assertIsInstance(found["x"], ckpt.Opaque)
        self.assertFalse(os.path.exists("called"))
        with self.assertRaisesRegex(ckpt.CheckpointError, "weights_only=False"):
            tensors.load("a.pt", weights_only=False)

    def test_models(self):
        import ckpt.torch as tensors

        net, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
        tensors.save_model(net, "a.safetensors")
        tensors.load_model(other, "a.safetensors")
        self.assertTrue(torch.equal(net.weight, other.weight))
        with ckpt.safe_open("a.safetensors", framework="pt", device="cpu") as file:
            self.assertTrue(torch.equal(file.get_tensor("weight"), net.weight))
            self.assertTrue(torch.equal(file.get_slice("weight")[:, 1], net.weight[:, 1]))


if __name__ == "__main__":
    unittest.main()
