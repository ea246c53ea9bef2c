"""The page that is read first as a person sees it: pictures in the first screen, never too wide, accessible."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from PIL import Image

from filterscope.report.front import Asked, FrontPage, Link, front_html, layer_line
from filterscope.report.summary import ShownFilter
from filterscope.report.verdict import Explained, verdict

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The page of a study of three layers."""
    data = io.BytesIO()
    Image.new("RGB", (368, 120), (40, 90, 60)).save(data, "WEBP")
    names = pd.DataFrame({"status": ["proved"] * 20 + ["supported"] * 9 + ["unsupported"] * 3})
    claims = pd.DataFrame({"told": True, "lent": [True] * 32, "lent_supported": [True] + [False] * 31})
    rows = {"words": 0.71, "dissection": 0.8, "constant_words": 0.3}
    scores = pd.DataFrame({"row": list(rows), "value": list(rows.values())})
    scores = scores.assign(metric="recall", candidates="vocabulary", k=5)
    explained = Explained(names, claims, scores, pd.DataFrame({"passed": [True, True]}), 22, 21135)
    shown = [
        ShownFilter(
            number,
            "traffic light",
            "proved",
            "",
            "layer4",
            f"atlas/index.html#/filter/0/{number}",
            None,
            data.getvalue(),
        )
        for number in range(8)
    ]
    page = FrontPage(
        "A study of an average title",
        "atlas/index.html",
        verdict([explained] * 3),
        shown,
        ["layer4: One name is borne by more than 10% of the 32 live filters and does not tell them apart: “sky” (9)."],
        [layer_line(f"resnet50.layer{number}", f"atlas/index.html#/layer/{number}", explained) for number in range(3)],
        [Link("layer4: names", "../words/filter_names.csv")],
        [Asked("Data and networks", ["alexnet is oversized for digits."])],
        [Link("Words, in full", "appendix/words.html", "names, scores")],
    )
    path = tmp_path_factory.mktemp("first") / "summary.html"
    path.write_text(front_html(page), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, path):
    """Opens the page in a window so wide; fails the test for what the console says."""
    contexts, said = [], []

    def open_(width, scheme="light"):
        height = 844 if width < 500 else 860
        contexts.append(
            browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
        )
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        return page

    yield open_
    for each in contexts:
        each.close()
    assert said == []


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_pictures_are_in_the_first_screen_and_nothing_is_wider(opened, width):
    page = opened(width)
    box = page.locator("img").first.bounding_box()
    assert box["y"] + box["height"] < page.viewport_size["height"]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.evaluate("document.documentElement.scrollHeight") < (3200 if width < 500 else 2000), "one page"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(opened, width, scheme):
    library = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    found = library.Axe().run(opened(width, scheme), options={"resultTypes": ["violations"]}).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
