"""Fixtures/keras: files as Keras writes them; `make-fixtures.py keras` runs it.

Every layer of the three layout models is also built in PyTorch with the weights that are expected
of `--to-torch-layout`; both must compute the same before the expectation is written down.
"""

import json
import os
import shutil

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy as np
import torch
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

from fixtures_hdf5 import described

RNG = np.random.default_rng(50)


def randomised(model):
    """Gives every weight values of its own, moving statistics too."""
    for weight in model.weights:
        if "seed" not in weight.path:
            values = RNG.uniform(0.5, 1.5, weight.shape) if "variance" in weight.path else RNG.normal(0, 0.5, weight.shape)
            weight.assign(values.astype("float32"))
    return model


def array(weight):
    return keras.ops.convert_to_numpy(weight)


def save_legacy_weights(model, path):
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def legacy_order(model):
    """Weights by layer, trainable ones first, which is the order of the older files."""
    return [weight for layer in model.layers for weight in layer.trainable_weights + layer.non_trainable_weights]


def by_path(path, skipped=()):
    """The datasets of a file of Keras 3, sorted as people count."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)

    def key(name):
        parts = []
        for part in name.split("/"):
            base = part.rstrip("0123456789")
            parts.append((base, int(part[len(base):] or -1), part))
        return parts

    return [(name, found[name]) for name in sorted(found, key=key) if name.split("/")[0] not in skipped]


# --- Files of every kind ---------------------------------------------------------------------


class Counted(layers.Layer):
    """Twelve weights: one digit does not sort them."""

    def build(self, shape):
        self.parts = [self.add_weight(shape=(i + 1,), name="part") for i in range(12)]

    def call(self, x):
        return x * sum(keras.ops.sum(part) for part in self.parts)


def small_model(dtype="float32"):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(dtype)
    image = keras.Input((6, 6, 2), name="image")
    x = layers.Conv2D(3, 3, name="stem")(image)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(x)
    encoder = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="first"), layers.Dense(2)], name="encoder")
    x = encoder(x)
    x = layers.Dense(2, name="tête")(x)
    model = keras.Model(image, x, name="net")
    return model if dtype != "float32" else randomised(model)


def files(folder):
    """Each case: the tensors that a file holds, in order, under a key or without."""
    cases = []

    def case(name, tensors, key=None, metadata=(), layers=None, notes=()):
        cases.append({
            "file": name, "key": key, "notes": list(notes), "metadata": list(metadata), "layers": layers or {},
            "tensors": [described(tensor_name, value, dtype=str(value.dtype) if value.dtype.kind != "V" else "bfloat16")
                        for tensor_name, value in tensors]})

    def path(name):
        return os.path.join(folder, name)

    model = small_model()
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9), loss="mse")
    model.fit(np.ones((2, 6, 6, 2)), np.ones((2, 2)), verbose=0)
    model.save(path("whole.h5"))
    save_legacy_weights(model, path("weights.h5"))
    model.save_weights(path("net.weights.h5"))
    model.save(path("net.keras"))
    model.save_weights(path("sharded.weights.json"), max_shard_size=3e-7)
    names = {"stem": "stem", "batch_normalization": "batch_normalization", "encoder": "encoder", "tête": "tête"}
    legacy = [(weight.path, array(weight)) for weight in legacy_order(model)]
    state = [(weight.path, array(weight)) for weight in model.optimizer.variables]
    left = f"holds {len(state)} tensors of the optimizer too; --key %s reads them"
    case("whole.h5", legacy, layers=names, metadata=["backend", "keras_version", "model_config", "training_config"],
         notes=[left % "optimizer_weights"])
    case("whole.h5", state, key="optimizer_weights")
    case("weights.h5", legacy, layers=names, metadata=["backend", "keras_version"])
    places = {
        "": "net", "layers/input_layer": "image", "layers/conv2d": "stem", "layers/batch_normalization": "batch_normalization",
        "layers/global_average_pooling2d": "global_average_pooling2d", "layers/sequential": "encoder",
        "layers/sequential/layers/dense": "first", "layers/sequential/layers/dense_1": "dense",
        "layers/dense": "tête", "optimizer": "SGD"}
    with h5py.File(path("net.weights.h5"), "r") as file:
        places["optimizer"] = file["optimizer/vars"].attrs["name"]
    case("net.weights.h5", by_path(path("net.weights.h5"), ["optimizer"]), layers=places, notes=[left % "optimizer"])
    case("net.weights.h5", [item for item in by_path(path("net.weights.h5")) if item[0].startswith("optimizer/")],
         key="optimizer")
    case("net.keras", by_path(path("net.weights.h5"), ["optimizer"]), layers=places,
         metadata=["config.json", "metadata.json"], notes=[left % "optimizer"])
    case("sharded.weights.json", by_path(path("net.weights.h5"), ["optimizer"]), layers=places, notes=[left % "optimizer"])

    many = keras.Sequential([keras.Input((1,)), Counted(name="counted")])
    randomised(many).save_weights(path("counted.weights.h5"))
    case("counted.weights.h5", by_path(path("counted.weights.h5")), layers={"": many.name, "layers/counted": "counted"})

    half = small_model("bfloat16")
    half.save_weights(path("bfloat16.weights.h5"))
    save_legacy_weights(half, path("bfloat16.h5"))
    keras.config.set_dtype_policy("float32")
    case("bfloat16.weights.h5", by_path(path("bfloat16.weights.h5")), layers=places | {"optimizer": None})
    case("bfloat16.h5", [(weight.path, array(weight)) for weight in legacy_order(half)], layers=names,
         metadata=["backend", "keras_version"])
    tf_keras(path, case)
    for entry in cases:
        entry["layers"] = {key: value for key, value in entry["layers"].items() if value}
    return cases


def tf_keras(path, case):
    """What TensorFlow's Keras 2 writes: lists of bytes, names that end in `:0`, lists in parts."""
    values = {name: RNG.normal(0, 1, shape).astype("float32") for name, shape in [
        ("dense/kernel:0", (3, 4)), ("dense/bias:0", (4,)), ("lstm/lstm_cell/kernel:0", (4, 8)),
        ("lstm/lstm_cell/recurrent_kernel:0", (2, 8)), ("lstm/lstm_cell/bias:0", (8,)), ("kernel:0", (2, 2)),
        ("a/kernel:0", (1, 2)), ("Variable:0", (5,)), ("Adam/iter:0", ()), ("Adam/dense/kernel/m:0", (3, 4))]}
    values["Adam/iter:0"] = np.int64(7)

    def fill(group, layer, names):
        group = group.create_group(layer)
        group.attrs["weight_names"] = np.asarray([name.encode() for name in names])
        for name in names:
            group.create_dataset(name, data=values[name])

    def root(group, parts):
        for name, part in parts.items():
            group.attrs[name] = np.asarray([layer.encode() for layer in part])
        group.attrs["backend"] = np.bytes_("tensorflow")
        group.attrs["keras_version"] = np.bytes_("2.15.0")

    order = ["dense/kernel:0", "dense/bias:0", "lstm/lstm_cell/kernel:0", "lstm/lstm_cell/recurrent_kernel:0",
             "lstm/lstm_cell/bias:0"]
    kept = ["backend", "keras_version"]
    with h5py.File(path("tf-whole.h5"), "w") as file:
        file.attrs["keras_version"] = np.bytes_("2.15.0")
        file.attrs["backend"] = np.bytes_("tensorflow")
        file.attrs["model_config"] = np.bytes_(json.dumps({"class_name": "Sequential", "config": {"layers": []}}))
        weights = file.create_group("model_weights")
        root(weights, {"layer_names": ["input_1", "dense", "lstm"]})
        fill(weights, "input_1", [])
        fill(weights, "lstm", order[2:])
        fill(weights, "dense", order[:2])
        fill(weights, "top_level_model_weights", ["Variable:0"])
        fill(file, "optimizer_weights", ["Adam/iter:0", "Adam/dense/kernel/m:0"])
        weights["dense"]["forgotten"] = values["a/kernel:0"]
    case("tf-whole.h5", [(name, values[name]) for name in order + ["Variable:0"]], metadata=kept + ["model_config"],
         layers={"dense": "dense", "lstm": "lstm"}, notes=[
             "/model_weights/dense/forgotten is in no list of weights, so Keras does not read it; left out",
             "holds 2 tensors of the optimizer too; --key optimizer_weights reads them"])
    case("tf-whole.h5", [(name, values[name]) for name in ["Adam/iter:0", "Adam/dense/kernel/m:0"]],
         key="optimizer_weights")

    # Long lists in parts, one name in two layers, a name of a layer with a slash in it.
    with h5py.File(path("tf-parts.h5"), "w") as file:
        root(file, {"layer_names0": ["lstm", "one"], "layer_names1": ["two", "block/a"]})
        group = file.create_group("lstm")
        for part, names in enumerate((order[2:4], order[4:])):
            group.attrs[f"weight_names{part}"] = np.asarray([name.encode() for name in names])
        for name in order[2:]:
            group.create_dataset(name, data=values[name])
        fill(file, "one", ["kernel:0"])
        first, values["kernel:0"] = values["kernel:0"], values["kernel:0"] + 1
        fill(file, "two", ["kernel:0"])
        fill(file, "block/a", ["a/kernel:0"])
    case("tf-parts.h5", [(name, values[name]) for name in order[2:]] + [
        ("one/kernel:0", first), ("two/kernel:0", values["kernel:0"]),
        ("a/kernel:0", values["a/kernel:0"])], metadata=kept, layers={"lstm": "lstm", "one": "one", "two": "two", "a": "block/a"})

    # Scopes that are not called as their layers; the last one is that of two layers.
    own = np.random.default_rng(51)
    values |= {name: own.normal(0, 1, (2, 3)).astype("float32") for name in [
        "conv_1_1/kernel:0", "conv_1_1/bias:0", "both/a:0", "both/b:0"]}
    names = list(values)[-4:]
    with h5py.File(path("tf-scopes.h5"), "w") as file:
        root(file, {"layer_names": ["conv_1", "left", "right"]})
        fill(file, "conv_1", names[:2])
        fill(file, "left", names[2:3])
        fill(file, "right", names[3:])
    case("tf-scopes.h5", [(name, values[name]) for name in names], metadata=kept, layers={"conv_1_1": "conv_1"})

    # Without a list the datasets count in the order of their names.
    with h5py.File(path("unlisted.h5"), "w") as file:
        root(file, {"layer_names": ["dense"]})
        for name in order[:2]:
            file["dense/" + name] = values[name]
    case("unlisted.h5", [(name, values[name]) for name in ["dense/bias:0", "dense/kernel:0"]], metadata=kept,
         layers={"dense": "dense"})

    def refused(name, change):
        with h5py.File(path(f"refused-{name}.h5"), "w") as file:
            root(file, {"layer_names": ["dense"]})
            fill(file, "dense", order[:1])
            change(file, file["dense"])

    def listed(*names):
        return lambda file, group: group.attrs.create("weight_names", np.asarray(names))

    refused("absent-weight", listed(b"dense/kernel:0", b"dense/bias:0"))
    refused("way-up", listed(b"../dense/dense/kernel:0"))
    refused("numbers", lambda file, group: group.attrs.create("weight_names", np.arange(3)))
    refused("one-text", lambda file, group: group.attrs.create("weight_names", np.bytes_("dense/kernel:0")))
    refused("twice", listed(b"dense/kernel:0", b"dense/kernel:0"))
    refused("absent-layer", lambda file, group: file.attrs.create("layer_names", np.asarray([b"dense", b"other"])))


# --- Layouts -----------------------------------------------------------------------------------


def transposed(kernel):
    """A kernel with its spatial axes behind: (…, in, out) to (out, in, …)."""
    rank = kernel.ndim
    return kernel.transpose(rank - 1, rank - 2, *range(rank - 2))


def depthwise(kernel):
    """(…, in, multiplier) to (in · multiplier, 1, …)."""
    rank = kernel.ndim
    moved = kernel.transpose(rank - 2, rank - 1, *range(rank - 2))
    return moved.reshape(moved.shape[0] * moved.shape[1], 1, *moved.shape[2:])


def swapped(rows):
    """Update and reset gate of a GRU change places along the first axis."""
    z, r, h = np.split(rows, 3)
    return np.concatenate([r, z, h])


def plain(layer):
    names = ["weight", "bias"]
    return dict(zip(names, (transposed(w) if w.ndim > 1 else w for w in map(array, layer.weights))))


def normalised(layer, *names):
    return dict(zip(names, map(array, layer.weights)))


def lstm(cell, suffix=""):
    kernel, recurrent, *bias = map(array, cell.weights)
    state = {f"weight_ih_l0{suffix}": kernel.T, f"weight_hh_l0{suffix}": recurrent.T}
    if bias:
        state |= {f"bias_ih_l0{suffix}": bias[0], f"bias_hh_l0{suffix}": np.zeros_like(bias[0])}
    return state


def gru(cell, suffix=""):
    kernel, recurrent, *bias = map(array, cell.weights)
    state = {f"weight_ih_l0{suffix}": swapped(kernel.T), f"weight_hh_l0{suffix}": swapped(recurrent.T)}
    if bias:
        state |= {f"bias_ih_l0{suffix}": swapped(bias[0][0]), f"bias_hh_l0{suffix}": swapped(bias[0][1])}
    return state


def attention(layer):
    query, key, value, output = (list(map(array, part.weights)) for part in (
        layer._query_dense, layer._key_dense, layer._value_dense, layer._output_dense))
    flat = [part[0].reshape(part[0].shape[0], -1).T for part in (query, key, value)]
    state = {"in_proj_weight": np.concatenate(flat)} if len({f.shape for f in flat}) == 1 else dict(
        zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), flat))
    if len(query) > 1:
        state["in_proj_bias"] = np.concatenate([part[1].reshape(-1) for part in (query, key, value)])
    state["out_proj.weight"] = output[0].reshape(-1, output[0].shape[-1]).T
    if len(output) > 1:
        state["out_proj.bias"] = output[1]
    return state


def separable(layer):
    first, second, *bias = map(array, layer.weights)
    state = {"depthwise.weight": depthwise(first), "pointwise.weight": transposed(second)}
    return state | ({"pointwise.bias": bias[0]} if bias else {})


def convolution(layer):
    kernel, *bias = map(array, layer.weights)
    return {"weight": depthwise(kernel)} | ({"bias": bias[0]} if bias else {})


def channels_last(module):
    """A module's function on arrays whose channels are last, as Keras has them."""
    def call(x):
        axes = list(range(x.ndim))
        y = module(x.permute(0, x.ndim - 1, *axes[1:-1]))
        return y.permute(0, *range(2, y.ndim), 1)
    return call


def separable_module(n, rank, bias=True):
    kind = getattr(torch.nn, f"Conv{rank}d")
    return torch.nn.ModuleDict({
        "depthwise": kind(n, 2 * n, 3, groups=n, bias=False), "pointwise": kind(2 * n, 4, 1, bias=bias)})


def layout_models():
    """Per model: name of each layer, the layer, its input shapes, PyTorch's module, the expected state,
    and how the module is called."""
    nn = torch.nn
    conv = [
        ("dense", layers.Dense(4), [(3,)], nn.Linear(3, 4), plain, None),
        ("no_bias", layers.Dense(4, use_bias=False), [(3,)], nn.Linear(3, 4, bias=False), plain, None),
        ("conv1", layers.Conv1D(4, 3), [(7, 2)], nn.Conv1d(2, 4, 3), plain, channels_last),
        ("conv2", layers.Conv2D(4, (2, 3), groups=2), [(5, 6, 2)], nn.Conv2d(2, 4, (2, 3), groups=2), plain, channels_last),
        ("conv3", layers.Conv3D(4, (1, 2, 3), use_bias=False), [(2, 3, 4, 2)], nn.Conv3d(2, 4, (1, 2, 3), bias=False),
         plain, channels_last),
        ("up1", layers.Conv1DTranspose(4, 3), [(7, 2)], nn.ConvTranspose1d(2, 4, 3), plain, channels_last),
        ("up2", layers.Conv2DTranspose(4, (2, 3), strides=2), [(3, 4, 2)], nn.ConvTranspose2d(2, 4, (2, 3), stride=2, output_padding=0),
         plain, channels_last),
        ("up3", layers.Conv3DTranspose(3, 2), [(2, 2, 2, 2)], nn.ConvTranspose3d(2, 3, 2), plain, channels_last),
        ("depth1", layers.DepthwiseConv1D(3, depth_multiplier=2), [(7, 3)], nn.Conv1d(3, 6, 3, groups=3), convolution, channels_last),
        ("depth2", layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), [(5, 5, 3)],
         nn.Conv2d(3, 6, 3, groups=3, bias=False), convolution, channels_last),
        ("separable1", layers.SeparableConv1D(4, 3, depth_multiplier=2), [(7, 3)], separable_module(3, 1), separable, "separable"),
        ("separable2", layers.SeparableConv2D(4, 3, depth_multiplier=2, use_bias=False), [(5, 5, 3)],
         separable_module(3, 2, bias=False), separable, "separable"),
    ]
    recurrent = [
        ("lstm", layers.LSTM(3, return_sequences=True), [(4, 2)], nn.LSTM(2, 3, batch_first=True), lambda l: lstm(l.cell), "first"),
        ("lstm_bare", layers.LSTM(3, return_sequences=True, use_bias=False), [(4, 2)],
         nn.LSTM(2, 3, batch_first=True, bias=False), lambda l: lstm(l.cell), "first"),
        ("gru", layers.GRU(3, return_sequences=True), [(4, 2)], nn.GRU(2, 3, batch_first=True), lambda l: gru(l.cell), "first"),
        ("gru_bare", layers.GRU(3, return_sequences=True, use_bias=False), [(4, 2)],
         nn.GRU(2, 3, batch_first=True, bias=False), lambda l: gru(l.cell), "first"),
        ("simple", layers.SimpleRNN(3, return_sequences=True), [(4, 2)], nn.RNN(2, 3, batch_first=True), lambda l: lstm(l.cell), "first"),
        ("time_distributed", layers.TimeDistributed(layers.Dense(2)), [(4, 3)], nn.Linear(3, 2), plain, None),
    ]
    rest = [
        ("both", layers.Bidirectional(layers.GRU(3, return_sequences=True)), [(4, 2)],
         nn.GRU(2, 3, batch_first=True, bidirectional=True),
         lambda l: gru(l.forward_layer.cell) | gru(l.backward_layer.cell, "_reverse"), "first"),
        ("table", layers.Embedding(5, 3), [(4,)], nn.Embedding(5, 3), lambda l: {"weight": array(l.weights[0])}, "indices"),
        ("batch", layers.BatchNormalization(epsilon=1e-5), [(4, 4, 3)], nn.BatchNorm2d(3).eval(),
         lambda l: normalised(l, "weight", "bias", "running_mean", "running_var"), channels_last),
        ("batch_bare", layers.BatchNormalization(epsilon=1e-5, center=False, scale=False), [(4, 3)],
         nn.BatchNorm1d(3, affine=False).eval(), lambda l: normalised(l, "running_mean", "running_var"), channels_last),
        ("layer", layers.LayerNormalization(epsilon=1e-5), [(4, 3)], nn.LayerNorm(3),
         lambda l: normalised(l, "weight", "bias"), None),
        ("group", layers.GroupNormalization(2, epsilon=1e-5), [(4, 6)], nn.GroupNorm(2, 6),
         lambda l: normalised(l, "weight", "bias"), channels_last),
        ("rms", layers.RMSNormalization(epsilon=1e-6), [(4, 3)], nn.RMSNorm(3, eps=1e-6), lambda l: normalised(l, "weight"), None),
        ("slope", layers.PReLU(shared_axes=[1, 2]), [(2, 2, 3)], nn.PReLU(3), lambda l: {"weight": array(l.weights[0]).reshape(-1)},
         channels_last),
    ]
    wrapped = [
        ("both_lstm", layers.Bidirectional(layers.LSTM(2, return_sequences=True)), [(4, 2)],
         nn.LSTM(2, 2, batch_first=True, bidirectional=True),
         lambda l: lstm(l.forward_layer.cell) | lstm(l.backward_layer.cell, "_reverse"), "first"),
        ("attention", layers.MultiHeadAttention(2, 3), [(4, 6)] * 2, nn.MultiheadAttention(6, 2, batch_first=True), attention, "attention"),
        ("attention_bare", layers.MultiHeadAttention(2, 3, use_bias=False), [(4, 6), (5, 4)],
         nn.MultiheadAttention(6, 2, batch_first=True, kdim=4, vdim=4, bias=False), attention, "attention"),
    ]
    # What only the model's description tells.
    described_only = [
        ("scaled", layers.BatchNormalization(epsilon=1e-5, center=False), [(4, 3)], None, None, None),
        ("centred", layers.LayerNormalization(epsilon=1e-5, scale=False), [(4, 3)], None, None, None),
        ("named", layers.DepthwiseConv2D(2, use_bias=False), [(3, 3, 2)],
         nn.Conv2d(2, 2, 2, groups=2, bias=False), convolution, channels_last),
        ("before", layers.GRU(3, reset_after=False), [(4, 2)], None, None, None),
    ]
    return {"convolutions": conv, "recurrent": recurrent, "normalisations": rest, "wrapped": wrapped,
            "described": described_only}


def compared(name, layer, inputs, module, state, how):
    """Runs one layer in both programs."""
    module.load_state_dict({key: torch.tensor(value) for key, value in state.items()}, strict=not name.startswith("batch"))
    tensors = [torch.tensor(x) for x in inputs]
    with torch.no_grad():
        if how == "first":
            found = module(tensors[0])[0]
        elif how == "indices":
            found = module(tensors[0].long())
        elif how == "attention":
            found = module(tensors[0], tensors[1], tensors[1])[0]
        elif how == "separable":
            found = channels_last(lambda x: module["pointwise"](module["depthwise"](x)))(tensors[0])
        else:
            found = (how(module) if how else module)(tensors[0])
        wanted = array(layer(*[keras.ops.convert_to_tensor(x) for x in inputs]))
    found = found.numpy()
    assert found.shape == wanted.shape, (name, found.shape, wanted.shape)
    assert np.allclose(found, wanted, rtol=1e-5, atol=1e-5), (name, abs(found - wanted).max())


def layouts(folder):
    """Three models with every layer that has a counterpart, and what PyTorch calls their weights."""
    result = []
    for model_name, parts in layout_models().items():
        keras.utils.clear_session()
        keras.utils.set_random_seed(2)
        inputs, outputs, values = [], [], {}
        for name, layer, shapes, *_ in parts:
            layer.name = name
            own = [keras.Input(shape) for shape in shapes]
            inputs += own
            outputs.append(layer(*own))
            values[name] = [
                RNG.integers(0, 5, (2, *shape)).astype("float32") if name == "table" else
                RNG.normal(0, 1, (2, *shape)).astype("float32") for shape in shapes]
        model = randomised(keras.Model(inputs, outputs, name=model_name))
        expected = []
        for name, layer, shapes, module, mapped, how in parts:
            if name == "scaled":
                state = normalised(layer, "weight", "running_mean", "running_var")
            elif name == "centred":
                state = normalised(layer, "bias")
            elif module is None:
                continue  # PyTorch has no such layer
            else:
                state = mapped(layer)
                compared(name, layer, values[name], module, state, how)
            expected += [described(f"{name}.{key}", value) for key, value in state.items()]
        base = os.path.join(folder, model_name)
        if model_name == "described":
            model.save(base + ".keras")
            model.save(base + ".h5")
        else:
            save_legacy_weights(model, base + ".h5")
            model.save_weights(base + ".weights.h5")
        result.append({"file": model_name, "tensors": expected})
    return result


def keras_files(fixtures):
    folder = os.path.join(fixtures, "keras")
    shutil.rmtree(os.path.join(folder, "made"), ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name != "README.md":
            os.remove(os.path.join(folder, name))
    for name, cases in (("files", files(folder)), ("layouts", layouts(folder))):
        with open(os.path.join(folder, name + ".json"), "w") as out:
            json.dump({"cases": cases}, out, indent=1, ensure_ascii=False)
            out.write("\n")
