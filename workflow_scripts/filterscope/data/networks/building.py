"""Networks: how they are described, built, given weights, and initialised at random for the null rows.

A network is a torchvision architecture, a function that returns a torch module, a Caffe network, or one of the two
networks of the embedded study. The rules keep its weights as one state_dict file; `load` puts them together again.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import pickle
import socket
import sys
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
import torchvision
from torch import nn

from filterscope import job
from filterscope.data.networks import checkpoints
from filterscope.data.networks.checkpoints import NetworkError

# Keys of a network in the config that only the training of the scenes networks reads.
TRAINING = ("dataset", "epochs", "learning_rate", "batch_size", "draw", "schedule")
# Digest of a prototxt, by which Snakemake notices that what a network computes has changed.
DEFINITION = "definition"
# Seconds without a byte after which a download counts as hanging.
PATIENCE = 60


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
        if self.source not in BUILDERS:
            raise NetworkError(f"source is {self.source!r}, should be one of {', '.join(BUILDERS)}")
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
            raise NetworkError(f"{unknown[0]!r} is not a key of a network{_suggestion(unknown[0], known)}")
        values = {key: value for key, value in mapping.items() if key in known}
        inputs = values.get("input", {})
        if isinstance(inputs, Mapping):
            known = [each.name for each in fields(InputSettings)]
            unknown = [key for key in inputs if key not in known]
            if unknown:
                raise NetworkError(f"input.{unknown[0]} is not known{_suggestion(unknown[0], known)}")
            values["input"] = InputSettings(**inputs)
        return cls(**values)


def _suggestion(name: str, known) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


# --- building -------------------------------------------------------------------------------------------


def _architecture(settings: NetworkSettings, initialised: bool) -> nn.Module:
    name = settings.architecture
    if name not in torchvision.models.list_models():
        raise NetworkError(
            f"{name!r} is no architecture of torchvision{_suggestion(name, torchvision.models.list_models())}"
        )
    arguments = {"weights": None, **_arguments(settings, initialised), **settings.arguments}
    try:
        return torchvision.models.get_model(name, **arguments)
    except TypeError as error:
        raise NetworkError(f"{name} cannot be built with {dict(settings.arguments)}: {error}") from error


def _arguments(settings: NetworkSettings, initialised: bool) -> dict:
    """What torchvision itself passes to the architecture when it loads the weights."""
    arguments = {}
    if "weights_backbone" in inspect.signature(torchvision.models.get_model_builder(settings.architecture)).parameters:
        arguments["weights_backbone"] = None
    if settings.architecture in ("googlenet", "inception_v3"):
        # The auxiliary heads serve training only; their slow initialisation is for networks that stay random.
        arguments |= {"aux_logits": False, "init_weights": initialised}
    weights = _torchvision_weights(settings)
    if weights is not None:
        if "categories" in weights.meta:
            arguments["num_classes"] = len(weights.meta["categories"])
        if settings.architecture in ("googlenet", "inception_v3"):
            arguments["transform_input"] = True
        if settings.architecture.startswith("vit_"):
            arguments["image_size"] = weights.meta["min_size"][0]
    return arguments


def _factory(settings: NetworkSettings, initialised: bool) -> nn.Module:
    place, _, name = settings.factory.rpartition(":")
    module = _module_of_file(Path(place)) if place.endswith(".py") else _module(place)
    function = getattr(module, name, None)
    if not callable(function):
        known = [each for each in dir(module) if callable(getattr(module, each)) and not each.startswith("_")]
        raise NetworkError(f"{place} has no function {name!r}{_suggestion(name, known)}")
    try:
        network = function(**settings.arguments)
    except TypeError as error:
        raise NetworkError(f"{settings.factory} cannot be called with {dict(settings.arguments)}: {error}") from error
    if not isinstance(network, nn.Module):
        raise NetworkError(f"{settings.factory} returned a {type(network).__name__}, should be a torch.nn.Module")
    if isinstance(network, torch.jit.ScriptModule):
        raise NetworkError(
            f"{settings.factory} returned a scripted network (TorchScript), whose layers cannot be read: return the "
            "module that it was scripted or traced from"
        )
    # torch.compile's wrapper, and those for several GPUs, hide the layers, and give them other names.
    for wrapper, inside in ((torch._dynamo.eval_frame.OptimizedModule, "_orig_mod"), (nn.DataParallel, "module")):
        if isinstance(network, wrapper):
            job.LOGGER.info("%s returned a %s; what it wraps is used", settings.factory, type(network).__name__)
            network = getattr(network, inside)
    return network


def _module(name: str):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise NetworkError(f"the module {name!r} of the factory cannot be imported: {error}") from error


def _module_of_file(path: Path):
    if not path.is_file():
        raise NetworkError(f"{path}: there is no such file with a factory")
    name = f"factory_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _caffe(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import caffe

    inputs = caffe.CaffeInput(settings.mean, settings.scale, settings.input.mean, settings.input.std)
    return caffe.build(settings.prototxt, inputs, settings.input.crop)


def _scenes_cnn(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import embedded

    return embedded.build_scenes_cnn()


def _planted(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import embedded

    return embedded.build_planted()


BUILDERS: dict[str, Callable[[NetworkSettings, bool], nn.Module]] = {
    "torchvision": _architecture,
    "checkpoint": _architecture,
    "factory": _factory,
    "caffe": _caffe,
    "scenes_cnn": _scenes_cnn,
    "planted": _planted,
}
REQUIRED = {
    "torchvision": ("architecture",),
    "checkpoint": ("architecture", "file"),
    "factory": ("factory",),
    "caffe": ("prototxt", "caffemodel"),
    "scenes_cnn": (),
    "planted": (),
}


class Part(nn.Module):
    """One part of a network, under its dotted name, so that its layers keep their names."""

    def __init__(self, network: nn.Module, name: str):
        super().__init__()
        self._part = name
        *parents, last = name.split(".")
        place: nn.Module = self
        for parent in parents:
            place.add_module(parent, nn.Module())
            place = place.get_submodule(parent)
        place.add_module(last, network.get_submodule(name))

    def forward(self, images: torch.Tensor):
        return self.get_submodule(self._part)(images)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's own random state for a while, then what it was before; layers know no other generator."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def build(settings: NetworkSettings, seed: int = 0, initialised: bool = False) -> nn.Module:
    """The network without its weights, float32, in eval mode, its parameters frozen.

    seed: of what the builder draws at random; torch's global random state stays as it is. initialised:
    whether the random weights will be used, so that a slow initialisation is worth its time.
    Raises NetworkError naming the architecture, factory or part that is not there, and the nearest names.
    """
    with _seeded(seed):
        network = BUILDERS[settings.source](settings, initialised)
    if settings.part:
        names = [name for name, _ in network.named_modules() if name]
        if settings.part not in names:
            raise NetworkError(f"part: the network has no module {settings.part!r}{_suggestion(settings.part, names)}")
        network = Part(network, settings.part)
    return network.float().eval().requires_grad_(False)


def initialise(settings: NetworkSettings, seed: int) -> nn.Module:
    """The network as it is before any training, for the null rows; the same weights for the same seed.

    Architectures draw their own initialisation. A factory may return a trained network, so each of its layers
    is reset; parameters that no layer knows how to reset are shuffled, which keeps their distribution and
    leaves nothing of what they had learnt. Raises NetworkError where a layer's reset does nothing.
    """
    network = build(settings, seed, initialised=True)
    if settings.source == "factory":
        before = {name: parameter.clone() for name, parameter in network.named_parameters()}
        with _seeded(seed + 1), torch.no_grad():  # another seed than the factory's, which may have drawn them all
            for module in network.modules():
                _reset(module)
        _refuse_unchanged(network, before)
    return network


def _reset(module: nn.Module) -> None:
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if reset is not None:
        reset()
        return
    for parameter in module.parameters(recurse=False):
        order = torch.randperm(parameter.numel()).to(parameter.device)
        parameter.copy_(parameter.flatten()[order].view_as(parameter))


def _refuse_unchanged(network: nn.Module, before: Mapping[str, torch.Tensor]) -> None:
    kept = [
        name
        for name, parameter in network.named_parameters()
        if parameter.ndim > 1 and parameter.min() < parameter.max() and torch.equal(parameter, before[name])
    ]
    if kept:
        raise NetworkError(
            f"{len(kept)} parameters of the factory's network cannot be drawn at random, {kept[0]} first: "
            "reset_parameters of the module that owns them leaves them as they are"
        )


# --- weights --------------------------------------------------------------------------------------------


def _torchvision_weights(settings: NetworkSettings):
    """The torchvision weights that the settings name, None where they name none."""
    if settings.source != "torchvision" or settings.weights is None:
        return None
    known = torchvision.models.get_model_weights(settings.architecture).__members__
    name = settings.weights.rpartition(".")[2]
    if name not in known:
        right = f"; there are {', '.join(known)}" if known else "; there are none, set weights to null"
        raise NetworkError(f"torchvision has no weights {settings.weights!r} of {settings.architecture}{right}")
    return known[name]


def fetch_weights(settings: NetworkSettings) -> dict[str, torch.Tensor]:
    """The weights as their source gives them, without prefix, float32.

    torchvision's come through its ordinary cache ($TORCH_HOME/hub/checkpoints), so no network is needed once
    the file lies there. Raises NetworkError when they cannot be had or read.
    """
    if settings.source == "torchvision" and settings.architecture not in torchvision.models.list_models():
        _architecture(settings, initialised=False)  # says which names are near
    weights = _torchvision_weights(settings)
    if weights is not None:
        return checkpoints.as_float32(_downloaded(weights))
    if settings.source == "caffe":
        from filterscope.data.networks import caffe

        return caffe.read_weights(settings.prototxt, settings.caffemodel, settings.input.crop)
    if settings.file is None:
        raise NetworkError(f"a network of source {settings.source!r} without file has no weights to fetch")
    return checkpoints.without_prefix(checkpoints.read_checkpoint(settings.file), settings.prefix, settings.file)


def _downloaded(weights) -> dict[str, torch.Tensor]:
    cached = Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)  # torch.hub sets none, and would wait for ever
    try:
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True, map_location="cpu")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise NetworkError(
            f"{weights}: {weights.url} cannot be downloaded ({error}); put the file at {cached} by hand, "
            "or set TORCH_HOME to a folder that has it"
        ) from error
    except (EOFError, OSError, RuntimeError, pickle.UnpicklingError) as error:
        if isinstance(error, OSError) and not cached.exists():
            raise  # no room or no right to write says so itself
        raise NetworkError(
            f"{weights}: {cached} is cut off or not the official file; delete it and try again"
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def prepare(settings: NetworkSettings, seed: int) -> nn.Module:
    """The network with the weights that its settings name; the seed serves those that name none."""
    if settings.source == "torchvision" and settings.weights is None:
        return initialise(settings, seed)
    network = build(settings, seed)
    if settings.source == "factory" and settings.file is None:
        return network  # the factory's own weights
    name = settings.file or settings.caffemodel or f"{settings.architecture} {settings.weights}"
    checkpoints.fit(network, fetch_weights(settings), name, settings.part)
    return network


def load(settings: NetworkSettings, path_to_weights: str | Path) -> nn.Module:
    """The network with the weights that the rules keep for it, in eval mode, its parameters frozen.

    Raises NetworkError when the file does not fit the settings.
    """
    network = build(settings)
    checkpoints.fit(network, checkpoints.read_checkpoint(path_to_weights), str(path_to_weights))
    return network


def normalise(images: torch.Tensor, inputs: InputSettings) -> torch.Tensor:
    """Pictures as the network was trained on them.

    images: uint8 [B, 3, H, W]. Returns float32 of the same shape, on the same device.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images are {images.dtype} {list(images.shape)}, should be uint8 [B, 3, H, W]")
    mean = torch.tensor(inputs.mean, device=images.device).view(3, 1, 1)
    std = torch.tensor(inputs.std, device=images.device).view(3, 1, 1)
    return images.float().div_(255).sub_(mean).div_(std)
