# Networks: the embedded study's are trained or set by hand, others' weights are fetched; all end as a state_dict.
# Before that, every layer that the study reads is checked.


# Of the first priority, and nothing's input: a wrong layer stops a study within seconds of its beginning. If what is
# downloaded or trained waited for it (as for an `ancient` input), Snakemake would not see, in a run that checks
# anything, what else has changed downstream.
rule check_probe:
    input:
        network_files_of_probe,
    output:
        table="results/data/networks/checks/{probe}.parquet",
    log:
        "results/logs/check_probe/{probe}.log",
    benchmark:
        "results/benchmarks/check_probe/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 100
    resources:
        mem_mb=memory(2000),
        runtime="20m",
    params:
        code=code("data/networks/check_probe.py"),
        probe=probe_settings,
        activations=activation_settings,
        pictures=pictures_shown_to,
        max_memory=config["max_memory"],
    message:
        "Checking the layer of {wildcards.probe}"
    script:
        "../../workflow_scripts/data/networks/check_probe.py"


rule gather_checks:
    input:
        expand("results/data/networks/checks/{probe}.parquet", probe=ASKED_PROBES),
    output:
        table=CHECKED,
    log:
        "results/logs/gather_checks.log",
    benchmark:
        "results/benchmarks/gather_checks.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 100
    resources:
        mem_mb=500,
        runtime="5m",
    params:
        code=code("data/networks/gather_checks.py"),
        groups={name: (activations_of(GROUPS[name][0]), most_pictures(GROUPS[name])) for name in GROUPS},
        max_memory=config["max_memory"],
    message:
        "Gathering the layers that are read"
    script:
        "../../workflow_scripts/data/networks/gather_checks.py"


rule train_scenes_network:
    input:
        images=lambda wildcards: f"results/data/{config['networks'][wildcards.network]['dataset']}/images.parquet",
        annotations=lambda wildcards: f"results/data/{config['networks'][wildcards.network]['dataset']}/annotations.parquet",
        pictures=lambda wildcards: pictures(config["networks"][wildcards.network]["dataset"]),
    output:
        weights="results/data/networks/{network}/weights.pt",
        words="results/data/networks/{network}/known_words.parquet",
        history="results/data/networks/{network}/history.csv",
        temperatures="results/data/networks/{network}/temperatures.parquet",
    wildcard_constraints:
        network=sources("networks", *TRAINED),
    log:
        "results/logs/train_scenes_network/{network}.log",
    benchmark:
        "results/benchmarks/train_scenes_network/{network}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: 2
    resources:
        gpu=gpu,
        mem_mb=2000,
        runtime="20m",
    params:
        code=code("data/networks/train_scenes_network.py"),
        network=network_settings,
        steering=lambda wildcards: steering_by(network_settings(wildcards)["schedule"]),
        seed=config["seed"],
    message:
        "Training {wildcards.network} on its scenes"
    script:
        "../../workflow_scripts/data/networks/train_scenes_network.py"


rule plant_scenes_network:
    output:
        weights="results/data/networks/{network}/weights.pt",
        words="results/data/networks/{network}/known_words.parquet",
    wildcard_constraints:
        network=sources("networks", "planted"),
    log:
        "results/logs/plant_scenes_network/{network}.log",
    benchmark:
        "results/benchmarks/plant_scenes_network/{network}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="5m",
    params:
        code=code("data/networks/plant_scenes_network.py"),
        network=network_settings,
    message:
        "Setting the filters of {wildcards.network} by hand"
    script:
        "../../workflow_scripts/data/networks/plant_scenes_network.py"


rule prepare_network:
    input:
        files=network_files,
    output:
        weights="results/data/networks/{network}/weights.pt",
    wildcard_constraints:
        network=sources("networks", *FETCHED_NETWORKS),
    log:
        "results/logs/prepare_network/{network}.log",
    benchmark:
        "results/benchmarks/prepare_network/{network}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    resources:
        mem_mb=4000,
        runtime="30m",
    params:
        code=code("data/networks/prepare_network.py"),
        network=network_settings,
        seed=config["seed"],
    retries: 2
    message:
        "Fetching the weights of {wildcards.network}"
    script:
        "../../workflow_scripts/data/networks/prepare_network.py"
