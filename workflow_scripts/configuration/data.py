"""The data room's part of the config: datasets, vocabularies, networks and probes."""

from __future__ import annotations

from configuration.names import suggestion, undefined
from filterscope.data.datasets.sources import SOURCES
from filterscope.data.networks.settings import TRAINED

# Sources of word vectors that a rule brings where no file is named (`vectors_of` in rules/common/data.smk).
BROUGHT = ("captions", "glove")


def mistakes(config: dict) -> list[str]:
    """Names that do not fit each other, and numbers that each are possible but not together."""
    return _datasets(config) + _vocabularies(config) + _networks(config) + _samples(config)


def is_unannotated(config: dict, name: str) -> bool:
    """Whether the config defines a dataset of this name, and it has no annotations."""
    return name in config["datasets"] and not SOURCES[config["datasets"][name]["source"]].annotated


def _datasets(config: dict) -> list[str]:
    found = []
    for name, entry in config["datasets"].items():
        place = f"datasets.{name}"
        if "vocabulary" in entry:
            found += undefined(config, f"{place}.vocabulary", entry["vocabulary"], "vocabularies")
        if "reference" in entry:
            reference = entry["reference"]
            found += undefined(config, f"{place}.reference", reference, "datasets")
            if is_unannotated(config, reference):
                found.append(f"{place}.reference is {reference!r}, which has no annotations itself")
        if entry["source"] == "scenes" and entry["objects"][0] > entry["objects"][1]:
            found.append(f"{place}.objects is {entry['objects']}: the fewest come first")
    return found


def _vocabularies(config: dict) -> list[str]:
    found = []
    for name, entry in config["vocabularies"].items():
        file = entry.get("file")
        if file == "" or (file is None and entry["source"] not in BROUGHT):
            known = " and ".join(BROUGHT)
            found.append(
                f"vocabularies.{name}.file is {file!r}: should be a file of word vectors; only sources {known} do "
                f"without one, this one is {entry['source']!r}"
            )
        if entry["source"] == "glove" and file is None and entry["member"] is None:
            found.append(f"vocabularies.{name}.member is missing: name the file in the archive, as glove.6B.300d.txt")
    return found


def _networks(config: dict) -> list[str]:
    datasets, found = config["datasets"], []
    for name, entry in config["networks"].items():
        if entry["source"] in TRAINED:
            place, dataset = f"networks.{name}.dataset", entry["dataset"]
            found += undefined(config, place, dataset, "datasets")
            if dataset in datasets and datasets[dataset]["source"] != "scenes":
                found.append(f"{place} is {dataset!r}, whose source is {datasets[dataset]['source']}; should be scenes")
            known, schedule = config["temperature"]["schedules"], entry["schedule"]
            if schedule is not None and schedule not in known:
                place = f"networks.{name}.schedule is {schedule!r}"
                found.append(f"{place}, which temperature.schedules does not define{suggestion(schedule, known)}")
        crop, resize = entry["input"]["crop"], entry["input"]["resize"]
        if crop is not None and resize is not None and crop > resize:
            found.append(f"networks.{name}.input.crop is {crop}, larger than resize, {resize}")
    for name, probe in config["probes"].items():
        found += undefined(config, f"probes.{name}.network", probe["network"], "networks")
    return found


def _samples(config: dict) -> list[str]:
    datasets, found = config["datasets"], []
    for name, entry in config["samples"].items():
        if entry["source"] != "objects":
            continue
        place, dataset = f"samples.{name}.dataset", entry["dataset"]
        found += undefined(config, place, dataset, "datasets")
        source = datasets.get(dataset, {}).get("source")
        if is_unannotated(config, dataset):
            found.append(f"{place} is {dataset!r}, which has no annotations, so no objects")
        elif entry["by"] == "shape" and source not in (None, "scenes"):
            found.append(f"samples.{name}.by is 'shape', which only scenes have; {dataset!r} is of source {source}")
    return found
