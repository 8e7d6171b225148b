"""Kills the process: at random moments, and before and in the middle of every call."""
import random
import signal
import subprocess
import time

import scene
import sweep


def at_every_call(stage, report):
    """Kills before each call, and in the middle of each write; returns how often."""
    count = 0
    for number, function in enumerate(sweep.clean(stage), 1):
        for what in ("kill", "half") if function in ("write", "pwrite", "copy_file_range") else ("kill",):
            stage.set_up()
            result = stage.run(**sweep.preload(stage), FAULT=f"{number}:{what}")
            count += 1
            if result.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL):
                report(stage, f"{what} at {function} ({number})", after(stage, count % 7 == 0))
    return count


def at_random(stage, count, report, seed=1, how=signal.SIGKILL):
    """Kills at uniformly random moments of the run; returns how many were hit before the end."""
    generator = random.Random(seed)
    start = time.monotonic()
    for _ in range(5):
        stage.set_up()
        stage.run()
    duration = (time.monotonic() - start) / 5
    hit = 0
    for trial in range(count):
        stage.set_up()
        process = subprocess.Popen(stage.arguments(), cwd=stage.place, env=stage.environment(), start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(generator.random() * duration)
        process.send_signal(how)
        _, error = process.communicate(timeout=60)
        hit += process.returncode != 0
        if how == signal.SIGKILL:
            found = after(stage, trial % 50 == 0)
        else:
            found = stage.problems(finished=process.returncode == 0)
            if process.returncode not in (0, 128 + how, -how):
                found.append(f"exit {process.returncode}: {error[-200:]!r}")
        report(stage, f"signal {int(how)} in run {trial}", found)
    return hit


def after(stage, repeats):
    """What is wrong after a kill; if wanted, the command is run again over what is left."""
    found = stage.problems(finished=False, killed=True)
    # Played over a result, a command may give another one: `pack` adds to it.
    now = scene.state(stage.place)
    is_done = now == stage.new or any(now.get(name) != digest for name, digest in stage.old.items())
    if found or not repeats or is_done or stage.scene.main and not (stage.place / stage.scene.main).exists():
        return found
    result = stage.run()
    # A command that refuses to replace finds the file that it has made itself.
    if result.returncode == 2 and b"exists; pass --force" in result.stderr:
        return [] if any(name in stage.new for name in set(stage.new) - set(stage.old)) else ["refused"]
    if result.returncode != 0:
        return [f"the next run fails: {result.stderr[-200:]!r}"]
    return stage.problems(finished=False, killed=True)
