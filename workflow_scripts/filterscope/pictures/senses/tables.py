"""Senses of filters as rows of tables, beside those of shuffled codes of the same images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from filterscope import job
from filterscope.activations.maps import KeptMaps
from filterscope.pictures.senses.codes import Background, Codes, Strongest, codes_of
from filterscope.pictures.senses.counting import Counted, CountSettings, count_senses
from filterscope.pictures.senses.findings import ONE, SEVERAL, UNTOLD

IMAGE_COLUMNS = [
    *("filter", "sense", "image_id", "rank", "distance", "x", "y", "maximum", "peak_row", "peak_column"),
]


class SenseError(ValueError):
    """Filters whose senses cannot be looked for."""


def chosen_filters(filters: Sequence[int] | str, available: int, layer: str) -> np.ndarray:
    """The filters of an entry, or all. Raises SenseError for one that the layer does not have."""
    numbers = np.arange(available) if filters == "all" else np.array(filters, int)
    wrong = numbers[numbers >= available]
    if len(wrong):
        raise SenseError(f"filter {wrong[0]} is not in layer {layer}: its filters are 0 to {available - 1}")
    return numbers


def shuffled(codes: np.ndarray, seed: int) -> np.ndarray:
    """Codes [n, d] of the same images with every value shuffled among them: what any filter of the layer does stays,
    what several do together is chance."""
    return np.random.default_rng(seed).permuted(codes, axis=0)


def sense_tables(
    strongest: Strongest, fired: KeptMaps, maps: KeptMaps, fewest: int, settings: CountSettings, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `senses` and `sense_images` of filters in the images that excite each most.

    fired: the filters' maps of these images; maps: those of the layer whose values are their codes; fewest: images
    below which nothing is told.
    """
    rows, frames, background = [], [], Background.of(maps, np.unique(strongest.image_ids).tolist())
    blocks = list(strongest.blocks(maps.filters))
    for places in job.progress(blocks, len(blocks), "blocks of filters"):
        some = strongest.of(places)
        codes = codes_of(some, fired, maps, background)
        seeds = [job.derived_seed(seed, "senses", int(number)) for number in some.filters]
        more = sense_rows(some, codes, seeds, fewest, settings)
        rows += more[0]
        frames += more[1]
    members = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=IMAGE_COLUMNS)
    return pd.DataFrame(rows), members


def sense_rows(
    strongest: Strongest,
    codes: Codes,
    seeds: Sequence[int],
    fewest: int,
    settings: CountSettings,
) -> tuple[list[dict], list[pd.DataFrame]]:
    """Rows of `senses`, and of `sense_images` a frame for each filter that is told.

    codes: of the filters in these images; fewest: images below which nothing is told.
    """
    rows, frames = [], []
    for place, number in enumerate(strongest.filters.tolist()):
        fired = codes.fired[place]
        own = codes.values[place][fired]
        found, note = _counted(own, seeds[place], fewest, settings)
        null = None
        if found is not None:
            null, _ = _counted(shuffled(own, seeds[place]), seeds[place], fewest, settings)
        rows.append(
            {
                "filter": number,
                "images": int(fired.sum()),
                "status": UNTOLD if found is None else SEVERAL if found.count > 1 else ONE,
                "senses": found and found.count,
                "tried": found and found.tried,
                "strength": found and found.strength,
                "likeness": found and found.likeness,
                "distinction": found and found.distinction,
                "null_senses": null and null.count,
                "null_strength": null and null.strength,
                "null_likeness": null and null.likeness,
                "note": note,
            }
        )
        if found is not None:
            images = strongest.image_ids[place][fired], strongest.maxima[place][fired], codes.peaks[place][fired]
            frames.append(_members(number, found, *images))
    return rows, frames


def _counted(codes: np.ndarray, seed: int, fewest: int, settings: CountSettings) -> tuple[Counted | None, str]:
    """The senses by these codes, or None and why there are none."""
    if len(codes) < fewest:
        return None, f"it fires in {len(codes)} of its images, fewer than the {fewest} that are needed"
    different = len(np.unique(codes, axis=0))
    if different <= settings.most:
        return None, f"its {len(codes)} images have {different} different codes: are they copies of one picture?"
    if not (codes.mean(0) > 0).any():
        return None, "nothing else fires above the background where it does"
    return count_senses(codes, seed, settings), ""


def _members(number: int, found: Counted, image_ids: np.ndarray, maxima: np.ndarray, peaks: np.ndarray) -> pd.DataFrame:
    centres = np.stack([found.scores[found.senses == sense].mean(0) for sense in range(found.count)])
    distances = np.linalg.norm(found.scores - centres[found.senses], axis=1)
    frame = pd.DataFrame(
        {
            "filter": number,
            "sense": found.senses,
            "image_id": image_ids,
            "distance": distances,
            "x": found.scores[:, 0],
            "y": found.scores[:, 1] if found.scores.shape[1] > 1 else 0.0,
            "maximum": maxima.astype(np.float64),
            "peak_row": peaks[:, 0].astype(np.float64),
            "peak_column": peaks[:, 1].astype(np.float64),
        }
    ).sort_values(["sense", "distance", "image_id"], ignore_index=True)
    frame["rank"] = frame.groupby("sense").cumcount()
    return frame[IMAGE_COLUMNS]
