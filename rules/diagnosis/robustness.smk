# Robustness against capacity (Debugger, 3.4).
#
# Inputs:  labelled pictures with a test split
# Outputs: results/diagnosis/robustness/: robustness.*, networks.*, trends.*, {samples}/{family}/{shares}/{numbers}/
#          (networks.parquet, weights/{share}-{number}.pt), {samples}/{family}/{shares}/attacks.parquet, {samples}/{family}/search.*, {samples}/figures/
# Steps:   train networks of a grid of capacities, attack them, search (Debugger, 3.4), tabulate, render
#
# The binary search is one rule and no checkpoint: each of its steps waits for the one before, so there is nothing
# to run side by side, and with a checkpoint no plan (-n) could say what is still to be done. It takes the networks of
# the grid where their capacity is the one it wants, and keeps its own journal, so that a killed search goes on.


rule train_scaled_networks:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
    output:
        weights=directory(f"{SCALED}/{{shares}}/{{numbers}}/weights"),
        networks=f"{SCALED}/{{shares}}/{{numbers}}/networks.parquet",
        history=f"{SCALED}/{{shares}}/{{numbers}}/history.parquet",
    log:
        "results/logs/train_scaled_networks/{samples}/{family}/{shares}/{numbers}.log",
    benchmark:
        "results/benchmarks/train_scaled_networks/{samples}/{family}/{shares}/{numbers}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(2000, times=10),
        runtime="4h",
    params:
        code=code("diagnosis/robustness/train_scaled_networks.py"),
        measure=only_of(COMPLEXITY, "norm", "ties"),
        scaling=only_of(ROBUSTNESS, "start", "tolerance"),
        training=ROBUSTNESS["training"],
        shares=lambda wildcards: batches.members(wildcards.shares),
        numbers=lambda wildcards: batches.members(wildcards.numbers),
        seed=config["seed"],
    message:
        "Training {wildcards.family} of {wildcards.shares} % of the bits that {wildcards.samples} needs, numbers {wildcards.numbers}"
    script:
        "../../workflow_scripts/diagnosis/robustness/train_scaled_networks.py"


rule attack_network:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
        weights=scaled_files("weights"),
        networks=scaled_files("networks.parquet"),
    output:
        attacks=f"{SCALED}/{{shares}}/attacks.parquet",
        pictures=f"{SCALED}/{{shares}}/pictures.parquet",
    log:
        "results/logs/attack_network/{samples}/{family}/{shares}.log",
    benchmark:
        "results/benchmarks/attack_network/{samples}/{family}/{shares}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1800, times=10),
        runtime="8h",
    params:
        code=code("diagnosis/robustness/attack_network.py"),
        attacks=ROBUSTNESS["attacks"],
        images=ROBUSTNESS["images"],
        batch_size=ROBUSTNESS["batch_size"],
        seed=config["seed"],
    message:
        "Attacking {wildcards.family} of {wildcards.shares} % on {wildcards.samples}"
    script:
        "../../workflow_scripts/diagnosis/robustness/attack_network.py"


rule search_capacity:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
        networks=grid_files("networks.parquet"),
        attacks=grid_attacks,
    output:
        table=f"{SCALED}/search.parquet",
        csv=f"{SCALED}/search.csv",
    log:
        "results/logs/search_capacity/{samples}/{family}.log",
    benchmark:
        "results/benchmarks/search_capacity/{samples}/{family}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(2000, times=10),
        runtime="12h",
    params:
        code=code("diagnosis/robustness/search_capacity.py"),
        seeds=lambda wildcards: robust_set(wildcards)["seeds"],
        measure=only_of(COMPLEXITY, "norm", "ties"),
        scaling=only_of(ROBUSTNESS, "start", "tolerance"),
        training=ROBUSTNESS["training"],
        attack=searching_attack(),
        searching=only_of(ROBUSTNESS, "images", "batch_size", "loss", "resolution"),
        seed=config["seed"],
    message:
        "Searching for the capacity at which {wildcards.family} is most robust on {wildcards.samples}"
    script:
        "../../workflow_scripts/diagnosis/robustness/search_capacity.py"


rule tabulate_robustness:
    input:
        networks=[path for files in robust_inputs().values() for path in files["networks"]],
        attacks=[path for files in robust_inputs().values() for path in files["attacks"]],
    output:
        table="results/diagnosis/robustness/robustness.parquet",
        csv="results/diagnosis/robustness/robustness.csv",
        networks="results/diagnosis/robustness/networks.parquet",
        networks_csv="results/diagnosis/robustness/networks.csv",
        trends="results/diagnosis/robustness/trends.parquet",
        trends_csv="results/diagnosis/robustness/trends.csv",
        text="results/diagnosis/robustness/robustness.md",
    log:
        "results/logs/tabulate_robustness.log",
    benchmark:
        "results/benchmarks/tabulate_robustness.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="30m",
    params:
        code=code("diagnosis/robustness/tabulate_robustness.py"),
        files=[[samples, files] for (samples, _), files in robust_inputs().items()],
        judging=only_of(ROBUSTNESS, "loss", "confidence"),
        seed=config["seed"],
    message:
        "Tabulating robustness against capacity"
    script:
        "../../workflow_scripts/diagnosis/robustness/tabulate_robustness.py"


rule render_robustness:
    input:
        table=rules.tabulate_robustness.output.table,
        networks=rules.tabulate_robustness.output.networks,
        samples="results/data/samples/{samples}/samples.parquet",
        pictures=attacked_pictures,
        attacks=attacked_tables,
        searches=search_tables,
    output:
        figures=report(
            directory("results/diagnosis/robustness/{samples}/figures"),
            patterns=["{figure}.png"],
            caption="../captions/robustness.rst",
            category="Diagnosis",
            subcategory="Robustness against capacity",
            labels={"figure": "{samples}: {figure}"},
        ),
    log:
        "results/logs/render_robustness/{samples}.log",
    benchmark:
        "results/benchmarks/render_robustness/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1500,
        runtime="10m",
    params:
        code=code("diagnosis/robustness/render_robustness.py"),
        families=robust_families,
    message:
        "Drawing robustness against capacity on {wildcards.samples}"
    script:
        "../../workflow_scripts/diagnosis/robustness/render_robustness.py"
