"""Tables of the senses of filters, of the pictures room."""

from __future__ import annotations

from filterscope.schemas.columns import INTEGER, REAL, TEXT, Column, Schema

_SENSE = (
    Column("filter", INTEGER, "channel or output unit"),
    Column("sense", INTEGER, "0 is the filter's largest"),
)

SCHEMAS: dict[str, Schema] = {
    "senses": Schema(
        "find_senses",
        ("filter",),
        (
            Column("filter", INTEGER, "channel or output unit"),
            Column("images", INTEGER, "that excite it most, and are grouped"),
            Column("status", TEXT, "several, one, or untold (too few images, or nothing that tells them apart)"),
            Column("senses", INTEGER, "how many; empty where it is untold", optional=True),
            Column("tried", INTEGER, "number of groups that came nearest to being senses", optional=True),
            Column(
                "strength",
                REAL,
                "their prediction strength: how far half of the images foretells the groups of the other, 1 at most",
                optional=True,
            ),
            Column("likeness", REAL, "largest cosine of two of their mean codes", optional=True),
            Column(
                "distinction",
                REAL,
                "standard deviations by which the group with least of its own has it, in one of a hundred filters",
                optional=True,
            ),
            Column(
                "null_senses",
                INTEGER,
                "senses by codes of these images that are shuffled among them: a mild null",
                optional=True,
            ),
            Column("null_strength", REAL, "the same as `strength` by these codes", optional=True),
            Column("null_likeness", REAL, "the same as `likeness` by these codes", optional=True),
            Column(
                "other_filter",
                INTEGER,
                "another filter, of those with one sense by chance, whose attention in these images is a stronger null",
                optional=True,
            ),
            Column("shared_images", INTEGER, "images in which both fire: the next four tell of these", optional=True),
            Column("shared_senses", INTEGER, "senses in them; empty where nothing can be told", optional=True),
            Column("other_senses", INTEGER, "senses by where the other one fires; empty likewise", optional=True),
            Column("other_strength", REAL, "the same as `strength` by these codes", optional=True),
            Column("other_likeness", REAL, "the same as `likeness` by these codes", optional=True),
            Column("note", TEXT, "why it cannot be told; empty where it can"),
        ),
    ),
    "sense_images": Schema(
        "find_senses",
        ("filter", "image_id"),
        (
            *_SENSE,
            Column("image_id", INTEGER, "image that excites the filter"),
            Column("rank", INTEGER, "among the sense's images by distance, 0 is the nearest to its centre"),
            Column("distance", REAL, "from the sense's centre, by principal components of the codes"),
            Column("x", REAL, "first principal component of the codes of the filter's images"),
            Column("y", REAL, "second principal component; 0 where there is none"),
            Column("maximum", REAL, "of the filter's map in the image"),
            Column("peak_row", REAL, "where the map is largest, share of the view's height from above"),
            Column("peak_column", REAL, "and of its width from the left"),
        ),
    ),
    "sense_words": Schema(
        "name_senses",
        ("filter", "sense", "rank"),
        (
            *_SENSE,
            Column("rank", INTEGER, "0: category's word that tells it apart most, if any; of one sense the nearest"),
            Column("word", TEXT, "among the ten nearest of one of the sense's nearest images"),
            Column("votes", INTEGER, "nearest images that have it among their ten"),
            Column("cosine", REAL, "mean cosine over the sense's nearest images"),
            Column(
                "contrast",
                REAL,
                "cosine less the mean over the nearest images of the filter's other senses; empty without any",
                optional=True,
            ),
            Column(
                "p",
                REAL,
                "chance that senses shuffled among these images have any word of such contrast; empty without others",
                optional=True,
            ),
        ),
    ),
    "sense_pictures": Schema(
        "render_senses",
        ("filter", "sense"),
        (
            *_SENSE,
            Column("recipe", TEXT, "entry of `recipes`"),
            Column("status", TEXT, "optimised, stopped (NaN on the way) or no gradient (a dead unit)"),
            Column("note", TEXT, "what went wrong and at which step; empty where nothing did"),
            Column("path", TEXT, "picture, beside the table; empty where there is none", optional=True),
            Column("activation", REAL, "of the filter by the finished picture, mean of its map", optional=True),
            Column("mean_activation", REAL, "by the mean image", optional=True),
        ),
    ),
}
