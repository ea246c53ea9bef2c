"""Networks of Hugging Face: a local folder or a name, through transformers, the extra filterscope[huggingface].

Apart from the other networks: transformers takes seconds to load, and is not always there. No code of a repository is
run (trust_remote_code stays off).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

from filterscope import job
from filterscope.data.networks.settings import NetworkError, NetworkSettings, missing_extra

PICTURES = "pixel_values"  # what networks that take pictures first call their input


def unreachable() -> tuple[type[Exception], ...]:
    """What asking the hub in vain raises: no network, no such repository or file, a file that is cut off or none.

    The hub's own client passes on errors of the library that it asks through, and of the one that reads the weights.
    """
    found: list[type[Exception]] = [OSError, RuntimeError, ValueError]
    with suppress(ModuleNotFoundError):
        from huggingface_hub.errors import HfHubHTTPError

        # Whichever library that is: its own error of an answer is one of them.
        found += [each for each in HfHubHTTPError.__mro__ if each.__name__ == "HTTPError"]
    with suppress(ModuleNotFoundError):
        from safetensors import SafetensorError

        found.append(SafetensorError)
    return tuple(found)


def kept_by_hub(error: Exception) -> str:
    """What else to do where a file came and is none: the hub's client keeps it and would offer it again."""
    if type(error).__name__ != "SafetensorError":
        return ""
    from huggingface_hub import constants

    return f"; what came is kept in {constants.HF_HUB_CACHE}, delete its folder there before another attempt"


def _transformers():
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise missing_extra("huggingface", error) from error
    return transformers


def _refused(model: str, what: str, error: Exception) -> NetworkError:
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")
    if Path(model).is_dir():
        return NetworkError(f"{model}: {what} cannot be read ({type(error).__name__}: {said})")
    return NetworkError(
        f"{model!r} is no folder here, and its {what} cannot be had from the Hugging Face hub ({type(error).__name__}: "
        f"{said}). Without network, fetch the repository elsewhere and set model: to its folder{kept_by_hub(error)}"
    )


def _config(model: str):
    transformers = _transformers()
    if Path(model).is_dir() and not (Path(model) / "config.json").is_file():
        raise NetworkError(f"{model}: the folder has no config.json, so it is no network of Hugging Face")
    try:
        return transformers.AutoConfig.from_pretrained(model)
    except unreachable() as error:
        raise _refused(model, "config.json", error) from error


def _class(config):
    """The class that the config names, with its head; the plain network where it names none that is there."""
    transformers = _transformers()
    named = (config.architectures or [""])[0]
    return getattr(transformers, named, None) or transformers.AutoModel


def build(settings: NetworkSettings, initialised: bool) -> nn.Module:
    """The network with random weights. Raises NetworkError where there is none, or it takes no pictures."""
    config = _config(settings.model)
    for key, value in settings.arguments.items():
        if not hasattr(config, key):
            raise NetworkError(f"arguments: {key!r} is no key of the config of {settings.model}")
        setattr(config, key, value)
    kind = _class(config)
    network = kind.from_config(config) if hasattr(kind, "from_config") else kind(config)
    return _seeing(network, settings)


def _seeing(network: nn.Module, settings: NetworkSettings) -> nn.Module:
    """The network, or the part of it that takes pictures under its own name."""
    from filterscope.data.networks.building import Part

    if getattr(network, "main_input_name", PICTURES) == PICTURES or settings.part:
        return network
    for name in ("vision_model", "vision_tower", "visual"):
        if isinstance(getattr(network, name, None), nn.Module):
            job.LOGGER.info("%s reads text, too; of it %s is used, which takes pictures", settings.model, name)
            return Part(network, name)
    raise NetworkError(
        f"{settings.model}: {type(network).__name__} takes {network.main_input_name}, not pictures ({PICTURES}); set "
        "part to the module of it that takes pictures"
    )


def fetch_weights(settings: NetworkSettings) -> dict[str, torch.Tensor]:
    """The weights of a folder or name, float32. Raises NetworkError when they cannot be had or do not fit."""
    config = _config(settings.model)
    for key, value in settings.arguments.items():
        setattr(config, key, value)
    try:
        network, told = _class(config).from_pretrained(
            settings.model, config=config, dtype=torch.float32, output_loading_info=True
        )
    except unreachable() as error:
        raise _refused(settings.model, "weights", error) from error
    missing = sorted(told["missing_keys"])
    if missing:
        raise NetworkError(
            f"{settings.model}: its weights lack {len(missing)} of the network's ({', '.join(missing[:3])}), which "
            "would stay random"
        )
    return _seeing(network, settings).state_dict()


def preprocessor_config(model: str) -> Mapping | None:
    """What a folder or name says of its pictures; None where it has no such file."""
    _transformers()
    if not Path(model).is_dir():
        _config(model)  # says what is wrong where nothing can be had; every file would be waited for
    from transformers.utils import cached_file

    for name in ("preprocessor_config.json", "processor_config.json"):
        if Path(model).is_dir():
            path = Path(model) / name if (Path(model) / name).is_file() else None
        else:
            try:
                path = cached_file(model, name, _raise_exceptions_for_missing_entries=False)
            except unreachable() as error:
                raise _refused(model, name, error) from error
        if path is not None:
            try:
                held = json.loads(Path(path).read_text(encoding="utf-8"))
            except ValueError as error:
                raise NetworkError(f"{path}: no JSON: {error}") from error
            return held.get("image_processor", held)
    return None
