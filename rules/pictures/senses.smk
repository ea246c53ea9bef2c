# Senses of filters: groups among the images that excite each of them most.


rule find_senses:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
        code_maps=other_maps("codes"),
        weights=weights_of,
    output:
        senses="results/pictures/{dataset}/{probe}/senses/senses.parquet",
        senses_csv="results/pictures/{dataset}/{probe}/senses/senses.csv",
        members="results/pictures/{dataset}/{probe}/senses/sense_images.parquet",
        members_csv="results/pictures/{dataset}/{probe}/senses/sense_images.csv",
    log:
        "results/logs/find_senses/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/find_senses/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1700, times=3),
        runtime="4h",
    params:
        code=code("pictures/senses/find_senses.py"),
        probe=probe_settings,
        codes=other_probe("codes"),
        filters=lambda wildcards: entry_of("senses", wildcards)["filters"],
        activations=activation_settings,
        sensing=only("sensing", "images", "share", "fewest", "split"),
        counting=only(
            "sensing", "components", "most", "strength", "likeness", "distinction", "smallest", "halvings", "restarts"
        ),
        kept=config["activations"]["kept"],
        seed=config["seed"],
    message:
        "Finding the senses of filters of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/pictures/senses/find_senses.py"


rule name_senses:
    input:
        members=rules.find_senses.output.members,
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
        explained_maps=other_maps("words"),
        weights=weights_of,
        categories=reference_categories,
        vocabulary=lambda wildcards: f"results/data/vocabularies/{naming_senses(wildcards).vocabulary}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        explainer=sense_explainer,
    output:
        table="results/pictures/{dataset}/{probe}/senses/sense_words.parquet",
        csv="results/pictures/{dataset}/{probe}/senses/sense_words.csv",
    log:
        "results/logs/name_senses/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/name_senses/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=2),
        runtime="1h",
    params:
        code=code("pictures/senses/name_senses.py"),
        probe=probe_settings,
        explained=other_probe("words"),
        activations=lambda wildcards: activations_of(naming_senses(wildcards).probe),
        words=only("words", "method", "per_image", "printed"),
        faithful=only("faithful", "unpooled"),
        nearest=config["sensing"]["nearest"],
        kept=config["activations"]["kept"],
        seed=config["seed"],
    message:
        "Naming the senses of filters of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/pictures/senses/name_senses.py"


rule render_senses:
    input:
        members=rules.find_senses.output.members,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
        weights=weights_of,
    output:
        table="results/pictures/{dataset}/{probe}/senses/sense_pictures.parquet",
        csv="results/pictures/{dataset}/{probe}/senses/sense_pictures.csv",
        pictures=directory("results/pictures/{dataset}/{probe}/senses/pictures"),
    log:
        "results/logs/render_senses/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_senses/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(2200, times=4),
        runtime="8h",
    params:
        code=code("pictures/senses/render_senses.py"),
        probe=probe_settings,
        name=lambda wildcards: entry_of("senses", wildcards)["recipe"],
        recipe=lambda wildcards: config["recipes"][entry_of("senses", wildcards)["recipe"]],
        share=lambda wildcards: entry_of("senses", wildcards)["window"],
        nearest=config["sensing"]["nearest"],
        batch_size=config["maximisation"]["batch_size"],
        seed=config["seed"],
    message:
        "Optimising pictures of the senses of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/senses/render_senses.py"


rule draw_senses:
    input:
        unpack(sense_pictures_of),
        senses=rules.find_senses.output.senses,
        members=rules.find_senses.output.members,
        words=sense_words_of,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
    output:
        figures=report(
            directory("results/pictures/{dataset}/{probe}/senses/figures"),
            patterns=["senses_{filter}.png"],
            caption="../captions/senses.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "senses of filter {filter}"},
        ),
    log:
        "results/logs/draw_senses/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/draw_senses/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="30m",
    params:
        code=code("pictures/senses/draw_senses.py"),
        inputs=inputs_of,
        share=lambda wildcards: entry_of("senses", wildcards)["window"],
        nearest=config["sensing"]["nearest"],
        drawn=config["sensing"]["drawn"],
    message:
        "Drawing the senses of filters of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/senses/draw_senses.py"
