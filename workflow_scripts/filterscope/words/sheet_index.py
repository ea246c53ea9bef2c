"""One page with all filters of a layer that have a sheet: where each looks, its name and status.

Snakemake's report lists files by texts alone; this page stands among a layer's sheets there and shows them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
import numpy as np
import pandas as pd
from PIL import Image

ACROSS, SIDE, GAP = 3, 120, 4  # pictures of a filter beside each other; px, of a side, and between them
QUALITY = 80  # of WebP
WORDS = 3  # of a filter, below its name

PAGE = jinja2.Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff; margin: 1.2em; overflow-wrap: anywhere }
h1 { font-size: 1.2em } p { color: #59616b }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17em), 1fr)); gap: 1.1em; padding: 0;
  list-style: none; font-size: 14px } img { display: block; width: 100%; height: auto; margin-bottom: 0.2em }
small { color: #59616b }
</style></head><body>
<h1>{{ title }}</h1>
<p>{{ filters | length }} filters with the pictures that excite each most, dark where it is silent. A name is proved or
supported by masks; another status says why there is none.</p>
<ul>
{% for each in filters %}<li><img src="{{ each.source }}" alt="What excites filter {{ each.number }} most" width="368"
height="120"><b>{{ each.name or "no name" }}</b>, {{ each.status }}<br>
<small>filter {{ each.number }}{% if each.words %}: {{ each.words }}{% endif %}</small></li>
{% endfor %}</ul></body></html>
""",
    autoescape=True,
)


@dataclass(frozen=True)
class Listed:
    """A filter on the page; strip: WebP of the pictures that excite it most. name: None where it has none."""

    number: int
    name: str | None
    status: str
    words: str
    strip: bytes

    @classmethod
    def of(cls, row: pd.Series, pictures: Sequence[np.ndarray]) -> Listed:
        """By a filter's row of `filter_names`, indexed by filter; pictures: uint8 [H, W, 3], the strongest first."""
        name = None if pd.isna(row["name"]) else str(row["name"])
        words = ", ".join(row["words"].split(", ")[:WORDS])
        return cls(int(row.name), name, row["status"], words, strip_of(pictures))

    @property
    def source(self) -> str:
        """The strip as an address, so that the page can be carried off alone."""
        return f"data:image/webp;base64,{base64.b64encode(self.strip).decode()}"


def strip_of(pictures: Sequence[np.ndarray]) -> bytes:
    """The first ACROSS of these pictures, uint8 [H, W, 3], beside each other, as WebP."""
    canvas = Image.new("RGB", (ACROSS * (SIDE + GAP) - GAP, SIDE), "white")
    for place, pixels in enumerate(pictures[:ACROSS]):
        tile = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        canvas.paste(tile, (place * (SIDE + GAP), 0))
    data = io.BytesIO()
    canvas.save(data, "WEBP", quality=QUALITY, method=4)
    return data.getvalue()


def index_page(title: str, filters: Sequence[Listed]) -> str:
    """The page as HTML that holds its pictures itself."""
    return PAGE.render(title=title, filters=filters)
