"""Figures whose texts are drawn as they are written, whatever a user's files, classes and words are called.

matplotlib takes what stands between two dollar signs for a formula, and draws boxes for letters that its font
lacks. Every figure of the project is a `Figure` of this module.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterator
from functools import cache

import matplotlib.figure
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from matplotlib.ticker import LogFormatterMathtext

from filterscope.job import LOGGER

BASE = "DejaVu Sans"  # matplotlib's own font, which comes with it
# Fonts that hold a sign for every letter, or signs of formulas only.
NOT_FOR_TEXT = ("Last Resort", "STIX", "cm", "DejaVu")


class Figure(matplotlib.figure.Figure):
    """matplotlib's figure. Texts are no formulas, but for the powers of ten that its logarithmic axes write.

    Letters that the font lacks are taken from an installed font that has them; where there is none, a warning
    names the letters and the text.
    """

    def text(self, *args, **kwargs) -> Text:
        """As matplotlib's; the text can be measured before the figure is drawn."""
        text = super().text(*args, **kwargs)
        _write(text)
        return text

    def draw(self, renderer) -> None:
        """As matplotlib's, which comes here for every file."""
        powers = {id(label) for label in _powers(self)}
        for text in _texts(self):
            if id(text) not in powers:
                _write(text)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font")  # said by name above
            super().draw(renderer)


def _texts(artist: Artist) -> Iterator[Text]:
    """All texts in an artist, but for those of axes that are not drawn: their ticks and labels, a hundred for every
    picture of a sheet, are only made where somebody asks for them."""
    if isinstance(artist, Text):
        yield artist
    for child in artist.get_children():
        if not isinstance(child, Axis) or _is_drawn(child):
            yield from _texts(child)


def _is_drawn(axis: Axis) -> bool:
    return axis.axes.axison and axis.get_visible()


def _powers(figure: Figure) -> list[Text]:
    """Labels that matplotlib itself writes as formulas."""
    found = []
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if _is_drawn(axis)):
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            found += [label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)]
        if isinstance(axis.get_minor_formatter(), LogFormatterMathtext):
            found += [label for tick in axis.get_minor_ticks() for label in (tick.label1, tick.label2)]
    return found


def _write(text: Text) -> None:
    """Have the text drawn letter by letter, in fonts that have the letters."""
    text.set_parse_math(False)
    letters = [each for each in dict.fromkeys(text.get_text()) if ord(each) > 0x7F and not _is_control(each)]
    if not letters:
        return
    base = font_manager.findfont(text.get_fontproperties())
    families = []
    for letter in letters:
        if letter not in _letters_of(base):
            family = _family_with(letter)
            if family is None:
                _warn(unicodedata.name(letter, "unnamed").partition(" ")[0], letter, text.get_text())
            elif family not in families:
                families.append(family)
    if families:
        text.set_fontfamily([BASE, *families])


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp")


@cache
def _letters_of(path: str) -> frozenset[str]:
    """The letters that a font file has."""
    return frozenset(map(chr, FT2Font(path).get_charmap()))


@cache
def _family_with(letter: str) -> str | None:
    """The installed family with the most letters that has this one."""
    fonts = [each for each in font_manager.fontManager.ttflist if not each.name.startswith(NOT_FOR_TEXT)]
    sizes = {each.name: len(_letters_of(each.fname)) for each in fonts if letter in _letters_of(each.fname)}
    return max(sizes, key=lambda name: (sizes[name], name), default=None)


@cache
def _warn(script: str, letter: str, text: str) -> None:
    LOGGER.warning(
        "no installed font has the letter %s (%s) of %r: figures show a box for it and its like; install a font that "
        "has them, such as Noto Sans or Noto Sans CJK, and draw the figures again",
        *(letter, script, text),
    )
