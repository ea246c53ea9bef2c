"""Compare a dataset's categories with somebody else's list of them."""

from pathlib import Path

from filterscope import job, tables


def compare_categories(
    path_to_categories: str | Path, path_to_list: str | Path, path_to_table: str | Path, path_to_csv: str | Path
) -> None:
    """path_to_list: a text file, one category a line. Raises ValueError for a list without any."""
    categories = tables.read(path_to_categories, "categories").to_pandas().set_index("category")
    counts = (categories["annotations_train"] + categories["annotations_val"]).to_dict()
    lines = Path(path_to_list).read_text(encoding="utf-8").splitlines()
    theirs = {line.strip() for line in lines if line.strip()}
    if not theirs:
        raise ValueError(f"{path_to_list}: no category in it, should be one a line")
    every = sorted(theirs | set(counts))
    table = {
        "category": every,
        "ours": [name in counts for name in every],
        "theirs": [name in theirs for name in every],
        "annotations": [counts.get(name) for name in every],
    }
    for path in (path_to_table, path_to_csv):
        tables.write(table, "category_comparison", path)
    both = len(theirs & set(counts))
    job.LOGGER.info(
        "%d categories are in both, %d only here, %d only there", both, len(counts) - both, len(theirs) - both
    )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    compare_categories(
        path_to_categories=snakemake.input.categories,
        path_to_list=snakemake.input.theirs,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
