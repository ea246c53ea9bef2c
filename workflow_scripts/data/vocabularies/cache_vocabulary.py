"""Read a file of word vectors once and keep it as a table of unit vectors."""

from filterscope import job, tables
from filterscope.data.vocabularies import vector_files
from filterscope.data.vocabularies.vocabulary import Vocabulary, without_common_component


def cache_vocabulary(path_to_vectors, path_to_vocabulary, settings):
    """Read, check, remove the common component where asked, normalise, write."""
    settings = vector_files.VocabularySettings.from_mapping(settings)
    words, vectors = vector_files.read_vectors(path_to_vectors, settings)
    try:
        vocabulary = Vocabulary(words, without_common_component(vectors, settings.remove_components))
    except vector_files.VocabularyError as error:
        raise vector_files.VocabularyError(f"{path_to_vectors}: {error}") from error
    job.LOGGER.info("%s words of %d dimensions", f"{len(vocabulary):,}", vocabulary.dimension)
    tables.write(vocabulary.to_table(), "vocabulary", path_to_vocabulary)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    cache_vocabulary(
        path_to_vectors=snakemake.input.vectors,
        path_to_vocabulary=snakemake.output.vocabulary,
        settings=snakemake.params.vocabulary,
    )
