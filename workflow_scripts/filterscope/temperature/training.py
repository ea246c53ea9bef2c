"""Training of a classifier with a schedule, its temperatures measured on the way.

The same seed gives the same weights on a CPU, whether the training was interrupted or not: the order of the samples
and all that the network draws at random derive from the seed and the epoch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from filterscope.apt import batch_norm, scheduling
from filterscope.apt.model import Fit
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.scheduling import Running, ScheduleSettings, Situation
from filterscope.temperature.endings import DIVERGED, FINISHED
from filterscope.temperature.material import SampleSplit, TrainingMaterial
from filterscope.temperature.state import RunState

_RECALIBRATED = 12_800  # samples by which Schedule-Free's batch norm is made anew


@dataclass(frozen=True)
class ScheduledTrainingSettings:
    """How long and on what batches; `every`: steps between two measurements of the temperature.

    validation: share of the training samples that hyper-parameters are chosen by. analysed: samples on which patterns
    are compared in a learning rate range analysis (ActCooLR, C: all of CIFAR-10's, 4,096 of ImageNet's). flip: whether
    pictures are mirrored at random.
    """

    epochs: int
    batch_size: int
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    flip: bool = False
    validation: float = 0.1
    every: int = 10
    analysed: int = 4096

    def steps_per_epoch(self, samples: int) -> int:
        """Batches of exactly batch_size. Raises ValueError where there is not even one."""
        if samples < self.batch_size:
            raise ValueError(
                f"batch_size is {self.batch_size}, but only {samples} samples are trained on; should be at most "
                f"{samples}"
            )
        return samples // self.batch_size


@dataclass(frozen=True, eq=False)
class Trained:
    """A training that has ended.

    history: one line an epoch; steps: learning rate and loss of each; temperatures: of each measured step and use of
    an activation; times: seconds, which are the only thing here that differs between two runs. fit: of the analysis
    before, where the schedule wanted one. status: finished, or diverged (loss or activations became NaN).
    """

    network: nn.Module
    running: Running
    status: str
    history: pd.DataFrame
    steps: pd.DataFrame
    temperatures: pd.DataFrame
    times: dict
    fit: Fit | None


def train(
    network: nn.Module,
    material: TrainingMaterial,
    schedule: ScheduleSettings,
    settings: ScheduledTrainingSettings,
    seed: int,
    resume: RunState | None = None,
    save: Callable[[RunState], None] = lambda state: None,
    progress: Callable[[Iterable], Iterator] = iter,
    watch: Callable[[int, nn.Module, Running], None] = lambda step, network, running: None,
) -> Trained:
    """Train a network on the material's device by SGD with a schedule.

    resume, save: where to go on, and what is called after every epoch. watch: called before every step and after the
    last. Raises ValueError for settings out of range, fewer samples than a batch has, and where a schedule finds no
    sigma.
    """
    network = network.to(material.device).train()
    monitor = TemperatureMonitor(network, settings.every)
    per_epoch = settings.steps_per_epoch(len(material.train))
    loss = partial(functional.cross_entropy, label_smoothing=settings.label_smoothing)
    total = per_epoch * settings.epochs
    running = scheduling.begin(schedule, network, monitor, situation(material, settings, loss, seed), total)
    state = resume or RunState()
    if resume is not None:
        network.load_state_dict(state.network)
        running.load_state_dict(state.running)
        monitor.load_state_dict(state.monitor)
    with monitor:
        for epoch in progress(range(state.epoch, settings.epochs)):
            if state.status == DIVERGED:
                break
            _one_epoch(epoch, network, material, settings, seed, running, monitor, loss, state, watch)
            _note_epoch(epoch, per_epoch, network, material, running, state)
            if epoch + 1 < settings.epochs:
                _keep(state, network, running, monitor)
                save(state)
    if state.status == FINISHED:
        watch(total, network, running)
    running.evaluate()
    if running.schedule is None:
        _recalibrate(network, material)
    return Trained(
        network.eval(),
        running,
        state.status,
        pd.DataFrame(state.epochs),
        state.steps_table(),
        state.temperature_table(),
        state.times(settings.every),
        running.fit,
    )


def situation(material: TrainingMaterial, settings: ScheduledTrainingSettings, loss: Callable, seed: int) -> Situation:
    """What a schedule may look at before it begins: the first batch, and samples to compare patterns on."""
    rows = _order(material, seed, 0)[: settings.batch_size]
    pictures = material.normalised(material.train.values[rows])
    samples = [values for values, _ in material.batches(material.train, settings.analysed)]
    return Situation(loss, pictures, material.train.labels[rows], samples, settings.weight_decay)


def evaluate(network: nn.Module, material: TrainingMaterial, split: SampleSplit) -> tuple[float | None, float]:
    """Mean cross-entropy, None where it is not finite, and the share of right labels, of a network in eval mode."""
    total, right = 0.0, 0
    network.eval()
    with torch.no_grad():
        for values, labels in material.batches(split):
            logits = network(values)
            total += functional.cross_entropy(logits, labels, reduction="sum").item()
            right += int((logits.argmax(1) == labels).sum())
    mean = total / len(split)
    return (mean if np.isfinite(mean) else None), right / len(split)


def result(
    trained: Trained, schedule: ScheduleSettings, settings: ScheduledTrainingSettings, material: TrainingMaterial
) -> dict:
    """What came of a training: the columns of `training_results` but for its names.

    material: with a test split, which is looked at here and nowhere else.
    """
    loss, accuracy = evaluate(trained.network, material, material.test)
    fit, steps = trained.fit, len(trained.steps)
    measured = trained.temperatures["step"].nunique()
    batches = -(-min(settings.analysed, len(material.train)) // settings.batch_size)
    analysis = trained.running.analysis.passes(batches) if trained.running.analysis else 0
    return {
        "method": schedule.method,
        "status": trained.status,
        "epochs": settings.epochs,
        "steps": steps,
        "settings": json.dumps(schedule.plain()),
        "sigma": fit.sigma if fit else None,
        "mu": fit.mu if fit else None,
        "val_accuracy": float(trained.history["val_accuracy"].iloc[-1]),
        "test_error": 100 * (1 - accuracy),
        "test_loss": loss,
        "passes": passes(schedule, steps, measured, analysis),
    }


def tables_of(
    trained: Trained,
    names: Mapping[str, str | int],
    schedule: ScheduleSettings,
    settings: ScheduledTrainingSettings,
    material: TrainingMaterial,
) -> dict[str, pd.DataFrame]:
    """The tables of a training, by name; names: network, samples, schedule and seed, which the results begin with."""
    device = material.device
    results = {**names, **result(trained, schedule, settings, material)}
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {
        "training_history": trained.history.assign(seed=names["seed"]),
        "training_steps": trained.steps.assign(seed=names["seed"]),
        "training_temperatures": trained.temperatures.assign(seed=names["seed"]),
        "training_results": pd.DataFrame([results]),
        "training_times": pd.DataFrame([{**names, "device": kind, **trained.times}]),
    }


def passes(schedule: ScheduleSettings, steps: int, measured: int, analysis: int) -> int:
    """Passes of a batch through the network that a training costs; a backward pass counts for two forward ones.

    Measurements count only for schedules that follow them. analysis: passes of the one before, 0 without one.
    """
    return 3 * steps + (measured if schedule.method in scheduling.STEERED else 0) + analysis


def _order(material: TrainingMaterial, seed: int, epoch: int) -> Tensor:
    """Rows of the training split in this epoch's order."""
    generator = torch.Generator().manual_seed(_epoch_seed(seed, epoch))
    return torch.randperm(len(material.train), generator=generator).to(material.device)


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


def _one_epoch(epoch, network, material, settings, seed, running, monitor, loss, state, watch) -> None:
    """All steps of an epoch; stops at the first measurement that shows NaN."""
    network.train()
    running.train()
    rows = _order(material, seed, epoch)
    count = settings.steps_per_epoch(len(rows))
    mirrored = torch.Generator().manual_seed(_epoch_seed(seed, epoch) + 1)
    losses = []
    began = time.perf_counter()
    devices = [material.device] if material.device.type == "cuda" else []
    with torch.random.fork_rng(devices):  # dropout
        torch.manual_seed(_epoch_seed(seed, epoch))
        for place in range(count):
            watch(epoch * count + place, network, running)
            batch = rows[place * settings.batch_size :][: settings.batch_size]
            pictures = material.normalised(material.train.values[batch])
            if settings.flip:
                pictures = _mirrored(pictures, mirrored)
            if monitor.due:
                _settle(material.device)
            started = time.perf_counter()
            with monitor.step():
                value = loss(network(pictures), material.train.labels[batch])
                running.optimiser.zero_grad(set_to_none=True)
                value.backward()
                running.optimiser.step()
            state.rates.append(running.rate)  # Schedule-Free tells its own after the step
            losses.append(value.detach())
            if monitor.reading is not None:
                if not state.note(monitor, value):
                    state.status = DIVERGED
                    break
                state.measuring_seconds += time.perf_counter() - started
            running.advance(value.detach())
    state.losses += torch.stack(losses).cpu().tolist()
    if not np.isfinite(state.losses[-1]):
        state.status = DIVERGED
    state.seconds += time.perf_counter() - began


def _settle(device: torch.device) -> None:
    """Wait for the steps that a GPU still has to do: their seconds are not those of the measurement that follows."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _mirrored(pictures: Tensor, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(len(pictures), generator=generator).to(pictures.device) < 0.5
    return torch.where(chosen[:, None, None, None], pictures.flip(3), pictures)


def _note_epoch(
    epoch: int, per_epoch: int, network, material: TrainingMaterial, running: Running, state: RunState
) -> None:
    """A line of the history: the network as it would be used now."""
    running.evaluate()
    saved = None
    if running.schedule is None:  # statistics of the averaged weights, for the evaluation only
        saved = {name: value.clone() for name, value in network.named_buffers()}
        _recalibrate(network, material)
    loss, accuracy = evaluate(network, material, material.validation)
    if saved is not None:
        for name, value in network.named_buffers():
            value.copy_(saved[name])
    running.train()
    own = state.losses[epoch * per_epoch :]
    mean = float(np.mean(own))
    state.epochs.append(
        {
            "epoch": epoch + 1,
            "step": len(state.rates),
            "train_loss": mean if np.isfinite(mean) else None,
            "val_loss": loss,
            "val_accuracy": accuracy,
        }
    )
    state.epoch = epoch + 1


def _recalibrate(network: nn.Module, material: TrainingMaterial) -> None:
    batches = (values for values, _ in material.batches(material.train, _RECALIBRATED))
    batch_norm.recalibrate(network, batches)


def _keep(state: RunState, network: nn.Module, running: Running, monitor: TemperatureMonitor) -> None:
    state.network, state.running, state.monitor = network.state_dict(), running.state_dict(), monitor.state_dict()
