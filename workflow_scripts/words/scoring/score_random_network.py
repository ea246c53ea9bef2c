"""Score the null network: the same architecture, never trained, on the whole way to its scores, in all layers."""

from filterscope import job, tables
from filterscope.activations.extraction import ActivationError
from filterscope.activations.probing import ProbeSettings, look, open_pictures
from filterscope.data.networks import building
from filterscope.words import preparation
from filterscope.words.in_memory_run import TrialSettings
from filterscope.words.untrained import SeenPaths, trials_of_layers, trials_on_tables


def score_random_network(
    paths: dict,
    paths_to_measurements,
    folder,
    settings: TrialSettings,
    probes: list[ProbeSettings],
    seed,
    defects,
    most=0,
    seen: list[SeenPaths] | None = None,
):
    """paths: images, annotations, categories, vocabulary and, where words are restricted, allowed; image_activations
    of each probe, all shards; a probe that stopped there stops here. All probes are of one network. most: gigabytes of
    maps that are kept meanwhile. seen: tables of every layer, where shards of the pictures have been looked at.
    """
    device = job.device()
    activations = paths["image_activations"]
    stopped = tables.going(activations, "image_activations", "image_id")[1]
    going = [place for place in range(len(probes)) if place not in stopped]
    own = {**paths, "image_activations": activations[going[0]]}
    material = preparation.material(own, folder, probes[0].inputs)
    # What shows the network other pictures than the ordinary ones has no use for their maps.
    most = 0 if defects.random_crops or not settings.explanation.from_maps else most

    def batches():
        pictures = open_pictures(folder, material.images, None, probes[0].inputs)
        return look(pictures, settings.extraction, material.reject)

    network = building.initialise(probes[0].network, seed)
    probes = [probes[place] for place in going]
    if seen is None:
        layers = trials_of_layers(probes, network, batches, most, material, seed, device)
    else:
        looked = ([seen[place] for place in going], settings.mining.faithful(defects), settings.explanation.from_maps)
        layers = trials_on_tables(probes, network, *looked, material, seed, device)
    for place, trials in zip(going, layers, strict=True):
        if isinstance(trials, ActivationError):
            stopped[place] = str(trials)
            continue
        measured = trials.run(settings, defects, name="random_network")
        tables.write(tables.measurements(measured), "measurements", paths_to_measurements[place])
    if len(stopped) == len(paths_to_measurements):
        raise ActivationError("; ".join(stopped.values()))
    for place, reason in stopped.items():
        tables.write_stopped("measurements", paths_to_measurements[place], reason)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    paths, shards = dict(snakemake.input.items()), list(snakemake.input.image_activations)
    each = len(shards) // len(snakemake.params.probes)
    score_random_network(
        paths=paths | {"image_activations": [shards[first : first + each] for first in range(0, len(shards), each)]},
        paths_to_measurements=list(snakemake.output.measurements),
        folder=snakemake.input.pictures,
        probes=[ProbeSettings.from_mapping(probe) for probe in snakemake.params.probes],
        **preparation.trial(snakemake.params, snakemake.threads),
        most=snakemake.params.kept,
        seen=SeenPaths.of_layers(snakemake.input, len(snakemake.params.probes)),
    )
