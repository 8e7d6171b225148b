"""Fixtures/hdf5/ways: the structures in which HDF5 files can hold the same things; `make-fixtures.py
hdf5_ways` runs it. What no call of h5py chooses is set through the library that it carries."""

import ctypes
import glob
import hashlib
import json
import os

import h5py
import numpy as np

from fixtures_hdf5 import DTYPES, described

LIBRARY = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])
OLD, V108, V110, LATEST = "earliest", ("v108", "v108"), ("v110", "v110"), "latest"
EVERY = {"old": OLD, "v108": V108, "v110": V110, "latest": LATEST}


def hdf5_ways(fixtures):
    folder = os.path.join(fixtures, "hdf5", "ways")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    rng = np.random.default_rng(21)
    cases = []

    def values(*shape, dtype="float32"):
        dtype = np.dtype(dtype)
        raw = rng.bytes(int(np.prod(shape)) * dtype.itemsize)
        return np.frombuffer(raw, dtype.newbyteorder("<")).reshape(shape)

    def case(name, write, fcpl=None, **options):
        """Writes a file, and lists its tensors as h5py reads them."""
        path = os.path.join(folder, name + ".h5")
        if fcpl:
            fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
            fapl.set_libver_bounds(*options.pop("bounds", (h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)))
            file = h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl, fapl))
        else:
            file = h5py.File(path, "w", **options)
        with file:
            write(file)
        tensors = {}
        with h5py.File(path, "r") as file:
            def visit(group, prefix, trail=()):
                trail += (h5py.h5o.get_info(group.id).addr,)
                for key in group:
                    kind = group.get(key, getlink=True)
                    if isinstance(kind, (h5py.SoftLink, h5py.ExternalLink)):
                        continue
                    item = group[key]
                    if isinstance(item, h5py.Group):
                        if h5py.h5o.get_info(item.id).addr not in trail:
                            visit(item, prefix + key + ".", trail)
                    elif isinstance(item, h5py.Dataset) and item.shape is not None and item.dtype.name in DTYPES:
                        if h5py.check_enum_dtype(item.dtype) is None:
                            tensors[prefix + key] = described(prefix + key, item[()])
            visit(file, "")
        cases.append({"file": name + ".h5", "tensors": [tensors[key] for key in sorted(tensors)]})

    def low(file, name, shape, kind=h5py.h5t.IEEE_F32LE, data=None, largest=None, setup=None, group=None):
        """A dataset with properties that only the lower interface has."""
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_obj_track_times(False)
        if setup:
            setup(plist)
        space = h5py.h5s.create_simple(shape, largest)
        dataset = h5py.h5d.create((group or file).id, name.encode(), kind, space, plist)
        if data is not None:
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))
        return h5py.Dataset(dataset)

    # Groups: few and many links, by name and in order of creation.
    def links(count):
        def write(file):
            w = file.create_dataset("w", data=values(2, 2))
            group = file.create_group("many")
            for index in np.random.default_rng(3).permutation(count):
                group[f"link-{index}"] = w
            for index in range(5):
                group[f"soft {index}"] = h5py.SoftLink("/w" if index % 2 else f"link-{index}")
            group["nowhere"] = h5py.SoftLink("../w")
            group["outside"] = h5py.ExternalLink("other.h5", "/w")
            group.create_group("inner").create_dataset("v", data=values(3))
        return write

    for name, version in EVERY.items():
        case(f"links-few-{name}", links(3), libver=version)
        case(f"links-many-{name}", links(60), libver=version)
        case(f"links-few-tracked-{name}", links(3), libver=version, track_order=True)
        case(f"links-many-tracked-{name}", links(60), libver=version, track_order=True)
    case("links-tree", links(400), libver=V108)

    def soft(file):
        file["a/b/w"] = values(2)
        file["a/b/here"] = h5py.SoftLink("w")
        file["a/b/dot"] = h5py.SoftLink("./w")
        file["a/down"] = h5py.SoftLink("b/here")
        file["chain"] = h5py.SoftLink("a//down/")
        file["group"] = h5py.SoftLink("/a/b")
        file["through"] = h5py.SoftLink("group/w")
        file["loop"] = h5py.SoftLink("pool")
        file["pool"] = h5py.SoftLink("loop")
        file["of-file"] = h5py.SoftLink("/a/b/w/x")
        file["root"] = h5py.SoftLink("/")
        file["a/b/up"] = file["a"]
        for index in range(20):
            file[f"long{index}"] = h5py.SoftLink(f"long{index + 1}")
        file["long20"] = h5py.SoftLink("a/b/w")

    for name, version in EVERY.items():
        case(f"soft-{name}", soft, libver=version)

    # Attributes of every kind, few and many.
    def attributes(many, long):
        def write(file):
            data = file.create_dataset("w", data=values(3), track_order=None)
            for item in (file, data, file.create_group("g")):
                at = item.attrs
                at["text"] = "variable é"
                at["empty"] = ""
                at["texts"] = np.array(["one", "", "three é"], dtype=h5py.string_dtype())
                at["fixed"] = np.bytes_("bytes")
                at["fixeds"] = np.array([b"a", b"bcd", b""])
                at["none"] = np.array([], dtype="S1")
                at["nothing"] = h5py.Empty("i4")
                at["whole"] = 7
                at["wholes"] = np.array([[1, -2], [3, 4]], "<i2")
                at["big-endian"] = np.array([1, -2, 300], ">i4")
                at["large"] = np.uint64(2**64 - 1)
                at["bool"] = True
                at["float"] = 0.5
                at["record"] = np.zeros(2, [("a", "i4"), ("b", "f8")])
                at["reference"] = data.ref
                kind = h5py.h5t.C_S1.copy()
                kind.set_size(8)
                for pad, name in ((h5py.h5t.STR_NULLTERM, b"term"), (h5py.h5t.STR_NULLPAD, b"pad"), (h5py.h5t.STR_SPACEPAD, b"space")):
                    kind.set_strpad(pad)
                    attribute = h5py.h5a.create(item.id, name, kind, h5py.h5s.create(h5py.h5s.SCALAR))
                    attribute.write(np.array(b"ab\0c    "), mtype=kind)
                for index in range(many):
                    at[f"attribute-{index}"] = index
                if long:
                    at["long"] = np.arange(long)
                    at["long text"] = "x" * long
        return write

    for name, version in EVERY.items():
        case(f"attributes-few-{name}", attributes(0, 0), libver=version)
        case(f"attributes-many-{name}", attributes(50, 700), libver=version)
    case("attributes-tracked", attributes(40, 700), libver=V110, track_order=True)

    def huge(file):
        file["w"] = values(2)
        file.attrs["huge"] = np.arange(8200)
        file.attrs["text"] = "y" * 100
    case("attributes-huge", huge, libver=V108)

    # Types.
    def types(file):
        for dtype in ("bool", "uint8", "int8", ">i2", "<u2", ">i4", "<i8", ">u8", "<f2", ">f2", ">f4", "<f8", "<c8", ">c16"):
            file[dtype] = values(3, 4, dtype="uint8").astype(dtype) if dtype == "bool" else values(3, 4, dtype=dtype[-2:] if dtype[0] in "<>" and dtype[1] != "c" else "c16" if dtype[-1] == "6" else dtype).astype(dtype)
        file["enum"] = np.zeros(3, h5py.enum_dtype({"A": 1, "B": 2}, "i4"))
        file["other-bool"] = np.zeros(3, h5py.enum_dtype({"TRUE": 0, "FALSE": 1}, "i1"))
        file["record"] = np.zeros(2, [("r", "f4"), ("j", "f4")])
        file["array"] = np.zeros(2, np.dtype([("x", "f4", (2, 3))]))["x"]
        file["record3"] = np.zeros(2, [("r", "f4"), ("i", "f4"), ("k", "f4")])
        file["nested"] = np.zeros(2, [("r", [("a", "i4")]), ("i", "f4")])
        file["opaque"] = np.zeros(2, "V3")
        file["void2"] = np.zeros(2, "V2")
        file["text"] = np.array([b"ab", b"c"])
        file["vlen"] = np.array([np.arange(2), np.arange(3)], dtype=object).astype(h5py.vlen_dtype("i4"))
        file["when"] = h5py.Empty("f4")
        file["long-double"] = np.zeros(2, np.longdouble)
        committed = file["committed"] = np.dtype(">f4")
        file["of-committed"] = np.zeros(0, "f4")
        low(file, "by-type", (3,), file["committed"].id, values(3, dtype="f4").astype(">f4"))
        h5py.h5a.create(file.id, b"of-committed", file["committed"].id, h5py.h5s.create(h5py.h5s.SCALAR))
        file["whole"] = np.dtype("<i4")
        attribute = h5py.h5a.create(file.id, b"whole", file["whole"].id, h5py.h5s.create(h5py.h5s.SCALAR))
        attribute.write(np.array(-5, "<i4"))

    for name, version in EVERY.items():
        case(f"types-{name}", types, libver=version)

    def native_complex(file):
        for name, kind, dtype in (("f32", h5py.h5t.COMPLEX_IEEE_F32LE, "<c8"), ("f64", h5py.h5t.COMPLEX_IEEE_F64BE, ">c16")):
            low(file, name, (3,), kind, values(3, dtype=dtype[1:].replace("c16", "c16")).astype(dtype))
    case("native-complex", native_complex, libver=LATEST)

    # Layouts: compact, contiguous, chunks by every index, with and without filters, with gaps.
    def compact(plist):
        plist.set_layout(h5py.h5d.COMPACT)

    def early(plist):
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)

    def chunked(*shape, more=()):
        def setup(plist):
            plist.set_chunk(shape)
            for step in more:
                step(plist)
        return setup

    def spared(plist):
        assert LIBRARY.H5Pset_chunk_opts(ctypes.c_int64(plist.id), ctypes.c_uint(2)) >= 0

    def gzip(plist):
        plist.set_shuffle()
        plist.set_deflate(6)

    def filling(value, dtype="<f4"):
        return lambda plist: plist.set_fill_value(np.array(value, dtype))

    endless = h5py.h5s.UNLIMITED

    def layouts(file, spared=spared):
        low(file, "compact", (5, 3), data=values(5, 3), setup=compact)
        low(file, "compact-big", (5,), h5py.h5t.STD_I16BE, values(5, dtype="i2").astype(">i2"), setup=compact)
        low(file, "unwritten", (3, 4))
        low(file, "unwritten-filled", (3, 4), setup=filling(2.5))
        low(file, "unwritten-big", (7,), h5py.h5t.IEEE_F64BE, setup=filling(-1.5, ">f8"))
        low(file, "early", (3,), setup=early)
        low(file, "chunks-unwritten", (5,), setup=chunked(2, more=[filling(3)]))
        low(file, "none", (0, 3), setup=chunked(2, 2), largest=(endless, 3))
        low(file, "b-one", (4, 6), data=values(4, 6), setup=chunked(4, 6))
        low(file, "b-one-gzip", (4, 6), data=values(4, 6), setup=chunked(4, 6, more=[gzip]))
        low(file, "c-implicit", (7, 5), data=values(7, 5), setup=chunked(2, 3, more=[early]))
        low(file, "c-implicit-larger", (7, 5), data=values(7, 5), setup=chunked(2, 3, more=[early]), largest=(9, 13))
        low(file, "d-fixed", (7, 5), data=values(7, 5), setup=chunked(2, 3))
        low(file, "d-fixed-gzip", (7, 5), data=values(7, 5), setup=chunked(2, 3, more=[gzip]))
        low(file, "d-fixed-larger", (7, 5), data=values(7, 5), setup=chunked(2, 3, more=[gzip]), largest=(20, 11))
        low(file, "d-fixed-spared", (7, 5), data=values(7, 5), setup=chunked(2, 3, more=[gzip, spared]))
        low(file, "e-extensible", (30, 5), data=values(30, 5), setup=chunked(1, 3), largest=(endless, 7))
        low(file, "e-extensible-last", (4, 30), data=values(4, 30), setup=chunked(3, 1, more=[gzip]), largest=(8, endless))
        low(file, "f-tree", (12, 12), data=values(12, 12), setup=chunked(5, 4), largest=(endless, endless))
        low(file, "f-tree-gzip", (12, 12), data=values(12, 12), setup=chunked(5, 4, more=[gzip]), largest=(endless, 40))
        low(file, "f-tree-spared", (12, 12), data=values(12, 12), setup=chunked(5, 5, more=[gzip, spared]), largest=(endless, endless))
        for kind, largest in (("fixed", (20, 20)), ("extensible", (endless, 20)), ("tree", (endless, endless))):
            for name, more in (("", [filling(9)]), ("-gzip", [filling(9), gzip])):
                data = low(file, f"g-gaps-{kind}{name}", (20, 20), setup=chunked(3, 4, more=more), largest=largest)
                data[4:6, 3:5] = values(2, 2)
                data[19, 19] = 1
        data = low(file, "g-gaps-big", (9,), h5py.h5t.STD_I32BE, setup=chunked(2, more=[filling(258, ">i4"), gzip]))
        data[3] = 5
        for kind, largest in (("extensible", (endless, 6)), ("tree", (endless, endless))):
            data = low(file, f"h-shrunk-{kind}", (9, 6), data=values(9, 6), setup=chunked(2, 2), largest=largest)
            data.resize((5, 3))
            data.resize((6, 6))
        low(file, "i-fletcher32", (9,), data=values(9), setup=chunked(4, more=[lambda plist: plist.set_fletcher32()]))

    for name, version in EVERY.items():
        # Before 1.10 chunks at the edge went through the filters, too.
        spare = spared if version in (V110, LATEST) else lambda plist: None
        case(f"layouts-{name}", lambda file: layouts(file, spare), libver=version)

    def many_chunks(file):
        low(file, "fixed", (2100,), h5py.h5t.STD_I8LE, values(2100, dtype="i1"), setup=chunked(2))
        pages = low(file, "fixed-pages", (5000,), h5py.h5t.STD_I8LE, setup=chunked(1, more=[filling(1, "i1")]))
        pages[2500:2510] = np.arange(10)
        low(file, "extensible", (700,), h5py.h5t.STD_I8LE, values(700, dtype="i1"), setup=chunked(1), largest=(endless,))
        low(file, "tree", (30, 30), h5py.h5t.STD_I8LE, values(30, 30, dtype="i1"), setup=chunked(2, 2), largest=(endless, endless))

    case("chunks-many-v110", many_chunks, libver=V110)
    case("chunks-many-latest", many_chunks, libver=LATEST)

    def old_tree(file):
        low(file, "gzip-before-shuffle", (9,), data=values(9), setup=chunked(
            4, more=[lambda plist: plist.set_deflate(3), lambda plist: plist.set_shuffle()]))
        low(file, "tree", (30, 30), h5py.h5t.STD_I8LE, values(30, 30, dtype="i1"), setup=chunked(2, 2))
    case("chunks-many-old", old_tree, libver=OLD)

    # Headers that go on elsewhere, with times, with other limits; files with other measures.
    def grown(file):
        for name in ("a", "b"):
            file.create_dataset(name, data=values(3), track_times=True)
        group = file.create_group("g")
        for index in range(6):
            for item in (file["a"], file["b"], group):
                item.attrs[f"later-{index}"] = "text " * index
                item.attrs[f"fixed-{index}"] = np.bytes_("x" * 40 * index)
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_attr_phase_change(3, 2)
        data = h5py.Dataset(h5py.h5d.create(file.id, b"phases", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((2,)), plist))
        data[...] = values(2)
        for index in range(5):
            data.attrs[f"a{index}"] = index
        for index in range(3):
            del data.attrs[f"a{index}"]

    for name, version in EVERY.items():
        case(f"grown-{name}", grown, libver=version)

    def plain(file):
        file["g/w"] = values(3)
        file["g"].attrs["text"] = "in a heap"
        file["c"] = values(2, 2)
        low(file, "d", (9,), data=values(9), setup=chunked(2, more=[gzip]))

    for version, name in ((OLD, "old"), (LATEST, "latest")):
        case(f"user-block-{name}", plain, libver=version, userblock_size=512)
    latest = (h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    for widths in ((4, 4), (8, 4), (4, 8), (2, 2)):
        for name, options in (("old", {}), ("v110", {"bounds": latest})):
            fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
            fcpl.set_sizes(*widths)
            case(f"widths-{widths[0]}-{widths[1]}-{name}", plain, fcpl, **options)
    case("paged", plain, libver=V110, fs_strategy="page", fs_persist=True, fs_page_size=512)

    def shared(minimum):
        fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
        plist = ctypes.c_int64(fcpl.id)
        assert LIBRARY.H5Pset_shared_mesg_nindexes(plist, ctypes.c_uint(2)) >= 0
        # Spaces and types in one table; fill values, filters and attributes in another.
        assert LIBRARY.H5Pset_shared_mesg_index(plist, 0, ctypes.c_uint(1 << 1 | 1 << 3), ctypes.c_uint(minimum)) >= 0
        assert LIBRARY.H5Pset_shared_mesg_index(plist, 1, ctypes.c_uint(1 << 5 | 1 << 11 | 1 << 12), ctypes.c_uint(minimum)) >= 0
        return fcpl

    def sharing(file):
        for index in range(4):
            low(file, f"w{index}", (9,), data=values(9), setup=chunked(4, more=[gzip, filling(5)]))
            for number in range(12):
                file[f"w{index}"].attrs[f"a{number}"] = "the same"
                file[f"w{index}"].attrs[f"b{number}"] = number
    case("shared", sharing, shared(1))
    case("shared-v110", sharing, shared(1), bounds=latest)

    with open(os.path.join(folder, "manifest.json"), "w") as out:
        json.dump({"cases": cases}, out, ensure_ascii=False)
        out.write("\n")
