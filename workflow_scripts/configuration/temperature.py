"""The temperature room's part of the config: schedules, and what is trained with them."""

from __future__ import annotations

from collections.abc import Iterator

from configuration.names import suggestion, undefined

# Sections of `temperature` and the names that make an entry of theirs, each once.
ENTRIES = {
    "duels": ("network", "samples"),
    "starts": ("network", "samples"),
    "ranges": ("network", "samples", "schedule"),
}
PLANES = ("xor", "circle", "gauss", "moon", "spiral")  # sources of samples that are no pictures


def mistakes(config: dict) -> list[str]:
    """Names that do not fit each other, and numbers that each are possible but not together."""
    room = config["temperature"]
    return [*_networks(room), *_schedules(room), *_trainings(config), *_entries(config)]


def _networks(room: dict) -> Iterator[str]:
    for name, entry in room["networks"].items():
        if (entry["architecture"] is None) == (entry["factory"] is None):
            yield f"temperature.networks.{name} needs either an architecture or a factory"


def _schedules(room: dict) -> Iterator[str]:
    for name, entry in room["schedules"].items():
        for key, (low, high) in (entry["search"] or {}).items():
            if low > high:
                yield f"temperature.schedules.{name}.search.{key} is [{low}, {high}]: the lowest comes first"


def _trainings(config: dict) -> Iterator[str]:
    room = config["temperature"]
    for name, own in room["training_of"].items():
        yield from undefined(config, f"temperature.training_of.{name}", name, "samples")
        unknown = [key for key in own if key not in room["training"]]
        yield from (
            f"temperature.training_of.{name}.{key} is not known{suggestion(key, room['training'])}" for key in unknown
        )


def _entries(config: dict) -> Iterator[str]:
    room = config["temperature"]
    for section, keys in ENTRIES.items():
        seen = []
        for index, entry in enumerate(room[section]):
            place = f"temperature.{section}[{index}]"
            yield from undefined(config, f"{place}.samples", entry["samples"], "samples")
            yield from _undefined(room, f"{place}.network", entry["network"], "networks")
            for schedule in entry.get("schedules") or [entry["schedule"]]:
                yield from _undefined(room, f"{place}.schedules", schedule, "schedules")
            names = [entry[key] for key in keys]
            if names in seen:
                yield f"{place} repeats {', '.join(names)} of an earlier entry: join them"
            seen.append(names)
            yield from _unsuitable(config, place, entry)


def _undefined(room: dict, place: str, name: str, section: str) -> Iterator[str]:
    if name not in room[section]:
        hint = suggestion(name, room[section])
        yield f"{place} has {name!r}, which temperature.{section} does not define{hint}"


def _unsuitable(config: dict, place: str, entry: dict) -> Iterator[str]:
    samples = config["samples"].get(entry["samples"], {})
    network = config["temperature"]["networks"].get(entry["network"], {})
    if samples.get("source") in PLANES and network.get("architecture"):
        said = f"{place}.samples is {entry['samples']!r}, points in the plane"
        yield f"{said}; {entry['network']} needs pictures: take a network from a factory"
    if samples.get("source") in PLANES and not samples["test_points"] and "schedules" in entry:
        yield f"{place}.samples is {entry['samples']!r}, which has no test_points to compare schedules by"
