"""Tables of the diagnosis room about resampling and about robustness against capacity."""

from __future__ import annotations

from filterscope.schemas.columns import INTEGER, REAL, TEXT, TRUTH, VECTOR, Column, Schema

_SAMPLES = Column("samples", TEXT, "entry of `samples`")
_SPACE = Column("space", TEXT, "values, or features of a network")
_FAMILY = Column("family", TEXT, "alexnet, resnet or plain")
_SHARE = Column("share", INTEGER, "% of the bits that the search starts at")
_SEED = Column("seed", INTEGER, "number of the network among those of its capacity")
_ATTACK = Column("attack", TEXT, "greedy, sparse or bounded")
_UNIT = Column("unit", TEXT, "of the attack's sizes: pixels, or share of the pixel range")
_TARGET = Column("target", INTEGER, "bits that the network should hold")

SCHEMAS: dict[str, Schema] = {
    "resampling_history": Schema(
        "resample_samples",
        ("iteration",),
        (
            Column("iteration", INTEGER, "of the search for the draw of least capacity, from 0"),
            Column("seed", INTEGER, "of the draw"),
            Column("samples", INTEGER, "training samples after it"),
            Column("synthetic", INTEGER, "of them made by SMOTE"),
            Column("removed", INTEGER, "original samples that were removed"),
            Column("changes", INTEGER, "of the label along the samples sorted by their sums"),
            Column("unrounded", REAL, "expected capacity without rounding up, bits: what is compared"),
            Column("bits", INTEGER, "expected capacity"),
            Column("best", TRUTH, "whether it was the best so far; the last of these was taken"),
        ),
    ),
    "resampled_origins": Schema(
        "resample_samples",
        ("sample",),
        (
            Column("sample", INTEGER, "row of the resampled samples"),
            Column("origin", INTEGER, "sample of the source; none for one that SMOTE made", optional=True),
        ),
    ),
    "resampling_scores": Schema(
        "score_resampling",
        ("variant", "classifier", "seed"),
        (
            Column("variant", TEXT, "none, smote, tomek, both; guided_: the draw of least capacity"),
            Column("classifier", TEXT, "that was trained on it"),
            Column("rare", TEXT, "class"),
            Column("seed", INTEGER, "of the draw of the training samples, shared by all variants"),
            Column("train_samples", INTEGER, "after resampling"),
            Column("rare_samples", INTEGER, "of them in the rare class"),
            Column("unrounded", REAL, "expected capacity of the training samples, bits"),
            Column("balanced_accuracy", REAL, "mean recall of the classes, on the test split"),
            Column("rare_auprc", REAL, "average precision of the rare class, on the test split"),
        ),
    ),
    "resampling": Schema(
        "tabulate_resampling",
        ("samples", "space", "variant", "classifier", "metric"),
        (
            _SAMPLES,
            _SPACE,
            Column("rare", TEXT, "class"),
            Column("variant", TEXT, "none, smote, tomek, both; guided_: the draw of least capacity"),
            Column("classifier", TEXT, "that was trained on it"),
            Column("metric", TEXT, "balanced_accuracy or rare_auprc, on the test split"),
            Column("seeds", INTEGER, "draws of the training samples"),
            Column("train_samples", REAL, "after resampling, mean"),
            Column("rare_samples", REAL, "of them in the rare class, mean"),
            Column("unrounded", REAL, "expected capacity, bits, mean"),
            Column("value", REAL, "mean over the seeds"),
            Column("low", REAL, "its interval (Student's, over the seeds)"),
            Column("high", REAL, "its interval"),
            Column("gain", REAL, "over none, mean of the pairs", optional=True),
            Column("gain_low", REAL, "its interval", optional=True),
            Column("gain_high", REAL, "its interval", optional=True),
            Column("verdict", TEXT, "helps, harms or no clear difference", optional=True),
            Column("guided_gain", REAL, "of the guided choice over the plain draw of the method", optional=True),
            Column("guided_gain_low", REAL, "its interval", optional=True),
            Column("guided_gain_high", REAL, "its interval", optional=True),
            Column("guided_verdict", TEXT, "helps, harms or no clear difference", optional=True),
        ),
    ),
    "scaled_networks": Schema(
        "train_scaled_network",
        ("family", "share", "seed"),
        (
            _FAMILY,
            _SHARE,
            _SEED,
            _TARGET,
            Column("capacity", INTEGER, "bits that it holds"),
            Column("width", REAL, "multiplier of the family's channels"),
            Column("parameters", INTEGER, "of the network"),
            Column("train_accuracy", REAL, "on the train split"),
            Column("accuracy", REAL, "on the test split"),
            Column("test_samples", INTEGER, "in it"),
        ),
    ),
    "scaled_history": Schema(
        "train_scaled_network",
        ("epoch",),
        (
            Column("epoch", INTEGER, "from 1"),
            Column("loss", REAL, "cross-entropy of the training samples, as they were trained on"),
            Column("accuracy", REAL, "of the training samples, as they were trained on"),
        ),
    ),
    "attacks": Schema(
        "attack_network",
        ("family", "share", "seed", "attack", "sample"),
        (
            _FAMILY,
            _SHARE,
            _SEED,
            _ATTACK,
            _UNIT,
            Column("sample", INTEGER, "test sample that the network gets right"),
            Column("label", INTEGER, "its class"),
            Column("classified", INTEGER, "what the network says after the attack"),
            Column("success", TRUTH, "whether that is another class"),
            Column("size", REAL, "pixels changed, or the largest change; the whole picture where it failed"),
            Column("queries", INTEGER, "how often the network looked at the picture"),
        ),
    ),
    "attacked_pictures": Schema(
        "attack_network",
        ("family", "share", "seed", "attack", "sample"),
        (
            _FAMILY,
            _SHARE,
            _SEED,
            _ATTACK,
            Column("sample", INTEGER, "test sample"),
            Column("values", VECTOR, "the picture after the attack, 0 to 1, channel by channel, by rows"),
        ),
    ),
    "robustness_networks": Schema(
        "tabulate_robustness",
        ("samples", "family", "share", "seed", "attack"),
        (
            _SAMPLES,
            _FAMILY,
            _SHARE,
            _SEED,
            _ATTACK,
            _UNIT,
            _TARGET,
            Column("capacity", INTEGER, "bits that it holds"),
            Column("accuracy", REAL, "on the test split"),
            Column("images", INTEGER, "attacked: chosen test samples that it gets right"),
            Column("rho", REAL, "median size; failures count as the whole picture"),
            Column("failures", REAL, "share of the attacked images"),
            Column("common_images", INTEGER, "of them, that all networks of the family get right"),
            Column("common_rho", REAL, "median size over these", optional=True),
            Column("queries", REAL, "mean number of looks at an image"),
        ),
    ),
    "robustness": Schema(
        "tabulate_robustness",
        ("samples", "family", "attack", "share"),
        (
            _SAMPLES,
            _FAMILY,
            _ATTACK,
            _SHARE,
            _UNIT,
            _TARGET,
            Column("capacity", REAL, "bits, mean"),
            Column("seeds", INTEGER, "networks"),
            Column("accuracy", REAL, "on the test split, mean"),
            Column("accuracy_low", REAL, "its interval (Student's, over the networks)"),
            Column("accuracy_high", REAL, "its interval"),
            Column("rho", REAL, "median size, mean over the networks"),
            Column("rho_low", REAL, "its interval"),
            Column("rho_high", REAL, "its interval"),
            Column("common_rho", REAL, "the same over images that all networks of the family get right", optional=True),
            Column("common_rho_low", REAL, "its interval", optional=True),
            Column("common_rho_high", REAL, "its interval", optional=True),
            Column("images", REAL, "attacked, mean"),
            Column("common_images", REAL, "of them, that all networks of the family get right, mean"),
            Column("failures", REAL, "share of the attacked images, mean"),
            Column("queries", REAL, "looks at an image, mean"),
        ),
    ),
    "robustness_trends": Schema(
        "tabulate_robustness",
        ("samples", "family", "attack", "over"),
        (
            _SAMPLES,
            _FAMILY,
            _ATTACK,
            _UNIT,
            Column("over", TEXT, "all networks, or accurate: of capacities that classify about as well as the best"),
            Column("networks", INTEGER, "compared"),
            Column("smallest", INTEGER, "capacity, bits"),
            Column("largest", INTEGER, "capacity, bits"),
            Column("correlation", REAL, "of the median size with capacity, Spearman's"),
            Column("p", REAL, "by permutation, two-sided"),
            Column(
                "verdict", TEXT, "smaller is more robust, larger is more robust, no clear trend or too few networks"
            ),
        ),
    ),
    "capacity_search": Schema(
        "search_capacity",
        ("step",),
        (
            Column("step", INTEGER, "of the binary search, from 0"),
            _TARGET,
            Column("capacity", REAL, "bits of the networks; none where no network has the target", optional=True),
            Column("rho", REAL, "median size, mean over the networks", optional=True),
            Column("accuracy", REAL, "on the test split, mean over the networks", optional=True),
            Column("better", TRUTH, "than the best so far: larger rho, at little loss of accuracy"),
            Column("low", INTEGER, "bits between which the search goes on after it"),
            Column("high", INTEGER, "bits between which the search goes on after it"),
            Column("chosen", TRUTH, "whether it is the search's answer"),
            Column("note", TEXT, "why there is no such network; empty where there is"),
        ),
    ),
}
