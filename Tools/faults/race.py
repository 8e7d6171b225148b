"""Changes a file while it is read: truncated, longer, replaced, written in place, removed.

Whatever happens, the command ends with the result of the old file or of the new one, whole, or with exit 2 and one
line that says so; a signal, an output made of both, and a file left behind are faults.
"""
import os
import random
import shutil
import subprocess
import time

WAYS = ("truncate", "grow", "replace", "rewrite", "delete")
# Each command that reads; {f} is the file, {o} an output.
COMMANDS = {
    "ls": "ls {f}", "ls --values": "ls {f} --values", "tree": "tree {f}", "stat": "stat {f}", "show": "show {f} 0.weight",
    "diff": "diff {f} {g}", "hash": "hash {f} --algorithm sha256", "check": "check {f}", "scan": "scan {f}",
    "convert": "convert {f} {o} --force", "convert to a pipe": "convert {f} - --to npz", "verify": "verify {f} --model net.txt --seed 1",
    "reinit": "reinit {f} --match 1 --seed 3 -o {o} --force", "pack": "pack {f} -o {o} --force",
    "patch": "diff {g} {f} --patch {o} --force", "find-seed": "find-seed {f} --range 0..2",
}


class Race:
    """Two checkpoints of one format, in a folder."""

    def __init__(self, ckpt, folder, ending, size=600):
        self.ckpt, self.ending = ckpt, ending
        self.folder = folder / f"race-{ending}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "net.txt").write_text("Sequential(\n" + "".join(
            f"  ({n}): Linear(in_features={size}, out_features={size}, bias=True)\n" for n in range(3)) + ")\n")
        for seed, name in ((1, "a"), (2, "b")):
            plain = " --compression none" if ending in ("ckz", "h5") else ""
            self.run(f"init net.txt --seed {seed} -o {name}.{ending}{plain}", check=True)

    def run(self, command, check=False):
        result = subprocess.run([self.ckpt, *command.split()], cwd=self.folder, capture_output=True, env=self.environment())
        if check and result.returncode != 0:
            raise SystemExit(f"{command}: {result.stderr.decode(errors='replace')}")
        return result

    def environment(self):
        return {**os.environ, "SWIFT_BACKTRACE": "enable=no", "NO_COLOR": "1"}

    def path(self, name):
        return self.folder / name

    def play(self, name, way, count, report, seed=1):
        """Plays a race some times; returns how often the command refused."""
        text = COMMANDS[name]
        output = "o.ckz" if name in ("pack", "patch") else "o.npz" if name != "reinit" else f"o.{self.ending}"
        command = text.format(f=f"f.{self.ending}", g=f"a.{self.ending}", o=output).split()
        generator = random.Random(seed)
        good, statuses, duration = [], set(), 0
        for source in ("a", "b"):
            shutil.copy(self.path(f"{source}.{self.ending}"), self.path(f"f.{self.ending}"))
            self.path(output).unlink(missing_ok=True)
            start = time.monotonic()
            result = self.run(" ".join(command))
            duration = max(duration, time.monotonic() - start)
            if result.returncode not in (0, 1):
                raise SystemExit(f"{' '.join(command)}: fails without a race: {result.stderr.decode(errors='replace')}")
            statuses.add(result.returncode)
            good.append((result.returncode, result.stdout, self.bytes(output)))
        refused = 0
        for trial in range(count):
            file = self.path(f"f.{self.ending}")
            shutil.copy(self.path(f"a.{self.ending}"), file)
            self.path(output).unlink(missing_ok=True)
            before = set(os.listdir(self.folder))
            process = subprocess.Popen([self.ckpt, *command], cwd=self.folder, env=self.environment(),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            reader = Reader(process)
            time.sleep(generator.random() * duration)
            self.change(file, way, generator)
            out, error = reader.end()
            refused += process.returncode == 2
            found = self.problems(process.returncode, out, error, self.bytes(output), good, name, way)
            found += [f"left {other}" for other in sorted(set(os.listdir(self.folder)) - before - {output})]
            report(f"{name} {self.ending} {way} ({trial})", found)
            for other in set(os.listdir(self.folder)) - before - {output}:
                self.path(other).unlink()
        return refused

    def change(self, file, way, generator):
        other = self.path(f"b.{self.ending}")
        if way == "truncate":
            os.truncate(file, generator.randrange(file.stat().st_size))
        elif way == "grow":
            with open(file, "ab") as stream:
                stream.write(b"x" * 100_000)
        elif way == "delete":
            file.unlink()
        elif way == "rewrite":
            shutil.copyfile(other, file)
        elif way == "replace":
            shutil.copyfile(other, self.path("new"))
            os.replace(self.path("new"), file)

    def bytes(self, name):
        return self.path(name).read_bytes() if self.path(name).exists() else None

    def problems(self, status, out, error, output, good, command, way):
        if status < 0 or status >= 128:
            return [f"signal: {status}"]
        if status == 2:
            found = []
            lines = [line for line in error.decode(errors="replace").splitlines() if line.startswith("ckpt: ")]
            if not lines:
                found.append(f"no message: {error[-200:]!r}")
            if output is not None:
                found.append("exit 2, but an output file")
            if out and command != "convert to a pipe" and not any(out == other[1] for other in good):
                found.append(f"exit 2, but {len(out)} bytes of output")
            return found
        if (status, out, output) in good:
            return []
        # A file that has grown or was cut is another one, whose own answer may be told, as 'damaged' is by check.
        if status == 1 and command in ("check", "verify", "scan", "find-seed", "diff"):
            return []
        if way == "grow" and command == "scan":
            return []
        return [f"exit {status} with a mixed output of {len(out)} bytes"]


class Reader:
    """Takes the output of a process while it runs."""

    def __init__(self, process):
        self.process = process

    def end(self):
        try:
            return self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.communicate()
