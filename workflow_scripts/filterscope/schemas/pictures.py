"""Tables of the pictures room."""

from __future__ import annotations

from filterscope.schemas.columns import INTEGER, REAL, TEXT, VECTOR, Column, Schema

SCHEMAS: dict[str, Schema] = {
    "pictures": Schema(
        "maximise_activations",
        ("filter", "number"),
        (
            Column("filter", INTEGER, "channel or output unit"),
            Column("number", INTEGER, "of the filter's pictures, from 0"),
            Column("recipe", TEXT, "entry of `recipes`"),
            Column("status", TEXT, "optimised, stopped (NaN on the way) or no gradient (a dead unit)"),
            Column("note", TEXT, "what went wrong and at which step; empty where nothing did"),
            Column("path", TEXT, "picture, beside the table; empty for a dead unit", optional=True),
            Column("size", INTEGER, "px, side of the picture", optional=True),
            Column("reached", REAL, "objective at the last step, in the views the recipe shows", optional=True),
            Column("activation", REAL, "objective of the finished picture as the network's input", optional=True),
            Column("best_image_id", INTEGER, "image of the dataset that excites the filter most"),
            Column("best_image", REAL, "its activation"),
            Column("ratio", REAL, "activation over that of the best image, where both are positive", optional=True),
        ),
    ),
    "strongest_filters": Schema(
        "find_strongest_filters",
        ("image_id", "rank"),
        (
            Column("image_id", INTEGER, "photograph"),
            Column("rank", INTEGER, "0 is the strongest filter"),
            Column("filter", INTEGER, "channel"),
            Column("activation", REAL, "mean of the filter's map"),
            Column("share", REAL, "of the sum of all filters' activations, where that is positive", optional=True),
            Column("median", REAL, "of the activations of all filters"),
            Column("scenario", TEXT, "spike, group or flat: how the photograph's activations fall off"),
        ),
    ),
    "occlusions": Schema(
        "measure_occlusion",
        ("image_id", "number"),
        (
            Column("image_id", INTEGER, "photograph"),
            Column("number", INTEGER, "0 is the photograph itself, then its covered parts"),
            Column("kind", TEXT, "photograph, rectangle, object or square"),
            Column("name", TEXT, "category of the object; empty for the others"),
            Column("x0", INTEGER, "left edge, px of the photograph (of a square: of the network's view)"),
            Column("y0", INTEGER, "upper edge, px"),
            Column("x1", INTEGER, "right edge, px, not covered itself"),
            Column("y1", INTEGER, "lower edge, px, not covered itself"),
            Column("fill", TEXT, "black, mean or blur; empty for the photograph"),
            Column("area", REAL, "share of the network's view that is covered"),
            Column("filters", TEXT, "strongest filters, strongest first"),
            Column("overlap", INTEGER, "of them with the photograph's own strongest filters"),
            Column("change", REAL, "of the mean activation of all filters, relative", optional=True),
            Column("change_strongest", REAL, "of the photograph's own strongest filters, relative", optional=True),
            Column("null_overlap", REAL, "mean overlap for random rectangles of the same area", optional=True),
            Column("null_low", REAL, "2.5 % quantile of it", optional=True),
            Column("null_high", REAL, "97.5 % quantile of it", optional=True),
            Column("p", REAL, "share of random rectangles that leave no more overlap", optional=True),
            Column("path", TEXT, "the covered view, beside the table; none for squares", optional=True),
        ),
    ),
    "importances": Schema(
        "measure_occlusion",
        ("image_id",),
        (
            Column("image_id", INTEGER, "photograph"),
            Column("lost", VECTOR, "share of the strongest filters lost when a pixel of the view is covered, by rows"),
            Column("weaker", VECTOR, "relative loss of their activation, by rows"),
        ),
    ),
}
