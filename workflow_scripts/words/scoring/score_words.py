"""Score the words of a probe beside their nulls and their rival, on images with masks, and test the scores.

One look at the images serves all scores and tests; that of a large dataset is cut into shards, which are put together
where all have looked.
"""

import pandas as pd

from filterscope import job, tables
from filterscope.activations.streaming import whole_batches
from filterscope.faithful import Faithful
from filterscope.words.firing import Thresholds
from filterscope.words.looking import ProbedImages
from filterscope.words.results import SaidPaths, top_images
from filterscope.words.scoring.scored_images import ScoredImages
from filterscope.words.scoring.scores import ScoredPaths, ScoreSettings, score_remarks, support


def score_words(
    shown: ProbedImages,
    said: SaidPaths,
    path_to_top_images,
    settings: ScoreSettings,
    split,
    seed,
    defects=Faithful(),
    written: ScoredPaths | None = None,
    scatteritem=None,
    path_to_sums=None,
    paths_to_shards=(),
):
    """said: words of every explainer (words, shuffled_labels), and what they are scored beside.

    written: where the tables go. scatteritem: the shard that is looked at, whose sums are written instead of them.
    paths_to_shards: sums of all shards, from which the tables follow; then nothing is looked at.
    """
    device = job.device()
    tokens, images, thresholds = shown.tokens(), shown.readable(split), shown.thresholds()
    top_ids, maxima = top_images(tables.read(path_to_top_images, "top_images"))
    rows = said.rows(shown.trained_labels(), tokens, maxima, max(settings.recall_at), seed)
    dead, settings = thresholds["dead"].to_numpy(), settings.faithful(defects, len(thresholds))
    known = (rows, images["image_id"].to_numpy(), top_ids, maxima, Thresholds.of(thresholds), dead, len(tokens.every))
    scored = ScoredImages(*known, settings, seed, device, decoys=True, spoilt=True)
    if scatteritem is not None:
        shard = whole_batches(images, scatteritem, shown.activations.batch_size)
        places = scored.before(shard["image_id"].to_numpy())
        with shown.scenes(shard, tokens.every, device) as (seen, _):
            scored.look(seen, shown.truths(images.iloc[places], tokens.every, device))
        scored.write(path_to_sums)
        return
    for path in paths_to_shards:
        scored.take_in(path)
    if not paths_to_shards:
        with shown.scenes(images, tokens.every, device) as (seen, _):
            scored.look(seen)
    measured = scored.measured(tokens.asked)
    claims = support(measured, thresholds, tokens.every, settings)
    tests = pd.DataFrame(scored.verdicts(measured)).astype(object).where(lambda table: table.notna(), None)
    written.write(measured, claims, tests)
    for remark in score_remarks(images, claims):
        job.LOGGER.warning("%s", remark)
    job.LOGGER.info(
        "%d of %d live filters have a supported name; %d of %d lent claims would be",
        claims["supported"].sum(),
        (~dead).sum(),
        claims["lent_supported"].sum(),
        claims["lent"].sum(),
    )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    score_words(
        ProbedImages.of(snakemake.input, snakemake.params, snakemake.threads),
        SaidPaths.of(snakemake.input, snakemake.params.explainers),
        path_to_top_images=snakemake.input.top_images,
        settings=ScoreSettings(**snakemake.params.scores),
        split=snakemake.params.split,
        seed=snakemake.params.seed,
        defects=Faithful(**snakemake.params.faithful),
        written=ScoredPaths.of(snakemake.output),
        scatteritem=snakemake.wildcards.get("scatteritem"),
        path_to_sums=snakemake.output.get("sums"),
        paths_to_shards=list(snakemake.input.get("sums", [])),
    )
