"""`bench seeds`: `ckpt find-seed` over 2^26 seeds that all fail.

By a tensor that is drawn first and by one that is drawn after 100 million others; ours alone, nothing else does it.
"""
import os
import pathlib
import subprocess
import tempfile

from programs import built, timed


def seeds(options):
    ckpt = built()
    with tempfile.TemporaryDirectory(prefix="ckpt-bench-") as name:
        folder = pathlib.Path(name)
        (folder / "model.txt").write_text(
            "Net(\n  (big): Embedding(100000, 1000)\n"
            "  (last): Linear(in_features=64, out_features=64, bias=True)\n)\n")
        (folder / "first.txt").write_text("Linear(in_features=64, out_features=64, bias=True)\n")
        for job, model, far in (("first tensor", "first.txt", False), ("after 10^8 draws", "model.txt", True)):
            file = folder / "net.ckz"
            # Seed 5 of a range that leaves it out.
            subprocess.run([ckpt, "init", folder / model, "--seed", "5", "-o", file, "--force", "--quiet"], check=True)
            match = ["--match", "last.weight" if far else "weight"]
            find = [ckpt, "find-seed", file, *match, "--quiet", "--range"]
            before = os.times()
            best = timed(*find, f"6..{6 + (1 << 26)}")
            after = os.times()
            # On a machine that does other things too, the processors' time says what it would take.
            processor = after.children_user + after.children_system - before.children_user - before.children_system
            yield {"job": job, "seeds_per_s": round((1 << 26) / best), "all_seeds_s": round(64 * best),
                   "all_seeds_processor_s": round(64 * processor),
                   "to_100000_s": round(timed(*find, "0..100000"), 2)}


def show(rows):
    for row in rows:
        yield row
        print(f"{row['job']:18} {row['seeds_per_s'] / 1e6:7.1f} M seeds/s, all in {row['all_seeds_s']} s "
              f"({row['all_seeds_processor_s']} s of processors), "
              f"0..100000 in {row['to_100000_s']} s", flush=True)
