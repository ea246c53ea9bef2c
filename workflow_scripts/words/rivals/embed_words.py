"""Embed words with a CLIP model: those of a vocabulary, or the tokens of a dataset's categories."""

from functools import partial

from filterscope import job, tables
from filterscope.words.explaining.targets import token_list
from filterscope.words.rivals import clips


def embed_words(path_to_vocabulary, path_to_categories, path_to_weights, path_to_embeddings, prompts):
    """Of path_to_vocabulary and path_to_categories one is None. prompts: texts with {} for the word."""
    if path_to_vocabulary:
        words = tables.read(path_to_vocabulary, "vocabulary")["word"].to_pylist()
    else:
        words = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    clip = clips.load(path_to_weights, job.device())
    vectors, has = clips.embedded_words(clip, words, prompts, partial(job.progress, title="batches of words"))
    known = [word for word, reads in zip(words, has, strict=True) if reads]
    unread = [word for word, reads in zip(words, has, strict=True) if not reads]
    if unread:
        more = f" and {len(unread) - 10} more" if len(unread) > 10 else ""
        job.LOGGER.warning(
            "%d of %d words left out, which the model cannot read: %s%s",
            len(unread),
            len(words),
            ", ".join(unread[:10]),
            more,
        )
    tables.write({"word": known, "vector": tables.vectors(vectors)}, "word_embeddings", path_to_embeddings)
    job.LOGGER.info("%d words embedded", len(known))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    embed_words(
        path_to_vocabulary=snakemake.input.get("vocabulary"),
        path_to_categories=snakemake.input.get("categories"),
        path_to_weights=snakemake.input.weights,
        path_to_embeddings=snakemake.output.embeddings,
        prompts=snakemake.params.prompts,
    )
