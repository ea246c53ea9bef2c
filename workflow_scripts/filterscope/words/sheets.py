"""The contact sheet of a filter: its top images, where it looks in them, and what it is called."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from filterscope.activations.extraction import read_maps
from filterscope.activations.remarks import taken
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.figures import Figure
from filterscope.words.heatmaps import heatmap
from filterscope.words.naming import called, common_names
from filterscope.words.proofs.verdicts import CAUSED, NOT_CAUSED, UNTOLD

NOVEL, KNOWN, QUIET, DOUBTFUL = "#1a7f37", "#1f2328", "#6e7781", "#bc4c00"
WORDS_PER_IMAGE = 3
COLUMNS = 4
INCH = 2.1  # side of a picture
LINE = 200  # characters of a line that fit into the sheet's width
CAUSE_STATUSES = {CAUSED: "caused by it", NOT_CAUSED: "not caused by it", UNTOLD: "whether caused by it cannot be told"}
# Inches from the top of the sheet to title, name, evidence, both lists of words and remarks; between remarks; below the
# last.
TITLE, NAME, EVIDENCE, SHOWN, APART, REMARKS, STEP, GAP = 0.2, 0.45, 0.88, 1.12, 1.4, 1.73, 0.2, 0.1


@dataclass
class TopImage:
    """One top image of the filter: picture and heatmap, uint8 [H, W, 3], and its nearest words."""

    picture: np.ndarray
    heatmap: np.ndarray
    words: list[str]
    maximum: float


def chosen_filters(words: pd.DataFrame, claims: pd.DataFrame | None, best: int, also: list[int]) -> list[int]:
    """The filters that get a sheet: the best supported ones, then those asked for.

    words: `filter_words`; claims: `filter_claims`, or None where there are no masks: then the filters whose
    first word has most votes. Filters without words cannot be shown. Raises ValueError for a filter that the
    layer does not have or that has no words.
    """
    named = words[words["rank"] == 0]
    if claims is not None:
        ranked = claims.assign(margin=claims["auprc"] - claims["null"])
        order = ranked.sort_values(["supported", "margin", "filter"], ascending=[False, False, True])["filter"]
    else:
        order = named.sort_values(["votes", "cosine", "filter"], ascending=[False, False, True])["filter"]
    with_words = set(named["filter"])
    missing = [each for each in also if each not in with_words]
    if missing:
        raise ValueError(f"sheets.also names filter {missing[0]}, which has no words (dead, or not in the layer)")
    leading = [int(each) for each in order if each in with_words][:best]
    return list(dict.fromkeys([*leading, *also]))


def first_words(said: pd.DataFrame, filters: Sequence[int]) -> pd.Series:
    """By filter and image, the nearest words of the vocabulary, as many as a sheet shows; said: `image_words`."""
    chosen = (said["candidates"] == "vocabulary") & said["filter"].isin(filters) & (said["rank"] < WORDS_PER_IMAGE)
    return said[chosen].sort_values("rank").groupby(["filter", "image_id"])["word"].agg(list)


def views(batches, reader: Reader, inputs: InputSettings, top: pd.DataFrame, device: torch.device) -> dict:
    """By filter and image, the picture and its heatmap, uint8 [H, W, 3] each.

    batches: of the images in top, which has the columns filter and image_id.
    """
    wanted = top.groupby("image_id")["filter"].agg(sorted).to_dict()
    seen = {}
    for batch in batches:
        maps = read_maps(batch, reader, inputs, device).cpu()
        for index, look in enumerate(batch.looks):
            picture = look.picture.permute(1, 2, 0).numpy()
            for number in wanted[look.image_id]:
                warm = heatmap(look.picture, maps[index][number]).permute(1, 2, 0).numpy()
                seen[number, look.image_id] = picture, warm
    return seen


def top_images(top: pd.DataFrame, seen: Mapping, said: Mapping) -> list[TopImage]:
    """The images of a filter's rows of `top_images`; seen: as `views` has them; said: as `first_words`."""
    return [
        TopImage(*seen[row.filter, row.image_id], said[row.filter, row.image_id], row.maximum)
        for row in top.itertuples()
    ]


def remarks_of(number: int, names: pd.DataFrame, thresholds: pd.DataFrame, top: pd.DataFrame) -> list[str]:
    """What must be known of one filter before its sheet is believed, a line each.

    names: `filter_names`; thresholds: the table of that name; top: `top_images`; of all filters of the layer.
    """
    remarks = []
    name = called(names)[names["filter"] == number].iloc[0]
    common = common_names(names)
    if name in common.index:
        live = int((names["status"] != "dead").sum())
        remarks.append(f"{common[name]} of {live} live filters are called “{name}”: it does not tell them apart")
    threshold = thresholds[thresholds["filter"] == number].iloc[0]
    if threshold["saturated"]:
        remarks.append(f"saturated: its activations end at {threshold['threshold']:.4g}, and it fires where they do")
    own = top[top["filter"] == number]
    tied = own[(own["tied"] > 1) & (own["maximum"] > 0)]
    ties = f"; {len(tied)} of them reach the same maximum as others" if len(tied) else ""
    if ties or len(own) < own["asked"].iloc[0]:
        remarks.append(f"{taken(own)}{ties}")
    return remarks


def sheet(
    title: str,
    name: pd.Series,
    words: pd.DataFrame,
    claim: pd.Series | None,
    images: list[TopImage],
    remarks: Sequence[str] = (),
    cause: pd.Series | None = None,
) -> Figure:
    """Draw one sheet.

    name: the filter's row of `filter_names`: the headline and what sets it apart. words: its rows of `filter_words`,
    best first: what its images show; new words are green. claim: its row of `filter_claims`, None where there are no
    masks. remarks: a line each. cause: its row of `filter_causes`, None where it was not measured. What its optimised
    picture is called stands below the cause, where there is one.
    """
    causes = [] if cause is None else [_cause(cause)]
    if claim is None and pd.notna(name["cause"]):
        causes = [_reference_cause(name)]
    remarks = [*causes, *_pictures(name, on_reference=claim is None), *remarks]
    lines, header = -(-len(images) // COLUMNS), REMARKS + STEP * len(remarks)
    width, height = COLUMNS * (2 * INCH + 0.25) + 0.4, lines * (INCH + 0.5) + header + GAP
    figure = Figure(figsize=(width, height), dpi=80, facecolor="white")
    FigureCanvasAgg(figure)  # measures texts
    _headline(figure, title, name, width, height)
    shown = [(f"{word.word} ({word.votes})", word.novel) for word in words.itertuples()]
    apart = [(word.removesuffix("*"), word.endswith("*")) for word in name["apart"].split(", ") if word]
    _list(figure, SHOWN, "what its images show:", shown, width, height)
    _list(figure, APART, "what sets it apart:", apart, width, height)
    below = [(REMARKS + STEP * number, each) for number, each in enumerate(remarks)]
    for lower, text in [(EVIDENCE, _evidence(claim, name)), *below]:
        figure.text(0.2 / width, 1 - lower / height, text, fontsize=10, color=QUIET, va="top")
    for index, each in enumerate(images):
        column, line = index % COLUMNS, index // COLUMNS
        left = 0.2 + column * (2 * INCH + 0.25)
        low = height - header - (line + 1) * (INCH + 0.5) + 0.45
        for part, picture in enumerate((each.picture, each.heatmap)):
            box = ((left + part * INCH) / width, low / height, (INCH - 0.03) / width, (INCH - 0.03) / height)
            axes = figure.add_axes(box)
            axes.imshow(picture, interpolation="nearest" if len(picture) < 150 else "antialiased")
            axes.set_axis_off()
        text = f"{each.maximum:.3g}  {', '.join(each.words)}"
        figure.text(left / width, (low - 0.08) / height, text, fontsize=9, color=QUIET, va="top")
    return figure


def _headline(figure: Figure, title: str, name: pd.Series, width: float, height: float) -> None:
    """What the filter is called and how far that is believed."""
    figure.text(0.2 / width, 1 - TITLE / height, title, fontsize=11, color=QUIET, va="top")
    word = called(name.to_frame().T).iloc[0]
    nameless, believed = pd.isna(word), pd.notna(name["name"])
    text = figure.text(
        0.2 / width,
        1 - NAME / height,
        "no name" if nameless else word,
        fontsize=17,
        color=KNOWN if believed else QUIET,
        va="top",
    )
    left = 0.2 + _width(figure, text) + 0.18
    status = name["status"]
    figure.text(
        left / width, 1 - (NAME + 0.06) / height, status, fontsize=12, color=QUIET if believed else DOUBTFUL, va="top"
    )


def _list(
    figure: Figure, lower: float, label: str, words: Sequence[tuple[str, bool]], width: float, height: float
) -> None:
    """As many of the words as fit, behind their label; each with whether it is new."""
    y = 1 - lower / height
    head = figure.text(0.2 / width, y, label, fontsize=12, color=QUIET, va="top")
    place = 0.2 + _width(figure, head) + 0.18
    for word, new in words:
        text = figure.text(
            place / width,
            y,
            word,
            fontsize=12,
            color=NOVEL if new else KNOWN,
            style="italic" if new else "normal",
            va="top",
        )
        place += _width(figure, text) + 0.18
        if place > width:
            text.remove()
            break


def _width(figure: Figure, text) -> float:
    """Width of a text in inches."""
    return text.get_window_extent(figure.canvas.get_renderer()).width / figure.dpi


def _evidence(claim: pd.Series | None, name: pd.Series) -> str:
    """How well the filter finds its claim; without masks, how well it does on the reference."""
    legend = "votes of top images in brackets; green italics: not a category of the reference dataset"
    if claim is None and pd.isna(name["reference_status"]):
        return f"no masks here, so no score; {legend}"
    if claim is None:
        return (
            f"no masks here, so no score; on the reference, “{name['claim']}”: {name['reference_status']}, "
            f"AUPRC {name['auprc']:.3f} [{name['low']:.3f}, {name['high']:.3f}] against {name['null']:.3f} of the "
            f"layer's mean filter   ({legend})"
        )
    if claim["claim"] is None or pd.isna(claim["claim"]):
        return f"no claim; {legend}"
    rival = "no label" if pd.isna(claim["rival"]) else f"“{claim['rival']}”"
    return (
        f"as “{claim['claim']}”: AUPRC {claim['auprc']:.3f} [{claim['low']:.3f}, {claim['high']:.3f}] "
        f"against {claim['null']:.3f} of the layer's mean filter; IoU {claim['iou']:.3f}; "
        f"Network Dissection: {rival}   ({legend})"
    )


def _cause(cause: pd.Series) -> str:
    """What laying the claim's objects into pictures, and taking them out, does to the filter."""
    said = CAUSE_STATUSES[cause["status"]]
    if cause["reason"]:
        said += f" ({cause['reason']})"
    if pd.isna(cause["effect"]):
        return said
    return (
        f"{said}: {cause['objects']} such objects, laid into images and taken out, change it by {cause['effect']:.2f} "
        f"[{cause['low']:.2f}, {cause['high']:.2f}] of its spreads more than {cause['controls']} others of their size, "
        f"against {cause['null']:.2f} of the layer's mean filter"
    )


def _reference_cause(name: pd.Series) -> str:
    """The same of the reference's objects, for photographs without masks."""
    said = f"on the reference, {CAUSE_STATUSES[name['cause']]}"
    if pd.isna(name["cause_effect"]):
        return said
    return (
        f"{said}: its objects, laid into images and taken out, change it by {name['cause_effect']:.2f} "
        f"[{name['cause_low']:.2f}, {name['cause_high']:.2f}] of its spreads more than others of their size, against "
        f"{name['cause_null']:.2f} of the layer's mean filter"
    )


def _pictures(name: pd.Series, on_reference: bool) -> list[str]:
    """What the explainer calls the filter's optimised pictures, and whether that is its claim; none without pictures.

    on_reference: there are no masks, and whether it is the claim was looked for on the reference.
    """
    parts = []
    if pd.notna(name["picture_found"]):
        count = int(name["picture_count"])
        found = f"found in {round(count * name['picture_found'])} of {count}"
        null = name["picture_null"]
        against = "" if pd.isna(null) else f", against {null:.0%} of other filters' claims"
        where = "on the reference, " if on_reference else ""
        parts.append(f"{where}“{name['claim']}” is among the first categories {found}{against}")
    if pd.notna(name["picture"]):
        legend = "   (*: not a category)" if "*" in name["picture"] else ""
        parts.append(f"words: {name['picture']}{legend}")
    return textwrap.wrap(f"optimised pictures: {'; '.join(parts)}", LINE) if parts else []
