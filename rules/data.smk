# The data room: datasets, vocabularies and networks come in.
#
# Inputs:  pictures with annotations (generated, downloaded or local), word vectors, networks' weights
# Outputs: results/data/{dataset}/*.parquet, results/data/vocabularies/{vocabulary}/vocabulary.parquet,
#          results/data/networks/{network}/weights.pt, results/data/samples/{samples}/samples.parquet
# Steps:   download, unpack, prepare; train or plant the networks of the embedded study


rule data:
    """Everything that the explanations need from outside."""
    input:
        CHECKED if ASKED_PROBES else [],
        expand("results/data/{dataset}/images.parquet", dataset={entry["dataset"] for entry in EXPLANATIONS}),
        expand(
            "results/data/vocabularies/{vocabulary}/vocabulary.parquet",
            vocabulary={entry["vocabulary"] for entry in EXPLANATIONS},
        ),
        expand(
            "results/data/networks/{network}/weights.pt",
            network={config["probes"][entry["probe"]]["network"] for entry in EXPLANATIONS},
        ),
        expand("results/data/{dataset}/repeats.csv", dataset={entry["dataset"] for entry in EXPLANATIONS}),
        compared(),


include: "data/datasets.smk"
include: "data/vocabularies.smk"
include: "data/networks.smk"
include: "data/samples.smk"
