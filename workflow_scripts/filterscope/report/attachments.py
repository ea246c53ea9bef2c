"""What other rooms have made for the page: figures, and findings in texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from filterscope.report.summary import ShownFigure

EMBEDDED = 2  # figures of a folder that stand on the page; the others are linked
# In the names of the diagnosis room's figures on which samples themselves are seen, which may be photographs.
OF_SAMPLES = ("pictures", "attacked", "resampled", "planes")


def findings(text: str) -> list[str]:
    """The items of a text's lists."""
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]


def shows_samples(figure: str | Path) -> bool:
    """Whether samples themselves are seen on a figure of the diagnosis room."""
    return any(word in Path(figure).stem for word in OF_SAMPLES)


def figures_at(
    paths: Sequence[str | Path], page: Path, shown: Callable[[Path], bool] = lambda path: True
) -> list[ShownFigure]:
    """The figures at these paths, files or folders of them, for a page in the folder `page`; shown: which of the files.

    Of a folder with sheets only the sheets; the first EMBEDDED of each folder with their contents. A text is linked.
    """
    return [each for path in paths for each in _figures_of(Path(path), page, shown)]


def _figures_of(path: Path, page: Path, shown: Callable[[Path], bool]) -> list[ShownFigure]:
    files = sorted(path.glob("sheet_*.png")) or sorted(path.glob("*.png")) if path.is_dir() else [path]
    files = [each for each in files if shown(each)]
    links = [Path(os.path.relpath(each, page)).as_posix() for each in files]
    if path.suffix == ".md":
        return [ShownFigure(path.name, links[0], None)]
    pngs = [each.read_bytes() if place < EMBEDDED else None for place, each in enumerate(files)]
    names = [f"{path.name}: {each.stem}" if path.is_dir() else each.stem for each in files]
    return [ShownFigure(*each) for each in zip(names, links, pngs, strict=True)]
