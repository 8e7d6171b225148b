"""A scene: a folder of files, a command that writes some of them, and what it may leave."""
import dataclasses
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# What a process that was killed, or could not clean up, may leave beside the old and the new files.
LEFTOVER = re.compile(r"^\.(.+)\.ckpt-(tmp|old)-[0-9a-f]{16}$|^(.+)\.ckpt-[0-9a-f]{16}(\.[^.]+)?$")


@dataclasses.dataclass
class Scene:
    """One command over one set of files."""
    name: str
    # Lines for the shell that make the files, in which `ckpt` is the command.
    files: str
    # Arguments of ckpt.
    command: str
    # The file by which the result is read, where it is one of several; its fingerprint is compared.
    read: str = ""
    # Whether the command adds to this file: what it held must still be its beginning.
    grows: str = ""
    # The file that is set aside while several take turns: without it, the old files are there under hidden names.
    main: str = ""
    # Whether each file stands for itself, so that some may be new and others old.
    is_each: bool = False
    # What stands before and after the command in the shell, if it needs one.
    shell: str = ""


class Stage:
    """A scene that was built, and is played again and again."""

    def __init__(self, scene, ckpt, folder, library):
        self.library = library
        self.scene, self.ckpt = scene, str(pathlib.Path(ckpt).resolve())
        self.root = pathlib.Path(folder) / re.sub(r"\W+", "-", scene.name)
        self.source, self.place = self.root / "source", self.root / "place"
        shutil.rmtree(self.root, ignore_errors=True)
        self.source.mkdir(parents=True)
        self.temporary = self.root / "tmp"
        self.temporary.mkdir()
        script = f'ckpt() {{ "{self.ckpt}" "$@" --quiet; }}\nset -e\n{scene.files}'
        subprocess.run(["bash", "-c", script], cwd=self.source, check=True, env=self.environment())
        self.old = state(self.source)
        self.set_up()
        result = self.run()
        if result.returncode != 0:
            raise SystemExit(f"{scene.name}: {result.stderr.decode(errors='replace')}")
        self.output = result.stdout
        self.new = state(self.place)
        self.prints = [self.fingerprint(self.source), self.fingerprint(self.place)] if scene.read else []

    def environment(self, **more):
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("FAULT", "LD_"))}
        return {**keep, "SWIFT_BACKTRACE": "enable=no", "TMPDIR": str(self.root / "tmp"), "NO_COLOR": "1", **more}

    def set_up(self):
        """The files as they are before the command."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.source, self.place, symlinks=True)
        for path in self.temporary.iterdir():
            path.unlink()

    def arguments(self):
        words = [self.ckpt, *shlex.split(self.scene.command)]
        if words[1] != "completions":
            words += ["--quiet", "--threads", "1"]
        if self.scene.shell:
            line = "LD_PRELOAD=$PRELOADED " + shlex.join(words)
            return ["bash", "-c", self.scene.shell.replace("CKPT", line)]
        return words

    def run(self, timeout=60, **environment):
        if self.scene.shell:
            # Other programs of the line are spared.
            environment = {"PRELOADED": environment.pop("LD_PRELOAD", ""), **environment}
        return subprocess.run(self.arguments(), cwd=self.place, capture_output=True, timeout=timeout,
                              env=self.environment(**environment), stdin=subprocess.DEVNULL)

    def fingerprint(self, folder):
        result = subprocess.run([self.ckpt, "hash", self.scene.read, "--quiet"], cwd=folder, capture_output=True,
                                env=self.environment())
        return result.stdout.split()[0] if result.returncode == 0 else None

    # MARK: - Judging

    def problems(self, folder=None, *, finished, killed=False, crippled=False):
        """What is wrong with the files after a run: `finished` with success, `killed`, or `crippled` by a disk that
        refuses everything from some moment on, so that nothing can be cleaned up."""
        now = state(folder or self.place)
        if finished:
            kept = {name: digest for name, digest in now.items() if not (crippled and is_leftover(name))}
            return [] if kept == self.new else [f"exit 0, but {difference(self.new, now)}"]
        extra = set(now) - set(self.old) - set(self.new)
        odd = [name for name in extra if not is_leftover(name)]
        found = [f"left {name}" for name in (odd if killed or crippled else extra)]
        core = {name: digest for name, digest in now.items() if name not in extra}
        if core == self.new:
            # The new files are there; names that could not be removed, or not durably, remain.
            return [f"left {name}" for name in odd]
        if core == self.old:
            return found
        if self.scene.grows:
            core = self.without_growth(folder or self.place, core)
            if core in (self.old, self.new) and self.fingerprint(folder or self.place) in self.prints:
                return found
            return found + [f"the last checkpoint in it cannot be read: {difference(self.old, now)}"]
        if self.scene.main and (killed or crippled) and self.can_be_restored(now):
            return [problem for problem in found if ".ckpt-old-" not in problem]
        if self.scene.is_each and all(core.get(name) in (self.old.get(name), self.new.get(name)) for name in
                                      {*self.old, *self.new}):
            return found
        if self.scene.read and self.keeps_inputs(core):
            # Files under names that an index gives: what counts is what a reader finds.
            print_ = self.fingerprint(folder or self.place)
            if print_ and print_ == self.prints[1]:
                return [f"left {name}" for name in odd]
            if print_ and print_ == self.prints[0] and (killed or crippled):
                return found
            return found + [f"neither the old nor the new checkpoint: {difference(self.old, now)}"]
        return found + [f"neither old nor new: {difference(self.old, now)}"]

    def can_be_restored(self, now):
        """Whether a set is between the old and the new one, no reader takes it for one, and the old files are there."""
        if self.scene.main in now:
            return False
        restored = {name: digest for name, digest in now.items() if not LEFTOVER.match(pathlib.Path(name).name)}
        for name, digest in now.items():
            if match := re.fullmatch(r"\.(.+)\.ckpt-old-[0-9a-f]{16}", pathlib.Path(name).name):
                restored[str(pathlib.Path(name).with_name(match[1]))] = digest
        return restored == self.old

    def keeps_inputs(self, core):
        """Files that the command does not change are as they were."""
        same = {name for name in self.old if self.new.get(name) == self.old[name]}
        return all(core.get(name) == self.old[name] for name in same)

    def without_growth(self, folder, core):
        name = self.scene.grows
        old, now = (self.source / name).read_bytes(), (folder / name).read_bytes()
        if (self.source / "whole").exists():
            old = (self.source / "whole").read_bytes()  # without what was never finished
        if not now.startswith(old):
            return core
        new = self.new[name]
        return {**core, name: new if core[name] == new else self.old[name]}


def is_leftover(name):
    """Whether a file's name, or that of a folder it is in, says that it is left over."""
    return any(LEFTOVER.match(part) for part in pathlib.Path(name).parts)


def state(folder):
    """Digest of each file below a folder by its name; None for a folder."""
    found = {}
    for path, folders, files in os.walk(folder):
        inside = os.path.relpath(path, folder)
        for name in folders:
            found[os.path.normpath(os.path.join(inside, name))] = None
        for name in files:
            whole = os.path.join(path, name)
            content = os.readlink(whole).encode() if os.path.islink(whole) else pathlib.Path(whole).read_bytes()
            found[os.path.normpath(os.path.join(inside, name))] = hashlib.blake2b(content, digest_size=16).hexdigest()
    return found


def difference(expected, found):
    """The names that differ between two states."""
    lines = [f"no {name}" for name in expected if name not in found]
    lines += [f"also {name}" for name in found if name not in expected]
    lines += [f"another {name}" for name in expected if name in found and expected[name] != found[name]]
    return ", ".join(sorted(lines)[:6])


def compiled(folder):
    """The library to preload."""
    library = pathlib.Path(folder) / "faults.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Wno-nonnull-compare", "-o", library,
                    HERE / "faults.c", "-ldl"], check=True)
    return str(library)
