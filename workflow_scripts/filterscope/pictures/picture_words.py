"""What the explainer calls a filter's optimised picture, and whether that is the filter's claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from filterscope.activations.streaming import PictureDataset, stream
from filterscope.data.networks.building import InputSettings
from filterscope.data.networks.layers import Reader
from filterscope.data.rejection import stop
from filterscope.words.explaining.candidates import Candidates
from filterscope.words.explaining.explainer import Explainer
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, Words, explain
from filterscope.words.explaining.proposals import nearest_words
from filterscope.words.firing import Thresholds
from filterscope.words.scoring.score_table import WORDS

NO_PICTURE = "there is no picture"
SILENT = "the filter is silent in its picture"


def nearest_words_of(
    pictures: PictureDataset,
    top: TopPairs,
    reader: Reader,
    inputs: InputSettings,
    explainer: Explainer,
    thresholds: Thresholds,
    sought: Candidates,
    settings: ExplanationSettings,
    device: torch.device,
) -> dict[str, Words]:
    """By candidates, the nearest words to what an explainer makes of each picture; no evidence, nothing paid."""
    batches = stream(pictures, settings.batch_size, 0, stop)
    asked = {WORDS: nearest_words(sought, reader.filters, device)}
    found = explain(batches, reader, inputs, {WORDS: explainer}, top, thresholds, asked, settings, device)
    return {where: found.words[WORDS, where] for where in sought}


class PicturePairs:
    """Optimised pictures as top images of their own filters. Pictures that the filter is silent in have no words."""

    def __init__(self, pictures: pd.DataFrame, filters: int):
        """pictures: the table; filters: of the probe's layer."""
        self.pictures = pictures.sort_values(["filter", "number"], ignore_index=True)
        where = (self.pictures["filter"].to_numpy(), self.pictures["number"].to_numpy())
        image_ids = np.zeros((filters, int(self.pictures["number"].max()) + 1), np.int64)
        strengths = np.zeros(image_ids.shape)
        image_ids[where] = np.arange(len(self.pictures))
        strengths[where] = self.pictures["activation"].astype(float).fillna(0).clip(lower=0)
        self.top = TopPairs(image_ids, strengths)

    def images(self) -> pd.DataFrame:
        """The pictures that have words, as images; numbers are places among the pictures."""
        some = self.pictures.loc[self.top.image_ids]
        sizes = {"width": some["size"].astype(int), "height": some["size"].astype(int)}
        return some[["path"]].assign(image_id=some.index, split="val", turned=False, **sizes)

    def table(self, words: Words, tokens: Words, names: np.ndarray, claims: dict[int, str], first: int) -> pd.DataFrame:
        """The `picture_words` table.

        words: over the vocabulary; tokens: over the categories; names: of the vocabulary's rows. claims: by filter;
        first: of the categories' words, among which the claim is looked for.
        """
        lines = []
        for row in self.pictures.itertuples():
            place, known = (row.filter, row.number), bool(len(self.top.of(row.Index)[0]))
            lines.append(
                {
                    "filter": row.filter,
                    "number": row.number,
                    "recipe": row.recipe,
                    "words": _said(words.rows[place], names) if known else [],
                    "categories": _said(tokens.rows[place][:first], names) if known else [],
                    "claim": claims.get(row.filter),
                    "note": "" if known else NO_PICTURE if pd.isna(row.path) else SILENT,
                }
            )
        table = pd.DataFrame(lines)
        compared = table["claim"].notna() & (table["note"] == "")
        table["found"], table["null"] = None, None
        for line in table.index[compared]:
            others = table.index[compared & (table.index != line)]
            said = table.loc[line, "categories"]
            table.loc[line, "found"] = table.loc[line, "claim"] in said
            if len(others):
                table.loc[line, "null"] = float(table.loc[others, "claim"].isin(said).mean())
        return table


def claims_of(table: pd.DataFrame | None) -> dict[int, str]:
    """By filter, what it claims, from the `filter_claims` table; nothing where there is none."""
    return {} if table is None else table.set_index("filter")["claim"].dropna().to_dict()


def agreement(table: pd.DataFrame) -> str:
    """A sentence on how many pictures are called what their filters are; table: `picture_words`."""
    compared = table[table["found"].notna()]
    if compared.empty:
        return "no picture can be compared with a claim"
    null = 100 * pd.to_numeric(compared["null"]).mean()
    said = f"{compared['found'].sum()} of {len(compared)} pictures are called what their filters are"
    return f"{said}; of other filters' claims {null:.0f} %"


def _said(rows: np.ndarray, names: np.ndarray) -> list[str]:
    return [str(names[row]) for row in rows if row >= 0]
