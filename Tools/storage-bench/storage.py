#!/usr/bin/env python3
"""Speed of .ckz against its peers, measured in one run on this machine.

usage: storage.py [--json] [--layers N] [--repeats N] [--python PYTHON] [--folder FOLDER] [--threads N]

Makes a transformer-like state dict (20 layers: 1.2 GB) in float32 and its bfloat16 twin in a temporary folder
(/dev/shm where there is one: all peers then write to memory and none waits for a disk), and does each job
with each program in turn, so many rounds, all warm; medians are printed, with our speed by the peer's. GB are those
of the tensors. PYTHON has torch, safetensors, h5py and zipnn (pip install); default /opt/oracle/bin/python.

write   tensors in memory to a file; ours digests (SHA-256) and sums (CRC-32, Adler-32) all of it besides
read    a file to tensors; ours verifies CRC-32 and Adler-32. 'reused' goes through memory that was touched before,
        'fresh' keeps all tensors in new memory. zipnn packs and unpacks in memory, without any file; 'dropped' gives
        each tensor's memory back before the next, which is zipnn's counterpart of 'reused'.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
CKPT = ROOT.parent.parent

PEER = r'''
import os, sys, time, warnings
warnings.simplefilter("ignore")
import torch
job, dtype, layers, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
torch.set_num_threads(threads)


def tensors():
    torch.manual_seed(0)
    d, result = 1024, {}
    result["wte.weight"] = torch.randn(50257, d) * 0.02
    result["wpe.weight"] = torch.randn(1024, d) * 0.01
    for i in range(layers):
        h = "h.%d." % i
        for name in ("ln_1", "ln_2"):
            result[h + name + ".weight"], result[h + name + ".bias"] = torch.ones(d), torch.zeros(d)
        result[h + "attn.c_attn.weight"] = torch.empty(3 * d, d).uniform_(-1 / 32, 1 / 32)
        result[h + "attn.c_proj.weight"] = torch.randn(d, d) * 0.02 / (2 * layers) ** 0.5
        result[h + "mlp.c_fc.weight"] = torch.randn(4 * d, d) * 0.02
        result[h + "mlp.c_proj.weight"] = torch.randn(d, 4 * d) * 0.02 / (2 * layers) ** 0.5
        result[h + "attn.c_attn.bias"] = torch.randn(3 * d) * 0.01
    return {name: value.to(getattr(torch, dtype)) for name, value in result.items()}


def bytes_of(tensor):
    return bytearray(tensor.contiguous().view(torch.uint8).numpy().data)


state = tensors()
size = sum(tensor.nbytes for tensor in state.values())
path = os.path.join(folder, job.replace(" ", "-"))


def loop(work, prepare=None, size=size):
    """Waits for a line, works, answers seconds, bytes of the tensors and bytes of the result."""
    for _ in sys.stdin:
        value = prepare() if prepare else None
        start = time.perf_counter()
        stored = work(value) if prepare else work()
        print(time.perf_counter() - start, size, stored if isinstance(stored, int) else 0, flush=True)


def fresh():
    if os.path.exists(path):
        os.unlink(path)


if job == "source":
    import safetensors.torch
    safetensors.torch.save_file(state, path)
    print(size)
elif job.startswith("zipnn"):
    import zipnn
    kind, _, count = job.partition(" ")
    options = dict(input_format="byte", bytearray_dtype=dtype)
    options["threads"] = int(count)
    packer = zipnn.ZipNN(**options)
    if kind == "zipnn-write":
        loop(lambda values: sum(len(packer.compress(value)) for value in values),
             lambda: [bytes_of(tensor) for tensor in state.values()])
    else:
        packed = [packer.compress(bytes_of(tensor)) for tensor in state.values()]
        if kind == "zipnn-read":
            loop(lambda: [packer.decompress(value) for value in packed] and 0)
        else:
            loop(lambda: all(packer.decompress(value) for value in packed) and 0)
elif job == "torch-write":
    loop(lambda _: torch.save(state, path) or os.path.getsize(path), fresh)
elif job == "torch-read":
    torch.save(state, path)
    del state
    loop(lambda: torch.load(path) and 0)
elif job == "safetensors-write":
    import safetensors.torch
    loop(lambda _: safetensors.torch.save_file(state, path) or os.path.getsize(path), fresh)
elif job == "safetensors-read":
    import safetensors.torch
    safetensors.torch.save_file(state, path)
    del state
    # The file is mapped; a sum touches every page, as a use of the weights would.
    loop(lambda: [tensor.view(torch.uint8)[..., ::4096].sum() for tensor in
                  safetensors.torch.load_file(path).values()] and 0)
elif job.startswith("h5py"):
    import h5py
    names = [name for name in state if name.startswith("h.0.")]
    some = {name: state[name].view(torch.int16).numpy() if dtype == "bfloat16" else state[name].numpy() for name in names}
    part = sum(value.nbytes for value in some.values())

    def write(_=None):
        with h5py.File(path, "w") as file:
            for name, value in some.items():
                file.create_dataset(name, data=value, compression="gzip", compression_opts=4, shuffle=True)
        return os.path.getsize(path)

    def read():
        with h5py.File(path) as file:
            return [file[name][()] for name in some] and 0

    if job == "h5py-write":
        loop(write, fresh, part)
    else:
        write()
        loop(read, size=part)
'''


class Peer:
    """A program that does its job each time it is asked to."""

    def __init__(self, name, command, size=None):
        self.name, self.size, self.stored, self.times = name, size, 0, []
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if not words:
            raise SystemExit(f"{self.name}: ended")
        if len(words) > 1:
            self.size, self.stored = int(words[1]), int(words[2])
        return float(words[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    @property
    def speed(self):
        return self.size / statistics.median(self.times) / 1e9


def in_turn(peers, repeats):
    for peer in peers:
        peer.run()
    for _ in range(repeats):
        for peer in peers:
            peer.times.append(peer.run())
    for peer in peers:
        peer.close()


def once(command, repeats):
    """A command's times, for those that are programs of their own."""
    import time
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def measure(options, dtype, folder, ours):
    def python(job):
        return [options.python, "-c", PEER, job, dtype, options.layers, folder, options.threads]

    threads = options.threads
    size = int(subprocess.run(
        [str(word) for word in python("source")], check=True, capture_output=True, text=True).stdout)
    raw, packed = folder / "raw.ckz", folder / "ours.ckz"
    subprocess.run([options.python, ROOT / "raw_ckz.py", folder / "source", raw], check=True)
    os.unlink(folder / "source")
    rows = []

    def table(job, peers):
        in_turn(peers, options.repeats)
        first = peers[0]
        for peer in peers:
            rows.append({
                "job": job, "dtype": dtype, "program": peer.name, "gb_per_s": round(peer.speed, 3),
                "ours_by_it": round(first.speed / peer.speed, 2),
                "ratio": round(peer.stored / peer.size, 4) if peer.stored else None,
                "seconds": [round(time, 4) for time in peer.times]})
            row = rows[-1]
            if not options.json:
                print(f"{job:6} {dtype:9} {peer.name:26} {row['gb_per_s']:8.3f} {row['ours_by_it']:8.2f} "
                      f"{row['ratio'] or '':>8}", flush=True)

    writer = Peer("ckz", [ours, "write", raw, packed, threads], size)
    reader_size = size
    table("write", [
        writer, Peer("zipnn, 1 thread", python("zipnn-write 1")),
        Peer(f"zipnn, {threads} threads", python(f"zipnn-write {threads}")),
        Peer("torch.save", python("torch-write")), Peer("safetensors", python("safetensors-write")),
        Peer("h5py gzip-4 shuffle", python("h5py-write"))])
    rows[-6]["ratio"] = round(packed.stat().st_size / size, 4)
    if not options.json:
        print(f"                 ckz takes {packed.stat().st_size / size:.4f} of the tensors' bytes")
    table("read", [
        Peer("ckz, reused", [ours, "read", packed, threads], reader_size),
        Peer("ckz, fresh", [ours, "load", packed, threads], reader_size),
        Peer(f"zipnn, {threads} threads, fresh", python(f"zipnn-read {threads}")),
        Peer("zipnn, 1 thread, dropped", python("zipnn-drop 1")),
        Peer(f"zipnn, {threads} threads, dropped", python(f"zipnn-drop {threads}")),
        Peer("torch.load", python("torch-read")), Peer("safetensors, touched", python("safetensors-read")),
        Peer("h5py gzip-4 shuffle", python("h5py-read"))])
    table("sha256", [Peer("ckz, every byte", [ours, "hash", raw, threads], size)])
    summed = size / once(["sha256sum", raw], options.repeats) / 1e9
    rows.append({"job": "sha256", "dtype": dtype, "program": "sha256sum", "gb_per_s": round(summed, 3),
                 "ours_by_it": round(rows[-1]["gb_per_s"] / summed, 2), "ratio": None})
    if not options.json:
        print(f"{'sha256':6} {dtype:9} {'sha256sum':26} {summed:8.3f} {rows[-1]['ours_by_it']:8.2f}")
    return rows


def main():
    parser = argparse.ArgumentParser(
        usage=__doc__.split("\n\n")[1].removeprefix("usage: "), add_help=False)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--python", default="/opt/oracle/bin/python")
    parser.add_argument("--folder", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    options = parser.parse_args()
    subprocess.run(
        ["swift", "build", "-c", "release", "--package-path", ROOT], check=True, stdout=sys.stderr)
    ours = ROOT / ".build/release/storage-bench"
    rows = []
    if not options.json:
        print(f"{'job':6} {'dtype':9} {'program':26} {'GB/s':>8} {'ours/it':>8} {'ratio':>8}")
    for dtype in ("float32", "bfloat16"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ckpt-storage-", dir=options.folder))
        try:
            rows += measure(options, dtype, folder, ours)
        finally:
            shutil.rmtree(folder)
    if options.json:
        print(json.dumps(rows, indent=1))


main()
