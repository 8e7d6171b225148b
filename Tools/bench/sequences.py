"""`sequences.py`: a run of checkpoints in one pack, beside plain `.ckz` files and z4ai's deltas.

A small CNN and a small transformer are trained here, by Adam and by SGD with momentum, in float32 and in bfloat16; every 50
steps all of it is saved, weights and optimizer. A plain `.ckz` holds one checkpoint; z4ai packs the first checkpoint with its
`compress`, and each other as a delta of the safetensors file before it (`model_delta`). What a pack holds is compared with
what was saved. Sizes are in relation to the tensors.

usage: PYTHON sequences.py [--ckpt CKPT] [--saves 9] [--only TEXT]    PYTHON has torch, safetensors, and z4ai
"""
import argparse
import pathlib
import subprocess
import tempfile

from programs import built


def net(kind):
    import torch
    nn = torch.nn
    if kind == "cnn":
        return nn.Sequential(
            nn.Conv2d(3, 96, 3, padding=1), nn.ReLU(), nn.Conv2d(96, 192, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4),
            nn.Conv2d(192, 256, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(1024, 10))
    layer = nn.TransformerEncoderLayer(192, 4, 768, dropout=0, batch_first=True)
    return nn.Sequential(nn.Embedding(2000, 192), nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), nn.Linear(192, 2000))


def saved(kind, optimizer, dtype, saves):
    """Trains, and yields what is saved every 50 steps."""
    import torch
    torch.manual_seed(0)
    model = net(kind).to(dtype)
    base, successors = torch.randn(10, 3, 16, 16), torch.randint(2000, (2000, 3))
    optimizer = optimizer(model.parameters())
    for step in range(50 * saves):
        if kind == "cnn":
            target = torch.randint(10, (32,))
            output = model((base[target] + 0.7 * torch.randn(32, 3, 16, 16)).to(dtype))
        else:
            # Words in the order of a power law, each followed by one of three.
            first = (2000 * torch.rand(8, 32) ** 3).long()
            target = successors[first, torch.randint(3, first.shape)].flatten()
            output = model(first).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(output.float(), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 49:
            yield {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1, "loss": loss.item()}


def tensors(checkpoint):
    state = {f"optimizer.{number}.{name}": value for number, values in checkpoint["optimizer"]["state"].items()
             for name, value in values.items()}
    return {name: tensor.clone().contiguous() for name, tensor in (checkpoint["model"] | state).items() if tensor is not None}


def sequence(ckpt, folder, kind, optimizer, dtype, saves):
    import safetensors.torch
    import torch
    import z4ai
    from z4ai import model_delta
    sizes, files, before = dict.fromkeys(("tensors", "plain", "pack", "z4ai", "z4ai deltas"), 0), [], None
    for number, checkpoint in enumerate(saved(kind, optimizer, dtype, saves)):
        file, plain = folder / f"step{checkpoint['step']:04}.pt", folder / "plain.ckz"
        torch.save(checkpoint, file)
        files.append(file)
        all = tensors(checkpoint)
        sizes["tensors"] += sum(tensor.nbytes for tensor in all.values())
        subprocess.run([ckpt, "convert", "--all", "--force", "--quiet", file, plain], check=True)
        sizes["plain"] += plain.stat().st_size
        data = safetensors.torch.save(all)
        alone = len(z4ai.compress(data, dtype={torch.float32: "fp32", torch.bfloat16: "bf16"}[dtype], threads=1))
        sizes["z4ai"] += alone
        sizes["z4ai deltas"] += min(alone, len(model_delta.compress(data, before))) if before else alone
        before = data
    pack = folder / "run.ckz"
    subprocess.run([ckpt, "pack", "--force", "--quiet", *files, "-o", pack], check=True)
    sizes["pack"] = pack.stat().st_size
    for number, file in enumerate(files):
        # The whole files, compared by the fingerprints of all their tensors.
        subprocess.run([ckpt, "unpack", pack, "--step", str(number), "-o", folder / "back.ckz", "--force", "--quiet"], check=True)
        subprocess.run([ckpt, "convert", "--all", "--force", "--quiet", file, folder / "plain.ckz"], check=True)
        subprocess.run([ckpt, "diff", "--quiet", "--values", folder / "back.ckz", folder / "plain.ckz"], check=True)
    for file in files:
        file.unlink()
    return sizes


def main():
    import torch
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", type=pathlib.Path)
    parser.add_argument("--saves", type=int, default=9)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    ckpt = options.ckpt or built()
    optimizers = {
        "Adam 1e-3": lambda p: torch.optim.Adam(p, 1e-3), "Adam 1e-4": lambda p: torch.optim.Adam(p, 1e-4),
        "SGD 1e-2": lambda p: torch.optim.SGD(p, 1e-2, momentum=0.9),
    }
    names = ["plain", "pack", "z4ai", "z4ai deltas"]
    print(f"{'stored / size':32}{'MB':>8}" + "".join(f"{name:>13}" for name in names))
    for kind in "transformer", "cnn":
        for name, optimizer in optimizers.items():
            for dtype in torch.float32, torch.bfloat16:
                title = f"{kind}, {name}, {str(dtype)[6:]}"
                if options.only not in title:
                    continue
                with tempfile.TemporaryDirectory(prefix="ckpt-bench-") as folder:
                    sizes = sequence(ckpt, pathlib.Path(folder), kind, optimizer, dtype, options.saves)
                row = "".join(f"{sizes[name] / sizes['tensors']:13.3f}" for name in names)
                print(f"{title:32}{sizes['tensors'] / 1e6:8.1f}{row}", flush=True)


if __name__ == "__main__":
    main()
