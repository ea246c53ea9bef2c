"""What the project cites can be found: works in docs/sources.md and CITATION.cff, decisions in docs/methods.md."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "workflow_scripts" / "filterscope"
SOURCES = (REPOSITORY / "docs" / "sources.md").read_text(encoding="utf-8")
METHODS = (REPOSITORY / "docs" / "methods.md").read_text(encoding="utf-8")
REFERENCES = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))["references"]
FOLDERS = ("benchmarks", "docs", "envs", "profiles", "rules", "studies", "tests", "workflow_scripts")
KINDS = {".py", ".smk", ".yaml", ".rst", ".md", ".toml", ".csv", ".cff", ""}

# Documents that are not in the repository; a seed of random numbers may be named in any other way.
NOWHERE = {
    "a specification": r"\bspec [A-H]?\d|\((?:[A-H]\d(?:\.\d)?(?:, )?)+\)|\b(?:the|of|in) spec(?:ification)?\b",
    "a design": r"\bdesign, section",
    "a numbered document": r"\bseeds? 0\d\d\b",
    "a document": r"\bthe seed's\b|\b(?:as|in|of) the seed\b|\bof_the_seed\b"
    r"|\bthe seed (?:only )?(?:says|prints|proposes|leaves|shows|tells|names|notes|measures|judges|does|trained)\b",
    "a list of defects": r"\bdefects? (?:[A-H]\d|\d)",
    "an issue": r"\(issue\b",
}
# (Name, section): a letter of a supplement, numbers, tables, figures.
CITED = re.compile(
    r"\b([A-Z][\w-]+(?: [A-Z][\w-]+)*), ((?:[A-H]|\d(?:\.\d)*)(?:$|[ ,:])|tables? \d|figures? \d|listing)"
)
# Authors and a year, as in "Bau et al. 2017", "Mu & Viswanath 2018", "Madry et al. (2018)".
DATED = re.compile(
    r"\b(?!In |Distill|COCO|CVPR|ICLR|IEEE)([A-Z][\w-]+)"
    r"(?:(?:, [A-Z][\w-]+)* (?:and|&) [A-Z][\w-]+| et al\.|'s test)?,? \(?((?:19|20)\d\d)\b(?! px)"
)
NAMED = re.compile(r"docs/methods\.md, ([^).;\"]+)")


def files() -> dict[str, str]:
    """Text of every file of the project but this one, by path."""
    found = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*")]
    found += [*REPOSITORY.glob("*"), REPOSITORY / "results" / "README.md"]
    chosen = [path for path in found if path.is_file() and path.suffix in KINDS and path != Path(__file__).resolve()]
    return {
        str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8")
        for path in sorted(chosen)
        if path.name == "Snakefile" or path.suffix or path.name == "Makefile"
    }


def joined(text: str) -> str:
    """Without line breaks, so that a citation may go over two lines of a docstring or comment."""
    return re.sub(r"\s*\n\s*(?:# )?", " ", text)


def prose(path: str, text: str) -> str:
    """What people read in a file of code: comments and texts, but for those that are put together."""
    if not path.endswith(".py"):
        return joined(text)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    texts = [token.string for token in tokens if token.type in (tokenize.COMMENT, tokenize.STRING)]
    return joined("\n".join(text for text in texts if not text.startswith("f")))


FILES = files()
CODE = {path: prose(path, text) for path, text in FILES.items() if path.endswith((".py", ".smk", ".yaml", ".rst"))}


def rows() -> list[list[str]]:
    """Rows of the tables of docs/sources.md: short name, reference, for what, modules."""
    lines = [line for line in SOURCES.splitlines() if line.startswith("| ") and not line.startswith("| short name")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


SHORT_NAMES = [row[0] for row in rows()]


@pytest.mark.parametrize("document", NOWHERE)
def test_nothing_is_cited_that_is_not_there(document):
    pattern = re.compile(NOWHERE[document], re.IGNORECASE)
    found = [
        f"{path}: {text[max(hit.start() - 30, 0) : hit.end() + 30]!r}"
        for path, text in FILES.items()
        for hit in pattern.finditer(text)
    ]
    assert not found, f"{document} is cited that is not in the repository"


@pytest.mark.parametrize(
    "text",
    ["(spec A1)", "known answers of the spec", "design, section 3", "seeds 000 and 002", "The seed's table", "(E7)"],
)
def test_what_is_not_there_would_be_found(text):
    assert any(re.search(pattern, text, re.IGNORECASE) for pattern in NOWHERE.values())


@pytest.mark.parametrize(
    "text",
    ["drawn from the seed and the epoch", "split by the seed", "mean over the seeds", "spec.loader", "git-lfs/spec/v1"],
)
def test_seeds_of_random_numbers_may_be_named(text):
    assert not any(re.search(pattern, text, re.IGNORECASE) for pattern in NOWHERE.values())


def cited() -> dict[str, set[str]]:
    """Short names that stand in parentheses with a section, and the files that they stand in."""
    found = {}
    for path, text in CODE.items():
        for parenthesis in re.findall(r"\(([^()]*)\)", text):
            for part in parenthesis.split("; "):
                if hit := CITED.match(part.strip()):
                    found.setdefault(hit[1], set()).add(path)
    return found


def test_every_short_name_that_is_cited_is_known():
    assert {"LaViSE", "Debugger", "MFV", "ActCooLR", "Amirli"} <= set(cited())
    assert {name: paths for name, paths in cited().items() if name not in SHORT_NAMES} == {}


def test_sources_and_citation_file_have_the_same_works():
    assert len(set(SHORT_NAMES)) == len(SHORT_NAMES)
    assert sorted(SHORT_NAMES) == sorted(each["abbreviation"] for each in REFERENCES)


@pytest.mark.parametrize("row", rows(), ids=SHORT_NAMES)
def test_a_work_has_title_year_and_modules_that_exist(row):
    name, reference, scope, modules = row
    work = next(each for each in REFERENCES if each["abbreviation"] == name)
    assert work["title"] in reference
    assert f"({work.get('year', 'no year given')})" in reference
    assert scope == work["scope"]
    missing = [path for path in re.findall(r"`([^`]+)`", modules) if not (LIBRARY / path).is_file()]
    assert modules
    assert not missing


def test_a_module_that_cites_a_work_stands_beside_it():
    """Of the five works; other works are cited by their names in many ways."""
    listed = {row[0]: set(re.findall(r"`([^`]+)`", row[3])) for row in rows()}
    prefix = "workflow_scripts/filterscope/"
    for name in ("LaViSE", "Debugger", "MFV", "ActCooLR", "Amirli"):
        first_line = re.compile(rf'"""[^\n]*\((?:[^()\n]*; )?{name}, ')
        heads = {path.removeprefix(prefix) for path in CODE if prefix in path and first_line.match(FILES[path])}
        assert {each for each in heads if not each.endswith("__init__.py")} - listed[name] == set(), name


def test_authors_and_years_are_those_of_the_citation_file():
    first = [(str(work["authors"][0].get("family-names", "")).split()[-1:], work.get("year")) for work in REFERENCES]
    known = {(name[0], year) for name, year in first if name}
    wrong = {}
    for path, text in CODE.items():
        if path.startswith("tests/"):
            continue
        for name, year in DATED.findall(text):
            if (name, int(year)) not in known:
                wrong.setdefault(f"{name} {year}", set()).add(path)
    assert wrong == {}


def test_every_decision_that_is_cited_has_a_heading():
    headings = set(re.findall(r"^##+ (.+)$", METHODS, re.MULTILINE))
    named = {hit: path for path, text in CODE.items() for hit in NAMED.findall(text)}
    assert named, "nothing cites docs/methods.md"
    assert {heading: path for heading, path in named.items() if heading not in headings} == {}


def test_every_switch_of_earlier_mistakes_is_explained():
    switches = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))["faithful"]
    explained = METHODS.partition("## Mistakes of earlier code")[2]
    assert re.findall(r"^\| `(\w+)` \|", explained, re.MULTILINE) == list(switches)


def test_works_that_methods_cite_are_known():
    names = {hit[1] for part in re.findall(r"\(([^()]*)\)", joined(METHODS)) if (hit := CITED.match(part))}
    assert names
    assert names <= set(SHORT_NAMES)
