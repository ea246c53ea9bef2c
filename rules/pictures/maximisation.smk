# Pictures of what filters look for, and their sheets.


rule maximise_activations:
    input:
        weights=weights_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        strongest=strongest_for,
        images="results/data/{dataset}/images.parquet",
        photographs=folder_of,
    output:
        table="results/pictures/{dataset}/{probe}/{recipe}/pictures.parquet",
        csv="results/pictures/{dataset}/{probe}/{recipe}/pictures.csv",
        pictures=directory("results/pictures/{dataset}/{probe}/{recipe}/pictures"),
    log:
        "results/logs/maximise_activations/{dataset}/{probe}/{recipe}.log",
    benchmark:
        "results/benchmarks/maximise_activations/{dataset}/{probe}/{recipe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(2000, times=4),
        runtime="8h",
    params:
        code=code("pictures/maximisation/maximise_activations.py"),
        probe=probe_settings,
        recipe=lambda wildcards: config["recipes"][wildcards.recipe],
        entry=lambda wildcards: entry_of("pictures", wildcards),
        batch_size=config["maximisation"]["batch_size"],
        seed=config["seed"],
    message:
        "Maximising activations of {wildcards.probe} by {wildcards.recipe}"
    script:
        "../../workflow_scripts/pictures/maximisation/maximise_activations.py"


rule name_pictures:
    input:
        table=rules.maximise_activations.output.table,
        pictures=rules.maximise_activations.output.pictures,
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        categories=reference_categories,
        vocabulary=lambda wildcards: f"results/data/vocabularies/{explained_in(wildcards)}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        explainer=own_explainer,
        claims=own_claims,
    output:
        table="results/pictures/{dataset}/{probe}/{recipe}/picture_words.parquet",
        csv="results/pictures/{dataset}/{probe}/{recipe}/picture_words.csv",
    log:
        "results/logs/name_pictures/{dataset}/{probe}/{recipe}.log",
    benchmark:
        "results/benchmarks/name_pictures/{dataset}/{probe}/{recipe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=4),
        runtime="30m",
    params:
        code=code("pictures/maximisation/name_pictures.py"),
        probe=probe_settings,
        activations=activation_settings,
        words=only("words", "method", "per_image"),
        faithful=only("faithful", "projection", "unpooled"),
        first=config["proofs"]["picture_words"],
    message:
        "Naming the pictures of {wildcards.probe} by {wildcards.recipe}"
    script:
        "../../workflow_scripts/pictures/maximisation/name_pictures.py"


rule render_pictures:
    input:
        tables=recipe_tables,
        pictures=recipe_pictures,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
        names=names_of,
    output:
        sheets=report(
            directory("results/pictures/{dataset}/{probe}/sheets"),
            patterns=["sheet_{page}.png"],
            caption="../captions/pictures.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "what the filters look for, {page}"},
        ),
    log:
        "results/logs/render_pictures/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_pictures/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1500,
        runtime="30m",
    params:
        code=code("pictures/maximisation/render_pictures.py"),
        inputs=inputs_of,
        recipes=recipes_of,
        per_sheet=config["maximisation"]["per_sheet"],
    message:
        "Rendering sheets of the pictures of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/maximisation/render_pictures.py"
