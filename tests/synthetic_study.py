"""A study's results made up at once, for tests and benchmarks of the atlas: tables that fit their schemas."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from filterscope import tables
from filterscope.report.atlas.places import FORMAT, PLACES

TOKENS = ("dog", "cat", "wheel", "tree")
NEW = ("puppy", "tyre", "leaf", "whisker", "forest", "paw")
P = 5  # top images of a filter


@dataclass
class Synthetic:
    """What the study is like. filters: of every layer; the first is dead, the second silent, the others go round the
    statuses. layers share their tables. names: of categories, in the order of TOKENS."""

    layers: int = 1
    filters: int = 12
    photographs: int = 30
    size: tuple[int, int] = (60, 40)  # px, width and height
    cells: int = 7
    annotated: bool = True
    explained: bool = True
    drawn: bool = False
    title: str = "Synthetic"
    tokens: tuple[str, ...] = TOKENS
    words: tuple[str, ...] = (*TOKENS, *NEW)
    file: str = "{number}.jpg"
    pictures: str = "thumbnails"
    shown: str | list[int] = "all"
    top: int = P
    seed: int = 0
    extension: dict = field(default_factory=dict)
    tables: dict = field(default_factory=dict)  # further tables of the words, by name

    def write(self, results: Path) -> Path:
        """Write the results; their folder."""
        self.random = np.random.default_rng(self.seed)
        self.results = results
        self._write_dataset()
        given = self._write_layer()
        places = {
            "format": FORMAT,
            "title": self.title,
            "seed": self.seed,
            "atlas": {"pictures": self.pictures, "filters": self.shown},
            "datasets": {"album": self.dataset},
            "layers": [{**given, "heading": f"layer{n} on album", "probe": f"layer{n}"} for n in range(self.layers)],
            "diagnosis": {"tables": {}, "texts": [], "figures": []},
            "temperature": {"tables": {}, "courses": [], "figures": []},
            "summary": "results/report/summary.html",
            **self.extension,
        }
        path = results / PLACES
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(places), encoding="utf-8")
        (path.parent / "summary.html").write_text("<p>nothing</p>")
        return results

    def _table(self, data, name: str, path: str) -> str:
        place = f"results/{path}.parquet"
        target = self.results / f"{path}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        tables.write(data, name, target)
        return place

    def _write_dataset(self) -> None:
        width, height = self.size
        folder = self.results / "data/album/pictures"
        folder.mkdir(parents=True)
        coarse = self.random.integers(0, 256, (self.photographs, 4, 6, 3), dtype=np.uint8)
        paths = [self.file.format(number=number) for number in range(self.photographs)]
        for path, pixels in zip(paths, coarse, strict=True):
            Image.fromarray(pixels).resize(self.size, Image.Resampling.BICUBIC).save(folder / path, "JPEG")
        self.images = pd.DataFrame(
            {
                "image_id": np.arange(self.photographs) + 100,
                "split": "val",
                "path": paths,
                "width": width,
                "height": height,
                "turned": False,
                "sha256": [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in paths],
            }
        )
        own = {"images": self._table(self.images, "images", "data/album/images")}
        categories = pd.DataFrame(
            {
                "category": self.tokens,
                "tokens": [[token] for token in self.tokens],
                **dict.fromkeys(("images_train", "images_val", "annotations_train", "annotations_val"), 1),
                "supervised": True,
            }
        )
        self.categories = self._table(categories, "categories", "data/album/categories")
        if self.annotated:
            objects = {
                "annotation_id": np.arange(self.photographs),
                "image_id": self.images["image_id"],
                "category": [self.tokens[n % len(self.tokens)] for n in range(self.photographs)],
                "tokens": [[self.tokens[n % len(self.tokens)]] for n in range(self.photographs)],
                "x": 0.0,
                "y": 0.0,
                "w": width / 2,
                "h": height / 2,
                "mask": [b""] * self.photographs,
                "area": 1.0,
            }
            own["annotations"] = self._table(pd.DataFrame(objects), "annotations", "data/album/annotations")
        self.dataset = {"folder": "results/data/album/pictures", "annotated": self.annotated, "tables": own}

    def _write_layer(self) -> dict:
        given = {
            "dataset": "album",
            "vocabulary": "words" if self.explained else None,
            "network": "network",
            "layer": "layer",
            "reference": None,
            "view": {"resize": 32, "crop": 32},
            "tables": {},
            "split": "all",
            "firing": [],
            "pictures": [self._write_pictures()] if self.drawn else [],
            "facets": None,
            "strongest": None,
            "occlusions": None,
        }
        if self.explained:
            given["tables"] = self._write_words()
            given["firing"] = [self.firing]
        return given

    def _write_words(self) -> dict[str, str]:
        filters, top = np.arange(self.filters), self.top
        maxima = self.random.gamma(2.0, 1.0, (self.photographs, self.filters)).astype(np.float32)
        maxima[:, 0] = 0.0
        firing = {
            "image_id": self.images["image_id"],
            "split": self.images["split"],
            "maximum": tables.vectors(maxima),
            "mean": tables.vectors(maxima / 2),
        }
        self.firing = self._table(firing, "image_activations", "activations/shard/images")
        order = np.argsort(-maxima, axis=0, kind="stable")[:top].T
        best = np.take_along_axis(maxima.T, order, 1).astype(np.float64)
        best[1] = -1.0  # silent in every mined image
        ranks = np.tile(np.arange(top), self.filters)
        rows = {"filter": np.repeat(filters, top), "rank": ranks, "image_id": order.ravel() + 100}
        mined = {"maximum": best.ravel(), "tied": 1, "asked": top, "mined": self.photographs}
        own = {"top_images": self._table(pd.DataFrame({**rows, **mined}), "top_images", "activations/top_images")}
        own["heatmaps"] = self._write_heatmaps(rows, best)
        thresholds = {"filter": filters, "threshold": 1.0, "dead": filters == 0, "fires_elsewhere": False}
        thresholds |= {"saturated": False, "n": 100}
        own["thresholds"] = self._table(pd.DataFrame(thresholds), "thresholds", "activations/thresholds")
        vectors = self.random.normal(size=(len(self.words), 8))
        vocabulary = {
            "row": pa.array(range(len(self.words)), pa.int32()),
            "word": list(self.words),
            "vector": tables.vectors(vectors),
        }
        own["vocabulary"] = self._table(vocabulary, "vocabulary", "data/vocabulary")
        own["categories"] = self.categories
        own |= {name: self._table(data, name, f"words/{name}") for name, data in self.tables.items()}
        return own | self._write_names(filters)

    def _write_heatmaps(self, rows: dict, best: np.ndarray) -> str:
        heard = np.flatnonzero(best.ravel() > 0)
        cells = self.random.integers(0, 256, (len(heard), self.cells, self.cells), dtype=np.uint8)
        maps = {
            **{name: values[heard] for name, values in rows.items()},
            **dict.fromkeys(("rows", "columns", "map_rows", "map_columns"), np.full(len(heard), self.cells)),
            "map": pa.array([each.tobytes() for each in cells], pa.binary()),
            "peak_row": cells.reshape(len(heard), -1).argmax(1) // self.cells,
            "peak_column": cells.reshape(len(heard), -1).argmax(1) % self.cells,
        }
        return self._table(maps, "heatmaps", "words/heatmaps")

    def statuses(self) -> list[str]:
        """The status of every filter."""
        told = ("proved", "supported", "unsupported", "cannot be told") if self.annotated else ("untested",)
        found = [told[n % len(told)] for n in range(self.filters)]
        found[:2] = ["dead", "silent"][: self.filters]
        return found

    def _write_names(self, filters: np.ndarray) -> dict[str, str]:
        status = self.statuses()
        heard = filters[2:]
        chosen = [[self.words[(n + rank) % len(self.words)] for rank in range(5)] for n in heard]
        claims = [None if n < 2 else self.tokens[n % len(self.tokens)] for n in filters]
        auprc = [None if n < 2 or not self.annotated else 0.1 + 0.8 * n / self.filters for n in filters]
        believed = [each in ("proved", "supported") for each in status]
        scores = {
            "auprc": auprc,
            "low": [None if each is None else each - 0.05 for each in auprc],
            "high": [None if each is None else each + 0.05 for each in auprc],
        }
        null = [None if each is None else 0.1 for each in auprc]
        caused = [
            None if each is None else "caused" if told == "proved" else "not_caused"
            for each, told in zip(auprc, status, strict=True)
        ]
        named = {
            "filter": filters,
            "status": status,
            "name": [
                claim if each in ("proved", "supported", "untested") else None
                for each, claim in zip(status, claims, strict=True)
            ],
            "words": ["", ""][: self.filters] + [", ".join(each) for each in chosen],
            "apart": "",
            "claim": claims,
            "reference_status": None,
            **scores,
            "null": null,
            "cause": caused,
            "cause_effect": auprc,
            "cause_low": scores["low"],
            "cause_high": scores["high"],
            "cause_null": null,
            **dict.fromkeys(("picture", "picture_count", "picture_found", "picture_null")),
        }
        words = {
            "filter": np.repeat(heard, 5),
            "rank": np.tile(np.arange(5), len(heard)),
            "word": [word for each in chosen for word in each],
            "votes": np.tile(np.arange(5, 0, -1), len(heard)),
            "cosine": 0.5,
            "evidence": 1.0,
            "lift": np.tile(np.linspace(0.5, 0.1, 5), len(heard)),
        }
        apart = pd.DataFrame({"candidates": "vocabulary", **words}).drop(columns="votes")
        own = {
            "filter_names": self._table(pd.DataFrame(named), "filter_names", "words/filter_names"),
            "words_apart": self._table(apart, "words_apart", "words/words_apart"),
        }
        every = np.repeat(filters, 5)[10:]
        support = {name: [values[n] for n in every] for name, values in {"claim": claims, **scores}.items()}
        support["supported"] = [believed[n] if self.annotated else None for n in every]
        novel = [word not in self.tokens for word in words["word"]]
        own["filter_words"] = self._table(
            pd.DataFrame({**words, "novel": novel, **support}), "filter_words", "words/filter_words"
        )
        if self.annotated:
            own["filter_claims"] = self._table(
                self._claims(filters, claims, scores, null, believed), "filter_claims", "words/filter_claims"
            )
        return own

    def _claims(self, filters, claims, scores, null, believed) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "filter": filters,
                "dead": filters == 0,
                "claim": claims,
                **scores,
                "null": null,
                "lift": [None if each is None else each - 0.1 for each in scores["auprc"]],
                "told": True,
                "supported": believed,
                "lent": True,
                "lent_supported": False,
                **dict.fromkeys(("iou", "f1", "correlation"), 0.2),
                "rival": claims,
                "rival_auprc": scores["auprc"],
            }
        )

    def _write_pictures(self) -> dict:
        folder = self.results / "pictures/maco/pictures"
        folder.mkdir(parents=True)
        for number in range(self.filters):
            Image.new("RGB", (48, 48), (number % 256, 90, 20)).save(folder / f"filter_{number}.png")
        drawn = pd.DataFrame(
            {
                "filter": np.arange(self.filters),
                "number": 0,
                "recipe": "maco",
                "status": "optimised",
                "note": "",
                "path": [f"pictures/filter_{number}.png" for number in range(self.filters)],
                "size": 48,
                "reached": 1.0,
                "activation": 2.0,
                "best_image_id": 100,
                "best_image": 1.0,
                "ratio": 2.0,
            }
        )
        place = self._table(drawn, "pictures", "pictures/maco/pictures")
        return {
            "recipe": "maco",
            "method": "maco",
            "folder": "results/pictures/maco/pictures",
            "tables": {"pictures": place},
        }


def received(path: Path) -> tuple[str, object]:
    """What a file of an atlas's data hands to the page: key and value."""
    text = path.read_text(encoding="utf-8")
    head, tail = "filterscope.receive(", ");\n"
    assert text.startswith(head), text[:80]
    assert text.endswith(tail), text[-80:]
    key, end = json.JSONDecoder().raw_decode(text[len(head) :])
    return key, json.loads(text[len(head) + end + 1 : -len(tail)])
