# Names that every room shares: wildcard constraints and a few helpers. No rules.
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

import configuration
from filterscope import provenance
from snakemake.exceptions import WorkflowError

configuration.share_library(SCRIPTS)
configuration.yield_idle_cores()
configuration.check(config, Path(workflow.basedir) / "rules" / "config.schema.yaml")

EXPLANATIONS = config["explanations"]
ANNOTATED = [name for name, entry in config["datasets"].items() if entry["source"] != "folder"]


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    vocabulary="|".join(config["vocabularies"]),
    network="|".join(config["networks"]),
    probe="|".join(config["probes"]),
    recipe="|".join(config["recipes"]),
    scatteritem=r"\d+-of-\d+",


scattergather:
    images=config["shards"],


def code(script):
    """Digest of a script and of the library modules that it imports."""
    return provenance.digest(SCRIPTS / script)


def only(section, *keys):
    """Just these keys of a section: a rule reruns when one that it reads changes, not when another does."""
    return {key: config[section][key] for key in keys}


def has_boxes(dataset):
    """Whether the masks of the dataset are boxes."""
    return config["datasets"][dataset]["source"] == "visual_genome"


def extraction_defects(wildcards):
    """The switched-on defects of the reference that concern how it looked at this dataset."""
    switches = only(
        "faithful", "mask_scale", "empty_masks", "random_crops", "transposed_boxes", "lower_tail", "unpooled"
    )
    return {**switches, "transposed_boxes": switches["transposed_boxes"] and has_boxes(wildcards.dataset)}


def sources(section, *kinds):
    """Wildcard pattern of the config's entries of these sources; matches nothing where there are none."""
    names = [name for name, entry in config[section].items() if entry["source"] in kinds]
    return "|".join(names) or "none^"


def vector_settings(wildcards):
    """How a file of vectors is read; where it was downloaded from does not matter for that."""
    vocabulary = config["vocabularies"][wildcards.vocabulary]
    return {key: value for key, value in vocabulary.items() if key not in ("mirror", "verify")}


def reference(wildcards):
    """The annotated dataset whose explainer explains this dataset: itself, or a folder's reference."""
    return config["datasets"][wildcards.dataset].get("reference", wildcards.dataset)


def pictures(dataset):
    """Folder that the paths of a dataset's images are relative to."""
    folder = config["datasets"][dataset].get("folder")
    return folder or f"results/data/{dataset}/pictures"


def vectors_of(wildcards):
    """Where a vocabulary's vectors come from: captions, a local file or the download."""
    vocabulary = config["vocabularies"][wildcards.vocabulary]
    if vocabulary["source"] == "captions":
        return rules.train_word_vectors.output.vectors
    return vocabulary["file"] or rules.download_glove.output.archive


def network_settings(wildcards):
    """How a network is built."""
    return config["networks"][wildcards.network]


def network_files(wildcards):
    """Local files that a network is made of, so that changing one reruns what uses it."""
    network = network_settings(wildcards)
    made_by = provenance.factory_file(network["factory"]) if "factory" in network else None
    named = (network.get(key) for key in ("file", "prototxt", "caffemodel"))
    return [file for file in (*named, made_by) if file]


def annotations_of(wildcards):
    """The dataset's annotations, or nothing for a plain folder."""
    return f"results/data/{wildcards.dataset}/annotations.parquet" if wildcards.dataset in ANNOTATED else []


def weights_of(wildcards):
    """Weights of the probe's network."""
    return f"results/data/networks/{config['probes'][wildcards.probe]['network']}/weights.pt"


def folder_of(wildcards):
    """Picture folder of the dataset."""
    return pictures(wildcards.dataset)


def listing_of(wildcards):
    """Digest of names, sizes and times in a local folder: changing a file in it reruns what reads it."""
    folder = config["datasets"][wildcards.dataset].get("folder")
    return provenance.listing(folder) if folder else None


def vocabulary_of(wildcards):
    """The vocabulary that the dataset's categories need a vector in."""
    name = config["datasets"][wildcards.dataset]["vocabulary"]
    return f"results/data/vocabularies/{name}/vocabulary.parquet"


def visual_genome_settings(wildcards):
    """How objects become annotations; where they were downloaded from does not matter for that."""
    dataset = config["datasets"][wildcards.dataset]
    return {key: value for key, value in dataset.items() if key not in ("mirrors", "verify", "lock", "compare_with")}


def mirrors_of(archive):
    """Where an archive of Visual Genome is downloaded from."""
    return lambda wildcards: config["datasets"][wildcards.dataset]["mirrors"][archive]


def other_categories(wildcards):
    """Somebody else's list of categories."""
    return config["datasets"][wildcards.dataset]["compare_with"]


def compared():
    """The comparisons of categories that the config asks for."""
    asked = [name for name, entry in config["datasets"].items() if entry.get("compare_with")]
    return expand("results/data/{dataset}/category_comparison.csv", dataset=asked)


def split_of(wildcards):
    """Which images are mined: the configured split; all of a plain folder's."""
    everything = wildcards.dataset not in ANNOTATED or config["faithful"]["training_images"]
    return "all" if everything else config["words"]["split"]


def bad_fraction(wildcards):
    """Share of the dataset's images that may be unusable."""
    return config["datasets"][wildcards.dataset]["max_bad_fraction"]


def probe_settings(wildcards):
    """Layer and call of a probe, and how its network is built."""
    probe = config["probes"][wildcards.probe]
    network = config["networks"][probe["network"]]
    if "prototxt" in network:  # another stride in it changes no weights, but all that the network says
        network = {**network, "definition": provenance.contents(network["prototxt"])}
    return {"network": network, "layer": probe["layer"], "call": probe["call"]}


def training_memory(wildcards):
    """MB for the pooled activations of the largest datasets, twice: some 16 GB, or 32 GB of whole maps."""
    return 80000 if config["probes"][wildcards.probe]["pool"] == "native" else 40000


def activation_settings(wildcards):
    """How activations are taken; a probe may pool in its own way."""
    return {**config["activations"], "pool": config["probes"][wildcards.probe]["pool"]}


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


# Layers of the embedded networks whose filters have a known name, by source.
KNOWN_LAYERS = {"planted": "detectors", "scenes_cnn": "classifier"}


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
    """Words, claims, scores, known answers and sanity tests of an explanation; None for what cannot be had."""
    annotated = entry["dataset"] in ANNOTATED
    return [
        words_of(entry, "filter_words.parquet"),
        words_of(entry, "filter_claims.parquet") if annotated else None,
        words_of(entry, "scores.parquet") if annotated else None,
        words_of(entry, "known_answers.parquet") if has_known_answers(entry) else None,
        words_of(entry, "sanity.parquet") if annotated else None,
    ]


def pictures_of(entry, file):
    """A result of the pictures room for one entry of `pictures`, `facets`, `strongest_filters` or `occlusions`."""
    return f"results/pictures/{entry['dataset']}/{entry['probe']}/{file}"


def entry_of(section, wildcards):
    """What an entry of a section asks for, besides the names that its wildcards give."""
    names = dict(wildcards.items())
    for entry in config[section]:
        if all(entry[key] == name for key, name in names.items()):
            return {key: value for key, value in entry.items() if key not in names}
    raise WorkflowError(f"{section} has no entry for {', '.join(names.values())}: add one to the config")


def classes_by(wildcards):
    """What makes an image's class: the main object's shape in scenes, its category elsewhere, a plain folder's folders."""
    return {"scenes": "shape", "folder": "folder"}.get(config["datasets"][wildcards.dataset]["source"], "category")


def grouped(entry):
    """What an entry of `facets` says about grouping; the recipe of the pictures does not matter for that."""
    return {key: value for key, value in entry.items() if key != "recipe"}


def recipes_of(wildcards):
    """Recipes by which pictures of a probe are made beside a dataset, in the order of the config."""
    names = (wildcards.dataset, wildcards.probe)
    return [entry["recipe"] for entry in config["pictures"] if (entry["dataset"], entry["probe"]) == names]


def recipe_tables(wildcards):
    """Tables of the pictures of a probe, one per recipe."""
    return expand(
        "results/pictures/{dataset}/{probe}/{recipe}/pictures.parquet", recipe=recipes_of(wildcards), **wildcards
    )


def recipe_pictures(wildcards):
    """The pictures themselves."""
    return expand("results/pictures/{dataset}/{probe}/{recipe}/pictures", recipe=recipes_of(wildcards), **wildcards)


def explained_in(wildcards):
    """The vocabulary that a probe is explained in on the dataset, the first; None where it is not explained."""
    names = (wildcards.dataset, wildcards.probe)
    found = [entry["vocabulary"] for entry in EXPLANATIONS if (entry["dataset"], entry["probe"]) == names]
    return found[0] if found else None


def names_of(wildcards):
    """Names of a probe's filters, where the probe is explained on the dataset."""
    vocabulary = explained_in(wildcards)
    return words_of({**wildcards, "vocabulary": vocabulary}, "filter_names.parquet") if vocabulary else []


def facet_explainer(wildcards):
    """The explainer that names a probe's facets."""
    return f"results/words/{reference(wildcards)}/{wildcards.probe}/{explained_in(wildcards)}/explainer.pt"


def facet_words_of(wildcards):
    """Words of a probe's facets, where the probe is explained on the dataset."""
    folder = f"results/pictures/{wildcards.dataset}/{wildcards.probe}/facets"
    return f"{folder}/facet_words.parquet" if explained_in(wildcards) else []


def inputs_of(wildcards):
    """How pictures become the input of a probe's network."""
    return config["networks"][config["probes"][wildcards.probe]["network"]]["input"]


# Published values, and what the reproduction makes of them; nothing where the config reproduces nothing.
PUBLISHED = f"{workflow.basedir}/studies/published.csv"
REPRODUCED = ["datasets.csv", "recall.csv", "recall.png", "summary.html"] if config["reproduction"] else []


def reproduced_datasets():
    """By published dataset: this study's name for it, its images, annotations and categories."""
    chosen = (config["reproduction"] or {}).get("datasets", {})
    files = ("images", "annotations", "categories")
    return {
        name: [dataset, *(f"results/data/{dataset}/{file}.parquet" for file in files)]
        for name, dataset in chosen.items()
    }


def reproduced_scores():
    """By experiment and probe: the scores of this study."""
    found = {}
    for entry in (config["reproduction"] or {}).get("recall", []):
        found.setdefault(entry["experiment"], {})[entry["probe"]] = words_of(entry, "scores.parquet")
    return found


def reproduced_defects():
    """By heading: the experiment that the defects' costs are compared with, and their table."""
    experiments = {
        words_of(entry, ""): entry["experiment"] for entry in (config["reproduction"] or {}).get("recall", [])
    }
    return {
        heading(entry): [experiments[words_of(entry, "")], words_of(entry, "defects.parquet")]
        for entry in config["defects"]
        if words_of(entry, "") in experiments
    }
