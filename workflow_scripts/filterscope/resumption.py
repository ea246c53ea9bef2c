"""A training, or a row of measurements, that was killed goes on where it was; one that has changed starts anew.

The checkpoint lies beside the weights but is no declared output: Snakemake deletes those before a job starts.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from filterscope.job import LOGGER
from filterscope.tables import replacing

# Seconds between two saves: a large checkpoint takes longer to write than an epoch.
INTERVAL = 5.0


@dataclass
class Checkpoint:
    """A training's state on disk, valid for one digest of its data and settings; rooms name their kind of state."""

    kind: ClassVar[type]  # a dataclass with a field `epoch`

    path: Path
    digest: str
    interval: float = INTERVAL
    _saved: float = field(default_factory=time.monotonic)
    _took: float = 0.0  # seconds of the last save: on a busy disk many

    def save(self, state) -> None:
        """Save the state, at most once per interval, and for no more than a tenth of the time; with an interval of 0
        always."""
        if self.interval and time.monotonic() - self._saved < max(self.interval, 9 * self._took):
            return
        begun = time.monotonic()
        with replacing(self.path) as temporary:
            values = {each.name: getattr(state, each.name) for each in fields(state)}
            torch.save({"digest": self.digest, **values}, temporary)
        self._saved = time.monotonic()
        self._took = self._saved - begun

    def load(self, device: torch.device | str = "cpu"):
        """The saved state, or None where there is none for just this training."""
        if not self.path.exists():
            return None
        try:
            saved = torch.load(self.path, map_location=device, weights_only=True)
        except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
            LOGGER.warning("%s cannot be read (%s): training starts anew", self.path.name, error)
            return None
        known = {"digest", *(each.name for each in fields(self.kind))}
        if not isinstance(saved, dict) or set(saved) != known or saved.pop("digest") != self.digest:
            LOGGER.info("%s belongs to other data or settings: training starts anew", self.path.name)
            return None
        state = self.kind(**saved)
        LOGGER.info("going on after epoch %d", state.epoch)
        return state

    def remove(self) -> None:
        """The training is finished."""
        self.path.unlink(missing_ok=True)

    @classmethod
    def beside(cls, path: str | Path, *parts):
        """The checkpoint beside a file of weights, for a training on these arrays, settings and seeds."""
        path = Path(path)
        digest = hashlib.sha256()
        for part in parts:
            if isinstance(part, np.ndarray):
                digest.update(str((part.shape, part.dtype)).encode())
                digest.update(np.ascontiguousarray(part).data)
            else:
                digest.update(repr(astuple(part) if hasattr(part, "__dataclass_fields__") else part).encode())
        return cls(path.with_name(f".{path.name}.checkpoint"), digest.hexdigest())


class Journal:
    """What a job has measured so far, by name, on disk; valid for one digest of its grounds.

    It lies beside the result but is no declared output, as a checkpoint is not.
    """

    def __init__(self, path: str | Path, *parts, things: str = "measurements"):
        """parts: what the measurements rest on, told apart by their repr. things: what they are called in the log."""
        self.path, self.found = Path(path), {}
        self.digest = hashlib.sha256(repr(parts).encode()).hexdigest()
        if not self.path.exists():
            return
        try:
            saved = json.loads(self.path.read_text(encoding="utf-8"))
            digest, found = saved["digest"], dict(saved["found"])
        except (ValueError, TypeError, KeyError) as error:
            LOGGER.warning("%s cannot be read (%r): everything is measured anew", self.path.name, error)
            return
        if digest == self.digest:
            self.found = found
            LOGGER.info("going on with %d %s from before", len(found), things)
        else:
            LOGGER.info("%s belongs to other data or settings: everything is measured anew", self.path.name)

    def add(self, name: str, values) -> None:
        """Keep what one measurement gave: numbers, texts, lists and mappings of them."""
        self.found[name] = values
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps({"digest": self.digest, "found": self.found}), encoding="utf-8")

    def remove(self) -> None:
        """All is measured and written."""
        self.path.unlink(missing_ok=True)
