"""The README's table of speed, of the rows that storage.py measures."""
import datetime
import os
import platform
import statistics

# What is shown: the job in words, the job and our program as measured, its peer (2 stands for the threads), and the
# least ratio that is aimed at.
RATIOS = [
    ("write `.ckz`, every byte digested", "write", "ckz", "zipnn, 2 threads, file", 1.5),
    ("write `.ckz`, every byte digested", "write", "ckz", "zipnn, 2 threads, memory", None),
    ("write `.ckz`, every byte digested", "write", "ckz", "torch.save", 1),
    ("read `.ckz` into fresh memory, every chunk verified by BLAKE3", "read", "ckz, fresh", "zipnn, 2 threads, file", 1.5),
    ("read `.ckz` into fresh memory, every chunk verified by BLAKE3", "read", "ckz, fresh", "zipnn, 2 threads, memory", None),
    ("read `.ckz` into reused memory", "read", "ckz, reused", "zipnn, 2 threads, dropped", None),
    ("write compressed HDF5", "write h5", "h5", "h5py gzip-4 shuffle", 40),
    ("read compressed HDF5, ours", "read h5", "h5, reused", "h5py", 10),
    ("read h5py's compressed HDF5", "read h5py's", "h5, reused", "h5py", 3),
    ("write plain HDF5", "write plain h5", "h5 plain", "h5py", 1),
    ("read plain HDF5", "read plain h5", "h5, reused", "h5py", 1),
    ("find one changed element in HDF5", "diff h5", "h5", "h5diff", 5),
    ("hash every byte of a `.safetensors` file", "hash", "source, every byte", "sha256sum", 10),
]
# Jobs without a peer: in GB/s, and in milliseconds, with the least speed and the longest time aimed at.
SPEEDS = [("check a `.ckz` file", "hash", "ckz, check", 3)]
TIMES = [
    ("`ckpt diff` of two `.ckz` files, one tensor changed", "diff ckz", "ckpt diff", 20),
    ("`ckpt ls` of 10,000 tensors in `.ckz`", "start", "ckpt ls", 25),
    ("`ckpt --version`", "start", "ckpt --version", 5),
]


def machine():
    """The processor, the number of cores, and the memory."""
    model = platform.machine()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
            if line.startswith("flags"):
                model += " with AVX-512" if "avx512f" in line.split() else ""
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def lines(rows, options, load):
    """The table as lines of Markdown; `load` is the machine's when it began."""
    found = {(row["data"], row["job"], row["program"]): row for row in rows if "program" in row}
    data = list(dict.fromkeys(row["data"] for row in rows))
    sizes = ", ".join(f"{found[kind, 'write', 'ckz']['bytes'] / 1e9:.2f} GB of {kind}" for kind in data)
    yield (f"{datetime.date.today()}, {machine()}; medians of {options.repeats} (of 20 for the start) in one run with {options.threads} threads, "
           f"{sizes}, in memory; load of the machine at the start {load:.1f}:")
    yield ""
    yield "| job | " + " | ".join(data) + " | aim |"
    yield "|---|" + "---|" * len(data) + "---|"

    def row_of(kind, job, program):
        return found.get((kind, job, program.replace("2 threads", f"{options.threads} threads")))

    def seconds(row):
        return statistics.median(row["seconds"])

    for words, job, ours, peer, aim in RATIOS:
        cells = []
        for kind in data:
            mine, theirs = row_of(kind, job, ours), row_of(kind, job, peer)
            # Some peers work on a part of the data; speeds are compared.
            cells.append(f"{mine['gb_per_s']:.1f} GB/s, {mine['gb_per_s'] / theirs['gb_per_s']:.2g} times {peer}"
                         if mine and theirs else "")
        yield f"| {words} | {' | '.join(cells)} | {f'{aim} times' if aim else ''} |"
    for words, job, ours, aim in SPEEDS:
        cells = [f"{row_of(kind, job, ours)['gb_per_s']:.1f} GB/s" for kind in data]
        yield f"| {words} | {' | '.join(cells)} | {aim} GB/s |"
    for words, job, ours, aim in TIMES:
        cells = [f"{seconds(row_of(kind, job, ours)) * 1e3:.1f} ms" for kind in data]
        yield f"| {words} | {' | '.join(cells)} | {aim} ms |"
