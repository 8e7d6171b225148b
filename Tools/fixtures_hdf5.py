"""Fixtures/hdf5: files as h5py writes them; `make-fixtures.py hdf5` runs it.

    fixtures_hdf5.py FILE       prints as JSON what h5py sees in a file
"""

import hashlib
import json
import os
import sys

import h5py
import ml_dtypes
import numpy as np

DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "float8_e5m2": "F8_E5M2",
    "float8_e4m3fn": "F8_E4M3", "int16": "I16", "uint16": "U16", "float16": "F16",
    "bfloat16": "BF16", "int32": "I32", "uint32": "U32", "float32": "F32", "complex64": "C64",
    "float64": "F64", "int64": "I64", "uint64": "U64", "complex128": "C128",
    "float8_e8m0fnu": "F8_E8M0", "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
}


def described(name, array, dtype=None):
    """A tensor as the manifests list it: SHA-256 of the little-endian, row-major bytes."""
    array = np.asarray(array)
    little = array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("<"))
    return {
        "name": name,
        "dtype": DTYPES[dtype or array.dtype.name],
        "shape": list(array.shape),
        "sha256": hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest(),
    }


def seen(path):
    """What h5py sees in a file: each dataset's type, shape, values and elements, all attributes."""
    datasets, attributes = {}, {}

    def visit(group, path):
        attributes[path] = {key: group.attrs[key] for key in group.attrs}
        for link in group:
            item, name = group[link], f"{path}/{link}".lstrip("/")
            if isinstance(item, h5py.Group):
                visit(item, name)
                continue
            kind = item.id.get_type()
            raw = np.zeros(item.shape, f"V{kind.get_size()}")
            item.id.read(h5py.h5s.ALL, h5py.h5s.ALL, raw, mtype=kind)
            dtype = item.dtype.name
            if kind.get_class() == h5py.h5t.FLOAT and kind.get_fields()[4] == 7:
                # Read through the library, bfloat16 are float32 with the same upper bits.
                upper = np.asarray(item[...]).view("u4") >> 16
                same = (upper == raw.view("u2").reshape(item.shape)) | np.isnan(item[...])
                dtype = "bfloat16" if dtype == "float32" and same.all() else "wrong values"
            datasets[name] = {
                "dtype": DTYPES.get(item.attrs.get("dtype", dtype), dtype), "shape": list(item.shape),
                "sha256": hashlib.sha256(raw.tobytes()).hexdigest(),
            }

    with h5py.File(path, "r") as file:
        visit(file, "")
    return {
        "datasets": datasets,
        "groups": list(attributes),
        "attributes": {
            f"{path}@{key}": str(value) for path, values in attributes.items() for key, value in values.items()
        },
    }


def hdf5(fixtures):
    """HDF5 files as h5py writes them, one property a file."""
    folder = os.path.join(fixtures, "hdf5")
    os.makedirs(folder, exist_ok=True)
    cases = []
    summed = {}
    rng = np.random.default_rng(20)

    def values(shape, dtype="float32"):
        """Any bits at all for floats, NaNs with payload and subnormals included."""
        dtype = np.dtype(dtype)
        count = int(np.prod(shape)) * dtype.itemsize
        if dtype.kind == "b":
            return rng.integers(0, 2, shape).astype(bool)
        raw = np.frombuffer(rng.bytes(count), dtype=dtype.newbyteorder("<"))
        return raw.reshape(shape).astype(dtype, copy=False)

    def untimed():
        """Creation properties that leave the time out, as h5py's own datasets do."""
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_obj_track_times(False)
        return plist

    def case(name, tensors, write, notes=(), aliases=None, metadata=None, **options):
        path = os.path.join(folder, name + ".h5")
        with h5py.File(path, "w", **options) as file:
            write(file)
        if name in ("gzip-shuffle", "fletcher32", "gzip-shuffle-fletcher32", "chunk-shapes", "chunk-shapes-v110"):
            with h5py.File(path) as file:
                sets = [file[key].id for key in sorted(file)]
                summed[name + ".h5"] = sorted(
                    [info.byte_offset, info.size] for data in sets
                    for info in map(data.get_chunk_info, range(data.get_num_chunks())))
        cases.append({
            "file": name + ".h5", "tensors": tensors, "notes": list(notes),
            "aliases": aliases or {}, "metadata": metadata or {},
        })

    def put(file, arrays, **options):
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **options)

    def simple(name, arrays, order=None, dataset=None, **options):
        """Names are paths; `order` is the order expected, by default as given."""
        tensors = [described(n.strip("/").replace("/", "."), arrays[n]) for n in order or arrays]
        case(name, tensors, lambda file: put(file, arrays, **(dataset or {})), **options)

    net = {
        "layer1/bias": values((4,)), "layer1/weight": values((4, 3)),
        "layer2/0/bias": values((2,)), "layer2/0/weight": values((2, 4)),
    }
    simple("nested", net)
    simple("flat", {name.replace("/", "."): array for name, array in net.items()})
    simple("earliest", net, libver="earliest")
    simple("v110", net, libver=("v110", "v110"))
    simple("latest", net, libver="latest")
    simple("user-block", net, userblock_size=1024)
    backward = {"b": values((3,)), "a": values((2,)), "c": values((1,)), "z/w": values((2,)), "d": values((4,))}
    simple("creation-order", backward, order=["b", "a", "c", "d", "z/w"], track_order=True)
    simple("name-order", backward, order=["a", "b", "c", "d", "z/w"])

    numbers = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
               "float16", "float32", "float64", "complex64", "complex128"]
    simple("types", {n: values((3, 5), n) for n in sorted(numbers)})
    simple("big-endian", {
        n: values((7,), n).astype(np.dtype(n).newbyteorder(">"))
        for n in sorted(numbers) if n not in ("bool", "uint8", "int8")})
    simple("scalar-and-empty", {
        "empty": values((0,)), "empty-inside": values((3, 0, 2)), "one": values((1, 1, 1)), "scalar": values(())})

    # bfloat16 in three spellings: opaque without a name, opaque with Keras' name, true float.
    bfloat16 = values((5, 3), "uint16").view(ml_dtypes.bfloat16)
    true_type = h5py.h5t.IEEE_F32LE.copy()
    true_type.set_fields(15, 7, 8, 0, 7)
    true_type.set_size(2)
    true_type.set_ebias(127)
    big_type = true_type.copy()
    big_type.set_order(h5py.h5t.ORDER_BE)

    def write_bfloat16(file):
        file["a-opaque"] = bfloat16
        file["b-named"] = bfloat16
        file["b-named"].attrs["dtype"] = "bfloat16"
        for name, kind in ((b"c-float", true_type), (b"d-big-endian", big_type)):
            data = h5py.h5d.create(file.id, name, kind, h5py.h5s.create_simple((5, 3)), untimed())
            raw = bfloat16.view("<u2") if kind is true_type else bfloat16.view("<u2").byteswap()
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(raw), mtype=kind)

    case("bfloat16", [
        described(n, bfloat16) for n in ("a-opaque", "b-named", "c-float", "d-big-endian")
    ], write_bfloat16)

    small = values((4, 4), "uint8")

    def write_float8(file):
        for name in ("float8_e4m3fn", "float8_e5m2"):
            kind = h5py.h5t.create(h5py.h5t.OPAQUE, 1)
            data = h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple((4, 4)), untimed())
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, small.view("V1"), mtype=kind)
            h5py.Dataset(data).attrs["dtype"] = name

    case("float8", [
        described(n, small, dtype=n) for n in ("float8_e4m3fn", "float8_e5m2")], write_float8)

    # Chunks and filters; the shapes leave every edge chunk partly filled.
    odd = {"a": values((37, 19)), "b": values((5, 7, 11), "float64"), "c": values((1000,), "int16")}
    chunked = {"libver": ("earliest", "v110")}

    def filtered(name, **options):
        def write(file):
            for key, chunk in (("a", (8, 5)), ("b", (2, 3, 4)), ("c", (64,))):
                file.create_dataset(key, data=odd[key], chunks=chunk, **options)
        case(name, [described(k, v) for k, v in odd.items()], write, **chunked)

    filtered("chunked")
    filtered("gzip-shuffle", compression="gzip", compression_opts=9, shuffle=True)
    filtered("gzip", compression="gzip")
    filtered("fletcher32", fletcher32=True)
    filtered("gzip-shuffle-fletcher32", compression="gzip", shuffle=True, fletcher32=True)

    def write_v110(file):
        file.create_dataset("a", data=odd["a"], chunks=(8, 5), compression="gzip", maxshape=(None, 19))
        file.create_dataset("b", data=odd["b"], chunks=(5, 7, 11))
        file.create_dataset("c", data=odd["c"], chunks=(64,), maxshape=(None,))

    case("chunk-indexes", [described(k, v) for k, v in odd.items()], write_v110, libver=("v110", "v110"))

    # A layout that only HDF5 2 and later know.
    case("new-layout", [described("a", odd["a"])], lambda file: file.create_dataset(
        "a", data=odd["a"], chunks=(8, 5), compression="gzip"), libver="latest")

    integers = rng.integers(-500, 500, (40, 10)).astype("int32")
    simple("scale-offset", {"a": integers}, dataset={"scaleoffset": 0, "chunks": (16, 10)}, **chunked)

    def write_sparse(file):
        data = file.create_dataset("a", (20, 10), "f4", chunks=(5, 5), fillvalue=1.5)
        data[7, 3] = 2.5
        file.create_dataset("b", (20, 10), "f4", fillvalue=-1)

    sparse = np.full((20, 10), 1.5, "f4")
    sparse[7, 3] = 2.5
    case("unwritten", [described("a", sparse), described("b", np.full((20, 10), -1, "f4"))], write_sparse)

    compact = values((6, 6))

    def write_compact(file):
        plist = untimed()
        plist.set_layout(h5py.h5d.COMPACT)
        data = h5py.h5d.create(
            file.id, b"a", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((6, 6)), plist)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, compact)

    case("compact", [described("a", compact)], write_compact)

    def write_nbit(file):
        kind = h5py.h5t.STD_I32LE.copy()
        kind.set_precision(17)
        plist = untimed()
        plist.set_chunk((16, 10))
        plist.set_filter(5, 0)
        data = h5py.h5d.create(file.id, b"a", kind, h5py.h5s.create_simple((40, 10)), plist)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, integers)

    case("nbit", [described("a", integers)], write_nbit, **chunked)

    # Swapping the bytes of 17-bit integers, libhdf5 1.10.8 does not extend the sign: left out.
    def write_narrow(file):
        file["a"] = compact
        kind = h5py.h5t.STD_I32BE.copy()
        kind.set_precision(17)
        data = h5py.h5d.create(file.id, b"b", kind, h5py.h5s.create_simple((40, 10)), untimed())
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, integers)

    case("narrow-big-endian", [described("a", compact)], write_narrow, notes=[
        "/b holds numbers of an unusual layout (4 bytes); left out"])

    # Links.
    def write_links(file):
        file["a"] = net["layer1/weight"]
        file["group/b"] = net["layer2/0/weight"]
        file["hard"] = file["a"]
        file["hard-group"] = file["group"]
        file["soft"] = h5py.SoftLink("/group/b")
        file["soft-dangling"] = h5py.SoftLink("/nowhere")
        file["external"] = h5py.ExternalLink("nested.h5", "/layer1/weight")
        file["soft-external"] = h5py.SoftLink("/external")
        file["group/cycle"] = file["/"]

    a, b = described("a", net["layer1/weight"]), described("group.b", net["layer2/0/weight"])
    case("links", [
        a, dict(a, name="hard"), dict(b, name="soft"), b, dict(b, name="hard-group.b"),
    ], write_links, notes=[
        "/external links to another file; not followed",
        "/soft-dangling is a soft link whose target is not in this file",
        "/soft-external is a soft link whose target is not in this file",
        "/group/cycle is a group that contains itself; not entered again",
        "/hard-group/cycle is a group that contains itself; not entered again",
    ], aliases={"hard": "a", "group.b": "soft", "hard-group.b": "soft"})

    # What is no tensor.
    def write_others(file):
        file["a"] = net["layer1/weight"]
        file["empty"] = h5py.Empty("f4")
        file["text"] = "a sentence"
        file["texts"] = np.array(["one", "two"], dtype=h5py.string_dtype())
        file["records"] = np.zeros(3, dtype=[("x", "f4"), ("y", "i4")])
        file["reference"] = np.array([file["a"].ref], dtype=h5py.ref_dtype)
        file["opaque"] = np.zeros(3, dtype="V5")
        file["type"] = np.dtype("f4")
        file.attrs["epoch"] = 7
        file.attrs["config"] = '{"name": "é"}'
        file.attrs["bytes"] = np.bytes_("fixed")
        file.attrs["loss"] = 0.5

    case("others", [a], write_others, metadata={
        "epoch": "7", "config": '{"name": "é"}', "bytes": "fixed",
    }, notes=[
        "/empty has neither elements nor a shape (null dataspace); left out",
        "/opaque holds opaque elements of 5 bytes without a known `dtype`; left out",
        "/records holds compound values; left out",
        "/reference holds references; left out",
        "/text holds text; left out",
        "/texts holds text; left out",
        "/type is neither a group nor a dataset",
        "attribute 'loss' is not text; left out",
    ])

    deep = "/".join("g%d" % i for i in range(100)) + "/w"
    simple("deep", {deep: values((2,))}, libver=("v108", "v108"))
    simple("names", {"é": values((1,)), "e\u0301": values((2,)), "%2F": values((3,)), "a b": values((4,))},
           order=["%2F", "a b", "e\u0301", "é"])

    # Chunks of every shape: rows, columns, boxes with edges on all sides, one that holds all, some of
    # several blocks, planes of every width; levels; and what a stream of zlib may hold: matches.
    def texture(shape, dtype="float32"):
        count = int(np.prod(shape))
        pattern = np.sin(np.arange(count) % 97) * (np.arange(count) // 50 + 1)
        return pattern.reshape(shape).astype(dtype)

    shapes = {
        "a-rows": ((70, 20), (16, 20), "float32", 4), "b-columns": ((10, 80), (10, 7), "float64", 1),
        "c-boxes": ((9, 10, 11), (4, 4, 4), "int16", 9), "d-all": ((30, 30), (30, 30), "float16", 6),
        "e-thin": ((2, 3, 7, 8), (1, 1, 7, 8), "int64", 4), "f-bytes": ((1000,), (333,), "uint8", 4),
        "g-wide": ((50, 3), (16, 3), "complex128", 4), "h-one": ((3, 1, 5), (1, 1, 1), "int32", 4),
    }
    textures = {key: texture(shape, dtype) for key, (shape, _, dtype, _) in shapes.items()}
    for key in ("a-rows", "c-boxes"):
        textures[key + "-noise"] = values(shapes[key][0], shapes[key][2])
        shapes[key + "-noise"] = shapes[key]

    def write_shapes(file):
        for key, array in sorted(textures.items()):
            _, chunk, dtype, level = shapes[key]
            file.create_dataset(
                key, data=array, chunks=chunk, compression="gzip", compression_opts=level,
                shuffle=np.dtype(dtype).itemsize > 1 and key != "d-all", fletcher32=key in ("c-boxes", "e-thin"))

    for name, version in (("chunk-shapes", ("earliest", "v108")), ("chunk-shapes-v110", ("v110", "v110"))):
        case(name, [described(key, array) for key, array in sorted(textures.items())], write_shapes, libver=version)

    # Chunks that were not written, that were allocated early, that passed by some of their filters.
    def write_partly(file):
        gaps = file.create_dataset("a-gaps", (20, 20), "f4", chunks=(6, 6), compression="gzip", shuffle=True, fillvalue=7)
        gaps[7:9, 3:17] = odd["a"][7:9, 3:17]
        plist = untimed()
        plist.set_chunk((8, 8))
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        early = h5py.h5d.create(file.id, b"b-early", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((20, 20)), plist)
        early.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(odd["a"][:20, :19].repeat(2, 1)[:, :20]))
        masked = file.create_dataset("c-masked", (4, 64), "f4", chunks=(1, 64), compression="gzip", shuffle=True, fletcher32=True)
        import zlib
        for row in range(4):
            raw = odd["c"][row * 128:row * 128 + 128].tobytes()
            shuffled = np.frombuffer(raw, "u1").reshape(64, 4).T.tobytes()
            # Bits of the mask are the filters passed by: 1 shuffle, 2 gzip, 4 fletcher32.
            mask, data = [(4, zlib.compress(shuffled)), (6, shuffled), (7, raw), (5, zlib.compress(raw, 9))][row]
            masked.id.write_direct_chunk((row, 0), data, mask)
        grow = file.create_dataset("d-grown", (3, 5), "f8", chunks=(4, 4), maxshape=(None, None), compression="gzip")
        grow.resize((7, 9))
        grow[...] = odd["b"][0][:, :9]
        large = file.create_dataset("e-chunk-larger", (3,), "i4", chunks=(10,), maxshape=(10,), compression="gzip")
        large[...] = [1, -2, 3]

    gaps = np.full((20, 20), 7, "f4")
    gaps[7:9, 3:17] = odd["a"][7:9, 3:17]
    partly = {
        "a-gaps": gaps, "b-early": odd["a"][:20, :19].repeat(2, 1)[:, :20],
        "c-masked": odd["c"][:512].view("<f4").reshape(4, 64), "d-grown": odd["b"][0][:, :9],
        "e-chunk-larger": np.array([1, -2, 3], "i4"),
    }
    for name, version in (("chunk-gaps", ("earliest", "v108")), ("chunk-gaps-v110", ("v110", "v110"))):
        case(name, [described(key, array) for key, array in partly.items()], write_partly, libver=version)

    with open(os.path.join(folder, "manifest.json"), "w") as out:
        json.dump({"cases": cases}, out, indent=1, ensure_ascii=False)
        out.write("\n")

    # Place and size of every chunk of files whose chunks all carry a checksum.
    with open(os.path.join(folder, "chunks.json"), "w") as out:
        json.dump(summed, out)
        out.write("\n")

    # Files that are refused, each for a reason of its own.
    def refused(name, write, **options):
        with h5py.File(os.path.join(folder, name + ".h5"), "w", **options) as file:
            write(file)

    refused("refused-no-tensor", lambda file: file.create_dataset("text", data="a sentence"))
    refused("refused-too-deep", lambda file: file.create_group("/".join("g" * 200)), libver=("v108", "v108"))
    refused("refused-lzf", lambda file: file.create_dataset("a", data=odd["a"], chunks=(8, 5), compression="lzf"))
    refused("refused-external-storage", lambda file: file.create_dataset(
        "a", (4, 3), "f4", external=[("nested.h5", 0, 48)]))

    def virtual(file):
        plist = untimed()
        plist.set_virtual(
            h5py.h5s.create_simple((4, 3)), b"nested.h5", b"/layer1/weight", h5py.h5s.create_simple((4, 3)))
        h5py.h5d.create(file.id, b"a", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4, 3)), plist)

    refused("refused-virtual", virtual)

    # What we write is the same at every time: the test compares with this file byte for byte, and
    # with what h5py sees in it.
    written = os.path.join(folder, "written.h5")
    if os.path.exists(written):
        with open(os.path.join(folder, "written.json"), "w") as out:
            json.dump(seen(written), out, indent=1, ensure_ascii=False)
            out.write("\n")


if __name__ == "__main__":
    json.dump(seen(sys.argv[1]), sys.stdout)
