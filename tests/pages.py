"""The pages of the project: their fenced blocks, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# [text](target) and ![text](target); a target has no blanks here.
_LINK = re.compile(r"\[[^\]\[]*(?:\[[^\]]*\])?[^\]\[]*\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the comment in its first line ("" where it has none), all of its text."""

    language: str
    head: str
    text: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for language, inside in _FENCED.findall(text):
        first = inside.partition("\n")[0]
        found.append(Block(language, first[2:] if first.startswith("# ") else "", inside))
    return found


def prose(text: str) -> str:
    """The page without its fenced blocks."""
    return _FENCED.sub("", text)


def sections(text: str, level: int = 3) -> dict[str, str]:
    """Text by heading of this level, up to the next heading of this level or a higher one."""
    found, title, inside = {}, None, False
    for line in text.splitlines(keepends=True):
        inside ^= line.startswith("```")
        depth = len(line) - len(line.lstrip("#")) if not inside and re.match("#+ ", line) else 0
        if 0 < depth <= level:
            title = line.strip("# \n") if depth == level else None
        elif title is not None:
            found[title] = found.get(title, "") + line
    return found


def anchors(text: str) -> set[str]:
    """What a link may end in: the headings of a page as GitHub and mkdocs call them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        number = sum(each == name or re.fullmatch(rf"{re.escape(name)}-\d+", each) is not None for each in found)
        found.add(f"{name}-{number}" if number else name)
    return found


def links(text: str) -> Iterator[str]:
    """Targets of the links and pictures of a page that lead to files of the project."""
    joined = re.sub(r"\n\s*", " ", prose(text))
    yield from (target for target in _LINK.findall(joined) if "://" not in target and not target.startswith("mailto:"))
