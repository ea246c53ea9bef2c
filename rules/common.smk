# Names that every room shares: wildcard constraints and a few helpers; those of one room are in common/. No rules.
import re
import sys
from pathlib import Path

# Of this workflow, also where another one imports it as a module.
ROOT = Path(str(workflow.current_basedir)).parent
SCRIPTS = ROOT / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

import configuration
from configuration import batches
from configuration import resources as asked
from filterscope.data.networks.untrained import is_untrained, trained, untrained
from filterscope import provenance
from filterscope.data.datasets import counting
from filterscope.data.datasets.sources import SOURCES
from filterscope.data.networks.settings import TRAINED
from snakemake.exceptions import WorkflowError
from snakemake.io import flag
from snakemake.logging import logger
from snakemake.path_modifier import PATH_MODIFIER_FLAG

configuration.share_library(SCRIPTS)
configuration.yield_idle_cores()
configuration.keep_freed_memory()
if workflow.modifier.skip_configfile:  # imported as a module with a config of its own, which may name what differs
    configuration.complete(config, ROOT / "config.yaml")
else:
    configuration.leave_out_embedded(config, workflow.config_settings.overwrite_config)
REMARKS = configuration.check(config, ROOT / "rules" / "config.schema.yaml")
if workflow.is_main_process:  # not again in the processes of its jobs
    for remark in REMARKS:
        logger.info(remark)
    # Not for one who only looks, and not of files that are another workflow's, too.
    looks = workflow.modifier.skip_configfile or workflow.dryrun
    if not looks and (unrecorded := configuration.doubt_unrecorded(Path(".snakemake"))):
        logger.info(f"The records of {unrecorded} files are lost, as after a loss of power: they are made again.")
configuration.share_threads(config["threads"])

EXPLANATIONS = config["explanations"]
ANNOTATED = [name for name, entry in config["datasets"].items() if SOURCES[entry["source"]].annotated]
UNANNOTATED = [name for name in config["datasets"] if name not in ANNOTATED]

# Probes of several layers, which are read in one pass: by the name of the group, its probes.
GROUPS = {}
for name in (name for name in config["probes"] if "." in name):
    GROUPS.setdefault(name.partition(".")[0], []).append(name)
SINGLE = [name for name in config["probes"] if "." not in name]

# Whether what looks at photographs is cut into several jobs, whose results another one gathers.
SHARDED = config["shards"] > 1


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    vocabulary="|".join(config["vocabularies"]),
    network="|".join(config["networks"]),
    probe="|".join(re.escape(each) for name in config["probes"] for each in (name, untrained(name))),
    group="|".join(GROUPS) or "none^",
    recipe="|".join(config["recipes"]),
    clip="|".join(config["clips"]) or "none^",
    samples="|".join(config["samples"]) or "none^",
    family="alexnet|resnet|plain",
    shares=batches.PATTERN,
    numbers=batches.PATTERN,
    schedule="|".join(config["temperature"]["schedules"]) or "none^",
    seeds=batches.PATTERN,
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


def given(paths):
    """A file or folder that the config names, or several: read where they lie, also by a run that keeps its results in a
    bucket, and by a workflow that imports this one with a prefix. Snakemake then moves only what it has not moved before.

    (Its own flag for that, `local`, would have all that reads photographs run where Snakemake does.)
    """
    return flag(paths, PATH_MODIFIER_FLAG) if paths else []


def pictures(dataset):
    """Folder that the paths of a dataset's images are relative to."""
    folder = config["datasets"][dataset].get("folder")
    return given(folder) if folder else f"results/data/{dataset}/pictures"


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
    """Layer and call of a probe, and how its network is built; of a never-trained one as of the trained."""
    probe = config["probes"][trained(name)]
    network = config["networks"][probe["network"]]
    if "prototxt" in network:  # another stride in it changes no weights, but all that the network says
        network = {**network, "definition": provenance.contents(network["prototxt"])}
    if network["source"] == "onnx":
        network = {**network, "definition": provenance.contents(network["file"])}
    return {"network": network, "layer": probe["layer"], "call": probe["call"]}


def settings_of_group(group):
    """The same of all probes of a group."""
    return [settings_of_probe(name) for name in GROUPS[group]]


def pooling(probe):
    """How a probe's activations are pooled: in its own way, or as all are."""
    return config["probes"][trained(probe)]["pool"] or config["activations"]["pool"]


def executor():
    """Name of what runs the jobs, as --executor has it; None while that is not known."""
    return workflow.executor_plugin.name if workflow.executor_plugin else None


def refuse_unfit_cluster():
    """Stop where no job could run, or nobody would tell the run when one has ended."""
    if executor() == "slurm" and (
        wrong := configuration.unfit(config["gpus"], workflow.executor_settings.status_command)
    ):
        raise WorkflowError(wrong)
    if executor() == "kubernetes":
        configuration.tell_logs_of_failed_pods()
    configuration.hush_guesses(logger)


def gpu(wildcards):
    """GPUs of a job that can use one."""
    return configuration.gpus(config["gpus"], executor())


def cores(wildcards):
    """Cores of a job that shows pictures to a network. Trainings have the config's: with others they end otherwise."""
    return configuration.cores(config["threads"], gpu(wildcards), executor())


def memory(base, times=0, objects=0, but=()):
    """MB of memory that a job asks for: a base, so many times what it reads, so many for a thousand objects.

    but: inputs, by name, that it reads bit by bit.
    """

    def memory(wildcards, input, threads, attempt):
        most = configuration.largest_memory(executor()) or asked.LARGEST_MEMORY
        apart = {path for name in but for path in input.get(name)}
        read = [path for path in input if path not in apart]
        return asked.memory(base + objects * expected(wildcards)[1] / 1000, times, read, config, threads, attempt, most)

    return memory


def minutes(base, thousand=0, pieces=None):
    """Minutes that a job asks for: a base, and so many for a thousand of the dataset's pictures, a fifth with a GPU.

    pieces: that shards share out among them, where it is not the pictures.
    """
    shards = config["shards"]
    parts = asked.parts(pieces, shards) if pieces else shards

    def minutes(wildcards, attempt):
        cut = parts if "scatteritem" in wildcards.keys() else 1
        pictures = expected(wildcards)[0] / cut / (5 if gpu(wildcards) else 1)
        return asked.minutes(base, thousand, pictures, attempt)

    return minutes


def disk(base, times=0):
    """MB of a node's disk that a job asks for: a base, and so many times what it reads."""

    def disk(wildcards, input, attempt):
        return asked.disk(base, times, list(input), attempt)

    return disk


def together(chain):
    """Group of a step of a chain, which is submitted as one job; none of a large dataset's, each of whose steps is.

    Of a network that was never trained the chain is another.
    """

    def together(wildcards):
        if expected(wildcards)[0] > asked.LARGE:
            return None
        return "untrained" if is_untrained(wildcards.get("probe", "")) else chain

    return together


def expected(wildcards):
    """Pictures and objects of a job's dataset; none where it has no dataset."""
    return asked.counted(wildcards.dataset, config) if "dataset" in wildcards.keys() else (0, 0)


include: "common/data.smk"
include: "common/activations.smk"
include: "common/words.smk"
include: "common/pictures.smk"
include: "common/diagnosis.smk"
include: "common/temperature.smk"
include: "common/report.smk"
include: "common/atlas.smk"
