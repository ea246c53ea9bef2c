# How hard data are: expected capacity and separability of the classes (CSG).
#
# Inputs:  labelled samples, weights of the networks whose features are an embedding
# Outputs: results/diagnosis/complexity/: complexity.*, figures/, {samples}/*.parquet
# Steps:   measure, tabulate, render


rule measure_complexity:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
        weights=embedding_weights,
    output:
        **{table: complexity_of("{samples}", table) for table in COMPLEXITY_TABLES},
    log:
        "results/logs/measure_complexity/{samples}.log",
    benchmark:
        "results/benchmarks/measure_complexity/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=10),
        runtime="4h",
    params:
        code=code("diagnosis/complexity/measure_complexity.py"),
        embeddings=embeddings_of,
        probes=embedding_probes,
        complexity={key: value for key, value in COMPLEXITY.items() if key != "sets"},
        seed=config["seed"],
    message:
        "Measuring the complexity of {wildcards.samples}"
    script:
        "../../workflow_scripts/diagnosis/complexity/measure_complexity.py"


rule tabulate_complexity:
    input:
        measured=[file for files in complexity_files().values() for file in files.values()],
    output:
        table="results/diagnosis/complexity/complexity.parquet",
        csv="results/diagnosis/complexity/complexity.csv",
    log:
        "results/logs/tabulate_complexity.log",
    benchmark:
        "results/benchmarks/tabulate_complexity.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        published=Path(PUBLISHED_COMPLEXITY).read_text(),
        code=code("diagnosis/complexity/tabulate_complexity.py"),
        measured=complexity_files(),
        published_as={samples: entry["published"] for samples, entry in MEASURED_SETS.items()},
    message:
        "Tabulating complexity beside published values"
    script:
        "../../workflow_scripts/diagnosis/complexity/tabulate_complexity.py"


rule render_complexity:
    input:
        table=rules.tabulate_complexity.output.table,
        samples=[samples_of(name) for name in MEASURED_SETS],
        similarities=[complexity_of(name, "class_similarities") for name in MEASURED_SETS],
        places=[complexity_of(name, "class_places") for name in MEASURED_SETS],
    output:
        figures=report(
            directory("results/diagnosis/complexity/figures"),
            patterns=["{figure}.png"],
            caption="../captions/complexity.rst",
            category="Diagnosis",
            subcategory="Complexity of data",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/logs/render_complexity.log",
    benchmark:
        "results/benchmarks/render_complexity.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("diagnosis/complexity/render_complexity.py"),
        samples=list(MEASURED_SETS),
    message:
        "Drawing the complexity of data"
    script:
        "../../workflow_scripts/diagnosis/complexity/render_complexity.py"
