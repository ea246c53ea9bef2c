"""Tables of the pictures room."""

from __future__ import annotations

from filterscope.schemas.columns import INTEGER, REAL, TEXT, TOKENS, TRUTH, VECTOR, Column, Schema

# Which facet it is; how a picture was made; what it reaches.
_FACET = (
    Column("unit", INTEGER, "output unit"),
    Column("class", TEXT, "its class"),
    Column("facet", INTEGER, "0 is the class's largest"),
)
_MADE = (
    Column("status", TEXT, "optimised, stopped (NaN on the way) or no gradient (a dead unit)"),
    Column("note", TEXT, "what went wrong and at which step; empty where nothing did"),
    Column("path", TEXT, "picture, beside the table; empty for a dead unit", optional=True),
)
_RATIO = Column("ratio", REAL, "activation over that of the best image, where both are positive", optional=True)

SCHEMAS: dict[str, Schema] = {
    "pictures": Schema(
        "maximise_activations",
        ("filter", "number"),
        (
            Column("filter", INTEGER, "channel or output unit"),
            Column("number", INTEGER, "of the filter's pictures, from 0"),
            Column("recipe", TEXT, "entry of `recipes`"),
            *_MADE,
            Column("size", INTEGER, "px, side of the picture", optional=True),
            Column("reached", REAL, "objective at the last step, in the views the recipe shows", optional=True),
            Column("activation", REAL, "objective of the finished picture as the network's input", optional=True),
            Column("best_image_id", INTEGER, "image of the dataset that excites the filter most"),
            Column("best_image", REAL, "its activation"),
            _RATIO,
        ),
    ),
    "picture_words": Schema(
        "name_pictures",
        ("filter", "number"),
        (
            Column("filter", INTEGER, "channel or output unit"),
            Column("number", INTEGER, "of the filter's pictures, from 0"),
            Column("recipe", TEXT, "entry of `recipes`"),
            Column("words", TOKENS, "that the explainer finds for the picture in the vocabulary, nearest first"),
            Column("categories", TOKENS, "the first that it finds among the categories' tokens"),
            Column("claim", TEXT, "the filter's, as in filter_claims", optional=True),
            Column("found", TRUTH, "whether the claim is among these; empty without claim or words", optional=True),
            Column("null", REAL, "share of the other pictures' claims that are; empty without any", optional=True),
            Column("note", TEXT, "why there are no words; empty where there are"),
        ),
    ),
    "facets": Schema(
        "embed_facets",
        ("unit", "image_id"),
        (
            Column("unit", INTEGER, "output unit"),
            Column("class", TEXT, "its class"),
            Column("image_id", INTEGER, "image of the class"),
            Column("facet", INTEGER, "0 is the class's largest"),
            Column("rank", INTEGER, "among the facet's images by distance, 0 is the nearest to its centre"),
            Column("x", REAL, "place in the plane of t-SNE"),
            Column("y", REAL, "place in the plane of t-SNE"),
            Column("distance", REAL, "from the facet's centre, in the plane"),
            Column("activation", REAL, "of the unit by the image, mean of its map"),
        ),
    ),
    "facet_summary": Schema(
        "embed_facets",
        ("unit", "facet"),
        (
            *_FACET,
            Column("members", INTEGER, "images"),
            Column("averaged", INTEGER, "of them, nearest to the centre, make the mean image"),
            Column("small", TRUTH, "whether it has fewer than the config asks for; all are averaged"),
            Column(
                "recovered", REAL, "mean of the best Jaccard index with a facet of bootstrap samples", optional=True
            ),
            Column("seed_stability", REAL, "of the class: adjusted Rand index with other seeds", optional=True),
            Column("bootstrap_stability", REAL, "of the class: the same of bootstrap samples", optional=True),
            Column("silhouette", REAL, "of the class, mean in the plane", optional=True),
            Column("suggested_facets", INTEGER, "of the class, by largest silhouette", optional=True),
        ),
    ),
    "facet_words": Schema(
        "name_facets",
        ("unit", "facet", "rank"),
        (
            *_FACET,
            Column("rank", INTEGER, "0 is the word with most votes"),
            Column("word", TEXT, "word"),
            Column("votes", INTEGER, "nearest images that were given the word"),
            Column("cosine", REAL, "mean cosine over those images"),
        ),
    ),
    "facet_pictures": Schema(
        "render_facets",
        ("unit", "facet", "recipe", "start"),
        (
            *_FACET,
            Column("recipe", TEXT, "entry of `recipes`"),
            Column("start", TEXT, "what it began as: mean (the facet's mean image) or noise"),
            *_MADE,
            Column("mean_path", TEXT, "the facet's mean image, beside the table"),
            Column("activation", REAL, "of the unit by the finished picture", optional=True),
            Column("mean_activation", REAL, "by the mean image", optional=True),
            Column("nearest_image_id", INTEGER, "image nearest to the facet's centre"),
            Column("nearest_image", REAL, "its activation"),
            Column("best_image", REAL, "largest activation by an image of the facet"),
            _RATIO,
        ),
    ),
    "picture_scores": Schema(
        "score_pictures",
        ("group", "number"),
        (
            Column("group", TEXT, "photographs, mean images, or a recipe and what its pictures began as"),
            Column("number", INTEGER, "in the group, from 0"),
            Column("unit", INTEGER, "output unit of the picture's class"),
            Column("facet", INTEGER, "of the class, where it was made for one", optional=True),
            Column("image_id", INTEGER, "of a photograph", optional=True),
            Column("path", TEXT, "of a picture, below the folder of the probe", optional=True),
            Column("natural_colours", REAL, "proxy: minus the distance from photographs", optional=True),
            Column("single_central_object", REAL, "proxy: contrast of the centre (Lab), share of one", optional=True),
            Column("global_structure", REAL, "proxy: minus the distance from photographs", optional=True),
            Column("clarity_of_details", REAL, "proxy: share of patches with visible, oriented edges", optional=True),
            Column("clear_context", REAL, "proxy: minus the distance from photographs", optional=True),
            Column(
                "ratio",
                REAL,
                "activation over the best image's of the class, means of the map; none of recipes with a position",
                optional=True,
            ),
            Column("judge_rank", INTEGER, "of the right unit in the judge's answer, 1 the first", optional=True),
        ),
    ),
    "criteria": Schema(
        "score_pictures",
        ("group", "measure"),
        (
            Column("group", TEXT, "photographs, mean images, chance, or a recipe and what its pictures began as"),
            Column("measure", TEXT, "criterion (a proxy), ratio, judge_top1 or judge_top5"),
            Column("n", INTEGER, "pictures; for chance the judge's outputs"),
            Column("value", REAL, "mean over the pictures; larger is better"),
            Column("low", REAL, "lower end of the interval over pictures", optional=True),
            Column("high", REAL, "upper end", optional=True),
        ),
    ),
    "criteria_validation": Schema(
        "score_pictures",
        ("criterion", "first", "second"),
        (
            Column("criterion", TEXT, "a proxy"),
            Column("first", TEXT, "group that should score higher"),
            Column("second", TEXT, "than this one"),
            Column("paired", TRUTH, "whether picture by picture: that tells about the pictures, not about the proxy"),
            Column("first_n", INTEGER, "pictures of the first group"),
            Column("second_n", INTEGER, "pictures of the second group"),
            Column("better", REAL, "how often the first scores higher (the area under the curve), ties half"),
            Column("low", REAL, "lower end of its interval over pictures"),
            Column("high", REAL, "upper end"),
            Column("difference", REAL, "of the means"),
            Column("difference_low", REAL, "lower end of its interval over pictures"),
            Column("difference_high", REAL, "upper end"),
            Column(
                "holds",
                TRUTH,
                "whether the whole interval of `better` lies above one half; empty below 4 pictures, too few to tell",
                optional=True,
            ),
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
            Column("weaker", VECTOR, "loss of their activation, share of its absolute value, by rows"),
        ),
    ),
}
