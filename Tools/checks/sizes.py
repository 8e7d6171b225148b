#!/usr/bin/env python3
"""Refuses products and sums of sizes outside `Shape` and `CheckpointTotal`, which check them.

A product of sizes from a file overflows although their total is 0, and views of one storage may add
up to any number. What is multiplied or added elsewhere is on the list below, with the reason why it
cannot overflow.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
checked = {"TensorCore/Shape.swift", "TensorCore/CheckpointTotal.swift"}
patterns = [
    re.compile(r"\.reduce\([^(){}]*,\s*&?[*+]\s*\)"),
    re.compile(r"\.reduce\([^{}]*\)\s*\{[^{}]*\$0\s*&?[*+][^{}]*\$1"),
    re.compile(r"ReportingOverflow\([^()]*(\([^()]*\))?[^()]*\)\.partialValue"),
    re.compile(r"\w\s&[*+]=?\s"),
]
# File and a part of the line: why it cannot overflow, or is meant to.
exceptions = [
    ("ByteIO/PlaneCodec/BlockHeader.swift", "tokens.reduce", "bits of a header of 300 symbols"),
    ("ByteIO/PlaneCodec/HuffmanCode.swift", "zip(lengths, counts)", "bits of one chunk"),
    ("ByteIO/PlaneCodec/PlanePacking.swift", "counts.reduce", "a weight for each of 256 bytes"),
    ("CheckpointFormats/Native/NativeFile+Chunks.swift", "stored.chunks", "lie in the file, one after another"),
    ("CheckpointKit/SeedSearch.swift", "expectedHits", "floating-point numbers"),
    ("HDF5/HDF5FileWriter.swift", "links.reduce", "lengths of texts in memory"),
    ("HDF5/Reading/HDF5Checksum.swift", "&", "a sum that wraps by definition"),
    ("ModuleTree/Derived/", ".reduce", "floating-point numbers"),
    ("ModuleTree/InferredModel.swift", "counts.reduce", "numbers of modules in memory"),
    ("ModuleTree/Initializers/Dirac.swift", ".reduce", "an index within the tensor"),
    ("ModuleTree/Initializers/TruncatedNormal.swift", ".reduce", "floating-point numbers"),
    ("ModuleTree/Initializers/Matrix.swift", ".reduce", "floating-point numbers"),
    ("ParallelWork/PieceBuffer.swift", "pieces.reduce", "sizes of pieces in memory"),
    ("Strided/", "axes.reduce", "a reach that was checked, or one of blocks in memory"),
    ("TensorCore/Elements/ElementConversion.swift", "&+", "rounds bits of one element"),
    ("TorchRandom/", "&", "a generator's arithmetic modulo 2^32 or 2^64"),
]
problems = []
used = set()
for path in sorted((root / "Sources").rglob("*.swift")):
    name = str(path.relative_to(root / "Sources"))
    if name in checked:
        continue
    text = re.sub(r"//[^\n]*", "", path.read_text())
    for pattern in patterns:
        for found in pattern.finditer(text):
            start = text.rfind("\n", 0, found.start()) + 1
            line = text[start:found.end()]
            number = text.count("\n", 0, found.start()) + 1
            known = next(((f, part) for f, part, _ in exceptions if name.startswith(f) and part in line), None)
            if known:
                used.add(known)
            else:
                problems.append(f"Sources/{name}:{number}: {' '.join(line.split())}")
problems += [f"no longer needed: {f}, {part}" for f, part, _ in exceptions if (f, part) not in used]
if problems:
    print("unchecked products or sums of sizes; use Shape, CheckpointTotal, or saturatedSum():")
    print("\n".join(problems))
    sys.exit(1)
