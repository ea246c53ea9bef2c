"""What a reader must know of thresholds and top images before believing what is built on them, in sentences."""

from __future__ import annotations

import pandas as pd

# Filters that a sentence names, and the share of the mined images below which few of them vote.
LISTED = 10
FEW = 0.5


def threshold_remarks(thresholds: pd.DataFrame) -> list[str]:
    """On the `thresholds` table: filters that are saturated, and those whose threshold cannot be told."""
    remarks = []
    live = ~thresholds["dead"]
    saturated = int(thresholds["saturated"].sum())
    if saturated:
        remarks.append(
            f"{saturated} of {int(live.sum())} live filters are saturated: their threshold is the bound of their "
            "activations, which nothing exceeds; they are read as firing where they reach it."
        )
    elsewhere = thresholds.loc[thresholds["fires_elsewhere"], "filter"].tolist()
    if elsewhere:
        remarks.append(
            f"{len(elsewhere)} filters never rise above zero on the images that thresholds come from, though they do "
            f"on others ({listed(elsewhere)}): where they fire cannot be told."
        )
    return remarks


def taken(top: pd.DataFrame) -> str:
    """How many top images a filter has, and why fewer than were asked for."""
    kept, asked, mined = int(top["rank"].max()) + 1, int(top["asked"].iloc[0]), int(top["mined"].iloc[0])
    cut = f" instead of the {asked} asked for, because "
    if kept == asked:
        cut = ""
    elif kept == mined:
        cut += "there are no more"
    else:
        cut += "more would be too large a share (words.top_share)"
    return f"{kept} top images, {kept / mined:.0%} of the {mined} that were mined{cut}"


def mining_remarks(top: pd.DataFrame) -> list[str]:
    """On the `top_images` table: how many images were asked for and taken, how many tie, how many vote at all."""
    filters, kept, mined = top["filter"].nunique(), int(top["rank"].max()) + 1, int(top["mined"].iloc[0])
    remarks = [f"Every filter has {taken(top)}."]
    heard = top[top["maximum"] > 0]
    tied = heard[heard["tied"] > 1].groupby("filter").size()
    if len(tied):
        remarks.append(
            f"{len(tied)} of {filters} filters have top images with the very same maximum, {tied.mean():.1f} of {kept} "
            "on average; the one with the larger mean comes first."
        )
    voters = heard["image_id"].nunique()
    few = "Few images vote: the" if voters < FEW * mined else "The"
    remarks.append(f"{few} top images of all filters are {voters} different ones, {voters / mined:.0%} of those mined.")
    return remarks


def listed(filters: list[int]) -> str:
    """Numbers of filters, the first LISTED of them."""
    more = f" and {len(filters) - LISTED} more" if len(filters) > LISTED else ""
    return ", ".join(map(str, filters[:LISTED])) + more
