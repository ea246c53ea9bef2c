"""Networks: how they are built, given weights, and initialised at random for the null rows.

A network is an architecture of torchvision, timm or Hugging Face, a function that returns a torch module, a Caffe or
ONNX file, or one that the workflow trains or sets by hand. The rules keep its weights as one state_dict file; `load`
puts them together again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import nn

from filterscope import job
from filterscope.data.networks import checkpoints
from filterscope.data.networks.settings import TRAINED, InputSettings, NetworkError, NetworkSettings, suggestion

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue

# --- building -------------------------------------------------------------------------------------------


def _architecture(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import architectures  # torchvision takes seconds to load

    return architectures.build(settings, initialised)


def _factory(settings: NetworkSettings, initialised: bool) -> nn.Module:
    place, _, name = settings.factory.rpartition(":")
    module = _module_of_file(Path(place)) if place.endswith(".py") else _module(place)
    function = getattr(module, name, None)
    if not callable(function):
        known = [each for each in dir(module) if callable(getattr(module, each)) and not each.startswith("_")]
        raise NetworkError(f"{place} has no function {name!r}{suggestion(name, known)}")
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
    return unwrapped(network, settings.factory)


def unwrapped(network: nn.Module, source: str) -> nn.Module:
    """A network, and what is in it, without the wrappers of torch.compile and DataParallel, which hide layers.

    source: where it is from, for the log.
    """
    wrappers = ((_compiled(), "_orig_mod"), (nn.DataParallel, "module"))

    def inside(module: nn.Module) -> nn.Module:
        for wrapper, name in wrappers:
            if isinstance(module, wrapper):
                job.LOGGER.info("%s returned a %s; what it wraps is used", source, type(module).__name__)
                return inside(getattr(module, name))
        return module

    network = inside(network)
    for module in list(network.modules()):
        module._compiled_call_impl = None  # of module.compile(), whose layers would not be seen
        for name, child in list(module.named_children()):
            if inside(child) is not child:
                setattr(module, name, inside(child))
    return network


def _compiled() -> type | tuple[()]:
    """The wrapper of torch.compile; none where its compiler, which takes seconds to load, has not been used."""
    compiler = sys.modules.get("torch._dynamo.eval_frame")
    return compiler.OptimizedModule if compiler else ()


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


def _timm(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import timm_models

    return timm_models.build(settings, initialised)


def _huggingface(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import huggingface_models

    return huggingface_models.build(settings, initialised)


def _onnx(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import onnx_models

    return onnx_models.build(settings, settings.input.crop)


def _caffe(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import caffe

    inputs = caffe.CaffeInput(settings.mean, settings.scale, settings.input.mean, settings.input.std)
    return caffe.build(settings.prototxt, inputs, settings.input.crop)


def _scenes(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import embedded

    return embedded.SCENES[settings.source]()


def _planted(settings: NetworkSettings, initialised: bool) -> nn.Module:
    from filterscope.data.networks import embedded

    return embedded.build_planted()


BUILDERS: dict[str, Callable[[NetworkSettings, bool], nn.Module]] = {
    "torchvision": _architecture,
    "checkpoint": _architecture,
    "factory": _factory,
    "timm": _timm,
    "huggingface": _huggingface,
    "onnx": _onnx,
    "caffe": _caffe,
    **dict.fromkeys(TRAINED, _scenes),
    "planted": _planted,
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
            raise NetworkError(f"part: the network has no module {settings.part!r}{suggestion(settings.part, names)}")
        network = Part(network, settings.part)
    if settings.input.channels == 1:
        network.register_forward_pre_hook(_in_grey)
    return network.float().eval().requires_grad_(False)


def _in_grey(_, given: tuple) -> tuple:
    """What a network for one channel is shown of pictures [B, 3, H, W]: their luma (ITU-R BT.601)."""
    images, *others = given
    weights = torch.tensor(LUMA, device=images.device, dtype=images.dtype).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True), *others


def initialise(settings: NetworkSettings, seed: int) -> nn.Module:
    """The network as it is before any training, for the null rows; the same weights for the same seed.

    Architectures draw their own initialisation. A factory may return a trained network, so each of its layers
    is reset; parameters that no layer knows how to reset are shuffled, which keeps their distribution and
    leaves nothing of what they had learnt. So are all weights of an ONNX file. Raises NetworkError where a layer's
    reset does nothing.
    """
    network = build(settings, seed, initialised=True)
    if settings.source == "onnx":
        from filterscope.data.networks import onnx_models

        with _seeded(seed):
            onnx_models.shuffle(network)
    if settings.source == "factory":
        before = {name: parameter.clone() for name, parameter in network.named_parameters()}
        # Far from any seed that a person writes: the factory may have drawn its own weights by one.
        with _seeded(job.derived_seed(seed, "initialise")), torch.no_grad():
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


def fetch_weights(settings: NetworkSettings) -> dict[str, torch.Tensor]:
    """The weights as their source gives them, without prefix, float32.

    torchvision's come through its ordinary cache ($TORCH_HOME/hub/checkpoints), so no network is needed once
    the file lies there. Raises NetworkError when they cannot be had or read.
    """
    if settings.source == "torchvision":
        from filterscope.data.networks import architectures

        weights = architectures.fetch_weights(settings)
        if weights is not None:
            return checkpoints.as_float32(weights)
    if settings.source == "timm" and settings.file is None:
        from filterscope.data.networks import timm_models

        return checkpoints.as_float32(timm_models.fetch_weights(settings))
    if settings.source == "huggingface":
        from filterscope.data.networks import huggingface_models

        return huggingface_models.fetch_weights(settings)
    if settings.source == "caffe":
        from filterscope.data.networks import caffe

        return caffe.read_weights(settings.prototxt, settings.caffemodel, settings.input.crop)
    if settings.file is None:
        raise NetworkError(f"a network of source {settings.source!r} without file has no weights to fetch")
    return checkpoints.without_prefix(checkpoints.read_checkpoint(settings.file), settings.prefix, settings.file)


def prepare(settings: NetworkSettings, seed: int) -> nn.Module:
    """The network with the weights that its settings name; the seed serves those that name none."""
    if settings.source == "torchvision" and settings.weights is None:
        return initialise(settings, seed)
    if settings.source in ("timm", "huggingface") and not settings.pretrained and settings.file is None:
        return initialise(settings, seed)
    network = build(settings, seed)
    if settings.source == "onnx" or (settings.source == "factory" and settings.file is None):
        return network  # the file's or the factory's own weights
    name = settings.file or settings.caffemodel or settings.model
    name = name or " ".join(filter(None, (settings.architecture, settings.weights)))
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
