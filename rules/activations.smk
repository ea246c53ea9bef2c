# The activations room: a network looks at a dataset once.
#
# Inputs:  tables of the data room and a network's weights
# Outputs: results/activations/{dataset}/{probe}/: shards of pooled activations and image maxima,
#          thresholds.parquet, top_images.parquet
# Steps:   extract (scattered over shards), gather thresholds, mine top images


rule activations:
    """Thresholds and top images of every explained probe."""
    input:
        CHECKED if ASKED_PROBES else [],
        [f"results/activations/{entry['dataset']}/{entry['probe']}/thresholds.csv" for entry in EXPLANATIONS],
        [f"results/activations/{entry['dataset']}/{entry['probe']}/top_images.parquet" for entry in EXPLANATIONS],


rule extract_activations:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        annotations=annotations_of,
        weights=weights_of,
    output:
        pooled=["results/activations/{dataset}/{probe}/shards/{scatteritem}/pooled.parquet"],
        images=["results/activations/{dataset}/{probe}/shards/{scatteritem}/images.parquet"],
        tails=["results/activations/{dataset}/{probe}/shards/{scatteritem}/tails.parquet"],
        rejected=["results/activations/{dataset}/{probe}/shards/{scatteritem}/rejected.parquet"],
        maps=["results/activations/{dataset}/{probe}/shards/{scatteritem}/maps.parquet"],
    wildcard_constraints:
        probe=either(map(re.escape, SINGLE)),
    log:
        "results/logs/extract_activations/{dataset}/{probe}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/extract_activations/{dataset}/{probe}/{scatteritem}.tsv"
    conda:
        "../envs/filterscope.yaml"
    priority: 1
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(1900, times=5),
        runtime=minutes(20, thousand=5),
    params:
        code=code("activations/extract_activations.py"),
        probes=single_probe,
        activations=activation_settings,
        faithful=extraction_defects,
        max_bad_fraction=bad_fraction,
        split=split_of,
        kept=config["activations"]["kept"],
        seed=config["seed"],
    message:
        "Extracting the activations of {wildcards.probe} on {wildcards.dataset}, shard {wildcards.scatteritem}"
    script:
        "../workflow_scripts/activations/extract_activations.py"


# A rule for every group: the list of its files hangs on its layers.
for group in GROUPS:

    rule:
        name:
            f"extract_activations_{group}"
        input:
            images="results/data/{dataset}/images.parquet",
            pictures=folder_of,
            annotations=annotations_of,
            weights=weights_of_group(group),
        output:
            pooled=group_folders(group, "results/activations/{dataset}/PROBE/shards/{scatteritem}/pooled.parquet"),
            images=group_folders(group, "results/activations/{dataset}/PROBE/shards/{scatteritem}/images.parquet"),
            tails=group_folders(group, "results/activations/{dataset}/PROBE/shards/{scatteritem}/tails.parquet"),
            rejected=group_folders(group, "results/activations/{dataset}/PROBE/shards/{scatteritem}/rejected.parquet"),
            maps=group_folders(group, "results/activations/{dataset}/PROBE/shards/{scatteritem}/maps.parquet"),
        log:
            f"results/logs/extract_activations/{{dataset}}/{group}/{{scatteritem}}.log",
        benchmark:
            f"results/benchmarks/extract_activations/{{dataset}}/{group}/{{scatteritem}}.tsv"
        conda:
            "../envs/filterscope.yaml"
        priority: 1
        threads: cores
        resources:
            gpu=gpu,
            mem_mb=memory(1900, times=5),
            runtime=minutes(20, thousand=10),
        params:
            code=code("activations/extract_activations.py"),
            probes=settings_of_group(group),
            activations=activations_of(GROUPS[group][0]),
            faithful=extraction_defects,
            max_bad_fraction=bad_fraction,
            split=split_of,
            kept=config["activations"]["kept"],
            seed=config["seed"],
        message:
            f"Extracting the activations of {group}, all its layers, on {{wildcards.dataset}}, shard {{wildcards.scatteritem}}"
        script:
            "../workflow_scripts/activations/extract_activations.py"


# The never-trained network, where its look at the photographs is cut into shards: up to its dissection it is a probe like
# any other, whose tables its scores are made of. Where there is one shard these look themselves, and keep nothing.
use rule extract_activations as extract_untrained_activations with:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        annotations=annotations_of,
    output:
        pooled=[temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/pooled.parquet")],
        images=[temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/images.parquet")],
        tails=[temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/tails.parquet")],
        rejected=[temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/rejected.parquet")],
        maps=[temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/maps.parquet")],
    wildcard_constraints:
        probe=either(re.escape(untrained(probe)) for probe in SINGLE),
    log:
        "results/logs/extract_untrained_activations/{dataset}/{probe}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/extract_untrained_activations/{dataset}/{probe}/{scatteritem}.tsv"
    group:
        together("untrained")
    params:
        code=code("activations/extract_activations.py"),
        probes=single_probe,
        activations=activation_settings,
        faithful=extraction_defects,
        max_bad_fraction=bad_fraction,
        split=split_of,
        kept=kept_of_untrained,
        seed=config["seed"],
    message:
        "Extracting the activations of {wildcards.probe} on {wildcards.dataset}, shard {wildcards.scatteritem}"


for group in GROUPS:
    layers = list(map(untrained, GROUPS[group]))

    rule:
        name:
            f"extract_untrained_activations_{group}"
        input:
            images="results/data/{dataset}/images.parquet",
            pictures=folder_of,
            annotations=annotations_of,
        output:
            pooled=[
                temp(f"results/activations/{{dataset}}/{each}/shards/{{scatteritem}}/pooled.parquet")
                for each in layers
            ],
            images=[
                temp(f"results/activations/{{dataset}}/{each}/shards/{{scatteritem}}/images.parquet")
                for each in layers
            ],
            tails=[
                temp(f"results/activations/{{dataset}}/{each}/shards/{{scatteritem}}/tails.parquet") for each in layers
            ],
            rejected=[
                temp(f"results/activations/{{dataset}}/{each}/shards/{{scatteritem}}/rejected.parquet")
                for each in layers
            ],
            maps=[
                temp(f"results/activations/{{dataset}}/{each}/shards/{{scatteritem}}/maps.parquet") for each in layers
            ],
        log:
            f"results/logs/extract_untrained_activations/{{dataset}}/{group}/{{scatteritem}}.log",
        benchmark:
            f"results/benchmarks/extract_untrained_activations/{{dataset}}/{group}/{{scatteritem}}.tsv"
        conda:
            "../envs/filterscope.yaml"
        priority: 1
        group:
            together("untrained")
        threads: cores
        resources:
            gpu=gpu,
            mem_mb=memory(1900, times=5),
            runtime=minutes(20, thousand=10),
        params:
            code=code("activations/extract_activations.py"),
            probes=settings_of_group(group),
            activations=activations_of(GROUPS[group][0]),
            faithful=extraction_defects,
            max_bad_fraction=bad_fraction,
            split=split_of,
            kept=kept_of_untrained,
            seed=config["seed"],
        message:
            f"Extracting the activations of {group}, never trained, on {{wildcards.dataset}}, shard {{wildcards.scatteritem}}"
        script:
            "../workflow_scripts/activations/extract_activations.py"


rule gather_thresholds:
    input:
        tails=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/tails.parquet"),
    output:
        table="results/activations/{dataset}/{probe}/thresholds.parquet",
        csv="results/activations/{dataset}/{probe}/thresholds.csv",
    wildcard_constraints:
        probe=either(map(re.escape, config["probes"])),
    log:
        "results/logs/gather_thresholds/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/gather_thresholds/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    priority: 1
    group:
        together("dissecting")
    resources:
        mem_mb=memory(500, times=4),
        runtime=minutes(20),
    params:
        code=code("activations/gather_thresholds.py"),
        quantile=config["activations"]["quantile"],
        lower_tail=config["faithful"]["lower_tail"],
    message:
        "Gathering the thresholds of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../workflow_scripts/activations/gather_thresholds.py"


use rule gather_thresholds as gather_untrained_thresholds with:
    output:
        table=temp("results/activations/{dataset}/{probe}/thresholds.parquet"),
    wildcard_constraints:
        probe=either(re.escape(untrained(probe)) for probe in config["probes"]),
    log:
        "results/logs/gather_untrained_thresholds/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/gather_untrained_thresholds/{dataset}/{probe}.tsv"


rule mine_top_images:
    input:
        images=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
    output:
        top_images="results/activations/{dataset}/{probe}/top_images.parquet",
    log:
        "results/logs/mine_top_images/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/mine_top_images/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    priority: 1
    group:
        "explaining"
    resources:
        mem_mb=memory(1000, times=3),
        runtime=minutes(20),
    params:
        code=code("activations/mine_top_images.py"),
        top_images=config["words"]["top_images"],
        top_share=config["words"]["top_share"],
        split=split_of,
    message:
        "Mining the top images of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../workflow_scripts/activations/mine_top_images.py"
