"""Note what a study has and where it lies, for the atlas and whoever makes it anew."""

import json

from filterscope import job, tables
from filterscope.data.networks.settings import input_of


def note_places(places, networks, path_to_places):
    """places: what filterscope.report.atlas.places reads, but for each layer's `view`. networks: the config's entries,
    by name; the weights' own transforms may say how a network sees pictures."""
    for layer in places["layers"]:
        seen = input_of(networks[layer["network"]])
        layer["view"] = {"resize": seen.resize, "crop": seen.crop}
    with tables.replacing(path_to_places) as temporary:
        temporary.write_text(json.dumps(places, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    note_places(
        places=snakemake.params.places,
        networks=snakemake.params.networks,
        path_to_places=snakemake.output.places,
    )
