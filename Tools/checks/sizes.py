#!/usr/bin/env python3
"""Refuses products and sums of sizes outside `Shape`, `CheckpointTotal`, and `Budget`, which check them.

A product of sizes from a file overflows although their total is 0, and views of one storage may add
up to any number. Found are reductions, wrapping arithmetic, products in which a factor is named like a
size, and sums in which a term is a size of a tensor. What is multiplied or added elsewhere is on the
list below, with the reason why it cannot overflow.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
checked = {"TensorCore/Shape.swift", "TensorCore/CheckpointTotal.swift", "TensorCore/Budget.swift"}
# What sizes are called; a factor that is a literal number is harmless beside a number of bytes.
size = (
    r"\b(?:\w*(?:[cC]ounts?|[sS]izes?|[sS]hape|[sS]trides?|[lL]ength|[wW]idth|[pP]roduct|[rR]ank|[bB]ytes"
    r"|[eE]lements|[rR]ows|[cC]olumns|[eE]xtent|[sS]pan|[iI]nputs|[oO]utputs|[fF]eatures|[cC]hannels))"
)
index = r"(?:\[[^\[\]]*\]|\([^()]*\))?"
factor = r"(?<![\w.])(?!\d)[\w.!]+" + index
tensor_size = r"(?:\.(?:elementCount|info\.byteCount)|\b(?:shape|sizes|strides)\[[^\[\]]*\])"
patterns = [
    re.compile(r"\.reduce\([^(){}]*,\s*&?[*+]\s*\)"),
    re.compile(r"\.reduce\([^{}]*\)\s*\{[^{}]*\$0\s*&?[*+][^{}]*\$1"),
    re.compile(r"ReportingOverflow\([^()]*(\([^()]*\))?[^()]*\)\.partialValue"),
    re.compile(r"\w\s&[*+]=?\s"),
    re.compile(size + index + r"\s\*=?\s\(*" + factor),
    re.compile(factor + r"\)*\s\*=?\s\(*(?:[\w.]+\.)?" + size + r"\b"),
    re.compile(tensor_size + r"\s\+\s(?!\d)"),
    re.compile(r"(?<!\.\.<)\b\w+\s\+=?\s[\w.]*" + tensor_size),
]
# Positions in one tensor, piece, or block of memory, whose bytes `Shape` has checked to be below 2^62.
inside = [
    "ByteIO/ChunkFilters/", "ByteIO/PlaneCodec/", "CheckpointFormats/Filling/Entry+ByteOrder.swift",
    "CheckpointFormats/HDF5/HDF5ChunkGrid.swift", "HDF5/HDF5Bits.swift",
    "CheckpointFormats/PyTorch/DistributedFilling.swift", "CheckpointFormats/BoxedTensor.swift", "CheckpointFormats/PyTorch/PyTorchStorage.swift",
    "CheckpointKit/KerasLayout/", "CheckpointKit/Quantization/", "CheckpointKit/SeedSearch.swift",
    "CheckpointKit/CheckpointDiff+Comparing.swift", "CheckpointKit/CheckpointDiff+Transposed.swift",
    "CheckpointKit/ElementLoops.swift", "CheckpointKit/TensorDifference+Measuring.swift", "CheckpointKit/TensorSlice.swift", "HDF5/HDF5Blocks.swift",
    "HDF5/Reading/HDF5ChunkMap.swift", "HDF5/Reading/HDF5Runs.swift",
    "CheckpointFormats/HDF5/HDF5VirtualReader.swift", "CheckpointFormats/HDF5/Filters/", "CheckpointFormats/Native/Filters/", "ModuleTree/Derived/", "ModuleTree/Description/ModelDescriptionReader+Draws.swift",
    "ModuleTree/Initializers/", "ModuleTree/TensorPart.swift", "ModuleTree/TensorValues.swift", "ParallelWork/Piece.swift", "ParallelWork/TensorCast.swift", "Strided/",
    "TensorCore/Elements/", "TensorCore/RawSpan+Bytes.swift", "TensorCore/TensorInfo.swift", "TorchRandom/",
]
# File and a part of the line: why it cannot overflow, or is meant to.
position = "a position in a tensor"
exceptions = [(name, part, position) for name in inside for part in [" * ", " *= ", "shape[", "sizes["]] + [
    ("ByteIO/ReedSolomon.swift", "count * columns", "factors in memory"),
    ("CheckpointFormats/Native/Parity/", "*", "places below 2^61: what a shard states is bounded when it is read"),
    ("ByteIO/PlaneCodec/BlockHeader.swift", "tokens.reduce", "bits of a header of 300 symbols"),
    ("ByteIO/PlaneCodec/HuffmanCode.swift", "zip(lengths, counts)", "bits of one chunk"),
    ("ByteIO/RemoteFile.swift", "/ Self.blockSize * Self.blockSize", "an offset in the file, rounded down"),
    ("ByteIO/WebRequest.swift", "size * count", "bytes in memory that libcurl hands over"),
    ("ByteIO/Zip/ZipInflation.swift", "lockSize", "an offset in the member, rounded down, or a constant"),
    ("CheckpointFormats/HDF5/Filters/ScaleOffset.swift", " &+ ", "a difference that wraps by definition"),
    ("CheckpointFormats/Native/Filters/", ".reduce", "parts, counts, and sums of one chunk"),
    ("CheckpointFormats/Native/Filters/NativeSurvey.swift", " &* ", "a hash"),
    ("CheckpointFormats/Native/NativeFile+Chunks.swift", "stored.chunks", "lie in the file, one after another"),
    ("CheckpointFormats/Native/NativeFormat.swift", "* chunkSize", "a position in a tensor"),
    ("CheckpointFormats/NumPy/NPZFormat.swift", "header.count +", "a header in memory and a tensor below 2^62"),
    ("CheckpointFormats/PyTorch/PickleMachine.swift", "elements.count", "values in memory"),
    ("CheckpointFormats/Safetensors/SafetensorsWriting.swift", "start +", "tensors whose total is below 2^62"),
    ("CheckpointKit/Report/SummaryCollector.swift", "preferredReadSize / width", "a read size, rounded down"),
    ("CheckpointKit/Report/TensorSummary.swift", "block.bytes * dtype.block.elements", "elements of bytes in memory"),
    ("CheckpointKit/Report/ValueHistogram.swift", "Double(first) * width", "floating-point numbers"),
    ("CheckpointKit/SeedSearch.swift", "expectedHits", "floating-point numbers"),
    ("HDF5/Reading/HDF5VirtualLayout.swift", "rank * width", "at most 32 times 8"),
    ("HDF5/Reading/MATLABArray.swift", "type.size", "at most 32 times 8"),
    ("HDF5/HDF5FileWriter.swift", "links.reduce", "lengths of texts in memory"),
    ("HDF5/Reading/HDF5Checksum.swift", "&", "a sum that wraps by definition"),
    ("HDF5/Reading/HDF5FractalHeap.swift", "row * tableWidth", "an index of a table that was read"),
    ("HDF5/Reading/HDF5FractalHeap.swift", "column * blockSize", "an offset in the heap, rounded down"),
    ("HDF5/Reading/HDF5Metadata.swift", "/ Self.windowSize * Self.windowSize", "an offset in the file, rounded down"),
    ("ModuleTree/Derived/", ".reduce", "floating-point numbers"),
    ("ModuleTree/InferredModel.swift", "count *= module.count", "below limit before, by a few classes"),
    ("ModuleTree/Initializers/Dirac.swift", ".reduce", "an index within the tensor"),
    ("ModuleTree/Initializers/TruncatedNormal.swift", ".reduce", "floating-point numbers"),
    ("ModuleTree/Initializers/Matrix.swift", ".reduce", "floating-point numbers"),
    ("ParallelWork/SharedRun.swift", "* ranks < 2 * total * rank", "bytes of pieces that are read at once"),
    ("Ranks/MPITransport.swift", "bytes.count * size", "a header from each rank"),
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
    # Code in strings counts, other text in them does not.
    text = re.sub(r'"(?:[^"\\\n]|\\[^(\n])*"', '""', text)
    for pattern in patterns:
        for found in pattern.finditer(text):
            start = text.rfind("\n", 0, found.start()) + 1
            line = text[start:found.end()]
            number = text.count("\n", 0, found.start()) + 1
            known = [
                (f, part) for f, part, reason in exceptions
                if name.startswith(f) and part in line and (reason != position or pattern in patterns[4:])
            ]
            if known:
                used.update(known)
            else:
                problems.append(f"Sources/{name}:{number}: {' '.join(line.split())}")
files = {f for f, _ in used}
problems += [
    f"no longer needed: {f}, {part}" for f, part, _ in exceptions
    if ((f, part) not in used if f not in inside else f not in files)
]
if problems:
    print("unchecked products or sums of sizes; use Shape, CheckpointTotal, or saturatedSum():")
    print("\n".join(problems))
    sys.exit(1)
