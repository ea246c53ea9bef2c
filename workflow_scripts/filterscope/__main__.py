"""What `filterscope` does at the command line; every command stands in `filterscope.commands`."""

from __future__ import annotations

import argparse
import os
import sys

from filterscope.commands import atlas, check, init, layers, run, show

# Modules of the commands, in the order in which they are needed; each has `add`, which tells the parser of its options.
COMMANDS = (init, check, run, show, atlas, layers)
DESCRIPTION = """What every filter of a vision network knows. `filterscope init resnet50 --photos FOLDER` writes a
study, `check` says what would run, `run` runs it, `open` shows the result. Everything is also plain Snakemake."""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    made = argparse.ArgumentParser(prog="filterscope", description=DESCRIPTION)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for each in COMMANDS:
        each.add(commands)
    return made


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command and its options; rest: what stands after --, for Snakemake. Ends with status 2 for unknown ones."""
    own, rest = arguments, None
    if "--" in arguments:
        place = arguments.index("--")
        own, rest = arguments[:place], arguments[place + 1 :]
    made = parser()
    options = made.parse_args(own)
    if rest is not None and not hasattr(options, "rest"):
        made.error(f"{options.command} hands nothing to Snakemake, so nothing can stand after --")
    options.rest = rest or []
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code, 2 when what was asked for is not there."""
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    try:
        return options.work(options)
    except ValueError as error:
        print(f"filterscope: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # what reads the table, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
