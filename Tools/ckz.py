#!/usr/bin/env python3
"""Reads .ckz files (version 1) with nothing but zlib, json, struct and numpy.

Written from the specification alone (Sources/CheckpointKit/CheckpointKit.docc/NativeFormat.md), so
that the format does not depend on the program that introduced it.

    arrays = ckz.read("model.ckz")      name -> numpy array; bfloat16 and float8 as uint16 and uint8
    ckz.read("run.ckz", step=3)         a step of a pack; ckz.read("run.ckz", -1) the last one
    ckz.read("patch.ckz", base=arrays)  what a patch makes of its base
    python3 ckz.py model.ckz [STEP]     a line for each tensor: name dtype shape blake3

Every byte is verified, parity too; what is not as specified raises ValueError. The package blake3, if installed, is used, for speed.
"""
import json
import math
import re
import struct
import sys
import zlib

import numpy

try:
    import blake3
except ImportError:
    blake3 = None

CHUNK, ALIGNMENT = 1 << 20, 64
TYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "F8_E5M2": "u1", "F8_E4M3": "u1", "F8_E8M0": "u1", "F8_E4M3FNUZ": "u1", "F8_E5M2FNUZ": "u1",
    "I16": "<i2", "U16": "<u2", "F16": "<f2", "BF16": "<u2", "I32": "<i4", "U32": "<u4", "F32": "<f4", "C64": "<c8", "F64": "<f8",
    "I64": "<i8", "U64": "<u8", "C128": "<c16"}
BLOCKS = {  # types without bytes for each element: elements and bytes of a block
    "F4": (2, 1), "F6_E2M3": (4, 3), "F6_E3M2": (4, 3), "Q4_0": (32, 18), "Q4_1": (32, 20), "Q5_0": (32, 22), "Q5_1": (32, 24),
    "Q8_0": (32, 34), "Q8_1": (32, 40), "Q2_K": (256, 84), "Q3_K": (256, 110), "Q4_K": (256, 144), "Q5_K": (256, 176),
    "Q6_K": (256, 210), "Q8_K": (256, 292), "IQ2_XXS": (256, 66), "IQ2_XS": (256, 74), "IQ3_XXS": (256, 98),
    "IQ1_S": (256, 50), "IQ4_NL": (32, 18), "IQ3_S": (256, 110), "IQ2_S": (256, 82),
    "IQ4_XS": (256, 136), "IQ1_M": (256, 56), "TQ1_0": (256, 54), "TQ2_0": (256, 66), "MXFP4": (32, 17), "NVFP4": (64, 36),
    "Q1_0": (128, 18)}


def require(condition, what):
    if not condition:
        raise ValueError(what)


def inflate(stream, limit):
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(stream, limit + 1)
    except zlib.error as error:
        raise ValueError("a damaged zlib stream: %s" % error) from None
    require(unpacker.eof and len(data) <= limit and not unpacker.unused_data, "zlib stream of another size")
    return data


def no_twins(pairs):
    require(len(dict(pairs)) == len(pairs), "a key occurs twice in the index")
    return dict(pairs)


# BLAKE3 (O'Connor and others, 2020, chapter 2), on numbers or on arrays of them.
MASK = 0xFFFFFFFF
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
START, END, PARENT, ROOT, LEAF = 1, 2, 4, 8, 1024


def compress(cv, message, counter, length, flags):
    v = [*cv, *IV[:4], *counter, length, flags]
    for _ in range(7):
        for (a, b, c, d), x, y in zip(QUARTERS, message[::2], message[1::2]):
            for word, first, second in (x, 16, 12), (y, 8, 7):
                v[a] = v[a] + v[b] + word & MASK
                turned = v[d] ^ v[a]
                v[d] = (turned >> first | turned << 32 - first) & MASK
                v[c] = v[c] + v[d] & MASK
                turned = v[b] ^ v[c]
                v[b] = (turned >> second | turned << 32 - second) & MASK
        message = [message[i] for i in ORDER]
    return [a ^ b for a, b in zip(v[:8], v[8:])]


def leaf_value(data, number, root):
    cv, blocks = IV, range(0, len(data), 64) or [0]
    for start in blocks:
        block = data[start:start + 64]
        flags = (START if start == 0 else 0) | (END | root if start == blocks[-1] else 0)
        cv = compress(cv, struct.unpack("<16I", block.ljust(64, b"\0")), (number & MASK, number >> 32), len(block), flags)
    return struct.pack("<8I", *cv)


def leaf_values(data, first):
    """Those of whole leaves, all at once."""
    words = numpy.frombuffer(data, "<u4").reshape(-1, 16, 16)
    numbers = numpy.arange(first, first + len(words), dtype="u8")
    counter = ((numbers & numpy.uint64(MASK)).astype("u4"), (numbers >> numpy.uint64(32)).astype("u4"))
    cv = [numpy.full(len(words), word, "u4") for word in IV]
    for block in range(16):
        flags = (START if block == 0 else 0) | (END if block == 15 else 0)
        cv = compress(cv, [words[:, block, i] for i in range(16)], counter, 64, flags)
    return numpy.stack(cv, axis=1).astype("<u4").tobytes()


def merge(values, root=0):
    """The value of neighboring subtrees of 32 bytes each, the left ones complete and as large as can be."""
    while len(values) > 64:
        pairs = numpy.frombuffer(values, "<u4", len(values) // 64 * 16).reshape(-1, 16)
        ivs = [numpy.full(len(pairs), word, "u4") for word in IV]
        cv = compress(ivs, [pairs[:, i] for i in range(16)], (0, 0), 64, PARENT)
        values = numpy.stack(cv, axis=1).astype("<u4").tobytes() + values[len(values) // 64 * 64:]
    if len(values) == 32:
        return values
    return struct.pack("<8I", *compress(IV, struct.unpack("<16I", values), (0, 0), 64, PARENT | root))


def chunk_value(data, number, root=0):
    """The chaining value of a chunk, or with the root flag the digest of the only one."""
    if blake3 and root:
        return blake3.blake3(data).digest()
    first, whole = number * (CHUNK // LEAF), (len(data) - 1) // LEAF if data else 0
    last = leaf_value(data[whole * LEAF:], first + whole, 0 if whole else root)
    return merge(leaf_values(data[:whole * LEAF], first) + last, root) if whole else last


# A filter's name: steps, of which a reader undoes the last one first. Words are of `width` bytes.
FILTER = re.compile(
    r"(?P<delta>delta\+)?(?P<narrow>(f32\+)?(f16\+|bf16\+)?)((?P<whole>palette|differences)|(?P<sparse>sparse\+)?"
    r"(levels-(?P<columns>[1-9][0-9]{0,4})\+)?(?P<layout>planes|rotated-planes|bits))-(?P<width>[1-9][0-9]{0,2})(?P<ans>\+ans)?")
WIDE = {"f32": 8, "f16": 4, "bf16": 4}  # bytes of a word before it is narrowed to half of them
TURNS = {2: 1, 4: 1, 8: 5}  # by how many bits words are rotated left


class Parts:
    """The inflated content of a chunk, taken part by part."""

    def __init__(self, content):
        self.left = numpy.frombuffer(content, "u1")

    def take(self, size):
        require(len(self.left) >= size, "the content of a chunk is too short")
        part, self.left = self.left[:size], self.left[size:]
        return part

    def bits(self, count):
        bits = numpy.unpackbits(self.take((count + 7) // 8), bitorder="little")
        require(not bits[count:].any(), "unused bits are not 0")
        return bits[:count]

    def words(self, count, width):
        return self.take(count * width).copy().view("<u%d" % width)

    def planes(self, count, width):
        return join(self.take(count * width), width)


def ranged(stream, limit):
    """What a stream of asymmetric numeral systems holds: blocks of bytes as they are, of coded ones, and of equal ones."""
    content, left = bytearray(), Parts(stream)
    while len(left.left):
        size, kind = divmod(int(left.words(1, 4)[0]), 4)
        require(kind < 3 and size <= limit - len(content), "an ans stream of another size")
        if kind != 1:
            content += left.take(size if kind == 0 else 1).tobytes() * (1 if kind == 0 else size)
            continue
        parts = []
        while sum(parts) < 4096:
            first = int(left.take(1)[0])
            second = 0 if 0 < first < 128 else int(left.take(1)[0])
            parts += [0] * (second + 1) if first == 0 else [first if first < 128 else (first & 127) << 8 | second]
            require(len(parts) <= 256 and (first < 128 or parts[-1] > 127) and parts[-1] < 4096, "bad frequencies")
        require(sum(parts) == 4096, "frequencies that are not 4096 in all")
        parts, symbols = numpy.array(parts, "u8"), numpy.repeat(numpy.arange(len(parts)), parts)
        starts, states = numpy.cumsum(parts) - parts, left.words(64, 4).astype("u8")
        require((states >= 65536).all(), "a state that is too small")
        for start in range(0, size, 64):
            some = states[:size - start]
            low, found = some & 4095, symbols[some & 4095]
            some[:] = parts[found] * (some >> 12) + low - starts[found]
            short = some < 65536
            some[short] = some[short] << 16 | left.words(int(short.sum()), 2)
            content += found.astype("u1").tobytes()
        require((states == 65536).all(), "an ans block that does not end where it began")
    return bytes(content)


def join(planes, width):
    return numpy.ascontiguousarray(planes.reshape(width, -1).T).reshape(-1).view("<u%d" % width)


def blocks(parts, size, width):
    """Planes of blocks; what is left after the last whole block follows unchanged."""
    whole = size // width * width
    return numpy.concatenate([parts.take(whole).reshape(width, -1).T.reshape(-1), parts.take(size - whole)])


def bit_planes(parts, count, width):
    """Words whose lower bytes are eight planes of bits each."""
    low = [numpy.packbits(numpy.stack([parts.bits(count) for _ in range(8)], axis=1), axis=1, bitorder="little")
           for _ in range(width // 2)]
    return join(numpy.concatenate([*low, parts.take(count * width // 2)], axis=None), width)


def palette(parts, count, width):
    table = differences(parts, int(parts.take(1)[0]) + 1, width)
    require((table[1:] > table[:-1]).all(), "the words of a palette do not ascend")
    size = next(size for size in (1, 2, 4, 8) if len(table) <= 1 << size)
    places = numpy.packbits(parts.bits(count * size).reshape(count, size), axis=1, bitorder="little").reshape(-1)
    require((places < len(table)).all(), "an index beyond the palette")
    return table[places]


def differences(parts, count, width):
    return numpy.cumsum(parts.planes(count, width), dtype="<u%d" % width)


def levels(parts, count, width, columns):
    """What is to be added to each of `count` words."""
    require(4 <= columns <= 65536, "levels of %d columns" % columns)
    rows = parts.planes(-(-count // columns), 2)
    return (numpy.repeat(rows, columns)[:count] + numpy.resize(parts.planes(columns, 2), count)
            ).astype("<u%d" % width) << (8 * width - 16)


def widened(words, kind):
    if kind == "bf16":
        return words.astype("<u4") << 16
    return words.view("<f4" if kind == "f32" else "<f2").astype("<f8" if kind == "f32" else "<f4")


def floats(parts, count, width, steps):
    """Words of steps `sparse`, `levels`, and a layout."""
    mask = numpy.ones(count, bool)
    if steps["sparse"]:
        mask = parts.bits(count).astype(bool)
        signs = parts.bits(count - int(mask.sum()))
    added = levels(parts, count, width, int(steps["columns"]))[mask] if steps["columns"] else None
    words = (bit_planes if steps["layout"] == "bits" else Parts.planes)(parts, int(mask.sum()), width)
    if added is not None:
        words = words + added
    if steps["layout"] != "planes":
        words = words >> words.dtype.type(TURNS[width]) | words << words.dtype.type(8 * width - TURNS[width])
    if steps["sparse"]:
        dense, words = words, numpy.zeros(count, words.dtype)
        words[mask] = dense
        words[~mask] = signs.astype(words.dtype) << words.dtype.type(8 * width - 1)
    return words


def added(differences, base):
    """Words that are differences from those of the base, 0, -1, 1, -2 … stored as 0, 1, 2, 3 …"""
    half = differences >> differences.dtype.type(1)
    return base.view(differences.dtype) + numpy.where(differences & differences.dtype.type(1), ~half, half)


def unfiltered(name, content, size, itemsize, base):
    """The `size` bytes of a chunk from its inflated content."""
    steps = FILTER.fullmatch(name)
    require(steps, "unknown filter " + name)
    width, layout, narrow = int(steps["width"]), steps["whole"] or steps["layout"], steps["narrow"].split("+")[:-1]
    for kind in narrow:
        require(itemsize % WIDE[kind] == 0, "filter %s does not fit elements of %d bytes" % (name, itemsize))
        size, itemsize = size // 2, WIDE[kind] // 2
    widths = {"palette": (1, 2, 4, 8), "differences": (1, 2, 4, 8), "rotated-planes": (2, 4, 8), "bits": (2, 4, 8)}
    require(width in widths.get(layout, range(1, 513)) and (not steps["sparse"] or width in (2, 4, 8))
            and (not steps["columns"] or width in (2, 4) and layout != "planes")
            and (not steps["delta"] or not narrow and not steps["columns"] and layout != "rotated-planes"
                 and width in (1, 2, 4, 8)), "unknown filter " + name)
    require(itemsize % width == 0, "filter %s does not fit elements of %d bytes" % (name, itemsize))
    parts, count = Parts(content), size // width
    if steps["whole"]:
        words = (palette if layout == "palette" else differences)(parts, count, width)
    elif width not in (1, 2, 4, 8):
        words = blocks(parts, size, width)
    else:
        words = floats(parts, count, width, steps)
    require(not len(parts.left), "the content of a chunk is too long")
    for kind in reversed(narrow):
        words = widened(words, kind)
    if steps["delta"]:
        words = added(words.reshape(-1), base)
    return words.tobytes()


def unfilter(name, stored, size, itemsize, base):
    """The `size` bytes of a chunk from what is stored, and from those of its base."""
    if name == "raw":
        require(len(stored) == size, "raw chunk of another size")
        return stored
    if name == "base" or name.startswith("delta+"):
        require(base is not None and len(base) == size, "filter %s without a base of its size" % name)
        base = numpy.frombuffer(base, "u1")
    if name == "base":
        require(not stored, "a chunk of the base has bytes of its own")
        return base.tobytes()
    content = (ranged if name.endswith("+ans") else inflate)(stored, 2 * size + (1 << 18))
    return unfiltered(name, content, size, itemsize, base)


def digest_of(data):
    if len(data) <= CHUNK or blake3:
        return chunk_value(data, 0, ROOT)
    return merge(b"".join(chunk_value(data[start:start + CHUNK], start // CHUNK)
                          for start in range(0, len(data), CHUNK)), ROOT)


def footer_of(data, end):
    """Where an index is that a footer ending at byte `end` names, and its JSON."""
    require(end >= 80 and data[end - 8:end] == b"CKZ-end\n", "no footer: cut short or never finished")
    start, stored, size, digest = struct.unpack("<QQQ32s", data[end - 64:end - 8])
    require(start >= 16 and start + stored + 64 == end, "the index is not where it must be")
    return start, parsed(data[start:start + stored], size, digest)


def parsed(stored, size, digest):
    require(size <= min(1 << 32, (1 << 20) + 64 * len(stored)), "the index is too large")
    require(digest_of(stored) == digest, "the index is damaged")
    text = inflate(stored, size)
    require(len(text) == size, "an index of another size")
    text = text.decode("utf-8")
    index = json.loads(text, object_pairs_hook=no_twins)
    values = index.pop("values", None)
    plain = json.dumps(index, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if values is not None:  # whose keys keep their order
        plain = plain[:-1] + ',"values":' + json.dumps(values, separators=(",", ":"), ensure_ascii=False) + "}"
    require(plain == text, "the index is not in canonical form")
    return index


def indexes_of(data):
    """The indexes of all steps of a pack, or of the one checkpoint: (index, start of chunks, their end)."""
    require(data[:8] == b"\x89CKZ\r\n\x1a\n" and len(data) >= 80, "not a .ckz file, or cut short")
    version, flags = struct.unpack("<II", data[8:16])
    require(version == 1 and flags < 2, "another version or unknown flags")
    if not flags:
        start, index = footer_of(data, len(data))
        return [(index, 16, start)]
    end, tries = len(data), 0
    while True:  # what an unfinished program left after the last footer does not count
        try:
            start, pack = footer_of(data, end)
            break
        except ValueError:
            first, stored = struct.unpack("<QQ", data[-64:-48])
            if data.endswith(b"CKZ-end\n") or first + stored + 64 == len(data):  # finished once
                raise
            end, tries = data.rfind(b"CKZ-end\n", 0, end - 1) + 8, tries + 1
            if end < 80 or tries > 16:
                raise
    found, before = [], 16
    require(sorted(pack) == ["steps"] and pack["steps"], "a pack without steps")
    for step in pack["steps"]:
        require(sorted(step) == ["blake3", "content", "format", "name", "offset", "size", "start"], "unknown keys in a step")
        require(before <= step["start"] <= step["offset"], "steps overlap")
        before = step["offset"] + step["size"]
        stored = data[step["offset"]:before]
        found.append((parsed(stored, step["content"], bytes.fromhex(step["blake3"])), step["start"], step["offset"]))
    require(before <= start, "steps reach into the index")
    return found


class Steps:
    """The tensors of a step by digest, each step read when another one refers to it."""

    def __init__(self, data, base=None):
        self.data, self.indexes, self.known, self.links = data, indexes_of(data), {}, {}
        self.base = {digest_of(numpy.asarray(array).tobytes()).hex(): numpy.asarray(array).tobytes()
                     for array in (base or {}).values()}

    def find(self, entry, digest, before):
        """The bytes to which an entry refers: of an earlier step, or of the base."""
        step = entry.get("step")
        if step is None:
            require(digest in self.base, "%s needs a base that is not given" % entry["name"])
            return self.base[digest]
        require(type(step) is int and 0 <= step < before, "%s refers to step %s" % (entry["name"], step))
        if step not in self.known:
            self.known[step] = {tensor[3]: tensor[4] for tensor in self.tensors(step)}
        require(digest in self.known[step], "%s refers to what step %d has not" % (entry["name"], step))
        links = 1 + self.links.get((step, digest), 0)
        require(links <= 64, "%s is a difference of more than 64 others" % entry["name"])
        self.links[before, entry["blake3"]] = max(links, self.links.get((before, entry["blake3"]), 0))
        return self.known[step][digest]

    def tensors(self, step):
        """Yields (name, dtype, shape, blake3, bytes) in the file's order; aliases have their original's."""
        index, start, end = self.indexes[step]
        is_pack = struct.unpack("<I", self.data[12:16]) == (1,)
        yield from tensors_of(self.data, index, start, end, lambda entry, digest: self.find(entry, digest, step), is_pack)


def size_of(entry):
    """Number of elements, or of blocks of them, and bytes of one."""
    name = entry["name"]
    require(entry["dtype"] in TYPES or entry["dtype"] in BLOCKS, "unknown dtype " + entry["dtype"])
    require(all(type(n) is int and n >= 0 for n in entry["shape"]), "bad shape of " + name)
    block, itemsize = BLOCKS.get(entry["dtype"]) or (1, numpy.dtype(TYPES[entry["dtype"]]).itemsize)
    count = math.prod(entry["shape"])
    require(count % block == 0, "part of a block in " + name)
    return count // block, itemsize


def tensors_of(data, index, start, end, find, is_pack):
    is_patch = "base" in index
    index.setdefault("records", [])
    known = sorted(set(index) - {"base"}) == ["metadata", "modules", "records", "tensors"]
    require(known and not (is_pack and is_patch), "unknown keys in the index")
    reference = {"step"} if is_pack else set()
    position, seen, originals, placed = start, set(), {}, {}
    for entry in index["tensors"]:
        name = entry["name"]
        require(name not in seen, "two tensors are called " + name)
        seen.add(name)
        if "alias" in entry:
            require(sorted(entry) == ["alias", "name"], "unknown keys in " + name)
            require(entry["alias"] in originals, "%s is an alias of nothing before it" % name)
            yield (name, *originals[entry["alias"]])
            continue
        if (is_pack or is_patch) and "chunks" not in entry:
            require(set(entry) == {"blake3", "dtype", "name", "shape"} | reference, "unknown keys in " + name)
            (count, itemsize), value = size_of(entry), find(entry, entry["blake3"])
            require(len(value) == count * itemsize, "%s refers to bytes of another size" % name)
            originals[name] = (entry["dtype"], entry["shape"], entry["blake3"], value)
            yield (name, *originals[name])
            continue
        values, original = entry.pop("cvs", ""), None
        key_base = (entry.get("base"), entry.get("step"))
        if "base" in entry:
            require((is_pack or is_patch) and not reference - set(entry), "%s names a base, or no step of it" % name)
            original = find(entry, entry.pop("base"))
            entry.pop("step", None)
        require(sorted(entry) == ["blake3", "chunks", "dtype", "filter", "name", "offset", "shape"], "unknown keys in " + name)
        values = bytes.fromhex(values) if len(entry["chunks"]) > 1 else values.encode()
        require(len(values) == (32 * len(entry["chunks"]) if len(entry["chunks"]) > 1 else 0), "cvs and chunks of %s disagree" % name)
        require(not values or merge(values, ROOT).hex() == entry["blake3"], "cvs of %s do not merge" % name)
        count, itemsize = size_of(entry)
        require(original is None or len(original) == count * itemsize, "%s has a base of another size" % name)
        key = (entry["blake3"], entry["filter"], count * itemsize, entry["chunks"], key_base)
        if entry["offset"] in placed:
            require(placed[entry["offset"]][0] == key, "%s shares chunks of other content" % name)
            originals[name] = (entry["dtype"], entry["shape"], entry["blake3"], placed[entry["offset"]][1])
            yield (name, *originals[name])
            continue
        left, parts, first = count * itemsize, [], 0
        for number, (length, crc, *own) in enumerate(entry["chunks"]):
            require(len(own) < 2 and entry["filter"] not in own, "%s: chunk %d has a wrong filter" % (name, number))
            filter_name = own[0] if own else entry["filter"]
            if filter_name == "raw":
                padding = -position % ALIGNMENT
                require(not any(data[position:position + padding]), "padding before %s is not zero" % name)
                position += padding
            first = first or position
            stored, position = data[position:position + length], position + length
            require(position <= end, "%s reaches into the index" % name)
            require(zlib.crc32(stored) == crc, "%s: chunk %d is damaged" % (name, number))
            base = original and original[number * CHUNK:number * CHUNK + min(left, CHUNK)]
            parts.append(unfilter(filter_name, stored, min(left, CHUNK), itemsize, base))
            left -= len(parts[-1])
            if values:
                require(chunk_value(parts[-1], number) == values[32 * number:32 * number + 32],
                        "%s: chunk %d has another chaining value" % (name, number))
        require(left == 0 and first == entry["offset"], "%s: chunks and shape disagree" % name)
        value = b"".join(parts)
        require(values or chunk_value(value, 0, ROOT).hex() == entry["blake3"], "%s: another BLAKE3" % name)
        originals[name] = (entry["dtype"], entry["shape"], entry["blake3"], value)
        if entry["chunks"]:
            placed[first] = (key, value)
        yield (name, *originals[name])
    for kind, length, crc in index["records"]:
        require(zlib.crc32(data[position:position + length]) == crc, "record %s is damaged" % kind)
        if kind == "parity":
            verify_parity(data, position, length)
        position += length
    require(position == end, "bytes between the last chunk and the index")


def products():
    """For each factor of GF(2^8) its products with all bytes, and for each byte its inverse."""
    powers = [1]  # of x + 1, which generates all
    for _ in range(254):
        powers.append(powers[-1] ^ powers[-1] << 1 ^ (0x11B if powers[-1] & 0x80 else 0))
    logs = {power: log for log, power in enumerate(powers)}
    table = [[powers[(logs[a] + logs[b]) % 255] if a and b else 0 for b in range(256)] for a in range(256)]
    return numpy.array(table, "u1"), [powers[-logs[a] % 255] if a else 0 for a in range(256)]


def verify_parity(data, offset, size):
    """Makes all shards of a record again and compares them."""
    start, place, end, rows, _, _, block, columns, shards = struct.unpack("<5Q32sI2H", data[offset + 8:offset + 88])
    require(512 <= block <= 65536, "blocks of another size")
    spans = (start, offset), (offset + size, end)
    blocks = [data[at:min(at + block, stop)].ljust(block, b"\0") for begin, stop in spans for at in range(begin, stop, block)]
    length, first = 100 + 4 * columns + block, -(-(offset - start) // block)
    require(place == offset and size == shards * rows * length and len(blocks) <= rows * columns, "parity of another size")
    table, inverses = products()
    for number in range(shards * rows):
        own = blocks[(first + number) % rows::rows]
        own += [bytes(block)] * (columns - len(own))
        parity = numpy.zeros(block, "u1")
        for column, content in enumerate(own):
            parity ^= table[inverses[255 - number // rows ^ column]][numpy.frombuffer(content, "u1")]
        sums = struct.pack("<%dI" % columns, *map(zlib.crc32, own))
        shard = data[offset:offset + 40] + struct.pack("<Q", number) + data[offset + 48:offset + 96] + sums + parity.tobytes()
        place = offset + number * length
        require(data[place:place + length] == shard + struct.pack("<I", zlib.crc32(shard) ^ 0x6DD90A9D), "parity differs")


def tensors(path, step=None, base=None):
    """Yields (name, dtype, shape, blake3, bytes) of all tensors, in the file's order."""
    with open(path, "rb") as file:
        steps = Steps(file.read(), base)
    require(step is not None or len(steps.indexes) == 1, "a pack of %d checkpoints: which?" % len(steps.indexes))
    yield from steps.tensors(range(len(steps.indexes))[step or 0])


def read(path, step=None, base=None):
    """Returns a dictionary of all tensors, name -> array, in the file's order; blocks as flat bytes."""
    return {name: numpy.frombuffer(value, TYPES.get(dtype, "u1")).reshape(shape if dtype in TYPES else -1)
            for name, dtype, shape, _, value in tensors(path, step, base)}


if __name__ == "__main__":
    try:
        for name, dtype, shape, digest, _ in tensors(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None):
            print(json.dumps(name, ensure_ascii=False), dtype, json.dumps(shape), digest)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        sys.exit("%s: %s" % (sys.argv[1], error))
