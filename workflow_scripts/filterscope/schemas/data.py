"""Tables of the data room."""

from __future__ import annotations

import pyarrow as pa

from filterscope.schemas.columns import INTEGER, REAL, TEXT, TOKENS, TRUTH, VALUES, VECTOR, Column, Schema

SCHEMAS: dict[str, Schema] = {
    "images": Schema(
        "prepare_<source>",
        ("image_id",),
        (
            Column("image_id", INTEGER, "number of the image in its dataset"),
            Column("split", TEXT, "train or val"),
            Column("path", TEXT, "file, relative to the dataset's picture folder"),
            Column("width", INTEGER, "px"),
            Column("height", INTEGER, "px"),
            Column("turned", TRUTH, "whether the file's pixels are turned as its EXIF tag asks, here and when read"),
            Column("sha256", TEXT, "digest of the file"),
        ),
    ),
    "annotations": Schema(
        "prepare_<source>",
        ("annotation_id",),
        (
            Column("annotation_id", INTEGER, "number of the annotation in its dataset"),
            Column("image_id", INTEGER, "image that the object is in"),
            Column("category", TEXT, "category as the dataset names it"),
            Column("tokens", TOKENS, "words of the category"),
            Column("x", REAL, "left edge of the box, px"),
            Column("y", REAL, "upper edge of the box, px"),
            Column("w", REAL, "width of the box, px"),
            Column("h", REAL, "height of the box, px"),
            Column("mask", pa.binary(), "COCO compressed run lengths of the height x width mask"),
            Column("area", REAL, "px^2"),
        ),
    ),
    "categories": Schema(
        "prepare_<source>",
        ("category",),
        (
            Column("category", TEXT, "category as the dataset names it"),
            Column("tokens", TOKENS, "words of the category"),
            Column("images_train", INTEGER, "training images that show it"),
            Column("images_val", INTEGER, "validation images that show it"),
            Column("annotations_train", INTEGER, "its training annotations"),
            Column("annotations_val", INTEGER, "its validation annotations"),
            Column("supervised", TRUTH, "whether the explainer may learn from it"),
        ),
    ),
    "rejected": Schema(
        "prepare_<source>, extract_activations",
        (),
        (
            Column("item", TEXT, "image or annotation that was left out"),
            Column("reason", TEXT, "why"),
        ),
    ),
    "passes": Schema(
        "prepare_visual_genome",
        ("position",),
        (
            Column("position", INTEGER, "0 is the dataset as it is listed, then one a pass"),
            Column("pass", TEXT, "listed, readable, boxes, synsets, or a pass of the config's `passes`"),
            Column("images", INTEGER, "images that are left"),
            Column("annotations", INTEGER, "annotations that are left: objects, or unions of a category's in an image"),
            Column("categories", INTEGER, "categories that are left"),
        ),
    ),
    "findings": Schema(
        "prepare_<source>",
        ("finding",),
        (
            Column("finding", TEXT, "what is unusual, and was dealt with as configured"),
            Column("count", INTEGER, "how often"),
        ),
    ),
    "category_comparison": Schema(
        "compare_categories",
        ("category",),
        (
            Column("category", TEXT, "category of either side"),
            Column("ours", TRUTH, "whether this dataset has it"),
            Column("theirs", TRUTH, "whether the list has it"),
            Column("annotations", INTEGER, "its annotations here; empty where it is not ours", optional=True),
        ),
    ),
    "vocabulary": Schema(
        "cache_vocabulary",
        ("row",),
        (
            Column("row", pa.int32(), "position in the source, 0 is the most frequent word"),
            Column("word", TEXT, "the word"),
            Column("vector", VECTOR, "its vector"),
        ),
    ),
    "known_words": Schema(
        "plant_scenes_network, train_scenes_network",
        ("filter",),
        (
            Column("filter", INTEGER, "channel of the planted layer, or output unit"),
            Column("detects", TEXT, "colour, texture, orientation or shape"),
            Column("words", TOKENS, "right names, the category token first, then its synonyms"),
        ),
    ),
    "network_history": Schema(
        "train_scenes_network",
        ("epoch",),
        (
            Column("epoch", INTEGER, "from 1"),
            Column("train_loss", REAL, "mean cross-entropy over the training images, labels smoothed"),
            Column("val_loss", REAL, "mean cross-entropy over the validation images"),
            Column("val_accuracy", REAL, "share of validation images whose main object's shape was right"),
            Column("best", TRUTH, "whether the weights of this epoch were kept"),
        ),
    ),
    "samples": Schema(
        "prepare_samples",
        ("sample",),
        (
            Column("sample", INTEGER, "number of the sample, from 0"),
            Column("split", TEXT, "train or test"),
            Column("label", INTEGER, "number of its class, from 0"),
            Column("class", TEXT, "name of its class"),
            Column(
                "origin", TEXT, "where it was read from: row of an array, file; empty for samples made", optional=True
            ),
            Column("values", VALUES, "the sample row by row: bytes, as pixels from 0 to 255, or real numbers"),
        ),
        metadata=("shape", "classes"),  # JSON: [d] or [C, H, W]; names of the classes in order of label
    ),
    "repeats": Schema(
        "find_repeated_images, prepare_samples",
        (),
        (
            Column("group", INTEGER, "items of one group are the same, from 0"),
            Column("split", TEXT, "train, val or test"),
            Column("class", TEXT, "class of a sample; empty for images of a dataset", optional=True),
            Column("item", TEXT, "file, or where the sample was read from"),
        ),
    ),
}
