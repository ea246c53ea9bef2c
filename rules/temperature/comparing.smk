# Trainings beside each other: courses and ranges drawn, errors, duels and times tabulated.


rule gather_courses:
    input:
        history=lambda wildcards: first_trainings(wildcards, "history.parquet"),
        steps=lambda wildcards: first_trainings(wildcards, "steps.parquet"),
        temperatures=lambda wildcards: first_trainings(wildcards, "temperatures.parquet"),
    output:
        heat="results/temperature/{network}/{samples}/temperatures.parquet",
        heat_csv="results/temperature/{network}/{samples}/temperatures.csv",
        courses="results/temperature/{network}/{samples}/courses.parquet",
        courses_csv="results/temperature/{network}/{samples}/courses.csv",
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/gather_courses/{network}/{samples}.log",
    benchmark:
        "results/benchmarks/gather_courses/{network}/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/gather_courses.py"),
        schedules=trained_schedules,
        seed=first_seed,
    message:
        "Gathering the trainings of {wildcards.network} on {wildcards.samples}"
    script:
        "../../workflow_scripts/temperature/comparing/gather_courses.py"


rule render_temperatures:
    input:
        heat=rules.gather_courses.output.heat,
    output:
        figure=report(
            "results/temperature/{network}/{samples}/temperatures.png",
            caption="../captions/temperatures.rst",
            category="Temperature",
            subcategory="{network} / {samples}",
            labels={"figure": "temperature of every layer"},
        ),
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/render_temperatures/{network}/{samples}.log",
    benchmark:
        "results/benchmarks/render_temperatures/{network}/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/render_temperatures.py"),
        title=lambda wildcards: f"{wildcards.network} on {wildcards.samples}",
    message:
        "Drawing the temperatures of {wildcards.network} on {wildcards.samples}"
    script:
        "../../workflow_scripts/temperature/comparing/render_temperatures.py"


rule render_courses:
    input:
        courses=rules.gather_courses.output.courses,
    output:
        figure=report(
            "results/temperature/{network}/{samples}/courses.png",
            caption="../captions/courses.rst",
            category="Temperature",
            subcategory="{network} / {samples}",
            labels={"figure": "learning rate, accuracy, temperature"},
        ),
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/render_courses/{network}/{samples}.log",
    benchmark:
        "results/benchmarks/render_courses/{network}/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/render_courses.py"),
        schedules=duelling_schedules,
        title=lambda wildcards: f"{wildcards.network} on {wildcards.samples}",
    message:
        "Drawing the trainings of {wildcards.network} on {wildcards.samples}"
    script:
        "../../workflow_scripts/temperature/comparing/render_courses.py"


rule render_starts:
    input:
        courses=rules.gather_courses.output.courses,
    output:
        figure=report(
            "results/temperature/{network}/{samples}/starts.png",
            caption="../captions/starts.rst",
            category="Temperature",
            subcategory="{network} / {samples}",
            labels={"figure": "where the learning rate begins"},
        ),
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/render_starts/{network}/{samples}.log",
    benchmark:
        "results/benchmarks/render_starts/{network}/{samples}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/render_starts.py"),
        schedules=starting_schedules,
        title=lambda wildcards: f"{wildcards.network} on {wildcards.samples}",
    message:
        "Drawing the beginnings of {wildcards.network} on {wildcards.samples}"
    script:
        "../../workflow_scripts/temperature/comparing/render_starts.py"


rule render_ranges:
    input:
        points=rules.analyse_learning_rates.output.points,
        fits=rules.analyse_learning_rates.output.fits,
    output:
        figure=report(
            "results/temperature/{network}/{samples}/{schedule}/ranges.png",
            caption="../captions/ranges.rst",
            category="Temperature",
            subcategory="{network} / {samples}",
            labels={"figure": "learning rates of one step, {schedule}"},
        ),
    wildcard_constraints:
        network=TRAINED_NETWORKS,
    log:
        "results/logs/render_ranges/{network}/{samples}/{schedule}.log",
    benchmark:
        "results/benchmarks/render_ranges/{network}/{samples}/{schedule}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/render_ranges.py"),
        title=lambda wildcards: f"{wildcards.network} on {wildcards.samples}, trained with {wildcards.schedule}",
    message:
        "Drawing the learning rate analyses of {wildcards.network} on {wildcards.samples} with {wildcards.schedule}"
    script:
        "../../workflow_scripts/temperature/comparing/render_ranges.py"


rule tabulate_training:
    input:
        results=duelling_trainings("results.parquet"),
    output:
        table="results/temperature/training.parquet",
        csv="results/temperature/training.csv",
    log:
        "results/logs/tabulate_training.log",
    benchmark:
        "results/benchmarks/tabulate_training.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        published=Path(PUBLISHED_TRAINING).read_text(),
        code=code("temperature/comparing/tabulate_training.py"),
        experiments=repeated_experiments(),
    message:
        "Tabulating test errors beside the published ones"
    script:
        "../../workflow_scripts/temperature/comparing/tabulate_training.py"


rule tabulate_duel:
    input:
        results=duelling_trainings("results.parquet"),
    output:
        duel="results/temperature/duel.parquet",
        duel_csv="results/temperature/duel.csv",
        pairs="results/temperature/duel_pairs.parquet",
        pairs_csv="results/temperature/duel_pairs.csv",
    log:
        "results/logs/tabulate_duel.log",
    benchmark:
        "results/benchmarks/tabulate_duel.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/tabulate_duel.py"),
        trials=tuning_trials(),
    message:
        "Tabulating wins, losses and cost of the schedules"
    script:
        "../../workflow_scripts/temperature/comparing/tabulate_duel.py"


rule tabulate_times:
    input:
        times=duelling_trainings("times.parquet"),
    output:
        csv="results/temperature/times.csv",
    log:
        "results/logs/tabulate_times.log",
    benchmark:
        "results/benchmarks/tabulate_times.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/tabulate_times.py"),
    message:
        "Tabulating how long trainings took"
    script:
        "../../workflow_scripts/temperature/comparing/tabulate_times.py"


rule render_errors:
    input:
        table=rules.tabulate_training.output.table,
    output:
        figure=report(
            "results/temperature/training.png",
            caption="../captions/errors.rst",
            category="Temperature",
            labels={"figure": "test errors of the schedules"},
        ),
    log:
        "results/logs/render_errors.log",
    benchmark:
        "results/benchmarks/render_errors.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/render_errors.py"),
    message:
        "Drawing the test errors of the schedules"
    script:
        "../../workflow_scripts/temperature/comparing/render_errors.py"


rule render_network_temperatures:
    input:
        temperatures="results/data/networks/{network}/temperatures.parquet",
    output:
        figure=report(
            "results/temperature/networks/{network}.png",
            caption="../captions/temperatures.rst",
            category="Temperature",
            subcategory="networks of the study",
            labels={"figure": "temperature of every layer of {network}"},
        ),
        heat="results/temperature/networks/{network}.csv",
    wildcard_constraints:
        network=sources("networks", "scenes_cnn"),
    log:
        "results/logs/render_network_temperatures/{network}.log",
    benchmark:
        "results/benchmarks/render_network_temperatures/{network}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("temperature/comparing/render_network_temperatures.py"),
        schedule=lambda wildcards: network_settings(wildcards)["schedule"],
    message:
        "Drawing the temperatures of {wildcards.network}"
    script:
        "../../workflow_scripts/temperature/comparing/render_network_temperatures.py"
