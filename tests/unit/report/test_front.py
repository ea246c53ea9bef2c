"""The page that is read first: short, with pictures, safe whatever texts hold."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from filterscope.report.atlas.views import View
from filterscope.report.front import FrontPage, Link, front_html, front_text, layer_line
from filterscope.report.summary import ShownFilter
from filterscope.report.thumbnails import ACROSS, GAP, SIDE, Strips
from filterscope.report.verdict import Explained

HOSTILE = "</style><script>alert(1)</script>|\"'\nx"


@pytest.fixture
def page():
    shown = ShownFilter(3, HOSTILE, "proved", HOSTILE, HOSTILE, "atlas/index.html#/filter/0/3", "s.png", b"RIFF")
    names = pd.DataFrame({"status": ["proved", "supported", "unsupported", "dead"]})
    claims = pd.DataFrame({"told": True, "lent": [True, True], "lent_supported": [True, False]})
    scores = pd.DataFrame({"row": ["words"], "value": [0.734], "metric": "recall", "candidates": "vocabulary", "k": 5})
    line = layer_line(HOSTILE, "atlas/index.html#/layer/0", Explained(names, claims, scores))
    return FrontPage("t", "atlas/index.html", [HOSTILE, "second"], [shown], ["careful"], [line], [Link("a", "a.csv")])


def test_texts_stay_texts(page):
    html, text = front_html(page), front_text(page)
    assert "<script>" not in html
    assert html.count("data:image/webp;base64,UklGRg==") == 1
    assert "\nx" not in text, "a name ends no line of Markdown"
    assert r"</script>\|" in text, "nor a cell"


def test_a_line_has_counts_and_shares(page):
    cells = [(cell.text, cell.beside) for cell in page.layers[0].cells]
    assert cells == [
        ("3", "and 1 dead"),
        ("2", "67%"),
        ("1", ""),
        ("1", "of 2"),
        ("73%", ""),
        ("", ""),
        ("", ""),
        ("", ""),
    ]


def test_without_masks_nothing_is_counted_as_believed():
    line = layer_line("p", "x", Explained(pd.DataFrame({"status": ["untested", "untested"]})))
    assert [cell.text for cell in line.cells] == ["2", "no masks", "", "", "", "", "", ""]
    untold = pd.DataFrame({"told": False, "lent": [True], "lent_supported": [False]})
    line = layer_line("p", "x", Explained(pd.DataFrame({"status": ["cannot be told"]}), untold))
    assert line.cells[3].text == "too few to tell"


def test_pictures_come_before_the_doubts(page):
    html = front_html(page)
    assert html.index("<img") < html.index("How far that can be believed") < html.index("Layer by layer")
    assert 'alt="The photographs that excite filter 3 of' in html


@pytest.fixture
def strips(tmp_path):
    """Two photographs, grey and 80 px wide of which the network sees the middle; filter 0 fires in the left half."""
    for name in "ab":
        Image.new("RGB", (80, 40), (200, 200, 200)).save(tmp_path / f"{name}.png")
    images = pd.DataFrame(
        {"image_id": [7, 8, 9], "path": ["a.png", "b.png", "gone.png"], "width": 80, "height": 40, "turned": False}
    )
    top = pd.DataFrame(
        {"filter": [0, 0, 0, 1], "rank": [0, 1, 2, 0], "image_id": [7, 8, 9, 7], "maximum": [3.0, 2.0, 1.0, 0.0]}
    )
    heat = np.repeat(np.array([[255, 255, 0, 0]], np.uint8), 4, 0)
    return Strips(top, images.set_index("image_id"), tmp_path, View(40, 40), {(0, 7): heat, (0, 8): heat, (0, 9): heat})


def test_a_strip_is_dark_where_the_filter_is_silent(strips):
    seen = np.asarray(Image.open(io.BytesIO(strips.of(0))).convert("L"), np.float64)
    assert seen.shape == (SIDE, ACROSS * (SIDE + GAP) - GAP)
    for start in (0, SIDE + GAP):
        assert seen[:, start : start + SIDE // 4].mean() == pytest.approx(200, abs=4)
        assert seen[:, start + 3 * SIDE // 4 : start + SIDE].mean() == pytest.approx(60, abs=4)


def test_a_photograph_that_is_gone_is_grey_and_a_silent_filter_has_no_strip(strips):
    seen = np.asarray(Image.open(io.BytesIO(strips.of(0))).convert("L"), np.float64)
    assert seen[:, 2 * (SIDE + GAP) :].std() < 2
    assert strips.of(1) is None
