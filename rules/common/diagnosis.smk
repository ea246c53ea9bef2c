# Helpers of the diagnosis room: measured sets, networks and pairs, and their results. No rules.
from types import SimpleNamespace

COMPLEXITY, CAPACITY, FIT = (config["diagnosis"][name] for name in ("complexity", "capacity", "fit"))
MEASURED_SETS = {entry["samples"]: entry for entry in COMPLEXITY["sets"]}
PAIRS = [[pair["network"], pair["samples"]] for pair in FIT["pairs"]]
FITTED_SETS = list(dict.fromkeys(samples for _, samples in PAIRS))
PUBLISHED_COMPLEXITY = f"{ROOT}/studies/published_complexity.csv"
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
    graph = network["file"] if network["source"] == "onnx" else None
    described = Path(network["model"]) / "config.json" if network["source"] == "huggingface" else None
    told = [network.get("prototxt"), made_by, graph, str(described) if described and described.is_file() else None]
    return given([file for file in told if file])


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


RESAMPLING, ROBUSTNESS = (config["diagnosis"][name] for name in ("resampling", "robustness"))
RESAMPLED_SETS = {(entry["samples"], entry["space"]): entry for entry in RESAMPLING["sets"]}
ROBUST_SETS = {(entry["samples"], entry["family"]): entry for entry in ROBUSTNESS["sets"]}
RESAMPLED = "results/diagnosis/resampling/{samples}/{space}"
SCALED = "results/diagnosis/robustness/{samples}/{family}"


def resampled_set(wildcards):
    """What an entry of `resampling.sets` says of its samples."""
    return RESAMPLED_SETS[wildcards.samples, wildcards.space]


def only_of(section, *names):
    """Just these settings of a part of the room's section."""
    return {name: section[name] for name in names}


def by_methods(file):
    """A result of every method by which a set is resampled, of none first."""
    return expand(f"{RESAMPLED}/{{method}}/{file}", method=["none", *RESAMPLING["methods"]], allow_missing=True)


def encoder(wildcards):
    """The network whose features are resampled; none where the values themselves are."""
    if wildcards.space == "values":
        return None
    return {**RESAMPLING["features"], "training": ROBUSTNESS["training"]}


def resampled_files(file):
    """A result of every resampled set."""
    return [f"{RESAMPLED.format(samples=samples, space=space)}/{file}" for samples, space in RESAMPLED_SETS]


def resampling_results():
    """What the room tells about resampling."""
    return ["results/diagnosis/resampling/resampling.csv", *resampled_files("figures")] if RESAMPLED_SETS else []


def robust_set(wildcards):
    """What an entry of `robustness.sets` says of its samples and family."""
    return ROBUST_SETS[wildcards.samples, wildcards.family]


def scaled_folder(wildcards):
    """Where the networks of a family are."""
    return SCALED.format(samples=wildcards.samples, family=wildcards.family)


def scaled_shares(wildcards):
    """The capacities of a grid in batches whose networks are attacked by one job: as many as one job trains."""
    entry = robust_set(wildcards)
    return batches.batches(entry["shares"], max(1, entry["together"] // entry["seeds"]))


def scaled_batches(wildcards):
    """The networks of every capacity in batches that are trained by one job."""
    entry = robust_set(wildcards)
    return batches.batches(range(entry["seeds"]), entry["together"])


def scaled_files(file):
    """A file of all networks of a batch of capacities, batch by batch."""

    def files(wildcards):
        folder = f"{scaled_folder(wildcards)}/{wildcards.shares}"
        return [f"{folder}/{batch}/{file}" for batch in scaled_batches(wildcards)]

    return files


def grid_files(file):
    """A file of all networks of a family, of all capacities of the grid, batch by batch."""

    def files(wildcards):
        folder, shares = scaled_folder(wildcards), scaled_shares(wildcards)
        return [f"{folder}/{each}/{batch}/{file}" for each in shares for batch in scaled_batches(wildcards)]

    return files


def grid_attacks(wildcards, file="attacks.parquet"):
    """Attacks on the networks of a family, of all capacities of the grid."""
    return [f"{scaled_folder(wildcards)}/{shares}/{file}" for shares in scaled_shares(wildcards)]


def robust_inputs():
    """By samples and family, all networks and all attacks on them."""
    keys = {key: SimpleNamespace(samples=key[0], family=key[1]) for key in ROBUST_SETS}
    return {
        key: {"networks": grid_files("networks.parquet")(names), "attacks": grid_attacks(names)}
        for key, names in keys.items()
    }


def robust_families(wildcards):
    """Families of networks that are attacked on these samples."""
    return [family for samples, family in ROBUST_SETS if samples == wildcards.samples]


def attacked_tables(wildcards, file="attacks.parquet"):
    """Attacks on the networks of all families."""
    families = robust_families(wildcards)
    names = [SimpleNamespace(samples=wildcards.samples, family=family) for family in families]
    return [path for each in names for path in grid_attacks(each, file)]


def attacked_pictures(wildcards):
    """What the attacks made of some pictures."""
    return attacked_tables(wildcards, "pictures.parquet")


def search_tables(wildcards):
    """The searches over capacities, of all families; none where none is asked for."""
    if not ROBUSTNESS["search"]:
        return []
    families = robust_families(wildcards)
    return [f"{SCALED.format(samples=wildcards.samples, family=family)}/search.parquet" for family in families]


def searching_attack():
    """The attack by which the search decides, and its settings."""
    name = ROBUSTNESS["search"]
    return {name: ROBUSTNESS["attacks"][name]} if name else {}


def robustness_results():
    """What the room tells about robustness."""
    if not ROBUST_SETS:
        return []
    names = list(dict.fromkeys(samples for samples, _ in ROBUST_SETS))
    figures = [f"results/diagnosis/robustness/{samples}/figures" for samples in names]
    return ["results/diagnosis/robustness/robustness.csv", *figures]
