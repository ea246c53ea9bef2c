# Names are proved: the named objects are laid into pictures that lack them, and taken out of those that have them.


rule measure_causes:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
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
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(2000, times=4),
        runtime=minutes(30, thousand=2),
    params:
        code=code("words/proofs/measure_causes.py"),
        probe=probe_settings,
        activations=activation_settings,
        proofs=only("proofs", "objects", "controls", "fewest", "places", "sizes", "smallest"),
        scores=only("scores", "bootstrap", "confidence", "false_discoveries"),
        split=split_of,
        seed=config["seed"],
    message:
        "Measuring whether the filters of {wildcards.probe} answer to what they are named after on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/proofs/measure_causes.py"
