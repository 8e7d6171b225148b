"""Weights in any format beside the checkpoints of the Hugging Face Trainer:
`Trainer(..., callbacks=[ckpt.transformers.SaveCallback()])`."""

from __future__ import annotations

import os
from typing import Any

from transformers import TrainerCallback

from . import torch as _torch


class SaveCallback(TrainerCallback):
    """Writes the model's state dict into each checkpoint folder that the trainer saves, on the first process."""

    def __init__(self, name: str = "model.ckz", **options: Any):
        self.name, self.options = name, options

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Writes the file, with the step and the epoch as values."""
        if model is None or not state.is_world_process_zero:
            return
        folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
        os.makedirs(folder, exist_ok=True)
        extras = {"global_step": state.global_step, "epoch": state.epoch}
        _torch.save_file(model.state_dict(), os.path.join(folder, self.name), extras=extras, **self.options)
