"""Writes Fixtures/pytorch: small files of torch.save of every kind and, for each, a JSON with what torch reads.

The JSON lists the tensors as `[name, dtype, shape, sha256]`, in order; bytes are those of `tensor.contiguous()`,
conjugates and negatives resolved. Run as `Tools/make-fixtures.py pytorch`; needs torch 2.10 or later.
"""
import argparse
import collections
import hashlib
import io
import json
import os
import pathlib
import pickle
import shutil
import struct
import tarfile
import warnings
import zipfile

import torch

warnings.filterwarnings("ignore")
NAMES = {torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.int32: "I32", torch.int64: "I64",
         torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.float32: "F32", torch.float64: "F64", torch.complex64: "C64", torch.complex128: "C128",
         torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2", torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
         torch.float8_e5m2fnuz: "F8_E5M2FNUZ", torch.float8_e8m0fnu: "F8_E8M0", torch.float4_e2m1fn_x2: "F4"}


def content(tensor):
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.dtype.is_complex or tensor.dtype in (torch.float4_e2m1fn_x2,) or not tensor.is_contiguous():
        tensor = tensor.clone(memory_format=torch.contiguous_format)
    return bytes(tensor.reshape(-1).view(torch.uint8).numpy().tobytes()) if tensor.numel() else b""


def record(name, tensor):
    shape = list(tensor.shape)
    if tensor.dtype == torch.float4_e2m1fn_x2:
        shape[-1] *= 2
    return [name, NAMES[tensor.dtype], shape, hashlib.sha256(content(tensor)).hexdigest()]


def numbers(count, dtype=torch.float32, seed=7):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count * torch.empty(0, dtype=dtype).element_size(),), dtype=torch.uint8, generator=generator).view(dtype)


class Inner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.bare = torch.nn.Parameter(torch.ones(2, 2))
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("passing", torch.arange(4), persistent=False)
        self.nothing = None

    def forward(self, x):
        return self.norm(self.linear(x)) @ self.bare


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Inner()
        self.second = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 3))
        self.tied = torch.nn.Linear(2, 3)
        self.tied.weight = self.second[2].weight

    def forward(self, x):
        return self.second(self.first(x))


class Custom:
    """A class that no reader can know."""

    def __init__(self, tensor):
        self.inside = tensor


def every_dtype():
    state = collections.OrderedDict()
    for dtype, name in NAMES.items():
        if dtype == torch.bool:
            state[name] = torch.tensor([True, False, True])
        else:
            state[name] = numbers(6, dtype).reshape(2, 3)
    state["scalar"] = torch.tensor(1.5)
    state["empty"] = torch.empty(3, 0, 2)
    state["integer scalar"] = torch.tensor(7)
    state["\u00e9"] = torch.ones(1)
    return state


def views():
    base = numbers(240)
    image = numbers(2 * 3 * 4 * 5, torch.float16).reshape(2, 3, 4, 5)
    pairs = torch.view_as_complex(torch.arange(12, dtype=torch.float32).reshape(6, 2)).reshape(2, 3)
    return collections.OrderedDict([
        ("base", base), ("tied", base), ("reshaped", base.reshape(12, 20)), ("transposed", base.reshape(12, 20).T),
        ("offset", base[7:19]), ("stepped", base[3:200:5]), ("expanded", base[4:6].reshape(2, 1).expand(2, 5)),
        ("one element", base[9]), ("image", image), ("channels last", image.contiguous(memory_format=torch.channels_last)),
        ("permuted", image.permute(3, 1, 0, 2)), ("overlapping", base.as_strided((4, 6), (3, 1), 2)),
        ("pairs", pairs), ("conjugate", pairs.conj()), ("conjugate transposed", pairs.mH), ("negative", pairs.clone().conj().imag),
        ("bytes", numbers(35, torch.uint8).reshape(5, 7).T), ("nothing", base[5:5]), ("doubles", numbers(9, torch.float64)[2:8:2]),
    ])


class Writer:
    def __init__(self, folder):
        self.folder = folder

    def describe(self, name, records):
        (self.folder / (name + ".json")).write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in records) + "\n]\n")

    def save(self, name, value, state, **options):
        torch.save(value, self.folder / name, **options)
        self.describe(name, [record(n, t) for n, t in state.items()])

    def rewrite(self, source, name, change=lambda member, data: data, method=zipfile.ZIP_STORED):
        """The same archive through Python's zipfile."""
        with zipfile.ZipFile(self.folder / source) as old, zipfile.ZipFile(self.folder / name, "w") as new:
            for member in old.namelist():
                new.writestr(zipfile.ZipInfo(member), change(member, old.read(member)), method)
        shutil.copy(self.folder / (source + ".json"), self.folder / (name + ".json"))


def old_tar(path, state):
    """A tar archive as torch 0.1.9 wrote it: storages, tensors, and a pickle that refers to tensors by number."""
    storages, tensors, keys = io.BytesIO(), io.BytesIO(), {}
    pickle.dump(len(state), storages, protocol=2)
    pickle.dump(len(state), tensors, protocol=2)
    types = {torch.float32: torch.FloatStorage, torch.int64: torch.LongStorage, torch.float64: torch.DoubleStorage}
    for number, (name, tensor) in enumerate(state.items()):
        keys[name] = 1000 + number
        flat = torch.tensor([], dtype=tensor.dtype).set_(tensor.untyped_storage(), 0, (tensor.untyped_storage().nbytes() // tensor.element_size(),))
        pickle.dump((number, "cpu", types[tensor.dtype]), storages, protocol=2)
        storages.write(struct.pack("<q", flat.numel()) + content(flat))
        pickle.dump((1000 + number, number, torch.FloatTensor), tensors, protocol=2)
        tensors.write(struct.pack("<ii", tensor.dim(), 0))
        for size in (*tensor.shape, *tensor.stride(), tensor.storage_offset()):
            tensors.write(struct.pack("<q", size))
    pickle.dump([], storages, protocol=2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return str(keys[value.name]) if isinstance(value, Reference) else None

    class Reference:
        def __init__(self, name):
            self.name = name

    data = io.BytesIO()
    Pickler(data, protocol=2).dump(collections.OrderedDict((name, Reference(name)) for name in state))
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as tar:
        for name, buffer in [("sys_info", io.BytesIO(pickle.dumps({}, 2))), ("pickle", data), ("tensors", tensors), ("storages", storages)]:
            info = tarfile.TarInfo(name)
            info.size = len(buffer.getvalue())
            tar.addfile(info, io.BytesIO(buffer.getvalue()))


def swapped(member, data, state):
    """The bytes of a storage as a big-endian machine would have written them."""
    if member.endswith("/byteorder"):
        return b"big"
    if "/data/" not in member:
        return data
    tensor = list(state.values())[int(member.rsplit("/", 1)[1])]
    width = tensor.element_size() // (2 if tensor.dtype.is_complex else 1)
    return b"".join(data[i:i + width][::-1] for i in range(0, len(data), width))


def strip(path):
    """Leaves out the members that tell where the source files of a TorchScript archive were."""
    with zipfile.ZipFile(path) as old:
        members = [(name, old.read(name)) for name in old.namelist() if not name.endswith(".debug_pkl")]
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members:
            new.writestr(zipfile.ZipInfo(name), data)


def sharded(folder, rank, world):
    # The metadata keep the folder's path.
    os.chdir(folder.parent)
    from torch.distributed.checkpoint import save
    from torch.distributed.tensor import DeviceMesh, Replicate, Shard, distribute_tensor

    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}.store", rank=rank, world_size=world)
    mesh = DeviceMesh("cpu", list(range(world)))
    state = sharded_state()
    placed = {name: distribute_tensor(tensor, mesh, [place]) for (name, tensor), place in
              zip(state.items(), [Shard(0), Shard(1), Replicate(), Shard(2), Shard(0)])}
    save({"model": placed, "epoch": 3}, checkpoint_id=folder.name, no_dist=False)
    torch.distributed.destroy_process_group()


def sharded_state():
    return {"rows": numbers(35).reshape(7, 5), "columns": numbers(60, torch.float16).reshape(4, 15), "whole": torch.arange(4.0),
            "cube": numbers(2 * 3 * 8, torch.int64).reshape(2, 3, 8), "vector": numbers(9, torch.float64)}


def distributed(writer):
    import torch.multiprocessing as processes

    folder = writer.folder / "distributed"
    shutil.rmtree(folder, ignore_errors=True)
    context = processes.get_context("fork")
    workers = [context.Process(target=sharded, args=(folder, rank, 2)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    pathlib.Path(f"{folder}.store").unlink(missing_ok=True)
    from torch.distributed.checkpoint import FileSystemReader

    names = FileSystemReader(folder).read_metadata().state_dict_metadata
    state = {"model." + name: tensor for name, tensor in sharded_state().items()}
    writer.describe("distributed", [record(name, state[name]) for name in names if name in state])


def pytorch(folder):
    folder.mkdir(exist_ok=True)
    writer = Writer(folder)
    torch.manual_seed(0)
    kinds = every_dtype()
    writer.save("dtypes.pt", kinds, kinds)
    writer.save("views.pt", views(), views())
    net = Net()
    net.eval()
    small = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).state_dict()
    for protocol in range(2, 6):
        writer.save(f"protocol{protocol}.pt", small, small, pickle_protocol=protocol)
    old = views()
    writer.save("legacy.pt", old, old, _use_new_zipfile_serialization=False)
    writer.save("legacy4.pt", small, small, _use_new_zipfile_serialization=False, pickle_protocol=4)
    flat = collections.OrderedDict(a=numbers(6).reshape(2, 3), b=numbers(12, torch.float64).reshape(3, 4).T, c=torch.tensor(5))
    old_tar(folder / "old.tar.pt", flat)
    writer.describe("old.tar.pt", [record(n, t) for n, t in flat.items()])
    writer.save("module.pt", net, net.state_dict())
    writer.save("module5.pt", net, net.state_dict(), pickle_protocol=5)
    script = torch.jit.script(net)
    torch.jit.save(script, folder / "script.pt")
    strip(folder / "script.pt")
    writer.describe("script.pt", [record(n, t) for n, t in torch.jit.load(folder / "script.pt").state_dict().items()])
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    net.train()
    net.first(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    trainer = {"epoch": 3, "global_step": 40, "pytorch-lightning_version": "2.0.0", "state_dict": net.state_dict(),
               "loops": {"fit": {"n": 1}}, "callbacks": {"best": torch.tensor(0.5)}, "optimizer_states": [optimizer.state_dict()],
               "lr_schedulers": [], "hyper_parameters": argparse.Namespace(width=3)}
    writer.save("trainer.ckpt", trainer, net.state_dict())
    moments = {f"0.state.{k}.{n}": v for k, s in optimizer.state_dict()["state"].items() for n, v in s.items()}
    writer.describe("trainer.optimizer", [record(n, t) for n, t in moments.items()])
    two = {"encoder": small, "decoder": {"weight": torch.ones(2)}}
    writer.save("two.pt", two, {**{"encoder." + n: t for n, t in small.items()}, "decoder.weight": torch.ones(2)})
    quantised = torch.quantize_per_tensor(torch.arange(6.0).reshape(2, 3), 0.5, 1, torch.qint8)
    channels = torch.quantize_per_channel(torch.arange(6.0).reshape(2, 3), torch.tensor([0.5, 0.25]), torch.tensor([1, 2]), 0, torch.quint8)
    writer.save("quantised.pt", {"q": quantised, "c": channels},
                {"q": quantised.int_repr(), "c": channels.int_repr(), "c.q_per_channel_scales": channels.q_per_channel_scales(),
                 "c.q_per_channel_zero_points": channels.q_per_channel_zero_points()})
    eye = torch.eye(3)
    writer.save("sparse.pt", {"coo": eye.to_sparse(), "csr": eye.to_sparse_csr(), "dense": eye},
                {"coo.indices": eye.to_sparse().indices(), "coo.values": eye.to_sparse().values(),
                 "csr.crow_indices": eye.to_sparse_csr().crow_indices(), "csr.col_indices": eye.to_sparse_csr().col_indices(),
                 "csr.values": eye.to_sparse_csr().values(), "dense": eye})
    writer.save("meta.pt", {"m": torch.empty(2, 3, device="meta"), "w": eye}, {"w": eye})
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.note = "kept"
    wrapped = {"parameter": torch.nn.Parameter(eye), "with state": parameter, "buffer": torch.nn.Buffer(torch.zeros(2)), "number": 5}
    writer.save("wrapped.pt", wrapped, {n: t for n, t in wrapped.items() if n != "number"})
    writer.save("custom.pt", {"plain": eye, "custom": Custom(torch.ones(2))}, {"plain": eye, "custom.inside": torch.ones(2)})
    writer.save("list.pt", [eye, torch.ones(2)], {"0": eye, "1": torch.ones(2)})
    writer.save("one.pt", eye, {"tensor": eye})
    writer.rewrite("dtypes.pt", "deflated.pt", method=zipfile.ZIP_DEFLATED)
    writer.rewrite("dtypes.pt", "big.pt", lambda member, data: swapped(member, data, kinds))
    torch.serialization.set_crc32_options(False)
    writer.save("nosums.pt", small, small)
    torch.serialization.set_crc32_options(True)
    distributed(writer)
    endless = torch.zeros(1, dtype=torch.int8).expand(2**61, 2)
    torch.save({"a": endless, "b": torch.zeros(1, dtype=torch.int8).expand(2**61, 2)}, folder / "refused-endless.pt")
    (folder / "README.md").write_text(
        "# Files of PyTorch\n\n"
        f"Written by `Tools/make-fixtures.py pytorch` with torch {torch.__version__}, beside each what torch reads from it:\n"
        "`[name, dtype, shape, sha256 of the contiguous bytes]`.\n"
        "`old.tar.pt` is made by hand as torch 0.1.9 wrote it; `deflated.pt` and `big.pt` (big-endian) are `dtypes.pt`\n"
        "written again with Python's zipfile; `distributed/` was saved by two processes.\n"
        "`refused-endless.pt` has two tensors of one element each, expanded to 2^62.\n")


if __name__ == "__main__":
    pytorch(pathlib.Path(__file__).parent.parent / "Fixtures/pytorch")
