"""The diagnosis room's part of the config: complexity of data, capacity of networks, and whether they fit."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from configuration.names import suggestion, undefined

# Spaces that samples are embedded in besides those of the probes.
EMBEDDINGS = ("raw", "tsne", "autoencoder", "autoencoder_tsne")
# Attacks that count pixels, as the question of robustness against capacity does.
PIXEL_ATTACKS = ("greedy", "sparse")
# How torchvision's modules announce a network.
REGISTERED = re.compile(r"^@register_model\(\).*?^def (\w+)\(", re.MULTILINE | re.DOTALL)


def mistakes(config: dict) -> list[str]:
    """Names that do not fit each other, and numbers that each are possible but not together."""
    section = config["diagnosis"]
    return [
        *_sets(config, section["complexity"]["sets"]),
        *_networks(config, section["capacity"]["networks"]),
        *_pairs(section),
        *_resampling(config, section["resampling"]["sets"]),
        *_robustness(config, section["robustness"]),
    ]


def _sets(config: dict, sets: list[dict]) -> Iterator[str]:
    place, seen = "diagnosis.complexity.sets", []
    for index, entry in enumerate(sets):
        yield from undefined(config, f"{place}[{index}].samples", entry["samples"], "samples")
        if entry["samples"] in seen:
            yield f"{place}[{index}] repeats {entry['samples']} of an earlier entry: join them"
        seen.append(entry["samples"])
        for name in entry["embeddings"]:
            if name not in EMBEDDINGS and name not in config["probes"]:
                hint = suggestion(name, [*EMBEDDINGS, *config["probes"]])
                yield f"{place}[{index}].embeddings has {name!r}, which is no embedding and no probe{hint}"
    for name in (name for name in config["probes"] if name in EMBEDDINGS):
        yield f"probes.{name}: an embedding of the diagnosis has this name; choose another"


def _networks(config: dict, names: list[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        if name not in config["networks"] and name not in classifiers():
            hint = suggestion(name, [*config["networks"], *classifiers()])
            place = f"diagnosis.capacity.networks[{index}]"
            yield f"{place} is {name!r}, which neither networks nor torchvision defines{hint}"


@cache
def classifiers() -> tuple[str, ...]:
    """Names of torchvision's classification networks, read from its source: to import it takes every job seconds."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return ()
    files = sorted(Path(found.origin).with_name("models").glob("*.py"))
    return tuple(name for file in files for name in REGISTERED.findall(file.read_text(encoding="utf-8")))


def _pairs(section: dict) -> Iterator[str]:
    known = {
        "network": section["capacity"]["networks"],
        "samples": [entry["samples"] for entry in section["complexity"]["sets"]],
    }
    where = {"network": "diagnosis.capacity.networks", "samples": "diagnosis.complexity.sets"}
    pairs = section["fit"]["pairs"]
    for index, pair in enumerate(pairs):
        for key, names in known.items():
            if pair[key] not in names:
                hint = suggestion(pair[key], names)
                yield f"diagnosis.fit.pairs[{index}].{key} is {pair[key]!r}, which is not among {where[key]}{hint}"
        if pair in pairs[:index]:
            yield f"diagnosis.fit.pairs[{index}] repeats an earlier entry"


def _resampling(config: dict, sets: list[dict]) -> Iterator[str]:
    place, seen = "diagnosis.resampling.sets", []
    for index, entry in enumerate(sets):
        yield from undefined(config, f"{place}[{index}].samples", entry["samples"], "samples")
        key = entry["samples"], entry["space"]
        if key in seen:
            yield f"{place}[{index}] repeats {' in the space '.join(key)} of an earlier entry: keep one"
        seen.append(key)
        if entry["rare"] is None and entry["kept"] < 1:
            yield f"{place}[{index}].kept is {entry['kept']}, but rare does not say of which class"


def _robustness(config: dict, section: dict) -> Iterator[str]:
    place, seen = "diagnosis.robustness.sets", []
    for index, entry in enumerate(section["sets"]):
        yield from undefined(config, f"{place}[{index}].samples", entry["samples"], "samples")
        key = entry["samples"], entry["family"]
        if key in seen:
            yield f"{place}[{index}] repeats {' and '.join(key)} of an earlier entry: join them"
        seen.append(key)
    if not set(PIXEL_ATTACKS) & set(section["attacks"]):
        found, known = ", ".join(section["attacks"]), " or ".join(PIXEL_ATTACKS)
        yield f"diagnosis.robustness.attacks has {found} alone, which counts no pixels: add {known}"
    search = section["search"]
    if search is not None and search not in section["attacks"]:
        known = ", ".join(section["attacks"])
        yield f"diagnosis.robustness.search is {search!r}, which is not among its attacks; those are {known}"
