"""Fails the n-th call for n = 1, 2, 3, ... until the command succeeds, once and from then on."""
import errno
import os
import pathlib
import subprocess

import scene

E = errno
OPEN = [E.EIO, E.ENOSPC, E.EACCES, E.EMFILE, E.EINTR]
WRITE = [E.EIO, E.ENOSPC, E.EDQUOT, E.EINTR, "short"]
# What each call may answer.
FAULTS = {
    "open": OPEN, "openat": OPEN, "opendir": [E.EIO, E.EMFILE], "readdir": [E.EIO],
    "read": [E.EIO, E.EINTR, "short"], "pread": [E.EIO, E.EINTR, "short"],
    "write": WRITE, "pwrite": WRITE, "copy_file_range": [*WRITE, E.EXDEV],
    "sync_file_range": [E.EIO, E.ENOSPC], "fsync": [E.EIO, E.ENOSPC, E.EINTR], "fdatasync": [E.EIO],
    "ftruncate": [E.EIO, E.ENOSPC, E.EINTR], "close": [E.EIO, E.EINTR], "lseek": [E.EIO], "flock": [E.EINTR, E.ENOLCK, E.EBADF],
    "fstat": [E.EIO], "stat": [E.EIO, E.EACCES], "lstat": [E.EIO, E.EACCES], "access": [E.EIO, E.EACCES],
    "link": [E.EIO, E.ENOSPC, E.EPERM], "linkat": [E.EIO, E.ENOSPC, E.EPERM, E.EMLINK],
    "rename": [E.EIO, E.ENOSPC, E.EACCES, E.EINTR], "renameat2": [E.EIO, E.ENOSPC, E.EINVAL],
    "unlink": [E.EIO, E.EACCES], "mkdir": [E.EIO, E.ENOSPC], "rmdir": [E.EIO],
    "fchmod": [E.EIO, E.EPERM], "fchown": [E.EPERM], "fsetxattr": [E.ENOSPC], "listxattr": [E.EIO],
    "readlink": [E.EIO], "realpath": [E.EIO],
}
# Those that last: a disk that has died, and one that is full.
LASTING = {str(E.EIO), str(E.ENOSPC)}


def sweep(stage, table, report):
    """Plays a scene with every fault; counts in `table` by function and fault."""
    functions = clean(stage)
    for kind in sorted({str(kind) for answers in FAULTS.values() for kind in answers}):
        for always in (False, True):
            if always and kind not in LASTING:
                continue
            for number, function in enumerate(functions, 1):
                if answers(function, kind) and not (always and function == "flock"):
                    play(stage, number, kind, always, table, report)


def clean(stage):
    """The functions that the command calls, in order, without a fault."""
    trace = stage.root / "trace"
    trace.unlink(missing_ok=True)
    stage.set_up()
    result = stage.run(**preload(stage), FAULT_TRACE=str(trace))
    found = stage.problems(finished=True) if result.returncode == 0 else [result.stderr.decode(errors="replace")]
    if found:
        raise SystemExit(f"{stage.scene.name}: fails without a fault: {'; '.join(found)}")
    return [line.split()[1] for line in trace.read_text().splitlines()]


def preload(stage, **more):
    return {"LD_PRELOAD": stage.library, "FAULT_ROOT": str(stage.root), **more}


def play(stage, number, kind, always, table, report):
    """One run in which call `number` fails."""
    trace = stage.root / "trace"
    trace.unlink(missing_ok=True)
    stage.set_up()
    try:
        result = stage.run(timeout=30, **preload(stage), FAULT_TRACE=str(trace),
                           FAULT=f"{number}:{kind}{':always' if always else ''}")
    except subprocess.TimeoutExpired:
        return report(stage, f"call {number} {kind}", ["does not end"])
    failed = [line.split()[1] for line in trace.read_text().splitlines() if line.endswith(" *")]
    # With threads the order may be another, and the call one that does not fail so.
    if not failed or not answers(failed[0], kind):
        return None
    label = kind if kind == "short" else errno.errorcode[int(kind)]
    table[failed[0], label + ("+" if always else "")] += 1
    what = f"{failed[0]} ({number}) {label}{' from then on' if always else ''}"
    return report(stage, what, judged(stage, result, failed[0], kind, always))


def answers(function, kind):
    return kind in {str(kind) for kind in FAULTS.get(function, [])}


def judged(stage, result, function, kind, always):
    error = result.stderr.decode(errors="replace")
    if result.returncode == 0:
        found = stage.problems(finished=True, crippled=always or function in ("unlink", "rmdir"))
        if "could not remove" in error or "may be left" in error:
            # The new files are there, and it is said that old ones may be as well.
            now = scene.state(stage.place)
            if all(now.get(name) == digest for name, digest in stage.new.items()) and all(
                    name in stage.old or scene.is_leftover(name) for name in set(now) - set(stage.new)):
                found = []
        if stage.scene.name.startswith(("to a pipe", "hash", "completions", "read")) and result.stdout != stage.output:
            found.append("exit 0 with other output")
        return found
    if result.returncode != 2:
        return [f"exit {result.returncode}: {error[-200:]!r}"]
    # When a directory cannot be synced, nothing more is renamed or removed in it.
    found = stage.problems(finished=False, crippled=always or function in ("unlink", "fsync"))
    is_hidden = stage.scene.main and not (stage.place / stage.scene.main).exists()
    if is_hidden and not found and "could not be renamed back" not in error:
        found.append(f"it is not told that old files are hidden: {error[:300]!r}")
    lines = [line for line in error.splitlines() if line]
    if len(lines) != 1 and not stage.scene.command.startswith("check"):  # which has a line for each tensor
        found.append(f"{len(lines)} lines: {error[:300]!r}")
    if kind != "short" and lines and os.strerror(int(kind)) not in lines[-1]:
        found.append(f"the cause is not told: {lines[-1][:200]!r}")
    names = {pathlib.Path(name).name for name in {*stage.old, *stage.new}} | {"standard output", "standard input"}
    if lines and not any(name in lines[-1] for name in names):
        found.append(f"no file is named: {lines[-1][:200]!r}")
    return found


def memory(stage, table, report, step=1):
    """Fails each allocation and each start of a thread: Swift ends the process, and the old files stay."""
    trace = stage.root / "trace"
    number, last = 0, 1
    while number < last:
        number += step
        trace.unlink(missing_ok=True)
        stage.set_up()
        result = stage.run(**preload(stage), FAULT_CLASS="memory", FAULT_TRACE=str(trace), FAULT=f"{number}:{E.ENOMEM}")
        lines = trace.read_text().splitlines()
        failed = [line.split()[1] for line in lines if line.endswith(" *")]
        last = max(last, len(lines))
        if not failed:
            continue
        table[failed[0], "ENOMEM"] += 1
        # Whether it ends by a signal or an error, or goes on, the files are the old or the new ones.
        found = stage.problems(finished=result.returncode == 0, killed=result.returncode != 0)
        report(stage, f"{failed[0]} ({number}) ENOMEM", found)
