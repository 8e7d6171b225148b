"""`bench small`: what is there before the first byte: the start of the process, and small files of every format.

`ckpt --version`, and `ckpt ls` of each file of a format that Fixtures has, whole processes in turn, medians. The
difference between the two is what opening costs.
"""
import statistics

from programs import REPOSITORY, built, timed

FILES = [
    ("ckz", "native/stock.ckz"), ("hdf5", "hdf5/chunked.h5"), ("keras", "keras/net.keras"),
    ("safetensors", "safetensors/dtypes.safetensors"), ("pytorch", "pytorch/dtypes.pt"), ("npz", "numpy/types.npz"),
    ("npy", "numpy/lone.npy"), ("gguf", "gguf/types.gguf"),
]


def small(options):
    ckpt, fixtures = options.ckpt or built(), REPOSITORY / "Fixtures"
    jobs = {"start of the process": [ckpt, "--version"]}
    jobs |= {f"ls {name}": [ckpt, "ls", "--quiet", fixtures / file] for name, file in FILES}
    times = {job: [] for job in jobs}
    for _ in range(20 * options.repeats + 1):
        for job, command in jobs.items():
            times[job].append(timed(*command))
    start = statistics.median(times["start of the process"][1:])
    for job, seconds in times.items():
        median = statistics.median(seconds[1:])
        yield {"job": job, "ms": round(median * 1e3, 2), "least_ms": round(min(seconds) * 1e3, 2),
               "after_start_ms": round((median - start) * 1e3, 2)}


def show(rows):
    print(f"{'ms':24} {'median':>8} {'least':>8} {'after start':>12}")
    for row in rows:
        yield row
        print(f"{row['job']:24} {row['ms']:8.2f} {row['least_ms']:8.2f} {row['after_start_ms']:12.2f}", flush=True)
