"""Tables of the activations room."""

from __future__ import annotations

import pyarrow as pa

from filterscope.schemas.columns import INTEGER, REAL, TEXT, TOKENS, TRUTH, VECTOR, Column, Schema

SCHEMAS: dict[str, Schema] = {
    "checked_layers": Schema(
        "check_probes",
        ("probe", "layer", "call"),
        (
            Column("probe", TEXT, "entry of `probes`"),
            Column("layer", TEXT, "its layer"),
            Column("call", INTEGER, "which use of it in a forward pass, from 0"),
            Column("layout", TEXT, "where its output has the filters: channels first or last, tokens, windows, vector"),
            Column("filters", INTEGER, "how many it has"),
            Column("height", INTEGER, "of their maps, cells"),
            Column("width", INTEGER, "of their maps, cells"),
            Column("weights", INTEGER, "bytes of the network's weights"),
            Column("largest", INTEGER, "values of the largest output of a module up to the layer, for one picture"),
            Column("resize", INTEGER, "shorter side of the pictures after resizing, px"),
            Column("crop", INTEGER, "side of their centre crop, px"),
            Column("mean", TEXT, "taken off the channels, unit range"),
            Column("std", TEXT, "that the channels are divided by, unit range"),
            Column("remark", TEXT, "tokens that are left out, what could not be seen; empty for nothing"),
        ),
    ),
    "pooled_activations": Schema(
        "extract_activations",
        ("annotation_id",),
        (
            Column("annotation_id", INTEGER, "annotation whose mask was pooled"),
            Column("image_id", INTEGER, "image that the object is in"),
            Column("split", TEXT, "train or val"),
            Column("tokens", TOKENS, "words of the category"),
            Column("vector", VECTOR, "mean of activation x mask over the map, a value per filter"),
        ),
    ),
    "image_activations": Schema(
        "extract_activations",
        ("image_id",),
        (
            Column("image_id", INTEGER, "image"),
            Column("split", TEXT, "train or val"),
            Column("maximum", VECTOR, "largest activation per filter"),
            Column("mean", VECTOR, "mean activation per filter"),
        ),
    ),
    "maps": Schema(
        "extract_activations",
        ("image_id",),
        (
            Column("image_id", INTEGER, "image"),
            Column("cells", pa.binary(), "which cells of its maps are not zero, a bit each; empty where all are kept"),
            Column("values", pa.binary(), "float32, what these cells hold"),
        ),
        ("layer", "filters", "height", "width"),
    ),
    "tails": Schema(
        "extract_activations",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("n", INTEGER, "activations seen, of the images that thresholds come from"),
            Column("positive", INTEGER, "how many of them are above zero"),
            Column("elsewhere", INTEGER, "activations above zero in the other images"),
            Column("values", VECTOR, "the most extreme activations seen, those first; the first n of them count"),
        ),
    ),
    "thresholds": Schema(
        "gather_thresholds",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("threshold", REAL, "T, the upper quantile of its activations on training images (or all)"),
            Column("dead", TRUTH, "whether the filter never rises above zero on the images that T comes from"),
            Column("fires_elsewhere", TRUTH, "whether a dead filter rises above zero on others: T cannot be told"),
            Column("saturated", TRUTH, "whether T is the bound of its activations: it fires where it reaches T"),
            Column("n", INTEGER, "activations seen"),
        ),
    ),
    "top_images": Schema(
        "mine_top_images",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the image with the largest maximum; of equal ones, with the largest mean"),
            Column("image_id", INTEGER, "image"),
            Column("maximum", REAL, "largest activation of the filter in the image"),
            Column("tied", INTEGER, "top images of the filter with this very maximum, itself included"),
            Column("asked", INTEGER, "top images of a filter that were asked for"),
            Column("mined", INTEGER, "images that were mined"),
        ),
    ),
}
