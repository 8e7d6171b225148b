#!/usr/bin/env python3
"""Five questions about checkpoints, asked of ckpt and of what people use today: commands, seconds (the least of three runs), lines to read.

usage: Tools/bench/questions.py --ckpt CKPT --python PYTHON [--peers FOLDER]

The files are Fixtures/tour. PYTHON has torch; FOLDER is the bin of a virtual environment with ckptkit, and h5diff is
Debian's hdf5-tools. A script's lines are those that a person has to write; its output is counted like a command's.
"""
import argparse
import pathlib
import subprocess
import tempfile
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

LOAD = """\
import torch
def load(path):
    file = torch.load(path, map_location="cpu", weights_only=True)
    return file.get("state_dict", file)
"""
SCRIPTS = {
    "what changed between two epochs": """
        a, b = load("epoch1.pt"), load("epoch2.pt")
        for name in a.keys() | b.keys():
            if name not in a or name not in b: print(name, "on one side only")
            elif a[name].shape != b[name].shape: print(name, a[name].shape, b[name].shape)
            elif not torch.equal(a[name], b[name]):
                d = (b[name].double() - a[name].double())
                print(name, (d != 0).sum().item(), d.abs().max().item(), (d.norm() / a[name].double().norm()).item())
    """,
    "is it the same model under other names": """
        a, b = load("epoch2.pt"), load("parallel.pt")
        left = dict(b)
        for name, x in a.items():
            twin = next((n for n, y in left.items() if x.dtype == y.dtype and torch.equal(x, y)), None)
            print(name, "->", twin)
            left.pop(twin, None)
        print("only in b:", list(left))
    """,
    "which layers are frozen": """
        a, b = load("epoch1.pt"), load("epoch2.pt")
        for name in a:
            if torch.equal(a[name], b[name]): print(name)
    """,
    "is anything NaN": """
        for name, x in load("diverged.pt").items():
            if x.is_floating_point() and x.isnan().any(): print(name, x.isnan().sum().item())
    """,
}
OURS = {
    "what changed between two epochs": "{ckpt} diff epoch1.pt epoch2.pt",
    "is it the same model under other names": "{ckpt} diff epoch2.pt parallel.pt",
    "which layers are frozen": "{ckpt} diff epoch1.pt epoch2.pt --all",
    "is anything NaN": "{ckpt} stat diverged.pt --nan-only",
    "which seed made it": "{ckpt} find-seed init.pt --model net.txt",
}
CKPTKIT = {
    "what changed between two epochs": "{peers}/ckptkit diff epoch1.pt epoch2.pt",
    "is it the same model under other names": "{peers}/ckptkit diff epoch2.pt parallel.pt",
}
H5DIFF = {
    "what changed between two epochs": "h5diff epoch1.h5 epoch2.h5",
    "is it the same model under other names": "h5diff epoch2.h5 parallel.h5",
}


def run(command, folder):
    start = time.monotonic()
    result = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    return time.monotonic() - start, len((result.stdout + result.stderr).splitlines()), result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--peers")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every output")
    options = parser.parse_args()
    ckpt = pathlib.Path(options.ckpt).resolve()
    print("| question | tool | commands, or lines of a script | seconds | lines to read |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for file in (ROOT / "Fixtures/tour").iterdir():
            (pathlib.Path(folder) / file.name).write_bytes(file.read_bytes())
        for name in ("epoch1", "epoch2", "parallel"):
            subprocess.run([ckpt, "convert", f"{name}.pt", f"{name}.h5", "-q"], cwd=folder, check=True)
        for question, command in OURS.items():
            asked = [("ckpt", "1 command", command.format(ckpt=ckpt))]
            if question in SCRIPTS:
                text = LOAD + textwrap.dedent(SCRIPTS[question])
                script = pathlib.Path(folder) / "script.py"
                script.write_text(text)
                lines = sum(bool(line.strip()) for line in text.splitlines())
                asked.append(("Python with torch", f"{lines} lines", f"{options.python} script.py"))
            if options.peers and question in CKPTKIT:
                asked.append(("ckptkit", "1 command", CKPTKIT[question].format(peers=options.peers)))
            if question in H5DIFF:
                asked.append(("h5diff", "1 command, of HDF5 files", H5DIFF[question]))
            for tool, effort, line in asked:
                seconds, lines, result = min((run(line, folder) for _ in range(3)), key=lambda found: found[0])
                if result.returncode not in (0, 1) or "Traceback" in result.stderr:
                    raise SystemExit(f"{tool}: {result.stdout}{result.stderr}")
                print(f"| {question} | {tool} | {effort} | {seconds:.2f} | {lines} |", flush=True)
                if options.verbose:
                    print(textwrap.indent(result.stdout + result.stderr, "    "))


main()
