"""What the figures of pictures show."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from filterscope.pictures.figures import LONGEST, Card, Shown, occlusion_page, sheet, strongest_bars

RED, BLUE = np.full((40, 40, 3), (250, 0, 0), np.uint8), np.full((40, 40, 3), (0, 0, 250), np.uint8)


def drawn(figure):
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return np.asarray(Image.open(stream).convert("RGB"), int)


def share(pixels, colour):
    return (np.abs(pixels - np.array(colour)).max(2) < 12).mean()


def test_sheets_hold_all_cards_on_a_page_of_good_shape():
    cards = [Card(f"{number}", [Shown(RED, "best"), Shown(BLUE, "maco")]) for number in range(7)]
    pixels = drawn(sheet("title", cards))
    assert share(pixels, RED[0, 0]) == pytest.approx(share(pixels, BLUE[0, 0]), rel=0.02)
    assert share(pixels, RED[0, 0]) > 0.15
    assert 0.5 < pixels.shape[1] / pixels.shape[0] < 2.5
    # A dead filter has an empty frame, the others stay.
    dead = drawn(sheet("title", [*cards[:-1], Card("6", [Shown(RED, "best"), Shown(None, "maco")])]))
    assert dead.shape == pixels.shape
    assert share(dead, BLUE[0, 0]) == pytest.approx(share(pixels, BLUE[0, 0]) * 6 / 7, rel=0.02)


def test_strongest_bars_are_drawn_in_order():
    rows = pd.DataFrame({"filter": [5, 2], "activation": [4.0, 2.0], "median": [0.5] * 2, "scenario": ["spike"] * 2})
    figure = strongest_bars(RED, rows, "a.jpg", {5: "dog"})
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert labels == ["5  dog", "2"]
    assert [bar.get_width() for bar in figure.axes[1].patches] == [4, 2]
    assert share(drawn(figure), RED[0, 0]) > 0.1


def test_importance_is_red_where_it_is_high():
    grey = np.full((40, 40, 3), 120, np.uint8)
    importance = np.zeros((40, 40))
    importance[:, :20] = 0.4
    row = {"kind": "photograph", "name": "", "filters": "3 1", "overlap": 2, "null_overlap": None}
    rows = pd.DataFrame([row, {**row, "kind": "object", "name": "dog", "overlap": 1, "null_overlap": 1.5}])
    figure = occlusion_page("a.jpg", grey, [BLUE], rows, importance)
    shown = figure.axes[1].images[0].get_array()
    assert shown[0, 0, 0] > shown[0, 0, 1] + 80
    assert shown[0, 30].tolist() == shown[0, 30, ::-1].tolist()
    texts = [text.get_text() for text in figure.texts]
    assert {"dog: 1 of 2 stay", "at random 1.5; now 3 1"} <= set(texts)
    assert "at most by 40%" in texts


def test_a_long_name_is_cut_and_shows_it():
    """It must not run into its neighbour's, nor look like another name."""
    grey, name = np.full((40, 40, 3), 120, np.uint8), "orange horizontal square"
    row = {"kind": "photograph", "name": "", "filters": "3 1", "overlap": 2, "null_overlap": None}
    rows = pd.DataFrame([row, {**row, "kind": "object", "name": name, "overlap": 1, "null_overlap": 1.5}])
    figure = occlusion_page("a.jpg", grey, [BLUE], rows, np.zeros((40, 40)))
    (shown,) = (text.get_text() for text in figure.texts if "stay" in text.get_text())
    assert shown == "orange horizontal s…: 1 of 2 stay"
    assert len(shown.partition(":")[0]) == LONGEST
