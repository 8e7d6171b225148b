"""`bench formats`: time and peak memory of ls, hash, and convert for a file of 1 GB in each format that is only read.

Data: four tensors of 256 MB in float32 (normal, as weights are), in a temporary folder (--folder) on a disk; one of
them in compressed files and archives. Each
command runs once; memory is the largest resident set, as GNU time has it. The Python that makes the
files needs torch, onnx, h5py, hdf5plugin, msgpack, joblib, safetensors, and crc32c.
"""
import argparse
import pathlib
import shutil
import struct
import subprocess
import tempfile

import numpy as np


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def bundle(arrays, prefix):
    """A TensorFlow checkpoint: one data file, and a sorted table of one block (tensor_bundle.proto)."""
    import crc32c

    def masked(data):
        sum = crc32c.crc32c(data)
        return ((sum >> 15 | sum << 17) + 0xA282EAD8) & 0xFFFFFFFF

    def block(entries):
        body, restarts = b"", []
        for key, value in entries:
            restarts.append(len(body))
            body += varint(0) + varint(len(key)) + varint(len(value)) + key + value
        restarts = restarts or [0]
        body += b"".join(struct.pack("<I", at) for at in restarts) + struct.pack("<I", len(restarts)) + b"\0"
        return body + struct.pack("<I", masked(body))

    entries, offset = [(b"", field(1, 1) + field(3, field(1, 1)))], 0
    with open(f"{prefix}.data-00000-of-00001", "wb") as data:
        for name, array in sorted(arrays.items()):
            shape = b"".join(field(2, field(1, size)) for size in array.shape)
            entry = field(1, 1) + field(2, shape) + field(4, offset) + field(5, array.nbytes)
            entries.append((name.encode(), entry + b"\x35" + struct.pack("<I", masked(memoryview(array).cast("B")))))
            data.write(array)
            offset += array.nbytes
    table = block(entries)
    handles = [varint(0) + varint(len(table) - 5)]
    for part in (block([]), block([(b"\xff", handles[0])])):
        handles.append(varint(len(table)) + varint(len(part) - 5))
        table += part
    table += (handles[1] + handles[2]).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    pathlib.Path(f"{prefix}.index").write_bytes(table)


def old_npz(arrays, path):
    """As Python before 3.11.4 wrote it: ZIP64 fields for every size."""
    import zipfile

    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array)


def folders(arrays, folder):
    """Folders whose files are parts of one checkpoint: two ranks of ZeRO 2, two of LLaMA, and a pipeline."""
    import safetensors.numpy
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    target = folder / "zero/global_step1"
    target.mkdir(parents=True)
    (folder / "zero/latest").write_text("global_step1")
    torch.save({"module": {}, "buffer_names": [], "shared_params": {}, "ds_version": "0.19.8", "frozen_param_shapes": None,
                "frozen_param_fragments": None, "param_shapes": [{name: t.shape for name, t in tensors.items()}]},
               target / "mp_rank_00_model_states.pt")
    for rank, part in enumerate(torch.cat([t.reshape(-1) for t in tensors.values()]).chunk(2)):
        torch.save({"optimizer_state_dict": {
            "zero_stage": 2, "partition_count": 2, "single_partition_of_fp32_groups": [part.clone()]}},
            target / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")
    yield "DeepSpeed ZeRO 2", folder / "zero"
    shutil.rmtree(folder / "zero")
    target = folder / "llama"
    target.mkdir()
    names = ["wq", "wk", "wv", "wo"]
    for rank in range(2):
        torch.save({f"layers.0.attention.{name}.weight": tensor.chunk(2, 1 if name == "wo" else 0)[rank].clone()
                    for name, tensor in zip(names, tensors.values())}, target / f"consolidated.{rank:02}.pth")
    (target / "params.json").write_text("{}")
    yield "LLaMA, two ranks", target
    shutil.rmtree(target)
    target = folder / "pipeline"
    for part, chosen in ("unet", list(arrays)[:3]), ("vae", list(arrays)[3:]):
        (target / part).mkdir(parents=True)
        safetensors.numpy.save_file({name: arrays[name] for name in chosen},
                                    target / part / "diffusion_pytorch_model.safetensors")
    (target / "model_index.json").write_text(
        '{"_class_name": "Pipeline", "unet": ["diffusers", "UNet2DModel"], "vae": ["diffusers", "AutoencoderKL"]}')
    yield "diffusers pipeline", target
    shutil.rmtree(target)


def packed(path, folder):
    """A file of 256 MB, compressed and in archives."""
    path = shutil.copy(path, folder / "shard.safetensors")
    for way, command in {"gz": ["gzip", "-1c"], "xz": ["xz", "-0c"], "bz2": ["bzip2", "-1c"], "zst": ["zstd", "-1c"]}.items():
        target = folder / f"shard.safetensors.{way}"
        with open(target, "wb") as file:
            subprocess.run([*command, path], stdout=file, check=True)
        yield f".{way}, 256 MB", target
    for way in "tar", "zip":
        yield f".{way}, 256 MB", shutil.make_archive(folder / "packed", way, folder, "shard.safetensors")


def made(arrays, folder):
    """Makes each file; gives its name and path."""
    import h5py
    import hdf5plugin
    import joblib
    import msgpack
    import onnx
    import safetensors.numpy
    import torch

    def tensor(name, array, data=None):
        proto = onnx.TensorProto(name=name, data_type=1, dims=array.shape)
        if data:
            proto.external_data.add(key="location", value=data)
            proto.data_location = onnx.TensorProto.EXTERNAL
        else:
            proto.raw_data = array.tobytes()
        return proto

    def model(path, tensors):
        graph = onnx.helper.make_graph([], "net", [], [], tensors)
        path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
        return path

    yield "ONNX", model(folder / "net.onnx", [tensor(name, array) for name, array in arrays.items()])
    for name, array in arrays.items():
        (folder / f"{name}.bin").write_bytes(array)
    yield "ONNX, external", model(
        folder / "external.onnx", [tensor(name, array, f"{name}.bin") for name, array in arrays.items()])
    bundle(arrays, folder / "variables")
    yield "TensorFlow bundle", folder / "variables.index"

    def extension(array):
        return msgpack.ExtType(1, msgpack.packb((array.shape, array.dtype.name, array.tobytes()), use_bin_type=True))

    path = folder / "flax.msgpack"
    path.write_bytes(msgpack.packb({"params": {name: extension(array) for name, array in arrays.items()}}))
    yield "Flax", path

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, array in arrays.items():
                setattr(self, name, torch.nn.Parameter(torch.from_numpy(array)))

        def forward(self, x):
            return sum((x * p[0, 0] for p in self.parameters()), x)

    path = folder / "net.pt2"
    torch.export.save(torch.export.export(Net(), (torch.ones(2),)), path)
    yield "torch.export", path
    path = folder / "arrays.joblib"
    joblib.dump(arrays, path)
    yield "joblib (scan)", path
    yield "joblib", path
    old_npz(arrays, folder / "old.npz")
    yield "npz of old Pythons", folder / "old.npz"
    shards = folder / "shards"
    shards.mkdir()
    for index, (name, array) in enumerate(arrays.items(), 1):
        path = shards / f"model-{index:05}-of-{len(arrays):05}.safetensors"
        safetensors.numpy.save_file({name: array}, path)
    yield "numbered shards", shards
    yield from folders(arrays, folder)
    yield from packed(path, folder)
    ways = {"lzf": {"compression": "lzf", "shuffle": True}, "lz4": hdf5plugin.LZ4(), "zstd": hdf5plugin.Zstd(),
            "bitshuffle": hdf5plugin.Bitshuffle(), "blosc": hdf5plugin.Blosc()}
    whole = arrays["w0"].shape
    for way, options in ways.items():
        for kind, chunk in ("", (min(whole[0], 512), min(whole[1], 1024))), (", one chunk each", whole):
            path = folder / f"{way}{len(kind)}.h5"
            with h5py.File(path, "w") as file:
                for name, array in arrays.items():
                    file.create_dataset(name, data=array, chunks=chunk, **dict(options))
            yield f"HDF5 {way}{kind}", path


def measured(*command):
    """Seconds, and MiB of memory, of a command; nothing where it fails."""
    # GNU time is small; a child of this process would begin with its memory.
    run = subprocess.run(
        ["/usr/bin/time", "-f", "%e %M", *(str(word) for word in command)], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    *errors, last = run.stderr.strip().splitlines()
    seconds, memory = last.split()
    return f"{float(seconds):.1f} s, {int(memory) >> 10} MiB" if run.returncode == 0 else f"failed: {errors[0][:80]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ckpt", help="the command, built for release")
    parser.add_argument("--folder", help="where the files are made")
    parser.add_argument("--rows", type=int, default=8192, help="rows and columns of each of the four tensors")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    arrays = {f"w{index}": random.standard_normal((options.rows, options.rows), dtype="f4") * np.float32(0.02)
              for index in range(4)}
    print("| file | ls | hash | convert to safetensors |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        for name, path in made(arrays, folder):
            out = folder / "out.safetensors"
            jobs = [["scan", path]] if "scan" in name else [
                ["ls", path], ["hash", path], ["convert", path, out, "--force", "--quiet"]]
            print(f"| {name} | {' | '.join(measured(options.ckpt, *job) for job in jobs)} |", flush=True)
            if name.startswith("HDF5"):
                path.unlink()


if __name__ == "__main__":
    main()
