"""The report room's part of the config: what is compared with published numbers must be in this study."""

from __future__ import annotations

from configuration.data import is_unannotated
from configuration.names import suggestion


def mistakes(config: dict) -> list[str]:
    """Datasets and explanations of `reproduction` that this study does not have."""
    if not config["reproduction"]:
        return []
    found = []
    annotated = [name for name in config["datasets"] if not is_unannotated(config, name)]
    for published, name in config["reproduction"]["datasets"].items():
        if name not in annotated:
            place = f"reproduction.datasets.{published}"
            found.append(f"{place} is {name!r}, which is no annotated dataset{suggestion(name, annotated)}")
    for index, entry in enumerate(config["reproduction"]["recall"]):
        explanation = _explanation(entry)
        if explanation not in map(_explanation, config["explanations"]):
            found.append(f"reproduction.recall[{index}] is not among the explanations: {explanation}")
    return found


def _explanation(entry: dict) -> dict:
    """What makes an entry another explanation."""
    return {key: entry[key] for key in ("dataset", "probe", "vocabulary")}
