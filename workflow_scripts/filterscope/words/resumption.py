"""Checkpoints of explainers' trainings."""

from __future__ import annotations

from pathlib import Path

from filterscope import resumption
from filterscope.resumption import INTERVAL
from filterscope.words.training import State

__all__ = ["INTERVAL", "Checkpoint", "beside"]


class Checkpoint(resumption.Checkpoint):
    """The state of an explainer's training on disk."""

    state = State


def beside(path: str | Path, *parts) -> Checkpoint:
    """The checkpoint beside an explainer's weights, for a training on these arrays, settings and seeds."""
    return resumption.beside(path, Checkpoint, *parts)
