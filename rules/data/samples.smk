# Labelled samples: vectors or pictures with a class each, for the rooms that judge data and training.
#
# Inputs:  generated or packaged sets, downloads, the user's own arrays and class folders, a dataset's objects
# Outputs: results/data/samples/{samples}/: samples.parquet, repeats.*
# Steps:   download, prepare


rule samples:
    """All labelled samples of the config, whether another room asks for them or not."""
    input:
        expand("results/data/samples/{samples}/samples.parquet", samples=config["samples"]),


# As all downloads it does not depend on the code: checksums fix what it gives.
rule download_samples:
    output:
        folder=directory("results/data/samples/{samples}/downloads"),
    wildcard_constraints:
        samples=sources("samples", "mnist", "fashion_mnist", "cifar10", "torchvision"),
    log:
        "results/logs/download_samples/{samples}.log",
    benchmark:
        "results/benchmarks/download_samples/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="4h",
    params:
        download=samples_download,
    retries: 2
    message:
        "Downloading the files of {wildcards.samples}"
    script:
        "../../workflow_scripts/data/samples/download_samples.py"


rule prepare_samples:
    input:
        unpack(samples_source),
    output:
        samples="results/data/samples/{samples}/samples.parquet",
        rejected="results/data/samples/{samples}/rejected.parquet",
        repeats="results/data/samples/{samples}/repeats.parquet",
        repeats_csv="results/data/samples/{samples}/repeats.csv",
    wildcard_constraints:
        samples=other_sources("samples", "objects"),
    log:
        "results/logs/prepare_samples/{samples}.log",
    benchmark:
        "results/benchmarks/prepare_samples/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=samples_memory,
        runtime="4h",
    params:
        code=code("data/samples/prepare_samples.py"),
        samples=samples_settings,
        listing=samples_listing,
        seed=config["seed"],
    message:
        "Preparing the labelled samples {wildcards.samples}"
    script:
        "../../workflow_scripts/data/samples/prepare_samples.py"


rule prepare_object_samples:
    input:
        images=lambda wildcards: samples_table(wildcards, "images"),
        annotations=lambda wildcards: samples_table(wildcards, "annotations"),
        pictures=lambda wildcards: pictures(config["samples"][wildcards.samples]["dataset"]),
    output:
        samples="results/data/samples/{samples}/samples.parquet",
        repeats="results/data/samples/{samples}/repeats.parquet",
        repeats_csv="results/data/samples/{samples}/repeats.csv",
    wildcard_constraints:
        samples=sources("samples", "objects"),
    log:
        "results/logs/prepare_object_samples/{samples}.log",
    benchmark:
        "results/benchmarks/prepare_object_samples/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1400, times=40),
        runtime="4h",
    params:
        code=code("data/samples/prepare_object_samples.py"),
        samples=samples_settings,
        seed=config["seed"],
    message:
        "Cutting out the labelled objects of {wildcards.samples}"
    script:
        "../../workflow_scripts/data/samples/prepare_object_samples.py"
