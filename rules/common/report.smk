# Helpers of the report room: published values, and what the reproduction makes of them. No rules.

# Nothing where the config reproduces nothing.
PUBLISHED = f"{ROOT}/studies/published.csv"
REPRODUCED = ["datasets.csv", "recall.csv", "recall.png", "summary.html"] if config["reproduction"] else []

ATLAS, ATLAS_PLACES = "results/report/atlas", "results/report/atlas_places.json"
SUMMARIES = ["results/report/summary.md", "results/report/summary.html"]


def storage_folder():
    """Where results are kept if not here, with the slash at its end: a bucket, say; else nothing."""
    settings = workflow.storage_settings
    if settings.default_storage_provider is None:
        return ""
    return f"{(settings.default_storage_prefix or '').removesuffix('/')}/"


def parting_words():
    """What a run that went well says at its end: where to read on, if what it made includes the atlas or the summary."""
    asked = workflow.dag_settings
    makers = {"summarise_study": SUMMARIES, "render_atlas": [ATLAS]}
    makers = {rule: {rule, *paths} for rule, paths in makers.items()}
    targets = set(asked.targets) or {"all"}
    if targets <= {"all"}.union(*makers.values()) and not asked.until and not asked.omit_from:
        atlas, summary = ("all" in targets or targets & makers[rule] for rule in ("render_atlas", "summarise_study"))
        kept = storage_folder()  # of a bucket, from which a browser opens nothing
        first = f"Bring {kept}{ATLAS} here and open its index.html" if kept else f"Open {ATLAS}/index.html"
        pages = [f"{first} in a browser"] if atlas else []
        pages += [f"{'or read' if atlas else 'Read'} {kept}{SUMMARIES[0]}"] if summary else []
        return f"Finished. {', '.join(pages)}; {ROOT}/results/README.md tells where the rest is."
    older = f"; {SUMMARIES[0]} is of an earlier run" if Path(SUMMARIES[0]).exists() else ""
    return f"Finished what was asked for{older}."


def reproduced_datasets():
    """By published dataset: this study's name for it, and the paths of its tables, by table."""
    chosen = (config["reproduction"] or {}).get("datasets", {})
    files = ("images", "annotations", "categories")
    return {
        name: {"name": dataset} | {file: f"results/data/{dataset}/{file}.parquet" for file in files}
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


def front_page():
    """Digests of the templates of the page that is read first, so that editing one makes it anew."""
    folder = SCRIPTS / "filterscope" / "report" / "templates"
    return [provenance.contents(path) for path in sorted(folder.glob("*.j2"))]


def shown_by(entry):
    """What an explanation's filters are shown by on the summary: where their photographs, maps and sheets lie, by which
    network, and which layer of the atlas it is."""
    return {
        "layer": EXPLANATIONS.index(entry),
        "probe": entry["probe"],
        "images": f"results/data/{entry['dataset']}/images.parquet",
        "folder": pictures(entry["dataset"]),
        "network": config["probes"][entry["probe"]]["network"],
        "heatmaps": words_of(entry, "heatmaps.parquet"),
        "sheets": words_of(entry, "sheets"),
        "vocabulary": f"results/data/vocabularies/{entry['vocabulary']}/vocabulary.parquet",
    }


def shown_files(entry):
    """Files and folders among these."""
    return [shown_by(entry)[name] for name in ("images", "folder", "heatmaps", "sheets", "vocabulary")]


def summarised_recipe(entry):
    """What the summary reads of an entry of `pictures`: its table and the probe's sheets."""
    return [pictures_of(entry, f"{entry['recipe']}/pictures.parquet"), pictures_of(entry, "sheets")]


def summarised_facets(entry):
    """What the summary reads of an entry of `facets`: three tables and the figures."""
    files = ("facets/facet_summary.parquet", "criteria.parquet", "criteria_validation.parquet")
    return [pictures_of(entry, file) for file in (*files, "criteria.png", "facets/figures")]


def compared_in(entry):
    """The text that compares an entry of `facets` with the other networks that drew its dataset's classes, if any."""
    return [f"results/pictures/{entry['dataset']}/networks.md"] if entry["dataset"] in compared_datasets() else []


def summarised_senses(entry):
    """What the summary reads of an entry of `senses`: its table and the sheets."""
    return [pictures_of(entry, "senses/senses.parquet"), pictures_of(entry, "senses/figures")]


def summarised_pictures():
    """By heading: tables and figures of a probe's pictures, facets and senses, as the summary takes them; `photographed`
    are the figures on which photographs or their means are seen."""
    found = {}
    for section in ("pictures", "facets", "senses"):
        for entry in config[section]:
            title = f"Pictures of {entry['probe']}, beside {entry['dataset']}"
            nothing = {"recipes": {}, "words": {}, "facets": None, "judge": None, "senses": None}
            named = {"probe": entry["probe"], "figures": [], "photographed": []}
            own = found.setdefault(title, nothing | named)
            if section == "pictures":
                table, sheets = summarised_recipe(entry)
                own["recipes"][entry["recipe"]] = table
                own["photographed"] = [sheets]
                if entry in named_pictures():
                    own["words"][entry["recipe"]] = words_of_recipe(entry)
            elif section == "senses":
                own["senses"], figures = summarised_senses(entry)
                own["photographed"] = [*own["photographed"], figures]
            else:
                *of_facets, criteria, figures = summarised_facets(entry)
                own["facets"] = dict(zip(("summary", "criteria", "validation"), of_facets, strict=True))
                own["judge"] = entry["judge"]
                own["figures"] = [criteria, *compared_in(entry)]
                own["photographed"] = [*own["photographed"], figures]
    return found


def summarised_diagnosis():
    """What the summary reads of the diagnosis room: three tables, texts, and folders of figures."""
    folder, rooms = "results/diagnosis", {"resampling": RESAMPLED_SETS, "robustness": ROBUST_SETS}
    robust = dict.fromkeys(samples for samples, _ in ROBUST_SETS)
    return {
        "fit": f"{folder}/fit.parquet" if PAIRS else None,
        "resampling": f"{folder}/resampling/resampling.parquet" if RESAMPLED_SETS else None,
        "robustness_trends": f"{folder}/robustness/trends.parquet" if ROBUST_SETS else None,
        "texts": [f"{folder}/{name}/{name}.md" for name, sets in rooms.items() if sets],
        "figures": [
            *([f"{folder}/complexity/figures"] if MEASURED_SETS else []),
            *(f"{folder}/robustness/{samples}/figures" for samples in robust),
        ],
    }


def summarised_temperature():
    """What the summary reads of the temperature room: the table `duel`, and figures."""
    pairs = dict.fromkeys((entry["network"], entry["samples"]) for entry in DUELS)
    heatmaps = [f"results/temperature/{network}/{samples}/temperatures.png" for network, samples in pairs]
    steered = [f"results/temperature/networks/{network}.png" for network in steered_networks()]
    return {
        "duel": "results/temperature/duel.parquet" if DUELS else None,
        "figures": ["results/temperature/training.png", *heatmaps, *steered] if DUELS else steered,
    }


def summarised_files(summarised):
    """The files among these."""
    files = []
    for value in summarised.values():
        files += value if isinstance(value, list) else [value] if value else []
    return files
