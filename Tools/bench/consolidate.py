"""`bench consolidate`: a distributed checkpoint becomes safetensors shards, by torch in one process and by ckpt on 1 to 4 ranks.

Data: 2 GB of float32 that four processes of torch (gloo) have written by torch.distributed.checkpoint, each a quarter of
every tensor, in the temporary folder. Whole processes in turn, medians, and the most memory that one of them took.

torch           torch.distributed.checkpoint.format_utils.dcp_to_torch_save, which gives one .pt file
torch, script   the same, then the shards of at most 500 MB that transformers loads, by safetensors.torch.save_file
ckpt            `ckpt convert RUN model.safetensors --shard-size 500MB`, built with the trait MPI

All must hold the same values: `ckpt diff` compares each with torch's file.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import ranks

LAYERS = 13

MAKE = """
import os, sys, torch, torch.distributed as dist, torch.distributed.checkpoint as dcp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor
rank, folder, layers = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
os.environ |= {"RANK": str(rank), "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": sys.argv[4]}
torch.set_num_threads(1)
dist.init_process_group("gloo")
mesh = init_device_mesh("cpu", (4,))
torch.manual_seed(0)
state = {}
for layer in range(layers):
    for name, shape in (("attention", (2048, 2048)), ("up", (8192, 2048)), ("down", (2048, 8192)), ("norm", (2048,))):
        state[f"layers.{layer}.{name}.weight"] = distribute_tensor(torch.randn(shape), mesh, [Shard(0)])
dcp.save(state, checkpoint_id=folder)
dist.destroy_process_group()
"""
TORCH = """
import sys, torch
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save
dcp_to_torch_save(sys.argv[1], sys.argv[2])
"""
SCRIPT = TORCH + """
import json, os, safetensors.torch
state = torch.load(sys.argv[2], mmap=True)
shards, room = [{}], 500_000_000
for name, tensor in state.items():
    if shards[-1] and tensor.nbytes > room:
        shards.append({})
        room = 500_000_000
    shards[-1][name], room = tensor.contiguous(), room - tensor.nbytes
names = {}
for number, shard in enumerate(shards, 1):
    file = f"model-{number:05}-of-{len(shards):05}.safetensors"
    safetensors.torch.save_file(shard, os.path.join(sys.argv[3], file), metadata={"format": "pt"})
    names |= {name: file for name in shard}
with open(os.path.join(sys.argv[3], "model.safetensors.index.json"), "w") as file:
    json.dump({"metadata": {"total_size": sum(tensor.nbytes for tensor in state.values())}, "weight_map": names}, file)
"""
# Runs a command, and prints the most memory that any process below it took.
MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def consolidate(options):
    ckpt = options.ckpt or ranks.built_for_ranks()
    os.environ.update(ranks.ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        run, output, reference = folder / "run", folder / "output", folder / "reference.pt"
        port = str(20000 + os.getpid() % 20000)
        writers = [subprocess.Popen([options.python, "-W", "ignore", "-c", MAKE, str(rank), run, str(LAYERS), port]) for rank in range(4)]
        if any([writer.wait() for writer in writers]):
            sys.exit("torch could not write the checkpoint")
        size = sum(path.stat().st_size for path in run.iterdir())
        subprocess.run([options.python, "-W", "ignore", "-c", TORCH, run, reference], check=True)
        convert = [ckpt, "convert", run, output / "model.safetensors", "--shard-size", "500MB", "--quiet"]
        jobs = {
            "torch": [options.python, "-W", "ignore", "-c", TORCH, run, output / "model.pt"],
            "torch, script": [options.python, "-W", "ignore", "-c", SCRIPT, run, output / "model.pt", output],
            "ckpt, 2 threads": [*convert, "--threads", "2"],
            "ckpt, 2 ranks": ["mpirun", "--quiet", "-n", "2", *convert, "--threads", "1"],
            "ckpt, 4 ranks": ["mpirun", "--quiet", "--oversubscribe", "-n", "4", *convert, "--threads", "1"],
        }
        for job, command in jobs.items():
            times, memory = [], 0
            for turn in range(options.repeats + 1):
                shutil.rmtree(output, ignore_errors=True)
                output.mkdir()
                start = time.perf_counter()
                done = subprocess.run([sys.executable, "-c", MEASURED, *map(str, command)], check=True, text=True,
                                      stdout=subprocess.PIPE)
                if turn:
                    times.append(time.perf_counter() - start)
                    memory = max(memory, int(done.stdout) // 1024)
            result = output / ("model.pt" if job == "torch" else "model.safetensors.index.json")
            subprocess.run([ckpt, "diff", reference, result, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            seconds = statistics.median(times)
            yield {"job": job, "seconds": round(seconds, 3), "mebibytes": memory, "gb_per_s": round(size / seconds / 1e9, 2),
                   "bytes": size, "times": times}


def show(rows):
    for row in rows:
        yield row
        print(f"{row['job']:20} {row['seconds']:8.2f} s {row['gb_per_s']:6.2f} GB/s {row['mebibytes']:7} MiB", flush=True)
