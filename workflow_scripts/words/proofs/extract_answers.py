"""Extract what all layers of a probe answer when objects are laid into pictures, and taken out of their own."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.extraction import ActivationError, ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look, open_pictures, together
from filterscope.activations.readable import readable
from filterscope.activations.streaming import Annotations, Batch, stream
from filterscope.data.networks import building
from filterscope.data.rejection import stop
from filterscope.words.explaining.targets import token_list
from filterscope.words.proofs.answers import plan, respond
from filterscope.words.proofs.responses import ProofSettings, answer_table
from filterscope.words.proofs.windows import Windows, cutouts, framed


def extract_answers(
    path_to_images,
    paths_to_image_activations,
    path_to_annotations,
    path_to_categories,
    path_to_weights,
    paths_to_answers,
    folder,
    probes: list[ProbeSettings],
    activations: ExtractionSettings,
    settings: ProofSettings,
    split,
    seed,
):
    """paths_to_image_activations: of each probe, all shards; a probe that stopped there stops here. All probes are of
    one network.

    split: images that score, of which objects and backgrounds are.
    """
    device, inputs = job.device(), probes[0].inputs
    chance = np.random.default_rng(job.derived_seed(seed, "extract_answers"))
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    extracted, stopped = tables.going(paths_to_image_activations, "image_activations", "image_id")
    for place, reason in stopped.items():
        tables.write_stopped("answers", paths_to_answers[place], reason)
    images = readable(tables.read(path_to_images, "images").to_pandas(), extracted, split)
    annotations = Annotations(tables.read(path_to_annotations, "annotations"), images["image_id"].to_numpy()).table
    objects = framed(annotations, images, inputs.crop, settings.smallest, tokens)
    chosen = plan(images["image_id"].to_numpy(), objects, np.ones(len(tokens), bool), settings, chance)
    job.LOGGER.info("%d objects are used; unusable: %s", len(chosen.objects), chosen.reasons())
    going = [place for place in range(len(probes)) if place not in stopped]
    network = building.load(probes[0].network, path_to_weights)
    with together([probes[place] for place in going], network, device) as readers:

        def see(batch: Batch):
            return readers(building.normalise(batch.pictures(device), inputs))

        grounds = images[images["image_id"].isin(chosen.backgrounds)]
        grounds = look(open_pictures(folder, grounds, None, inputs), activations, title="batches of backgrounds")
        views = {each.image_id: each.picture for batch in grounds for each in batch.looks}
        shown = Windows(folder, images, chosen.objects, inputs.crop)
        found = cutouts(stream(shown, activations.batch_size, activations.workers, stop))
        layers = {each.layer: each.filters for each in readers.readers}
        answers = respond(chosen, views, found, see, layers, activations.batch_size, chance, job.progress)
    for place, answer in zip(going, answers.values(), strict=True):
        if isinstance(answer, ActivationError):
            if len(going) == 1:
                raise answer
            tables.write_stopped("answers", paths_to_answers[place], str(answer))
        else:
            tables.write(answer_table(answer, chosen.unusable_by_token(), tokens), "answers", paths_to_answers[place])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    probes = [ProbeSettings.from_mapping(probe) for probe in snakemake.params.probes]
    shards = list(snakemake.input.image_activations)
    each = len(shards) // len(probes)
    extract_answers(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=[shards[first : first + each] for first in range(0, len(shards), each)],
        path_to_annotations=snakemake.input.annotations,
        path_to_categories=snakemake.input.categories,
        path_to_weights=snakemake.input.weights,
        paths_to_answers=list(snakemake.output.answers),
        folder=snakemake.input.pictures,
        probes=probes,
        activations=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads),
        settings=ProofSettings(**snakemake.params.proofs),
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
