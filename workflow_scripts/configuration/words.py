"""The words room's part of the config: explanations, defects, words and scores."""

from __future__ import annotations

from configuration.names import suggestion, undefined

_NAMED = (("dataset", "datasets"), ("probe", "probes"), ("vocabulary", "vocabularies"))


def mistakes(config: dict) -> list[str]:
    """Names that do not fit each other, and numbers that each are possible but not together."""
    found = []
    for section in ("explanations", "defects"):
        for index, entry in enumerate(config[section]):
            for key, where in _NAMED:
                found += undefined(config, f"{section}[{index}].{key}", entry[key], where)
            if entry in config[section][:index]:
                found.append(f"{section}[{index}] repeats an earlier entry")
    for index, entry in enumerate(config["defects"]):
        name = entry["dataset"]
        if config["datasets"].get(name, {}).get("source") == "folder":
            found.append(f"defects[{index}].dataset is {name!r}, which has no annotations to measure with")
    return found + _training(config) + _sizes(config)


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
