# Helpers of the words room: explanations, their explainers and their results. No rules.

# What the words room steers itself, by `training.learning_rate`.
EXPLAINER_SCHEDULES = ("constant", "cosine")

# Layers of the embedded networks whose filters have a known name, by source.
KNOWN_LAYERS = {"planted": "detectors", "scenes_cnn": "classifier"}


def reference(wildcards):
    """The annotated dataset whose explainer explains this dataset: itself, or a folder's reference."""
    return config["datasets"][wildcards.dataset].get("reference", wildcards.dataset)


def split_of(wildcards):
    """Which images are mined: the configured split; all of a plain folder's."""
    everything = wildcards.dataset not in ANNOTATED or config["faithful"]["training_images"]
    return "all" if everything else config["words"]["split"]


def explainer_training():
    """How explainers are trained; a schedule of the temperature room is there with all that it is set to."""
    training = config["training"]
    if training["schedule"] in EXPLAINER_SCHEDULES:
        return training
    return {**training, "schedule": "constant", "steering": steering_by(training["schedule"])}


def training_memory(wildcards):
    """MB for the pooled activations of the largest datasets, twice: some 16 GB, or 32 GB of whole maps."""
    return 80000 if pooling(wildcards.probe) == "native" else 40000


def words_of(entry, file):
    """A result of the words room for one entry of `explanations`."""
    return f"results/words/{entry['dataset']}/{entry['probe']}/{entry['vocabulary']}/{file}"


def reference_categories(wildcards):
    """Categories of the annotated dataset that the explainer learnt from."""
    return f"results/data/{reference(wildcards)}/categories.parquet"


def reference_explainer(wildcards):
    """The explainer trained on the annotated dataset."""
    return f"results/words/{reference(wildcards)}/{wildcards.probe}/{wildcards.vocabulary}/explainer.pt"


def claims_of(wildcards):
    """What supports the filters' names, where there are masks to tell."""
    folder = f"results/words/{wildcards.dataset}/{wildcards.probe}/{wildcards.vocabulary}"
    return f"{folder}/filter_claims.parquet" if wildcards.dataset in ANNOTATED else []


def causes_of(wildcards):
    """Whether the named objects excite the filters, where there are masks to cut them out by."""
    folder = f"results/words/{wildcards.dataset}/{wildcards.probe}/{wildcards.vocabulary}"
    return f"{folder}/filter_causes.parquet" if wildcards.dataset in ANNOTATED else []


def has_known_answers(entry):
    """Whether the right names of the probe's filters are known, and masks are there to compare them with."""
    probe = config["probes"][entry["probe"]]
    return (
        entry["dataset"] in ANNOTATED
        and KNOWN_LAYERS.get(config["networks"][probe["network"]]["source"]) == probe["layer"]
    )


def known_words_of(wildcards):
    """The right names of the probe's filters."""
    return f"results/data/networks/{config['probes'][wildcards.probe]['network']}/known_words.parquet"


def heading(entry):
    """Heading of an explanation in the summary."""
    return f"{entry['probe']} on {entry['dataset']}, in words of {entry['vocabulary']}"


def summarised(entry):
    """Words, claims, scores, known answers, sanity tests and causes of an explanation; None for what cannot be had."""
    annotated = entry["dataset"] in ANNOTATED
    return [
        words_of(entry, "filter_words.parquet"),
        words_of(entry, "filter_claims.parquet") if annotated else None,
        words_of(entry, "scores.parquet") if annotated else None,
        words_of(entry, "known_answers.parquet") if has_known_answers(entry) else None,
        words_of(entry, "sanity.parquet") if annotated else None,
        words_of(entry, "filter_causes.parquet") if annotated else None,
    ]
