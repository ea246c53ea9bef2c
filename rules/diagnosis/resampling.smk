# Whether resampling unbalanced samples helps (Debugger, 3.3).
#
# Inputs:  labelled samples with a test split
# Outputs: results/diagnosis/resampling/: resampling.*, {samples}/{space}/: {method}/samples.parquet, scores.*, figures/
# Steps:   resample by every method, guided by capacity; score classifiers on an untouched test split; tabulate, render


rule resample_samples:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
    output:
        samples=by_methods("samples.parquet"),
        origins=by_methods("origins.parquet"),
        history=by_methods("history.parquet"),
        csv=by_methods("history.csv"),
    wildcard_constraints:
        space="values|features",
    log:
        "results/logs/resample_samples/{samples}/{space}.log",
    benchmark:
        "results/benchmarks/resample_samples/{samples}/{space}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=lambda wildcards: gpu(wildcards) * (wildcards.space == "features"),
        mem_mb=memory(1400, times=20),
        runtime="4h",
    params:
        code=code("diagnosis/resampling/resample_samples.py"),
        methods=["none", *RESAMPLING["methods"]],
        entry=resampled_set,
        settings=only_of(RESAMPLING, "neighbours", "ties", "iterations", "patience"),
        measure=only_of(COMPLEXITY, "norm", "ties"),
        encoder=encoder,
        seed=config["seed"],
    message:
        "Resampling {wildcards.samples} by every method ({wildcards.space})"
    script:
        "../../workflow_scripts/diagnosis/resampling/resample_samples.py"


rule score_resampling:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
    output:
        scores=f"{RESAMPLED}/scores.parquet",
        csv=f"{RESAMPLED}/scores.csv",
    wildcard_constraints:
        space="values|features",
    log:
        "results/logs/score_resampling/{samples}/{space}.log",
    benchmark:
        "results/benchmarks/score_resampling/{samples}/{space}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=lambda wildcards: gpu(wildcards) * (wildcards.space == "features"),
        mem_mb=memory(1400, times=20),
        runtime="8h",
    params:
        code=code("diagnosis/resampling/score_resampling.py"),
        entry=resampled_set,
        settings=only_of(RESAMPLING, "neighbours", "ties", "iterations", "patience"),
        comparison=only_of(RESAMPLING, "methods", "classifiers", "seeds", "drawn"),
        measure=only_of(COMPLEXITY, "norm", "ties"),
        encoder=encoder,
        seed=config["seed"],
    message:
        "Scoring classifiers trained on resampled {wildcards.samples} ({wildcards.space})"
    script:
        "../../workflow_scripts/diagnosis/resampling/score_resampling.py"


rule tabulate_resampling:
    input:
        scores=resampled_files("scores.parquet"),
    output:
        table="results/diagnosis/resampling/resampling.parquet",
        csv="results/diagnosis/resampling/resampling.csv",
        text="results/diagnosis/resampling/resampling.md",
    log:
        "results/logs/tabulate_resampling.log",
    benchmark:
        "results/benchmarks/tabulate_resampling.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        runtime="10m",
    params:
        code=code("diagnosis/resampling/tabulate_resampling.py"),
        sets=[list(key) for key in RESAMPLED_SETS],
        confidence=RESAMPLING["confidence"],
    message:
        "Tabulating whether resampling helps"
    script:
        "../../workflow_scripts/diagnosis/resampling/tabulate_resampling.py"


rule render_resampling:
    input:
        table=rules.tabulate_resampling.output.table,
        samples=by_methods("samples.parquet"),
        origins=by_methods("origins.parquet"),
        histories=by_methods("history.parquet")[1:],  # none has no search
    output:
        figures=report(
            directory(f"{RESAMPLED}/figures"),
            patterns=["{figure}.png"],
            caption="../captions/resampling.rst",
            category="Diagnosis",
            subcategory="Resampling",
            labels={"figure": "{samples}, {space}: {figure}"},
        ),
    wildcard_constraints:
        space="values|features",
    log:
        "results/logs/render_resampling/{samples}/{space}.log",
    benchmark:
        "results/benchmarks/render_resampling/{samples}/{space}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1500,
        runtime="10m",
    params:
        code=code("diagnosis/resampling/render_resampling.py"),
        methods=RESAMPLING["methods"],
    message:
        "Drawing resampled {wildcards.samples} ({wildcards.space})"
    script:
        "../../workflow_scripts/diagnosis/resampling/render_resampling.py"
