"""Training of the networks whose robustness is measured: plain, supervised, the same recipe at every capacity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from filterscope import resumption
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.eager_optimisers import AdamW


@dataclass
class ScaledState:
    """Everything that a killed training needs to go on: saved after every epoch."""

    epoch: int
    model: dict
    optimiser: dict
    history: list[dict] = field(default_factory=list)


class Checkpoint(resumption.Checkpoint):
    """The training's state on disk."""

    kind = ScaledState


def train(
    build: Callable[[], nn.Module],
    images: np.ndarray,
    labels: np.ndarray,
    settings: ScaledTrainingSettings,
    seed: int,
    device: torch.device | str = "cpu",
    resume: ScaledState | None = None,
    save: Callable[[ScaledState], None] | None = None,
    progress: Callable[[range], Iterable[int]] = iter,
) -> tuple[nn.Module, list[dict]]:
    """Build a network with weights drawn from the seed, train it by AdamW, and return it with its history.

    images: float32 [N, C, H, W] in 0 to 1; labels: int64 [N]. Every epoch has a random stream of its own, so a resumed
    training gives the same weights as an undisturbed one. Rows of the history: epoch, loss, accuracy (of the training
    samples, as they were trained on). Raises ValueError for fewer than two samples, or a loss that is not finite.
    """
    if len(images) < 2 or len(images) != len(labels):
        raise ValueError(f"{len(images)} training images and {len(labels)} labels, should be as many and at least 2")
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        network = build().to(device)
        optimiser = AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        state = resume or ScaledState(0, {}, {})
        if resume:
            network.load_state_dict(resume.model)
            optimiser.load_state_dict(resume.optimiser)
        data = torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device)
        for epoch in progress(range(state.epoch + 1, settings.epochs + 1)):
            torch.manual_seed(seed * 100003 + epoch)
            loss, accuracy = _epoch(network, optimiser, *data, settings, epoch)
            if not math.isfinite(loss):
                raise ValueError(f"epoch {epoch}: the loss is {loss}; use a smaller learning rate")
            state.history.append({"epoch": epoch, "loss": loss, "accuracy": accuracy})
            state.epoch, state.model, state.optimiser = epoch, network.state_dict(), optimiser.state_dict()
            if save:
                save(state)
    return network.eval(), state.history


def _epoch(network, optimiser, images, labels, settings: ScaledTrainingSettings, epoch: int) -> tuple[float, float]:
    network.train()
    order = torch.randperm(len(images)).to(images.device)
    batches = [batch for batch in order.split(settings.batch_size) if len(batch) > 1]  # batch norm needs two
    loss_sum, right = torch.zeros((), device=images.device), torch.zeros((), device=images.device)
    for index, batch in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate((epoch - 1 + index / len(batches)) / settings.epochs)
        scores = network(images[batch])
        loss = functional.cross_entropy(scores, labels[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        loss_sum += loss.detach() * len(batch)
        right += (scores.detach().argmax(1) == labels[batch]).sum()
    count = sum(map(len, batches))
    return float(loss_sum) / count, float(right) / count
