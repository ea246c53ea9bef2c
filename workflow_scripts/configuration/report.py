"""The report room's part of the config: what is compared with must be there; and what its filters are called."""

from __future__ import annotations

import functools
from pathlib import Path

from configuration.data import is_unannotated
from configuration.names import suggestion

# In the folder of results: what an atlas is made by, as filterscope.report.atlas.places has it.
PLACES = "report/atlas_places.json"


def mistakes(config: dict) -> list[str]:
    """A study beside this one that is not there; datasets and explanations of `reproduction` that it does not have."""
    found = []
    beside = config["atlas"]["beside"]
    if beside is not None and not (Path(beside) / PLACES).is_file():
        found.append(
            f"atlas.beside is {beside!r}, which has no {PLACES}; should be the results folder of another study, which "
            "was run up to its atlas"
        )
    if not config["reproduction"]:
        return found
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


@functools.cache
def _names(path: str) -> dict[int, str]:
    """By filter its name and status, or its status alone."""
    import pyarrow.parquet as pq  # only a report asks

    rows = pq.read_table(path, columns=["filter", "name", "status"]).to_pylist()
    return {row["filter"]: ", ".join(filter(None, (row["name"], row["status"]))) for row in rows}


def sheet_label(path_to_names: str, number: int) -> str:
    """What Snakemake's report calls a filter: number, name and status, from its `filter_names`; Snakemake would take
    braces for a wildcard."""
    said = _names(path_to_names)[number].translate({ord("{"): "(", ord("}"): ")"})
    return f"{number:04d} {said}"


def _explanation(entry: dict) -> dict:
    """What makes an entry another explanation."""
    return {key: entry[key] for key in ("dataset", "probe", "vocabulary")}
