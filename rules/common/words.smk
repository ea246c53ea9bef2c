# Helpers of the words room: explanations, their explainers and their results. No rules.
from configuration.report import sheet_label

# What the words room steers itself, by `training.learning_rate`.
EXPLAINER_SCHEDULES = ("constant", "cosine")

# Keys of `words` that say what is learnt of filters from training images.
EVIDENCE = ("top_images", "top_share", "shrinkage", "contrast", "pseudo")

# What the training of an explainer leaves, and that of its null, by output.
EXPLAINER = {
    "weights": "results/words/{dataset}/{probe}/{vocabulary}/explainer.pt",
    "history": "results/words/{dataset}/{probe}/{vocabulary}/history.parquet",
    "csv": "results/words/{dataset}/{probe}/{vocabulary}/history.csv",
    "temperatures": "results/words/{dataset}/{probe}/{vocabulary}/temperatures.parquet",
}
NULL_EXPLAINER = {f"null_{name}": path.replace("{vocabulary}", "{vocabulary}/null") for name, path in EXPLAINER.items()}

# Layers of the embedded networks whose filters have a known name, by source.
KNOWN_LAYERS = {"planted": "detectors", **dict.fromkeys(TRAINED, "classifier")}


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


def words_of(entry, file):
    """A result of the words room for one entry of `explanations`."""
    return f"results/words/{entry['dataset']}/{entry['probe']}/{entry['vocabulary']}/{file}"


def reference_categories(wildcards):
    """Categories of the annotated dataset that the explainer learnt from."""
    return f"results/data/{reference(wildcards)}/categories.parquet"


def reference_names(wildcards):
    """Names by the reference dataset's masks for photographs without, where the study asks for both."""
    entry = {**wildcards, "dataset": reference(wildcards)}
    asked = wildcards.dataset not in ANNOTATED and any(
        all(each[name] == entry[name] for name in ("dataset", "probe", "vocabulary")) for each in EXPLANATIONS
    )
    return words_of(entry, "filter_names.parquet") if asked else []


def reference_evidence(wildcards):
    """What the annotated dataset's training images say of the filters."""
    return f"results/activations/{reference(wildcards)}/{wildcards.probe}/evidence.parquet"


def in_memory_words():
    """Keys of `words` by which variants are explained that are measured and not kept."""
    return only("words", "split", "voting", "weighting", "method", "per_image", "evidence", "novelty", *EVIDENCE)


def reference_explainer(wildcards):
    """The explainer trained on the annotated dataset."""
    return f"results/words/{reference(wildcards)}/{wildcards.probe}/{wildcards.vocabulary}/explainer.pt"


def claims_of(wildcards):
    """What supports the filters' names, where there are masks to tell."""
    folder = f"results/words/{wildcards.dataset}/{wildcards.probe}/{wildcards.vocabulary}"
    return f"{folder}/filter_claims.parquet" if wildcards.dataset in ANNOTATED else []


def clip_of(wildcards):
    """The CLIP model that is a rival in an explanation; None where there is none."""
    named = [
        entry["clip"]
        for entry in EXPLANATIONS
        if all(entry[key] == wildcards[key] for key in ("dataset", "probe", "vocabulary"))
    ]
    return named[0] if named else None


def clip_words_of(wildcards):
    """CLIP-Dissect's words, where it is a rival."""
    folder = f"results/words/{wildcards.dataset}/{wildcards.probe}/{wildcards.vocabulary}"
    return f"{folder}/clip_words.parquet" if clip_of(wildcards) else []


def clip_file(pattern):
    """A file of the CLIP model that is a rival in a rule's explanation."""
    return lambda wildcards: f"results/data/clips/{clip_of(wildcards)}/{pattern.format(**wildcards)}"


def clip_settings(*left_out):
    """What an entry of `clips` says, without these keys."""
    return lambda wildcards: {
        key: value for key, value in config["clips"][wildcards.clip].items() if key not in left_out
    }


def clip_environment(wildcards):
    """The environment in which a CLIP model runs: open_clip's need that package."""
    needs = config["clips"][wildcards.clip]["source"] == "open_clip"
    return f"../../envs/{'clip' if needs else 'filterscope'}.yaml"


def scenes_of_clip(table):
    """A table or the pictures of the scenes that a CLIP model learns from."""
    return lambda wildcards: f"results/data/{config['clips'][wildcards.clip]['dataset']}/{table}"


def clip_checkpoint(wildcards):
    """The local file of a CLIP model's weights, if it has one."""
    return given(config["clips"][wildcards.clip]["file"])


def causes_of(wildcards):
    """Whether the named objects excite the filters, where there are masks to cut them out by."""
    folder = f"results/words/{wildcards.dataset}/{wildcards.probe}/{wildcards.vocabulary}"
    return f"{folder}/filter_causes.parquet" if wildcards.dataset in ANNOTATED else []


def labels_of_sheet(wildcards):
    """What Snakemake's report calls a filter's sheet: its number, name and status. Asked only when a report is made."""
    if wildcards["name"] == "filters":  # the page of all that have a sheet; brackets come before digits
        return {"filter": "(all, with pictures)"}
    entry = {key: wildcards[key] for key in ("dataset", "probe", "vocabulary")}
    names = words_of(entry, "filter_names.parquet")
    if not Path(names).is_file():  # results are in a bucket, or below a module's prefix
        return {"filter": wildcards["name"]}
    return {"filter": sheet_label(names, int(wildcards["name"]))}


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


def explained_groups():
    """Dataset, group and vocabulary of the groups whose every layer is explained, as often as there are."""
    asked = {(entry["dataset"], entry["probe"], entry["vocabulary"]) for entry in EXPLANATIONS}
    return [
        {"dataset": dataset, "group": group, "vocabulary": vocabulary}
        for group, probes in GROUPS.items()
        for dataset, vocabulary in sorted({(each[0], each[2]) for each in asked if each[1] == probes[0]})
        if all((dataset, probe, vocabulary) in asked for probe in probes)
    ]


def of_layers(file, masks=False):
    """A result of the words room for every layer of a rule's group; none without masks, where these are needed."""

    def files(wildcards):
        if masks and wildcards.dataset not in ANNOTATED:
            return []
        entries = ({**wildcards, "probe": probe} for probe in GROUPS[wildcards.group])
        return [words_of(entry, file) for entry in entries]

    return files


def heading(entry):
    """Heading of an explanation in the summary."""
    return f"{entry['probe']} on {entry['dataset']}, in words of {entry['vocabulary']}"


def remarked(entry):
    """Thresholds, top images and names of an explanation, by table."""
    folder = f"results/activations/{entry['dataset']}/{entry['probe']}"
    own = {name: f"{folder}/{name}.parquet" for name in ("thresholds", "top_images")}
    return {**own, "filter_names": words_of(entry, "filter_names.parquet")}


def said_by_image(entry):
    """Words by image of an explanation, and the categories that make words known, by table."""
    categories = f"results/data/{config['datasets'][entry['dataset']].get('reference', entry['dataset'])}"
    return {
        "image_words": words_of(entry, "image_words.parquet"),
        "categories": f"{categories}/categories.parquet",
    }


def summarised(entry):
    """The tables of an explanation that the summary reads, by table; None for what cannot be had."""
    scored = ("filter_claims", "scores", "sanity", "filter_causes")
    annotated = entry["dataset"] in ANNOTATED
    return {
        "filter_words": words_of(entry, "filter_words.parquet"),
        **{name: words_of(entry, f"{name}.parquet") if annotated else None for name in scored},
        "known_answers": words_of(entry, "known_answers.parquet") if has_known_answers(entry) else None,
        **remarked(entry),
        **said_by_image(entry),
    }
