"""Learning rate range analyses at several moments of a training (ActCooLR, figures 3 and 4)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from torch import nn
from torch.nn import functional

from filterscope.apt import model
from filterscope.apt.learning_rates import RangeAnalysis, measure_range
from filterscope.apt.scheduling import Running, ScheduleSettings
from filterscope.eager_optimisers import SGD
from filterscope.temperature import training
from filterscope.temperature.material import TrainingMaterial
from filterscope.temperature.training import ScheduledTrainingSettings

ALL, LAST = "all layers", "last layer"


def analyse_moments(
    network: nn.Module,
    material: TrainingMaterial,
    schedule: ScheduleSettings,
    settings: ScheduledTrainingSettings,
    moments: Sequence[float],
    seed: int,
    progress: Callable = iter,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train as `training.train` does and analyse one step of plain SGD at each moment, a share of the steps.

    The learning rates are those of table 1, and beyond it where it does not show the whole curve, as schedules have it.
    The training is not disturbed: the network is put back bit for bit. Returns the points (moment, step, layers,
    learning_rate, temperature, probability, fitted) and the fits (moment, step, layers, sigma, mu, their errors,
    residual, drift, note); where no model fits, a fit has nothing but a note.
    """
    total = settings.epochs * settings.steps_per_epoch(len(material.train))
    steps = {round(moment * total): moment for moment in moments}
    loss = partial(functional.cross_entropy, label_smoothing=settings.label_smoothing)
    where = training.situation(material, settings, loss, seed)
    points, fits, first = [], [], {}

    def watch(step: int, network: nn.Module, running: Running) -> None:
        if step not in steps:
            return
        optimiser = SGD(network.parameters(), 0.1, weight_decay=settings.weight_decay)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", model.ModelWarning)  # learning rates that diverge are in the table
            analysis = measure_range(
                network, loss, where.pictures, where.labels, optimiser, samples=where.samples, widen=True
            )
        for layers in (ALL, LAST):
            temperatures = analysis.mean if layers == ALL else analysis.temperatures[:, -1]
            found = _fitted(analysis, temperatures)
            place = {"moment": steps[step], "step": step, "layers": layers}
            points.append(pd.DataFrame({**place, **_points(analysis, temperatures, found)}))
            fits.append({**place, **_numbers(found, first.get(layers))})
            if isinstance(found, model.Fit):
                first.setdefault(layers, found)

    trained = training.train(network, material, schedule, settings, seed, watch=watch, progress=progress)
    missing = [f"{moment:g}" for step, moment in steps.items() if step not in {fit["step"] for fit in fits}]
    if missing:
        raise ValueError(f"the training {trained.status} before the moments {', '.join(missing)}")
    return pd.concat(points, ignore_index=True), pd.DataFrame(fits)


def _fitted(analysis: RangeAnalysis, temperatures: np.ndarray) -> model.Fit | str:
    """The model, or why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", model.ModelWarning)  # they are in the fit's notes
        try:
            return model.fit(analysis.rates, temperatures)
        except ValueError as error:
            return str(error)


def _points(analysis: RangeAnalysis, temperatures: np.ndarray, found: model.Fit | str) -> dict:
    return {
        "learning_rate": analysis.rates,
        "temperature": temperatures,
        "probability": model.to_probability(temperatures),
        "fitted": found.probability(analysis.rates) if isinstance(found, model.Fit) else None,
    }


def _numbers(found: model.Fit | str, first: model.Fit | None) -> dict:
    names = ("sigma", "mu", "sigma_error", "mu_error", "residual")
    if isinstance(found, str):
        return {**dict.fromkeys(names), "note": found}
    notes = [*found.notes, *filter(None, [found.drift(first) if first else None])]
    values = (found.sigma, found.mu, *found.errors, found.residual)
    numbers = {name: (value if np.isfinite(value) else None) for name, value in zip(names, values, strict=True)}
    return {**numbers, "note": "; ".join(notes)}
