# Helpers of the atlas: where everything lies that it shows, as the program that makes it reads it. No rules.
from filterscope.report.atlas.places import files_of

# What is shown of an explanation beside its names and words, by where it lies; scored ones need masks.
SCORED = ("filter_claims", "filter_causes", "scores", "sanity")
# Sections of the config by which a layer is in the atlas that is not explained.
ATLAS_SECTIONS = ("pictures", "facets", "senses", "strongest_filters", "occlusions")


def atlas_page():
    """Digests of the files of the page itself, so that editing one makes the atlas anew."""
    folder = SCRIPTS / "filterscope" / "report" / "atlas"
    files = sorted(path for part in ("page", "vendor") for path in (folder / part).rglob("*") if path.is_file())
    return [provenance.contents(path) for path in files]


def places_beside():
    """Of the study beside this one, if there is one: what it noted, which is only written anew when its config changes,
    and its summary, which is made from its tables and so is newer than they are; an atlas can do without."""
    beside = config["atlas"]["beside"]
    if not beside:
        return []
    summary = f"{beside}/report/{Path(SUMMARIES[1]).name}"
    return given([f"{beside}/report/atlas_places.json", *([summary] if Path(summary).is_file() else [])])


def atlas_places():
    """Everything that the atlas shows and where it lies; tables by their schema's name."""
    shown = {(entry["dataset"], entry["probe"]): None for entry in EXPLANATIONS}
    for section in ATLAS_SECTIONS:
        shown |= {(entry["dataset"], entry["probe"]): None for entry in config[section]}
    explained = [(entry["dataset"], entry["probe"]) for entry in EXPLANATIONS]
    layers = [atlas_explanation(entry) for entry in EXPLANATIONS]
    layers += [atlas_layer(*names) for names in shown if names not in explained]
    return {
        "format": 1,
        "title": config["title"],
        "seed": config["seed"],
        "atlas": config["atlas"],
        "datasets": {name: atlas_dataset(name) for name in dict.fromkeys(layer["dataset"] for layer in layers)},
        "layers": layers,
        "depth": [atlas_depth(group) for group in explained_groups()],
        "networks": [atlas_networks(name) for name in compared_datasets()],
        "diagnosis": atlas_diagnosis(),
        "temperature": atlas_temperature(),
        "summary": SUMMARIES[1],
    }


def atlas_files():
    """Files and folders among these places; a folder of pictures that the config names is read where it lies."""
    places = {name: each for name, each in atlas_places().items() if name not in ("title", "atlas")}
    own = [config["datasets"][name].get("folder") for name in places["datasets"]]
    return [given(path) if path in own else path for path in files_of(places)]


def networks_shown():
    """How the networks of its layers are built, which tells how they see pictures; the config's own files, which are
    named there, are nobody's inputs here."""
    return {layer["network"]: config["networks"][layer["network"]] for layer in atlas_places()["layers"]}


# Tables of an explanation that are CSV, too.
AS_CSV = ("filter_names", "filter_words", "thresholds", "words_apart", "known_answers", *SCORED)


def atlas_links(places):
    """What the pages only link to: tables as CSV and sheets of filters. Their being there decides what a link says."""
    layers, rooms = places["layers"], [places["diagnosis"], places["temperature"]]
    linked = [layer["tables"][name] for layer in layers for name in AS_CSV if name in layer["tables"]]
    linked += [table for layer in layers for entry in layer["pictures"] for table in entry["tables"].values()]
    linked += [layer["strongest"] for layer in layers if layer["strongest"]]
    linked += [layer["occlusions"]["tables"]["occlusions"] for layer in layers if layer["occlusions"]]
    linked += [
        table
        for layer in layers
        for section in ("facets", "senses")
        if layer[section]
        for table in layer[section]["tables"].values()
    ]
    linked += [table for name in ("depth", "networks") for each in places[name] for table in each["tables"].values()]
    linked += [table for room in rooms for table in room["tables"].values()]
    linked += [course["table"] for course in places["temperature"]["courses"]]
    # Figures that have the table that they were drawn from beside them, under the same name.
    drawn = [Path(figure) for room in rooms for figure in room["figures"]]
    linked += [str(each) for each in drawn if each.stem in ("layers", "temperatures") or each.parent.name == "networks"]
    sheets = [words_of(entry, "sheets") for entry in EXPLANATIONS]
    return list(dict.fromkeys([f"{each.rpartition('.')[0]}.csv" for each in linked] + sheets))


def atlas_dataset(name):
    """Tables and pictures of a dataset."""
    folder, annotated = f"results/data/{name}", name in ANNOTATED
    own = {"images": f"{folder}/images.parquet", "rejected": f"{folder}/rejected.parquet"}
    own |= {table: f"{folder}/{table}.parquet" for table in ("annotations", "categories") if annotated}
    return {"folder": str(pictures(name)), "annotated": annotated, "tables": own}


def atlas_layer(dataset, probe):
    """What there is of a probe beside a dataset, explained or not."""
    network = config["probes"][probe]["network"]
    names = {"dataset": dataset, "probe": probe}
    of_it = {
        section: [each for each in config[section] if (each["dataset"], each["probe"]) == (dataset, probe)]
        for section in ATLAS_SECTIONS
    }
    return {
        **names,
        "vocabulary": None,
        "heading": f"{probe} on {dataset}",
        "network": network,
        "layer": config["probes"][probe]["layer"],
        "reference": None,
        "tables": {},
        "split": "all",
        "firing": [],
        "pictures": [atlas_pictures(entry) for entry in of_it["pictures"]],
        "facets": atlas_facets(of_it["facets"][0]) if of_it["facets"] else None,
        "senses": atlas_senses(of_it["senses"][0]) if of_it["senses"] else None,
        "strongest": pictures_of(names, "strongest_filters.parquet") if of_it["strongest_filters"] else None,
        "occlusions": atlas_occlusions(names) if of_it["occlusions"] else None,
    }


def atlas_explanation(entry):
    """What there is of an explained layer."""
    dataset, probe, vocabulary = (entry[key] for key in ("dataset", "probe", "vocabulary"))
    annotated, learnt_from = dataset in ANNOTATED, config["datasets"][dataset].get("reference", dataset)
    activations = f"results/activations/{dataset}/{probe}"
    own = {
        name: words_of(entry, f"{name}.parquet")
        for name in ("filter_names", "filter_words", "image_words", "heatmaps", "feeds", "receptive_field")
    }
    own |= {name: f"{activations}/{name}.parquet" for name in ("thresholds", "top_images")}
    own |= {name: words_of(entry, f"{name}.parquet") for name in SCORED if annotated}
    own["words_apart"] = words_of(entry, "words_apart.parquet")
    own["categories"] = f"results/data/{learnt_from}/categories.parquet"
    own["vocabulary"] = f"results/data/vocabularies/{vocabulary}/vocabulary.parquet"
    if has_known_answers(entry):
        own["known_answers"] = words_of(entry, "known_answers.parquet")
    if annotated and entry["clip"]:
        own["clip_words"] = words_of(entry, "clip_words.parquet")
    shards = expand(
        f"{activations}/shards/{{item}}-of-{{count}}/images.parquet",
        item=range(1, config["shards"] + 1),
        count=config["shards"],
    )
    return {
        **atlas_layer(dataset, probe),
        "vocabulary": vocabulary,
        "heading": heading(entry),
        "reference": None if annotated else learnt_from,
        "split": split_of(SimpleNamespace(dataset=dataset)),
        "tables": own,
        "firing": shards,
    }


def atlas_pictures(entry):
    """Optimised pictures of a probe by one recipe."""
    own = {"pictures": pictures_of(entry, f"{entry['recipe']}/pictures.parquet")}
    if entry in named_pictures():
        own["picture_words"] = words_of_recipe(entry)
    return {
        "recipe": entry["recipe"],
        "method": config["recipes"][entry["recipe"]]["method"],
        "folder": pictures_of(entry, f"{entry['recipe']}/pictures"),
        "tables": own,
    }


def atlas_facets(entry):
    """Facets of classes of a probe."""
    tables = ("facets", "facet_summary", "facet_pictures")
    own = {name: pictures_of(entry, f"facets/{name}.parquet") for name in tables}
    own |= {name: pictures_of(entry, f"{name}.parquet") for name in ("criteria", "criteria_validation")}
    if named_by(entry["words"], entry["dataset"], entry["probe"]).vocabulary:
        own["facet_words"] = pictures_of(entry, "facets/facet_words.parquet")
    folders = [pictures_of(entry, f"facets/{folder}") for folder in ("pictures", "means")]
    plates = pictures_of(entry, "facets/plates")
    return {"judge": entry["judge"], "tables": own, "folders": folders, "plates": plates}


def atlas_senses(entry):
    """Senses of a probe's filters."""
    own = {name: pictures_of(entry, f"senses/{name}.parquet") for name in ("senses", "sense_images")}
    named_by = (entry["words"] or entry["probe"], entry["probe"])
    if any(explained_in(SimpleNamespace(dataset=entry["dataset"], probe=probe)) for probe in named_by):
        own["sense_words"] = pictures_of(entry, "senses/sense_words.parquet")
    if entry["recipe"]:
        own["sense_pictures"] = pictures_of(entry, "senses/sense_pictures.parquet")
    folders = [pictures_of(entry, "senses/pictures")] if entry["recipe"] else []
    return {
        "window": entry["window"],
        "nearest": config["sensing"]["nearest"],
        "limits": {name: config["sensing"][name] for name in ("strength", "likeness", "distinction")},
        "tables": own,
        "folders": folders,
    }


def atlas_depth(group):
    """The layers of a group from the first to the last."""
    return {**group, "tables": {"depth": "results/words/{dataset}/{group}/{vocabulary}/depth.parquet".format(**group)}}


def atlas_networks(dataset):
    """The comparison of all networks that drew classes of a dataset."""
    folder = f"results/pictures/{dataset}"
    own = {name: f"{folder}/{name}.parquet" for name in ("network_criteria", "network_tests")}
    return {"dataset": dataset, "tables": own, "text": f"{folder}/networks.md"}


def atlas_occlusions(names):
    """Covered photographs before a probe."""
    return {
        "tables": {name: pictures_of(names, f"{name}.parquet") for name in ("occlusions", "importances")},
        "folder": pictures_of(names, "covered"),
    }


def atlas_diagnosis():
    """Tables, texts and figures of the diagnosis room."""
    folder = "results/diagnosis"
    found = {}
    if MEASURED_SETS:
        found["complexity"] = f"{folder}/complexity/complexity.parquet"
    if CAPACITY["networks"]:
        found["network_capacities"] = f"{folder}/capacity/capacity.parquet"
    if PAIRS:
        found["fit"] = f"{folder}/fit.parquet"
    if RESAMPLED_SETS:
        found["resampling"] = f"{folder}/resampling/resampling.parquet"
    if ROBUST_SETS:
        names = {"robustness": "robustness", "robustness_trends": "trends"}
        found |= {name: f"{folder}/robustness/{file}.parquet" for name, file in names.items()}
    layers = [f"{folder}/capacity/{network}/layers.png" for network in CAPACITY["networks"]]
    return {
        "tables": found,
        "texts": summarised_diagnosis()["texts"],
        "figures": [*summarised_diagnosis()["figures"], *resampled_files("figures"), *layers],
    }


def atlas_temperature():
    """Tables and figures of the temperature room; courses by network and samples."""
    folder = "results/temperature"
    names = ("training", "duel", "duel_pairs") if DUELS else ()
    schemas = {"training": "training_table"}
    pairs = list(dict.fromkeys((entry["network"], entry["samples"]) for entry in [*DUELS, *STARTS]))
    return {
        "tables": {schemas.get(name, name): f"{folder}/{name}.parquet" for name in names},
        "courses": [
            {"network": network, "samples": samples, "table": f"{folder}/{network}/{samples}/courses.parquet"}
            for network, samples in pairs
        ],
        "figures": [path for path in temperature_results() if path.endswith(".png")],
    }
