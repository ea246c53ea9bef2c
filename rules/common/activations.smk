# Helpers of the activations room: how a network looks at a dataset. No rules.


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
