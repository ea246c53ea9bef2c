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
    "timm": ("architecture",),
    "huggingface": ("model",),
    "onnx": ("file",),
    "caffe": ("prototxt", "caffemodel"),
    "scenes_cnn": (),
    "scenes_vit": (),
    "scenes_convnext": (),
    "planted": (),
}

# Sources whose networks the workflow trains on scenes.
TRAINED = ("scenes_cnn", "scenes_vit", "scenes_convnext")

# Keys of `input`.
INPUT_KEYS = ("resize", "crop", "mean", "std")


class NetworkError(ValueError):
    """A network or its weights are wrong: says which, what was found and what would be right."""


@dataclass(frozen=True)
class InputSettings:
    """How a picture becomes the network's input: px, and the unit range of the channels.

    One mean and one standard deviation instead of three: the network takes grey pictures, of one channel.
    """

    resize: int = 256
    crop: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    channels: int = 3

    def __post_init__(self):
        given = {name: tuple(map(float, getattr(self, name))) for name in ("mean", "std")}
        if {len(values) for values in given.values()} == {1}:
            object.__setattr__(self, "channels", 1)
            given = {name: values * 3 for name, values in given.items()}
        for name, values in given.items():
            if len(values) != 3 or (name == "std" and min(values) <= 0):
                raise NetworkError(
                    f"input.{name} is {list(values)}, should be three numbers, those of std positive; or mean and std "
                    "one number each, for a network that takes grey pictures"
                )
            object.__setattr__(self, name, values)
        if not 0 < self.crop <= self.resize:
            raise NetworkError(f"input.crop is {self.crop} px, should be from 1 to input.resize ({self.resize} px)")


@dataclass(frozen=True)
class NetworkSettings:
    """One entry of `networks` in the config; rules/config.schema.yaml says what the fields mean."""

    source: str
    architecture: str | None = None
    weights: str | None = None
    model: str | None = None
    pretrained: bool = True
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
            unknown = [key for key in inputs if key not in INPUT_KEYS]
            if unknown:
                raise NetworkError(f"input.{unknown[0]} is not known{suggestion(unknown[0], INPUT_KEYS)}")
            values.pop("input", None)
            values["input"] = _input(cls(**values), {key: value for key, value in inputs.items() if value is not None})
        return cls(**values)


def _input(settings: NetworkSettings, given: Mapping) -> InputSettings:
    """What the study says of the input, and where it does not, what the weights say themselves."""
    own = {}
    if not all(key in given for key in INPUT_KEYS):
        from filterscope.data.networks.own_inputs import own_input  # may load torchvision, timm or transformers

        own = own_input(settings)
    if "crop" in given and "resize" not in given:
        own["resize"] = max(own.get("resize", InputSettings.resize), given["crop"])
    if "resize" in given and "crop" not in given:
        own["crop"] = min(own.get("crop", InputSettings.crop), given["resize"])
    if len(given.get("mean", own.get("mean", (0, 0, 0)))) != len(given.get("std", own.get("std", (0, 0, 0)))):
        raise NetworkError("input.mean and input.std are of different lengths: give both, as many numbers each")
    return InputSettings(**{**own, **given})


def input_of(network: Mapping) -> InputSettings:
    """How pictures become the input of an entry of `networks`."""
    return NetworkSettings.from_mapping(network).input


def missing_extra(name: str, error: Exception) -> NetworkError:
    """What to raise where a source needs an extra that is not installed."""
    return NetworkError(
        f"source {name} needs the extra filterscope[{name}]: pip install 'filterscope[{name}]' ({error})"
    )


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to add to a message about an unknown name: the nearest of the known ones."""
    near = difflib.get_close_matches(str(name), list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""
