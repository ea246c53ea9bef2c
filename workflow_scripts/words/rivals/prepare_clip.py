"""Fetch a CLIP model of open_clip and keep it with its way of showing pictures."""

from filterscope import job, tables
from filterscope.data.networks.weights import write_packed
from filterscope.words.rivals.open_clip_models import OpenClipSettings, fetch


def prepare_clip(path_to_weights, settings: OpenClipSettings):
    """Weights by tag come through open_clip's ordinary cache, others from the settings' file."""
    model = fetch(settings)
    with tables.replacing(path_to_weights) as temporary:
        write_packed(model.packed(), temporary)
    job.LOGGER.info("%s weights of %s", f"{sum(each.numel() for each in model.parameters()):,}", settings.model)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_clip(
        path_to_weights=snakemake.output.weights,
        settings=OpenClipSettings.from_mapping(snakemake.params.clip),
    )
