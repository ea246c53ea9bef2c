"""Networks of timm, PyTorch Image Models: the extra filterscope[timm].

Apart from the other networks: timm takes seconds to load, and is not always there.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from filterscope.data.networks.settings import NetworkError, NetworkSettings, missing_extra, suggestion


def _timm():
    try:
        import timm
    except ModuleNotFoundError as error:
        raise missing_extra("timm", error) from error
    return timm


def build(settings: NetworkSettings, initialised: bool) -> nn.Module:
    """The architecture with random weights. Raises NetworkError naming the nearest architectures."""
    return _created(settings, pretrained=False)


def _created(settings: NetworkSettings, pretrained: bool) -> nn.Module:
    timm, name = _timm(), settings.architecture
    plain, _, tag = name.partition(".")
    if not name.startswith("hf-hub:"):
        if not timm.is_model(plain):
            raise NetworkError(f"{plain!r} is no architecture of timm{suggestion(plain, timm.list_models())}")
        tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{plain}*") if each.partition(".")[0] == plain]
        if tag and tag not in tags:
            raise NetworkError(f"timm has no weights {tag!r} of {plain}; there are {', '.join(tags) or 'none'}")
        if pretrained and not tags:
            raise NetworkError(f"timm has no weights of {plain}: set pretrained: false, or file: to a checkpoint")
    try:
        return timm.create_model(name, pretrained=pretrained, **settings.arguments)
    except (TypeError, ValueError, AssertionError) as error:
        raise NetworkError(f"{name} of timm cannot be built with {dict(settings.arguments)}: {error}") from error


def fetch_weights(settings: NetworkSettings) -> dict[str, torch.Tensor]:
    """The weights that timm publishes, through its ordinary cache. Raises NetworkError when they cannot be had."""
    from filterscope.data.networks.huggingface_models import kept_by_hub, unreachable

    try:
        return _created(settings, pretrained=True).state_dict()
    except NetworkError:
        raise
    except unreachable() as error:
        raise NetworkError(
            f"weights of {settings.architecture} cannot be downloaded ({type(error).__name__}: {_first_line(error)}): "
            f"fetch them where there is a network and set file: to them, or set pretrained: false{kept_by_hub(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")


def pretrained_config(settings: NetworkSettings) -> Mapping:
    """timm's own description of the weights of an architecture. Raises NetworkError where there is none such."""
    timm, name = _timm(), settings.architecture
    if name.startswith("hf-hub:"):
        return timm.models.load_model_config_from_hf(name.removeprefix("hf-hub:"))[0]
    with torch.device("meta"):
        return _created(settings, pretrained=False).pretrained_cfg
