"""The architectures of torchvision: built by name, with the weights that it publishes, and recognised by their tensors.

Apart from the other networks: torchvision takes seconds to load.
"""

from __future__ import annotations

import inspect
import pickle
import socket
import urllib.error
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
import torchvision
from torch import nn

from filterscope.data.networks.checkpoints import ALIKE
from filterscope.data.networks.settings import NetworkError, NetworkSettings, suggestion

# Seconds without a byte after which a download counts as hanging.
PATIENCE = 60


def build(settings: NetworkSettings, initialised: bool) -> nn.Module:
    name = settings.architecture
    if name not in torchvision.models.list_models():
        raise NetworkError(
            f"{name!r} is no architecture of torchvision{suggestion(name, torchvision.models.list_models())}"
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


def looks_like(state: Mapping[str, torch.Tensor]) -> str | None:
    """The torchvision architecture whose tensors have the same names and shapes, if there is one."""
    found = _signature(state)
    scores = {
        name: len(found & signature) / max(len(found), len(signature)) for name, signature in _signatures().items()
    }
    best = max(scores, key=scores.get)
    return best if scores[best] >= ALIKE else None


def _signature(state: Mapping[str, torch.Tensor]) -> set[tuple[str, torch.Size]]:
    return {(key, value.shape) for key, value in state.items() if not key.endswith(".num_batches_tracked")}


@cache
def _signatures() -> dict[str, set[tuple[str, torch.Size]]]:
    """Names and shapes of the tensors of torchvision's architectures, built without memory for them."""
    signatures = {}
    for name in torchvision.models.list_models(module=torchvision.models):
        if not name.startswith("regnet"):  # these cannot be built in that way
            plain = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
            with torch.device("meta"):
                network = torchvision.models.get_model(name, weights=None, **plain)
            signatures[name] = _signature(network.state_dict())
    return signatures


def fetch_weights(settings: NetworkSettings) -> dict[str, torch.Tensor] | None:
    """The weights that torchvision publishes under the settings' name; None where they name none.

    They come through torchvision's ordinary cache ($TORCH_HOME/hub/checkpoints). Raises NetworkError when they cannot
    be had or read.
    """
    if settings.architecture not in torchvision.models.list_models():
        build(settings, initialised=False)  # says which names are near
    weights = _torchvision_weights(settings)
    return None if weights is None else _downloaded(weights)


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


def own_weights(settings: NetworkSettings) -> tuple[torchvision.models.WeightsEnum | None, str]:
    """The published weights that settings name, or whose file they name; None where there are none. And what they are.

    Raises NetworkError where torchvision has no such architecture or weights.
    """
    name = settings.architecture
    if name not in torchvision.models.list_models():
        build(settings, initialised=False)  # says which names are near
    weights = _torchvision_weights(settings)
    if weights is None and settings.file:
        published = torchvision.models.get_model_weights(name)
        file = Path(settings.file).name
        weights = next((each for each in published if each.url.rpartition("/")[2] == file), None)
    return weights, str(weights or name)


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
