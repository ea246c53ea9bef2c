"""Tabulate what each defect of the reference costs in recall: default, each switch alone, all."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from filterscope import job, provenance, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building
from filterscope.faithful import Faithful
from filterscope.resumption import Journal
from filterscope.words import preparation
from filterscope.words.defects import costs
from filterscope.words.in_memory_run import PICTURES, ProbeTrials, TrialSettings


def tabulate_defects(
    paths: dict,
    path_to_table,
    path_to_csv,
    folder,
    settings: TrialSettings,
    probe,
    seed,
    largest_explainer,
    boxes=False,
    code="",
):
    """paths: as in `preparation.material`, and weights; largest_explainer: inputs above which unpooled is not tried.

    boxes: whether the dataset's masks are boxes, which one of the defects is about. code: digest of the program; what
    another program has measured is not taken up.
    """
    device = job.device()
    files = [each for path in paths.values() for each in ([path] if isinstance(path, (str, Path)) else path)]
    told = replace(
        settings, extraction=replace(settings.extraction, workers=0)
    )  # by how many processes changes nothing
    grounds = (code, told, probe, seed, sorted(map(provenance.contents, files), key=str))
    journal = Journal(Path(path_to_table).with_name(".defects.json"), *grounds, things="variants")
    material = preparation.material(paths, folder, probe.inputs)
    with reading(probe, building.load(probe.network, paths["weights"]), device) as reader:
        switches = [name for name in Faithful.names() if boxes or name != "transposed_boxes"]
        if reader.filters * reader.height * reader.width > largest_explainer:
            job.LOGGER.info("the switch unpooled is not tried: the explainer would have too many inputs")
            switches.remove("unpooled")
        trials = ProbeTrials(material, reader, seed, device, job.progress, PICTURES)
        variants = {
            "default": Faithful(),
            **{name: Faithful.only(name) for name in switches},
            "all": Faithful.only(*switches),
        }
        for name, defects in job.progress(variants.items(), len(variants), "variants"):
            if name not in journal.found:
                journal.add(name, as_values(trials.run(settings, defects)))
    measured = {name: pd.DataFrame(journal.found[name]) for name in variants}
    if "unpooled" not in measured:
        nothing = measured["default"].assign(n=0)
        measured = {**measured, "unpooled": nothing, "all_but_unpooled": measured["all"]}
        del measured["all"]
    table = costs(measured, settings.scores.confidence)
    for path in (path_to_table, path_to_csv):
        tables.write(table.astype(object).where(pd.notna(table), None), "defects", path)
    journal.remove()


def as_values(measured: pd.DataFrame) -> dict[str, list]:
    """A variant's measurements, by column, in numbers and texts that JSON keeps to the last bit."""
    return measured.assign(resamples=[each.tolist() for each in measured["resamples"]]).to_dict("list")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    settings = preparation.trial(snakemake.params, snakemake.threads)
    settings.pop("defects")
    tabulate_defects(
        paths=dict(snakemake.input.items()),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        largest_explainer=snakemake.params.largest_explainer,
        boxes=snakemake.params.boxes,
        code=snakemake.params.code,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        **settings,
    )
