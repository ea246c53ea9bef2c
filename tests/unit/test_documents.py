"""The documents: README is short, links lead somewhere, files that pages name are there, pages are in three parts."""

from __future__ import annotations

import re

import pytest
from tests.pages import REPOSITORY, anchors, links, prose

LARGEST = 8 * 1024  # bytes of README
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
PAGES += [REPOSITORY / "results" / "README.md", *sorted((REPOSITORY / "benchmarks").glob("*.md"))]
ROOMS = ("data", "words", "pictures", "diagnosis", "temperature", "clusters", "extending")
PARTS = ["What", "How to read it", "Limits"]
# A path of the program in backticks. <names> and {names} stand for others, and what a study makes is not there.
NAMED = re.compile(r"`((?:workflow_scripts|rules|tests|studies|profiles|envs|docs|benchmarks)/[\w./]+)`")
PLACES = ("config.yaml", "rules", "studies", "workflow_scripts", "tests", "Makefile", "Snakefile")
SUFFIXES = (".py", ".smk", ".yaml", ".rst", "")
OWN = ("test_documents.py",)

# The page of all settings, written when the site is made.
WRITTEN = "docs/configuration.md"


def named(path):
    return path.relative_to(REPOSITORY).as_posix()


def broken(page) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for target in links(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        there = file.exists() and file.is_relative_to(REPOSITORY)
        if not there or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def test_readme_is_a_front_door():
    text = (REPOSITORY / "README.md").read_bytes()
    assert len(text) <= LARGEST, f"README has {len(text)} bytes: what is more belongs into docs/"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_a_heading(page):
    assert broken(page) == []


def test_links_that_lead_nowhere_are_found(tmp_path, monkeypatch):
    """The check itself: a file, a heading and a place outside that are not there."""
    monkeypatch.setattr("tests.unit.test_documents.REPOSITORY", tmp_path)
    (tmp_path / "other.md").write_text("# Other\n\n## It's `there`, too\n\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#its-there-too) ![c](gone.png) [d](other.md#no-heading) [e\ne](#page)\n"
        "[f](https://example.org/x) [g](../outside.md)\n\n# Page\n"
    )
    assert broken(page) == ["gone.png", "other.md#no-heading", "../outside.md"]


def test_every_page_can_be_reached_from_the_first():
    reached, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = {(page.parent / each.partition("#")[0]).resolve() for each in links(page.read_text(encoding="utf-8"))}
        waiting += [each for each in targets if each.suffix == ".md" and each not in reached]
    assert [named(page) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_a_page_names_are_there(page):
    text = prose(page.read_text(encoding="utf-8"))
    assert [path for path in NAMED.findall(text) if not (REPOSITORY / path).exists()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_pages_are_in_three_parts(room):
    text = (REPOSITORY / "docs" / f"{room}.md").read_text(encoding="utf-8")
    assert re.findall("^## (.+)$", prose(text), re.MULTILINE) == PARTS


def test_pointers_of_the_program_lead_to_pages():
    """Comments and messages that send a reader to a page of docs/, with or without a heading."""
    places = [REPOSITORY / place for place in PLACES]
    files = [each for place in places for each in ([place] if place.is_file() else place.rglob("*"))]
    wrong, pointers = [], 0
    for file in (each for each in files if each.suffix in SUFFIXES and each.is_file() and each.name not in OWN):
        for path, anchor in re.findall(r"\b(docs/\w+\.md)(?:#([\w-]+))?", file.read_text(encoding="utf-8")):
            pointers += 1
            page = REPOSITORY / path
            if path == WRITTEN and not anchor:
                continue
            if not page.is_file() or (anchor and anchor not in anchors(page.read_text(encoding="utf-8"))):
                wrong.append(f"{named(file)}: {path}#{anchor}")
    assert wrong == []
    assert pointers > 8
