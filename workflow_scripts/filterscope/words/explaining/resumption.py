"""An explainer's training that was killed goes on where it was."""

from __future__ import annotations

from filterscope import resumption
from filterscope.words.explaining.training import ExplainerState


class Checkpoint(resumption.Checkpoint):
    """The training's state on disk."""

    kind = ExplainerState


beside = Checkpoint.beside
