# How much networks can hold, and whether that is what data need.
#
# Inputs:  the networks of the config, or torchvision's by name (no weights), the complexity of labelled samples
# Outputs: results/diagnosis/capacity/: capacity.*, {network}/layers.*; results/diagnosis/fit.*
# Steps:   measure, tabulate, render


rule measure_capacity:
    input:
        files=measured_network_files,
    output:
        layers="results/diagnosis/capacity/{network}/layers.parquet",
        layers_csv="results/diagnosis/capacity/{network}/layers.csv",
        network="results/diagnosis/capacity/{network}/network.parquet",
    wildcard_constraints:
        network="|".join(CAPACITY["networks"]) or "none^",
    log:
        "results/logs/measure_capacity/{network}.log",
    benchmark:
        "results/benchmarks/measure_capacity/{network}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1800),
        runtime="10m",
    params:
        code=code("diagnosis/capacity/measure_capacity.py"),
        network=measured_network,
        batch_norm=CAPACITY["batch_norm"],
    message:
        "Measuring the capacity of {wildcards.network}"
    script:
        "../../workflow_scripts/diagnosis/capacity/measure_capacity.py"


rule tabulate_capacity:
    input:
        networks=[f"results/diagnosis/capacity/{network}/network.parquet" for network in CAPACITY["networks"]],
    output:
        table="results/diagnosis/capacity/capacity.parquet",
        csv="results/diagnosis/capacity/capacity.csv",
    log:
        "results/logs/tabulate_capacity.log",
    benchmark:
        "results/benchmarks/tabulate_capacity.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        runtime="10m",
    params:
        code=code("diagnosis/capacity/tabulate_capacity.py"),
    message:
        "Tabulating the capacity of networks"
    script:
        "../../workflow_scripts/diagnosis/capacity/tabulate_capacity.py"


rule render_capacity:
    input:
        layers=rules.measure_capacity.output.layers,
        network=rules.measure_capacity.output.network,
    output:
        figure=report(
            "results/diagnosis/capacity/{network}/layers.png",
            caption="../captions/capacity.rst",
            category="Diagnosis",
            subcategory="Capacity of networks",
            labels={"figure": "layers of {network}"},
        ),
    wildcard_constraints:
        network="|".join(CAPACITY["networks"]) or "none^",
    log:
        "results/logs/render_capacity/{network}.log",
    benchmark:
        "results/benchmarks/render_capacity/{network}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("diagnosis/capacity/render_capacity.py"),
    message:
        "Drawing the capacity of {wildcards.network}"
    script:
        "../../workflow_scripts/diagnosis/capacity/render_capacity.py"


rule tabulate_fit:
    input:
        capacities=rules.tabulate_capacity.output.table,
        needs=[complexity_of(name, "expected_capacities") for name in FITTED_SETS],
        samples=[samples_of(name) for name in FITTED_SETS],
    output:
        table="results/diagnosis/fit.parquet",
        csv="results/diagnosis/fit.csv",
    log:
        "results/logs/tabulate_fit.log",
    benchmark:
        "results/benchmarks/tabulate_fit.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1500),
        runtime="30m",
    params:
        code=code("diagnosis/capacity/tabulate_fit.py"),
        pairs=PAIRS,
        samples=FITTED_SETS,
        tolerance=FIT["tolerance"],
        family=FIT["family"],
    message:
        "Setting what data need beside what networks hold"
    script:
        "../../workflow_scripts/diagnosis/capacity/tabulate_fit.py"
