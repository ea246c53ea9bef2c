"""Training of the explainer on cached activations; the network is not run again (LaViSE, 4.3 and 4.4)."""

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
from filterscope.eager_optimisers import AdamW, eager
from filterscope.faithful import Faithful
from filterscope.words.explaining.explainer import Explainer
from filterscope.words.explaining.losses import csmr_loss, softmax_loss
from filterscope.words.explaining.samples import ExplainerSamples, Parts

OPTIMISERS = {
    "adamw": lambda parameters, s: AdamW(parameters, lr=s.learning_rate, weight_decay=s.weight_decay),
    "dadapt_adam": lambda parameters, s: eager(dadaptation.DAdaptAdam)(parameters, lr=1.0),
}

# Losses by name: points, targets, categories, settings, negatives -> mean over the batch.
LOSSES = {
    "csmr": lambda points, targets, words, s, more=None: csmr_loss(points, targets, words, s.margin, more),
    "softmax": lambda points, targets, words, s, more=None: softmax_loss(points, targets, words, s.scale, more),
}

# Objects by which batch norm learns the statistics of Schedule-Free's weights.
RECALIBRATED = 8192

# Nearest categories among which a right token counts for the history's recall.
HISTORY_RECALL = 5


@dataclass(frozen=True)
class ExplainerSettings:
    """How the explainer is trained; see config.yaml for units and sources."""

    epochs: int = 30
    batch_size: int = 256
    optimiser: str = "adamw"
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.01
    loss: str = "csmr"
    margin: float = 1.0
    scale: float = 8.0
    power: float = 1.0
    hidden: int | None = None
    dropout: float = 0.1
    batch_norm: str = "train"
    vocabulary_negatives: int = 0
    averaging: float = 0.0
    choosing: float = 0.15
    attended: float = 0.0
    steering: ScheduleSettings | None = None  # a schedule of the temperature room, in place of the two above

    def __post_init__(self):
        if isinstance(self.steering, Mapping):
            object.__setattr__(self, "steering", ScheduleSettings.from_mapping(self.steering))
        if self.steering is not None and self.optimiser != "adamw":
            raise ValueError(f"training.optimiser is {self.optimiser!r}: only adamw follows a schedule")
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"training.optimiser is {self.optimiser!r}, should be one of {', '.join(OPTIMISERS)}")
        if self.loss not in LOSSES:
            raise ValueError(f"training.loss is {self.loss!r}, should be one of {', '.join(LOSSES)}")
        if self.schedule not in ("cosine", "constant"):
            raise ValueError(f"training.schedule is {self.schedule!r}, should be cosine or constant")

    def rate(self, done: float) -> float:
        """Learning rate of adamw when this share of the training is done; dadapt_adam finds its own."""
        falling = 0.5 * (1 + math.cos(math.pi * done)) if self.schedule == "cosine" else 1.0
        return self.learning_rate * falling

    def faithful(self, defects: Faithful) -> ExplainerSettings:
        """These settings with the switched-on defects of the reference."""
        changed = replace(self, batch_norm="frozen") if defects.frozen_batch_norm else self
        return (
            replace(changed, loss="csmr", power=1.0, hidden=None, attended=0.0) if defects.published_words else changed
        )


@dataclass
class ExplainerState:
    """Everything that a killed training needs to go on: saved after every epoch."""

    epoch: int
    model: dict
    optimiser: dict
    averaged: dict
    best_model: dict
    best_loss: float
    history: list[dict] = field(default_factory=list)


def train(
    samples: ExplainerSamples,
    validation: ExplainerSamples | None,
    categories: torch.Tensor,
    settings: ExplainerSettings,
    seed: int,
    device: torch.device | str = "cpu",
    others: torch.Tensor | None = None,
    own_rows: np.ndarray | None = None,
    resume: ExplainerState | None = None,
    save: Callable[[ExplainerState], None] | None = None,
    progress: Callable = iter,
    measured: Callable[[pd.DataFrame], None] = lambda temperatures: None,
) -> tuple[Explainer, list[dict]]:
    """Train an explainer and return it with the weights of the epoch of least validation loss, and its history.

    Without validation samples the last epoch's weights are kept, and the history's validation is that on the training
    samples. Of attended samples every epoch shows as many as there are objects, in turn. Where settings.averaging is
    not 0, those weights are running means over that many epochs (but Schedule-Free's are its own means).

    categories: [C, D] vectors of the category tokens. others: [V, D] words from which `vocabulary_negatives` are
    drawn for every batch, but for the category tokens themselves, which are its own_rows [C]. Each epoch has a
    random stream of its own, so a resumed training gives the same weights as an undisturbed one. The history's
    losses are over the categories only, so that training and validation can be compared. measured: is handed the
    temperatures of a steered training, an empty table for others.
    """
    for name, part in (("training", samples), ("validation", validation)):
        if part is not None and len(part) < 2:
            raise ValueError(f"{len(part)} {name} objects, at least 2 are needed")
    with torch.random.fork_rng(devices=_devices(device)):
        torch.manual_seed(seed)
        model = Explainer(
            samples.activations.shape[1],
            categories.shape[1],
            settings.dropout,
            settings.batch_norm == "frozen",
            settings.power,
            min(settings.hidden or samples.activations.shape[1], samples.activations.shape[1]),
        ).to(device)
        data = _to(samples, device)
        held_out = data if validation is None else _to(validation, device)
        steering = (
            _steering(model, data, _shown(samples), categories.to(device), settings) if settings.steering else None
        )
        optimiser = steering.optimiser if steering else OPTIMISERS[settings.optimiser](model.parameters(), settings)
        averaged = _averaged(model, settings, _shown(samples))
        state = resume or ExplainerState(0, {}, {}, {}, copy.deepcopy(model.state_dict()), float("inf"))
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
            order = _order(samples, epoch, data[0].device)
            loss = _train_epoch(model, averaged, optimiser, data, order, targets, pool, settings, epoch, steering)
            learnt = () if model.frozen_batch_norm else (data[0][:RECALIBRATED].to(targets.device),)
            with steering.weights_to_use(learnt) if steering else nullcontext():
                val_loss, val_recall = evaluate(shown, held_out, targets, settings)
                better = val_loss < state.best_loss or validation is None
                weights = copy.deepcopy(shown.state_dict()) if better else None
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
    best_epoch = min(state.history, key=lambda row: row["val_loss"])["epoch"] if validation else settings.epochs
    return model.eval(), [{**row, "best": row["epoch"] == best_epoch} for row in state.history]


def fit(
    parts: Parts,
    categories: torch.Tensor,
    settings: ExplainerSettings,
    seed: int,
    device: torch.device | str = "cpu",
    others: torch.Tensor | None = None,
    own_rows: np.ndarray | None = None,
    checkpoint: Callable | None = None,
    progress: Callable = iter,
    measured: Callable[[pd.DataFrame], None] = lambda temperatures: None,
) -> tuple[Explainer, list[dict]]:
    """Train on the images to learn from, choose the epoch by those that choose, then train so long on both.

    Returns the explainer and the history of the first training, by which the epoch was chosen. Where the parts have no
    samples for a second training, the weights of the best epoch are kept. checkpoint: called with samples, settings and
    the training's name ("choosing" or "final"), gives what has `load` and `save`. Other arguments and errors as for
    `train`.
    """

    def run(samples: ExplainerSamples, validation: ExplainerSamples | None, own: ExplainerSettings, phase: str):
        kept = checkpoint(samples, own, phase) if checkpoint else None
        resume, save = (kept.load(device), kept.save) if kept else (None, None)
        return train(
            samples, validation, categories, own, seed, device, others, own_rows, resume, save, progress, measured
        )

    model, history = run(parts.learn, parts.choose, settings, "choosing")
    if parts.final is None:
        return model, history
    best = next(row["epoch"] for row in history if row["best"])
    model, _ = run(parts.final, None, replace(settings, epochs=best), "final")
    return model, history


def in_words(history: list[dict]) -> str:
    """Which epoch was chosen, as a person reads it; history: of `train` or `fit`."""
    best = next(row for row in history if row["best"])
    return f"epoch {best['epoch']}, loss {best['val_loss']:.3f}"


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


def _averaged(model: Explainer, settings: ExplainerSettings, shown: int) -> AveragedModel | None:
    """Running mean of weights and batch norm statistics, which forgets all but 1/e of the past in so many epochs.

    None where it is not wanted, and for Schedule-Free, which averages itself. The first step is taken as it is.
    """
    if not settings.averaging or (settings.steering and settings.steering.method == "schedule_free"):
        return None
    steps = settings.averaging * max(1, shown / settings.batch_size)
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(math.exp(-1 / steps)), use_buffers=True)


def _to(samples: ExplainerSamples, device: torch.device | str) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples on the device; on the CPU where they would take more than half of a GPU's free memory."""
    if torch.device(device).type == "cuda" and samples.activations.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
        device = "cpu"
    return torch.from_numpy(samples.activations).to(device), torch.from_numpy(samples.targets).to(device)


def _shown(samples: ExplainerSamples) -> int:
    """How many samples an epoch shows."""
    objects = len(samples) - samples.attended
    return objects + min(samples.attended, max(objects, 1))


def _order(samples: ExplainerSamples, epoch: int, device: torch.device) -> torch.Tensor:
    """Positions of the samples that an epoch shows: all objects, and as many attended samples as there are objects."""
    objects = len(samples) - samples.attended
    count = _shown(samples) - objects
    first = ((epoch - 1) * count) % max(samples.attended, 1)
    turn = (first + torch.arange(count, device=device)) % max(samples.attended, 1)
    shown = torch.cat([torch.arange(objects, device=device), objects + turn])
    return shown[torch.randperm(len(shown), device=device)]


def _batches(order: torch.Tensor, settings: ExplainerSettings) -> list[torch.Tensor]:
    return [batch for batch in order.split(settings.batch_size) if len(batch) > 1]  # batch norm needs two


def _steering(model: Explainer, data, shown: int, categories: torch.Tensor, settings: ExplainerSettings) -> Steering:
    """A schedule that may look at the first objects before it begins."""
    activations, targets = data
    batches = _batches(torch.arange(shown, device=activations.device), settings)
    first = activations[batches[0]].to(categories.device)
    situation = Situation(
        lambda points, wanted: LOSSES[settings.loss](points, wanted, categories, settings),
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
    order,
    categories,
    pool,
    settings: ExplainerSettings,
    epoch: int,
    steering: Steering | None,
) -> float:
    model.train()
    activations, targets = data
    batches = _batches(order, settings)
    measure = LOSSES[settings.loss]
    total = 0.0
    for index, batch in enumerate(batches):
        if steering is None and settings.optimiser == "adamw":
            for group in optimiser.param_groups:
                group["lr"] = settings.rate((epoch - 1 + index / len(batches)) / settings.epochs)
        negatives = None if pool is None else pool.draw()
        wanted = targets[batch].to(categories.device)
        with steering.step() if steering else nullcontext():
            points = model(activations[batch].to(categories.device))
            loss = measure(points, wanted, categories, settings, negatives)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        if steering is not None:
            steering.advance(loss)
        if averaged is not None:
            averaged.update_parameters(model)
        if negatives is not None:
            loss = measure(points.detach(), wanted, categories, settings)
        total += loss.item() * len(batch)
    return total / sum(map(len, batches))


@torch.inference_mode()
def evaluate(
    model: Explainer, data, categories: torch.Tensor, settings: ExplainerSettings, chunk: int = 8192
) -> tuple[float, float]:
    """Loss over all categories, and the share of objects with a token among the nearest five."""
    model.eval()
    activations, targets = data
    loss, hits = 0.0, 0
    unit = torch.nn.functional.normalize(categories, dim=1)
    for inputs, wanted in zip(activations.split(chunk), targets.split(chunk), strict=True):
        inputs, wanted = inputs.to(categories.device), wanted.to(categories.device)
        points = model(inputs)
        loss += LOSSES[settings.loss](points, wanted, categories, settings).item() * len(inputs)
        nearest = (
            (torch.nn.functional.normalize(points, dim=1) @ unit.T).topk(min(HISTORY_RECALL, len(unit)), 1).indices
        )
        hits += int(wanted.gather(1, nearest).any(1).sum())
    return loss / len(activations), hits / len(activations)
