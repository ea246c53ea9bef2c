"""Dissect the filters with a CLIP model: the words that go with the images that excite each one, on training images."""

import numpy as np

from filterscope import job, tables
from filterscope.words.explaining.candidates import read_allowed
from filterscope.words.explaining.targets import Tokens
from filterscope.words.rivals.clip_dissection import concepts, dissect, live
from filterscope.words.rivals.open_clip_models import ClipError
from filterscope.words.rivals.soft_wpmi import ClipDissectSettings


def dissect_with_clip(
    path_to_image_embeddings,
    path_to_word_embeddings,
    path_to_token_embeddings,
    paths_to_image_activations,
    path_to_categories,
    path_to_allowed,
    path_to_words,
    settings: ClipDissectSettings,
    kept,
):
    """path_to_token_embeddings: of the categories' tokens. kept: words reported per filter."""
    tokens = Tokens.of(tables.read(path_to_categories, "categories").to_pandas())
    words = [tables.read(path, "word_embeddings") for path in (path_to_word_embeddings, path_to_token_embeddings)]
    spoken = [word for table in words for word in table["word"].to_pylist()]
    if not spoken:
        raise ClipError("the CLIP model can read no word of the vocabulary and no category's name")
    vectors = np.concatenate([tables.matrix(table["vector"]) for table in words if len(table)])
    sought, unread = concepts(spoken, vectors, tokens, read_allowed(path_to_allowed))
    if unread:
        job.LOGGER.warning("%d tokens are no concepts, the model cannot read them: %s", len(unread), ", ".join(unread))
    images = tables.read(path_to_image_embeddings, "image_embeddings").sort_by("image_id")
    embedded = images["image_id"].to_numpy()
    seen, summaries = _summaries(paths_to_image_activations, settings.summary, embedded)
    answering = live(summaries)
    top = settings.taken(len(seen))
    if top < settings.top_images:
        job.LOGGER.warning(
            "the %d images most exciting take part, not %d: %d training images are too few",
            top,
            settings.top_images,
            len(seen),
        )
    vectors = tables.matrix(images["vector"])[np.searchsorted(embedded, seen)]
    found = dissect(vectors, summaries, sought, answering, settings, kept, job.device())
    tables.write(found, "clip_words", path_to_words)
    job.LOGGER.info("%d filters dissected, %d answer to all images alike", answering.sum(), (~answering).sum())


def _summaries(paths, summary, embedded):
    """Ids of the embedded images that the network has seen, [N], and what it answers to them, [N, filters]."""
    ids, values = [], []
    for path in paths:
        for batch in tables.batches(path, "image_activations", ["image_id", summary]):
            of_batch = batch["image_id"].to_numpy()
            kept = np.isin(of_batch, embedded)
            ids.append(of_batch[kept])
            values.append(tables.matrix(batch[summary])[kept])
    return np.concatenate(ids), np.concatenate(values)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    dissect_with_clip(
        path_to_image_embeddings=snakemake.input.images,
        path_to_word_embeddings=snakemake.input.words,
        path_to_token_embeddings=snakemake.input.tokens,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_categories=snakemake.input.categories,
        path_to_allowed=snakemake.input.get("allowed") or None,
        path_to_words=snakemake.output.words,
        settings=ClipDissectSettings(**snakemake.params.settings),
        kept=snakemake.params.kept,
    )
