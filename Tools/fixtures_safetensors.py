"""Fixtures/safetensors: files as safetensors and huggingface_hub write them.

    make-fixtures.py safetensors            makes them
    fixtures_safetensors.py FILE            prints as JSON what safetensors sees in a file
"""

import hashlib
import json
import struct
import sys

import torch
from huggingface_hub import save_torch_state_dict
from safetensors import safe_open
from safetensors.torch import save_file

DTYPES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16",
    torch.uint16: "U16", torch.int32: "I32", torch.uint32: "U32", torch.int64: "I64",
    torch.uint64: "U64", torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32",
    torch.float64: "F64", torch.complex64: "C64", torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2", torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
    torch.float8_e5m2fnuz: "F8_E5M2FNUZ", torch.float8_e8m0fnu: "F8_E8M0",
    torch.float4_e2m1fn_x2: "F4",
}


def described(name, tensor):
    """A tensor as the manifest lists it: SHA-256 of the little-endian, row-major bytes."""
    raw = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    shape = list(tensor.shape)
    if tensor.dtype == torch.float4_e2m1fn_x2:
        shape[-1] *= 2  # torch counts pairs
    return {
        "name": name, "dtype": DTYPES[tensor.dtype], "shape": shape,
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def seen(path):
    """What safetensors sees in a file, tensors in the order of their data."""
    with safe_open(path, "pt") as file:
        return {
            "metadata": file.metadata() or {},
            "tensors": [described(name, file.get_tensor(name)) for name in file.offset_keys()],
        }


def noise(dtype, shape, seed):
    """A tensor of random bits; truth values are 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.bool:
        return torch.randint(0, 2, shape, generator=generator, dtype=torch.uint8).bool()
    width = torch.empty(0, dtype=dtype).element_size()
    raw = torch.randint(0, 256, (*shape, width), generator=generator, dtype=torch.uint8)
    return raw.view(dtype).reshape(shape)


def safetensors(folder):
    """Writes every file and the manifest of what went into them."""
    folder = folder / "safetensors"
    folder.mkdir(exist_ok=True)
    cases = []

    def add(path, tensors, metadata=None, notes=()):
        cases.append({
            "file": path, "metadata": metadata or {}, "notes": list(notes),
            "tensors": [described(name, tensors[name]) for name in tensors],
        })

    def saved(path, tensors, metadata=None):
        save_file(tensors, folder / path, metadata={"format": "pt"} | (metadata or {}))
        ordered = {item["name"]: item for item in seen(folder / path)["tensors"]}
        add(path, {name: tensors[name] for name in ordered}, metadata)

    saved("dtypes.safetensors", {
        f"t.{name}": noise(dtype, (3, 4), seed) for seed, (dtype, name) in enumerate(DTYPES.items())
    })
    saved("shapes.safetensors", {
        "scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3), "one": torch.ones(1, 1, 1),
        "e\u0301": torch.arange(6.0).reshape(2, 3), "\u00e9": torch.arange(4), "": torch.ones(2),
        "line\nbreak": torch.zeros(1, dtype=torch.int8),
    }, {"about": "two\nlines", "\u00e9": "x"})
    save_file({}, folder / "none.safetensors")
    add("none.safetensors", {})

    # The data begins at no multiple of 8, the header does not follow the data, a field is unknown.
    header = (b' {"b":{"dtype":"I8","shape":[3],"data_offsets":[4,7],"more":[{"deep":null}]},'
              b'"__metadata__":null,"a":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"} }\n\t ')
    data = struct.pack("<f3b", 1.25, 1, -2, 3)
    (folder / "odd.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    add("odd.safetensors", {
        "b": torch.tensor([1, -2, 3], dtype=torch.int8), "a": torch.tensor([1.25])})
    assert seen(folder / "odd.safetensors")["tensors"][0] == cases[-1]["tensors"][1]

    embed = torch.arange(12.0).reshape(4, 3)
    state = {"embed.weight": embed, "body.bias": torch.ones(5), "lm_head.weight": embed,
             "norm.weight": torch.full((7,), 2.0)}
    (folder / "sharded").mkdir(exist_ok=True)
    save_torch_state_dict(state, folder / "sharded", max_shard_size=50)
    kept = {name: state[name] for name in state if name != "lm_head.weight"}
    note = ("tensor 'lm_head.weight' was left out by the file's writer, which took it for tied to "
            "'embed.weight'")
    add("sharded/model.safetensors.index.json", kept, {"lm_head.weight": "embed.weight"}, [note])
    add("sharded", kept, {"lm_head.weight": "embed.weight"}, [note])
    for file in folder.glob("**/*.safetensors"):
        file.chmod(0o644)  # safetensors writes 0600
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (folder / "manifest.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    print(json.dumps(seen(sys.argv[1]), indent=1, ensure_ascii=False))
