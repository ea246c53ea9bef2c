"""Write captions of the scenes and learn word vectors from them."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.scenes import captions


def train_word_vectors(path_to_vectors, path_to_captions, settings, seed):
    """The sentences, one a line, and the words' vectors as word2vec's text."""
    sentences = captions.write_captions(settings.sentences, job.derived_seed(seed, "captions"))
    with tables.replacing(path_to_captions) as temporary:
        Path(temporary).write_text("\n".join(sentences) + "\n")
    words, vectors = captions.learn_vectors(
        sentences, settings.dimension, settings.epochs, job.derived_seed(seed, "train_word_vectors")
    )
    with tables.replacing(path_to_vectors) as temporary:
        Path(temporary).write_text(captions.as_text(words, vectors))
    job.LOGGER.info("%d words from %d sentences", len(words), len(sentences))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    train_word_vectors(
        path_to_vectors=snakemake.output.vectors,
        path_to_captions=snakemake.output.captions,
        settings=captions.CaptionsSettings(**snakemake.params.captions),
        seed=snakemake.params.seed,
    )
