"""Tables of the words room."""

from __future__ import annotations

import pyarrow as pa

from filterscope.schemas.columns import INTEGER, REAL, TEXT, TOKENS, TRUTH, VECTOR, Column, Schema
from filterscope.schemas.values import CLAIM_SCORES, RECALL, one_of

# The third is there for datasets with categories that were never supervised; scores have a fourth
# (words/explaining/targets.py).
CANDIDATES = (
    "where words were looked for: vocabulary, categories or unsupervised (categories that were never supervised, "
    "asked for these alone); scores also have vocabulary_unsupervised (all words, asked for these alone)"
)

_METRIC = Column("metric", TEXT, one_of(RECALL, *CLAIM_SCORES))
# What a filter is called by, and how well masks bear it out.
_CLAIM = Column("claim", TEXT, "the category token that it claims, by its maps on training images", optional=True)
_SUPPORT = (
    Column("auprc", REAL, "how well the filter finds the pixels of its claim", optional=True),
    Column("low", REAL, "lower end of its interval", optional=True),
    Column("high", REAL, "upper end of its interval", optional=True),
)

SCHEMAS: dict[str, Schema] = {
    "history": Schema(
        "train_explainer",
        ("epoch",),
        (
            Column("epoch", INTEGER, "from 1"),
            Column("train_loss", REAL, "over the training annotations, mean of the loss that the config names"),
            Column("val_loss", REAL, "the same over the validation annotations"),
            Column(
                "val_recall", REAL, "share of validation annotations with a right token among the 5 nearest categories"
            ),
            Column("best", TRUTH, "whether this epoch was chosen: the final training, on all images, takes so many"),
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
    "heatmaps": Schema(
        "explain_filters",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "of the image among the filter's top images; only those it rises above zero in"),
            Column("image_id", INTEGER, "image"),
            Column("rows", INTEGER, "cells from top to bottom of the kept map, which covers the network's view"),
            Column("columns", INTEGER, "cells from left to right"),
            Column(
                "map",
                pa.binary(),
                "a byte per cell, by rows: the largest activation in it, 255 is the filter's largest in all its images",
            ),
            Column("map_rows", INTEGER, "rows of the map as the network makes it"),
            Column("map_columns", INTEGER, "its columns"),
            Column("peak_row", INTEGER, "row of its largest value, from 0"),
            Column("peak_column", INTEGER, "column of its largest value, from 0"),
        ),
    ),
    "receptive_field": Schema(
        "explain_filters",
        ("layer",),
        (
            Column("layer", TEXT, "module whose maps are read; no line where no gradient could be taken"),
            Column(
                "share",
                REAL,
                "side of the square around a place of its maps that holds nine tenths of the squared gradient that the "
                "place has for noise, as a share of the side of the network's view",
            ),
            Column("size", INTEGER, "side of that view, px"),
        ),
    ),
    "feeds": Schema(
        "explain_filters",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel of a layer whose maps, means or tokens the network's last layer takes"),
            Column("rank", INTEGER, "0 is the class that it speaks for most"),
            Column("unit", INTEGER, "output unit: those of the largest weights, and of the least"),
            Column("class", TEXT, "what the unit is called, where the network's source tells", optional=True),
            Column("weight", REAL, "of the filter for the unit, in the last layer, through a norm before it"),
        ),
    ),
    "filter_votes": Schema(
        "explain_filters",
        ("candidates", "filter", "rank"),
        (
            Column("candidates", TEXT, CANDIDATES),
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "by votes from 0; a claim leads the categories, however many it has"),
            Column("word", TEXT, "word"),
            Column("votes", INTEGER, "top images, weighed as configured, that were given the word"),
            Column("cosine", REAL, "mean cosine over those images; of a claim without votes, over all top images"),
            Column("claim", TRUTH, "whether this is the category token that the filter claims; never in vocabulary"),
            Column("evidence", REAL, "logarithm of the chance that its top training images show the word, from 0"),
            Column("lift", REAL, "mean cosine and weighed evidence, less what the layer's mean filter has"),
        ),
    ),
    "words_apart": Schema(
        "explain_filters",
        ("candidates", "filter", "rank"),
        (
            Column("candidates", TEXT, CANDIDATES),
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the word that sets the filter apart most"),
            Column("word", TEXT, "word"),
            Column("cosine", REAL, "mean cosine over the filter's top images"),
            Column("evidence", REAL, "logarithm of the chance that its top training images show it, from 0"),
            Column("lift", REAL, "cosine and weighed evidence less what the layer's mean filter has"),
        ),
    ),
    "attended_activations": Schema(
        "dissect_filters, dissect_shard",
        (),
        (
            Column("filter", INTEGER, "channel whose attention weighs the others"),
            Column("image_id", INTEGER, "one of its top training images"),
            Column("split", TEXT, "train"),
            Column("tokens", TOKENS, "tokens of the objects that overlap the filter's region"),
            Column("vector", VECTOR, "what the explainer is shown of the filter there"),
        ),
    ),
    "shard_sums": Schema(
        "dissect_shard",
        ("sum",),
        (
            Column("sum", TEXT, "what is summed up over the shard's training images"),
            Column("rows", INTEGER, "filters, or 1"),
            Column("columns", INTEGER, "tokens, filters, or 1"),
            Column("values", pa.binary(), "float64, by rows"),
            Column("lost", pa.binary(), "the same, of what rounding took from each: shards add up to the same bits"),
        ),
    ),
    "evidence": Schema(
        "dissect_filters, gather_dissection",
        ("filter", "token"),
        (
            Column("filter", INTEGER, "channel"),
            Column("token", TEXT, "token of a category"),
            Column("correlation", REAL, "of map and masks over all cells of the training images"),
            Column("distinct", REAL, "the same, shrunk to the filter's neighbours, less the other filters' mean"),
            Column("chance", REAL, "that the filter's region shows the token in one of its top training images"),
            Column("images", INTEGER, "training images that show the token"),
        ),
    ),
    "overlaps": Schema(
        "dissect_filters, gather_dissection",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the token that overlaps best"),
            Column("token", TEXT, "token of a category"),
            Column("iou", REAL, "overlap of region and masks over the training images"),
        ),
    ),
    "clip_history": Schema(
        "train_scenes_clip",
        ("epoch",),
        (
            Column("epoch", INTEGER, "from 1"),
            Column("loss", REAL, "mean contrastive loss over whole scenes and their captions"),
            Column("view_loss", REAL, "mean contrastive loss over views of objects and their captions"),
        ),
    ),
    "clip_retrieval": Schema(
        "train_scenes_clip",
        ("kind",),
        (
            Column("kind", TEXT, "colour, texture or shape"),
            Column("right", REAL, "share of the nearest words, as many as a held-out scene has, that it has"),
            Column("chance", REAL, "what random words reach"),
            Column("images", INTEGER, "held-out scenes"),
        ),
    ),
    "image_embeddings": Schema(
        "embed_images",
        ("image_id",),
        (
            Column("image_id", INTEGER, "image"),
            Column("vector", VECTOR, "what the CLIP model makes of it, of unit length"),
        ),
    ),
    "word_embeddings": Schema(
        "embed_words, embed_tokens",
        ("word",),
        (
            Column("word", TEXT, "word, as the vocabulary or the categories spell it"),
            Column("vector", VECTOR, "what the CLIP model makes of it, mean over the prompts, of unit length"),
        ),
    ),
    "clip_words": Schema(
        "dissect_with_clip",
        ("candidates", "filter", "rank"),
        (
            Column("candidates", TEXT, CANDIDATES),
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "0 is the word of largest similarity"),
            Column("word", TEXT, "word"),
            Column("similarity", REAL, "soft WPMI of the word and the filter's top training images, nats"),
        ),
    ),
    "score_sums": Schema(
        "score_shard",
        ("sum", "first"),
        (
            Column("sum", TEXT, "what is summed up over the shard's scored images, and by which collector"),
            Column("first", INTEGER, "row of the sum that values begin with"),
            Column("rows", INTEGER, "rows of the sum in values: resamples, tokens, or pairs of a filter and an image"),
            Column("values", pa.binary(), "float64, by rows; shards are added without rounding"),
        ),
    ),
    "filter_claims": Schema(
        "score_words, gather_scores",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("dead", TRUTH, "whether the filter never rises above zero"),
            Column("claim", TEXT, "the category token that it is tested by, chosen on training images", optional=True),
            Column("auprc", REAL, "how well its activation finds the pixels of the claim", optional=True),
            Column("low", REAL, "lower end of the interval of auprc", optional=True),
            Column("high", REAL, "upper end of the interval of auprc", optional=True),
            Column("null", REAL, "mean auprc of all live filters for the same word", optional=True),
            Column("lift", REAL, "auprc minus null", optional=True),
            Column("told", TRUTH, "whether there are decoys enough to tell which claims are supported"),
            Column("supported", TRUTH, "whether lift is so far above zero that few decoys have as much"),
            Column("lent", TRUTH, "whether another filter's claim, of another word, was lent to it as a decoy"),
            Column("lent_supported", TRUTH, "whether that claim would be called supported for it"),
            Column("iou", REAL, "overlap of region and masks of the claim", optional=True),
            Column("f1", REAL, "F1 of region and masks of the claim", optional=True),
            Column("correlation", REAL, "of activation and mask of the claim", optional=True),
            Column("rival", TEXT, "Network Dissection's label, from training images", optional=True),
            Column("rival_auprc", REAL, "how well the activation finds the pixels of the rival", optional=True),
        ),
    ),
    "answers": Schema(
        "extract_answers",
        ("object", "place"),
        (
            Column("object", INTEGER, "object that was laid and taken out, in the order in which they were composed"),
            Column("place", INTEGER, "background that it was laid into; -1 where it was taken out of its own picture"),
            Column("tokens", TOKENS, "its words"),
            Column("size", INTEGER, "which of the sizes it was laid at"),
            Column("mean", VECTOR, "mean of every filter's map; where it was taken out, what the mean lost"),
        ),
        ("lacking", "unusable"),
    ),
    "filter_causes": Schema(
        "measure_causes",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column("claim", TEXT, "its claim, as in filter_claims", optional=True),
            Column("objects", INTEGER, "objects of the claim that were laid into pictures and taken out of their own"),
            Column("controls", INTEGER, "other objects of their sizes, to which the same was done"),
            Column(
                "unusable",
                INTEGER,
                "images with objects of the claim of which none is large and whole enough",
            ),
            Column(
                "effect", REAL, "what they change beyond the others, spreads of the filter over images", optional=True
            ),
            Column("low", REAL, "lower end of the interval of effect, over objects", optional=True),
            Column("high", REAL, "upper end", optional=True),
            Column("null", REAL, "mean effect of the claim's objects on the layer's filters", optional=True),
            Column("p", REAL, "rank test of both directions together, over objects", optional=True),
            Column(
                "q",
                REAL,
                "share of false discoveries (Benjamini-Hochberg); 1 if a direction objects",
                optional=True,
            ),
            Column("status", TEXT, "caused, not_caused or cannot_be_told"),
            Column("reason", TEXT, "why it is not caused or cannot be told; empty where it is caused"),
            Column("laid_effect", REAL, "of laying objects into pictures that lack the claim", optional=True),
            Column("laid_p", REAL, "of its rank test over objects", optional=True),
            Column("lost_effect", REAL, "of taking objects out of their pictures (blurred, filled)", optional=True),
            Column("lost_p", REAL, "of its rank test over objects", optional=True),
            Column("lent", TEXT, "claim of another filter, another word, that is tested as a decoy", optional=True),
            Column("lent_caused", TRUTH, "whether the decoy would be called caused", optional=True),
        ),
    ),
    "filter_words": Schema(
        "tabulate_words",
        ("filter", "rank"),
        (
            Column("filter", INTEGER, "channel"),
            Column("rank", INTEGER, "by votes from 0; a claim leads the categories, however many it has"),
            Column("word", TEXT, "word"),
            Column("votes", INTEGER, "top images, weighed as configured, that were given the word"),
            Column("cosine", REAL, "mean cosine over those images"),
            Column("evidence", REAL, "logarithm of the chance that its top training images show the word, from 0"),
            Column("lift", REAL, "mean cosine and weighed evidence, less what the layer's mean filter has"),
            Column("novel", TRUTH, "whether no category of the reference dataset has the word's lemma"),
            Column("supported", TRUTH, "whether the filter's claim beats its null; empty without masks", optional=True),
            _CLAIM,
            *_SUPPORT,
        ),
    ),
    "filter_names": Schema(
        "tabulate_words",
        ("filter",),
        (
            Column("filter", INTEGER, "channel"),
            Column(
                "status",
                TEXT,
                "proved (by masks and by cause), supported (by masks), unsupported, untested (no masks), silent (in "
                "all mined images), dead, or cannot be told (too few decoys, or it never fires where its threshold "
                "comes from)",
            ),
            Column("name", TEXT, "the claim where it is proved, supported or untested", optional=True),
            Column("words", TEXT, "what its images show: words with most votes, * where no category has the lemma"),
            Column("apart", TEXT, "what sets it apart: words of largest lift over the layer, * as before"),
            _CLAIM,
            Column(
                "reference_status",
                TEXT,
                "without masks: status of this claim on the reference, from which what follows is then taken; words "
                "of its own picture where the reference has none",
                optional=True,
            ),
            *_SUPPORT,
            Column("null", REAL, "what the layer's mean filter reaches for the claim", optional=True),
            Column("cause", TEXT, "caused, not_caused or cannot_be_told: as in filter_causes", optional=True),
            Column("cause_effect", REAL, "what the claim's objects change beyond others, spreads", optional=True),
            Column("cause_low", REAL, "lower end of its interval over objects", optional=True),
            Column("cause_high", REAL, "upper end", optional=True),
            Column("cause_null", REAL, "mean effect of the claim's objects on the layer's filters", optional=True),
            Column(
                "picture",
                TEXT,
                "the explainer's words for its optimised picture, nearest first, by recipe where there are several; * "
                "as before",
                optional=True,
            ),
            Column("picture_count", INTEGER, "of its pictures, those that the claim was looked for in", optional=True),
            Column("picture_found", REAL, "share of these with the claim among their first categories", optional=True),
            Column(
                "picture_null",
                REAL,
                "mean share of other filters' claims that are among the same categories; empty where one of the "
                "pictures has no other beside it",
                optional=True,
            ),
        ),
    ),
    "depth": Schema(
        "tabulate_depth",
        ("probe",),
        (
            Column("probe", TEXT, "layer"),
            Column("place", INTEGER, "0 is the first layer that is named in the group"),
            Column("filters", INTEGER, "filters of the layer"),
            Column("live", INTEGER, "those that are not dead, of which all shares are"),
            Column("proved", REAL, "share whose name is borne out by masks and by cause"),
            Column("supported", REAL, "share whose name is borne out by masks, the proved ones among them"),
            Column("names", INTEGER, "different names of these"),
            Column("colour", REAL, "share of colours among the first five words of all filters"),
            Column("texture", REAL, "share of textures and materials"),
            Column("shape", REAL, "share of shapes"),
            Column("thing", REAL, "share of all other words"),
            Column("new", REAL, "share of words whose lemma no category has"),
            Column("lift", REAL, "median lift of the claims' AUPRC over the layer's mean filter", optional=True),
        ),
    ),
    "measurements": Schema(
        "score_words, gather_scores, score_random_network",
        ("row", "metric", "candidates", "k"),
        (
            Column("row", TEXT, "words, or the null or rival that is measured like them"),
            _METRIC,
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
            _METRIC,
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
        "score_words, gather_scores",
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
}
