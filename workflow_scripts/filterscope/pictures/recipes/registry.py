"""Activation maximisation: all recipes behind one interface, many pictures as one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from filterscope.pictures.recipes.ascent import Chance, Optimised, Report, at_input_size
from filterscope.pictures.recipes.fourier import Fourier
from filterscope.pictures.recipes.maco import Maco
from filterscope.pictures.recipes.objectives import Goal
from filterscope.pictures.recipes.octaves import Octaves
from filterscope.pictures.recipes.plain import Plain
from filterscope.pictures.recipes.upscale import Upscale
from filterscope.pictures.recipes.vital import Vital


class Recipe(Protocol):
    """How pictures are optimised. Each is a frozen dataclass of its settings."""

    @property
    def total_steps(self) -> int:
        """Steps of one picture."""

    @property
    def compares(self) -> bool:
        """Whether it compares pictures with photographs, which the goal must then have."""

    def maximise(
        self, goal: Goal, chance: Chance, starts: Tensor | None = None, report: Report | None = None
    ) -> Optimised:
        """Optimise one picture for each target of the goal; starts: pictures [B, 3, h, w], 0 to 1."""


RECIPES: dict[str, Callable[..., Recipe]] = {
    "upscale": Upscale,
    "octaves": Octaves,
    "fourier": Fourier,
    "maco": Maco,
    "vital": Vital,
    "plain": Plain,
}


def recipe(settings: Mapping) -> Recipe:
    """The recipe that an entry of `recipes` describes. Raises ValueError for a name or setting that is not known."""
    rest = dict(settings)
    method = rest.pop("method", None)
    if method not in RECIPES:
        raise ValueError(f"recipe method is {method!r}, should be one of {', '.join(RECIPES)}")
    try:
        return RECIPES[method](**rest)
    except TypeError as error:
        raise ValueError(f"recipe {method}: {error}") from error


@dataclass
class Maximised:
    """Outcome for every target: `optimised`, and the activation of the finished picture as the network's input [B]."""

    optimised: Optimised
    activation: Tensor


def maximise(
    goal: Goal,
    recipe: Recipe,
    seeds: Sequence[int],
    starts: Tensor | None = None,
    chunk: int | None = None,
    report: Report | None = None,
) -> Maximised:
    """Optimise a picture for every target of the goal, `chunk` at a time (None: all at once).

    seeds: one per picture; a picture depends on its own only, so chunks bound memory and change nothing else but how
    layers round, see `ascent`.
    """
    if len(seeds) != len(goal):
        raise ValueError(f"there are {len(seeds)} seeds for {len(goal)} pictures")
    parts, activations = [], []
    for first in range(0, len(goal), chunk or len(goal)):
        which = slice(first, first + (chunk or len(goal)))
        own = goal.part(which)
        chance = Chance(seeds[which], goal.device)
        done = recipe.maximise(own, chance, None if starts is None else starts[which], report)
        activations.append(at_input_size(own, done.pictures).cpu())
        done.pictures = done.pictures.cpu()
        parts.append(done)
    joined = Optimised(
        torch.cat([part.pictures for part in parts]),
        [status for part in parts for status in part.status],
        [note for part in parts for note in part.notes],
        torch.cat([part.history for part in parts], 1),
    )
    return Maximised(joined, torch.cat(activations))


def reached(goal: Goal, pictures: Tensor, chunk: int) -> Tensor:
    """Activations [B] of given pictures float [B, 3, S, S], 0 to 1, as the network's input, `chunk` at a time."""
    parts = [slice(first, first + chunk) for first in range(0, len(goal), chunk)]
    return torch.cat([at_input_size(goal.part(part), pictures[part].to(goal.device)).cpu() for part in parts])
