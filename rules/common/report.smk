# Helpers of the report room: published values, and what the reproduction makes of them. No rules.

# Nothing where the config reproduces nothing.
PUBLISHED = f"{workflow.basedir}/studies/published.csv"
REPRODUCED = ["datasets.csv", "recall.csv", "recall.png", "summary.html"] if config["reproduction"] else []


def reproduced_datasets():
    """By published dataset: this study's name for it, its images, annotations and categories."""
    chosen = (config["reproduction"] or {}).get("datasets", {})
    files = ("images", "annotations", "categories")
    return {
        name: [dataset, *(f"results/data/{dataset}/{file}.parquet" for file in files)]
        for name, dataset in chosen.items()
    }


def reproduced_scores():
    """By experiment and probe: the scores of this study."""
    found = {}
    for entry in (config["reproduction"] or {}).get("recall", []):
        found.setdefault(entry["experiment"], {})[entry["probe"]] = words_of(entry, "scores.parquet")
    return found


def reproduced_defects():
    """By heading: the experiment that the defects' costs are compared with, and their table."""
    experiments = {
        words_of(entry, ""): entry["experiment"] for entry in (config["reproduction"] or {}).get("recall", [])
    }
    return {
        heading(entry): [experiments[words_of(entry, "")], words_of(entry, "defects.parquet")]
        for entry in config["defects"]
        if words_of(entry, "") in experiments
    }
