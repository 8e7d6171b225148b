"""`bench ranks`: two ranks of one thread against one rank of two threads, the same command, built with the trait MPI.

Data: a model of 2 GB of float32, in the temporary folder. Both are started by mpirun, in turn; medians. The efficiency is the time of one rank, divided by that of two: below 1, ranks cost more than threads.
'start' is mpirun with `ckpt hash` of a small file, a part of each time; 'without start' leaves it out on both sides. The seed
that is searched for is the last of its range, since a status that is not 0 makes mpirun wait for two seconds.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from programs import REPOSITORY, timed

LEAST = 0.9
SEEDS = 1 << 27
MODEL = "Net(\n" + "".join(
    f"  ({index}): Linear(in_features=2900, out_features=2900, bias=True)\n" for index in range(60)) + ")\n"
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "vader,self",
}


def built_for_ranks():
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "ckpt", "--traits", "MPI",
         "--scratch-path", ".build/mpi-release"], cwd=REPOSITORY, check=True, stdout=sys.stderr)
    return REPOSITORY / ".build/mpi-release/release/ckpt"


def ranks(options):
    ckpt = options.ckpt or built_for_ranks()
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        model, data, output = folder / "model.txt", folder / "data.safetensors", folder / "output"
        small = folder / "small.safetensors"
        model.write_text(MODEL)
        subprocess.run([ckpt, "init", model, "-o", data, "--quiet"], check=True)
        (folder / "small.txt").write_text("Linear(in_features=90, out_features=90, bias=True)\n")
        subprocess.run([ckpt, "init", folder / "small.txt", "--seed", str(SEEDS - 1), "-o", small, "--quiet"], check=True)
        jobs = {
            "start": ["hash", small],
            "init to safetensors": ["init", model, "-o", f"{output}.safetensors"],
            "init to ckz": ["init", model, "-o", f"{output}.ckz"],
            "convert safetensors to ckz": ["convert", data, f"{output}.ckz"],
            "hash": ["hash", data],
            f"find-seed, {SEEDS >> 20} Mi seeds": ["find-seed", small, "--range", f"0..{SEEDS - 1}"],
        }
        for job, words in jobs.items():
            times = {1: [], 2: []}
            for turn in range(options.repeats + 1):
                for count in times:
                    seconds = timed(
                        "mpirun", "--quiet", "-n", count, ckpt, *words,
                        "--quiet", "--threads", 2 // count)
                    for path in folder.glob("output*"):
                        path.unlink()
                    if turn:
                        times[count].append(seconds)
            one, two = (statistics.median(values) for values in times.values())
            yield {"job": job, "one_rank": round(one, 3), "two_ranks": round(two, 3), "efficiency": round(one / two, 3),
                   "times": times}


def show(rows):
    print(f"{'seconds':28} {'1 rank, 2 threads':>18} {'2 ranks, 1 thread':>18} {'efficiency':>11} {'without start':>14}")
    starts = None
    for row in rows:
        yield row
        starts = starts or (row["one_rank"], row["two_ranks"])
        rest = [row["one_rank"] - starts[0], row["two_ranks"] - starts[1]]
        without = f"{rest[0] / rest[1]:14.2f}" if rest[1] > 0 else ""
        missed = "  MISSED" if row["job"] != "start" and row["efficiency"] < LEAST else ""
        print(f"{row['job']:28} {row['one_rank']:18.3f} {row['two_ranks']:18.3f} {row['efficiency']:11.2f} "
              f"{without}{missed}", flush=True)
