#!/usr/bin/env python3
"""Refuses a `default:` in a switch on an element type: what depends on one asks `DType.element`.

A switch counts as one on an element type if it names a case that only `DType` has. Patterns that take
everything (`case _:`) are a default as well.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
table = (root / "Sources/TensorCore/Elements/DType.swift").read_text()
names = set(re.findall(r"^  case (\w+) = ", table, re.M)) - {"bool"}
if len(names) < 40:
    sys.exit("Tools/checks/dtypes.py: the cases of DType were not found")
problems = []


def body(text, start):
    """The text between the brace at `start` and its partner, and what is nested in it left out."""
    depth, flat = 0, []
    for index in range(start, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return "".join(flat)
        elif depth == 1:
            flat.append(text[index])
    return "".join(flat)


for path in sorted((root / "Sources").rglob("*.swift")):
    text = re.sub(r"//[^\n]*", "", path.read_text())
    for found in re.finditer(r"\bswitch\b([^{\n]*)\{", text):
        cases = body(text, found.end() - 1)
        patterns = re.findall(r"^\s*case ([^\n]*(?:,\n[^\n]*)*?):", cases, re.M)
        used = {name for pattern in patterns for name in re.findall(r"\.(\w+)", pattern)}
        is_dtype = used & names or re.search(r"\bdtype\b(?!\.(element|byteWidth|block))", found[1], re.I)
        if is_dtype and re.search(r"^\s*(default|case _( where [^\n]*)?):", cases, re.M):
            line = text.count("\n", 0, found.start()) + 1
            problems.append(f"{path.relative_to(root)}:{line}: default in a switch on an element type")

print("\n".join(problems) or "element types: no default in a switch")
sys.exit(bool(problems))
