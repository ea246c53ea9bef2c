# Helpers of the activations room: how a network looks at a dataset. No rules.


def in_shards(file):
    """Tables of a rule's probe: those of all shards, or the one that there is where the dataset is not cut."""
    if not SHARDED:
        return [f"results/activations/{{dataset}}/{{probe}}/{file}"]
    return gather.images(f"results/activations/{{{{dataset}}}}/{{{{probe}}}}/shards/{{scatteritem}}/{file}")


# What a never-trained network has been seen to say, by the name under which its scores read it.
UNTRAINED = ("pooled", "looked", "sums", "attended", "maps", "thresholds", "rejected")


def of_untrained(probes, file):
    """Tables of the never-trained network in the layers of these probes, of every shard if they are made in shards; none
    where its scores look at the pictures themselves."""
    if not SHARDED:
        return []
    folders = [f"results/activations/{{{{dataset}}}}/{untrained(probe)}" for probe in probes]
    paths = [path for folder in folders for path in gather.images(f"{folder}/{file}")]
    return list(dict.fromkeys(paths))  # a file that is not of a shard is named once


def kept_of_untrained(wildcards):
    """Gigabytes of maps that are kept of a never-trained network; none of pictures that no other job shows it."""
    return 0 if config["faithful"]["random_crops"] else config["activations"]["kept"]


def has_boxes(dataset):
    """Whether the masks of the dataset are boxes."""
    return SOURCES[config["datasets"][dataset]["source"]].boxes


def extraction_defects(wildcards):
    """The switched-on defects of the reference that concern how it looked at this dataset."""
    switches = only(
        "faithful", "mask_scale", "empty_masks", "random_crops", "transposed_boxes", "lower_tail", "unpooled"
    )
    return {**switches, "transposed_boxes": switches["transposed_boxes"] and has_boxes(wildcards.dataset)}


def activations_of(probe):
    """How activations are taken; a probe may pool in its own way."""
    settings = {key: value for key, value in config["activations"].items() if key != "kept"}
    return {**settings, "pool": pooling(probe)}


def activation_settings(wildcards):
    """How activations of a rule's probe are taken."""
    return activations_of(wildcards.probe)


def group_folders(group, pattern):
    """A path per probe of a group: pattern with its name in the place of PROBE."""
    return [pattern.replace("PROBE", probe) for probe in GROUPS[group]]


def weights_of_group(group):
    """Weights of the group's network."""
    return f"results/data/networks/{config['probes'][GROUPS[group][0]]['network']}/weights.pt"


def single_probe(wildcards):
    """Layer, call and network of a rule's probe, as a group of one."""
    return [probe_settings(wildcards)]
