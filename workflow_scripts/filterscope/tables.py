"""The tables that stages hand to each other: one schema each, checked on write and on read.

Parquet on disk, pyarrow in memory. A table that does not fit its schema never reaches a file, and a file
that does not fit is refused with its name, the column and the rule that makes it (design, section 3).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

# A vector column: all rows have the same length, which the data decide (number of filters, word dimension).
VECTOR = pa.list_(pa.float32())
TOKENS = pa.list_(pa.string())
TEXT, INTEGER, REAL, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()

KINDS = {
    "null": (pa.types.is_null,),
    "integer": (pa.types.is_integer,),
    "real": (pa.types.is_floating,),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    "bytes": (pa.types.is_binary, pa.types.is_large_binary),
    "list": (pa.types.is_list, pa.types.is_large_list),
}

# The third is there for datasets with categories that were never supervised; scores have a fourth (words/targets.py).
CANDIDATES = (
    "where words were looked for: vocabulary, categories or unsupervised (categories that were never supervised, "
    "asked for these alone); scores also have vocabulary_unsupervised (all words, asked for these alone)"
)


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, and whether a value may be missing (never NaN)."""

    name: str
    type: pa.DataType
    meaning: str
    optional: bool = False


@dataclass(frozen=True)
class Schema:
    """A table of the workflow: the rule that makes it, its key and its columns."""

    rule: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


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
        "prepare_visual_genome",
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
    "tails": Schema(
        "extract_activations",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("n", INTEGER, "activations seen"),
            Column("positive", INTEGER, "activations above zero"),
            Column("values", VECTOR, "the most extreme activations seen, those first"),
        ),
    ),
    "thresholds": Schema(
        "gather_thresholds",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("threshold", REAL, "T, the upper quantile of the filter's activations"),
            Column("dead", TRUTH, "whether the filter never rises above zero"),
            Column("n", INTEGER, "activations seen"),
        ),
    ),
    "top_images": Schema(
        "mine_top_images",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the image with the largest maximum"),
            Column("image_id", INTEGER, "image"),
            Column("maximum", REAL, "largest activation of the filter in the image"),
        ),
    ),
    "history": Schema(
        "train_explainer",
        ("epoch",),
        (
            Column("epoch", INTEGER, "from 1"),
            Column("train_loss", REAL, "mean CSMR loss over the training annotations"),
            Column("val_loss", REAL, "mean CSMR loss over the validation annotations"),
            Column(
                "val_recall", REAL, "share of validation annotations with a right token among the 5 nearest categories"
            ),
            Column("best", TRUTH, "whether the weights of this epoch were kept"),
        ),
    ),
    "image_words": Schema(
        "explain_filters",
        (),
        (
            Column("candidates", TEXT, CANDIDATES),
            Column("filter", INTEGER, "channel"),
            Column("image_rank", INTEGER, "rank of the image among the filter's top images"),
            Column("image_id", INTEGER, "image"),
            Column("rank", INTEGER, "0 is the nearest word"),
            Column("word", TEXT, "word"),
            Column("cosine", REAL, "cosine between the explainer's output and the word"),
        ),
    ),
    "filter_votes": Schema(
        "explain_filters",
        ("candidates", "filter", "rank"),
        (
            Column("candidates", TEXT, CANDIDATES),
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the word with most votes"),
            Column("word", TEXT, "word"),
            Column("votes", INTEGER, "top images, weighed as configured, that were given the word"),
            Column("cosine", REAL, "mean cosine over those images"),
        ),
    ),
    "overlaps": Schema(
        "dissect_filters",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the token that overlaps best"),
            Column("token", TEXT, "token of a category"),
            Column("iou", REAL, "overlap of region and masks over the training images"),
        ),
    ),
    "filter_claims": Schema(
        "score_words",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("dead", TRUTH, "whether the filter never rises above zero"),
            Column("claim", TEXT, "its best word among the categories' tokens", optional=True),
            Column("auprc", REAL, "how well its activation finds the pixels of the claim", optional=True),
            Column("low", REAL, "lower end of the interval of auprc", optional=True),
            Column("high", REAL, "upper end of the interval of auprc", optional=True),
            Column("null", REAL, "mean auprc of all live filters for the same word", optional=True),
            Column("supported", TRUTH, "whether auprc minus null is above zero with its whole interval"),
            Column("lent_supported", TRUTH, "whether another filter's claim would be called supported for this one"),
            Column("iou", REAL, "overlap of region and masks of the claim", optional=True),
            Column("f1", REAL, "F1 of region and masks of the claim", optional=True),
            Column("correlation", REAL, "of activation and mask of the claim", optional=True),
            Column("rival", TEXT, "Network Dissection's label, from training images", optional=True),
            Column("rival_auprc", REAL, "how well the activation finds the pixels of the rival", optional=True),
        ),
    ),
    "filter_words": Schema(
        "tabulate_words",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the word with most votes"),
            Column("word", TEXT, "word"),
            Column("votes", INTEGER, "top images, weighed as configured, that were given the word"),
            Column("cosine", REAL, "mean cosine over those images"),
            Column("novel", TRUTH, "whether no category of the reference dataset has the word's lemma"),
            Column("supported", TRUTH, "whether the filter's claim beats its null; empty without masks", optional=True),
            Column("claim", TEXT, "the filter's best word among the categories' tokens", optional=True),
            Column("auprc", REAL, "how well the filter finds the pixels of its claim", optional=True),
            Column("low", REAL, "lower end of its interval", optional=True),
            Column("high", REAL, "upper end of its interval", optional=True),
        ),
    ),
    "filter_names": Schema(
        "tabulate_words",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("status", TEXT, "supported, unsupported, untested (no masks), silent (in all mined images) or dead"),
            Column("name", TEXT, "the claim where it is supported, the first word where it is untested", optional=True),
            Column("words", TEXT, "words with most votes, * where no category has the lemma; no support implied"),
            Column("claim", TEXT, "the filter's best word among the categories' tokens", optional=True),
            Column("auprc", REAL, "how well the filter finds the pixels of its claim", optional=True),
            Column("low", REAL, "lower end of its interval", optional=True),
            Column("high", REAL, "upper end of its interval", optional=True),
            Column("null", REAL, "what the layer's mean filter reaches for the claim", optional=True),
        ),
    ),
    "measurements": Schema(
        "score_words, score_random_network",
        ("row", "metric", "candidates", "k"),
        (
            Column("row", TEXT, "words, or the null or rival that is measured like them"),
            Column("metric", TEXT, "recall, iou, f1, auprc or correlation"),
            Column("candidates", TEXT, CANDIDATES),
            Column("k", INTEGER, "words that count, 1 for what only looks at the first"),
            Column("n", INTEGER, "pairs of filter and image for recall, filters for the others"),
            Column("resamples", VECTOR, "the value, then its bootstrap resamples over images"),
        ),
    ),
    "scores": Schema(
        "tabulate_scores",
        ("probe", "dataset", "vocabulary", "metric", "candidates", "k", "row"),
        (
            Column("probe", TEXT, "network and layer"),
            Column("dataset", TEXT, "images"),
            Column("vocabulary", TEXT, "words"),
            Column("metric", TEXT, "recall, iou, f1, auprc or correlation"),
            Column("candidates", TEXT, CANDIDATES),
            Column("k", INTEGER, "words that count, 1 for what only looks at the first"),
            Column("row", TEXT, "words, or the null or rival that stands beside them"),
            Column("value", REAL, "the score; empty where nothing could be measured", optional=True),
            Column("low", REAL, "lower end of its bootstrap interval over images", optional=True),
            Column("high", REAL, "upper end", optional=True),
            Column("n", INTEGER, "pairs of filter and image for recall, filters for the others"),
            Column("margin", REAL, "score of the words minus this row's, on the same resamples", optional=True),
            Column("margin_low", REAL, "lower end of its interval", optional=True),
            Column("margin_high", REAL, "upper end", optional=True),
        ),
    ),
    "sanity": Schema(
        "test_scores",
        ("test", "metric"),
        (
            Column("test", TEXT, "missing_labels or extra_labels"),
            Column("metric", TEXT, "score that should fall"),
            Column("value", REAL, "mean over the filters with the true labels", optional=True),
            Column("spoilt", REAL, "mean over the filters with spoilt labels", optional=True),
            Column("fallen", REAL, "share of filters whose score fell", optional=True),
            Column("passed", TRUTH, "whether it fell for more than nine filters in ten", optional=True),
            Column("n", INTEGER, "filters"),
        ),
    ),
    "known_answers": Schema(
        "tabulate_known_answers",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("detects", TEXT, "kind of the planted detector, or class for an output unit"),
            Column("right", TOKENS, "right names"),
            Column("found", TOKENS, "first words that were given"),
            Column(
                "rank", INTEGER, "rank of the first right word among them; empty where there is none", optional=True
            ),
            Column("passed", TRUTH, "whether a right word came early enough"),
        ),
    ),
    "defects": Schema(
        "tabulate_defects",
        ("switch", "candidates", "k"),
        (
            Column("switch", TEXT, "default, one defect of the reference alone, or all"),
            Column("candidates", TEXT, CANDIDATES),
            Column("k", INTEGER, "words that count"),
            Column("recall", REAL, "empty where no pair could be measured", optional=True),
            Column("low", REAL, "lower end of its bootstrap interval over images", optional=True),
            Column("high", REAL, "upper end", optional=True),
            Column("cost", REAL, "recall lost against the default", optional=True),
            Column("cost_low", REAL, "lower end of its interval", optional=True),
            Column("cost_high", REAL, "upper end", optional=True),
            Column("n", INTEGER, "pairs of filter and image"),
        ),
    ),
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
    "published": Schema(
        "none: it is studies/published.csv",
        ("experiment", "source", "quantity", "at"),
        (
            Column("table", INTEGER, "number of the table in seed 000"),
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


class TableError(ValueError):
    """A table does not fit its schema."""


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    if wanted == VECTOR:
        return pa.types.is_fixed_size_list(found) and found.value_type == pa.float32()
    if wanted == TOKENS:
        return pa.types.is_list(found) and pa.types.is_string(found.value_type)
    return found == wanted


def _kind(type_: pa.DataType) -> str:
    """What a value is, whatever its width: types of one kind may be cast into each other."""
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    for kind, tests in KINDS.items():
        if any(test(type_) for test in tests):
            return kind
    return str(type_)


def _coerced(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """The values in the column's width. Text never becomes a number, nor a number text or a truth."""
    if column.type == VECTOR or values.type == column.type:
        return values
    found, wanted = _kind(values.type), _kind(column.type)
    if found not in (wanted, "null") and (found, wanted) not in {("integer", "real"), ("real", "integer")}:
        return values
    return values.cast(column.type)


def _not_finite(values: pa.ChunkedArray) -> bool:
    if pa.types.is_fixed_size_list(values.type):
        return any(not np.isfinite(chunk.flatten().to_numpy(zero_copy_only=False)).all() for chunk in values.chunks)
    if pa.types.is_floating(values.type):
        return not pc.all(pc.is_finite(values.drop_null())).as_py() if len(values.drop_null()) else False
    return False


def vectors(values: np.ndarray) -> pa.FixedSizeListArray:
    """A vector column from a [rows, length] array. Raises ValueError where the array has another rank."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if values.ndim != 2:
        raise ValueError(f"values of a vector column must be [rows, length], not {list(values.shape)}")
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def matrix(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """A [rows, length] float32 array from a vector column."""
    length = column.type.list_size
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(-1, length) for chunk in chunks if len(chunk)]
    if not parts:
        return np.zeros((0, length), np.float32)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def checked(data: pa.Table | pd.DataFrame | dict, name: str, source: str = "the new table") -> pa.Table:
    """The data as a table that fits the schema `name`, columns in the schema's order.

    Raises TableError naming the table, the column and what is wrong: missing or unknown column, wrong type,
    missing value, NaN or infinite number, repeated key.
    """
    schema = SCHEMAS[name]
    hint = f"{source} ({name}, made by rule {schema.rule})"
    try:
        if isinstance(data, pd.DataFrame):
            data = pa.Table.from_pandas(data, preserve_index=False)
        elif isinstance(data, dict):
            data = pa.table(data)
    except (pa.ArrowException, TypeError) as error:
        raise TableError(f"{hint}: {error}") from error
    missing = [column for column in schema.names if column not in data.column_names]
    unknown = [column for column in data.column_names if column not in schema.names]
    if missing or unknown:
        raise TableError(f"{hint}: missing columns {missing}, unknown columns {unknown}; rerun {schema.rule}")
    arrays = []
    for column in schema.columns:
        try:
            values = _coerced(data[column.name], column)
        except pa.ArrowException as error:
            raise TableError(f"{hint}: column {column.name}: {error}") from error
        if not _fits(values.type, column.type):
            raise TableError(f"{hint}: column {column.name} is {values.type}, should be {column.type}")
        missing = values.null_count
        if column.type == TOKENS:
            missing += sum(chunk.flatten().null_count for chunk in values.chunks)
        if missing and not column.optional:
            raise TableError(f"{hint}: column {column.name} has {missing} missing values")
        if _not_finite(values):
            raise TableError(f"{hint}: column {column.name} has NaN or infinite values")
        arrays.append(values)
    table = pa.table(arrays, names=schema.names)
    _check_key(table, schema, hint)
    return table


def _check_key(table: pa.Table, schema: Schema, hint: str) -> None:
    if schema.key and table.num_rows:
        keys = table.select(list(schema.key))
        if keys.group_by(list(schema.key)).aggregate([]).num_rows != keys.num_rows:
            raise TableError(f"{hint}: key {', '.join(schema.key)} is repeated")


def measurements(table: pd.DataFrame) -> pa.Table:
    """The `measurements` table from a frame whose resamples are arrays."""
    plain = pa.Table.from_pandas(table.drop(columns="resamples"), preserve_index=False)
    return plain.append_column("resamples", vectors(np.stack(table["resamples"])))


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block succeeds and vanishes when it fails."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write(data: pa.Table | pd.DataFrame | dict, name: str, path: str | Path) -> pa.Table:
    """Check a table and write it whole: Parquet, or CSV where the path says so."""
    table = checked(data, name, str(path))
    with replacing(path) as temporary:
        if Path(path).suffix == ".csv":
            pa_csv.write_csv(_flat(table), temporary)
        else:
            pq.write_table(table, temporary, compression="zstd")
    return table


def _flat(table: pa.Table) -> pa.Table:
    """Lists of words joined by spaces, for CSV."""
    for index, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            table = table.set_column(index, field.name, pc.binary_join(table[field.name], " "))
    return table


def read(path: str | Path | Iterable[str | Path], name: str) -> pa.Table:
    """Read a table, or several shards of one, and check it against its schema."""
    if not isinstance(path, (str, Path)):
        return _concatenated(list(path), name)
    try:
        table = pq.read_table(path, memory_map=True, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); rerun {SCHEMAS[name].rule}") from error
    return checked(table, name, str(path))


def _concatenated(paths: list[str | Path], name: str) -> pa.Table:
    schema = SCHEMAS[name]
    hint = f"{', '.join(map(str, paths)) or 'no file'} ({name}, made by rule {schema.rule})"
    try:
        table = pa.concat_tables([read(path, name) for path in paths])
    except pa.ArrowException as error:
        raise TableError(f"{hint}: the files do not belong together: {error}") from error
    _check_key(table, schema, hint)
    return table


def empty(name: str, vector: int = 1) -> pa.Table:
    """A table without rows; vector columns are so long."""
    fields = [
        (column.name, pa.list_(pa.float32(), vector) if column.type == VECTOR else column.type)
        for column in SCHEMAS[name].columns
    ]
    return pa.schema(fields).empty_table()


def batches(path: str | Path, name: str, columns: list[str], rows: int = 1024) -> Iterator[pa.RecordBatch]:
    """Go through some columns of a table that need not fit into memory, so many rows at a time."""
    with pq.ParquetFile(path, memory_map=True) as file:
        missing = [column for column in columns if column not in file.schema_arrow.names]
        if missing:
            raise TableError(f"{path} ({name}): missing columns {missing}; rerun {SCHEMAS[name].rule}")
        yield from file.iter_batches(columns=columns, batch_size=rows)


def column(paths: Iterable[str | Path], name: str, column: str) -> np.ndarray:
    """One column of all shards of a table, without the others: those may be too large for memory."""
    parts = [batch[column].to_numpy(zero_copy_only=False) for path in paths for batch in batches(path, name, [column])]
    return np.concatenate(parts)


class Writer:
    """Writes a table that does not fit into memory, batch by batch; the file appears when all is well."""

    def __init__(self, name: str, path: str | Path):
        self.name, self.path = name, Path(path)
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Writer:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def add(self, data: pa.Table | pd.DataFrame | dict) -> None:
        """Check one batch and append it."""
        table = checked(data, self.name, str(self.path))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._temporary, table.schema, compression="zstd")
        if table.schema != self._writer.schema:
            first = self._writer.schema
            raise TableError(f"{self.path} ({self.name}): a batch is {table.schema}, the first was {first}")
        self._writer.write_table(table)

    def __exit__(self, kind, value, trace) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
            if kind is None and self._writer is None:
                raise TableError(f"{self.path} ({self.name}): no rows were written")
            if kind is None:
                os.replace(self._temporary, self.path)
        finally:
            self._temporary.unlink(missing_ok=True)
