"""Probes of several layers: each becomes one probe per layer, and what names the group names all of them."""

from __future__ import annotations

import copy
import difflib
import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping

from configuration.modules import UnknownLayersError
from configuration.names import listed

# Sections whose entries stand for every layer of a group that they name, and those that need a single layer.
APPLIED = ("explanations", "defects", "pictures", "senses", "strongest_filters", "occlusions")
BLOCKS = "blocks"
WILD = "*?["
NEAREST = 3

Layers = Callable[[Mapping], Mapping[str, list[str]]]


def expand(config: dict, layers_of: Layers) -> tuple[list[str], list[str]]:
    """Put a probe per layer in the place of every probe of several, in `probes` and wherever such a probe is named.

    layers_of: the layers of an entry of `networks`. Returns the mistakes, and sentences on what patterns stand for.
    What stands before the first dot of a probe's name is the name of its group; other probes' names have no dot.
    """
    mistakes, remarks, probes, groups = [], [], {}, {}
    for name, entry in config["probes"].items():
        place = f"probes.{name}"
        if ("layer" in entry) == ("layers" in entry):
            said = (
                "both layer and layers: keep one" if "layer" in entry else "neither layer nor layers: name what is read"
            )
            mistakes.append(f"{place} has {said}")
            continue
        if "layer" in entry:
            probes[name] = entry
            continue
        if entry["network"] not in config["networks"]:
            probes[name] = {**entry, "layer": ""}  # the data room says that the network is not there
            continue
        found, wrong = _found(entry["layers"], config["networks"][entry["network"]], f"{place}.layers", layers_of)
        mistakes += wrong
        own = {f"{name}.{_path(layer)}": layer for layer in found}
        if len(own) < len(found):
            mistakes.append(
                f"{place}.layers: {', '.join(found)} would have the same folders; name the layers one by one"
            )
        others = {key: value for key, value in entry.items() if key != "layers"}
        probes |= {own_name: {**others, "layer": layer} for own_name, layer in own.items()}
        groups[name] = list(own)
        if isinstance(entry["layers"], str) and found:
            remarks.append(f"{place}: {entry['layers']} stands for {', '.join(found)}")
    if mistakes:
        return mistakes, []
    config["probes"] = probes
    for section in APPLIED:
        config[section] = [each for entry in config[section] for each in _applied(entry, groups)]
    return _single(config, groups), remarks


def _found(asked: list[str] | str, network: Mapping, place: str, layers_of: Layers) -> tuple[list[str], list[str]]:
    """The layers that are asked for, and mistakes."""
    listed = [asked] if isinstance(asked, str) else asked
    twice = sorted({each for each in listed if listed.count(each) > 1})
    if twice:
        return [], [f"{place} names {', '.join(map(repr, twice))} twice"]
    if not any(each == BLOCKS or set(WILD) & set(each) for each in listed):
        return listed, []
    try:
        known = layers_of(network)
    except UnknownLayersError as error:
        said = f"{place}: the network cannot be built here to see its layers: {error}"
        return [], [f"{said}. Where it can be built when the study runs, name its layers one by one"]
    found, mistakes = [], []
    for each in listed:
        if each == BLOCKS:
            some = known.get("blocks", [])
        else:
            some = [name for name in known["readable"] if matches(name, each)] if set(WILD) & set(each) else [each]
        if not some:
            mistakes.append(f"{place}: {_nothing(each, known)}")
        found += [name for name in some if name not in found]
    return found, mistakes


def matches(layer: str, pattern: str) -> bool:
    """Whether a dotted path fits a pattern: *, ? and [...] within a part of the path, ** for any number of parts."""
    return _matches(layer.split("."), pattern.split("."))


def _matches(parts: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_matches(parts[skipped:], patterns[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])


def _nothing(pattern: str, known: Mapping[str, list[str]]) -> str:
    """What to say of a pattern that fits no layer that can be read."""
    if pattern == BLOCKS:
        return "the ends of the network's stages cannot be told; name its layers"
    others = [name for name in known["modules"] if matches(name, pattern)]
    if others:
        return f"{pattern!r} fits only modules that put out no maps of filters, such as {others[0]}"
    bare = re.sub(r"[*?\[\]]", "", pattern)
    near = difflib.get_close_matches(bare, known["readable"], n=NEAREST, cutoff=0.3) or known["readable"][-NEAREST:]
    return f"{pattern!r} fits no layer; the nearest are {', '.join(near)}"


def _path(layer: str) -> str:
    """The layer's name as a part of a path and of a wildcard."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", layer)


def _applied(entry: dict, groups: Mapping[str, list[str]]) -> Iterable[dict]:
    """The entry, once for each layer where it names a group."""
    if entry["probe"] not in groups:
        return [entry]
    return [{**copy.deepcopy(entry), "probe": probe} for probe in groups[entry["probe"]]]


def _single(config: dict, groups: Mapping[str, list[str]]) -> list[str]:
    """Mistakes of naming a group where one layer is needed."""
    named = [
        (f"facets[{index}].{key}", each[key])
        for index, each in enumerate(config["facets"])
        for key in ("probe", "judge")
    ]
    named += [
        (f"facets[{index}].words", name)
        for index, each in enumerate(config["facets"])
        for name in listed(each["words"])
    ]
    named += [
        (f"senses[{index}].{key}", each[key])
        for index, each in enumerate(config["senses"])
        for key in ("codes", "words")
    ]
    reproduction = config["reproduction"] or {"recall": []}
    named += [
        (f"reproduction.recall[{index}].probe", each["probe"]) for index, each in enumerate(reproduction["recall"])
    ]
    sets = config["diagnosis"]["complexity"]["sets"]
    named += [
        (f"diagnosis.complexity.sets[{index}].embeddings", each)
        for index, entry in enumerate(sets)
        for each in entry["embeddings"]
    ]
    return [
        f"{place} is {name!r}, which stands for several layers: name one of {', '.join(groups[name])}"
        for place, name in named
        if name in groups
    ]
