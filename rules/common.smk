# Names that every room shares: wildcard constraints and a few helpers; those of one room are in common/. No rules.
import re
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

import configuration
from filterscope import provenance
from filterscope.data.datasets.sources import SOURCES
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

configuration.share_library(SCRIPTS)
configuration.yield_idle_cores()
configuration.keep_freed_memory()
configuration.leave_out_embedded(config, workflow.config_settings.overwrite_config)
REMARKS = configuration.check(config, Path(workflow.basedir) / "rules" / "config.schema.yaml")
if workflow.is_main_process:  # not again in the processes of its jobs
    for remark in REMARKS:
        logger.info(remark)

EXPLANATIONS = config["explanations"]
ANNOTATED = [name for name, entry in config["datasets"].items() if SOURCES[entry["source"]].annotated]
UNANNOTATED = [name for name in config["datasets"] if name not in ANNOTATED]

# Probes of several layers, which are read in one pass: by the name of the group, its probes.
GROUPS = {}
for name in (name for name in config["probes"] if "." in name):
    GROUPS.setdefault(name.partition(".")[0], []).append(name)
SINGLE = [name for name in config["probes"] if "." not in name]


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    vocabulary="|".join(config["vocabularies"]),
    network="|".join(config["networks"]),
    probe="|".join(map(re.escape, config["probes"])),
    group="|".join(GROUPS) or "none^",
    recipe="|".join(config["recipes"]),
    clip="|".join(config["clips"]) or "none^",
    samples="|".join(config["samples"]) or "none^",
    family="alexnet|resnet|plain",
    share=r"\d+",
    number=r"\d+",
    schedule="|".join(config["temperature"]["schedules"]) or "none^",
    seed=r"\d+",
    scatteritem=r"\d+-of-\d+",


scattergather:
    images=config["shards"],


def code(script, *modules):
    """Digest of a script and of the library modules that it imports, some of them by name."""
    return provenance.digest(SCRIPTS / script, *modules)


def only(section, *keys):
    """Just these keys of a section: a rule reruns when one that it reads changes, not when another does."""
    return {key: config[section][key] for key in keys}


def either(names):
    """Wildcard pattern of these names; matches nothing where there are none."""
    return "|".join(names) or "none^"


def sources(section, *kinds):
    """Wildcard pattern of the config's entries of these sources; matches nothing where there are none."""
    return either(name for name, entry in config[section].items() if entry["source"] in kinds)


def other_sources(section, *kinds):
    """Wildcard pattern of the config's entries of all sources but these."""
    return sources(section, *{entry["source"] for entry in config[section].values()}.difference(kinds))


def steering_by(schedule):
    """What a schedule of the temperature room is set to; None where none is named."""
    if schedule is None:
        return None
    return {key: value for key, value in config["temperature"]["schedules"][schedule].items() if key != "search"}


def pictures(dataset):
    """Folder that the paths of a dataset's images are relative to."""
    folder = config["datasets"][dataset].get("folder")
    return folder or f"results/data/{dataset}/pictures"


def annotations_of(wildcards):
    """The dataset's annotations, or nothing for a plain folder."""
    return f"results/data/{wildcards.dataset}/annotations.parquet" if wildcards.dataset in ANNOTATED else []


def weights_of(wildcards):
    """Weights of the probe's network."""
    return f"results/data/networks/{config['probes'][wildcards.probe]['network']}/weights.pt"


def folder_of(wildcards):
    """Picture folder of the dataset."""
    return pictures(wildcards.dataset)


def listing_of(wildcards):
    """Digest of names, sizes and times in a local folder: changing a file in it reruns what reads it."""
    folder = config["datasets"][wildcards.dataset].get("folder")
    return provenance.listing(folder) if folder else None


def probe_settings(wildcards):
    """Layer and call of a rule's probe, and how its network is built."""
    return settings_of_probe(wildcards.probe)


def settings_of_probe(name):
    """Layer and call of a probe, and how its network is built."""
    probe = config["probes"][name]
    network = config["networks"][probe["network"]]
    if "prototxt" in network:  # another stride in it changes no weights, but all that the network says
        network = {**network, "definition": provenance.contents(network["prototxt"])}
    return {"network": network, "layer": probe["layer"], "call": probe["call"]}


def settings_of_group(group):
    """The same of all probes of a group."""
    return [settings_of_probe(name) for name in GROUPS[group]]


def pooling(probe):
    """How a probe's activations are pooled: in its own way, or as all are."""
    return config["probes"][probe]["pool"] or config["activations"]["pool"]


include: "common/data.smk"
include: "common/activations.smk"
include: "common/words.smk"
include: "common/pictures.smk"
include: "common/diagnosis.smk"
include: "common/temperature.smk"
include: "common/report.smk"
