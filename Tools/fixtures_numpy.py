"""Fixtures/numpy: arrays as NumPy and ml_dtypes write them; `make-fixtures.py numpy` runs it."""

import hashlib
import io
import json
import zipfile

import ml_dtypes
import numpy as np

DTYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "uint16": "U16", "float16": "F16",
    "bfloat16": "BF16", "int32": "I32", "uint32": "U32", "float32": "F32", "complex64": "C64",
    "float64": "F64", "int64": "I64", "uint64": "U64", "complex128": "C128",
}


def described(name, array):
    """A tensor as the manifests list it: SHA-256 of the little-endian, row-major bytes."""
    array = np.asarray(array)
    little = array if array.dtype == ml_dtypes.bfloat16 else array.astype(array.dtype.newbyteorder("<"))
    raw = np.ascontiguousarray(little).tobytes()
    return {"name": name, "dtype": DTYPES[array.dtype.name], "shape": list(array.shape),
            "sha256": hashlib.sha256(raw).hexdigest()}


def arrays(folder):
    """Writes every file and the manifest of what went into them."""
    folder = folder / "numpy"
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    cases = []

    def add(path, arrays, notes=()):
        cases.append({"file": path, "metadata": {}, "notes": list(notes),
                      "tensors": [described(name, array) for name, array in arrays.items()]})

    def noise(dtype, shape):
        raw = random.integers(0, 256, (*shape, np.dtype(dtype).itemsize), dtype=np.uint8)
        return (raw & 1).astype(bool).reshape(shape) if dtype == bool else raw.view(dtype).reshape(shape)

    every = {name: noise(ml_dtypes.bfloat16 if name == "bfloat16" else np.dtype(name).type, (3, 4))
             for name in DTYPES}
    np.savez(folder / "types.npz", **every)
    add("types.npz", every)
    np.savez_compressed(folder / "compressed.npz", **every)
    add("compressed.npz", every)

    big = {f"big.{name}": every[name].astype(every[name].dtype.newbyteorder(">"))
           for name in DTYPES if every[name].dtype.itemsize > 1 and name != "bfloat16"}
    np.savez(folder / "big-endian.npz", **big)
    add("big-endian.npz", big)

    cube = noise(np.float32, (3, 4, 5))
    odd = {
        "scalar": np.array(1.5, dtype=np.float32), "empty": np.zeros((3, 0, 2), dtype=np.int16),
        "layer/0/weight": np.arange(3), "columns": np.asfortranarray(cube),
        "big.columns": np.asfortranarray(cube.astype(">f4")), "reversed": cube[::-1].T,
        "\u00e9": np.ones(1), "columns.empty": np.asfortranarray(np.zeros((0, 2), dtype="f4")),
        "columns.complex": np.asfortranarray(every["complex64"].astype(">c8")),
    }
    np.savez(folder / "shapes.npz", **odd)
    add("shapes.npz", odd)

    np.save(folder / "lone.npy", cube)
    add("lone.npy", {"arr_0": cube})
    np.save(folder / "columns.npy", np.asfortranarray(cube))
    add("columns.npy", {"arr_0": cube})

    def version(number, array):
        stream = io.BytesIO()
        np.lib.format.write_array(stream, array, version=number)
        return stream.getvalue()

    for number in (2, 3):
        (folder / f"version{number}.npy").write_bytes(version((number, 0), every["int32"]))
        add(f"version{number}.npy", {"arr_0": every["int32"]})

    # NumPy itself does not know bfloat16: what it loads and saves again has lost the byte order.
    np.save(folder / "void.npy", every["bfloat16"].view("|V2"))
    add("void.npy", {"arr_0": every["bfloat16"]}, ["elements of type '|V2' were taken for bfloat16"])

    # As Python 2 wrote it, with other spaces and quotes.
    text = b'{"shape": (2L, 3L,), "descr": "<f4" ,"fortran_order" : False}\n'
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    (folder / "python2.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data.tobytes())
    assert np.array_equal(np.load(folder / "python2.npy"), data)
    add("python2.npy", {"arr_0": data})

    with zipfile.ZipFile(folder / "others.npz", "w") as archive:
        archive.writestr("a.npy", version((1, 0), every["int8"]))
        archive.writestr("README", "text")
    add("others.npz", {"a": every["int8"]}, ["member 'README' is no array; left out"])
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (folder / "manifest.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')

    # Refused, each by the name of its elements.
    refused = {
        "object": np.array([None, {}], dtype=object), "text": np.array(["a", "bc"]),
        "bytes": np.array([b"a"]), "date": np.array(["2020-01-01"], dtype="M8[D]"),
        "fields": np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]), "long": np.ones(2, np.longdouble),
        "float8": np.zeros(2, dtype=ml_dtypes.float8_e4m3fn),
    }
    for name, array in refused.items():
        np.save(folder / f"refused-{name}.npy", array)
