# Helpers of the data room: where datasets, vocabularies and networks come from. No rules.


def vector_settings(wildcards):
    """How a file of vectors is read; where it was downloaded from does not matter for that."""
    vocabulary = config["vocabularies"][wildcards.vocabulary]
    return {key: value for key, value in vocabulary.items() if key not in ("mirror", "verify")}


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


def bad_fraction(wildcards):
    """Share of the dataset's images that may be unusable."""
    return config["datasets"][wildcards.dataset]["max_bad_fraction"]
