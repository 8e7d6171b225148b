"""`bench init`: initialize a transformer of 1.1 GB and write it, against PyTorch's constructor and torch.save.

In turn and in the same folder, medians: `ckpt init`, whose file is synced, and PyTorch's, as it is and synced, whose
import of torch is not counted. Twice: in memory (/dev/shm), where nothing waits for a disk, and in the folder for
temporary files, or only in --folder.
"""
import pathlib
import shutil
import statistics
import tempfile

from programs import built, run, timed

BLOCK = (("q", 1024, 1024), ("k", 1024, 1024), ("v", 1024, 1024), ("o", 1024, 1024),
         ("up", 1024, 4096), ("down", 4096, 1024))
BLOCKS = 20
TORCH_INIT = """
import os, sys, time, torch
from torch import nn
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        for name, inputs, outputs in %r: setattr(self, name, nn.Linear(inputs, outputs))
        self.norm = nn.LayerNorm(1024)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(32000, 1024)
        self.layers = nn.ModuleList([Block() for _ in range(%d)])
path, threads, syncs = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "synced"
torch.set_num_threads(threads)
start = time.perf_counter()
torch.manual_seed(0)
torch.save(Net().state_dict(), path)
if syncs:
    with open(path, "r+b") as file: os.fsync(file.fileno())
print(time.perf_counter() - start)
""" % (BLOCK, BLOCKS)


def printed_model():
    lines = ["Net(", "  (embed): Embedding(32000, 1024)", "  (layers): ModuleList(",
             f"    (0-{BLOCKS - 1}): {BLOCKS} x Block("]
    for name, inputs, outputs in BLOCK:
        lines.append(f"      ({name}): Linear(in_features={inputs}, out_features={outputs}, bias=True)")
    lines.append("      (norm): LayerNorm((1024,), eps=1e-05, elementwise_affine=True, bias=True)")
    return "\n".join([*lines, "    )", "  )", ")", ""])


def init(options):
    ckpt = built()
    places = [pathlib.Path(options.folder or tempfile.gettempdir())]
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 and not options.folder:
        places.insert(0, memory)
    for place in places:
        yield from init_in(place, ckpt, options)


def init_in(place, ckpt, options):
    with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=place) as name:
        folder = pathlib.Path(name)
        (folder / "model.txt").write_text(printed_model())

        def ours(file, threads, *more):
            command = [ckpt, "init", folder / "model.txt", "-o", folder / file, "--quiet", "--threads", threads, *more]
            return lambda: (folder / file).unlink(missing_ok=True) or timed(*command)

        def torch(threads, how=""):
            command = [options.python, "-c", TORCH_INIT, folder / "a.pt", threads, how]
            return lambda: (folder / "a.pt").unlink(missing_ok=True) or run(*command)

        peers = {"torch, 1 thread": torch(1), "torch, 2 threads": torch(2)}
        if place != pathlib.Path("/dev/shm"):
            peers["torch, 2 threads, synced"] = torch(2, "synced")
        jobs = {
            "ckpt .h5 uncompressed, 1 thread": ours("a.h5", 1, "--compression", "none"),
            "ckpt .h5 uncompressed, 2 threads": ours("a.h5", 2, "--compression", "none"),
            "ckpt .safetensors, 2 threads": ours("a.safetensors", 2),
            "ckpt .h5, 2 threads": ours("b.h5", 2), "ckpt .ckz, 2 threads": ours("a.ckz", 2), **peers}
        seconds = {job: [] for job in jobs}
        for _ in range(options.repeats + 1):
            for job, work in jobs.items():
                seconds[job].append(work())
        medians = {job: statistics.median(times[1:]) for job, times in seconds.items()}
        for job, median in medians.items():
            yield {"folder": str(place), "job": job, "seconds": round(median, 2),
                   "ratio": round(medians[list(peers)[-1]] / median, 1)}


def show(rows):
    folder = None
    for row in rows:
        yield row
        if folder != row["folder"]:
            folder = row["folder"]
            print(f"in {folder}, times faster than its last line:")
        print(f"{row['job']:34} {row['seconds']:7.2f} s {row['ratio']:6.1f}x", flush=True)
