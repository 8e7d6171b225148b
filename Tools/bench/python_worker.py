"""One job of `bench python`, done once for each line of standard input; prints its seconds."""
import gc
import os
import sys
import time

import torch

import ckpt.torch

threads, kind, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
folder = sys.argv[4]
torch.set_num_threads(threads)
source = os.path.join(folder, "source.safetensors")


def transformer(dtype, layers):
    """The model of `bench storage`."""
    torch.manual_seed(0)
    width, result = 1024, {}
    result["wte.weight"] = torch.randn(50257, width) * 0.02
    result["wpe.weight"] = torch.randn(1024, width) * 0.01
    for index in range(layers):
        place = f"h.{index}."
        for part in ("ln_1", "ln_2"):
            result[f"{place}{part}.weight"], result[f"{place}{part}.bias"] = torch.ones(width), torch.zeros(width)
        result[f"{place}attn.c_attn.weight"] = torch.empty(3 * width, width).uniform_(-1 / 32, 1 / 32)
        result[f"{place}attn.c_proj.weight"] = torch.randn(width, width) * 0.02 / (2 * layers) ** 0.5
        result[f"{place}mlp.c_fc.weight"] = torch.randn(4 * width, width) * 0.02
        result[f"{place}mlp.c_proj.weight"] = torch.randn(width, 4 * width) * 0.02 / (2 * layers) ** 0.5
        result[f"{place}attn.c_attn.bias"] = torch.randn(3 * width) * 0.01
    return {key: value.to(getattr(torch, dtype)) for key, value in result.items()}


def loop(work, prepare=None):
    """Works once for each line; what the work gives is dropped after the time was taken."""
    for _ in sys.stdin:
        if prepare:
            prepare()
        gc.collect()
        start = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - start
        del result
        print(seconds, flush=True)
    sys.exit()


def saved(path, state):
    """The data in a file of the path's format."""
    if not os.path.exists(path):
        ckpt.torch.save_file(state, path, threads=threads, compression="none" if path.endswith(".h5") else None)
    return path


def plain(tensor):
    return tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


if kind == "source":
    import safetensors.torch

    state = ({f"m{index}.{part}": torch.randn(16) for index in range(50_000) for part in ("weight", "bias")}
             if name == "many" else transformer(name, int(sys.argv[5])))
    safetensors.torch.save_file(state, source)
    sys.stdin.readline()
    print(len(state) if name == "many" else sum(tensor.nbytes for tensor in state.values()), flush=True)
    sys.exit()

if kind == "init":
    if name == "ckpt":
        from pathlib import Path

        path = Path(sys.argv[4])
        loop(lambda: ckpt.init(path, 0, framework="torch", threads=threads))
    sys.path.insert(0, sys.argv[5])
    import large_models

    make = large_models.maker(sys.argv[6])
    loop(lambda: (torch.manual_seed(0), make()))

import safetensors.torch  # noqa: E402

ending = name.partition(".")[2].partition(",")[0]
if kind == "save":
    state = safetensors.torch.load_file(source)
    state = {key: tensor.clone() for key, tensor in state.items()}
    path = os.path.join(folder, f"written.{ending or 'x'}")
    bare = lambda: os.path.exists(path) and os.unlink(path)  # noqa: E731
    if name.startswith("ckpt"):
        packing = "none" if name.endswith("plain") else None
        loop(lambda: ckpt.torch.save_file(state, path, compression=packing, threads=threads), bare)
    if name == "torch.save":
        loop(lambda: torch.save(state, path), bare)
    if name == "safetensors":
        loop(lambda: safetensors.torch.save_file(state, path), bare)
    if name.startswith("h5py"):
        import h5py

        def write():
            with h5py.File(path, "w") as file:
                for key, tensor in state.items():
                    file.create_dataset(key, data=plain(tensor))

        loop(write, bare)
elif name.startswith("ckpt"):
    state = ckpt.torch.load_file(source)
    path = source if ending == "safetensors" else saved(os.path.join(folder, f"source.{ending}"), state)
    del state
    if name.endswith("list"):
        loop(lambda: ckpt.torch.open(path))
    if name.endswith("NumPy"):
        loop(lambda: ckpt.load_file(path, threads=threads))
    if name.endswith("reused"):
        from ckpt import _dtypes

        with ckpt.open(path, _types=_dtypes.raw_types(), threads=threads) as file:
            arrays = file.load()

        def fill():
            with ckpt.open(path, _types=_dtypes.raw_types(), threads=threads) as file:
                file.load_into(arrays)

        loop(fill)
    loop(lambda: ckpt.torch.load_file(path, threads=threads))
else:
    state = safetensors.torch.load_file(source)
    if name == "torch.load":
        path = os.path.join(folder, "torch.pt")
        torch.save(state, path)
        del state
        loop(lambda: torch.load(path))
    if name == "safetensors":
        del state
        # The file is mapped; a sum touches every page, as a use of the weights would.
        loop(lambda: [(tensor, tensor.view(-1).view(torch.uint8)[::4096].sum()) for tensor in
                      safetensors.torch.load_file(source).values()] if kind == "load" else
             safetensors.torch.load_file(source))
    if name.startswith("h5py"):
        import h5py

        path = saved(os.path.join(folder, "source.h5"), state)
        shapes = {key: key.replace(".", "/") for key in state}
        del state

        def read():
            with h5py.File(path) as file:
                return {key: file[place][()] for key, place in shapes.items()}

        loop(read)

import zipnn  # noqa: E402

dtype = "bfloat16" if state["wte.weight"].dtype == torch.bfloat16 else "float32"
packer = zipnn.ZipNN(input_format="byte", bytearray_dtype=dtype, threads=threads)
values = [bytearray(tensor.contiguous().view(-1).view(torch.uint8).numpy().data) for tensor in state.values()]
del state
path = os.path.join(folder, "written.zipnn")


def pack_into_file():
    with open(path, "wb") as file:
        for copy in copies:
            file.write(packer.compress(copy))


def unpack_file():
    with open(path, "rb") as file:
        return [packer.decompress(file.read(size)) for size in sizes]


if kind == "save":
    # Packing changes what it is given.
    copies = []

    def prepare():
        copies[:] = [bytearray(value) for value in values]
        os.path.exists(path) and os.unlink(path)

    loop(pack_into_file if name == "zipnn" else lambda: [packer.compress(copy) for copy in copies], prepare)
packed = [packer.compress(value) for value in values]
del values
if name == "zipnn":
    with open(path, "wb") as file:
        file.writelines(packed)
    sizes = [len(value) for value in packed]
    del packed
    loop(unpack_file)
loop(lambda: [packer.decompress(value) for value in packed])
