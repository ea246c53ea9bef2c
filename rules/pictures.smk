# The pictures room: what filters look for (seed 004; the recipe `octaves`: seed 002).
#
# Inputs:  a network's weights, pictures of a dataset and how strongly they excite the filters
# Outputs: results/pictures/{dataset}/{probe}/: {recipe}/pictures.* and filter_*.png, sheets/, facets/, criteria*,
#          strongest_filters.* and occlusions.* with their figures
# Steps:   maximise activations, find the facets of classes, score their pictures, find the strongest filters of
#          photographs, measure occlusion, render


rule pictures:
    """Optimised pictures, facets, strongest filters and occlusions of every entry."""
    input:
        [pictures_of(entry, f"{entry['recipe']}/pictures.csv") for entry in config["pictures"]],
        [pictures_of(entry, "sheets") for entry in config["pictures"]],
        [pictures_of(entry, "facets/figures") for entry in config["facets"]],
        [pictures_of(entry, "criteria.png") for entry in config["facets"]],
        [pictures_of(entry, "strongest_filters") for entry in config["strongest_filters"]],
        [pictures_of(entry, "occlusions") for entry in config["occlusions"]],


rule maximise_activations:
    input:
        weights=weights_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
    output:
        table="results/pictures/{dataset}/{probe}/{recipe}/pictures.parquet",
        csv="results/pictures/{dataset}/{probe}/{recipe}/pictures.csv",
        pictures=directory("results/pictures/{dataset}/{probe}/{recipe}/pictures"),
    log:
        "results/logs/maximise_activations/{dataset}/{probe}/{recipe}.log",
    benchmark:
        "results/benchmarks/maximise_activations/{dataset}/{probe}/{recipe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=8000,
        runtime="8h",
    params:
        code=code("pictures/maximise_activations.py"),
        probe=probe_settings,
        recipe=lambda wildcards: config["recipes"][wildcards.recipe],
        entry=lambda wildcards: entry_of("pictures", wildcards),
        batch_size=config["maximisation"]["batch_size"],
        seed=config["seed"],
    message:
        "Maximising activations of {wildcards.probe} by {wildcards.recipe}"
    script:
        "../workflow_scripts/pictures/maximise_activations.py"


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
            caption="captions/pictures.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "what the filters look for, {page}"},
        ),
    log:
        "results/logs/render_pictures/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_pictures/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=2000,
        runtime="30m",
    params:
        code=code("pictures/render_pictures.py"),
        inputs=inputs_of,
        recipes=recipes_of,
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
        per_sheet=config["maximisation"]["per_sheet"],
    message:
        "Rendering sheets of the pictures of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/render_pictures.py"


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
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=4000,
        runtime="2h",
    params:
        code=code("pictures/embed_facets.py"),
        probe=probe_settings,
        entry=lambda wildcards: grouped(entry_of("facets", wildcards)),
        classes_by=classes_by,
        facetting=config["facetting"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Grouping images of {wildcards.dataset} into facets of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/embed_facets.py"


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
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/average_facets.py"),
        inputs=inputs_of,
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
        nearest=lambda wildcards: entry_of("facets", wildcards)["nearest"],
    message:
        "Averaging images of the facets of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/average_facets.py"


rule render_facets:
    input:
        facets=rules.embed_facets.output.facets,
        means=rules.average_facets.output.means,
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
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=8000,
        runtime="8h",
    params:
        code=code("pictures/render_facets.py"),
        probe=probe_settings,
        name=lambda wildcards: entry_of("facets", wildcards)["recipe"],
        from_noise=lambda wildcards: entry_of("facets", wildcards)["from_noise"],
        recipes=facet_recipes,
        batch_size=config["maximisation"]["batch_size"],
        seed=config["seed"],
    message:
        "Optimising pictures of the facets of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/render_facets.py"


rule name_facets:
    input:
        facets=rules.embed_facets.output.facets,
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        categories=reference_categories,
        vocabulary=lambda wildcards: f"results/data/vocabularies/{explained_in(wildcards)}/vocabulary.parquet",
        allowed=config["words"]["allowed"] or [],
        explainer=facet_explainer,
    output:
        table="results/pictures/{dataset}/{probe}/facets/facet_words.parquet",
        csv="results/pictures/{dataset}/{probe}/facets/facet_words.csv",
    log:
        "results/logs/name_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/name_facets/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=8000,
        runtime="30m",
    params:
        code=code("pictures/name_facets.py"),
        probe=probe_settings,
        activations=activation_settings,
        words=only("words", "method", "per_image", "voting", "printed"),
        faithful=only("faithful", "projection", "unpooled"),
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
        nearest=lambda wildcards: entry_of("facets", wildcards)["nearest"],
    message:
        "Naming the facets of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/name_facets.py"


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
            caption="captions/facets.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "facets of unit {unit}: {figure}"},
        ),
    log:
        "results/logs/draw_facets/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/draw_facets/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/draw_facets.py"),
        inputs=inputs_of,
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
    message:
        "Drawing the facets of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/draw_facets.py"


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
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=4000,
        runtime="1h",
    params:
        code=code("pictures/score_pictures.py"),
        inputs=inputs_of,
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
        recipe=lambda wildcards: entry_of("facets", wildcards)["recipe"],
        recipes=recipes_of,
        plain=plain_recipes,
        judge=judge_settings,
        criteria=config["criteria"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Scoring the pictures of {wildcards.probe} by the five criteria"
    script:
        "../workflow_scripts/pictures/score_pictures.py"


rule render_criteria:
    input:
        criteria=rules.score_pictures.output.criteria,
        validation=rules.score_pictures.output.validation,
    output:
        figure=report(
            "results/pictures/{dataset}/{probe}/criteria.png",
            caption="captions/criteria.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "criteria of the pictures"},
        ),
    log:
        "results/logs/render_criteria/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_criteria/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/render_criteria.py"),
    message:
        "Drawing the criteria of the pictures of {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/render_criteria.py"


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
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=4000,
        runtime="30m",
    params:
        code=code("pictures/find_strongest_filters.py"),
        probe=probe_settings,
        entry=lambda wildcards: entry_of("strongest_filters", wildcards),
        strongest=config["strongest"],
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
        batch_size=config["activations"]["batch_size"],
    message:
        "Finding the strongest filters of {wildcards.probe} for photographs of {wildcards.dataset}"
    script:
        "../workflow_scripts/pictures/find_strongest_filters.py"


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
            caption="captions/strongest.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "strongest filters of image {image}"},
        ),
    log:
        "results/logs/render_strongest_filters/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_strongest_filters/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/render_strongest_filters.py"),
        inputs=inputs_of,
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
    message:
        "Drawing the strongest filters of {wildcards.probe} for photographs of {wildcards.dataset}"
    script:
        "../workflow_scripts/pictures/render_strongest_filters.py"


rule measure_occlusion:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        annotations=annotations_of,
        weights=weights_of,
    output:
        table="results/pictures/{dataset}/{probe}/occlusions.parquet",
        csv="results/pictures/{dataset}/{probe}/occlusions.csv",
        importances="results/pictures/{dataset}/{probe}/importances.parquet",
        covered=directory("results/pictures/{dataset}/{probe}/covered"),
    log:
        "results/logs/measure_occlusion/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/measure_occlusion/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=1,
        mem_mb=4000,
        runtime="4h",
    params:
        code=code("pictures/measure_occlusion.py"),
        probe=probe_settings,
        entry=lambda wildcards: entry_of("occlusions", wildcards),
        occlusion=config["occlusion"],
        batch_size=config["activations"]["batch_size"],
        seed=config["seed"],
    message:
        "Covering parts of photographs of {wildcards.dataset} before {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/measure_occlusion.py"


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
            caption="captions/occlusion.rst",
            category="Pictures",
            subcategory="{dataset} / {probe}",
            labels={"figure": "covered parts of image {image}"},
        ),
    log:
        "results/logs/render_occlusion/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/render_occlusion/{dataset}/{probe}.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/render_occlusion.py"),
        inputs=inputs_of,
        annotated=lambda wildcards: wildcards.dataset in ANNOTATED,
    message:
        "Drawing the covered parts of photographs of {wildcards.dataset} before {wildcards.probe}"
    script:
        "../workflow_scripts/pictures/render_occlusion.py"
