"""What a study names that is not there: files, folders, pictures, networks and layers, a sentence each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from torch import nn

from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import MemoryLimitError, refuse_too_large
from filterscope.activations.probing import largest_output, weights_size
from filterscope.commands.costs import Layer
from filterscope.commands.studies import Study
from filterscope.data.datasets import counting
from filterscope.data.datasets.folder import list_pictures
from filterscope.data.networks import building
from filterscope.data.networks.layers import LayerError, Reader, Readers
from filterscope.data.networks.settings import NetworkError, NetworkSettings

# What must lie in a folder of the source.
CONTENTS = {
    "coco": ("train2017", "val2017", "annotations"),
    "visual_genome": ("VG_100K", "VG_100K_2", "objects.json"),
}
FILES = ("file", "prototxt", "caffemodel", "allowed", "compare_with")


@dataclass
class Found:
    """mistakes: a sentence each. layers: what probes read, by name."""

    mistakes: list[str] = field(default_factory=list)
    layers: dict[str, Layer] = field(default_factory=dict)


def look(study: Study) -> Found:
    """What the study itself names and is not there, and what its probes read. Its config must fit the schema."""
    found = Found(list(_datasets(study)))
    for section in ("vocabularies", "networks", "samples", "clips"):
        for name, entry in _own(study, section):
            found.mistakes += _files(f"{section}.{name}", entry)
    _probes(study, found)
    return found


def _own(study: Study, section: str) -> list[tuple[str, Mapping]]:
    """The entries of a section that the study's file has, complete."""
    named = study.own.get(section) or {}
    # Before a dot stands the name of what became several entries.
    return [(name, entry) for name, entry in study.config[section].items() if str(name).partition(".")[0] in named]


def _datasets(study: Study) -> Iterator[str]:
    for name, entry in _own(study, "datasets"):
        place, folder = f"datasets.{name}.folder", entry.get("folder")
        if folder is None:
            continue
        said = _unreadable(Path(folder))
        if said:
            yield f"{place} is {folder!r}: {said}; should be a folder of pictures"
        elif entry["source"] == "folder":
            try:
                list_pictures(folder)
            except (ValueError, OSError) as error:
                yield f"{place}: {error}"
        else:
            missing = [each for each in CONTENTS.get(entry["source"], ()) if not Path(folder, each).exists()]
            if missing:
                yield f"{place} is {folder!r}, where {' and '.join(missing)} should be and is not; null downloads them"


def _unreadable(folder: Path) -> str | None:
    if not folder.exists():
        return "there is no such folder"
    if not folder.is_dir():
        return "it is a file"
    return None if os.access(folder, os.R_OK | os.X_OK) else "this user may not read it"


def _files(place: str, entry: Mapping) -> Iterator[str]:
    named = [(key, entry.get(key)) for key in FILES]
    factory = entry.get("factory")
    if factory and factory.rpartition(":")[0].endswith(".py"):
        named.append(("factory", factory.rpartition(":")[0]))
    for key, path in named:
        if path and not Path(path).is_file():
            yield f"{place}.{key} is {path!r}: there is no such file; should be one that can be read"


def _probes(study: Study, found: Found) -> None:
    """Networks that cannot be built, layers that cannot be read; without their weights."""
    probes, wanted = study.config["probes"], {name: [] for name, _ in _own(study, "networks")}
    for name, _ in _own(study, "probes"):
        wanted.setdefault(probes[name]["network"], []).append(name)
    for network, names in wanted.items():
        entry = study.config["networks"][network]
        if next(_files("", entry), None):
            continue  # said already
        try:
            settings = NetworkSettings.from_mapping(entry)
            built = building.build(settings)
        except NetworkError as error:
            found.mistakes.append(f"networks.{network}: {error}")
            continue
        except Exception as error:  # a factory is anybody's code
            found.mistakes.append(f"networks.{network} cannot be built ({type(error).__name__}: {error})")
            continue
        read: dict[str, list[dict]] = {}
        together: dict[str, list[tuple[str, int]]] = {}
        for name in names:
            layer = probes[name].get("layer")
            if isinstance(layer, str):
                try:
                    call, probe = probes[name].get("call", -1), name.partition(".")[0]
                    found.layers[name], line = _read(built, layer, call, settings.input.crop)
                    read.setdefault(probe, []).append(line)
                    together.setdefault(probe, []).append((layer, call))
                except LayerError as error:
                    found.mistakes.append(f"probes.{name}.layer: {error}")
        for name, layers in together.items():
            try:
                if len(layers) > 1:
                    Readers(built, layers, input_size=settings.input.crop)
            except LayerError as error:
                found.mistakes.append(f"probes.{name}.layers: {error}")
        for name, lines in read.items():
            try:
                _refuse_too_large(study.config, name, lines)
            except MemoryLimitError as error:
                found.mistakes.append(f"probes.{name}: {error}")


def _refuse_too_large(config: Mapping, name: str, lines: list[dict]) -> None:
    """Raises MemoryLimitError as the rule `check_probes` would; name: of a probe, or of the probes of one pass."""
    most = config["max_memory"]
    own = [each for each in config["probes"] if each == name or each.startswith(f"{name}.")]
    shown = {each["dataset"] for each in config["explanations"] if each["probe"] in own}
    pool = config["probes"][own[0]]["pool"] or config["activations"]["pool"]
    known = {each.name for each in fields(ExtractionSettings)}
    settings = {key: value for key, value in config["activations"].items() if key in known}
    if most is not None:
        pictures, guessed = counting.most(counting.photographs(config["datasets"][each]) for each in shown)
        refuse_too_large(name, lines, ExtractionSettings(**{**settings, "pool": pool}), pictures, most, guessed)


def _read(network: nn.Module, layer: str, call: int, side: int) -> tuple[Layer, dict]:
    """The layer's filters, and the multiplications of convolutions and linear layers before it for one picture; and
    what `filterscope.activations.needs` asks of it."""
    counts = []

    def count(module, _, output) -> None:
        if isinstance(output, torch.Tensor):  # each of its values is a sum over the weights of its channel
            counts.append(output.numel() * module.weight.numel() / module.weight.shape[0])

    with Reader(network, layer, call, input_size=side) as reader, contextlib.ExitStack() as stack, torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                stack.callback(module.register_forward_hook(count).remove)
        with largest_output(network) as largest:
            reader(torch.zeros(1, 3, side, side))
    line = {"layer": layer, "weights": weights_size(network), "largest": max(largest)}
    line |= {key: getattr(reader, key) for key in ("filters", "height", "width")}
    return Layer(reader.filters, sum(counts), reader.filters * reader.height * reader.width), line
