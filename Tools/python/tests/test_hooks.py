"""What training frameworks call: against their own classes where they are installed, else against stand-ins with the same
names."""

import contextlib
import importlib
import sys
import types

import ckpt

from .support import FolderTest, needs_torch, torch


@contextlib.contextmanager
def standing_in(path, name):
    """A module with an empty class, unless the real one is installed."""
    try:
        importlib.import_module(path)
        yield
        return
    except ImportError:
        pass
    parts = path.split(".")
    names = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    for module in names:
        sys.modules[module] = types.ModuleType(module)
        sys.modules[module].__path__ = []
    setattr(sys.modules[path], name, type(name, (), {}))
    try:
        yield
    finally:
        for module in names:
            del sys.modules[module]


@needs_torch
class Hooks(FolderTest):
    def test_lightning(self):
        with standing_in("lightning.fabric.plugins.io.checkpoint_io", "CheckpointIO"):
            from ckpt.lightning import CkptIO

            net = torch.nn.Linear(3, 2)
            state = {"state_dict": net.state_dict(), "epoch": 1, "global_step": 20, "hyper_parameters": {"lr": 0.1},
                     "optimizer_states": [torch.optim.Adam(net.parameters()).state_dict()], "loops": {"fit": {}},
                     "callbacks": {"ModelCheckpoint{'monitor': None}": {"best": torch.tensor(0.5), "path": ""}}}
            for path in ("runs/a.ckpt", "runs/a.ckz"):
                plugin = CkptIO()
                plugin.save_checkpoint(state, path)
                found = plugin.load_checkpoint(path, map_location=lambda storage, place: storage)
                self.assertEqual(str(found), str(plugin.load_checkpoint(path)))
                self.assertEqual(list(found), list(state))
                self.assertTrue(torch.equal(found["state_dict"]["weight"], net.weight))
                self.assertEqual(found["optimizer_states"], state["optimizer_states"])
                self.assertEqual(found["callbacks"], state["callbacks"])
                plugin.remove_checkpoint(path)
                with self.assertRaises(ckpt.CheckpointError):
                    plugin.load_checkpoint(path)
            with self.assertRaises(TypeError):
                plugin.save_checkpoint({"x": object()}, "b.ckpt")

    def test_transformers(self):
        with standing_in("transformers", "TrainerCallback"):
            from ckpt.transformers import SaveCallback

            net = torch.nn.Linear(3, 2)
            state = types.SimpleNamespace(global_step=7, epoch=0.5, is_world_process_zero=True)
            SaveCallback().on_save(types.SimpleNamespace(output_dir="out"), state, None, model=net)
            self.assertTrue((ckpt.load_file("out/checkpoint-7/model.ckz")["weight"] == net.weight.detach().numpy()).all())
            self.assertEqual(ckpt.open("out/checkpoint-7/model.ckz").extras, {"global_step": 7, "epoch": 0.5})
