"""Makes the fixtures that come from other programs; run with a Python that has torch.

usage: make-fixtures.py [name ...]      (all of them if none is named)
"""

import hashlib
import json
import math
import pathlib
import subprocess
import sys

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "Fixtures"


def draws():
    """goldens-extra/draws.json: initialisers at sizes and values where an implementation slips.

    Same fields as goldens/ops.json (see goldens/SCHEMA.md). Sizes lie around PyTorch's blocks of
    16, the generator's 624 words and our chunks of 1 MiB.
    """
    import torch

    cases = []

    def case(op, shape, dtype, **args):
        seed = 20000 + len(cases)
        tensor = torch.empty(shape, dtype=getattr(torch, dtype))
        torch.manual_seed(seed)
        getattr(torch.nn.init, op)(tensor, **args)
        raw = tensor.contiguous().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        state = torch.get_rng_state().numpy().tobytes()
        cached = state[5024:5032].hex() if state[5040] else None
        high = [int(w) for w in torch.empty(2, dtype=torch.int64).random_(-(2**63), None)]
        words = [f"{(w >> s) & 0xffffffff:08x}" for w in high for s in (32, 0)]
        cases.append({
            "id": f"{op}{list(shape)}{dtype}{json.dumps(args)}@{seed}", "seed": seed, "op": op,
            "args": args, "shape": list(shape), "dtype": dtype, "layout": "contiguous",
            "tensor": {"name": "t", "dtype": dtype, "shape": list(shape),
                       "sha256": hashlib.sha256(raw).hexdigest()},
            "rng_after": {"next_u32": words, "cached_normal_f64_le": cached},
        })

    types = ("float32", "float64", "bfloat16", "float16")
    for dtype in types:
        chunk = 2**20 // getattr(torch, dtype).itemsize
        for size in (15, 16, 17, 31, 32, 33, 47, 48, 49, 623, 624, 625, 640, chunk - 1, chunk, chunk + 1):
            case("normal_", (size,), dtype, mean=0.3, std=0.02)
        for size in (1, 623, 624, 625, chunk + 1):
            case("uniform_", (size,), dtype, a=-1.5, b=0.7)
        case("uniform_", (3 * chunk // 2,), dtype, a=-0.1, b=0.1)
        case("uniform_", (700,), dtype, a=0.0, b=1e-6)
        case("uniform_", (700,), dtype, a=-1.0, b=0.0)
        case("uniform_", (5,), dtype, a=-0.0, b=0.0)
        case("uniform_", (5,), dtype, a=0.25, b=0.25)
        case("trunc_normal_", (3000,), dtype, mean=0.37, std=1.3, a=-0.11, b=0.73)
        case("trunc_normal_", (3000,), dtype, mean=-0.37, std=0.7, a=0.61, b=1.9)
        case("trunc_normal_", (11,), dtype, mean=0.1, std=0.9, a=-1.1, b=1.2)
        case("trunc_normal_", (40,), dtype, mean=0.1, std=0.02, a=-2, b=2)
        case("xavier_uniform_", (3, 4), dtype, gain=0.0)
        case("kaiming_uniform_", (7, 11), dtype, a=math.sqrt(5))
        case("kaiming_uniform_", (8, 3, 3, 3), dtype, a=math.sqrt(5), mode="fan_out")
        case("sparse_", (9, 7), dtype, sparsity=0.4)
        case("sparse_", (3, 5), dtype, sparsity=0.0, std=2.0)
        case("constant_", (3,), dtype, val=1 / 3)
        case("eye_", (4, 3), dtype)
        case("dirac_", (6, 2, 3, 4), dtype, groups=2)
    case("uniform_", (700,), "float32", a=-1e-38, b=1e-38)
    case("uniform_", (700,), "float32", a=-1e-44, b=1e-44)
    case("uniform_", (700,), "float32", a=-3e38, b=1e37)
    write_cases("goldens-extra/draws.json", cases)


def default_path():
    """goldens-extra/default-path.json: draws of the CPU path without AVX2 and fused operations.

    Fields as goldens/ops.json; needs ATEN_CPU_CAPABILITY=default in the environment.
    """
    import os

    import torch

    if os.environ.get("ATEN_CPU_CAPABILITY") != "default":
        # PyTorch reads it when it is loaded.
        subprocess.run(
            [sys.executable, __file__, "default-path"], check=True,
            env={**os.environ, "ATEN_CPU_CAPABILITY": "default"})
        return
    assert torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    cases = []
    for dtype in ("float32", "float64", "bfloat16", "float16"):
        for size in (5, 16, 1000, 2**17 + 3):
            for layout in ("contiguous", "strided"):
                for op, args in (
                    ("uniform_", {"a": -0.1, "b": 0.2}), ("uniform_", {"a": -0.1, "b": 0.1}),
                    ("uniform_", {"a": 0.0, "b": 1.0}),
                    ("normal_", {"mean": 0.3, "std": 0.02}), ("normal_", {"mean": 0.0, "std": 1.0}),
                ):
                    cases.append(drawn_case(30000 + len(cases), op, (size,), dtype, layout, args))
    write_cases("goldens-extra/default-path.json", cases)


def drawn_case(seed, op, shape, dtype, layout, args):
    """One case: the bytes in memory order, and the generator afterwards."""
    import torch

    tensor = torch.empty((2 * shape[0],), dtype=getattr(torch, dtype))
    tensor = tensor[: shape[0]] if layout == "contiguous" else tensor[::2]
    torch.manual_seed(seed)
    getattr(torch.nn.init, op)(tensor, **args)
    raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
    state = torch.get_rng_state().numpy().tobytes()
    high = [int(w) for w in torch.empty(2, dtype=torch.int64).random_(-(2**63), None)]
    return {
        "id": f"{op}{list(shape)}{dtype}{layout}{json.dumps(args)}@{seed}", "seed": seed, "op": op,
        "args": args, "shape": list(shape), "dtype": dtype, "layout": layout,
        "tensor": {"name": "t", "dtype": dtype, "shape": list(shape),
                   "sha256": hashlib.sha256(raw).hexdigest()},
        "rng_after": {
            "next_u32": [f"{(w >> s) & 0xffffffff:08x}" for w in high for s in (32, 0)],
            "cached_normal_f64_le": state[5024:5032].hex() if state[5040] else None},
    }


def sequences():
    """goldens-extra/sequences.json: see fixtures_sequences.py."""
    import fixtures_sequences

    write_cases("goldens-extra/sequences.json", fixtures_sequences.cases())


def modules():
    """goldens-extra/modules.json: see fixtures_modules.py; needs torchvision and transformers."""
    import fixtures_modules

    write_cases("goldens-extra/modules.json", fixtures_modules.cases())
    fixtures_modules.descriptions(FIXTURES / "models")


def write_cases(name, cases):
    """Writes cases one to a line, as the goldens are."""
    import torch

    path = FIXTURES / name
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    meta = json.dumps({"torch": torch.__version__, "made_by": "Tools/make-fixtures.py"})
    path.write_text(f'{{\n"meta": {meta},\n"cases": [\n{lines}\n]\n}}\n')


def hdf5():
    """hdf5/: see fixtures_hdf5.py; needs h5py and ml_dtypes."""
    import fixtures_hdf5

    fixtures_hdf5.hdf5(FIXTURES)


def hdf5_ways():
    """hdf5/ways/: see fixtures_hdf5_ways.py; needs h5py and ml_dtypes."""
    import fixtures_hdf5_ways

    fixtures_hdf5_ways.hdf5_ways(FIXTURES)


def keras():
    """keras/: see fixtures_keras.py; needs keras, h5py, ml_dtypes and torch."""
    import fixtures_keras

    fixtures_keras.keras_files(FIXTURES)


def native():
    """native/: see fixtures_native.py; needs numpy."""
    import fixtures_native

    fixtures_native.native(FIXTURES)


def zip_archives():
    """zip/: see fixtures_zip.py; needs numpy."""
    import fixtures_zip

    fixtures_zip.archives(FIXTURES / "zip")


def safetensors():
    """safetensors/: see fixtures_safetensors.py; needs torch, safetensors and huggingface_hub."""
    import fixtures_safetensors

    fixtures_safetensors.safetensors(FIXTURES)


def pytorch():
    """pytorch/: see fixtures_pytorch.py; needs torch 2.10 or later."""
    import fixtures_pytorch

    fixtures_pytorch.pytorch(FIXTURES / "pytorch")


def gguf():
    """gguf/: see fixtures_gguf.py; needs gguf."""
    import fixtures_gguf

    fixtures_gguf.gguf_files(FIXTURES)


def numpy_arrays():
    """numpy/: see fixtures_numpy.py; needs numpy and ml_dtypes."""
    import fixtures_numpy

    fixtures_numpy.arrays(FIXTURES)


def torchvision():
    """models/: the printed text of models and the manifest of what their constructors draw.

    A manifest has the lines that `ckpt hash --manifest` prints: sha256, dtype, shape, name.
    """
    import torch
    import torchvision

    types = {torch.float32: "F32", torch.int64: "I64"}
    folder = FIXTURES / "models"
    for name in ("resnet18", "resnet50"):
        torch.manual_seed(0)
        model = getattr(torchvision.models, name)()
        lines = []
        for key, tensor in model.state_dict().items():
            digest = hashlib.sha256(tensor.numpy().tobytes()).hexdigest()
            shape = ",".join(map(str, tensor.shape))
            lines.append((key.encode(), f"{digest}  {types[tensor.dtype]}  [{shape}]  {key}\n"))
        (folder / f"{name}-seed0.manifest").write_text("".join(line for _, line in sorted(lines)))
        (folder / f"{name}.txt").write_text(f"{model}\n")


ALL = {
    "draws": draws,
    "default-path": default_path,
    "sequences": sequences,
    "hdf5": hdf5,
    "hdf5_ways": hdf5_ways,
    "keras": keras,
    "native": native,
    "zip": zip_archives,
    "safetensors": safetensors,
    "pytorch": pytorch,
    "gguf": gguf,
    "numpy": numpy_arrays,
    "torchvision": torchvision,
    "modules": modules,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        ALL[name]()
