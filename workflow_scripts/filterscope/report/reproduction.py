"""Published numbers beside ours: the tables of the LaViSE reproduction made anew (LaViSE, tables 1 to 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.report.summary import Section
from filterscope.schemas.values import RECALL
from filterscope.words.scoring.score_table import ROW_NAMES

OURS = "Filterscope"
ORIGINAL, REPRODUCTION = "Yang et al. 2022", "Buis et al. 2023"
SPLITS = ("train", "val")


@dataclass
class Counted:
    """A dataset of this study as its tables hold it: images, annotations and categories."""

    name: str
    images: pd.DataFrame
    image_of_annotation: np.ndarray
    categories: pd.DataFrame


def read_published(file: str | Path | TextIO) -> pd.DataFrame:
    """The published values: the `published` table from its CSV, where every value stands as it was printed."""
    table = pd.read_csv(file, dtype={"printed": str, "at": str}, keep_default_na=False)
    return tables.checked(table, "published", "the published values").to_pandas()


def dataset_table(published: pd.DataFrame, counted: dict[str, Counted]) -> pd.DataFrame:
    """Table 1: sizes of the reference datasets, printed and counted; the `reproduced_datasets` table.

    counted: by the experiment's name. A dataset that this study does not have says so. Images are those with an
    annotation; categories are tokens, of supervised categories for training and of the others for validation, or
    all of them for both where every category is supervised.
    """
    rows = []
    for experiment, part in published[published["table"] == 1].groupby("experiment", sort=False):
        title = part["title"].iloc[0]
        rows += [
            (experiment, title, line.source, line.quantity, line.at, line.printed, None, "published")
            for line in part.itertuples()
        ]
        mine = counted.get(experiment)
        numbers = _sizes(mine) if mine else {}
        for quantity, at in zip(part["quantity"], part["at"], strict=True):
            value = numbers.get((quantity, at))
            said = f"{value:,}" if mine else ""
            rows.append((experiment, title, OURS, quantity, at, said, value, mine.name if mine else "not run here"))
    names = ["experiment", "title", "source", "quantity", "at", "printed", "value", "status"]
    return _without_nan(pd.DataFrame(rows, columns=names))


def _sizes(counted: Counted) -> dict[tuple[str, str], int]:
    splits = counted.images.set_index("image_id")["split"]
    of_annotations = splits.loc[counted.image_of_annotation]
    annotated = counted.images[counted.images["image_id"].isin(counted.image_of_annotation)]
    sizes = {}
    for quantity, found in (("images", annotated["split"]), ("annotations", of_annotations)):
        for split in SPLITS:
            sizes[quantity, split] = int((found == split).sum())
        sizes[quantity, "total"] = len(found)

    def tokens(rows: pd.DataFrame) -> int:
        return len({token for each in rows["tokens"] for token in each})

    everything, supervised = counted.categories, counted.categories["supervised"]
    sizes["categories", "train"] = tokens(everything[supervised])
    sizes["categories", "val"] = tokens(everything if supervised.all() else everything[~supervised])
    sizes["categories", "total"] = tokens(everything)
    return sizes


def recall_table(published: pd.DataFrame, runs: dict[str, dict[str, pd.DataFrame]]) -> pd.DataFrame:
    """Tables 2 and 3: recall over the whole vocabulary, printed and measured; the `reproduced_recall` table.

    runs: `scores` by experiment and probe. An experiment without a run has one line of ours without a value.
    """
    rows = []
    for experiment, part in published[published["quantity"] == "recall"].groupby("experiment", sort=False):
        same = {"experiment": experiment, "title": part["title"].iloc[0]}
        for line in part.itertuples():
            value = float(line.printed)
            rows.append(same | _line(line.source, "", "words", int(line.at), "published", line.note, value))
        for k in sorted({int(at) for at in part["at"]}):
            for probe, scores in runs.get(experiment, {}).items():
                at = _recall_at(scores, k)
                if at.empty:
                    rows.append(same | _line(OURS, probe, "words", k, "not measured", f"scores.recall_at lacks {k}"))
                for own in at.itertuples():
                    measured = pd.notna(own.value)
                    status = "measured" if measured else "not measurable"
                    values = (own.value, own.low, own.high) if measured else (None, None, None)
                    rows.append(same | _line(OURS, probe, own.row, k, status, "", *values))
            if experiment not in runs:
                rows.append(same | _line(OURS, "", "words", k, "not run here", ""))
    return _without_nan(pd.DataFrame(rows))


def _recall_at(scores: pd.DataFrame, k: int) -> pd.DataFrame:
    chosen = (scores["metric"] == RECALL) & (scores["candidates"] == "vocabulary") & (scores["k"] == k)
    return scores[chosen]


def _line(source, probe, row, k, status, note, value=None, low=None, high=None) -> dict:
    names = ("source", "probe", "row", "k", "status", "note", "value", "low", "high")
    return dict(zip(names, (source, probe, row, k, status, note, value, low, high), strict=True))


def _without_nan(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(object)
    return table.where(pd.notna(table), None)


def gap_sentences(defects: pd.DataFrame, recall: pd.DataFrame, experiment: str, k: int) -> list[str]:
    """Which defects of the reference explain what its reproduction lost: sentences made from the `defects` table.

    A defect explains something where its cost's interval lies above 0. experiment: whose published values are told.
    """
    chosen = defects[(defects["candidates"] == "vocabulary") & (defects["k"] == k)].set_index("switch")
    chosen = chosen.dropna(subset=["recall", "cost"])
    default = chosen.loc["default"]
    alone = chosen.drop(index=[name for name in ("default", "all", "all_but_unpooled") if name in chosen.index])
    dear = alone[alone["cost_low"] > 0].sort_values("cost", ascending=False)
    useful = alone[alone["cost_high"] < 0].sort_values("cost")
    unclear = alone.drop(index=[*dear.index, *useful.index])
    sentences = []
    printed = recall[(recall["experiment"] == experiment) & (recall["status"] == "published") & (recall["k"] == k)]
    values = printed.set_index("source")["value"]
    if {ORIGINAL, REPRODUCTION} <= set(values.index):
        sentences.append(
            f"Published recall@{k} for {printed['title'].iloc[0]}: {values[ORIGINAL]:.3f} ({ORIGINAL}) and "
            f"{values[REPRODUCTION]:.3f} ({REPRODUCTION}), a gap of {values[ORIGINAL] - values[REPRODUCTION]:.3f}."
        )
    sentences.append(
        f"On these data recall@{k} is {default['recall']:.3f} without any of the reference's defects."
        + _listing(" Alone, these lower it with certainty: ", dear)
        + _listing(" These raise it: ", useful)
        + (f" No effect is certain for {_names(unclear.index)}." if len(unclear) else "")
    )
    together = [name for name in ("all", "all_but_unpooled") if name in chosen.index]
    if together:
        row = chosen.loc[together[0]]
        share = f"{100 * row['cost'] / default['recall']:.0f} % of the recall" if default["recall"] > 0 else "nothing"
        sentences.append(
            f"All of them together{'' if together[0] == 'all' else ' (but for unpooled inputs)'} leave "
            f"{row['recall']:.3f} [{row['low']:.3f}, {row['high']:.3f}]: they cost {row['cost']:.3f} "
            f"[{row['cost_low']:.3f}, {row['cost_high']:.3f}], {share}."
        )
    return sentences


def _listing(start: str, rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    parts = [
        f"{_plain(row.Index)} by {abs(row.cost):.3f} [{min(abs(row.cost_low), abs(row.cost_high)):.3f}, "
        f"{max(abs(row.cost_low), abs(row.cost_high)):.3f}]"
        for row in rows.itertuples()
    ]
    return start + ", ".join(parts) + "."


def _names(switches) -> str:
    return ", ".join(map(_plain, switches))


def _plain(switch: str) -> str:
    return switch.replace("_", " ")


def reproduction_sections(
    datasets: pd.DataFrame, recall: pd.DataFrame, defects: dict[str, tuple[str, pd.DataFrame]]
) -> list[Section]:
    """The page: the three tables, and what caused the published gap.

    defects: by the explanation's heading, the experiment whose published values it is compared with and its
    `defects` table.
    """
    sections = [
        Section("Reference datasets (table 1)", [DATASETS_NOTE], [_wide_datasets(datasets)]),
        Section("Recall over the whole vocabulary (tables 2 and 3)", [RECALL_NOTE], [_wide_recall(recall)]),
    ]
    for heading, (experiment, table) in defects.items():
        lines = gap_sentences(table, recall, experiment, int(table["k"].min()))
        sections.append(Section(f"What the reference's defects cost: {heading}", lines, [_wide_defects(table)]))
    return sections


DATASETS_NOTE = (
    "Published numbers as they are printed. Ours: images with an annotation, annotations after preparation, and "
    "tokens of the categories."
)
RECALL_NOTE = (
    "Published values as they are printed, without intervals: none were given. Ours are for all filters of the layer "
    "on the validation images, with bootstrap intervals over images; the published ones are for 22 filters and, in the "
    "reproduction, on training images too. Rows below ours are its nulls and its rival on the same images."
)


def _wide_datasets(table: pd.DataFrame) -> pd.DataFrame:
    said = table.assign(
        cell=[printed or status for printed, status in zip(table["printed"], table["status"], strict=True)],
        column=table["quantity"] + ", " + table["at"],
    )
    order = list(dict.fromkeys(said["column"]))
    lines = said[["title", "source"]].drop_duplicates()
    wide = said.pivot(index=["title", "source"], columns="column", values="cell")[order]
    wide = wide.reindex(pd.MultiIndex.from_frame(lines))
    return wide.reset_index().rename(columns={"title": "dataset"}).rename_axis(columns=None)


def _wide_recall(table: pd.DataFrame) -> pd.DataFrame:
    def cell(line) -> str:
        if pd.isna(line.value):
            return line.status
        return f"{line.value:.3f}" if pd.isna(line.low) else f"{line.value:.3f} [{line.low:.3f}, {line.high:.3f}]"

    said = table.assign(
        cell=[cell(line) for line in table.itertuples()],
        column=[f"R@{k}" for k in table["k"]],
        who=[_who(line) for line in table.itertuples()],
        note=table["note"].fillna(""),
    )
    keys = ["title", "who", "note"]
    wide = said.pivot(index=keys, columns="column", values="cell")[list(dict.fromkeys(said["column"]))]
    wide = wide.reindex(pd.MultiIndex.from_frame(said[keys].drop_duplicates())).fillna("")
    wide = wide.reset_index().rename(columns={"title": "experiment", "who": ""}).rename_axis(columns=None)
    return wide[[*(name for name in wide.columns if name != "note"), "note"]]


def _who(line) -> str:
    if line.source != OURS:
        return line.source
    row = "" if line.row == "words" else f": {ROW_NAMES.get(line.row, line.row)}"
    return f"{OURS}{f' ({line.probe})' if line.probe else ''}{row}"


def _wide_defects(table: pd.DataFrame) -> pd.DataFrame:
    def cell(value, low, high) -> str:
        return "not measured" if pd.isna(value) else f"{value:.3f} [{low:.3f}, {high:.3f}]"

    part = table[(table["candidates"] == "vocabulary") & (table["k"] == table["k"].min())]
    k = int(part["k"].iloc[0])
    return pd.DataFrame(
        {
            "switch": [_plain(switch) for switch in part["switch"]],
            f"recall@{k}": [cell(*each) for each in zip(part["recall"], part["low"], part["high"], strict=True)],
            "cost": [cell(*each) for each in zip(part["cost"], part["cost_low"], part["cost_high"], strict=True)],
        }
    )
