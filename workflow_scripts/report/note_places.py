"""Note what a study has and where it lies, for the atlas and whoever makes it anew."""

import json

from filterscope import job, tables


def note_places(places, path_to_places):
    """places: what filterscope.report.atlas.places reads."""
    with tables.replacing(path_to_places) as temporary:
        temporary.write_text(json.dumps(places, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    note_places(places=snakemake.params.places, path_to_places=snakemake.output.places)
