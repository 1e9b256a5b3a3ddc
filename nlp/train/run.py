"""A run of fine-tuning: its settings, its optimiser, its checkpoints. What one step does is in fit.py.

A checkpoint is written whole or not at all; a run resumes from it exactly, for rows, dropout and rates follow from the
seed and the step alone.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nlp.train.model import STUDENT_LAYERS, Network


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is made of; kept in its folder, and compared when it resumes."""

    steps: int = 3_200
    batch: int = 32
    rate: float = 1.5e-4
    head_factor: float = 8.0
    layer_decay: float = 0.92
    decay: float = 0.01
    warmup: int = 120
    cooldown: float = 0.35
    clip: float = 1.0
    dropout: float = 0.1
    token_dropout: float = 0.1
    average: float = 0.99
    average_every: int = 5
    seed: int = 1
    threads: int = 2
    layers: tuple[int, ...] = STUDENT_LAYERS
    bf16: bool = False


@dataclass(slots=True)
class Run:
    """A run in progress."""

    settings: Settings
    network: Network
    optimiser: torch.optim.Optimizer
    trained: list[Tensor]
    averaged: list[Tensor]
    step: int = 0
    recent: list[float] = field(default_factory=list)


def start(settings: Settings, network: Network) -> Run:
    """A run at step 0. Lower layers learn more slowly, the answers faster; the word table is frozen."""
    torch.manual_seed(settings.seed)
    depth = len(network.layers)
    parameter_groups: list[dict[str, Any]] = []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("answers"):
            factor = settings.head_factor
        elif name.startswith("layers."):
            factor = settings.layer_decay ** (depth - 1 - int(name.split(".")[1]))
        else:
            factor = settings.layer_decay**depth
        plain = parameter.ndim < 2
        parameter_groups.append(
            {"params": [parameter], "lr": 0.0, "factor": factor, "weight_decay": 0.0 if plain else settings.decay}
        )
    trained = [group["params"][0] for group in parameter_groups]
    optimiser = torch.optim.AdamW(parameter_groups, betas=(0.9, 0.98), eps=1e-6)
    return Run(settings, network, optimiser, trained, [parameter.detach().clone() for parameter in trained])


def rate_at(step: int, settings: Settings) -> float:
    """Learning rate of a step: a rise, a plateau, and a linear fall to zero over the last steps (`cooldown`).

    The plateau lets a run be made shorter or longer while it goes: resume it with another number of steps.
    """
    fall = max(1.0, settings.cooldown * settings.steps)
    return settings.rate * max(0.0, min(1.0, (step + 1) / settings.warmup, (settings.steps - step) / fall))


def with_average(run: Run) -> dict[str, Tensor]:
    """State of the network with the averaged weights in the place of the last ones."""
    names = [name for name, parameter in run.network.named_parameters() if parameter.requires_grad]
    return {**run.network.state_dict(), **dict(zip(names, run.averaged, strict=True))}


def averaged_network(run: Run) -> Network:
    """A copy of the network with the averaged weights."""
    network = Network(run.network.sizes)
    network.load_state_dict(with_average(run))
    return network


def store(run: Run, folder: Path) -> None:
    """A checkpoint, written whole or not at all."""
    partial = folder / "checkpoint.partial"
    torch.save(
        {
            "settings": json.dumps(asdict(run.settings)),
            "step": run.step,
            "trained": [parameter.detach() for parameter in run.trained],
            "averaged": run.averaged,
            "optimiser": run.optimiser.state_dict(),
        },
        partial,
    )
    partial.replace(folder / "checkpoint.pt")


def resume(run: Run, folder: Path) -> bool:
    """Go on from the checkpoint of a folder, if there is one.

    Raises:
        ValueError: it belongs to a run with other settings; only steps, precision and token dropout may differ.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return False
    saved = torch.load(path, weights_only=True)
    free = {"steps": 0, "bf16": False, "token_dropout": 0.0}  # may differ
    if json.loads(saved["settings"]) | free != json.loads(json.dumps(asdict(run.settings))) | free:
        raise ValueError(f"{path} belongs to a run with other settings. Give another --out, or delete it.")
    with torch.no_grad():
        for parameter, value in zip(run.trained, saved["trained"], strict=True):
            parameter.copy_(value)
    run.averaged = saved["averaged"]
    factors = [group["factor"] for group in run.optimiser.param_groups]
    run.optimiser.load_state_dict(saved["optimiser"])
    for group, factor in zip(run.optimiser.param_groups, factors, strict=True):
        group["factor"] = factor
    run.step = int(saved["step"])
    return True
