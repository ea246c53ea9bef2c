"""Tables of the diagnosis room."""

from __future__ import annotations

from filterscope.schemas.columns import INTEGER, REAL, TEXT, TRUTH, Column, Schema

_ROW = Column("row", TEXT, "own labels, own labels of resampled neighbourhoods, or shuffled labels")
_DRAW = Column("draw", INTEGER, "of so many samples, from 0")
_COUNT = Column("count", INTEGER, "samples that were drawn, or all")
_EMBEDDING = Column("embedding", TEXT, "raw, tsne, autoencoder, autoencoder_tsne or a probe's name")

SCHEMAS: dict[str, Schema] = {
    "published_complexity": Schema(
        "none: it is studies/published_complexity.csv",
        ("set",),
        (
            Column("set", TEXT, "data set (Debugger, table 1), as configs name it"),
            Column("title", TEXT, "the same for people"),
            Column("dimensions", INTEGER, "of a sample"),
            Column("csg", REAL, "as printed"),
            Column("expected_capacity", INTEGER, "bits, as printed"),
        ),
    ),
    "expected_capacities": Schema(
        "measure_complexity",
        ("count", "draw", "row"),
        (
            _COUNT,
            _DRAW,
            _ROW,
            Column("dimensions", INTEGER, "of a sample"),
            Column("classes", INTEGER, "that occur"),
            Column("changes", INTEGER, "of the label along the samples sorted by their sums"),
            Column("ties", INTEGER, "samples that share their sum with one of another label"),
            Column("smallest_class", REAL, "its share of the samples"),
            Column("bits", INTEGER, "expected capacity"),
            Column("unrounded", REAL, "the same without rounding up, bits"),
            Column("upper_bound", INTEGER, "bits of a network with a neuron for every change"),
            Column("memorising", REAL, "bits that fix any labelling"),
            Column("unbalanced", TRUTH, "whether the smallest class is too small for the heuristic"),
        ),
    ),
    "separabilities": Schema(
        "measure_complexity",
        ("embedding", "count", "draw", "row"),
        (
            _EMBEDDING,
            _COUNT,
            _DRAW,
            _ROW,
            Column("csg", REAL, "0: separate classes; number of classes - 1: the same"),
            Column("effective", REAL, "samples whose neighbourhoods decide, of the class with fewest"),
        ),
    ),
    "embeddings": Schema(
        "measure_complexity",
        ("embedding",),
        (
            _EMBEDDING,
            Column("count", INTEGER, "samples that were embedded"),
            Column("dimensions", INTEGER, "of the embedding"),
            Column("explained", REAL, "share of the variance that the autoencoder gives back", optional=True),
        ),
    ),
    "class_similarities": Schema(
        "measure_complexity",
        ("embedding", "class", "other"),
        (
            _EMBEDDING,
            Column("class", TEXT, "class"),
            Column("other", TEXT, "another, or the same"),
            Column("similarity", REAL, "0: no neighbourhood in common; 1: the same neighbourhoods"),
            Column("overlap", REAL, "share of the class's neighbourhoods that the other makes up"),
        ),
    ),
    "class_places": Schema(
        "measure_complexity",
        ("embedding", "class"),
        (
            _EMBEDDING,
            Column("class", TEXT, "class"),
            Column("x", REAL, "place in a plane where similar classes are near each other"),
            Column("y", REAL, "place in that plane"),
        ),
    ),
    "complexity": Schema(
        "tabulate_complexity",
        ("samples", "measure", "embedding", "count"),
        (
            Column("samples", TEXT, "set of labelled samples"),
            Column("measure", TEXT, "expected capacity (bits) or csg"),
            Column("embedding", TEXT, "of csg; raw for the expected capacity"),
            _COUNT,
            Column("complete", TRUTH, "whether these are all samples of the set (or all that were embedded)"),
            Column("dimensions", INTEGER, "of the samples, or of their embedding"),
            Column("classes", INTEGER, "that occur"),
            Column(
                "draws",
                INTEGER,
                "of so many samples, or of those whose neighbours are looked at; 1 where nothing is drawn",
            ),
            Column("value", REAL, "median of the draws"),
            Column("low", REAL, "2.5 % quantile of the draws; where nothing is drawn, of resampled neighbourhoods"),
            Column("high", REAL, "97.5 % quantile"),
            Column("null", REAL, "the same with shuffled labels, median"),
            Column("null_low", REAL, "its 2.5 % quantile"),
            Column("null_high", REAL, "its 97.5 % quantile"),
            Column("effective", REAL, "of csg: samples whose neighbourhoods decide, median", optional=True),
            Column("published_as", TEXT, "row (Debugger, table 1) that the config names", optional=True),
            Column("published", REAL, "its value", optional=True),
            Column("is_published", TRUTH, "whether the interval of the draws holds the published value", optional=True),
            Column("null_is_published", TRUTH, "whether the interval of shuffled labels does", optional=True),
        ),
    ),
    "layer_capacities": Schema(
        "measure_capacity",
        ("number",),
        (
            Column("number", INTEGER, "in the order of the forward pass, from 0"),
            Column("layer", TEXT, "module path, or name of the operation"),
            Column("kind", TEXT, "class of the module, or operation"),
            Column("parameters", INTEGER, "that it holds; 0 for folded batch norms and modules counted before"),
            Column("outputs", INTEGER, "values per sample"),
            Column("reaching", INTEGER, "bits that reach it; none where nothing limits them", optional=True),
            Column("capacity", INTEGER, "bits"),
            Column("passing", INTEGER, "bits that it lets through; none where nothing limits them", optional=True),
            Column("printed", INTEGER, "capacity by the algorithm as it is printed (Debugger, 3.2), bits"),
        ),
    ),
    "network_capacities": Schema(
        "measure_capacity",
        ("network",),
        (
            Column("network", TEXT, "entry of `networks`, or torchvision's name"),
            Column("size", INTEGER, "px, side of its input"),
            Column("found_by", TEXT, "graph (torch.fx) or run (a forward pass was watched)"),
            Column("batch_norm", TEXT, "folded or counted"),
            Column("layers", INTEGER, "layers and operations with parameters"),
            Column("parameters", INTEGER, "of the network"),
            Column("capacity", INTEGER, "bits"),
            Column("printed", INTEGER, "by the algorithm as it is printed (Debugger, 3.2), bits"),
        ),
    ),
    "fit": Schema(
        "tabulate_fit",
        ("network", "samples"),
        (
            Column("network", TEXT, "entry of `networks`, or torchvision's name"),
            Column("samples", TEXT, "set of labelled samples"),
            Column("verdict", TEXT, "too small, matched, oversized or nothing to learn"),
            Column("capacity", INTEGER, "of the network, bits"),
            Column("needed", INTEGER, "expected capacity of the samples, bits"),
            Column("ratio", REAL, "capacity over what is needed", optional=True),
            Column("needed_shuffled", REAL, "median with shuffled labels, bits"),
            Column("upper_bound", INTEGER, "of the samples, bits"),
            Column("memorising", REAL, "bits that fix any labelling of the samples"),
            Column("family", TEXT, "networks that can be scaled to match"),
            Column("width", REAL, "of the family's network that holds what is needed", optional=True),
            Column("width_capacity", INTEGER, "what that network holds, bits", optional=True),
            Column("width_note", TEXT, "why there is no such width; empty where there is one"),
            Column("sentence", TEXT, "the verdict in words"),
            Column("caveats", TEXT, "what to know before believing it"),
        ),
    ),
}
