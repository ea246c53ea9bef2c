"""Draw the measured sets of two dimensions, the complexity of all, and how similar their classes are."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.figures import curves_figure, planes_figure, similarity_figure


def render_complexity(path_to_table, paths_to_samples, paths_to_similarities, paths_to_places, path_to_figures):
    """The paths are by name of the samples; sets of two classes have no figure of their similarity."""
    target = Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    curves_figure(tables.read(path_to_table, "complexity").to_pandas()).savefig(target / "curves.png")
    planes = []
    for name, path in paths_to_samples.items():
        if json.loads(pq.read_schema(path).metadata[b"shape"]) == [2]:
            samples = read_samples(path).part("train")
            planes.append((name, samples.values, samples.labels))
        similarities = tables.read(paths_to_similarities[name], "class_similarities").to_pandas()
        places = tables.read(paths_to_places[name], "class_places").to_pandas()
        for embedding, own in places.groupby("embedding", sort=False):
            if len(own) > 2:
                rows = similarities[similarities["embedding"] == embedding]
                figure = similarity_figure(f"Classes of {name}, {embedding}", rows, own)
                figure.savefig(target / f"similarity_{name}_{embedding}.png")
    if planes:
        planes_figure(planes).savefig(target / "planes.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    names = snakemake.params.samples
    by_name = {
        key: dict(zip(names, snakemake.input[key], strict=True)) for key in ("samples", "similarities", "places")
    }
    render_complexity(
        path_to_table=snakemake.input.table,
        paths_to_samples=by_name["samples"],
        paths_to_similarities=by_name["similarities"],
        paths_to_places=by_name["places"],
        path_to_figures=snakemake.output.figures,
    )
