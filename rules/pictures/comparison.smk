# All networks that drew the classes of one dataset, side by side.


rule compare_networks:
    input:
        scores=lambda wildcards: drawn_by_all(wildcards, "picture_scores.parquet"),
        criteria=lambda wildcards: drawn_by_all(wildcards, "criteria.parquet"),
        validations=lambda wildcards: drawn_by_all(wildcards, "criteria_validation.parquet"),
    output:
        criteria="results/pictures/{dataset}/network_criteria.parquet",
        criteria_csv="results/pictures/{dataset}/network_criteria.csv",
        tests="results/pictures/{dataset}/network_tests.parquet",
        tests_csv="results/pictures/{dataset}/network_tests.csv",
        text="results/pictures/{dataset}/networks.md",
    log:
        "results/logs/compare_networks/{dataset}.log",
    benchmark:
        "results/benchmarks/compare_networks/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("pictures/facets/compare_networks.py"),
        classes=lambda wildcards: {entry["probe"]: entry["classes"] for entry in facets_of(wildcards.dataset)},
        groups=lambda wildcards: {
            entry["probe"]: f"{entry['recipe']}, from the mean image" for entry in facets_of(wildcards.dataset)
        },
        criteria=config["criteria"],
        seed=config["seed"],
    message:
        "Comparing the networks that drew classes of {wildcards.dataset}"
    script:
        "../../workflow_scripts/pictures/facets/compare_networks.py"


rule draw_comparison:
    input:
        criteria=rules.compare_networks.output.criteria,
        tables=lambda wildcards: drawn_by_all(wildcards, "facets/facet_pictures.parquet"),
        pictures=lambda wildcards: drawn_by_all(wildcards, "facets/pictures"),
    output:
        figure=report(
            "results/pictures/{dataset}/networks.png",
            caption="../captions/networks.rst",
            category="Pictures",
            subcategory="{dataset}",
            labels={"figure": "criteria of all networks"},
        ),
        sheets=report(
            directory("results/pictures/{dataset}/network_sheets"),
            patterns=["class_{number}.png"],
            caption="../captions/networks.rst",
            category="Pictures",
            subcategory="{dataset}",
            labels={"figure": "a class as all networks draw it, {number}"},
        ),
    log:
        "results/logs/draw_comparison/{dataset}.log",
    benchmark:
        "results/benchmarks/draw_comparison/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="10m",
    params:
        code=code("pictures/facets/draw_comparison.py"),
        probes=lambda wildcards: [entry["probe"] for entry in facets_of(wildcards.dataset)],
    message:
        "Drawing what the networks made of classes of {wildcards.dataset}"
    script:
        "../../workflow_scripts/pictures/facets/draw_comparison.py"
