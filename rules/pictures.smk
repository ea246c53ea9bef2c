# The pictures room: what filters look for (Amirli, 4; the recipe `octaves`: MFV, 4.3.2).
#
# Inputs:  a network's weights, pictures of a dataset and how strongly they excite the filters
# Outputs: results/pictures/{dataset}/{probe}/: {recipe}/pictures.*, picture_words.* and filter_*.png, sheets/, facets/, criteria*,
#          senses/, strongest_filters.* and occlusions.* with their figures
#          results/pictures/{dataset}/network*: all networks that drew its classes
# Steps:   maximise activations, name the pictures, find the facets of classes, score their pictures, compare the networks that
#          drew them, find the senses of filters, the strongest filters of photographs, measure occlusion, render


rule pictures:
    """Optimised pictures, facets, strongest filters and occlusions of every entry."""
    input:
        CHECKED if ASKED_PROBES else [],
        [pictures_of(entry, f"{entry['recipe']}/pictures.csv") for entry in config["pictures"]],
        [pictures_of(entry, f"{entry['recipe']}/picture_words.csv") for entry in named_pictures()],
        [pictures_of(entry, "sheets") for entry in config["pictures"]],
        [pictures_of(entry, f"facets/{folder}") for entry in config["facets"] for folder in ("figures", "plates")],
        [pictures_of(entry, "criteria.png") for entry in config["facets"]],
        expand(
            "results/pictures/{dataset}/{file}", dataset=compared_datasets(), file=("networks.png", "network_sheets")
        ),
        [pictures_of(entry, "senses/figures") for entry in config["senses"]],
        [pictures_of(entry, "strongest_filters") for entry in config["strongest_filters"]],
        [pictures_of(entry, "occlusions") for entry in config["occlusions"]],


include: "pictures/maximisation.smk"
include: "pictures/facets.smk"
include: "pictures/comparison.smk"
include: "pictures/senses.smk"
include: "pictures/photographs.smk"
