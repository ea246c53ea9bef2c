"""What describes a network: an entry of `networks` in the config, and how pictures become its input.

Apart from what builds the network, so that a job that only needs to know loads no torch.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

# Keys of a network in the config that only the training of the scenes networks reads.
TRAINING = ("dataset", "epochs", "learning_rate", "batch_size", "draw", "schedule")
# Digest of a prototxt, by which Snakemake notices that what a network computes has changed.
DEFINITION = "definition"
# What an entry must have, by its source.
REQUIRED = {
    "torchvision": ("architecture",),
    "checkpoint": ("architecture", "file"),
    "factory": ("factory",),
    "caffe": ("prototxt", "caffemodel"),
    "scenes_cnn": (),
    "planted": (),
}


class NetworkError(ValueError):
    """A network or its weights are wrong: says which, what was found and what would be right."""


@dataclass(frozen=True)
class InputSettings:
    """How a picture becomes the network's input: px, and the unit range of the channels."""

    resize: int = 256
    crop: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self):
        for name in ("mean", "std"):
            values = tuple(map(float, getattr(self, name)))
            if len(values) != 3 or (name == "std" and min(values) <= 0):
                raise NetworkError(f"input.{name} is {list(values)}, should be three numbers, those of std positive")
            object.__setattr__(self, name, values)
        if not 0 < self.crop <= self.resize:
            raise NetworkError(f"input.crop is {self.crop} px, should be from 1 to input.resize ({self.resize} px)")


@dataclass(frozen=True)
class NetworkSettings:
    """One entry of `networks` in the config; rules/config.schema.yaml says what the fields mean."""

    source: str
    architecture: str | None = None
    weights: str | None = None
    factory: str | None = None
    file: str | None = None
    prefix: str = ""
    part: str | None = None
    arguments: Mapping = field(default_factory=dict)
    prototxt: str | None = None
    caffemodel: str | None = None
    mean: tuple[float, float, float] = (104.0, 117.0, 123.0)
    scale: float = 1.0
    input: InputSettings = InputSettings()

    def __post_init__(self):
        if self.source not in REQUIRED:
            raise NetworkError(f"source is {self.source!r}, should be one of {', '.join(REQUIRED)}")
        for key in REQUIRED[self.source]:
            if not getattr(self, key):
                raise NetworkError(f"{key} is missing, which a network of source {self.source!r} needs")
        mean = tuple(map(float, self.mean))
        if len(mean) != 3:
            raise NetworkError(f"mean is {list(mean)}, should be three numbers: of blue, green and red, 0 to 255")
        object.__setattr__(self, "mean", mean)

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> NetworkSettings:
        """From an entry of the config. Raises NetworkError for a key that nothing reads."""
        known = [each.name for each in fields(cls)]
        unknown = [key for key in mapping if key not in known and key not in (*TRAINING, DEFINITION)]
        if unknown:
            raise NetworkError(f"{unknown[0]!r} is not a key of a network{suggestion(unknown[0], known)}")
        values = {key: value for key, value in mapping.items() if key in known}
        inputs = values.get("input", {})
        if isinstance(inputs, Mapping):
            known = [each.name for each in fields(InputSettings)]
            unknown = [key for key in inputs if key not in known]
            if unknown:
                raise NetworkError(f"input.{unknown[0]} is not known{suggestion(unknown[0], known)}")
            values["input"] = InputSettings(**inputs)
        return cls(**values)


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to add to a message about an unknown name: the nearest of the known ones."""
    near = difflib.get_close_matches(str(name), list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""
