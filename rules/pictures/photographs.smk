# Photographs: their strongest filters, and what is left of them when parts are covered.


rule find_strongest_filters:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        weights=weights_of,
    output:
        table="results/pictures/{dataset}/{probe}/strongest_filters.parquet",
        csv="results/pictures/{dataset}/{probe}/strongest_filters.csv",
    log:
        "results/logs/find_strongest_filters/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/find_strongest_filters/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=4),
        runtime="30m",
    params:
        code=code("pictures/photographs/find_strongest_filters.py"),
        probe=probe_settings,
        entry=lambda wildcards: entry_of("strongest_filters", wildcards),
        strongest=config["strongest"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Finding the strongest filters of {wildcards.probe} for photographs of {wildcards.dataset}"
    script:
        "../../workflow_scripts/pictures/photographs/find_strongest_filters.py"


rule render_strongest_filters:
    input:
        table=rules.find_strongest_filters.output.table,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
        names=names_of,
    output:
        figures=report(
            directory("results/pictures/{dataset}/{probe}/strongest_filters"),
            patterns=["image_{image}.png"],
            caption="../captions/strongest.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "strongest filters of image {image}"},
        ),
    log:
        "results/logs/render_strongest_filters/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_strongest_filters/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="10m",
    params:
        code=code("pictures/photographs/render_strongest_filters.py"),
        inputs=inputs_of,
    message:
        "Drawing the strongest filters of {wildcards.probe} for photographs of {wildcards.dataset}"
    script:
        "../../workflow_scripts/pictures/photographs/render_strongest_filters.py"


rule measure_occlusion:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        annotations=annotations_of,
        weights=weights_of,
    output:
        table="results/pictures/{dataset}/{probe}/occlusions.parquet",
        csv="results/pictures/{dataset}/{probe}/occlusions.csv",
        text="results/pictures/{dataset}/{probe}/occlusions.md",
        importances="results/pictures/{dataset}/{probe}/importances.parquet",
        covered=directory("results/pictures/{dataset}/{probe}/covered"),
    log:
        "results/logs/measure_occlusion/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/measure_occlusion/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=4),
        runtime="4h",
    params:
        code=code("pictures/photographs/measure_occlusion.py"),
        probe=probe_settings,
        entry=lambda wildcards: entry_of("occlusions", wildcards),
        occlusion=config["occlusion"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Covering parts of photographs of {wildcards.dataset} before {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/photographs/measure_occlusion.py"


rule render_occlusion:
    input:
        table=rules.measure_occlusion.output.table,
        importances=rules.measure_occlusion.output.importances,
        covered=rules.measure_occlusion.output.covered,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
    output:
        figures=report(
            directory("results/pictures/{dataset}/{probe}/occlusions"),
            patterns=["image_{image}.png"],
            caption="../captions/occlusion.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "covered parts of image {image}"},
        ),
    log:
        "results/logs/render_occlusion/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_occlusion/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="10m",
    params:
        code=code("pictures/photographs/render_occlusion.py"),
        inputs=inputs_of,
    message:
        "Drawing the covered parts of photographs of {wildcards.dataset} before {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/photographs/render_occlusion.py"
