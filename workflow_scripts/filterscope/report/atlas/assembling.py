"""The whole folder of an atlas, from the tables of a study."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.job import derived_seed
from filterscope.report.atlas import maps
from filterscope.report.atlas.beside import Asked, asked_layers, counterparts, label_of, places_beside, same_albums
from filterscope.report.atlas.classes import facet_pages, shown_images
from filterscope.report.atlas.crossing import matches, near_words, pairs, strongest
from filterscope.report.atlas.details import Beside, details
from filterscope.report.atlas.exports import export_annotations, export_exemplars, export_table, layer_name
from filterscope.report.atlas.frame import write_page
from filterscope.report.atlas.layers import FIRST, SENSED, Layer, counts, index
from filterscope.report.atlas.networks import drawn_by_networks, network_pages
from filterscope.report.atlas.occlusions import covered_by_filter, occlusion_pages, shown_photographs
from filterscope.report.atlas.photographs import Photographs, objects_of
from filterscope.report.atlas.pictures import Gallery, first_files, of_layer
from filterscope.report.atlas.places import AtlasError, Places
from filterscope.report.atlas.rooms import diagnosis_page, temperature_page
from filterscope.report.atlas.senses import of_senses, sense_files, shown_senses, words_of_senses
from filterscope.report.atlas.study import PLACE, Found, noted_layer, study_page
from filterscope.report.atlas.views import View
from filterscope.report.atlas.writing import write_data
from filterscope.words.explaining.novelty import novel
from filterscope.words.explaining.targets import token_list

PIXELS = ("none", "thumbnails", "full")
IMAGE_WORDS = 3  # words that stand below a top image


@dataclass
class Making:
    """What is gathered while the folder is made."""

    places: Places
    beside: Places | None
    folder: Path
    pixels: str
    filters: str | list[int]
    threads: int
    exports: bool
    # By study and dataset; those of two studies that are the same are stored once.
    photographs: dict[tuple[int, str], Photographs] = field(default_factory=dict)
    # Words that filters have, by the path of their vocabulary; filters that are shown, by layer.
    vocabularies: dict[Path, set[str]] = field(default_factory=dict)
    shown: dict[int, np.ndarray] = field(default_factory=dict)
    exemplars: list[Layer] = field(default_factory=list)
    # Numbers of the pages of classes, by network and output unit.
    classes: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self):
        self.gallery = Gallery(self.folder)
        self.layers = asked_layers(self.places, self.beside)
        self.albums = same_albums(self.places, self.beside)
        self.together: list[tuple[int, int]] = []  # layers of two studies

    @property
    def label(self) -> str | None:
        """What the study beside is called."""
        return None if self.beside is None else label_of(self.beside, self.places)

    def photographs_of(self, asked: Asked) -> dict[str, Photographs]:
        """Photographs of the layer's study, by dataset."""
        return {name: each for (study, name), each in self.photographs.items() if study == asked.study}

    def note_words(self, vocabulary: Path, layer: Layer) -> int:
        """Remember the words of a layer's filters; the number of its vocabulary."""
        known = self.vocabularies.setdefault(vocabulary, set())
        for table in (layer.words, layer.apart):
            if table is not None:
                known |= set(table.loc[table["rank"] < FIRST, "word"])
        return list(self.vocabularies).index(vocabulary)


def make_atlas(
    results: str | Path,
    folder: str | Path,
    pixels: str | None = None,
    filters: str | list[int] | None = None,
    threads: int = 1,
    exports: bool = False,
    say: Callable[[str], None] = lambda line: None,
    beside: str | Path | None = None,
    home: str | Path | None = None,
) -> None:
    """Make the atlas of the study in the folder `results`.

    pixels: none, thumbnails or full; filters: all, named or channels; None for what the study's config says. exports:
    whether tables and exemplars for other programs lie in exports/, too. say: is told what is being done. beside: the
    results of another study, whose explained layers can be compared with this one's; None for what the config says.
    home: what relative folders of the config begin from, where that is not the folder that has the results. The folder
    appears when all is well. Raises AtlasError.
    """
    places = Places.of(results, home)
    chosen = places.given["atlas"]
    pixels, filters = pixels or chosen["pictures"], chosen["filters"] if filters is None else filters
    if pixels not in PIXELS:
        raise AtlasError(f"pictures is {pixels!r}, should be one of {', '.join(PIXELS)}")
    beside = beside or places.beside
    other = None if beside is None else places_beside(beside, places, PLACE)
    with _replacing_folder(Path(folder)) as temporary:
        _write(Making(places, other, temporary, pixels, filters, threads, exports), Path(folder), say)


def _write(making: Making, target: Path, say: Callable[[str], None]) -> None:
    places = making.places
    _gather_photographs(making, say)
    making.classes = _class_pages(making)
    noted, classes, occluded = [], [], []
    for asked in making.layers:
        say(f"layer {asked.number + 1} of {len(making.layers)}: {asked.given['heading']}")
        shared = (asked.places, asked.number, asked.given, making.photographs_of(asked), making.gallery, making.pixels)
        # Classes and covered photographs of the study beside stand in its own atlas.
        pages = occlusion_pages(*shared, len(occluded)) if asked.study == 0 else []
        noted.append(_write_layer(making, asked, _read_layer(asked, making.filters), pages))
        occluded += pages
        classes += facet_pages(*shared, len(classes)) if asked.study == 0 else []
    rows = drawn_by_networks(classes)
    for page in classes:
        page["networks"] = rows[page["dataset"], page["class"]]
    networks = network_pages(places, rows)
    for kind, pages in (("classes", classes), ("occlusions", occluded), ("networks", networks)):
        for number, page in enumerate(pages):
            write_data(making.folder, f"{kind}/{number}", page)
    for number, (path, known) in enumerate(making.vocabularies.items()):
        write_data(making.folder, f"words/{number}", near_words(path, known))
    rooms = {
        "diagnosis": diagnosis_page(places, making.gallery, making.pixels),
        "temperature": temperature_page(places, making.gallery),
    }
    for name, page in rooms.items():
        if page is not None:
            write_data(making.folder, name, page)
    making.together = counterparts(making.layers, {each["number"]: each["filters"] for each in noted})
    matched = _write_matches(making, say)
    found = Found(making.layers, noted, unique(making.photographs), classes, occluded, networks, rooms, matched)
    study = study_page(places, found, making.shown, target, making.beside, making.together)
    write_data(making.folder, "study", study)
    write_page(making.folder, study["title"], study["version"], [each["number"] for each in noted])


def unique(photographs: Mapping[tuple[int, str], Photographs]) -> list[Photographs]:
    """Every album once."""
    return list({id(each): each for each in photographs.values()}.values())


def _gather_photographs(making: Making, say: Callable[[str], None]) -> None:
    """Which photographs are shown, of every dataset; each is read and stored once."""
    wanted: dict[tuple[int, str], set[int]] = {}
    for asked in making.layers:
        places, given = asked.places, asked.given
        own = wanted.setdefault(making.albums.get(asked.album, asked.album), set())
        top = places.table(given["tables"], "top_images")
        if top is not None:
            top = top[top["maximum"] > 0]
            names = places.table(given["tables"], "filter_names")
            own |= set(
                top.loc[top["filter"].isin(_chosen(names, top["filter"].unique(), making.filters)), "image_id"].tolist()
            )
        grouped = shown_senses(places, given)
        if grouped is not None:
            names = places.table(given["tables"], "filter_names")
            chosen = _chosen(names, grouped["filter"].unique(), making.filters)
            own |= set(grouped.loc[grouped["filter"].isin(chosen), "image_id"].tolist())
        if asked.study == 0:
            own |= shown_images(places, given) | shown_photographs(places, given)
    for number, ((study, name), images) in enumerate(wanted.items()):
        places = making.beside if study else making.places
        given = places.given["datasets"][name]
        table = places.table(given["tables"], "images")
        if table is None or not images:
            continue
        found = Photographs.of(number, f"{name}, {making.label}" if study else name, table, images, making.pixels)
        say(f"{len(found.images)} photographs of {name}")
        found.write(places.path(given["folder"]), making.folder, making.threads)
        objects = None
        if places.is_there(given["tables"].get("annotations")):
            objects = objects_of(places.path(given["tables"]["annotations"]), found.tiles)
        write_data(making.folder, f"photographs/{number}", found.data(objects))
        making.photographs[study, name] = found
    for album, same in making.albums.items():
        if same in making.photographs:
            making.photographs[album] = making.photographs[same]


def _chosen(names: pd.DataFrame | None, filters: np.ndarray, asked: str | list[int]) -> np.ndarray:
    """Those of a layer's filters that are shown, ascending."""
    filters = np.unique(np.asarray(filters, np.int64))
    if asked == "all":
        return filters
    if asked == "named":
        if names is None:
            return filters
        return filters[np.isin(filters, names.loc[names["name"].notna(), "filter"])]
    return filters[np.isin(filters, np.asarray(asked, np.int64))]


def _read_layer(asked: Asked, filters: str | list[int]) -> Layer:
    """The tables of a layer, of the filters that are shown."""
    places, given = asked.places, asked.given
    own = given["tables"]
    names, words, apart = (places.table(own, each) for each in ("filter_names", "filter_words", "words_apart"))
    categories = places.table(own, "categories")
    if apart is not None:
        apart = apart[apart["candidates"] == "vocabulary"].drop(columns="candidates")
        distinct = apart["word"].unique()
        tokens = token_list(categories, supervised_only=False) if categories is not None else []
        new = dict(zip(distinct, novel(distinct, tokens), strict=True))
        apart = apart.assign(novel=apart["word"].map(new))
    everything = _filters_of(places, given, names)
    found = Layer(
        asked.number,
        given,
        everything,
        names,
        words,
        apart,
        *(places.table(own, each) for each in ("filter_claims", "filter_causes", "top_images")),
        senses=places.table(of_senses(given), "senses"),
        grouped=shown_senses(places, given),
        sensed=words_of_senses(places.table(of_senses(given), "sense_words"), SENSED),
    )
    found.counts = counts(found)
    found.filters = _chosen(names, everything, filters)
    return found


def _filters_of(places: Places, given: Mapping, names: pd.DataFrame | None) -> np.ndarray:
    """Numbers of the layer's filters, as far as any table tells."""
    if names is not None:
        return np.sort(names["filter"].to_numpy(np.int64))
    found = [places.table(entry["tables"], "pictures") for entry in given["pictures"]]
    found.append(places.table(of_senses(given), "senses"))
    numbers = [each["filter"].to_numpy(np.int64) for each in found if each is not None]
    return np.unique(np.concatenate(numbers)) if numbers else np.zeros(0, np.int64)


def _write_layer(making: Making, asked: Asked, layer: Layer, occluded: Sequence[Mapping]) -> dict:
    """The index and the details of one layer; what the study says of it. occluded: its pages of covered photographs."""
    places, given, own = asked.places, layer.given, layer.given["tables"]
    photographs = making.photographs.get(asked.album)
    pictures = of_layer(places, given["pictures"], making.gallery)
    if pictures is not None:
        pictures = pictures[pictures["filter"].isin(layer.filters)]
    making.shown[layer.number] = layer.filters
    firing, drawn, near = _firing(making, asked, layer.filters)
    words = None
    if layer.words is not None and places.is_there(own.get("vocabulary")):
        said = layer.words[layer.words["filter"].isin(layer.filters)]
        vectors = maps.word_directions(said, layer.filters, places.path(own["vocabulary"]))
        drawn |= _columns("xy", maps.plane(vectors, _seed(places, given)))
        words = making.note_words(places.path(own["vocabulary"]), layer)
    tiles = photographs.tiles if photographs is not None else {}
    page = index(layer, tiles, first_files(pictures), drawn)
    write_data(making.folder, f"layers/{layer.number}", page, f"layer/{layer.number}")
    beside = Beside(
        heatmaps=places.arrow(own, "heatmaps"),
        clip_words=places.table(own, "clip_words"),
        known=places.table(own, "known_answers"),
        thresholds=places.table(own, "thresholds"),
        image_words=_image_words(places, given),
        pictures=pictures,
        feeds=_feeds(making, asked),
        maxima=firing.sampled,
        near=near,
        sheets=_sheets(places, given),
        occluded=covered_by_filter(occluded),
    )
    for part, page in details(layer, photographs, View(**given["view"]), beside):
        write_data(making.folder, f"details/{layer.number}/{part}", page)
    for part, page in sense_files(places, given, layer.filters, photographs, making.gallery, making.pixels):
        write_data(making.folder, f"senses/{layer.number}/{part}", page)
    if making.exports:
        _export(making, asked, layer, photographs, drawn, beside)
    looked_at = photographs is not None and firing.shown.size > 0
    if looked_at:
        page = strongest(firing.shown, firing.largest, layer.filters)
        write_data(making.folder, f"strongest/{layer.number}", page)
    field = places.table(own, "receptive_field")
    share = field["share"].iloc[0] if field is not None and len(field) else None
    return noted_layer(asked, layer, photographs, looked_at, words, making.label) | {"receptive": share}


def _export(
    making: Making,
    asked: Asked,
    layer: Layer,
    photographs: Photographs | None,
    places: Mapping[str, np.ndarray],
    beside: Beside,
) -> None:
    """Tables and exemplars of a layer for other programs; without pixels of photographs where none may be shown."""
    target, name = making.folder / "exports", layer_name(layer.number)
    sprites = making.folder / "photographs" / str(0 if photographs is None else photographs.number)
    export_table(target / f"{name}.parquet", layer, photographs, sprites, places)
    if photographs is None or making.pixels == "none" or beside.heatmaps is None or beside.thresholds is None:
        return
    source = asked.places.path(asked.places.given["datasets"][asked.given["dataset"]]["folder"])
    view = View(**layer.given["view"])
    exemplars = (target / "exemplars" / name, layer, photographs, source, view)
    if export_exemplars(*exemplars, beside.heatmaps, beside.thresholds):
        making.exemplars.append(layer)
        export_annotations(target / "exemplars" / "annotations.csv", making.exemplars)


def _firing(making: Making, asked: Asked, filters: np.ndarray) -> tuple[maps.Firing, dict, list[list[int]]]:
    """What a layer's filters do over the images; their places on a map by it; by filter the nearest ones."""
    photographs = making.photographs.get(asked.album)
    firing = _read_firing(asked, {} if photographs is None else photographs.tiles)
    if not firing.sampled.size:
        return firing, {}, []
    rows = np.zeros((firing.sampled.shape[1], len(firing.sampled)))
    rows[filters] = maps.firing_together(firing.sampled)[filters]
    near = [[place for place, _ in each] for each in maps.nearest(rows)]
    return firing, _columns("uv", maps.plane(rows[filters], _seed(asked.places, asked.given))), near


def _read_firing(asked: Asked, photographs: Mapping[int, int]) -> maps.Firing:
    places, given = asked.places, asked.given
    shards = [places.path(each) for each in given["firing"] if places.is_there(each)]
    complete = shards if len(shards) == len(given["firing"]) else []
    return maps.Firing.read(complete, None if given["split"] == "all" else given["split"], photographs)


def _columns(names: str, values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(names, values.T, strict=True))


def _seed(places: Places, given: Mapping) -> int:
    return derived_seed(places.given["seed"], "atlas", given["dataset"], given["probe"])


def _write_matches(making: Making, say: Callable[[str], None]) -> list[tuple[int, int]]:
    """Filters of pairs of layers that fire on the same photographs; the pairs."""
    found, held = pairs(making.layers, making.albums, making.together), {}
    for first, second in found:
        say(f"layers {first + 1} and {second + 1}: which filters fire on the same photographs")
        for number in (first, second):
            if number not in held:
                held[number] = _read_firing(making.layers[number], {})
        held = {number: held[number] for number in held if number >= first}
        one, other = held[first], held[second]
        if not (one.sampled.size and other.sampled.size and np.array_equal(one.image_ids, other.image_ids)):
            continue
        shown = [making.shown[number] for number in (first, second)]
        numbered = (first, second) in making.together and one.sampled.shape == other.sampled.shape
        write_data(making.folder, f"matches/{first}/{second}", matches(one.sampled, other.sampled, *shown, numbered))
    return [pair for pair in found if (making.folder / f"data/matches/{pair[0]}/{pair[1]}.js").exists()]


def _image_words(places: Places, given: Mapping) -> dict[tuple[int, int], list[str]]:
    """The first words of every filter's every top image."""
    place = given["tables"].get("image_words")
    found: dict[tuple[int, int], list[str]] = {}
    if not places.is_there(place):
        return found
    columns = ["candidates", "filter", "image_id", "rank", "word"]
    for batch in tables.batches(places.path(place), "image_words", columns, 200_000):
        rows = batch.to_pandas()
        rows = rows[(rows["candidates"] == "vocabulary") & (rows["rank"] < IMAGE_WORDS)]
        for number, image_id, word in zip(rows["filter"], rows["image_id"], rows["word"], strict=True):
            found.setdefault((number, image_id), []).append(word)
    return found


def _feeds(making: Making, asked: Asked) -> dict[int, list]:
    """By filter, the classes that it feeds: name, weight, and number of the class's page, None without one."""
    table = asked.places.table(asked.given["tables"], "feeds")
    pages = making.classes if asked.study == 0 else {}
    found: dict[int, list] = {}
    for row in [] if table is None else table.to_dict("records"):
        called = f"unit {row['unit']}" if pd.isna(row["class"]) else row["class"]
        page = pages.get((asked.given["network"], row["unit"]))
        found.setdefault(row["filter"], []).append([called, row["weight"], page])
    return found


def _class_pages(making: Making) -> dict[tuple[str, int], int]:
    """Numbers of the pages of classes with facets, by network and output unit."""
    found: dict[tuple[str, int], int] = {}
    count = 0
    for given in making.places.given["layers"]:
        own = given["facets"]["tables"] if given["facets"] else {}
        facets = making.places.table(own, "facets")
        if facets is None or not making.places.is_there(own.get("facet_summary")):
            continue
        for unit in pd.unique(facets["unit"]).tolist():
            found.setdefault((given["network"], unit), count)
            count += 1
    return found


def _sheets(places: Places, given: Mapping) -> dict[int, str]:
    """Paths of filters' contact sheets, by filter."""
    folder = given["tables"].get("filter_names")
    if folder is None:
        return {}
    sheets = places.path(folder).parent / "sheets"
    found = {}
    for path in sorted(sheets.glob("filter_*.png")):
        found[int(path.stem.removeprefix("filter_"))] = places.link(
            f"{Path(folder).parent.as_posix()}/sheets/{path.name}"
        )
    return found


@contextmanager
def _replacing_folder(folder: Path):
    """A folder that takes this one's place when the block succeeds, and vanishes when it fails.

    Raises AtlasError for a folder that holds something else than an atlas: it would be lost.
    """
    if folder.exists() and (
        not folder.is_dir() or (any(folder.iterdir()) and not (folder / "data/study.js").is_file())
    ):
        raise AtlasError(f"{folder} holds something else than an atlas, which would be lost: name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
