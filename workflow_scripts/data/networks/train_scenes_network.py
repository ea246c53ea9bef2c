"""Train a network of the embedded study on the shape of every picture's main object."""

from functools import partial

from filterscope import job, tables
from filterscope.data.networks import embedded_training
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.weights import write_weights

THREADS = 2  # whatever it is granted; with another number the weights would differ in their last bits


def train_scenes_network(
    path_to_images,
    path_to_annotations,
    path_to_pictures,
    path_to_weights,
    path_to_words,
    path_to_history,
    inputs,
    settings,
    seed,
    path_to_temperatures=None,
    code="",
    source="scenes_cnn",
):
    """The weights of the best epoch, what each output stands for, and the history of the training.

    source: which of the embedded networks it is.
    path_to_temperatures: of a training that follows a schedule of the temperature room; no lines for others.
    code: digest of the program; a checkpoint of another program is not taken up.
    """
    images = tables.read(path_to_images, "images").to_pandas()
    annotations = tables.read(path_to_annotations, "annotations")
    labels = embedded_training.main_shapes(annotations.select(["image_id", "tokens", "area"]).to_pandas())
    train, val = (
        embedded_training.read_pictures(path_to_pictures, images[images["split"] == split], labels, inputs)
        for split in ("train", "val")
    )
    seed = job.derived_seed(seed, "train_scenes_network", *([settings.draw] if settings.draw else []))
    seen = (each.numpy() for part in (train, val) for each in (part.pictures, part.labels))
    checkpoint = embedded_training.Checkpoint.beside(path_to_weights, *seen, settings, inputs, seed, code, source)
    device, temperatures = job.device(), []
    network, history = embedded_training.train_scenes_network(
        train,
        val,
        settings,
        inputs,
        seed=seed,
        device=device,
        progress=partial(job.progress, title="epochs"),
        measured=temperatures.append,
        resume=checkpoint.load(device),
        save=checkpoint.save,
        source=source,
    )
    if path_to_temperatures is not None:
        (found,) = temperatures
        tables.write(found if len(found) else tables.empty("temperatures"), "temperatures", path_to_temperatures)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(network, temporary)
    tables.write(embedded_training.unit_words(), "known_words", path_to_words)
    tables.write(history, "network_history", path_to_history)
    checkpoint.remove()
    job.LOGGER.info("validation accuracy %.1f %%", 100 * history["val_accuracy"].max())


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads, wanted=THREADS)
    train_scenes_network(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.annotations,
        path_to_pictures=snakemake.input.pictures,
        path_to_weights=snakemake.output.weights,
        path_to_words=snakemake.output.words,
        path_to_history=snakemake.output.history,
        inputs=NetworkSettings.from_mapping(snakemake.params.network).input,
        settings=embedded_training.EmbeddedTrainingSettings.from_mapping(
            snakemake.params.network, snakemake.params.steering
        ),
        seed=snakemake.params.seed,
        path_to_temperatures=snakemake.output.temperatures,
        code=snakemake.params.code,
        source=snakemake.params.network["source"],
    )
