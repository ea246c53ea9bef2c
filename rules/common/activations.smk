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


def activation_settings(wildcards):
    """How activations are taken; a probe may pool in its own way."""
    return {**config["activations"], "pool": pooling(wildcards.probe)}
