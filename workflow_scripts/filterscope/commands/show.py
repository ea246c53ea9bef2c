"""`filterscope open`: the result in the browser."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from filterscope.commands import CommandError

HELP = "open the result of a study in the browser"
# What is opened, the first that is there; below the folder of results.
PAGES = ("report/atlas/index.html", "report/summary.html", "report/reproduction/summary.html")


def add(commands) -> None:
    """Add the command's options to the parser's commands."""
    command = commands.add_parser("open", help=HELP, description=f"{HELP}; its path is printed, too.")
    command.add_argument("results", nargs="?", default="results", help="folder of the results (default: results)")
    command.set_defaults(work=show)


def page(results: str | Path) -> Path:
    """The page that shows the results: the atlas where there is one, else the summary. Raises CommandError."""
    results = Path(results)
    # The folder that the study was run in is meant as well.
    places = [each for each in (results, results / "results") if each.is_dir()]
    found = [place / each for place in places for each in PAGES if (place / each).is_file()]
    if found:
        return found[0].resolve()
    if not places:
        raise CommandError(f"{results}: there is no such folder of results; `filterscope run my.yaml` makes one")
    raise CommandError(f"{results}: has neither {PAGES[0]} nor {PAGES[1]}: run the study to its end")


def show(options: argparse.Namespace) -> int:
    """Open the page, and print where it is."""
    path = page(options.results)
    print(path, flush=True)
    try:
        opened = webbrowser.open(path.as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        print("No browser could be opened here; that is the page.")
    return 0
