"""Senses of filters as rows of tables, beside two nulls of the same images: shuffled codes, another filter's places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from filterscope import job
from filterscope.activations.maps import KeptMaps
from filterscope.pictures.senses.codes import Background, Codes, Strongest, codes_of, firing
from filterscope.pictures.senses.counting import Counted, CountSettings, count_senses
from filterscope.pictures.senses.findings import ONE, OTHER, SEVERAL, UNTOLD

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
    every = np.unique(strongest.image_ids)
    looked = fired, maps, Background.of(maps, every.tolist())
    rows, frames = [], []
    blocks = list(strongest.blocks(maps.filters))
    for places in job.progress(blocks, len(blocks), "blocks of filters"):
        some = strongest.of(places)
        more = sense_rows(some, codes_of(some, *looked), _seeds(some, seed), fewest, settings)
        rows += more[0]
        frames += more[1]
    members = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=IMAGE_COLUMNS)
    senses = pd.DataFrame(rows)
    others = other_filters(senses, strongest, firing(fired, every), every, fewest, seed)
    nulls: list[dict] = []
    for places in job.progress(blocks, len(blocks), "blocks of filters, by others"):
        some = places[others[places] >= 0]
        asked, attending = strongest.of(some), others[some]
        pair = np.stack([asked.filters, attending], 1)
        both = [codes_of(asked, *looked, each, pair) for each in (asked.filters, attending)]
        nulls += other_rows(asked, attending, *both, _seeds(asked, seed), fewest, settings)
    nulls = pd.DataFrame(nulls, columns=["filter", *OTHER])
    return senses.merge(nulls, how="left", on="filter")[[*senses.columns.drop("note"), *OTHER, "note"]], members


def _seeds(strongest: Strongest, seed: int) -> list[int]:
    return [job.derived_seed(seed, "senses", int(number)) for number in strongest.filters]


def other_filters(
    senses: pd.DataFrame, strongest: Strongest, fires: np.ndarray, image_ids: np.ndarray, fewest: int, seed: int
) -> np.ndarray:
    """For every filter that is told another one by chance, [n]; -1 where there is none.

    It is one with a single sense, for several of another's own would be found in any images, and fires in as many of
    the images as are needed; none is drawn again while others are left. senses: status of the filters; fires: of the
    layer's filters in image_ids (sorted) [m, d].
    """
    whole = strongest.filters[senses["status"].to_numpy() == ONE]
    chance = np.random.default_rng(job.derived_seed(seed, "senses by others"))
    drawn, uses = np.full(len(senses), -1), np.zeros(len(whole), int)
    for place in np.flatnonzero(senses["status"] != UNTOLD):
        own = np.searchsorted(image_ids, strongest.image_ids[place])
        fits = (fires[own][:, whole].sum(0) >= fewest) & (whole != strongest.filters[place])
        if fits.any():
            chosen = chance.choice(np.flatnonzero(fits & (uses == uses[fits].min())))
            drawn[place], uses[chosen] = whole[chosen], uses[chosen] + 1
    return drawn


def other_rows(
    strongest: Strongest,
    others: np.ndarray,
    codes: Codes,
    by_others: Codes,
    seeds: Sequence[int],
    fewest: int,
    settings: CountSettings,
) -> list[dict]:
    """How many senses filters have in those of their images in which others [n] fire, too, by their own attention and
    by that of the other: the columns `OTHER` by filter. Groups of images in which the other is silent count for none.

    codes, by_others: of the filters' images where they fire, and where the others do.
    """
    rows = []
    for place, number in enumerate(strongest.filters.tolist()):
        shared = codes.fired[place] & by_others.fired[place]
        own, other = (
            _counted(each.values[place][shared], seeds[place], fewest, settings)[0] for each in (codes, by_others)
        )
        told = (int(others[place]), int(shared.sum()), own and own.count)
        told += (other and other.count, other and other.strength, other and other.likeness)
        rows.append({"filter": number, **dict(zip(OTHER, told, strict=True))})
    return rows


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
