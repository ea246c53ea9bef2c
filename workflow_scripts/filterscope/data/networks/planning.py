"""What layers a network has, for a plan that is made before anything is downloaded or loaded.

Run by itself: reads an entry of `networks` as JSON from its input and writes what it found as JSON. A plan that loaded
torch would take seconds; this is asked once and its answer kept (configuration/modules.py).
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping

import torch

from filterscope.data.networks.building import build
from filterscope.data.networks.layers import LayerError, list_layers
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.stages import ends_among


def layers_of(entry: Mapping) -> dict[str, list[str]]:
    """Names of a network's layers: `readable`, those with maps of filters; `blocks`, its stages' ends; all `modules`.

    entry: of `networks` in the config. The weights do not matter, so the network is built on the meta device where that
    can be done. Where no picture can be passed through it there, every module counts as readable: the job will see.
    Raises NetworkError where it cannot be built.
    """
    settings = NetworkSettings.from_mapping(entry)
    try:
        with torch.device("meta"):
            network = build(settings)
    except (NotImplementedError, RuntimeError):  # it computes with its weights while it is built
        network = build(settings)
    modules = [name for name, _ in network.named_modules() if name]
    readable = modules
    blocks: list[str] = []
    with contextlib.suppress(LayerError, NotImplementedError, RuntimeError):
        found = list_layers(network, settings.input.crop)
        names = {each.layer for each in found}
        readable, blocks = [name for name in modules if name in names], ends_among(network, found)
    return {"readable": readable, "modules": modules, "blocks": blocks}


if __name__ == "__main__":
    try:
        print(json.dumps({"found": layers_of(json.load(sys.stdin))}))
    except Exception as error:  # a factory may raise anything: whoever asked says where it stands in the config
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
