"""The pictures room's part of the config: pictures, recipes, facets, strongest filters and occlusions."""

from __future__ import annotations

from configuration.data import is_unannotated
from configuration.names import listed, undefined

# Sections and the names that make an entry of theirs, each once.
ENTRIES = {
    "pictures": ("dataset", "probe", "recipe"),
    "facets": ("dataset", "probe"),
    "senses": ("dataset", "probe"),
    "strongest_filters": ("dataset", "probe"),
    "occlusions": ("dataset", "probe"),
}

# Folders beside those of the recipes.
FOLDERS = ("sheets", "facets", "senses", "strongest_filters", "occlusions", "covered")


def mistakes(config: dict) -> list[str]:
    """Names that do not fit each other, and numbers that each are possible but not together."""
    return [*_entries(config), *_facets(config), *_senses(config), *_occlusions(config), *_recipes(config)]


def _entries(config: dict) -> list[str]:
    found = []
    for section, keys in ENTRIES.items():
        seen = []
        for index, entry in enumerate(config[section]):
            for key in keys:
                found += undefined(config, f"{section}[{index}].{key}", entry[key], f"{key}s")
            names = [entry[key] for key in keys]
            if names in seen:
                found.append(f"{section}[{index}] repeats {', '.join(names)} of an earlier entry: join them")
            seen.append(names)
    for index, entry in enumerate(config["pictures"]):
        found += _strongest(config, index, entry)
    return found


def _facets(config: dict) -> list[str]:
    found = []
    for index, entry in enumerate(config["facets"]):
        for key, names in (("recipe", [entry["recipe"]]), ("from_noise", entry["from_noise"])):
            for name in names:
                found += undefined(config, f"facets[{index}].{key}", name, "recipes")
        found += _judge(config, index, entry)
        for name in listed(entry["words"]):
            found += _of_network(config, f"facets[{index}].words", entry, name)
        units = list(entry["classes"].values())
        for name in {unit for unit in units if units.count(unit) > 1}:
            own = ", ".join(key for key, unit in entry["classes"].items() if unit == name)
            found.append(f"facets[{index}].classes: unit {name} stands for {own}; a unit has one class")
    return found


def _judge(config: dict, index: int, entry: dict) -> list[str]:
    """A network cannot judge its own pictures."""
    place, judge = f"facets[{index}].judge", entry["judge"]
    if judge is None:
        return []
    probes = config["probes"]
    found = undefined(config, place, judge, "probes")
    if not found and entry["probe"] in probes and probes[judge]["network"] == probes[entry["probe"]]["network"]:
        found.append(f"{place} is {judge!r}, a probe of the network that is judged; should be another network's")
    return found


def _named_parts(index: int, entry: dict) -> list[str]:
    """Every photograph has parts of its own, once."""
    own = [each["image"] for each in entry["cover"] if isinstance(each, dict)]
    if not own or sorted(map(str, own)) == sorted(map(str, entry["images"])):
        return []
    said = ", ".join(map(str, own)), ", ".join(map(str, entry["images"]))
    return [f"occlusions[{index}].cover has parts of {said[0]}; images are {said[1]}: each needs parts, once"]


def _strongest(config: dict, index: int, entry: dict) -> list[str]:
    """The strongest filters must be looked for somewhere."""
    names = (entry["dataset"], entry["probe"])
    asked = [(each["dataset"], each["probe"]) for each in config["strongest_filters"]]
    if entry["filters"] != "strongest" or names in asked:
        return []
    return [f"pictures[{index}].filters is 'strongest', but strongest_filters has no entry for {', '.join(names)}"]


def _of_network(config: dict, place: str, entry: dict, name: str | None) -> list[str]:
    """A second probe of an entry, such as the one whose explainer names facets, is of the very network."""
    probes = config["probes"]
    if name is None:
        return []
    found = undefined(config, place, name, "probes")
    if found or entry["probe"] not in probes:
        return found
    network = probes[entry["probe"]]["network"]
    if probes[name]["network"] != network:
        return [f"{place} is {name!r}, a probe of another network; should be one of {network}"]
    return []


def _senses(config: dict) -> list[str]:
    found = []
    for index, entry in enumerate(config["senses"]):
        for key in ("codes", "words"):
            found += _of_network(config, f"senses[{index}].{key}", entry, entry[key])
        if entry["recipe"] is not None:
            found += undefined(config, f"senses[{index}].recipe", entry["recipe"], "recipes")
    own = config["sensing"]
    if own["fewest"] > own["images"]:
        found.append(f"sensing.fewest is {own['fewest']}, more than images, {own['images']}: no sense could be told")
    if own["fewest"] < 2 * own["most"]:
        found.append(
            f"sensing.fewest is {own['fewest']}, should be at least twice most, {own['most']}: halves are grouped"
        )
    return found


def _occlusions(config: dict) -> list[str]:
    found = []
    for index, entry in enumerate(config["occlusions"]):
        name = entry["dataset"]
        if entry["cover"] == "objects" and is_unannotated(config, name):
            found.append(f"occlusions[{index}].cover is 'objects', but dataset {name!r} has no annotations")
        found += _named_parts(index, entry)
    own = config["occlusion"]
    if own["stride"] > own["size"]:
        found.append(f"occlusion.stride is {own['stride']}, larger than size, {own['size']}: squares would leave gaps")
    return found


def _recipes(config: dict) -> list[str]:
    found = []
    for name, entry in config["recipes"].items():
        if name in FOLDERS:
            found.append(f"recipes.{name}: a folder of the results has this name; choose another")
        if entry["method"] in ("maco", "vital") and entry["smallest"] > entry["largest"]:
            found.append(f"recipes.{name}.smallest is {entry['smallest']}, larger than largest, {entry['largest']}")
    return found
