# Helpers of the pictures room: entries of its sections, and their results. No rules.
from types import SimpleNamespace

from configuration.names import listed


def pictures_of(entry, file):
    """A result of the pictures room for one entry of `pictures`, `facets`, `strongest_filters` or `occlusions`."""
    return f"results/pictures/{entry['dataset']}/{entry['probe']}/{file}"


def entry_of(section, wildcards):
    """What an entry of a section asks for, besides the names that its wildcards give."""
    names = dict(wildcards.items())
    for entry in config[section]:
        if all(entry[key] == name for key, name in names.items()):
            return {key: value for key, value in entry.items() if key not in names}
    raise WorkflowError(f"{section} has no entry for {', '.join(names.values())}: add one to the config")


def classes_by(wildcards):
    """What makes an image's class: the main object's shape in scenes, its category elsewhere, a plain folder's folders."""
    return SOURCES[config["datasets"][wildcards.dataset]["source"]].classes_by


def grouped(entry):
    """What an entry of `facets` says about grouping; how its pictures are made and judged does not matter for that."""
    return {key: entry[key] for key in ("classes", "codes", "facets", "nearest")}


def facets_of(dataset):
    """Entries of `facets` whose classes a dataset shows, in the order of the config."""
    return [entry for entry in config["facets"] if entry["dataset"] == dataset]


def compared_datasets():
    """Datasets whose classes several networks drew."""
    return [name for name in config["datasets"] if len(facets_of(name)) > 1]


def drawn_by_all(wildcards, file):
    """A result of every probe that drew classes of the dataset."""
    return [pictures_of(entry, file) for entry in facets_of(wildcards.dataset)]


def facet_recipes(wildcards):
    """Settings of the recipes that pictures of facets are made by, by name."""
    entry = entry_of("facets", wildcards)
    return {name: config["recipes"][name] for name in (entry["recipe"], *entry["from_noise"])}


def plain_recipes(wildcards):
    """Names of those without any regularisation."""
    return [name for name, settings in facet_recipes(wildcards).items() if settings["method"] == "plain"]


def judge_of(wildcards):
    """The probe whose network judges pictures of facets; None where there is none."""
    return entry_of("facets", wildcards)["judge"]


def judge_weights(wildcards):
    """Weights of the judge."""
    judge = judge_of(wildcards)
    return f"results/data/networks/{config['probes'][judge]['network']}/weights.pt" if judge else []


def judge_settings(wildcards):
    """Layer and network of the judge."""
    judge = judge_of(wildcards)
    return settings_of_probe(judge) if judge else None


def entries_of_pictures(wildcards):
    """Entries of `pictures` of a probe beside a dataset, in the order of the config."""
    names = (wildcards.dataset, wildcards.probe)
    return [entry for entry in config["pictures"] if (entry["dataset"], entry["probe"]) == names]


def recipes_of(wildcards):
    """Recipes by which pictures of a probe are made."""
    return [entry["recipe"] for entry in entries_of_pictures(wildcards)]


def positioned_recipes(wildcards):
    """Those that aim at one position of the map, not at its mean."""
    return [entry["recipe"] for entry in entries_of_pictures(wildcards) if entry["position"] is not None]


def recipe_tables(wildcards):
    """Tables of the pictures of a probe, one per recipe."""
    return expand(
        "results/pictures/{dataset}/{probe}/{recipe}/pictures.parquet", recipe=recipes_of(wildcards), **wildcards
    )


def recipe_pictures(wildcards):
    """The pictures themselves."""
    return expand("results/pictures/{dataset}/{probe}/{recipe}/pictures", recipe=recipes_of(wildcards), **wildcards)


def strongest_for(wildcards):
    """The strongest filters of photographs, where pictures of just these are asked for."""
    if entry_of("pictures", wildcards)["filters"] != "strongest":
        return []
    return f"results/pictures/{wildcards.dataset}/{wildcards.probe}/strongest_filters.parquet"


def explained_in(wildcards):
    """The vocabulary that a probe is explained in on the dataset, the first; None where it is not explained."""
    names = (wildcards.dataset, wildcards.probe)
    found = [entry["vocabulary"] for entry in EXPLANATIONS if (entry["dataset"], entry["probe"]) == names]
    return found[0] if found else None


def names_of(wildcards):
    """Names of a probe's filters, where the probe is explained on the dataset."""
    vocabulary = explained_in(wildcards)
    return words_of({**wildcards, "vocabulary": vocabulary}, "filter_names.parquet") if vocabulary else []


def own_explainer(wildcards):
    """The explainer that names a probe's facets and pictures."""
    return f"results/words/{reference(wildcards)}/{wildcards.probe}/{explained_in(wildcards)}/explainer.pt"


def own_claims(wildcards):
    """What the filters of a probe that is explained on the dataset are claimed to stand for, where there are masks."""
    entry = {**wildcards, "vocabulary": explained_in(wildcards)}
    return words_of(entry, "filter_claims.parquet") if wildcards.dataset in ANNOTATED else []


def named_pictures():
    """Entries of `pictures` whose probe is explained on the dataset: the explainer can name their pictures."""
    explained = {(entry["dataset"], entry["probe"]) for entry in EXPLANATIONS}
    return [entry for entry in config["pictures"] if (entry["dataset"], entry["probe"]) in explained]


def words_of_recipe(entry):
    """What the explainer says of the pictures of an entry of `pictures`."""
    return pictures_of(entry, f"{entry['recipe']}/picture_words.parquet")


def picture_words_of(wildcards):
    """What the explainer says of a probe's pictures, one table per recipe; none for a vocabulary that does not name them."""
    names_them = explained_in(wildcards) == wildcards.vocabulary
    return [words_of_recipe(entry) for entry in entries_of_pictures(wildcards)] if names_them else []


def named_by(words, dataset, probe):
    """Who names a probe's facets: the probes that the entry names under `words`, or the probe itself, in the vocabulary
    that the first of all these is explained in; None where none is."""
    named = SimpleNamespace(probes=listed(words) or [probe])
    known = [explained_in(SimpleNamespace(dataset=dataset, probe=name)) for name in (*named.probes, probe)]
    named.vocabulary = next(filter(None, known), None)
    return named


def naming(wildcards):
    """Who names a probe's facets, by its wildcards."""
    return named_by(entry_of("facets", wildcards)["words"], wildcards.dataset, wildcards.probe)


def naming_explainers(wildcards):
    """The explainers that name a probe's facets; made for them where nothing else asks for them."""
    named = naming(wildcards)
    return [f"results/words/{reference(wildcards)}/{name}/{named.vocabulary}/explainer.pt" for name in named.probes]


def facet_words_of(wildcards):
    """Words of a probe's facets, where it or the probe that names them is explained on the dataset."""
    folder = f"results/pictures/{wildcards.dataset}/{wildcards.probe}/facets"
    return f"{folder}/facet_words.parquet" if naming(wildcards).vocabulary else []


def inputs_of(wildcards):
    """The probe's network, which says how pictures become its input."""
    return config["networks"][config["probes"][wildcards.probe]["network"]]


def naming_senses(wildcards):
    """Who names a probe's senses, as `naming` tells it of facets."""
    own = SimpleNamespace(dataset=wildcards.dataset, probe=wildcards.probe)
    named = SimpleNamespace(dataset=wildcards.dataset, probe=entry_of("senses", wildcards)["words"] or wildcards.probe)
    named.vocabulary = explained_in(named) or explained_in(own)
    return named


def sense_explainer(wildcards):
    """The explainer that names a probe's senses."""
    named = naming_senses(wildcards)
    return f"results/words/{reference(wildcards)}/{named.probe}/{named.vocabulary}/explainer.pt"


def sense_words_of(wildcards):
    """Words of a probe's senses, where it or the probe that names them is explained on the dataset."""
    folder = f"results/pictures/{wildcards.dataset}/{wildcards.probe}/senses"
    return f"{folder}/sense_words.parquet" if naming_senses(wildcards).vocabulary else []


def sense_pictures_of(wildcards):
    """Pictures of a probe's senses, where a recipe is asked for: table and folder."""
    folder = f"results/pictures/{wildcards.dataset}/{wildcards.probe}/senses"
    asked = entry_of("senses", wildcards)["recipe"]
    return {"made": f"{folder}/sense_pictures.parquet", "drawings": f"{folder}/pictures"} if asked else {}


def other_maps(key):
    """An input function: maps that were kept of the other probe that an entry of `senses` names under a key."""

    def other_maps(wildcards):
        name = entry_of("senses", wildcards)[key]
        if name in (None, wildcards.probe):
            return []
        shards = [f"{number}-of-{config['shards']}" for number in range(1, config["shards"] + 1)]
        return [f"results/activations/{wildcards.dataset}/{name}/shards/{each}/maps.parquet" for each in shards]

    return other_maps


def other_probe(key):
    """A function for params: that probe's settings, None for the own probe."""

    def other_probe(wildcards):
        name = entry_of("senses", wildcards)[key]
        return None if name in (None, wildcards.probe) else settings_of_probe(name)

    return other_probe
