# Layers of one network beside each other: how much of their names holds, and what kinds of words they have.


rule tabulate_depth:
    input:
        names=of_layers("filter_names.parquet"),
        words=of_layers("filter_words.parquet"),
        claims=of_layers("filter_claims.parquet", masks=True),
    output:
        table="results/words/{dataset}/{group}/{vocabulary}/depth.parquet",
        csv="results/words/{dataset}/{group}/{vocabulary}/depth.csv",
    log:
        "results/logs/tabulate_depth/{dataset}/{group}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/tabulate_depth/{dataset}/{group}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/depth/tabulate_depth.py"),
        probes=lambda wildcards: GROUPS[wildcards.group],
    message:
        "Tabulating the layers of {wildcards.group} on {wildcards.dataset} from the first to the last"
    script:
        "../../workflow_scripts/words/depth/tabulate_depth.py"


rule render_depth:
    input:
        depth=rules.tabulate_depth.output.table,
    output:
        figure=report(
            "results/words/{dataset}/{group}/{vocabulary}/depth.png",
            caption="../captions/depth.rst",
            category="Words",
            subcategory="{dataset} / {group}",
            labels={"figure": "from layer to layer"},
        ),
    log:
        "results/logs/render_depth/{dataset}/{group}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/render_depth/{dataset}/{group}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/depth/render_depth.py"),
    message:
        "Drawing the layers of {wildcards.group} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/depth/render_depth.py"
