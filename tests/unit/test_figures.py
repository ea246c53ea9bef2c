"""Texts in figures are what they say: no formulas, and letters in a font that has them."""

import io
import logging
import re
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.axis import XAxis, YAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

import filterscope
from filterscope import figures
from filterscope.diagnosis.figures import similarity_figure
from filterscope.figures import Figure
from filterscope.pictures.figures import strongest_bars
from filterscope.words.sheets import TopImage, sheet

ODD = ["$5_$10.jpg", "us$", "$\\frac{$ a^b"]


def drawn(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


def everywhere(kind, text):
    """A figure with the text in every place where the project writes some."""
    figure = kind(figsize=(7, 5))
    figure.suptitle(text)
    figure.text(0.02, 0.9, text)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label=f"x{text}")
    axes.set_title(text, loc="left")
    axes.set_xlabel(text)
    axes.set_xticks([0, 1], [text, "b"])
    axes.annotate(text, (0.5, 0.5))
    axes.text(0.1, 0.7, text)
    figure.legend()
    return figure


@pytest.mark.parametrize("text", ODD)
def test_every_text_is_drawn_as_it_is_written(text):
    with matplotlib.rc_context({"text.parse_math": False}):
        expected = drawn(everywhere(matplotlib.figure.Figure, text))
    assert np.array_equal(drawn(everywhere(Figure, text)), expected)


def test_powers_of_ten_on_a_logarithmic_axis_stay_formulas():
    pictures = []
    for kind in (Figure, matplotlib.figure.Figure):
        figure = kind()
        axes = figure.subplots()
        axes.plot([1e-5, 1e3], [1, 2])
        axes.set_xscale("log")
        pictures.append(drawn(figure))
    assert np.array_equal(*pictures)


def test_axes_that_are_not_drawn_have_no_ticks_made(monkeypatch):
    """A sheet has a picture without axes in most of its places, and a tick takes as long as a text."""
    made = []
    for kind in (XAxis, YAxis):
        own = kind._get_tick
        monkeypatch.setattr(kind, "_get_tick", lambda axis, major, own=own: made.append(axis.axes) or own(axis, major))
    figure = Figure()
    hidden, shown = figure.subplots(1, 2)
    hidden.set_axis_off()
    text = hidden.text(0.5, 0.5, "$hidden$")
    made.clear()
    drawn(figure)
    assert hidden not in made
    assert shown in made
    assert not text.get_parse_math()


def test_a_text_is_measured_as_it_is_drawn():
    widths = []
    for text in ("$a$$b$", "a$$b$$"):  # the same letters
        figure = Figure()
        FigureCanvasAgg(figure)
        widths.append(figure.text(0, 0, text).get_window_extent().width)
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


def test_figures_take_any_name():
    name = "$a_$"  # no formula that could be read
    view = np.zeros((8, 8, 3), np.uint8)
    rows = pd.DataFrame({"filter": [0], "activation": [1.0], "median": [0.5], "scenario": ["spike"]})
    words = pd.DataFrame({"word": [name], "votes": [3], "rank": [0], "novel": [False]})
    untold = {"reference_status": None, "cause": None}
    untold |= {"picture": f"{name}: {name}", "picture_count": 1, "picture_found": 1.0, "picture_null": None}
    named = pd.Series({"filter": 0, "status": "untested", "name": name, "claim": name, "apart": name, **untold})
    similar = pd.DataFrame({"class": [name, name, "b", "b"], "other": [name, "b"] * 2, "similarity": [1, 0.5, 0.5, 1]})
    places = pd.DataFrame({"class": [name, "b"], "x": [0.0, 1.0], "y": [0.0, 1.0]})
    for figure in (
        strongest_bars(view, rows, name, {0: name}),
        sheet(name, named, words, None, [TopImage(view, view, [name], 1.0)]),
        similarity_figure(name, similar, places),
    ):
        assert drawn(figure).std() > 0


def test_no_figure_is_made_without_this_helper():
    library = Path(filterscope.__file__).parent
    own = re.compile(r"matplotlib\.figure|pyplot")
    users = [path for path in library.parent.rglob("*.py") if own.search(path.read_text(encoding="utf-8"))]
    assert users == [library / "figures.py"]


@pytest.fixture
def font(tmp_path):
    """An installed font that has a black square for the letter of dogs, and nothing else."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "dog"])
    builder.setupCharacterMap({ord("犬"): "dog"})
    pen = TTGlyphPen(None)
    for step, place in enumerate([(0, 0), (0, 800), (800, 800), (800, 0)]):
        (pen.moveTo if step == 0 else pen.lineTo)(place)
    pen.closePath()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "dog": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "dog": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Dogs", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "dogs.ttf")
    fonts = list(font_manager.fontManager.ttflist)
    font_manager.fontManager.addfont(tmp_path / "dogs.ttf")
    forget()
    yield
    font_manager.fontManager.ttflist = fonts
    forget()


def forget():
    figures._family_with.cache_clear()
    figures._warn.cache_clear()


def dogs():
    figure = Figure(figsize=(2, 2))
    figure.text(0.3, 0.3, "犬", fontsize=60)
    return figure


def test_letters_of_other_scripts_come_from_an_installed_font(font, caplog):
    with caplog.at_level(logging.WARNING, "filterscope"):
        picture = drawn(dogs())
    assert not caplog.records
    dark = (picture < 100).all(2)
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    assert dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.95  # the font's full square


def test_letters_that_no_font_has_are_named_once(caplog):
    forget()
    if figures._family_with("犬"):
        pytest.skip("an installed font has the letter")
    with caplog.at_level(logging.WARNING, "filterscope"):
        drawn(dogs())
        drawn(dogs())
    (record,) = caplog.records
    assert record.getMessage() == (
        "no installed font has the letter 犬 (CJK) of '犬': figures show a box for it and its like; install a font "
        "that has them, such as Noto Sans or Noto Sans CJK, and draw the figures again"
    )


def test_letters_of_the_own_font_need_no_other(caplog):
    with caplog.at_level(logging.WARNING, "filterscope"):
        drawn(everywhere(Figure, "Ωmega, жук, “ü” …"))
    assert not caplog.records
