"""Modules whose printed text hides something, or whose class is not PyTorch's; used by make-fixtures.py.

Fields as in goldens/modules.json (see goldens/SCHEMA.md), and `extra`: the lines of a side file that
say what is hidden; `near`: tensors whose last bits are not promised.
"""

import hashlib
import warnings

CASES = [
    # (constructor, dtype, side file, near)
    ("nn.MultiheadAttention(12,3,kdim=12,vdim=5,bias=False)", "float32", ": vdim=5", []),
    ("nn.MultiheadAttention(6,2,add_bias_kv=True)", "float32", ": add_bias_kv=True", []),
    ("nn.MultiheadAttention(20,2,kdim=3,add_bias_kv=True)", "float64", ": kdim=3, add_bias_kv=True", []),
    ("nn.MultiheadAttention(16,2,vdim=7,add_bias_kv=True)", "bfloat16", ": vdim=7, add_bias_kv=True", []),
    ("shared()", "float32", "c.1 = a", []),
    ("shared_blocks()", "float32", "dec.emb = enc.emb\nhead.weight = enc.emb.weight", []),
    ("P.weight_norm(nn.Linear(37,9))", "float32", "", []),
    ("P.weight_norm(nn.Linear(300,7))", "bfloat16", "", []),
    ("P.weight_norm(nn.Linear(70,33))", "float64", "", []),
    ("P.weight_norm(nn.Conv2d(3,16,5,bias=False))", "float32", "", []),
    ("P.weight_norm(nn.ConvTranspose1d(5,8,3))", "float32", "", []),
    ("P.weight_norm(P.weight_norm(nn.LSTM(3,4),'weight_ih_l0'),'weight_hh_l0')", "float32", "", []),
    ("nn.Sequential(P.weight_norm(nn.Linear(7,3)),nn.ReLU(),nn.Linear(3,15))", "float32", "", []),
    ("N.weight_norm(nn.Conv1d(8,16,7))", "float32", ": weight_norm=weight", []),
    ("N.weight_norm(nn.LSTM(3,5),'weight_hh_l0')", "float32", ": weight_norm=weight_hh_l0", []),
    ("nn.Sequential(N.weight_norm(nn.Linear(13,6)),nn.Linear(6,2))", "float32", "0: weight_norm=weight", []),
    ("N.spectral_norm(nn.Linear(5,4))", "float32", ": spectral_norm=weight", []),
    ("N.spectral_norm(nn.Conv2d(3,20,3))", "float32", ": spectral_norm=weight", []),
    ("N.spectral_norm(nn.ConvTranspose2d(3,17,2))", "float32", ": spectral_norm=weight", []),
    ("nn.Sequential(N.spectral_norm(nn.Linear(5,3)),nn.Embedding(2,3))", "float32", "0: spectral_norm=weight", []),
    ("P.spectral_norm(nn.Linear(40,20))", "float32", "",
     ["parametrizations.weight.0._u", "parametrizations.weight.0._v"]),
    ("P.spectral_norm(nn.ConvTranspose2d(3,4,2))", "float32", "",
     ["parametrizations.weight.0._u", "parametrizations.weight.0._v"]),
    ("nn.PReLU(3,init=0.3)", "bfloat16", ": init=0.3", []),
    ("nn.ParameterDict({'a':nn.Parameter(torch.randn(3,7)),'b':nn.Parameter(torch.rand(5)*0.2-0.1)})",
     "float32", "a: [3, 7] = normal\nb: [5] = uniform * 0.2 - 0.1", []),
    ("nn.ParameterList([nn.Parameter(torch.randn(40)/7+1)])", "bfloat16", "0: [40] = normal / 7 + 1", []),
    ("nn.AdaptiveLogSoftmaxWithLoss(20,200,[20,100],div_value=3.0,head_bias=True)", "float32", "", []),
    ("bare()", "float32", "token: [1, 1, 8] = trunc_normal(std=0.02)\nscale: [] = 2.5", []),
    ("Conv1D(24,8)", "float32", "", []),
    ("Conv1D(5,3)", "bfloat16", "", []),
    ("FrozenBatchNorm2d(6)", "float32", "", []),
    ("Conv2dSame(3,8,3,stride=2)", "float32", "", []),
    ("UpConvTranspose(4,6,2)", "float32", "", []),
    ("BatchNormAct2d(5)", "float32", "", []),
    ("LlamaRMSNorm(16)", "float32", "", []),
    ("LayerNorm2d(9)", "float32", "", []),
    ("LearnedEmbedding(11,4,padding_idx=2)", "float32", "", []),
    ("GroupNorm1(1,8)", "float32", "", []),
    ("P.weight_norm(nn.Conv1d(6,8,5,groups=2),dim=2)", "float32", ": weight_norm=weight, dim=2", []),
    ("P.weight_norm(nn.Linear(20,7),dim=1)", "bfloat16", ": weight_norm=weight, dim=1", []),
    ("P.weight_norm(nn.Conv2d(3,5,4),dim=1)", "float32", ": weight_norm=weight, dim=1", []),
    ("P.weight_norm(nn.Conv2d(3,5,4),dim=2)", "float32", ": weight_norm=weight, dim=2", []),
    ("P.weight_norm(nn.Conv3d(3,5,2),dim=4)", "float64", ": weight_norm=weight, dim=4", []),
    ("nn.Sequential(P.weight_norm(nn.Linear(33,9),dim=None),nn.Linear(9,2))", "float32", "0: weight_norm=weight, dim=None", []),
    ("N.weight_norm(nn.Conv1d(8,16,7),dim=2)", "float32", ": weight_norm=weight, dim=2", []),
    ("N.weight_norm(nn.ConvTranspose2d(4,6,3),dim=1)", "float32", ": weight_norm=weight, dim=1", []),
    ("N.weight_norm(nn.Linear(70,33),dim=None)", "float32", ": weight_norm=weight, dim=None", []),
    ("nn.Sequential(N.weight_norm(nn.Linear(5,5),dim=1),nn.Linear(5,5))", "float16", "0: weight_norm=weight, dim=1", []),
]


def scope():
    import torch
    from torch import nn
    from torchvision.ops import FrozenBatchNorm2d
    from transformers.models.llama.modeling_llama import LlamaRMSNorm
    from transformers.pytorch_utils import Conv1D

    class Conv2dSame(nn.Conv2d): pass
    class UpConvTranspose(nn.ConvTranspose1d): pass
    class LayerNorm2d(nn.LayerNorm): pass
    class LearnedEmbedding(nn.Embedding): pass
    class GroupNorm1(nn.GroupNorm): pass

    class BatchNormAct2d(nn.BatchNorm2d):
        def __init__(self, n):
            super().__init__(n)
            self.act = nn.ReLU()

    class Net(nn.Module):
        def __init__(self, **children):
            super().__init__()
            for name, child in children.items():
                setattr(self, name, child)

    def shared():
        linear = nn.Linear(5, 5)
        return Net(a=linear, b=nn.Linear(5, 3), c=nn.Sequential(nn.ReLU(), linear))

    def shared_blocks():
        table = nn.Embedding(7, 4)
        net = Net(enc=Net(emb=table, fc=nn.Linear(4, 4)), dec=Net(emb=table), head=nn.Linear(4, 7, bias=False))
        net.head.weight = table.weight
        return net

    def bare():
        net = Net()
        net.token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, 8), std=0.02))
        net.scale = nn.Parameter(torch.tensor(2.5))
        net.fc = nn.Linear(3, 3)
        return net

    names = dict(locals())
    names.update(nn=nn, torch=torch, N=nn.utils, P=nn.utils.parametrizations)
    return names


def cases():
    import torch

    names = scope()
    warnings.simplefilter("ignore")
    result = []
    for number, (code, dtype, extra, near) in enumerate(CASES):
        seed = 30000 + number
        torch.set_default_dtype(getattr(torch, dtype))
        torch.manual_seed(seed)
        model = eval(code, names)
        state = torch.get_rng_state().numpy().tobytes()
        cached = state[5024:5032].hex() if state[5040] else None
        high = [int(w) for w in torch.empty(2, dtype=torch.int64).random_(-(2**63), None)]
        words = [f"{(w >> s) & 0xffffffff:08x}" for w in high for s in (32, 0)]
        torch.set_default_dtype(torch.float32)
        tensors, places = [], {}
        for name, tensor in model.state_dict().items():
            raw = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            record = {"name": name, "dtype": str(tensor.dtype)[6:], "shape": list(tensor.shape),
                      "sha256": hashlib.sha256(raw).hexdigest()}
            if name in near:
                record["values"] = tensor.double().reshape(-1).tolist()
            tensors.append(record)
            places.setdefault(tensor.untyped_storage().data_ptr(), []).append(name)
        case = {"id": f"x{number:02d}", "code": code, "repr": str(model), "seed": seed, "dtype": dtype,
                "extra": extra, "construct": {"tensors": tensors, "rng_after": {
                    "next_u32": words, "cached_normal_f64_le": cached}}}
        shared = [place for place in places.values() if len(place) > 1]
        if shared:
            case["shared"] = shared
        result.append(case)
    return result


DESCRIBED = {
    "gpt2": "transformers:GPT2LMHeadModel(GPT2Config(n_layer=1,n_embd=16,n_head=2,vocab_size=30,"
            "n_positions=12,bos_token_id=1,eos_token_id=2))",
    "swin": "torchvision.models.swin_transformer:SwinTransformer([2,2],16,[1,2],[2,2],[3,3],num_classes=5)",
    "transformer": "torch.nn:Transformer(8,2,2,2,16)",
}


def descriptions(folder):
    """models/NAME.json: descriptions by describe.py, and models/NAME.sums: torch's own digests."""
    import torch
    import describe

    for name, target in DESCRIBED.items():
        text, unknown = describe.describe(target)
        assert not unknown, unknown
        (folder / f"{name}.json").write_text(text)
        torch.manual_seed(7)
        lines = []
        for key, tensor in describe.builder(target)().state_dict().items():
            lines.append(f"{hashlib.sha256(describe.raw_bytes(tensor)).hexdigest()}  {key}")
        (folder / f"{name}.sums").write_text("\n".join(lines) + "\n")
