"""Tabulate what each defect of the reference costs in recall: default, each switch alone, all."""

from dataclasses import replace
from pathlib import Path

from filterscope import job, provenance
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building
from filterscope.faithful import Faithful
from filterscope.resumption import Journal
from filterscope.words import preparation
from filterscope.words.defects import as_values, read_measured, variants, write_costs, write_measured
from filterscope.words.in_memory_run import PICTURES, ProbeTrials, SharedLooks, TrialSettings


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
    scatteritem=None,
    path_to_measured=None,
    paths_to_measured=(),
):
    """paths: as in `preparation.material`, and weights; largest_explainer: inputs above which unpooled is not tried.

    boxes: whether the dataset's masks are boxes, which one of the defects is about. code: digest of the program; what
    another program has measured is not taken up. scatteritem: this job's part of the variants, which it writes to
    path_to_measured instead of the table; paths_to_measured: of all such jobs, when nothing is measured here.
    """
    if paths_to_measured:
        write_costs(read_measured(paths_to_measured), path_to_table, path_to_csv, settings.scores.confidence)
        return
    switches = [name for name in Faithful.names() if boxes or name != "transposed_boxes"]
    if not variants(switches, scatteritem):  # more jobs than variants
        write_measured({}, path_to_measured)
        return
    device = job.device()
    files = [each for path in paths.values() for each in ([path] if isinstance(path, (str, Path)) else path)]
    told = replace(settings, extraction=replace(settings.extraction, workers=0))  # by how many changes nothing
    grounds = (code, told, probe, seed, sorted(map(provenance.contents, files), key=str))
    beside = Path(path_to_measured or path_to_table)
    journal = Journal(beside.with_name(f".{beside.stem}.json"), *grounds, things="variants")
    material = preparation.material(paths, folder, probe.inputs)
    with reading(probe, building.load(probe.network, paths["weights"]), device) as reader:
        if reader.filters * reader.height * reader.width > largest_explainer:
            job.LOGGER.info("the switch unpooled is not tried: the explainer would have too many inputs")
            switches.remove("unpooled")
        trials = ProbeTrials(material, reader, seed, device, job.progress, SharedLooks(PICTURES))
        own = variants(switches, scatteritem)
        for name, defects in job.progress(own.items(), len(own), "variants"):
            if name not in journal.found:
                journal.add(name, as_values(trials.run(settings, defects)))
    measured = {name: journal.found[name] for name in own}
    if scatteritem is None:
        write_costs(measured, path_to_table, path_to_csv, settings.scores.confidence)
    else:
        write_measured(measured, path_to_measured)
    journal.remove()


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    settings = preparation.trial(snakemake.params, snakemake.threads)
    settings.pop("defects")
    tabulate_defects(
        paths=dict(snakemake.input.items()),
        path_to_table=snakemake.output.get("table"),
        path_to_csv=snakemake.output.get("csv"),
        folder=snakemake.input.get("pictures"),
        largest_explainer=snakemake.params.largest_explainer,
        boxes=snakemake.params.boxes,
        code=snakemake.params.code,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        scatteritem=snakemake.wildcards.get("scatteritem"),
        path_to_measured=snakemake.output.get("measured"),
        paths_to_measured=list(snakemake.input.get("measured", [])),
        **settings,
    )
