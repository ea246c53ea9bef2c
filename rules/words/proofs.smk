# Names are proved: the named objects are laid into pictures that lack them, and taken out of those that have them.


rule extract_answers:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        weights=weights_of,
    output:
        answers=["results/activations/{dataset}/{probe}/answers.parquet"],
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
        probe=either(map(re.escape, SINGLE)),
    log:
        "results/logs/extract_answers/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/extract_answers/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        "proving"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1900, times=6),
        runtime=minutes(30, thousand=5),
    params:
        code=code("words/proofs/extract_answers.py"),
        probes=single_probe,
        activations=activation_settings,
        proofs=only("proofs", "objects", "controls", "fewest", "places", "sizes", "smallest"),
        split=split_of,
        seed=config["seed"],
    message:
        "Showing {wildcards.probe} objects of {wildcards.dataset} laid into pictures and taken out of their own"
    script:
        "../../workflow_scripts/words/proofs/extract_answers.py"


for group in GROUPS:

    rule:
        name:
            f"extract_answers_{group}"
        input:
            images="results/data/{dataset}/images.parquet",
            pictures=folder_of,
            image_activations=[
                gather.images(path)
                for path in group_folders(
                    group, "results/activations/{{dataset}}/PROBE/shards/{scatteritem}/images.parquet"
                )
            ],
            annotations="results/data/{dataset}/annotations.parquet",
            categories="results/data/{dataset}/categories.parquet",
            weights=weights_of_group(group),
        output:
            answers=group_folders(group, "results/activations/{dataset}/PROBE/answers.parquet"),
        wildcard_constraints:
            dataset="|".join(ANNOTATED),
        log:
            f"results/logs/extract_answers/{{dataset}}/{group}.log",
        benchmark:
            f"results/benchmarks/extract_answers/{{dataset}}/{group}.tsv"
        conda:
            "../../envs/filterscope.yaml"
        priority: 1
        threads: config["threads"]
        resources:
            gpu=gpu,
            mem_mb=memory(1900, times=6),
            runtime=minutes(30, thousand=5),
        params:
            code=code("words/proofs/extract_answers.py"),
            probes=settings_of_group(group),
            activations=activations_of(GROUPS[group][0]),
            proofs=only("proofs", "objects", "controls", "fewest", "places", "sizes", "smallest"),
            split=split_of,
            seed=config["seed"],
        message:
            f"Showing {group}, all its layers, objects of {{wildcards.dataset}} laid into pictures and taken out of their own"
        script:
            "../../workflow_scripts/words/proofs/extract_answers.py"


rule measure_causes:
    input:
        images="results/data/{dataset}/images.parquet",
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        answers="results/activations/{dataset}/{probe}/answers.parquet",
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        claims="results/words/{dataset}/{probe}/{vocabulary}/filter_claims.parquet",
    output:
        table="results/words/{dataset}/{probe}/{vocabulary}/filter_causes.parquet",
        csv="results/words/{dataset}/{probe}/{vocabulary}/filter_causes.csv",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/measure_causes/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/measure_causes/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        "proving"
    threads: config["threads"]
    resources:
        mem_mb=memory(1400, times=4),
        runtime=minutes(30),
    params:
        code=code("words/proofs/measure_causes.py"),
        proofs=only("proofs", "objects", "controls", "fewest", "places", "sizes", "smallest"),
        scores=only("scores", "bootstrap", "confidence", "false_discoveries"),
        split=split_of,
        seed=config["seed"],
    message:
        "Measuring whether the filters of {wildcards.probe} answer to what they are named after on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/proofs/measure_causes.py"
