"""What the layers of a network are called, from its input to its output: how much of it holds, and what kind of words.

Colours and textures are expected in the first layers, objects in the last (Network Dissection, Bau et al. 2017).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from filterscope.words.naming import BELIEVED

# Words that name how something looks; every other word counts as a thing. English, ours, and not complete: the shares
# compare layers with each other.
_COLOURS = """
amber aqua azure beige black blue bluish brown canary cobalt colored colorful coloured colourful crimson cyan dark
emerald fuchsia gold golden gray green greenish grey indigo jade khaki lavender lilac magenta maroon mauve navy
olive orange pale pink purple red reddish rosy scarlet silver tan tangerine teal turquoise violet white yellow
yellowish
"""
_TEXTURES = """
blurry brick bumpy canvas checkered cloth coarse columnar cotton crinkled denim diagonal dotted fabric feathers flat
fleece fluffy foam fur furry glass glossy grain grainy granite grid gritty hairy horizontal knit lace lattice
leather level lined linen marble matte mesh metal metallic mosaic oblique paisley patterned plaid plain plastic
pleated polka quilted recumbent ribbed rough rubber rusty sandy satin scaly shaggy shiny silk silky slanted smooth
solid speckled spotted striped stripes studded suede swirly tartan texture textured tiled tweed uniform upright
velvet vertical wavy weave wicker wood wooden wool woollen woven wrinkled zigzag
"""
_SHAPES = """
angular arc box circle circular cone corner crescent cross cube curve curved cylinder disc disk edge heart hexagon
line lines octagon oval polygon rectangle rectangular ring round roundel sphere spherical spiral square star stripe
triangle triangular
"""
KINDS = {
    "colour": frozenset(_COLOURS.split()),
    "texture": frozenset(_TEXTURES.split()),
    "shape": frozenset(_SHAPES.split()),
}
THING = "thing"
FIRST = 5  # printed words of a filter, those with most votes, whose kinds are counted


def kind(word: str) -> str:
    """What kind of word it is: colour, texture, shape or thing."""
    return next((name for name, words in KINDS.items() if word.lower() in words), THING)


def depth_table(names: Mapping[str, pd.DataFrame], words: Mapping[str, pd.DataFrame], claims: Mapping) -> pd.DataFrame:
    """The `depth` table.

    names, words: by probe, in the order of the layers, `filter_names` and `filter_words`. claims: `filter_claims`; None
    where there are no masks. Shares are of the layer's filters that are not dead.
    """
    rows = []
    for place, (probe, table) in enumerate(names.items()):
        live = table[table["status"] != "dead"]
        count = max(len(live), 1)
        first = words[probe]
        first = first[(first["rank"] < FIRST) & first["filter"].isin(live["filter"])]
        kinds = first["word"].map(kind)
        own = claims[probe]
        lift = (
            own.loc[~own["dead"] & own["claim"].notna(), "lift"].dropna() if own is not None else pd.Series(dtype=float)
        )
        rows.append(
            {
                "probe": probe,
                "place": place,
                "filters": len(table),
                "live": len(live),
                "proved": float((live["status"] == "proved").sum() / count),
                "supported": float(live["status"].isin(BELIEVED).sum() / count),
                "names": live.loc[live["status"].isin(BELIEVED), "name"].nunique(),
                **{name: float((kinds == name).mean()) if len(kinds) else 0.0 for name in (*KINDS, THING)},
                "new": float(first["novel"].mean()) if len(first) else 0.0,
                "lift": float(np.median(lift)) if len(lift) else None,
            }
        )
    return pd.DataFrame(rows).astype({"lift": object})
