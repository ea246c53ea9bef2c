# Helpers of the temperature room: which trainings there are, and what they are made of. No rules.

DUELS = config["temperature"]["duels"]
STARTS = config["temperature"]["starts"]
RANGES = config["temperature"]["ranges"]
TRAINED_NETWORKS = "|".join(config["temperature"]["networks"]) or "none^"
PUBLISHED_TRAINING = f"{ROOT}/studies/published_training.csv"


def duel_of(network, samples):
    """The duel of a network on samples, of which there is one at most."""
    entries = (entry for entry in DUELS if (entry["network"], entry["samples"]) == (network, samples))
    return next(entries, {"schedules": [], "seeds": [0], "together": 1})


def training_with(wildcards, schedule, seed, file):
    """A result of the batch of trainings with a schedule that holds a seed."""
    duel = duel_of(wildcards.network, wildcards.samples)
    batch = str(seed)
    if schedule in duel["schedules"]:
        batch = batches.batch_with(seed, duel["seeds"], duel["together"])
    return f"results/temperature/{wildcards.network}/{wildcards.samples}/{schedule}/{batch}/{file}"


def duelling_trainings(file):
    """A result of all trainings of the duels, batch by batch."""
    return [
        f"results/temperature/{entry['network']}/{entry['samples']}/{schedule}/{batch}/{file}"
        for entry in DUELS
        for schedule in entry["schedules"]
        for batch in batches.batches(entry["seeds"], entry["together"])
    ]


def schedules_in(entries, wildcards):
    """Schedules that entries name for a network and samples."""
    names = (wildcards.network, wildcards.samples)
    return [each for entry in entries if (entry["network"], entry["samples"]) == names for each in entry["schedules"]]


def duelling_schedules(wildcards):
    """Schedules that are compared, in the order of the config."""
    return schedules_in(DUELS, wildcards)


def starting_schedules(wildcards):
    """Schedules that differ in the learning rate that they begin with."""
    return schedules_in(STARTS, wildcards)


def trained_schedules(wildcards):
    """All schedules that a network is trained with on these samples, each once."""
    return list(dict.fromkeys([*duelling_schedules(wildcards), *starting_schedules(wildcards)]))


def first_seed(wildcards):
    """The training that figures show, of all that the tables hold."""
    return min(duel_of(wildcards.network, wildcards.samples)["seeds"])


def first_trainings(wildcards, file):
    """A result of the first training with each schedule."""
    return [training_with(wildcards, each, first_seed(wildcards), file) for each in trained_schedules(wildcards)]


def trained_network(wildcards):
    """What is trained."""
    return config["temperature"]["networks"][wildcards.network]


def temperature_factory(wildcards):
    """The file of a network that comes from a function of the user's."""
    factory = trained_network(wildcards)["factory"]
    return given(provenance.factory_file(factory) if factory else None)


def temperature_module(wildcards):
    """Digest of the module of a network that comes from a function in one."""
    factory = trained_network(wildcards)["factory"]
    return provenance.factory_module(factory) if factory else None


def schedule_settings(wildcards):
    """What a schedule is set to, before tuning."""
    entry = config["temperature"]["schedules"][wildcards.schedule]
    return {key: value for key, value in entry.items() if key != "search"}


def training_settings(wildcards):
    """How long and on what batches these samples are trained on: their own settings over those of all."""
    training = config["temperature"]["training"]
    own = config["temperature"]["training_of"].get(wildcards.samples, {})
    return {**training, **own}


def is_tuned(schedule):
    """Whether a schedule's settings are looked for."""
    return bool(config["temperature"]["trials"] and config["temperature"]["schedules"][schedule]["search"])


def tuned(wildcards):
    """The trials of a schedule that is tuned."""
    folder = f"results/temperature/{wildcards.network}/{wildcards.samples}/{wildcards.schedule}"
    return {"trials": f"{folder}/trials.parquet"} if is_tuned(wildcards.schedule) else {}


def tuning_trials():
    """Trainings that the tuning of every schedule takes."""
    return {
        f"{entry['network']} {entry['samples']} {schedule}": config["temperature"]["trials"]
        for entry in DUELS
        for schedule in entry["schedules"]
        if is_tuned(schedule)
    }


def analysed_moments(wildcards):
    """Shares of the training at which learning rates are analysed."""
    names = (wildcards.network, wildcards.samples, wildcards.schedule)
    for entry in RANGES:
        if (entry["network"], entry["samples"], entry["schedule"]) == names:
            return entry["moments"]
    raise WorkflowError(f"temperature.ranges has no entry for {', '.join(names)}: add one to the config")


def repeated_experiments():
    """The published experiment that a network on some samples repeats."""
    return {f"{entry['network']} {entry['samples']}": entry["experiment"] for entry in DUELS if entry["experiment"]}


def steered_networks():
    """Networks of explanations that are trained with a schedule of this room."""
    used = dict.fromkeys(config["probes"][entry["probe"]]["network"] for entry in EXPLANATIONS)
    return [network for network in used if config["networks"][network].get("schedule")]


def temperature_results():
    """Tables and figures of everything that the config asks for."""
    files = ["training.csv", "training.png", "duel.csv", "times.csv"] if DUELS else []
    pairs = list(dict.fromkeys((entry["network"], entry["samples"]) for entry in [*DUELS, *STARTS]))
    files += [f"{network}/{samples}/temperatures.png" for network, samples in pairs]
    files += [f"{entry['network']}/{entry['samples']}/courses.png" for entry in DUELS]
    files += [f"{entry['network']}/{entry['samples']}/starts.png" for entry in STARTS]
    files += [f"{entry['network']}/{entry['samples']}/{entry['schedule']}/ranges.png" for entry in RANGES]
    files += [f"networks/{network}.png" for network in steered_networks()]
    return [f"results/temperature/{file}" for file in dict.fromkeys(files)]
