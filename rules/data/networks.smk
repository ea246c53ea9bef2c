# Networks: the embedded study's are trained or set by hand, others' weights are fetched; all end as a state_dict.
# Before that, every layer that the study reads is checked.


# Of the first priority, and nothing's input: a wrong layer stops a study within seconds of its beginning. If what is
# downloaded or trained waited for it (as for an `ancient` input), Snakemake would not see, in a run that checks
# anything, what else has changed downstream. One job, as a probe is checked sooner than a job starts.
rule check_probes:
    input:
        files_of_checked_networks(),
    output:
        table=CHECKED,
    log:
        "results/logs/check_probes.log",
    benchmark:
        "results/benchmarks/check_probes.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 100
    resources:
        mem_mb=memory(1300),
        runtime="20m",
    params:
        code=code("data/networks/check_probes.py"),
        probes={name: settings_of_probe(name) for name in ASKED_PROBES},
        passes=passes_of(ASKED_PROBES),
        datasets=telling_of(ASKED_PROBES),  # the job counts: for one picture more nothing is checked again
        max_memory=config["max_memory"],
    message:
        "Checking the layers of all probes"
    script:
        "../../workflow_scripts/data/networks/check_probes.py"


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
    threads: 1  # it calculates with two, of which the second is idle most of the time
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
