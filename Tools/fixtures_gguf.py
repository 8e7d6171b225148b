"""Fixtures/gguf: files as gguf-py writes them.

    make-fixtures.py gguf           makes them
    fixtures_gguf.py FILE           prints as JSON what gguf-py sees in a file
"""

import hashlib
import json
import sys

import gguf
import numpy as np

PLAIN = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "I8": np.int8, "I16": np.int16,
         "I32": np.int32, "I64": np.int64}


def described(name, dtype, shape, raw):
    return {"name": name, "dtype": dtype, "shape": list(shape),
            "sha256": hashlib.sha256(raw).hexdigest()}


def seen(path):
    """What gguf-py sees in a file: the bytes of each field's parts, and the tensors."""
    reader = gguf.GGUFReader(path)
    fields = {}
    for key, field in reader.fields.items():
        if not key.startswith("GGUF."):
            fields[key] = [part.tobytes().hex() for part in field.parts]
    tensors = [
        described(tensor.name, tensor.tensor_type.name, [int(n) for n in tensor.shape[::-1]],
                  tensor.data.tobytes())
        for tensor in reader.tensors
    ]
    return {"fields": fields, "tensors": tensors}


def write(path, fill, **options):
    """Lets `fill` add to a writer, and writes the file or its parts."""
    writer = gguf.GGUFWriter(path, "llama", **options)
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_files(folder):
    """Writes every file and the manifest of what went into them."""
    folder = folder / "gguf"
    folder.mkdir(exist_ok=True)
    cases = []

    def add(path, metadata, tensors, notes=()):
        cases.append({"file": path, "metadata": metadata, "notes": list(notes), "tensors": tensors})

    def kinds(pairs):
        return json.dumps(pairs, separators=(",", ":"))

    # Every type of tensor, the quantised ones with random bytes.
    random = np.random.default_rng(0)
    tensors = []

    def every_type(writer):
        for kind in gguf.GGMLQuantizationType:
            elements, size = gguf.GGML_QUANT_SIZES[kind]
            shape = (2, 3, elements)
            raw = random.integers(0, 256, (2, 3, size), dtype=np.uint8)
            name = f"blk.0.{kind.name.lower()}.weight"
            if kind.name in PLAIN:
                writer.add_tensor(name, raw.view(PLAIN[kind.name]))
                shape = (2, 3, 1)
            else:
                writer.add_tensor(name, raw, raw_dtype=kind)
            tensors.append(described(name, kind.name, shape, raw.tobytes()))

    write(folder / "types.gguf", every_type)
    add("types.gguf", {"general.architecture": "llama"}, tensors)

    # Every type of metadata.
    def every_value(writer):
        writer.add_uint8("a.u8", 255)
        writer.add_int8("a.i8", -128)
        writer.add_uint16("a.u16", 65535)
        writer.add_int16("a.i16", -32768)
        writer.add_uint32("a.u32", 2**32 - 1)
        writer.add_int32("a.i32", -(2**31))
        writer.add_float32("a.f32", 0.1)
        writer.add_bool("a.bool", True)
        writer.add_string("a.string", "two\nlines \u00e9")
        writer.add_uint64("a.u64", 2**64 - 1)
        writer.add_int64("a.i64", -(2**63))
        writer.add_float64("a.f64", 0.1)
        writer.add_float32("a.infinite", float("-inf"))
        writer.add_array("l.i32", [1, -2, 3])
        writer.add_array("l.f32", [0.5, float("inf"), 1e-30])
        writer.add_array("l.bool", [True, False])
        writer.add_array("l.string", ["<s>", "\u2581the", "\"quoted\"", ""])
        writer.add_array("l.bytes", b"\x00\xff")
        writer.add_key_value("no.text", b"\xff\x00a", gguf.GGUFValueType.STRING)
        writer.add_array("no.texts", [b"\xc0\x80", b"ok"])
        writer.add_custom_alignment(64)
        writer.add_tensor("t", np.arange(3, dtype=np.float32))
        writer.add_tensor("u", np.arange(2, dtype=np.int8))

    order = [
        ["general.architecture", "string"], ["a.u8", "u8"], ["a.i8", "i8"], ["a.u16", "u16"],
        ["a.i16", "i16"], ["a.u32", "u32"], ["a.i32", "i32"], ["a.f32", "f32"], ["a.bool", "bool"],
        ["a.string", "string"], ["a.u64", "u64"], ["a.i64", "i64"], ["a.f64", "f64"],
        ["a.infinite", "f32"], ["l.i32", "[i32]"], ["l.f32", "[f32]"], ["l.bool", "[bool]"],
        ["l.string", "[string]"], ["l.bytes", "[u8]"], ["no.text", "hex"], ["no.texts", "[hex]"],
        ["general.alignment", "u32"],
    ]
    texts = [
        "llama", "255", "-128", "65535", "-32768", str(2**32 - 1), str(-(2**31)), "0.1", "true",
        "two\nlines \u00e9", str(2**64 - 1), str(-(2**63)), "0.1", "0xff800000", "[1,-2,3]",
        "[0.5,\"0x7f800000\",1e-30]", "[true,false]",
        "[\"<s>\",\"\u2581the\",\"\\\"quoted\\\"\",\"\"]", "[0,255]", "ff0061",
        "[\"c080\",\"6f6b\"]", "64",
    ]
    write(folder / "values.gguf", every_value)
    metadata = dict(zip([key for key, _ in order], texts)) | {"ckpt.gguf": kinds(order)}
    pair = [described("t", "F32", [3], np.arange(3, dtype=np.float32).tobytes()),
            described("u", "I8", [2], np.arange(2, dtype=np.int8).tobytes())]
    add("values.gguf", metadata, pair)

    # Version 2 differs in the number alone.
    data = bytearray((folder / "values.gguf").read_bytes())
    data[4] = 2
    (folder / "version2.gguf").write_bytes(data)
    add("version2.gguf", metadata, pair)

    # Three parts; the tied dimensions show that the first one is the fastest.
    parts = {f"blk.{i}.weight": np.arange(6, dtype=np.float16).reshape(2, 3) + i for i in range(5)}

    def in_parts(writer):
        writer.add_uint32("llama.block_count", 5)
        for name, array in parts.items():
            writer.add_tensor(name, array)

    (folder / "parts").mkdir(exist_ok=True)
    write(folder / "parts" / "net.gguf", in_parts, split_max_tensors=2)
    metadata = {
        "general.architecture": "llama", "llama.block_count": "5",
        "ckpt.gguf": kinds([["general.architecture", "string"], ["llama.block_count", "u32"]]),
    }
    tensors = [described(name, "F16", array.shape, array.tobytes()) for name, array in parts.items()]
    for path in ("parts/net-00001-of-00003.gguf", "parts/net-00003-of-00003.gguf", "parts"):
        add(path, metadata, tensors)

    write(folder / "none.gguf", lambda writer: None)
    add("none.gguf", {"general.architecture": "llama"}, [])
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (folder / "manifest.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    print(json.dumps(seen(sys.argv[1]), indent=1, ensure_ascii=False))
