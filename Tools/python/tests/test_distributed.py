"""`torch.distributed.checkpoint` through files of other formats, against its own files: one process and two."""

import os
import unittest
import warnings

import ckpt

from .support import FolderTest, torch

if torch is not None:
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp


def assert_same(found, expected):
    """The same tensors, placements, and values."""
    assert list(found) == list(expected), (list(found), list(expected))
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_same(found[name], value)
        elif isinstance(value, torch.Tensor):
            local = [item.to_local() if hasattr(item, "to_local") else item for item in (found[name], value)]
            assert local[0].dtype == local[1].dtype and torch.equal(*local), name
        else:
            assert found[name] == value, name


def cleared(state):
    """The same state with other values, to be loaded."""
    return {name: cleared(value) if isinstance(value, dict) else torch.zeros_like(value)
            if isinstance(value, torch.Tensor) else None for name, value in state.items()}


def state_of(mesh=None):
    """A training state, of which a mesh's ranks hold parts."""
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    torch.manual_seed(0)
    places = {"rows": Shard(0), "uneven": Shard(0), "columns": Shard(1), "few": Shard(0), "copies": Replicate()}
    sizes = {"rows": (8, 6), "uneven": (5, 3), "columns": (4, 7), "few": (1, 3), "copies": (3, 2)}
    net = {name: torch.randn(size) for name, size in sizes.items()}
    net["rows"] = net["rows"].bfloat16()
    if mesh is not None:
        net = {name: distribute_tensor(tensor, mesh, [places[name]]) for name, tensor in net.items()}
    plain = {"scalar": torch.tensor(2.5), "flags": torch.tensor([True, False]), "empty": torch.zeros(0, 3),
             "half": torch.randn(7).bfloat16(), "turned": torch.randn(4, 6).T,
             "small": torch.randn(5).to(torch.float8_e5m2)}
    return {"model": {**net, **plain}, "epoch": 3, "loader": {"seed": 5, "order": [2, 0, 1], "name": "train"}}


def work(rank, count):
    """One process: what either side writes both sides read."""
    warnings.simplefilter("ignore")
    mesh = None
    if count > 1:
        dist.init_process_group("gloo", init_method=f"file://{os.getcwd()}/store", rank=rank, world_size=count)
        mesh = dist.device_mesh.init_device_mesh("cpu", (count,))
    state = state_of(mesh)
    dcp.save(state, checkpoint_id="theirs")
    for path in ("ours.ckz", "ours.pt"):
        dcp.save(state, storage_writer=ckpt.distributed.CkptStorageWriter(path))
    for path in ("theirs", "ours.ckz", "ours.pt"):
        found = cleared(state)
        dcp.load(found, storage_reader=ckpt.distributed.CkptStorageReader(path, parts=True))
        assert_same(found, state)
    if rank == 0:
        assert not any(name.endswith(".parts") for name in os.listdir()), os.listdir()
        whole = state_of()["model"]
        found = ckpt.torch.load_file("ours.ckz", rename="s/^model\\.//")
        assert_same({name: found[name] for name in whole}, whole)
    # The model alone: into tensors of other types, and into parts that are cut in another way.
    found = {name: torch.zeros_like(tensor, dtype=torch.float64) for name, tensor in state["model"].items()
             if tensor.dtype.is_floating_point}
    dcp.load(found, storage_reader=ckpt.distributed.CkptStorageReader("ours.ckz", rename="s/^model\\.//"))
    assert_same(found, {name: state["model"][name].double() for name in found})
    if count > 1:
        dist.destroy_process_group()


def shard(rank, count):
    """One process of a model of FSDP, which loads a file that knows nothing of it."""
    from torch.distributed.fsdp import fully_shard

    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{os.getcwd()}/store", rank=rank, world_size=count)
    net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.LayerNorm(7), torch.nn.Linear(7, 3, bias=False))
    fully_shard(net, mesh=dist.device_mesh.init_device_mesh("cpu", (count,)))
    for path in ("net.safetensors", "net.pt", "net.ckz"):
        state = cleared(net.state_dict())
        dcp.load(state, storage_reader=ckpt.distributed.CkptStorageReader(path))
        net.load_state_dict(state)
        for name, tensor in ckpt.torch.load_file("net.pt").items():
            assert torch.equal(net.state_dict()[name].full_tensor(), tensor), name
    dist.destroy_process_group()


@unittest.skipIf(torch is None or not dist.is_available() or not dist.is_gloo_available(), "needs torch.distributed")
class DistributedCheckpoints(FolderTest):
    def run_on_two(self, function):
        torch.multiprocessing.spawn(function, (2,), nprocs=2)

    def test_one_process(self):
        with warnings.catch_warnings():
            work(0, 1)

    def test_two_processes(self):
        self.run_on_two(work)

    def test_a_sharded_model_reads_any_file(self):
        net = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.LayerNorm(7), torch.nn.Linear(7, 3, bias=False))
        torch.save(net.state_dict(), "net.pt")
        ckpt.convert("net.pt", "net.safetensors")
        ckpt.convert("net.pt", "net.ckz")
        self.run_on_two(shard)

    def test_a_folder_that_is_there_is_left_alone(self):
        os.mkdir("a.ckz.parts")
        with open("a.ckz.parts/mine", "w") as file:
            file.write("mine")
        writer = ckpt.distributed.CkptStorageWriter("a.ckz")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with self.assertRaisesRegex(dcp.api.CheckpointException, "a.ckz.parts: holds files"):
                dcp.save({"a": torch.zeros(3)}, storage_writer=writer)
            self.assertEqual(os.listdir("."), ["a.ckz.parts"])
            self.assertEqual(os.listdir("a.ckz.parts"), ["mine"])
            os.remove("a.ckz.parts/mine")
            dcp.save({"a": torch.zeros(3)}, storage_writer=ckpt.distributed.CkptStorageWriter("a.ckz"))
        self.assertEqual(os.listdir("."), ["a.ckz"])

    def test_what_is_missing_or_of_another_size_is_refused(self):
        ckpt.save_file({"a": torch.zeros(3).numpy()}, "a.ckz")
        reader = ckpt.distributed.CkptStorageReader("a.ckz")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for state, what in (({"b": torch.zeros(3)}, "Missing key"), ({"a": torch.zeros(4)}, "Size mismatch")):
                with self.assertRaisesRegex(dcp.api.CheckpointException, what):
                    dcp.load(state, storage_reader=reader)
            found = {"a": torch.ones(3)}
            dcp.load(found, checkpoint_id="a.ckz", storage_reader=reader)
        self.assertEqual(found["a"].tolist(), [0, 0, 0])
