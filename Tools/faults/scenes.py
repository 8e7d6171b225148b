"""The scenes: each command that writes, in each format."""
import pathlib

from scene import Scene

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"
FORMATS = ["safetensors", "pt", "npz", "h5", "ckz", "gguf"]
MODEL = """cat > net.txt <<'END'
Sequential(
  (0): Linear(in_features=70, out_features=30, bias=True)
  (1): BatchNorm1d(30, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
  (2): Linear(in_features=30, out_features=7, bias=True)
)
END
"""
OLD, NEW = MODEL + "ckpt init net.txt --seed 1 -o in.ckz\n", MODEL + "ckpt init net.txt --seed 2 -o in.ckz\n"


def scenes():
    yield from one_file()
    yield from several_files()
    yield from patches_and_packs()
    yield from keras()
    yield from streams()
    yield from reports()
    yield from readings()


def one_file():
    for ending in FORMATS:
        old = f"{NEW}ckpt init net.txt --seed 1 -o out.{ending}\n"
        yield Scene(f"init {ending}", old, f"init net.txt --seed 2 -o out.{ending} --force")
        yield Scene(f"init new {ending}", MODEL, f"init net.txt --seed 2 -o out.{ending}")
        yield Scene(f"convert {ending}", old, f"convert in.ckz out.{ending} --force")
        yield Scene(f"reinit in place {ending}", old, f"reinit out.{ending} --match Linear --seed 9 --in-place")
        yield Scene(f"reinit copy {ending}", f"{old}ckpt init net.txt --seed 3 -o in.{ending} --force\n",
                    f"reinit in.{ending} --match Linear --seed 9 -o out.{ending} --force")
    yield Scene("convert npy", "printf 'Linear(in_features=30, out_features=20, bias=False)' > net.txt\n"
                "ckpt init net.txt --seed 2 -o in.ckz; ckpt init net.txt --seed 1 -o out.npy\n",
                "convert in.ckz out.npy --force")
    yield Scene("convert planes h5", f"{NEW}ckpt init net.txt --seed 1 -o out.h5\n",
                "convert in.ckz out.h5 --compression gzip:1 --force")
    yield Scene("convert through a link", f"{NEW}mkdir real; ckpt init net.txt --seed 1 -o real/x.pt; ln -s real/x.pt out.pt\n",
                "convert in.ckz out.pt --force")


def several_files():
    for ending, index in (("safetensors", "m.safetensors.index.json"), ("pt", "m.pt.index.json")):
        old = f"{NEW}ckpt init net.txt --seed 1 -o old.ckz; ckpt convert old.ckz m.{ending} --shard-size 4000B\n"
        yield Scene(f"shards {ending}", old, f"convert in.ckz m.{ending} --shard-size 4000B --force", read=index)
        yield Scene(f"more shards {ending}", old, f"convert in.ckz m.{ending} --shard-size 300B --force", read=index)
        yield Scene(f"fewer shards {ending}", old, f"convert in.ckz m.{ending} --shard-size 9000B --force", read=index)
        yield Scene(f"new shards {ending}", NEW, f"convert in.ckz m.{ending} --shard-size 4000B", read=index)
        yield Scene(f"shards in place {ending}", old, f"reinit {index} --match Linear --seed 9 --in-place", read=index)
        yield Scene(f"copied shards {ending}", f"{old}mkdir to; ckpt convert in.ckz to/m.{ending} --shard-size 4000B\n",
                    f"reinit {index} --match Linear --seed 9 -o to/{index} --force", read=f"to/{index}")
    folder = f"cp -r {FIXTURES}/pytorch/distributed d; chmod -R u+w d\n"
    draw = "reinit d --match model.rows --match model.whole --rule 'model: whole=1, rows=normal' --seed 3"
    yield Scene("distributed in place", folder, f"{draw} --in-place", read="d", main="d/.metadata")
    yield Scene("distributed copy", folder, f"{draw} -o e", read="e")
    yield Scene("distributed copy over another", f"{folder}cp -r d e; ckpt {draw} --in-place\n", "reinit d --match model.whole --rule 'model: whole=2' -o e --force", read="e", main="e/.metadata")


def patches_and_packs():
    two = MODEL + "ckpt init net.txt --seed 1 -o a.ckz; ckpt reinit a.ckz --match 2 --seed 5 -o b.ckz\n"
    yield Scene("patch", two + "ckpt diff b.ckz a.ckz --patch p.ckz || true\n", "diff a.ckz b.ckz --patch p.ckz --force",
                shell="CKPT; s=$?; [ $s = 1 ] && exit 0; exit $s")
    yield Scene("apply", two + "ckpt diff a.ckz b.ckz --patch p.ckz || true; ckpt convert a.ckz out.pt\n",
                "apply a.ckz p.ckz -o out.pt --force")
    yield Scene("pack", two, "pack a.ckz b.ckz -o run.ckz")
    yield Scene("pack anew", two + "ckpt pack b.ckz -o run.ckz\n", "pack a.ckz b.ckz -o run.ckz --force")
    yield Scene("pack more", two + "ckpt pack a.ckz -o run.ckz\n", "pack b.ckz -o run.ckz", grows="run.ckz", read="run.ckz@latest")
    yield Scene("pack after a tail", two + "ckpt pack a.ckz -o run.ckz; cp run.ckz whole; head -c 3000 b.ckz >> run.ckz\n",
                "pack b.ckz -o run.ckz", grows="run.ckz", read="run.ckz@latest")
    yield Scene("unpack", two + "ckpt pack a.ckz b.ckz -o run.ckz; rm a.ckz b.ckz\n", "unpack run.ckz", is_each=True)
    yield Scene("unpack step", two + "ckpt pack a.ckz b.ckz -o run.ckz; ckpt convert a.ckz out.pt\n",
                "unpack run.ckz --step 1 -o out.pt --force")


def keras():
    weights = f"cp {FIXTURES}/keras/net.weights.h5 {FIXTURES}/keras/net.keras {FIXTURES}/keras/sharded* .; chmod u+w *\n"
    yield Scene("keras h5 in place", weights, "reinit net.weights.h5 --match Dense --rule 'Dense: kernel=normal, bias=1' --in-place")
    yield Scene("keras in place", weights, "reinit net.keras --match Dense --rule 'Dense: kernel=normal, bias=1' --in-place")
    yield Scene("keras shards in place", weights, "reinit sharded.weights.json --match Dense --rule 'Dense: kernel=normal, bias=1' --in-place",
                read="sharded.weights.json", main="sharded.weights.json")


def streams():
    for ending in FORMATS:
        yield Scene(f"to a pipe {ending}", NEW, f"convert in.ckz - --to {'hdf5' if ending == 'h5' else 'pytorch' if ending == 'pt' else ending}")
    yield Scene("from a pipe", NEW + "ckpt init net.txt --seed 1 -o out.pt\n", "convert - out.pt --force",
                shell="cat in.ckz | CKPT")
    yield Scene("from gzip", NEW + "ckpt convert in.ckz in.safetensors; gzip in.safetensors; ckpt init net.txt --seed 1 -o out.pt\n",
                "convert in.safetensors.gz out.pt --force")
    yield Scene("hash --manifest", NEW, "hash in.ckz --manifest")
    yield Scene("completions", MODEL, "completions bash")


def reports():
    two = MODEL + "ckpt init net.txt --seed 1 -o a.ckz; ckpt reinit a.ckz --match 2 --seed 5 -o b.ckz\n"
    yield Scene("report", f"{two}ckpt report a.ckz -o page.html\n", "report a.ckz b.ckz -o page.html --force")
    yield Scene("report of a run", two, "report --run a.ckz b.ckz -o page.html")


def readings():
    kinds = (("pt", f"{MODEL}ckpt init net.txt --seed 1 -o a.pt\n", "a.pt"),
             ("keras", f"cp {FIXTURES}/keras/net.keras .; chmod u+w net.keras\n", "net.keras"),
             ("distributed", f"cp -r {FIXTURES}/pytorch/distributed d; chmod -R u+w d\n", "d"))
    for kind, files, file in kinds:
        for command in ("ls", "tree", "stat", "scan", "check"):
            yield Scene(f"read {kind} by {command}", files, f"{command} {file}")
