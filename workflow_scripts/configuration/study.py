"""Whose study it is: yours, or the embedded one of config.yaml."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

# Keys whose entries say what a study computes; dots lead into sections.
ENTRIES = (
    *("explanations", "defects", "pictures", "facets", "senses", "strongest_filters", "occlusions"),
    *("diagnosis.complexity.sets", "diagnosis.capacity.networks", "diagnosis.fit.pairs"),
    *("diagnosis.resampling.sets", "diagnosis.robustness.sets"),
    *("temperature.duels", "temperature.starts", "temperature.ranges"),
)


def leave_out_embedded(config: dict, own: Mapping) -> None:
    """Empty the entries of config.yaml where a study has entries of its own.

    Snakemake adds a study's config to config.yaml key by key: without this, whoever asks for the words of their own
    network would also get the pictures of the embedded ones. own: what the study's config says itself.
    """
    named = [key for key in ENTRIES if _holds(own, key)]
    for key in ENTRIES if named else ():
        if key not in named and _holds(config, key):
            *sections, last = key.split(".")
            section = config
            for each in sections:
                section = section[each]
            section[last] = type(section[last])()


def complete(config: dict, path_to_defaults: str | Path) -> None:
    """Add what the file of defaults says and the config does not: sections merge, other values of the config stay.

    What Snakemake does with config.yaml and a study's own file, for a workflow that is imported as a module.
    """
    own = copy.deepcopy(config)
    merged = _merged(yaml.safe_load(Path(path_to_defaults).read_text()), own)
    config.clear()
    config.update(merged)
    leave_out_embedded(config, own)


def _merged(defaults: dict, own: Mapping) -> dict:
    both = {
        key: _merged(defaults[key], value)
        if isinstance(value, Mapping) and isinstance(defaults.get(key), dict)
        else value
        for key, value in own.items()
    }
    return {**defaults, **both}


def asked_probes(config: Mapping) -> list[str]:
    """Names of the probes that what a study computes names, in the order of the config."""
    sections = []
    for key in ENTRIES:
        section = config
        for part in key.split("."):
            section = section[part]
        sections.append(section)
    named = set(_texts(sections))
    return [name for name in config["probes"] if name in named]


def _texts(value) -> Iterator[str]:
    """Every text in lists and mappings, keys included."""
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _holds(config: Mapping, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(config, Mapping) or part not in config:
            return False
        config = config[part]
    return True
