#!/usr/bin/env python3
"""Makes an uncompressed .ckz of a safetensors file: raw_ckz.py SOURCE TARGET."""
import hashlib
import json
import struct
import sys
import zlib

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    header = json.loads(source.read(struct.unpack("<Q", source.read(8))[0]))
    start, tensors = source.tell(), []
    target.write(b"\x89CKZ\r\n\x1a\n" + struct.pack("<II", 1, 0))
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        chunks, first, digest = [], 0, hashlib.sha256()
        source.seek(start + begin)
        for offset in range(begin, end, 1 << 20):
            chunk = source.read(min(1 << 20, end - offset))
            target.write(bytes(-target.tell() % 64))
            first = first or target.tell()
            target.write(chunk)
            chunks.append([len(chunk), zlib.crc32(chunk)])
            digest.update(chunk)
        tensors.append({"chunks": chunks, "dtype": entry["dtype"], "filter": "raw", "name": name, "offset": first,
                        "sha256": digest.hexdigest(), "shape": entry["shape"]})
    text = json.dumps({"metadata": {}, "modules": [], "tensors": tensors},
                      sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    packed = zlib.compress(text)
    target.write(packed + struct.pack(
        "<QQQ32s", target.tell(), len(packed), len(text), hashlib.sha256(packed).digest()) + b"CKZ-end\n")
