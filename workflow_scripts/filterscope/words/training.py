"""Training of the explainer on cached activations; the network is not run again (spec A4, A5)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import dadaptation
import numpy as np
import pandas as pd
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from filterscope.apt.scheduling import ScheduleSettings, Situation
from filterscope.apt.steering import Steering
from filterscope.faithful import Faithful
from filterscope.words.explainer import Explainer
from filterscope.words.losses import csmr_loss
from filterscope.words.samples import Samples

OPTIMISERS = {
    "adamw": lambda parameters, s: torch.optim.AdamW(parameters, lr=s.learning_rate, weight_decay=s.weight_decay),
    "dadapt_adam": lambda parameters, s: dadaptation.DAdaptAdam(parameters, lr=1.0),
}

# Objects by which batch norm learns the statistics of Schedule-Free's weights.
RECALIBRATED = 8192

# Nearest categories among which a right token counts for the history's recall.
HISTORY_RECALL = 5


@dataclass(frozen=True)
class TrainingSettings:
    """How the explainer is trained; see config.yaml for units and sources."""

    epochs: int = 30
    batch_size: int = 256
    optimiser: str = "adamw"
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.01
    margin: float = 1.0
    dropout: float = 0.1
    batch_norm: str = "train"
    vocabulary_negatives: int = 0
    averaging: float = 0.0
    steering: ScheduleSettings | None = None  # a schedule of the temperature room, in place of the two above

    def __post_init__(self):
        if isinstance(self.steering, Mapping):
            object.__setattr__(self, "steering", ScheduleSettings.from_mapping(self.steering))
        if self.steering is not None and self.optimiser != "adamw":
            raise ValueError(f"training.optimiser is {self.optimiser!r}: only adamw follows a schedule")
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"training.optimiser is {self.optimiser!r}, should be one of {', '.join(OPTIMISERS)}")
        if self.schedule not in ("cosine", "constant"):
            raise ValueError(f"training.schedule is {self.schedule!r}, should be cosine or constant")

    def rate(self, done: float) -> float:
        """Learning rate of adamw when this share of the training is done; dadapt_adam finds its own."""
        falling = 0.5 * (1 + math.cos(math.pi * done)) if self.schedule == "cosine" else 1.0
        return self.learning_rate * falling

    def faithful(self, defects: Faithful) -> TrainingSettings:
        """These settings with the switched-on defects of the reference."""
        return replace(self, batch_norm="frozen") if defects.frozen_batch_norm else self


@dataclass
class State:
    """Everything that a killed training needs to go on: saved after every epoch."""

    epoch: int
    model: dict
    optimiser: dict
    averaged: dict
    best_model: dict
    best_loss: float
    history: list[dict] = field(default_factory=list)


def train(
    samples: Samples,
    validation: Samples,
    categories: torch.Tensor,
    settings: TrainingSettings,
    seed: int,
    device: torch.device | str = "cpu",
    others: torch.Tensor | None = None,
    own_rows: np.ndarray | None = None,
    resume: State | None = None,
    save: Callable[[State], None] | None = None,
    progress: Callable = iter,
    measured: Callable[[pd.DataFrame], None] = lambda temperatures: None,
) -> tuple[Explainer, list[dict]]:
    """Train an explainer and return it with the weights of the epoch of least validation loss, and its history.

    Where settings.averaging is not 0, those weights are running means over that many epochs (but Schedule-Free's are
    its own means).

    categories: [C, D] vectors of the category tokens. others: [V, D] words from which `vocabulary_negatives` are
    drawn for every batch, but for the category tokens themselves, which are its own_rows [C]. Each epoch has a
    random stream of its own, so a resumed training gives the same weights as an undisturbed one. The history's
    losses are over the categories only, so that training and validation can be compared. measured: is handed the
    temperatures of a steered training, an empty table for others.
    """
    for name, part in (("training", samples), ("validation", validation)):
        if len(part) < 2:
            raise ValueError(f"{len(part)} {name} objects, at least 2 are needed")
    with torch.random.fork_rng(devices=_devices(device)):
        torch.manual_seed(seed)
        model = Explainer(
            samples.activations.shape[1],
            categories.shape[1],
            settings.dropout,
            settings.batch_norm == "frozen",
        ).to(device)
        data, held_out = (_to(part, device) for part in (samples, validation))
        steering = _steering(model, data, categories.to(device), settings) if settings.steering else None
        optimiser = steering.optimiser if steering else OPTIMISERS[settings.optimiser](model.parameters(), settings)
        averaged = _averaged(model, settings, len(samples))
        state = resume or State(0, {}, {}, {}, copy.deepcopy(model.state_dict()), float("inf"))
        if resume:
            model.load_state_dict(resume.model)
            (steering or optimiser).load_state_dict(resume.optimiser)
            if averaged is not None:
                averaged.load_state_dict(resume.averaged)
        targets = categories.to(device)
        pool = _Pool.of(others, own_rows, settings.vocabulary_negatives, device)
        shown = model if averaged is None else averaged.module
        for epoch in progress(range(state.epoch + 1, settings.epochs + 1)):
            torch.manual_seed(seed * 100003 + epoch)
            loss = _train_epoch(model, averaged, optimiser, data, targets, pool, settings, epoch, steering)
            learnt = () if model.frozen_batch_norm else (data[0][:RECALIBRATED].to(targets.device),)
            with steering.weights_to_use(learnt) if steering else nullcontext():
                val_loss, val_recall = evaluate(shown, held_out, targets, settings.margin)
                weights = copy.deepcopy(shown.state_dict()) if val_loss < state.best_loss else None
            if not np.isfinite(loss) or not np.isfinite(val_loss):
                raise ValueError(f"epoch {epoch}: the loss is {loss} in training and {val_loss} in validation")
            if weights is not None:
                state.best_loss, state.best_model = val_loss, weights
            state.history.append({"epoch": epoch, "train_loss": loss, "val_loss": val_loss, "val_recall": val_recall})
            state.epoch, state.model, state.optimiser = epoch, model.state_dict(), (steering or optimiser).state_dict()
            state.averaged = {} if averaged is None else averaged.state_dict()
            if save:
                save(state)
    measured(steering.table() if steering else pd.DataFrame())
    model.load_state_dict(state.best_model)
    best_epoch = min(state.history, key=lambda row: row["val_loss"])["epoch"]
    return model.eval(), [{**row, "best": row["epoch"] == best_epoch} for row in state.history]


@dataclass(frozen=True)
class _Pool:
    """Words that are nobody's token, to draw negatives from."""

    vectors: torch.Tensor  # [V, D]
    rows: torch.Tensor  # the words among them that may be drawn
    count: int

    @classmethod
    def of(cls, others: torch.Tensor | None, own_rows, count: int, device) -> _Pool | None:
        if others is None or not count:
            return None
        rows = np.setdiff1d(np.arange(len(others)), [] if own_rows is None else own_rows)
        return cls(others.to(device), torch.from_numpy(rows).to(device), count) if len(rows) else None

    def draw(self) -> torch.Tensor:
        drawn = torch.randint(len(self.rows), (self.count,), device=self.rows.device)
        return self.vectors[self.rows[drawn]]


def _devices(device: torch.device | str) -> list:
    return [torch.device(device)] if torch.device(device).type == "cuda" else []


def _averaged(model: Explainer, settings: TrainingSettings, objects: int) -> AveragedModel | None:
    """Running mean of weights and batch norm statistics, which forgets all but 1/e of the past in so many epochs.

    None where it is not wanted, and for Schedule-Free, which averages itself. The first step is taken as it is.
    """
    if not settings.averaging or (settings.steering and settings.steering.method == "schedule_free"):
        return None
    steps = settings.averaging * max(1, objects / settings.batch_size)
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(math.exp(-1 / steps)), use_buffers=True)


def _to(samples: Samples, device: torch.device | str) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples on the device; on the CPU where they would take more than half of a GPU's free memory."""
    if torch.device(device).type == "cuda" and samples.activations.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
        device = "cpu"
    return torch.from_numpy(samples.activations).to(device), torch.from_numpy(samples.targets).to(device)


def _batches(order: torch.Tensor, settings: TrainingSettings) -> list[torch.Tensor]:
    return [batch for batch in order.split(settings.batch_size) if len(batch) > 1]  # batch norm needs two


def _steering(model: Explainer, data, categories: torch.Tensor, settings: TrainingSettings) -> Steering:
    """A schedule that may look at the first objects before it begins."""
    activations, targets = data
    batches = _batches(torch.arange(len(activations), device=activations.device), settings)
    first = activations[batches[0]].to(categories.device)
    situation = Situation(
        lambda points, wanted: csmr_loss(points, wanted, categories, settings.margin),
        first,
        targets[batches[0]].to(categories.device),
        [first],
        settings.weight_decay,
        "adamw",
    )
    return Steering(settings.steering, model.train(), situation, settings.epochs * len(batches))


def _train_epoch(
    model,
    averaged,
    optimiser,
    data,
    categories,
    pool,
    settings: TrainingSettings,
    epoch: int,
    steering: Steering | None,
) -> float:
    model.train()
    activations, targets = data
    batches = _batches(torch.randperm(len(activations), device=activations.device), settings)
    total = 0.0
    for index, batch in enumerate(batches):
        if steering is None and settings.optimiser == "adamw":
            for group in optimiser.param_groups:
                group["lr"] = settings.rate((epoch - 1 + index / len(batches)) / settings.epochs)
        negatives = None if pool is None else pool.draw()
        wanted = targets[batch].to(categories.device)
        with steering.step() if steering else nullcontext():
            points = model(activations[batch].to(categories.device))
            loss = csmr_loss(points, wanted, categories, settings.margin, negatives)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        if averaged is not None:
            averaged.update_parameters(model)
        if negatives is not None:
            loss = csmr_loss(points.detach(), wanted, categories, settings.margin)
        total += loss.item() * len(batch)
    return total / sum(map(len, batches))


@torch.inference_mode()
def evaluate(model: Explainer, data, categories: torch.Tensor, margin: float, chunk: int = 8192) -> tuple[float, float]:
    """CSMR loss over all categories, and the share of objects with a token among the nearest five."""
    model.eval()
    activations, targets = data
    loss, hits = 0.0, 0
    unit = torch.nn.functional.normalize(categories, dim=1)
    for inputs, wanted in zip(activations.split(chunk), targets.split(chunk), strict=True):
        inputs, wanted = inputs.to(categories.device), wanted.to(categories.device)
        points = model(inputs)
        loss += csmr_loss(points, wanted, categories, margin).item() * len(inputs)
        nearest = (
            (torch.nn.functional.normalize(points, dim=1) @ unit.T).topk(min(HISTORY_RECALL, len(unit)), 1).indices
        )
        hits += int(wanted.gather(1, nearest).any(1).sum())
    return loss / len(activations), hits / len(activations)
