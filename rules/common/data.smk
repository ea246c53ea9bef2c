# Helpers of the data room: where datasets, vocabularies and networks come from. No rules.


def vector_settings(wildcards):
    """How a file of vectors is read; where it was downloaded from does not matter for that."""
    vocabulary = config["vocabularies"][wildcards.vocabulary]
    return {key: value for key, value in vocabulary.items() if key not in ("mirror", "verify")}


def vectors_of(wildcards):
    """Where a vocabulary's vectors come from: a local file, or what the rule of its source makes or downloads."""
    vocabulary = config["vocabularies"][wildcards.vocabulary]
    if vocabulary.get("file") is not None:
        return given(vocabulary["file"])
    brought = {"captions": rules.train_word_vectors.output.vectors, "glove": rules.download_glove.output.archive}
    return brought[vocabulary["source"]]


# The layers that the study reads, in one file.
CHECKED = "results/data/networks/checked_layers.csv"
ASKED_PROBES = configuration.asked_probes(config)
# Networks whose weights come from elsewhere: all but those that the workflow trains or sets by hand.
FETCHED_NETWORKS = ("torchvision", "checkpoint", "factory", "timm", "huggingface", "onnx", "caffe")


def network_settings(wildcards):
    """How a network is built; of a function in a module, with a digest of what the module holds."""
    network = config["networks"][wildcards.network]
    holds = provenance.factory_module(network["factory"]) if "factory" in network else None
    return {**network, "definition": holds} if holds else network


def network_files(wildcards):
    """Local files that a network is made of, so that changing one reruns what uses it."""
    return files_of_network(config["networks"][wildcards.network])


def files_of_network(network):
    """Local files of an entry of `networks`: weights, descriptions, and what makes it."""
    made_by = provenance.factory_file(network["factory"]) if "factory" in network else None
    named = [network.get(key) for key in ("file", "prototxt", "caffemodel")]
    held = sorted(Path(network["model"]).glob("*")) if "model" in network else []
    return given([file for file in (*named, made_by, *(str(each) for each in held if each.is_file())) if file])


def files_of_checked_networks():
    """Local files of the networks whose layers the study reads, each once."""
    names = dict.fromkeys(config["probes"][probe]["network"] for probe in ASKED_PROBES)
    return list(dict.fromkeys(file for name in names for file in files_of_network(config["networks"][name])))


def passes_of(probes):
    """Probes that are read in one pass, by the name they have together: how, and the datasets that it is shown."""
    passes = {}
    for probe in probes:
        passes.setdefault(probe.partition(".")[0], []).append(probe)
    shown = {
        name: dict.fromkeys(entry["dataset"] for entry in EXPLANATIONS if entry["probe"] in passes[name])
        for name in passes
    }
    return {
        name: {
            "probes": passes[name],
            "activations": activations_of(passes[name][0]),
            "datasets": list(shown[name]),
        }
        for name in passes
    }


def telling_of(probes):
    """What tells how many pictures there are in each of the datasets that these probes are shown."""
    names = dict.fromkeys(entry["dataset"] for entry in EXPLANATIONS if entry["probe"] in probes)
    entries = {name: config["datasets"][name] for name in names}
    return {name: {key: each[key] for key in counting.TELLING if key in each} for name, each in entries.items()}


def vocabulary_of(wildcards):
    """The vocabulary that the dataset's categories need a vector in."""
    name = config["datasets"][wildcards.dataset]["vocabulary"]
    return f"results/data/vocabularies/{name}/vocabulary.parquet"


# Keys of an entry of `datasets` that say where its files come from, or that its reader gets by itself.
DATASET_PLACES = ("source", "folder", "mirror", "verify", "reference", "max_bad_fraction")


def dataset_source(wildcards):
    """What a dataset is a kind of."""
    return config["datasets"][wildcards.dataset]["source"]


def reader_code(wildcards):
    """Digest of what reads the dataset: an edited reader reruns its own datasets, and no others."""
    return code("data/datasets/prepare_dataset.py", SOURCES[dataset_source(wildcards)].module)


def reader_settings(wildcards):
    """What an entry of `datasets` says about reading it."""
    dataset = config["datasets"][wildcards.dataset]
    return {key: value for key, value in dataset.items() if key not in DATASET_PLACES}


def readable(annotated):
    """Wildcard pattern of the datasets whose source has a reader, with or without masks, but for COCO's own rule."""
    kinds = [name for name, each in SOURCES.items() if each.reader and each.annotated == annotated and name != "coco"]
    return sources("datasets", *kinds)


def visual_genome_settings(wildcards):
    """How objects become annotations; where they were downloaded from does not matter for that."""
    dataset = config["datasets"][wildcards.dataset]
    return {key: value for key, value in dataset.items() if key not in ("mirrors", "verify", "lock", "compare_with")}


def mirrors_of(archive):
    """Where an archive of Visual Genome is downloaded from."""
    return lambda wildcards: config["datasets"][wildcards.dataset]["mirrors"][archive]


def other_categories(wildcards):
    """Somebody else's list of categories."""
    return given(config["datasets"][wildcards.dataset]["compare_with"])


def compared():
    """The comparisons of categories that the config asks for."""
    asked = [name for name, entry in config["datasets"].items() if entry.get("compare_with")]
    return expand("results/data/{dataset}/category_comparison.csv", dataset=asked)


def bad_fraction(wildcards):
    """Share of the dataset's images that may be unusable."""
    return config["datasets"][wildcards.dataset]["max_bad_fraction"]


# Keys of an entry of `samples` that say where its files come from, not what becomes of them.
SAMPLE_PLACES = ("folder", "file", "mirrors", "verify")


def samples_settings(wildcards):
    """What an entry of `samples` says, besides where its files come from."""
    entry = config["samples"][wildcards.samples]
    return {
        key: value
        for key, value in entry.items()
        if key not in SAMPLE_PLACES and (entry["source"], key) not in {("objects", "source"), ("objects", "dataset")}
    }


def samples_source(wildcards):
    """The file or folder that samples are read from: local, or downloaded; nothing for generated and packaged ones."""
    entry = config["samples"][wildcards.samples]
    if "file" in entry:
        return {"source": given(entry["file"])}
    if "folder" in entry:
        return {"source": given(entry["folder"]) or f"results/data/samples/{wildcards.samples}/downloads"}
    return {}


def samples_listing(wildcards):
    """Digest of names, sizes and times in a local folder of samples."""
    folder = config["samples"][wildcards.samples].get("folder")
    return provenance.listing(folder) if folder else None


def samples_download(wildcards):
    """What is downloaded for samples, and from where."""
    entry = config["samples"][wildcards.samples]
    return {key: entry[key] for key in ("source", "mirrors", "verify", "dataset", "arguments") if key in entry}


def samples_table(wildcards, table):
    """A table of the dataset whose objects are the samples."""
    return f"results/data/{config['samples'][wildcards.samples]['dataset']}/{table}.parquet"


def samples_memory(wildcards):
    """MB for a job that holds all samples, twice while they are joined: most for pictures of unknown number."""
    sources = {"cifar10": 8000, "objects": 8000, "arrays": 16000, "folder": 48000, "torchvision": 48000}
    return sources.get(config["samples"][wildcards.samples]["source"], 1500)
