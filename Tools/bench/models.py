"""`bench models`: initialize ten large models, against their constructors in PyTorch.

Each model is described once by Tools/describe.py, into .build-bench/descriptions. Then, in turn, medians: `ckpt init` of
the description, a whole process, once with its output thrown away and once with the checkpoint written to --folder and
synced; and the constructor alone, after `torch.manual_seed(0)`, which writes nothing; importing torch and the library
is not counted. Once, all tensors are compared.
"""
import pathlib
import statistics
import subprocess
import tempfile

from programs import FOLDER, REPOSITORY, built, timed

MODELS = ["bert_large", "gpt2_large", "vit_l_16", "llama_1b", "resnet152", "convnext_large", "swin_b", "t5_large",
          "whisper_medium", "efficientnet_v2_l"]
# In a process of its own: seconds of the constructor, and how what it gives compares with a file.
CONSTRUCT = """
import sys, time
sys.path.insert(0, sys.argv[1])
import large_models, torch
make = large_models.maker(sys.argv[2])
torch.set_num_threads(int(sys.argv[3]))
torch.manual_seed(0)
start = time.perf_counter()
model = make()
print(time.perf_counter() - start)
if len(sys.argv) > 4:
    from safetensors import safe_open
    wrong = 0
    with safe_open(sys.argv[4], "pt") as file:
        state = model.state_dict()
        assert set(state) == set(file.keys()), sorted(set(state) ^ set(file.keys()))[:3]
        for name, tensor in state.items():
            wrong += not torch.equal(tensor, file.get_tensor(name))
    print("exact" if wrong == 0 else f"{wrong} of {len(state)} tensors differ")
    print(sum(t.numel() * t.element_size() for t in {t.data_ptr(): t for t in state.values()}.values()))
"""


def models(options):
    ckpt = options.ckpt or built()
    descriptions = REPOSITORY / ".build-bench/descriptions"
    descriptions.mkdir(parents=True, exist_ok=True)
    for name in options.model or MODELS:
        description = descriptions / f"{name}.json"
        if not description.exists():
            subprocess.run([options.python, REPOSITORY / "Tools/describe.py", f"{FOLDER / 'large_models.py'}:{name}()",
                            "-o", description], check=True)
        ours, streamed, theirs = [], [], []
        with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=options.folder) as place:
            file = pathlib.Path(place) / "model.safetensors"
            for turn in range(options.repeats + 1):
                file.unlink(missing_ok=True)
                ours.append(timed(ckpt, "init", description, "-o", file, "--quiet", "--threads", options.threads))
                streamed.append(timed("/bin/sh", "-c", '"$0" init "$1" -o - --to safetensors --quiet --threads "$2" >/dev/null',
                                      ckpt, description, options.threads))
                seconds, *about = construct(options, name, *([file] if turn == 0 else []))
                theirs.append(float(seconds))
                if turn == 0:
                    verdict, size = about[0], int(about[1])
        ours, streamed, theirs = (statistics.median(times[1:]) for times in (ours, streamed, theirs))
        yield {"model": name, "bytes": size, "tensors": verdict, "torch": round(theirs, 3), "ckpt": round(streamed, 3),
               "ratio": round(theirs / streamed, 1), "file": round(ours, 3), "fileRatio": round(theirs / ours, 1)}


def construct(options, name, *more):
    command = [options.python, "-W", "ignore", "-c", CONSTRUCT, FOLDER, name, options.threads, *more]
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")


def show(rows):
    print(f"{'model':18} {'size':>9} {'torch':>8} {'ckpt':>8} {'ratio':>7} {'to a file':>10} {'ratio':>7}  tensors")
    for row in rows:
        yield row
        print(f"{row['model']:18} {row['bytes'] / 1e6:6.0f} MB {row['torch']:6.2f} s {row['ckpt']:6.2f} s "
              f"{row['ratio']:6.1f}x {row['file']:8.2f} s {row['fileRatio']:6.1f}x  {row['tensors']}", flush=True)
