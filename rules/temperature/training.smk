# Schedules are tuned and trained with, learning rates analysed.


rule tune_schedule:
    input:
        samples="results/data/samples/{samples}/samples.parquet",
        factory=temperature_factory,
    output:
        trials="results/temperature/{network}/{samples}/{schedule}/trials.parquet",
        csv="results/temperature/{network}/{samples}/{schedule}/trials.csv",
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/tune_schedule/{network}/{samples}/{schedule}.log",
    benchmark:
        "results/benchmarks/tune_schedule/{network}/{samples}/{schedule}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1800, times=8),
        runtime="24h",
    params:
        code=code("temperature/training/tune_schedule.py"),
        network=trained_network,
        definition=temperature_module,
        schedule=schedule_settings,
        search=lambda wildcards: config["temperature"]["schedules"][wildcards.schedule]["search"],
        training=training_settings,
        trials=config["temperature"]["trials"],
        seed=config["seed"],
    message:
        "Tuning {wildcards.schedule} for {wildcards.network} on {wildcards.samples}"
    script:
        "../../workflow_scripts/temperature/training/tune_schedule.py"


rule train_with_schedule:
    input:
        unpack(tuned),
        samples="results/data/samples/{samples}/samples.parquet",
        factory=temperature_factory,
    output:
        training_history="results/temperature/{network}/{samples}/{schedule}/{seeds}/history.parquet",
        csv="results/temperature/{network}/{samples}/{schedule}/{seeds}/history.csv",
        training_steps="results/temperature/{network}/{samples}/{schedule}/{seeds}/steps.parquet",
        training_temperatures="results/temperature/{network}/{samples}/{schedule}/{seeds}/temperatures.parquet",
        training_results="results/temperature/{network}/{samples}/{schedule}/{seeds}/results.parquet",
        training_times="results/temperature/{network}/{samples}/{schedule}/{seeds}/times.parquet",
        weights=directory("results/temperature/{network}/{samples}/{schedule}/{seeds}/weights"),
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/train_with_schedule/{network}/{samples}/{schedule}/{seeds}.log",
    benchmark:
        "results/benchmarks/train_with_schedule/{network}/{samples}/{schedule}/{seeds}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1800, times=8),
        runtime="24h",
    params:
        code=code("temperature/training/train_with_schedule.py"),
        network=trained_network,
        definition=temperature_module,
        schedule=schedule_settings,
        training=training_settings,
        seeds=lambda wildcards: batches.members(wildcards.seeds),
        seed=config["seed"],
    message:
        "Training {wildcards.network} on {wildcards.samples} with {wildcards.schedule}, seeds {wildcards.seeds}"
    script:
        "../../workflow_scripts/temperature/training/train_with_schedule.py"


rule analyse_learning_rates:
    input:
        unpack(tuned),
        samples="results/data/samples/{samples}/samples.parquet",
        factory=temperature_factory,
    output:
        points="results/temperature/{network}/{samples}/{schedule}/range_points.parquet",
        points_csv="results/temperature/{network}/{samples}/{schedule}/range_points.csv",
        fits="results/temperature/{network}/{samples}/{schedule}/range_fits.parquet",
        fits_csv="results/temperature/{network}/{samples}/{schedule}/range_fits.csv",
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/analyse_learning_rates/{network}/{samples}/{schedule}.log",
    benchmark:
        "results/benchmarks/analyse_learning_rates/{network}/{samples}/{schedule}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1800, times=8),
        runtime="24h",
    params:
        code=code("temperature/training/analyse_learning_rates.py"),
        network=trained_network,
        definition=temperature_module,
        schedule=schedule_settings,
        training=training_settings,
        at=analysed_moments,
        number=first_seed,
        seed=config["seed"],
    message:
        "Analysing learning rates of {wildcards.network} on {wildcards.samples} with {wildcards.schedule}"
    script:
        "../../workflow_scripts/temperature/training/analyse_learning_rates.py"
