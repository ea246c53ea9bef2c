"""The words room's part of the config: explanations, defects, words and scores."""

from __future__ import annotations

from configuration.data import is_unannotated
from configuration.names import suggestion, undefined

_NAMED = (("dataset", "datasets"), ("probe", "probes"), ("vocabulary", "vocabularies"))


def mistakes(config: dict) -> list[str]:
    """Names that do not fit each other, and numbers that each are possible but not together."""
    found = []
    for section in ("explanations", "defects"):
        for index, entry in enumerate(config[section]):
            for key, where in _NAMED:
                found += undefined(config, f"{section}[{index}].{key}", entry[key], where)
            if any(_same(entry, earlier) for earlier in config[section][:index]):
                found.append(f"{section}[{index}] repeats an earlier entry")
    for index, entry in enumerate(config["defects"]):
        name = entry["dataset"]
        if is_unannotated(config, name):
            found.append(f"defects[{index}].dataset is {name!r}, which has no annotations to measure with")
    return found + _training(config) + _sizes(config) + _clips(config)


def _same(one: dict, other: dict) -> bool:
    """Whether two entries have the same results."""
    return all(one[key] == other[key] for key, _ in _NAMED)


def _clips(config: dict) -> list[str]:
    """Mistakes of the CLIP models and of the explanations that name one."""
    datasets, found = config["datasets"], []
    for name, entry in config["clips"].items():
        place = f"clips.{name}"
        if entry["source"] == "scenes":
            dataset = entry["dataset"]
            found += undefined(config, f"{place}.dataset", dataset, "datasets")
            source = datasets.get(dataset, {}).get("source", "scenes")
            if source != "scenes":
                found.append(f"{place}.dataset is {dataset!r}, whose source is {source}; should be scenes")
            continue
        given = [key for key in ("pretrained", "file") if entry[key] is not None]
        own = entry["model"].startswith(("hf-hub:", "local-dir:"))
        if own and given:
            found.append(f"{place}.{given[0]} has no effect: the model {entry['model']!r} brings its own weights")
        elif not own and len(given) != 1:
            said = "both pretrained and file" if given else "neither pretrained nor file"
            found.append(f"{place} has {said}: one of them gives the weights of {entry['model']!r}")
    for index, entry in enumerate(config["explanations"]):
        place, dataset = f"explanations[{index}].clip", entry["dataset"]
        if entry["clip"] is None:
            continue
        found += undefined(config, place, entry["clip"], "clips")
        if is_unannotated(config, dataset):
            found.append(f"{place}: {dataset!r} has no annotations, so nothing in which a rival could be scored")
    return found


def _training(config: dict) -> list[str]:
    training, others = config["training"], config["temperature"]["schedules"]
    if training["schedule"] in ("constant", "cosine"):
        return []
    place = f"training.schedule is {training['schedule']!r}"
    if training["schedule"] not in others:
        hint = suggestion(training["schedule"], ("constant", "cosine", *others))
        return [f"{place}, which is neither constant, cosine nor in temperature.schedules{hint}"]
    wrong = training["optimiser"] != "adamw"
    return [f"{place}, which only adamw follows; training.optimiser is {training['optimiser']!r}"] if wrong else []


def _sizes(config: dict) -> list[str]:
    words, scores, sheets, found = config["words"], config["scores"], config["sheets"], []
    if words["voting"] > words["per_image"]:
        found.append("words.voting is larger than words.per_image: only kept words can vote")
    if max(scores["recall_at"]) > words["per_image"]:
        found.append("scores.recall_at asks for more words than words.per_image keeps")
    if config["proofs"]["fewest"] > config["proofs"]["objects"]:
        found.append(
            f"proofs.fewest is {config['proofs']['fewest']}, larger than proofs.objects, "
            f"{config['proofs']['objects']}: nothing could ever be told"
        )
    if sheets["images"] > words["top_images"]:
        found.append("sheets.images asks for more images than words.top_images mines")
    return found
