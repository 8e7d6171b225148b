"""`bench convert`: speed and memory of conversions, ours against Python's, in one run.

A transformer-like float32 state dict of 1.2 GB (20 layers) goes .pt -> .safetensors -> .h5 -> .ckz -> .pt, each step a
process of its own, ours and Python's in turn; Python has no .ckz and goes from .h5 to .pt at once. Medians of the
seconds of whole processes, Python's without and with its imports, and peak memory.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from programs import built

PEER = r"""
import sys, time
import torch, safetensors.torch, h5py
torch.set_num_threads(2)
job, source, target = sys.argv[1:4]
start = time.perf_counter()
if job == "make":
    d, layers = 1024, int(source)
    torch.manual_seed(0)
    state = {"wte.weight": torch.randn(50257, d) * 0.02, "wpe.weight": torch.randn(1024, d) * 0.01}
    for i in range(layers):
        h = "h.%d." % i
        for name in ("ln_1", "ln_2"):
            state[h + name + ".weight"], state[h + name + ".bias"] = torch.ones(d), torch.zeros(d)
        for name, rows, columns in (("attn.c_attn", 3 * d, d), ("attn.c_proj", d, d), ("mlp.c_fc", 4 * d, d),
                                    ("mlp.c_proj", d, 4 * d)):
            state[h + name + ".weight"] = torch.randn(rows, columns) * 0.02
            state[h + name + ".bias"] = torch.randn(rows) * 0.01
    torch.save(state, target)
elif job == "pt-safetensors":
    safetensors.torch.save_file(torch.load(source, weights_only=True), target)
elif job.startswith("safetensors-h5"):
    filters = dict(compression="gzip", shuffle=True) if job.endswith("gzip") else {}
    with h5py.File(target, "w") as file:
        for name, value in safetensors.torch.load_file(source).items():
            file.create_dataset(name.replace(".", "/"), data=value.numpy(), **filters)
elif job == "h5-pt":
    state = {}
    with h5py.File(source) as file:
        file.visititems(lambda name, item: state.__setitem__(name.replace("/", "."), torch.from_numpy(item[()]))
                        if isinstance(item, h5py.Dataset) else None)
    torch.save(state, target)
print(time.perf_counter() - start)
"""


def measured(words):
    """Seconds and peak MiB of a process, and what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{words}: status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def convert(options):
    ckpt = built()
    folder = pathlib.Path(tempfile.mkdtemp(
        prefix="ckpt-bench-", dir=options.folder or ("/dev/shm" if os.path.isdir("/dev/shm") else None)))
    try:
        yield from steps(options, ckpt, folder)
    finally:
        shutil.rmtree(folder)


def steps(options, ckpt, folder):
    source = folder / "a.pt"
    measured([options.python, "-c", PEER, "make", options.layers, source])
    gigabytes = source.stat().st_size / 1e9
    jobs = [  # name, our words, Python's job
        ("pt -> safetensors", ["a.pt", "b.safetensors"], ("pt-safetensors", "a.pt", "p.safetensors")),
        ("safetensors -> h5, contiguous", ["b.safetensors", "c.h5", "--compression", "none"],
         ("safetensors-h5", "b.safetensors", "p.h5")),
        ("h5 -> pt", ["c.h5", "d.pt"], ("h5-pt", "c.h5", "p.pt")),
        ("safetensors -> h5, compressed", ["b.safetensors", "e.h5"],
         ("safetensors-h5-gzip", "b.safetensors", "q.h5")),
        ("h5 -> ckz", ["c.h5", "f.ckz"], None),
        ("ckz -> pt", ["f.ckz", "g.pt"], None),
    ]
    for name, words, peer in jobs:
        ours, theirs = [], []
        for _ in range(options.repeats + 1):
            for file in [words[1]] + ([peer[2]] if peer else []):
                (folder / file).unlink(missing_ok=True)
            seconds, memory, _ = measured(
                [ckpt, "convert", folder / words[0], folder / words[1], *words[2:], "--quiet"])
            ours.append((seconds, memory))
            if peer:
                seconds, memory, output = measured(
                    [options.python, "-c", PEER, peer[0], folder / peer[1], folder / peer[2]])
                theirs.append((float(output), memory, seconds))
        row = {"step": name, "gigabytes": gigabytes}
        for who, figures in (("ours", ours[1:]), ("python", theirs[1:])):  # the first round warms up
            if figures:
                row[who] = {"seconds": statistics.median(f[0] for f in figures), "mebibytes": max(f[1] for f in figures)}
        if theirs:
            row["python"]["process_seconds"] = statistics.median(f[2] for f in theirs[1:])
        yield row


def show(rows):
    heading = False
    for row in rows:
        yield row
        ours, peer, gigabytes = row["ours"], row.get("python"), row["gigabytes"]
        if not heading:
            heading = True
            print(f"{gigabytes:.2f} GB\n"
                  "| step | ours, s | GB/s | MiB | Python, s | with imports | MiB | times as fast | with imports |\n"
                  "|---|---|---|---|---|---|---|---|---|")
        words = [row["step"], f"{ours['seconds']:.2f}", f"{gigabytes / ours['seconds']:.2f}", f"{ours['mebibytes']:.0f}"]
        if peer:
            times = peer["seconds"], peer["process_seconds"]
            words += [f"{time:.2f}" for time in times] + [f"{peer['mebibytes']:.0f}"]
            words += [f"{time / ours['seconds']:.1f}" for time in times]
        print("| " + " | ".join(words + [""] * (9 - len(words))) + " |", flush=True)
