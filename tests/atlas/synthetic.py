"""An atlas that is made up, in the form that the page reads: as small as a test or as large as the budget asks."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from tests.atlas.made_rooms import NETWORK_FILES, write_rooms
from tests.atlas.made_senses import senses_of

from filterscope.report.atlas.frame import write_page
from filterscope.report.atlas.writing import packed, write_data

STATUSES = ("proved", "supported", "unsupported", "cannot be told", "untested", "silent", "dead", "unexplained")
NAMED = (0, 1)  # statuses whose filters bear their claim as a name
PER_FILE = 64  # filters in a file of details
ACROSS = 16  # tiles along a side of a sprite
TILE = 96  # px
HEIGHT = 90  # px, of every photograph
SIDE = 7  # cells of a heatmap
PLANTED = "zeppelin"  # a name that one filter bears
SENSED = "lighthouse"  # a word of the senses of one filter, which no filter has among its words
NEAR_PLANTED = "airship"  # a word that no filter has, near to it in the vocabulary


@dataclass
class Synthetic:
    """What is made up. text: stands in every place that a user's data fill, if it is given; beside: whether the second
    layer is the first one of another study.

    planted: layer and filter that bear the name PLANTED. pictures: none or thumbnails. words: how many different ones.
    """

    layers: int = 2
    filters: int = 150
    photographs: int = 40
    words: int = 60
    seed: int = 0
    text: str | None = None
    planted: tuple[int, int] = (1, 77)
    pictures: str = "thumbnails"
    detailed: bool = True
    beside: bool = False
    statuses: list[np.ndarray] = field(default_factory=list)  # of every layer, codes by filter
    named: list[list[str | None]] = field(default_factory=list)

    def said(self, usual: str) -> str:
        """The hostile text where there is one."""
        return usual if self.text is None else self.text

    def write(self, folder: Path) -> Path:
        """Write the atlas into the folder; the path of its page."""
        rng = np.random.default_rng(self.seed)
        vocabulary = [
            PLANTED,
            *(self.said(f"word{number:04d}") if number == 1 else f"word{number:04d}" for number in range(self.words)),
        ]
        for layer in range(self.layers):
            self._layer(folder, layer, vocabulary, rng)
        self._photographs(folder, rng)
        write_rooms(folder, self.said, self.layers, self.filters)
        near = [NEAR_PLANTED, *vocabulary]
        write_data(folder, "words/0", {"words": near, "near": [[1] if row == 0 else [] for row in range(len(near))]})
        write_data(folder, "study", self._study())
        write_page(folder, self.said("Made up"), "0.0.0", list(range(self.layers)))
        return folder / "index.html"

    def _layer(self, folder: Path, layer: int, vocabulary: list[str], rng: np.random.Generator) -> None:
        count = self.filters
        status = rng.choice(7, count, p=[0.2, 0.25, 0.3, 0.08, 0.07, 0.05, 0.05])
        # Few words are common and many rare, as of a real layer.
        words = 1 + np.minimum(rng.zipf(1.3, (count, 5)) - 1, 10**6) % (len(vocabulary) - 1)
        if self.text is not None:
            words[:, 0] = 2
        if layer == self.planted[0]:
            status[self.planted[1]] = 0
            words[self.planted[1], 0] = 0
        named = np.isin(status, NAMED)
        words = np.where((status >= 5)[:, None], -1, words)
        used = np.unique(words[words >= 0])
        codes = np.where(words < 0, -1, np.searchsorted(used, words))  # of the layer's own texts
        auprc = np.where(status < 5, rng.uniform(0.05, 0.95, count), np.nan)
        places = rng.uniform(size=(4, count))
        claimed = [code if own else None for code, own in zip(codes[:, 0], status < 5, strict=True)]
        columns = {
            "status": packed(status, "u8"),
            "cause": packed([0 if each == 0 else None for each in status], "u8"),
            "name": packed([code if own else None for code, own in zip(claimed, named, strict=True)], "u16"),
            "claim": packed(claimed, "u16"),
            "words": _listed(codes),
            "apart": _listed(codes[:, ::-1]),
            "novel": packed(np.full(count, 2), "u16"),
            "auprc": packed(auprc, "u16", linear=True),
            "null": packed(np.where(status < 5, 0.08, np.nan), "u16", linear=True),
            "effect": packed(np.where(status == 0, auprc / 2, np.nan), "u16", linear=True),
            "strength": packed(rng.gamma(3, 2, count), "u16", linear=True),
            "distinct": packed(rng.uniform(0, 0.4, count), "u16", linear=True),
            "senses": packed([1 + (number % 7 == 0) for number in range(count)], "u8") if self.detailed else None,
            "thumb": packed([None if code >= 5 else row % self.photographs for row, code in enumerate(status)], "u16"),
            **{name: packed(values, "u16", linear=True) for name, values in zip("xyuv", places, strict=True)},
        }
        columns = {name: column for name, column in columns.items() if column is not None}
        index = {"number": layer, "count": count, "statuses": STATUSES, "columns": columns}
        index["texts"] = [vocabulary[code] for code in used]
        if self.detailed:
            index["texts"].append(SENSED)
            sensed = np.full((count, 6), len(used) if layer == self.planted[0] else -1)
            sensed[np.arange(count) != self.planted[1]] = -1
            columns["sensed"] = _listed(sensed, 6)
            index["columns"] = {name: column for name, column in columns.items() if column is not None}
        write_data(folder, f"layers/{layer}", index, f"layer/{layer}")
        self.statuses.append(status)
        self.named.append([vocabulary[code] if own else None for code, own in zip(words[:, 0], named, strict=True)])
        if self.detailed:
            for start in range(0, count, PER_FILE):
                numbers = range(start, min(start + PER_FILE, count))
                shown = {
                    str(number): self._filter(
                        number,
                        STATUSES[status[number]],
                        [vocabulary[code] for code in words[number] if code >= 0],
                        auprc[number],
                        rng,
                    )
                    for number in numbers
                }
                write_data(folder, f"details/{layer}/{start // PER_FILE}", {"filters": shown})
                grouped = senses_of(numbers, self.photographs, self.said)
                write_data(folder, f"senses/{layer}/{start // PER_FILE}", grouped)

    def _filter(self, number: int, status: str, words: list[str], auprc: float, rng: np.random.Generator) -> dict:
        near = [(number + step) % self.filters for step in range(1, 6)]
        own = {
            "name": {"status": status},
            "near": near,
            "known": {"detects": "shape", "right": [self.said("ring")], "found": words[:2], "passed": False},
        }
        if not words:
            return own
        rows = [(number + step) % self.photographs for step in range(12)]
        heat = rng.uniform(size=(12, SIDE, SIDE)) ** 3
        heat = np.rint(255 * heat / heat.max((1, 2), keepdims=True)).astype(np.uint8)
        interval = {"low": max(0.0, auprc - 0.04), "high": min(1.0, auprc + 0.04), "null": 0.08}
        return own | {
            "top": {
                "row": rows,
                "maximum": np.sort(rng.gamma(3, 2, 12))[::-1],
                "tied": [1] * 12,
                "h": SIDE,
                "w": SIDE,
                "heat": [base64.b64encode(each.tobytes()).decode() for each in heat],
                "box": [[0.3, 0.3, 0.45, 0.45]] * 12,
                "words": [words[:3]] * 12,
            },
            "words": {
                "word": words,
                "votes": [25, 20, 11, 4, 1][: len(words)],
                "cosine": [0.31, 0.29, 0.2, 0.18, 0.1][: len(words)],
                "evidence": [8.1, 7.5, 3.3, 2.0, 0.4][: len(words)],
                "lift": [0.3, 0.2, 0.11, 0.02, -0.1][: len(words)],
                "novel": [False, True, False, False, False][: len(words)],
            },
            "apart": {"word": words[::-1], "lift": [0.2] * len(words), "novel": [False] * len(words)},
            "claim": {
                "claim": words[0],
                "auprc": auprc,
                **interval,
                "lift": auprc - 0.08,
                "iou": 0.2,
                "f1": 0.3,
                "correlation": 0.4,
                "rival": self.said("wheel"),
                "rival_auprc": 0.3,
                "lent": True,
                "lent_supported": False,
                "supported": True,
                "told": True,
            },
            "cause": {
                "status": "caused",
                "reason": self.said("") if self.text else "",
                "effect": 0.4,
                "low": 0.2,
                "high": 0.5,
                "null": 0.01,
                "p": 0.001,
                "q": 0.002,
                "objects": 24,
                "controls": 168,
                "laid_effect": 0.3,
                "lost_effect": 0.2,
            },
            "pictures": [
                {
                    "recipe": self.said("maco"),
                    "status": "stopped",
                    "note": self.said("NaN at step 4"),
                    "ratio": 0.8,
                    "path": "pictures/0.webp",
                    "words": words[:2],
                }
            ],
            "maxima": {"edges": np.linspace(0, 9, 25), "counts": rng.integers(0, 40, 24), "threshold": 6.0},
            "threshold": {"threshold": 6.0},
            "rivals": [
                {"method": "Network Dissection", "label": self.said("wheel"), "auprc": 0.3},
                {"method": "CLIP-Dissect", "label": self.said("car, tyre"), "auprc": None},
            ],
            "feeds": [[self.said("beach wagon"), 0.4, 0], ["broom", -0.2, None]],
            "occlusions": [
                {
                    "number": 0,
                    "image": 1000,
                    "row": 0,
                    "rank": 1,
                    "size": 10,
                    "parts": [[self.said("ring"), 0.2, None], [self.said("star"), 0.1, 2]],
                    "squares": 16,
                    "squares_out": 3,
                    "file": "../../pictures/occlusions.csv",
                }
            ],
            "sheet": "../../words/made up/sheets/filter_0.png",
        }

    def _photographs(self, folder: Path, rng: np.random.Generator) -> None:
        width = [120 if row % 3 else 80 for row in range(self.photographs)]
        data = {
            "image": [1000 + row for row in range(self.photographs)],
            "width": width,
            "height": [HEIGHT] * self.photographs,
            "split": ["val"] * self.photographs,
            "name": [self.said(f"folder/{row:06d}.jpg") for row in range(self.photographs)],
            "texts": [self.said("ring"), "star"],
            "objects": [[[row % 2, 0.1, 0.1, 0.6, 0.7], [1, 0.5, 0.5, 0.9, 0.9]] for row in range(self.photographs)],
            "unreadable": {},
        }
        write_data(folder, "photographs/0", data)
        ranks = [[(row + step) % self.filters for step in range(5)] for row in range(self.photographs)]
        for layer in range(self.layers):
            write_data(
                folder, f"strongest/{layer}", {"filters": ranks, "shares": [[1, 0.9, 0.7, 0.5, 0.4]] * self.photographs}
            )
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / "pictures/0.webp")
        if self.pictures == "none":
            return
        sprites = folder / "photographs/0"
        sprites.mkdir(parents=True)
        for sprite in range(-(-self.photographs // ACROSS**2)):
            count = min(ACROSS**2, self.photographs - sprite * ACROSS**2)
            canvas = Image.new("RGB", (ACROSS * TILE, -(-count // ACROSS) * TILE), (128, 128, 128))
            for place in range(count):
                size = (width[sprite * ACROSS**2 + place], HEIGHT)
                wide, high = (round(TILE * each / max(size)) for each in size)
                colour = tuple(int(each) for each in rng.integers(40, 220, 3))
                tile = Image.new("RGB", (wide, high), colour)
                tile.paste(tuple(255 - each for each in colour), (wide // 3, high // 3, 2 * wide // 3, 2 * high // 3))
                canvas.paste(
                    tile, (place % ACROSS * TILE + (TILE - wide) // 2, place // ACROSS * TILE + (TILE - high) // 2)
                )
            canvas.save(sprites / f"{sprite}.webp", quality=80)

    def believed(self, layer: int) -> list[int]:
        """Filters of a layer that bear a name."""
        return [number for number, name in enumerate(self.named[layer]) if name is not None]

    def _depth(self) -> dict:
        probes = [self.said(f"layer{number}") for number in range(self.layers)]
        told = {"dataset": self.said("made"), "group": self.said("blocks"), "vocabulary": self.said("captions")}
        places = [*range(self.layers)]
        series = [{"name": self.said("proved"), "group": self.said("proved"), "x": places, "y": [0.5 for _ in places]}]
        axes = {"x": "layer", "y": "share", "log_x": False, "log_y": False, "whole_x": True}
        file = "../../words/made/blocks/captions/depth.csv"
        curve = {"title": self.said("names"), "file": file, **axes, "series": series}
        return told | {"probes": probes, "file": file, "curves": [curve]}

    def _beside(self) -> dict:
        changes = {"layers": [1, 0], "said": self.said("layer0: of 150 filters 3 kept the name they had.")}
        return {"label": self.said("the other study"), "seed": 1, "pairs": [[0, 1]], "changes": [changes]}

    def _study(self) -> dict:
        files = {
            name: f"../../words/made up/{name}.csv"
            for name in (
                "filter_names",
                "filter_words",
                "filter_claims",
                "filter_causes",
                "scores",
                "top_images",
                "thresholds",
                "words_apart",
                "known_answers",
                "images",
                "annotations",
                "firing",
                "feeds",
                "pictures (maco)",
                "senses",
                "sense_images",
                "receptive_field",
            )
        }
        layers = [
            {
                "number": number,
                "study": int(self.beside and number == 1),
                "said": self.said("Half of it has 0.5 [0.4, 0.6]."),
                "heading": self.said(f"layer{number} of a network"),
                "dataset": self.said("made"),
                "probe": self.said(f"layer{number}"),
                "vocabulary": self.said("captions"),
                "network": self.said("network"),
                "layer": f"features.{number}",
                "view": {"resize": 96, "crop": 90},
                "filters": self.filters,
                "shown": self.filters,
                "counts": {STATUSES[code]: int(n) for code, n in enumerate(np.bincount(status, minlength=8)) if n},
                "files": files,
                "photographs": 0,
                "words": 0,
                "strongest": True,
                "explained": True,
                "recipes": ["maco"],
                "receptive": 0.25 if number else None,
                "senses": self.said("3 of 150 filters have more than one sense") if self.detailed else None,
            }
            for number, status in enumerate(self.statuses)
        ]
        rows = [
            "words",
            "ceiling",
            "dissection",
            "clip_dissect",
            "constant_words",
            "shuffled_filters",
            "shuffled_labels",
            "random_network",
        ]
        score = {
            "layer": [],
            "metric": [],
            "candidates": [],
            "k": [],
            "row": [],
            "value": [],
            "low": [],
            "high": [],
            "margin": [],
            "margin_low": [],
            "margin_high": [],
        }
        for number in range(min(self.layers, 4)):
            for metric, k in (("recall", 5), ("auprc", 1)):
                for place, row in enumerate(rows):
                    value = None if row == "random_network" else 0.9 - place / 10
                    entry = (
                        number,
                        metric,
                        "vocabulary",
                        k,
                        row,
                        value,
                        value and value - 0.03,
                        value and value + 0.03,
                        None,
                        None,
                        None,
                    )
                    for column, each in zip(score.values(), entry, strict=True):
                        column.append(each)
        return {
            "format": 1,
            "title": self.said("Made up"),
            "version": "0.0.0",
            "seed": self.seed,
            "statuses": STATUSES,
            "causes": ["caused", "not_caused", "cannot_be_told"],
            "base": "../../",
            "layers": layers,
            "verdict": [
                "Everything here is made up.",
                f"{self.said('half of it')} has 0.5 [0.4, 0.6].",
            ],
            "best": [[0, number] for number in self.believed(0)[:4]] if self.layers else [],
            "depth": [self._depth()] if self.layers else [],
            "rooms": {"diagnosis": [self.said("It fits 3 times.")]},
            "room_files": {"diagnosis": ["../../diagnosis/fit.csv"]},
            "beside": self._beside() if self.beside else None,
            "warnings": [{"layer": 0, "text": self.said("One name for many.")}, {"layer": None, "text": "Made up."}],
            "notes": [{"layer": 0, "text": self.said("A rival wins.")}],
            "scores": score,
            "known": [
                {
                    "layer": 0,
                    "count": 3,
                    "found": 2,
                    "right": [[0, [self.said("red")], ["blue"], False, "colour"]],
                    "file": files["known_answers"],
                }
            ],
            "classes": [
                {
                    "number": number,
                    "class": self.said("circle"),
                    "unit": 0,
                    "facets": 2,
                    "file": "../../pictures/facet_summary.csv",
                    "picture": "pictures/0.webp",
                    "dataset": "made",
                    "probe": f"units{number}",
                    "layer": 0,
                }
                for number in range(2)
            ],
            "networks": [
                {
                    "number": 0,
                    "dataset": self.said("made"),
                    "probes": ["units0", self.said("units1")],
                    "said": [self.said("By natural colours units0 draws best (0.7 [0.6, 0.8]).")],
                    "files": NETWORK_FILES,
                }
            ],
            "photographs": [
                {
                    "number": 0,
                    "dataset": self.said("made"),
                    "count": self.photographs,
                    "tile": TILE,
                    "across": ACROSS,
                    "down": ACROSS,
                    "pictures": self.pictures,
                    "unreadable": 0,
                }
            ],
            "occlusions": [
                {
                    "number": 0,
                    "photographs": 0,
                    "row": 0,
                    "image": 1000,
                    "dataset": "made",
                    "probe": self.said("units"),
                    "layer": 0,
                }
            ],
            "matches": [[0, 1]] if self.layers > 1 else [],
            "pages": ["diagnosis", "temperature"],
            "cite": {"text": self.said("Cite it."), "bibtex": self.said("@software{made_up}")},
            "links": [{"text": self.said("The summary"), "path": "../summary.html"}],
        }


def _listed(codes: np.ndarray, width: int = 5) -> dict | None:
    """So many codes a filter, -1 for none."""
    return packed([None if code < 0 else code for code in codes.ravel()], "u16", width)
