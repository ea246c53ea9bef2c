"""A browser for the atlas: Playwright's library with a Chromium that is on the machine; skipped where either is not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.atlas.synthetic import Synthetic
from tests.atlas.visits import Visit

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; FILTERSCOPE_CHROMIUM names one that is elsewhere."""
    path = os.environ.get("FILTERSCOPE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(
            f"no Chromium: none of {', '.join(_NAMES)} is on the path, FILTERSCOPE_CHROMIUM is not set; `make browser` "
            "installs it on Debian"
        )
    return path


@pytest.fixture(scope="module")
def browser(chromium) -> Iterator[object]:
    """A Chromium, closed when the file's tests are through."""
    library = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (filterscope[test])")
    with library.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Visit]]:
    """Opens an atlas from the disk, without a network; fails the test for what the console says or a request lacks.

    Called with the path of index.html; `width` in px, `scheme` light or dark, `motion` as the user asks for it.
    """
    opened: list[Visit] = []

    def visit(path: Path, width: int = 1280, scheme: str = "light", motion: str = "no-preference") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 860},
            color_scheme=scheme,
            reduced_motion=motion,
            offline=True,
            accept_downloads=True,
        )
        opened.append(Visit(context.new_page(), path))
        return opened[-1]

    yield visit
    complaints = [each for one in opened for each in one.complaints]
    for one in opened:
        one.page.context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def made_up(tmp_path_factory) -> tuple[Path, Synthetic]:
    """A small atlas, two layers of 150 filters, and what is in it."""
    synthetic = Synthetic()
    return synthetic.write(tmp_path_factory.mktemp("atlas")), synthetic


@pytest.fixture(scope="session")
def two_studies(tmp_path_factory) -> tuple[Path, Synthetic]:
    """The same, the second layer being the first one of another study."""
    synthetic = Synthetic(beside=True)
    return synthetic.write(tmp_path_factory.mktemp("two_studies")), synthetic
