"""Tables of the report room."""

from __future__ import annotations

from filterscope.schemas.columns import INTEGER, REAL, TEXT, Column, Schema

SCHEMAS: dict[str, Schema] = {
    "published": Schema(
        "none: it is studies/published.csv",
        ("experiment", "source", "quantity", "at"),
        (
            Column("table", INTEGER, "number of the table in the reproduction"),
            Column("experiment", TEXT, "what was measured, as configs name it"),
            Column("title", TEXT, "the same for people"),
            Column("source", TEXT, "publication"),
            Column("quantity", TEXT, "images, annotations, categories or recall"),
            Column("at", TEXT, "split of a count, k of a recall"),
            Column("printed", TEXT, "the value as it is printed"),
            Column("note", TEXT, "what one must know to compare it"),
        ),
    ),
    "reproduced_datasets": Schema(
        "tabulate_datasets",
        ("experiment", "source", "quantity", "at"),
        (
            Column("experiment", TEXT, "reference dataset, as configs name it"),
            Column("title", TEXT, "the same for people"),
            Column("source", TEXT, "publication, or Filterscope"),
            Column("quantity", TEXT, "images, annotations or categories"),
            Column("at", TEXT, "train, val or total"),
            Column("printed", TEXT, "the value as a person reads it; empty where there is none"),
            Column("value", INTEGER, "the value as it was counted", optional=True),
            Column("status", TEXT, "published, not run here, or the study's dataset that was counted"),
        ),
    ),
    "reproduced_recall": Schema(
        "tabulate_recall",
        ("experiment", "source", "probe", "row", "k"),
        (
            Column("experiment", TEXT, "network, layer and reference dataset, as configs name it"),
            Column("title", TEXT, "the same for people"),
            Column("source", TEXT, "publication, or Filterscope"),
            Column("probe", TEXT, "the study's probe; empty for what is published"),
            Column("row", TEXT, "words, or the null or rival that stands beside them"),
            Column("k", INTEGER, "words that count"),
            Column("status", TEXT, "published, measured, not measured, not measurable or not run here"),
            Column("note", TEXT, "what one must know to compare it"),
            Column("value", REAL, "recall over the whole vocabulary", optional=True),
            Column("low", REAL, "lower end of its bootstrap interval over images", optional=True),
            Column("high", REAL, "upper end", optional=True),
        ),
    ),
}
