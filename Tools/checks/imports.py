#!/usr/bin/env python3
"""Refuses imports that a target does not declare and the reverse, Foundation, `unsafe` outside the listed files, and
files of more than 300 lines.

SwiftPM lets a target import a dependency of a dependency; the arrows of the architecture would
then be decoration. The targets and what they declare are read from Package.swift itself.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEM = {"Dispatch", "Glibc", "Synchronization", "Testing", "FoundationEssentials", "_StringProcessing"}
IMPORT = re.compile(
    r"^ {0,2}(?:@\w+ )*(?:public |package |internal |private |fileprivate )?"
    r"import (?:struct |func |enum |class |protocol |typealias |let |var )?(\w+)", re.M)
UNSAFE = re.compile(r"^(?!\s*//).*\bunsafe\b", re.M)
MAX_LINES = 300


def main():
    package = json.loads(subprocess.run(
        ["swift", "package", "dump-package"], cwd=ROOT, env=os.environ | {"CKPT_FUZZ": "1"}, check=True,
        capture_output=True).stdout)
    listed = (ROOT / "Tools/unsafe-files.txt").read_text().split()
    problems = [f"Tools/unsafe-files.txt: {name} does not exist" for name in listed if not (ROOT / name).exists()]
    folders = set()
    # Tests start them as programs.
    executables = {target["name"] for target in package["targets"] if target["type"] == "executable"}
    for target in package["targets"]:
        default = ("Tests/" if target["type"] == "test" else "Sources/") + target["name"]
        folder = ROOT / (target.get("path") or default)
        folders.add(folder)
        if target["type"] != "system":
            problems += check(target, folder, set(listed), executables)
    for parent in ("Sources", "Tests"):
        for folder in sorted((ROOT / parent).iterdir()):
            if folder.is_dir() and folder not in folders:
                problems.append(f"{folder.relative_to(ROOT)}: no target of Package.swift has this folder")
    print("\n".join(problems) or "imports and unsafe code: as declared")
    return bool(problems)


def check(target, folder, listed, executables):
    """The problems of one target."""
    declared = set()
    for dependency in target["dependencies"]:
        for kind in ("byName", "target", "product"):
            if kind in dependency:
                declared.add(dependency[kind][0])
    is_test = folder.is_relative_to(ROOT / "Tests")
    paths = sorted(folder.rglob("*.swift"))
    unused = declared - executables
    for path in paths:
        text = path.read_text()
        name = str(path.relative_to(ROOT))
        for module in IMPORT.findall(text):
            unused.discard(module)
            if module == "Foundation":
                yield f"{name}: imports Foundation; FoundationEssentials costs 44 MB less"
            elif module not in declared and module not in SYSTEM:
                yield f"{name}: imports {module}, which target {target['name']} does not declare"
        if is_test:
            continue
        lines = text.count("\n")
        if lines > MAX_LINES:
            yield f"{name}: {lines} lines, at most {MAX_LINES}; divide by noun"
        if UNSAFE.search(text) and name not in listed:
            yield f"{name}: uses unsafe code but is not in Tools/unsafe-files.txt"
        if not UNSAFE.search(text) and name in listed:
            yield f"{name}: is in Tools/unsafe-files.txt but uses no unsafe code"
    if paths:
        for module in sorted(unused):
            yield f"Package.swift: target {target['name']} declares {module} but does not import it"


if __name__ == "__main__":
    sys.exit(main())
