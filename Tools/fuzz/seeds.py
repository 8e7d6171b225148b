"""What fuzzing begins with: files of Fixtures/, parts of them, and short texts; and the words of each grammar."""
import json
import pathlib
import random
import struct
import subprocess
import tempfile
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Fixtures"
MAX_SIZE = 1 << 16

FILES = {
    "pytorch": ["pytorch/*.pt", "pytorch/*.ckpt", "pickles/*.pt", "pickles/*.pdparams"],
    "npz": ["numpy/*.npz", "zip/*.npz", "pickles/*.npz"],
    "keras": ["keras/*.keras", "keras-models/*.keras"],
    "exported": ["exported/*.pt2"],
    "zip": ["zip/*", "packed/*.zip", "numpy/*.npz", "pytorch/deflated.pt"],
    "tar": ["packed/*.tar", "pytorch/*.tar.pt"],
    "legacy": ["pytorch/*legacy*.pt", "pytorch/old.tar.pt", "pickles/*legacy*.pt"],
    "compressed": ["packed/*.bz2", "packed/*.gz", "packed/*.lzma", "packed/*.xz", "packed/*.z", "packed/*.zst"],
    "hdf5": ["hdf5/*.h5", "hdf5/*/*.h5", "keras/*.h5", "keras-models/*.h5"],
    "gguf": ["gguf/*.gguf", "schemes/*.gguf"],
    "tensorflow": ["tensorflow/*.index", "tensorflow/*/*.index", "tensorflow/*/*/*.index"],
    "onnx": ["onnx/*.onnx"],
    "flax": ["flax/*.msgpack"],
    "safetensors": ["safetensors/*.safetensors", "schemes/*.safetensors"],
    "npy": ["numpy/*.npy", "pickles/*.npy"],
    "shard-index": ["safetensors/sharded/*.json", "flax/sharded/*.json"],
    "ckz": ["native/*.ckz"],
    "pack": ["native/*.ckz"],
    "patch": ["native/*.ckz"],
    "bare-pickle": ["pickles/*.pkl", "pickles/*.joblib", "pickles/*.pt", "pytorch/distributed/.metadata"],
    "scan": ["pickles/*", "pytorch/*.pt", "numpy/*.npz"],
    "distributed": ["pytorch/distributed/.metadata"],
    "json": ["*/manifest.json", "keras/*.json", "models/*.json"],
    "printed": ["pasted/*.txt", "models/*.txt", "libraries/*.txt", "libraries/timm/*.txt"],
    "description": ["models/*.json", "models/programs/*.json", "models/article.txt"],
}

TEXTS = {
    "json": [
        '{"a":[1,-2.5e3,null,true],"b":{"$real":"nan"},"c":{"$bytes":"00ff"},"d":{"$tuple":[1,"x"]}}',
        '{"$dictionary":[[1,2],["$a",{"$opaque":["C",{"m":1}]}]]}', '"\\u00e9\\ud83d\\ude00\\n"', "[]",
    ],
    "side-file": [
        "cls: [1, 4] = normal(std=0.02)", "blocks.*.gamma: [4] bfloat16 = 0.1", "fc.weight = blocks.0.weight",
        "blocks.0 = blocks.1", "attn: kdim=4, vdim=6, add_bias_kv=True", "fc: weight_norm=weight",
        "conv: spectral_norm=weight, dim=1", "class StdConv2d(Conv2d)\nclass LayerScale(Module)",
        "order: fc, conv, norm", "order blocks: 1, 0", "skip: randn(1000)", "at construction: Linear: bias=0",
        "was fc: Linear(4, 1000)", "fc <- blocks.0", "fc.bias <- blocks.0.bias[0:2]", "fc = deepcopy(blocks.0)",
    ],
    "recipe": [
        "model: m\nseed: 7\nLinear: weight=xavier_uniform, bias=0\norder: apply\ncast: float16 fc\nkeep name:fc.**",
        "seed: 1\nconstruct m as a\nskip 100\nconstruct m as b\na.fc.weight <- b.fc.weight\nwas fc: Linear(4, 9)",
        "model: m\ndtype: bfloat16\nat construction: Conv2d: weight=normal(0, 0.02)\nthen\n*.bias: bias=0.5",
    ],
    "rule": [
        "Linear: weight=kaiming_normal(mode=fan_out, nonlinearity=relu), bias=0", "name:fc.**: weight=orthogonal(gain=2)",
        "Conv2d & !/norm/: weight=trunc_normal(std=0.02, a=-2, b=2)", "*: weight=normal(0, sqrt(2 / fan_in)) * 0.5",
        "norm: weight=1, bias=uniform(-1 / sqrt(shape[0]), 0.1)", "blocks.0: weight=sparse(sparsity=0.1)",
        "BatchNorm*: weight=constant(1), running_mean=eye", "attn: in_proj_weight=dirac(groups=2)",
    ],
    "selector": ["Linear & !name:fc | /conv\\d/", "kind:Conv2d", "*.bias", "name:blocks.[01].weight", "(a | b) & c", "**"],
    "rename": ["s/a/b/g", "s|^h\\.(\\d+)\\.|layers.\\1.|", "s/[a-c]+/&&/i", "s,(?<=a)\\.,_,\ns/x/y/"],
    "slice": ["[0:2, :]", "[-1]", "[::2, 1:, -3:-1]", "[9223372036854775807:]", ":, 0"],
    "skip": ["10", "randn(1000)", "Linear(3, 4)", "rand(2, 3, dtype=float64)", "randperm(10)", "Sequential(Linear(1, 2), ReLU())"],
}

WORDS = {
    "pytorch": "PK data.pkl version byteorder torch._utils _rebuild_tensor_v2 FloatStorage storage cpu collections "
    "OrderedDict",
    "safetensors": '__metadata__ "dtype" "shape" "data_offsets" F32 BF16 F8_E4M3 F4 BOOL I64 U8 C64',
    "npy": "'descr' 'fortran_order' 'shape' True False <f4 |O >i8 |b1 <c8 |V2 \\x93NUMPY",
    "hdf5": "\\x89HDF OHDR OCHK TREE SNOD HEAP GCOL BTHD BTLF BTIN FRHP FHDB FHIB FAHD FADB EAHD EAIB EASB EADB FSHD SMTB SMLI",
    "gguf": "GGUF general.alignment general.architecture tokenizer.ggml.tokens split.count",
    "ckz": '"alias" "base" "blake3" "chunks" "cvs" "dtype" "filter" "metadata" "modules" "name" "offset" "shape" "step" '
    '"tensors" "values" raw base planes-4 rotated-planes-4 bits-2 palette-4 delta+planes-4 sparse+bits-2',
    "printed": "Linear(in_features=4, ParametrizedLinear Conv2d( BatchNorm2d( Embedding( LSTM( ModuleList( ModuleDict( "
    "ParameterList( (0): (0-11): 12\\x20x padding=(1,\\x201) bias=False kernel_size= MultiheadAttention( None",
    "description": '"modules" "tensors" "name" "class" "children" "parameters" "buffers" "shape" "dtype" "initializer" '
    '"draws" "tied" "order" "steps" "skip" "arguments"',
    "json": '$real $bytes $tuple $dictionary $opaque nan inf -inf true false null \\\\u0000 \\\\ud800 1e400 -0.0',
    "rule": "weight= bias= normal( uniform( trunc_normal( kaiming_uniform( xavier_normal( orthogonal( sparse( dirac( eye "
    "constant( ones zeros fan_in fan_out sqrt( shape[ name: kind: mode= nonlinearity= gain= std= * / ** + - abs( log(",
    "recipe": "model: seed: dtype: skip: order: apply modules rules construct cast: keep at\\x20construction: was then extra: "
    "library: <- as bfloat16",
    "side-file": "class order: skip: was deepcopy( weight_norm= spectral_norm= dim= kdim= vdim= add_bias_kv= <- = [ ] : Module",
    "onnx": "\\x0a\\x12\\x1a\\x22\\x2a external location offset length",
    "flax": "\\xc7 \\xc8 \\xc9 \\xd6 \\xde \\xdf __msgpack_chunked_array__ shape chunks float32 bfloat16",
    "pickle": "ctorch._utils\\x0a_rebuild_tensor_v2\\x0a ctorch\\x0aFloatStorage\\x0a ccollections\\x0aOrderedDict\\x0a "
    "cnumpy\\x0adtype\\x0a X\\x07\\x00\\x00\\x00storage \\x80\\x02 \\x8a\\x01 q\\x00 h\\x00 Q R b . ( t }",
}
for name, other in {
    "npz": "npy", "legacy": "pickle", "bare-pickle": "pickle", "scan": "pickle", "distributed": "pickle",
    "exported": "description", "keras": "keras-config", "pack": "ckz", "patch": "ckz", "shard-index": "safetensors",
    "recipe-json": "description",
}.items():
    WORDS[name] = WORDS.get(other, "")
WORDS["keras-config"] = WORDS["keras"] = (
    '"class_name" "config" "layers" "module" "registered_name" "build_config" "name" Dense Conv2D Functional Sequential'
)


def dictionary(name):
    """The words of a target's grammar, as libFuzzer reads them."""
    lines = []
    for word in WORDS.get(name, "").split():
        text = word.replace("\\\\", "\\x5c") if "\\\\" in word else word
        lines.append('"' + text.replace('"', '\\"') + '"')
    return "\n".join(lines) + "\n"


def seeds(name, ckpt=None):
    """The first inputs of a target, each of at most 64 KiB."""
    found = [
        path.read_bytes() for pattern in FILES.get(name, []) for path in sorted(FIXTURES.glob(pattern))
        if path.is_file() and path.suffix != ".sha256"
    ]
    found += [text.encode() for text in TEXTS.get(name, [])]
    found += MAKERS.get(name, lambda: [])()
    if ckpt and name in ("ckz", "pack", "patch"):
        found += packed(name, ckpt)
    return [data for data in found if len(data) <= MAX_SIZE]


def members(patterns, suffix):
    """Members of archives among the fixtures."""
    for pattern in patterns:
        for path in sorted(FIXTURES.glob(pattern)):
            if not zipfile.is_zipfile(path):
                continue
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    try:
                        if member.endswith(suffix):
                            yield archive.read(member)
                    except zipfile.BadZipFile:
                        continue  # torch can leave out the sums


def recipes(key):
    for case in json.loads((FIXTURES / "recipes/recipes.json").read_text()):
        if key in case:
            yield case[key].encode()


def contents():
    dice = random.Random(7)
    yield b""
    yield bytes(500)
    yield bytes(dice.randrange(256) for _ in range(300))
    yield bytes(dice.randrange(4) for _ in range(1000))
    yield b"abcabcabcabd" * 90
    yield b"".join(struct.pack("<f", dice.gauss(0, 0.02)) for _ in range(500))


def deflated():
    for content in contents():
        for level in (0, 1, 6, 9):
            for strategy in (0, 1, 2, 3, 4):
                packer = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
                yield struct.pack("<H", len(content)) + packer.compress(content) + packer.flush()


def chunks():
    dice = random.Random(8)
    for number in range(40):
        for size in (0, 40, 700):
            content = bytes(dice.randrange(256) for _ in range(size))
            yield bytes([number, size & 255, size >> 8, 0]) + content
            yield bytes([number, size // 4 & 255, 0, 1]) + zlib.compress(content)


def filtered():
    # LZ4 as HDF5 stores it: the size, that of a block, and each block after its own size.
    lz4 = struct.pack(">QII", 64, 64, 6) + b"\x1fa\x01\x00\x2a" + b"b"
    lzf = b"\x03abcd\xe0\x20\x00"
    blosc = bytes([2, 1, 0x21, 4]) + struct.pack("<III", 64, 64, 36) + struct.pack("<I", 20) + bytes(16)
    shuffled = struct.pack(">QI", 64, 64) + struct.pack(">I", 6) + b"\x1fa\x01\x00\x2ab"
    for number, body in enumerate([lzf, lz4, blosc, shuffled, b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello", zlib.compress(bytes(64))]):
        for second in range(8):
            yield bytes([number, second, 3, second % 2, 2, 4, 2, 2]) + body


def packed(name, ckpt):
    """Files of every way to store, packs, and patches from Fixtures/native/stock.ckz."""
    stock = FIXTURES / "native/stock.ckz"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def run(*words):
            done = subprocess.run([ckpt, *map(str, words)], cwd=folder, capture_output=True, text=True)
            if done.returncode > 1:
                raise SystemExit(f"fuzz: ckpt {' '.join(map(str, words))}: {done.stderr}")

        (folder / "m.txt").write_text(
            "Net(\n  (a): Linear(in_features=12, out_features=9, bias=True)\n  (b): BatchNorm1d(9, eps=1e-05, "
            "momentum=0.1, affine=True, track_running_stats=True)\n)\n")
        for seed in range(3):
            run("init", "m.txt", "--seed", seed, "-o", f"{seed}.ckz")
        run("reinit", "0.ckz", "--match", "a", "--rule", "Linear: bias=0.5", "-o", "3.ckz")
        # Floats of which a few differ in their last bits, and the same under another name.
        run("convert", stock, "4.safetensors")
        data = bytearray((folder / "4.safetensors").read_bytes())
        for index in range(len(data) - 400_000, len(data), 4000):
            data[index] ^= 1
        (folder / "5.safetensors").write_bytes(data)
        run("convert", stock, "6.ckz", "--exclude", "steps", "--rename", "s/halves/other/")
        if name == "ckz":
            for way in ("planes", "planes:fast", "planes:small", "none"):
                run("convert", "1.ckz", f"w{way[-4:]}.ckz", "--compression", way)
        elif name == "pack":
            run("pack", "0.ckz", "3.ckz", "1.ckz", "-o", "pack-1.ckz")
            run("pack", "0.ckz", "0.ckz", "-o", "pack-2.ckz")
            run("pack", "4.safetensors", "5.safetensors", "6.ckz", "-o", "pack-3.ckz")
        else:
            for number, other in enumerate(["3.ckz", "5.safetensors", "6.ckz"]):
                run("diff", stock, other, "--patch", f"patch-{number}.ckz")
        return [path.read_bytes() for path in sorted(folder.glob("*.ckz" if name == "ckz" else f"{name}-*"))]


MAKERS = {
    "pickle": lambda: list(members(FILES["pytorch"], "data.pkl")),
    "keras-config": lambda: list(members(FILES["keras"], "config.json")),
    "recipe": lambda: list(recipes("recipe")),
    "recipe-json": lambda: [
        b'{"version":2,"seed":"7","dtype":"float32","torch":"2.15 avx2","steps":[{"rules":{"order":"modules",'
        b'"rules":["Linear: weight=0"]}}]}'
    ],
    "inflate": lambda: list(deflated()),
    "chunk": lambda: list(chunks()),
    "hdf5-filter": lambda: list(filtered()),
    "snappy": lambda: [b"\x05\x10hello", b"\x40\x04ab\x4d\x02", b"\x0a\x00a\x22\x01\x00"],
}
