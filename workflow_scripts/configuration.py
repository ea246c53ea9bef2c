"""What is checked before anything runs: the config against its schema and against itself."""

from __future__ import annotations

import copy
import difflib
import os
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

# Sections whose entries differ by this key; the schema of each stands in $defs/<section>/<its value>.
SOURCED = {"datasets": "source", "vocabularies": "source", "networks": "source", "recipes": "method"}

# Sections of the pictures room and the names that make an entry, each once.
PICTURE_ENTRIES = {
    "pictures": ("dataset", "probe", "recipe"),
    "facets": ("dataset", "probe"),
    "strongest_filters": ("dataset", "probe"),
    "occlusions": ("dataset", "probe"),
}

# Folders beside those of the recipes.
PICTURE_FOLDERS = ("sheets", "facets", "strongest_filters", "occlusions", "covered")

# Facets of a class, and images that their means are made of, where an entry does not say (seed 002, II.B); codes: None
# for the penultimate vector.
FACETS = {"codes": None, "facets": 10, "nearest": 15}

# A probe that names no call reads the module's last use in a forward pass (spec B1).
LAST_CALL = -1


class ConfigError(ValueError):
    """The config is wrong: says which key, what was found and what would be right."""


def share_library(folder: str | Path) -> None:
    """Let the scripts of this run's jobs import the library in this folder, which need not be installed."""
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", str(folder))]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *others])


def yield_idle_cores() -> None:
    """Let torch's threads sleep while they wait for each other, unless the user has decided otherwise.

    By default they spin, and where decoding processes or other jobs want the same cores, everything slows down
    several times over: dissecting filters took 77 s instead of 16 s beside one other busy process on two cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def check(config: dict, path_to_schema: str | Path) -> None:
    """Check the config, fill in the defaults of its entries, and resolve its names.

    Raises ConfigError with every mistake found, one a line.
    """
    schema = yaml.safe_load(Path(path_to_schema).read_text())
    mistakes = list(_mistakes(config, {**schema, "$defs": schema["$defs"]}, ""))
    for section in SOURCED:
        entries = config.get(section)
        if isinstance(entries, dict):
            for name, entry in entries.items():
                mistakes += _check_entry(section, name, entry, schema)
    if not mistakes:
        for probe in config["probes"].values():
            probe.setdefault("call", LAST_CALL)
            probe.setdefault("pool", config["activations"]["pool"])
        for entry in config["pictures"]:
            entry.setdefault("position", None)
        for entry in config["facets"]:
            for key, value in FACETS.items():
                entry.setdefault(key, value)
        mistakes = _check_names(config) + _check_sizes(config)
    if mistakes:
        raise ConfigError("the config is wrong:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes))


def _check_entry(section: str, name: str, entry, schema: dict) -> list[str]:
    """Mistakes of one dataset, vocabulary or network; its defaults are filled in."""
    kinds, kind_key = schema["$defs"][section], SOURCED[section]
    if not isinstance(name, str):
        return [f"{section}: {name!r} is not a name of letters, digits and underscores"]
    if not isinstance(entry, dict) or entry.get(kind_key) not in kinds:
        found = entry.get(kind_key) if isinstance(entry, dict) else entry
        return [f"{section}.{name}.{kind_key} is {found!r}, should be one of {', '.join(kinds)}"]
    kind = kinds[entry[kind_key]]
    for key, rules in kind["properties"].items():
        if "default" in rules and key not in entry:
            entry[key] = copy.deepcopy(rules["default"])
        if isinstance(entry.get(key), dict) and "properties" in rules:
            defaults = {k: v["default"] for k, v in rules["properties"].items() if "default" in v}
            entry[key] = {**copy.deepcopy(defaults), **entry[key]}
    return list(_mistakes(entry, {**kind, "$defs": schema["$defs"]}, f"{section}.{name}"))


def _mistakes(value, schema: dict, place: str):
    errors = Draft202012Validator(schema).iter_errors(value)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.path]):
        key = ".".join(filter(None, [place, *map(str, error.path)])) or "config"
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            prefix = "" if key == "config" else f"{key}."
            for unknown in (k for k in error.instance if k not in known):
                yield f"{prefix}{unknown} is not known{_suggestion(unknown, known)}"
        elif error.validator == "pattern" and error.schema["pattern"] == schema["$defs"]["name"]["pattern"]:
            yield f"{key}: {error.instance!r} is not a name of letters, digits and underscores"
        elif error.validator == "required":
            yield f"{key}: {error.message.replace('is a required property', 'is missing')}"
        else:
            described = f" ({error.schema['description']})" if "description" in error.schema else ""
            yield f"{key} is {error.instance!r}: {error.message}{described}{_number_hint(error)}"


def _number_hint(error) -> str:
    """YAML reads 1e-3 as text: numbers need a point before the exponent."""
    if error.validator != "type" or error.schema["type"] != "number" or not isinstance(error.instance, str):
        return ""
    try:
        return f"; write it as {float(error.instance)!r}" if "e" in error.instance.lower() else ""
    except ValueError:
        return ""


def _suggestion(name: str, known) -> str:
    near = difflib.get_close_matches(str(name), [str(k) for k in known], n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else f"; known are {', '.join(map(str, known))}"


def _check_names(config: dict) -> list[str]:
    """Names that one part of the config uses and another must define."""
    mistakes = []

    def must_exist(place: str, name: str, section: str) -> bool:
        if name not in config[section]:
            hint = _suggestion(name, config[section])
            mistakes.append(f"{place} is {name!r}, which {section} does not define{hint}")
        return name in config[section]

    datasets = config["datasets"]
    for name, entry in config["networks"].items():
        place = f"networks.{name}.dataset"
        if entry["source"] == "scenes_cnn" and must_exist(place, entry["dataset"], "datasets"):
            name, source = entry["dataset"], datasets[entry["dataset"]]["source"]
            if source != "scenes":
                mistakes.append(f"{place} is {name!r}, whose source is {source}; should be scenes")
    for name, entry in datasets.items():
        if entry["source"] == "visual_genome":
            must_exist(f"datasets.{name}.vocabulary", entry["vocabulary"], "vocabularies")
        place = f"datasets.{name}.reference"
        if entry["source"] == "folder" and must_exist(place, entry["reference"], "datasets"):
            reference = entry["reference"]
            if datasets[reference]["source"] == "folder":
                mistakes.append(f"{place} is {reference!r}, which has no annotations itself")
    for name, entry in config["vocabularies"].items():
        if entry["source"] == "glove" and entry["file"] is None and entry["member"] is None:
            mistakes.append(
                f"vocabularies.{name}.member is missing: name the file in the archive, as glove.6B.300d.txt"
            )
    for name, probe in config["probes"].items():
        must_exist(f"probes.{name}.network", probe["network"], "networks")
    for section in ("explanations", "defects"):
        for index, entry in enumerate(config[section]):
            for key, where in (("dataset", "datasets"), ("probe", "probes"), ("vocabulary", "vocabularies")):
                must_exist(f"{section}[{index}].{key}", entry[key], where)
            if entry in config[section][:index]:
                mistakes.append(f"{section}[{index}] repeats an earlier entry")
    mistakes += _check_reproduction(config)
    for index, entry in enumerate(config["defects"]):
        name = entry["dataset"]
        if datasets.get(name, {}).get("source") == "folder":
            mistakes.append(f"defects[{index}].dataset is {name!r}, which has no annotations to measure with")
    _check_picture_names(config, must_exist, mistakes)
    return mistakes


def _check_picture_names(config: dict, must_exist, mistakes: list[str]) -> None:
    """Names in the sections of the pictures room; what is wrong is added to `mistakes`, as must_exist does itself."""
    for section, keys in PICTURE_ENTRIES.items():
        seen = []
        for index, entry in enumerate(config[section]):
            for key in keys:
                must_exist(f"{section}[{index}].{key}", entry[key], f"{key}s")
            names = [entry[key] for key in keys]
            if names in seen:
                mistakes.append(f"{section}[{index}] repeats {', '.join(names)} of an earlier entry: join them")
            seen.append(names)
    for index, entry in enumerate(config["facets"]):
        must_exist(f"facets[{index}].recipe", entry["recipe"], "recipes")
        units = list(entry["classes"].values())
        for name in {unit for unit in units if units.count(unit) > 1}:
            own = ", ".join(key for key, unit in entry["classes"].items() if unit == name)
            mistakes.append(f"facets[{index}].classes: unit {name} stands for {own}; a unit has one class")
    for index, entry in enumerate(config["occlusions"]):
        name = entry["dataset"]
        if entry["cover"] == "objects" and config["datasets"].get(name, {}).get("source") == "folder":
            mistakes.append(f"occlusions[{index}].cover is 'objects', but dataset {name!r} has no annotations")
    taken = [name for name in config["recipes"] if name in PICTURE_FOLDERS]
    mistakes += [f"recipes.{name}: a folder of the results has this name; choose another" for name in taken]


def _check_reproduction(config: dict) -> list[str]:
    """What is compared with published numbers must be in this study."""
    if not config["reproduction"]:
        return []
    mistakes = []
    for published, name in config["reproduction"]["datasets"].items():
        if config["datasets"].get(name, {"source": "folder"})["source"] == "folder":
            known = [name for name, entry in config["datasets"].items() if entry["source"] != "folder"]
            place = f"reproduction.datasets.{published}"
            mistakes.append(f"{place} is {name!r}, which is no annotated dataset{_suggestion(name, known)}")
    for index, entry in enumerate(config["reproduction"]["recall"]):
        explanation = {key: entry[key] for key in ("dataset", "probe", "vocabulary")}
        if explanation not in config["explanations"]:
            mistakes.append(f"reproduction.recall[{index}] is not among the explanations: {explanation}")
    return mistakes


def _check_sizes(config: dict) -> list[str]:
    """Numbers that each are possible but not together."""
    mistakes = []
    for name, entry in config["datasets"].items():
        if entry["source"] == "scenes" and entry["objects"][0] > entry["objects"][1]:
            mistakes.append(f"datasets.{name}.objects is {entry['objects']}: the fewest come first")
    for name, entry in config["networks"].items():
        if entry["input"]["crop"] > entry["input"]["resize"]:
            crop, resize = entry["input"]["crop"], entry["input"]["resize"]
            mistakes.append(f"networks.{name}.input.crop is {crop}, larger than resize, {resize}")
    for name, entry in config["recipes"].items():
        if entry["method"] == "maco" and entry["smallest"] > entry["largest"]:
            mistakes.append(f"recipes.{name}.smallest is {entry['smallest']}, larger than largest, {entry['largest']}")
    words, scores, sheets = config["words"], config["scores"], config["sheets"]
    if words["voting"] > words["per_image"]:
        mistakes.append("words.voting is larger than words.per_image: only kept words can vote")
    if max(scores["recall_at"]) > words["per_image"]:
        mistakes.append("scores.recall_at asks for more words than words.per_image keeps")
    if sheets["images"] > words["top_images"]:
        mistakes.append("sheets.images asks for more images than words.top_images mines")
    return mistakes
