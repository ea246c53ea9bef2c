# Helpers of the diagnosis room: measured sets, networks and pairs, and their results. No rules.
from types import SimpleNamespace

COMPLEXITY, CAPACITY, FIT = (config["diagnosis"][name] for name in ("complexity", "capacity", "fit"))
MEASURED_SETS = {entry["samples"]: entry for entry in COMPLEXITY["sets"]}
PAIRS = [[pair["network"], pair["samples"]] for pair in FIT["pairs"]]
FITTED_SETS = list(dict.fromkeys(samples for _, samples in PAIRS))
PUBLISHED_COMPLEXITY = f"{workflow.basedir}/studies/published_complexity.csv"
COMPLEXITY_TABLES = ("expected_capacities", "separabilities", "embeddings", "class_similarities", "class_places")


def complexity_of(samples, table):
    """A table of one set's complexity."""
    return f"results/diagnosis/complexity/{samples}/{table}.parquet"


def complexity_files():
    """By set of samples, the files of the tables of its complexity that are tabulated."""
    wanted = ("expected_capacities", "separabilities", "embeddings")
    return {samples: {table: complexity_of(samples, table) for table in wanted} for samples in MEASURED_SETS}


def samples_of(name):
    """A set of labelled samples."""
    return f"results/data/samples/{name}/samples.parquet"


def embeddings_of(wildcards):
    """The spaces in which the classes of a set are compared."""
    return MEASURED_SETS[wildcards.samples]["embeddings"]


def embedding_probes(wildcards):
    """By embedding that is a probe, its layer and network."""
    names = [name for name in embeddings_of(wildcards) if name in config["probes"]]
    return {name: probe_settings(SimpleNamespace(probe=name)) for name in names}


def embedding_weights(wildcards):
    """Weights of the networks of those probes, in the same order."""
    return [
        f"results/data/networks/{config['probes'][name]['network']}/weights.pt"
        for name in embeddings_of(wildcards)
        if name in config["probes"]
    ]


def measured_network(wildcards):
    """How a network whose capacity is measured is built: an entry of `networks`, or torchvision's of that name."""
    if wildcards.network in config["networks"]:
        return network_settings(wildcards)
    size = CAPACITY["size"]
    source = {"source": "torchvision", "architecture": wildcards.network, "weights": None}
    return {**source, "input": {"resize": size, "crop": size}}


def measured_network_files(wildcards):
    """Local files that tell how the network is built; weights do not matter for its capacity."""
    if wildcards.network not in config["networks"]:
        return []
    network = network_settings(wildcards)
    made_by = provenance.factory_file(network["factory"]) if "factory" in network else None
    return [file for file in (network.get("prototxt"), made_by) if file]


def complexity_results():
    """What the room tells about data."""
    return (
        ["results/diagnosis/complexity/complexity.csv", "results/diagnosis/complexity/figures"] if MEASURED_SETS else []
    )


def capacity_results():
    """What the room tells about networks."""
    figures = [f"results/diagnosis/capacity/{network}/layers.png" for network in CAPACITY["networks"]]
    return ["results/diagnosis/capacity/capacity.csv", *figures] if CAPACITY["networks"] else []


def fit_results():
    """What the room tells about both."""
    return ["results/diagnosis/fit.csv"] if PAIRS else []
