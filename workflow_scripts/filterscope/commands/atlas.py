"""`filterscope atlas`: a study's atlas made anew from its results, without the workflow."""

from __future__ import annotations

import argparse
import os
import sys

from filterscope.commands import CommandError

HELP = "make the atlas of a study's results anew, without the workflow"


def add(commands) -> None:
    """Add the command's options to the parser's commands."""
    command = commands.add_parser("atlas", help=HELP, description=HELP)
    command.add_argument("results", help="folder of the results of a study that the workflow has run")
    command.add_argument("--out", required=True, help="folder to make; an atlas that lies there is replaced")
    command.add_argument(
        "--pictures", choices=("none", "thumbnails", "full"), help="photographs in it (default: as the study's config)"
    )
    command.add_argument("--filters", help="all, named, or channels such as 0,5,12 (default: as the study's config)")
    command.add_argument(
        "--beside",
        metavar="RESULTS",
        help="results of another study, as from before a fine-tuning, to compare with (default: as the study's config)",
    )
    command.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="photographs decoded at a time")
    command.add_argument(
        "--exports", action="store_true", help="also write tables and exemplars for other programs into exports/"
    )
    command.set_defaults(work=atlas)


def atlas(options: argparse.Namespace) -> int:
    """Make the atlas of a finished study, and say what to do with it."""
    from filterscope.report.atlas.assembling import make_atlas  # --help needs no tables

    named = options.filters in (None, "all", "named")
    try:
        filters = options.filters if named else [int(each) for each in options.filters.split(",")]
    except ValueError:
        said = f"--filters is {options.filters!r}, should be all, named or channels such as 0,5,12"
        raise CommandError(said) from None

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    settings = (options.pictures, filters, options.threads, options.exports, say, options.beside)
    make_atlas(options.results, options.out, *settings)
    print(f"Open {os.path.join(options.out, 'index.html')} in a browser.", flush=True)
    return 0
