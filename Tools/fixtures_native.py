"""Writes Fixtures/native/stock.ckz as another program would: from the specification, with stock zlib.

Every tensor is a range of whole numbers, so that a test knows its values; each has another filter, and
zlib's level 9 finds matches where this project's writer would not look for any.
"""
import hashlib
import json
import struct
import zlib

import numpy



def add(data, tensors, name, dtype, array, filter):
    value, chunks, first = array.tobytes(), [], 0
    for start in range(0, len(value), 1 << 20):
        part = value[start:start + (1 << 20)]
        if filter == "raw":
            data.extend(bytes(-len(data) % 64))
        else:
            width = int(filter[-1])
            words = numpy.frombuffer(part, "<u%d" % width)
            if filter.startswith("rotated"):
                words = words << words.dtype.type(1) | words >> words.dtype.type(8 * width - 1)
            planes = words.view("u1").reshape(-1, width).T
            part = zlib.compress(planes.tobytes(), 9)
        first = first or len(data)
        chunks.append([len(part), zlib.crc32(part)])
        data.extend(part)
    tensors.append({"name": name, "dtype": dtype, "shape": list(array.shape), "filter": filter,
                    "offset": first, "chunks": chunks, "sha256": hashlib.sha256(value).hexdigest()})


def native(folder):
    data, tensors = bytearray(b"\x89CKZ\r\n\x1a\n" + struct.pack("<II", 1, 0)), []
    add(data, tensors, "floats", "F32", numpy.arange(300_000, dtype="<f4").reshape(3, 100_000), "rotated-planes-4")
    add(data, tensors, "halves", "BF16", (numpy.arange(256, dtype="<f4").view("<u4") >> 16).astype("<u2"), "rotated-planes-2")
    add(data, tensors, "steps", "I64", numpy.array(7, dtype="<i8"), "planes-8")
    add(data, tensors, "e\u0301", "U8", numpy.arange(200, dtype="u1"), "raw")
    add(data, tensors, "\u00e9", "F64", numpy.arange(5, dtype="<f8"), "raw")
    add(data, tensors, "none", "F64", numpy.zeros((0, 3)), "planes-1")
    add(data, tensors, "pairs", "C64", numpy.arange(9, dtype="<c8"), "planes-8")
    tensors.append({"name": "tied", "alias": "floats"})
    text = json.dumps({"tensors": tensors, "modules": [], "metadata": {"by": "python \u00fc\n\x01"}},
                      sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    index = zlib.compress(text, 9)
    footer = struct.pack("<QQQ", len(data), len(index), len(text)) + hashlib.sha256(index).digest()
    (folder / "native/stock.ckz").write_bytes(bytes(data) + index + footer + b"CKZ-end\n")
