#!/usr/bin/env python3
"""Refuses imports that a target does not declare, Foundation, and `unsafe` outside the listed files.

SwiftPM lets a target import a dependency of a dependency; the arrows of the architecture would
then be decoration. The targets and what they declare are read from Package.swift itself.
"""
import json
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
package = json.loads(subprocess.run(
    ["swift", "package", "dump-package"], cwd=root, check=True, capture_output=True).stdout)
system = {"Glibc", "Synchronization", "Testing", "FoundationEssentials", "_StringProcessing"}
allowed_unsafe = set((root / "Tools/unsafe-files.txt").read_text().split())
problems = []
longest = []

for target in package["targets"]:
    if target["type"] == "system":
        continue
    declared = set()
    for dependency in target["dependencies"]:
        for kind in ("byName", "target", "product"):
            if kind in dependency:
                declared.add(dependency[kind][0])
    default = ("Tests/" if target["type"] == "test" else "Sources/") + target["name"]
    folder = root / (target.get("path") or default)
    is_test = folder.is_relative_to(root / "Tests")
    for path in sorted(folder.rglob("*.swift")):
        text = path.read_text()
        name = str(path.relative_to(root))
        for module in re.findall(r"^(?:@\w+ )*(?:public |package |internal )?import (?:struct |func |enum )?(\w+)", text, re.M):
            if module == "Foundation":
                problems.append(f"{name}: imports Foundation; FoundationEssentials costs 44 MB less")
            elif module not in declared and module not in system:
                problems.append(f"{name}: imports {module}, which target {target['name']} does not declare")
        lines = text.count("\n")
        if lines > 300 and not is_test:
            problems.append(f"{name}: {lines} lines, at most 300; divide by noun")
        uses = re.search(r"^(?!\s*//).*\bunsafe\b", text, re.M)
        if not is_test and uses and name not in allowed_unsafe:
            problems.append(f"{name}: uses unsafe code but is not in Tools/unsafe-files.txt")
        if not is_test and not uses and name in allowed_unsafe:
            problems.append(f"{name}: is in Tools/unsafe-files.txt but uses no unsafe code")

for name in allowed_unsafe:
    if not (root / name).exists():
        problems.append(f"Tools/unsafe-files.txt: {name} does not exist")
print("\n".join(problems) or "imports and unsafe code: as declared")
sys.exit(bool(problems))
