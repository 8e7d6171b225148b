"""`bench python`: loading and saving from Python, in process, against safetensors, torch, zipnn, and h5py.

Data: the transformer of `bench storage` in float32 and bfloat16, in /dev/shm where there is one. Each job has a process of
its own, and the jobs of one kind take turns; medians of --repeats rounds after one that is not counted. What a load gives is
dropped before the next begins.

save    tensors to a new file. GB are those of the tensors.
load    a file to tensors in new memory, all of them kept and each page touched; 'reused' reads into arrays that are there.
        zipnn has no file format for a set of tensors: its packed tensors are written and read one after another, and
        'zipnn, memory' leaves the file out.
many    100,000 tensors of 16 float32: microseconds for each, to load them all, as torch's tensors or as NumPy's arrays.
init    ten large models: seconds of PyTorch's constructor and of ckpt.init of the model's description, all kept in memory,
        in one process each. Needs what `bench models` needs; only with --model.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from programs import FOLDER, REPOSITORY

WORKER = FOLDER / "python_worker.py"
SAVES = ["ckpt .ckz", "ckpt .safetensors", "ckpt .pt", "ckpt .h5, plain", "zipnn", "zipnn, memory",
         "torch.save", "safetensors", "h5py, plain"]
LOADS = ["ckpt .ckz", "ckpt .ckz, reused", "ckpt .safetensors", "ckpt .safetensors, reused", "ckpt .pt",
         "ckpt .h5, plain", "zipnn", "zipnn, memory", "torch.load", "safetensors", "h5py, plain"]
MANY = ["ckpt .safetensors", "ckpt .ckz", "ckpt .pt", "ckpt .safetensors, NumPy", "ckpt .safetensors, list", "torch.load",
        "safetensors"]
# What is aimed at: (kind, ours, peer) to least ratio.
TARGETS = [("load", "ckpt .ckz", "zipnn", 1.3), ("load", "ckpt .pt", "torch.load", 1), ("save", "ckpt .ckz", "zipnn", 1),
           ("init", "ckpt.init", "torch", 4)]


def library():
    """The C interface, built for release."""
    if given := os.environ.get("CKPT_LIBRARY"):
        return pathlib.Path(given)
    folder = REPOSITORY / ".build/library/out"
    subprocess.run([REPOSITORY / "Tools/build-library", folder], check=True, stdout=sys.stderr)
    return folder / "libckpt.so"


class Job:
    """A process that does one job at each line that it is sent."""

    def __init__(self, options, library, *words):
        environment = os.environ | {"CKPT_LIBRARY": str(library), "PYTHONPATH": str(REPOSITORY / "Tools/python")}
        self.process = subprocess.Popen(
            [str(word) for word in (options.python, "-W", "ignore", WORKER, options.threads, *words)], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self):
        """Does the job once."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a job ended: {self.process.args}")
        return float(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def rounds(options, jobs):
    """The median seconds of each job; they take turns, and of two times in a turn the second counts (see storage.py)."""
    times = {name: [] for name in jobs}
    for _ in range(options.repeats):
        for name, job in jobs.items():
            job.seconds()
            times[name].append(job.seconds())
    for job in jobs.values():
        job.end()
    return {name: statistics.median(values) for name, values in times.items()}


def python(options):
    ours = library()
    place = options.folder or ("/dev/shm" if shutil.disk_usage("/dev/shm").free > 8 << 30 else None)
    for name in options.model or []:
        jobs = {"ckpt.init": Job(options, ours, "init", "ckpt", description(options, name), FOLDER, name),
                "torch": Job(options, ours, "init", "torch", "-", FOLDER, name)}
        for job, seconds in rounds(options, jobs).items():
            yield {"kind": "init", "data": name, "job": job, "seconds": seconds}
    if options.model:
        return
    for data in options.data or ["float32", "bfloat16"]:
        with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=place) as folder:
            size = Job(options, ours, "source", data, folder, options.layers).seconds()
            for kind, names in (("save", SAVES), ("load", LOADS)):
                for name in names:  # one at a time: each holds the data
                    jobs = {name: Job(options, ours, kind, name, folder)}
                    for job, seconds in rounds(options, jobs).items():
                        yield {"kind": kind, "data": data, "job": job, "seconds": seconds, "speed": size / seconds / 1e9}
                    for path in pathlib.Path(folder).glob("written*"):
                        path.unlink()
    with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=place) as folder:
        count = Job(options, ours, "source", "many", folder, 0).seconds()
        for name in MANY:
            for job, seconds in rounds(options, {name: Job(options, ours, "many", name, folder)}).items():
                yield {"kind": "many", "data": f"{count:.0f} tensors", "job": job, "seconds": seconds,
                       "microseconds": seconds / count * 1e6}


def description(options, name):
    """The model's description, as `bench models` makes it."""
    path = REPOSITORY / f".build-bench/descriptions/{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([options.python, REPOSITORY / "Tools/describe.py", f"{FOLDER / 'large_models.py'}:{name}()", "-o",
                        path], check=True)
    return path


def show(rows):
    heading, shown = None, []
    for row in rows:
        shown.append(row)
        if heading != (row["kind"], row["data"]):
            heading = (row["kind"], row["data"])
            print(f"\n{row['kind']}, {row['data']}")
        figure = (f"{row['speed']:8.2f} GB/s" if "speed" in row else f"{row['microseconds']:8.2f} us each"
                  if "microseconds" in row else "")
        print(f"  {row['job']:28} {row['seconds']:8.3f} s {figure}", flush=True)
    print()
    for kind, ours, peer, least in TARGETS:
        for data in dict.fromkeys(row["data"] for row in shown if row["kind"] == kind):
            seconds = {row["job"]: row["seconds"] for row in shown if (row["kind"], row["data"]) == (kind, data)}
            ratio = seconds[peer] / seconds[ours]
            print(f"{kind}, {data}: {ours} is {ratio:.2f} times as fast as {peer}, aimed at {least}: "
                  f"{'met' if ratio >= least else 'MISSED'}")
    return shown
