"""Score the null network: the same architecture, never trained, on the whole way to its scores."""

from filterscope import job, tables
from filterscope.activations.probing import reading
from filterscope.data.networks import building
from filterscope.words import preparation
from filterscope.words.in_memory_run import ProbeTrials, TrialSettings


def score_random_network(paths: dict, path_to_measurements, folder, settings: TrialSettings, probe, seed, defects):
    """paths: images, annotations, categories, vocabulary and, where words are restricted, allowed."""
    device = job.device()
    material = preparation.material(paths, folder, probe.inputs)
    with reading(probe, building.initialise(probe.network, seed), device) as reader:
        measured = ProbeTrials(material, reader, seed, device, job.progress).run(
            settings, defects, name="random_network"
        )
    tables.write(tables.measurements(measured), "measurements", path_to_measurements)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    score_random_network(
        paths=dict(snakemake.input.items()),
        path_to_measurements=snakemake.output.measurements,
        folder=snakemake.input.pictures,
        **preparation.trial(snakemake.params, snakemake.threads),
    )
