# Facets of classes, and whether their pictures are good.


rule embed_facets:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        annotations=annotations_of,
        weights=weights_of,
    output:
        facets="results/pictures/{dataset}/{probe}/facets/facets.parquet",
        facets_csv="results/pictures/{dataset}/{probe}/facets/facets.csv",
        summary="results/pictures/{dataset}/{probe}/facets/facet_summary.parquet",
        summary_csv="results/pictures/{dataset}/{probe}/facets/facet_summary.csv",
    log:
        "results/logs/embed_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/embed_facets/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(2000, times=4),
        runtime="2h",
    params:
        code=code("pictures/facets/embed_facets.py"),
        probe=probe_settings,
        entry=lambda wildcards: grouped(entry_of("facets", wildcards)),
        classes_by=classes_by,
        facetting=config["facetting"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Grouping images of {wildcards.dataset} into facets of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/embed_facets.py"


rule average_facets:
    input:
        facets=rules.embed_facets.output.facets,
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
    output:
        means=directory("results/pictures/{dataset}/{probe}/facets/means"),
    log:
        "results/logs/average_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/average_facets/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    resources:
        mem_mb=memory(1500),
        runtime="10m",
    params:
        code=code("pictures/facets/average_facets.py"),
        inputs=inputs_of,
        nearest=lambda wildcards: entry_of("facets", wildcards)["nearest"],
    message:
        "Averaging images of the facets of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/average_facets.py"


rule render_facets:
    input:
        facets=rules.embed_facets.output.facets,
        means=rules.average_facets.output.means,
        images="results/data/{dataset}/images.parquet",
        photographs=folder_of,
        weights=weights_of,
    output:
        table="results/pictures/{dataset}/{probe}/facets/facet_pictures.parquet",
        csv="results/pictures/{dataset}/{probe}/facets/facet_pictures.csv",
        pictures=directory("results/pictures/{dataset}/{probe}/facets/pictures"),
    log:
        "results/logs/render_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_facets/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1900, times=6),
        runtime="8h",
    params:
        code=code("pictures/facets/render_facets.py"),
        probe=probe_settings,
        name=lambda wildcards: entry_of("facets", wildcards)["recipe"],
        from_noise=lambda wildcards: entry_of("facets", wildcards)["from_noise"],
        recipes=facet_recipes,
        nearest=lambda wildcards: entry_of("facets", wildcards)["nearest"],
        batch_size=config["maximisation"]["batch_size"],
        seed=config["seed"],
    message:
        "Optimising pictures of the facets of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/render_facets.py"


rule name_facets:
    input:
        facets=rules.embed_facets.output.facets,
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        weights=weights_of,
        categories=reference_categories,
        vocabulary=lambda wildcards: f"results/data/vocabularies/{naming(wildcards).vocabulary}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        explainers=naming_explainers,
    output:
        table="results/pictures/{dataset}/{probe}/facets/facet_words.parquet",
        csv="results/pictures/{dataset}/{probe}/facets/facet_words.csv",
    log:
        "results/logs/name_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/name_facets/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1700, times=4),
        runtime="30m",
    params:
        code=code("pictures/facets/name_facets.py"),
        probe=probe_settings,
        activations=activation_settings,
        explained=lambda wildcards: [settings_of_probe(name) for name in naming(wildcards).probes],
        words=only("words", "method", "per_image", "printed"),
        faithful=only("faithful", "unpooled"),
        seed=config["seed"],
    message:
        "Naming the facets of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/name_facets.py"


rule draw_facets:
    input:
        facets=rules.embed_facets.output.facets,
        summary=rules.embed_facets.output.summary,
        table=rules.render_facets.output.table,
        pictures=rules.render_facets.output.pictures,
        means=rules.average_facets.output.means,
        words=facet_words_of,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
    output:
        figures=report(
            directory("results/pictures/{dataset}/{probe}/facets/figures"),
            patterns=["{figure}_{unit}.png"],
            caption="../captions/facets.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "facets of unit {unit}: {figure}"},
        ),
    log:
        "results/logs/draw_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/draw_facets/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="10m",
    params:
        code=code("pictures/facets/draw_facets.py"),
        inputs=inputs_of,
    message:
        "Drawing the facets of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/draw_facets.py"


rule draw_facet_plates:
    input:
        facets=rules.embed_facets.output.facets,
        table=rules.render_facets.output.table,
        pictures=rules.render_facets.output.pictures,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
    output:
        plates=report(
            directory("results/pictures/{dataset}/{probe}/facets/plates"),
            patterns=["{figure}_{unit}.png"],
            caption="../captions/facets.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "facets of unit {unit}: {figure}"},
        ),
    log:
        "results/logs/draw_facet_plates/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/draw_facet_plates/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="10m",
    params:
        code=code("pictures/facets/draw_facet_plates.py"),
        inputs=inputs_of,
        nearest=lambda wildcards: entry_of("facets", wildcards)["nearest"],
    message:
        "Drawing the maps and nearest images of the facets of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/draw_facet_plates.py"


rule score_pictures:
    input:
        facets=rules.embed_facets.output.facets,
        table=rules.render_facets.output.table,
        pictures=rules.render_facets.output.pictures,
        means=rules.average_facets.output.means,
        recipes=recipe_tables,
        maximised=recipe_pictures,
        images="results/data/{dataset}/images.parquet",
        folder=folder_of,
        judge=judge_weights,
    output:
        scores="results/pictures/{dataset}/{probe}/picture_scores.parquet",
        scores_csv="results/pictures/{dataset}/{probe}/picture_scores.csv",
        criteria="results/pictures/{dataset}/{probe}/criteria.parquet",
        criteria_csv="results/pictures/{dataset}/{probe}/criteria.csv",
        validation="results/pictures/{dataset}/{probe}/criteria_validation.parquet",
        validation_csv="results/pictures/{dataset}/{probe}/criteria_validation.csv",
    log:
        "results/logs/score_pictures/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/score_pictures/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(2000, times=4),
        runtime="1h",
    params:
        code=code("pictures/facets/score_pictures.py"),
        inputs=inputs_of,
        recipe=lambda wildcards: entry_of("facets", wildcards)["recipe"],
        recipes=recipes_of,
        plain=plain_recipes,
        positioned=positioned_recipes,
        judge=judge_settings,
        criteria=config["criteria"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Scoring the pictures of {wildcards.probe} by the five criteria"
    script:
        "../../workflow_scripts/pictures/facets/score_pictures.py"


rule render_criteria:
    input:
        criteria=rules.score_pictures.output.criteria,
        validation=rules.score_pictures.output.validation,
    output:
        figure=report(
            "results/pictures/{dataset}/{probe}/criteria.png",
            caption="../captions/criteria.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "criteria of the pictures"},
        ),
    log:
        "results/logs/render_criteria/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_criteria/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/facets/render_criteria.py"),
    message:
        "Drawing the criteria of the pictures of {wildcards.probe}"
    script:
        "../../workflow_scripts/pictures/facets/render_criteria.py"
