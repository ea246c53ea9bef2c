"""docs/inputs.md says that a test holds every line: the tests that it names exist, and they look for its messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "inputs.md").read_text(encoding="utf-8")
SHORTEST = 3  # words in a row that make a message recognisable
OTHERS = "Snakemake's own"
MESSAGE = re.compile(r"`([^`]+)`|\*([^*]+)\*|\"([^\"]+)\"")


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| input |")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def words(text: str) -> list[str]:
    """Of a message or of a source file, whose texts may go over several lines; numbers and names differ anyway."""
    joined = re.sub(r"\"\s*\n\s*[rf]*\"", "", text).replace("\\", "")
    return re.findall(r"[^\W\d_]+", joined)


def said() -> dict[str, list[list[str]]]:
    """Messages of the page that are long enough, by the first cell of their row."""
    messages = {}
    for row in rows():
        for found in MESSAGE.findall(row[-1] if len(row) == 3 and not row[-1].startswith(OTHERS) else ""):
            message = words("".join(found))
            if len(message) >= SHORTEST and " " in "".join(found):  # no name of the program's
                messages.setdefault(row[0], []).append(message)
    return messages


def named_tests() -> set[str]:
    """Paths; a bare name lies beside the last path that was named."""
    paths, folder = set(), Path()
    for name in re.findall(r"`((?:tests/[\w/]*)?test_\w+\.py)`", PAGE):
        folder = Path(name).parent if "/" in name else folder
        paths.add((folder / Path(name).name).as_posix())
    return paths


def test_every_section_names_its_tests_and_they_exist():
    assert len(sections()) >= 3
    for title, text in sections().items():
        assert re.search(r"`tests/", text), f"{title} names no test"
    missing = [path for path in sorted(named_tests()) if not (REPOSITORY / path).is_file()]
    assert not missing


def test_every_row_has_an_input_and_what_happens():
    assert len(rows()) > 100
    for row in rows():
        assert len(row) in (2, 3), row
        assert all(row[:2]), row


@pytest.mark.parametrize("folder", ["tests", "workflow_scripts"])
def test_messages_of_the_page_are_said_and_tested(folder):
    """Some words in a row of every row's messages."""
    known = "".join(
        f" {' '.join(words(path.read_text(encoding='utf-8')))} "
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        if path != Path(__file__)
    )
    messages = said()
    assert len(messages) > 60
    unknown = {
        case: [" ".join(message) for message in own]
        for case, own in messages.items()
        if not any(f" {part} " in known for message in own for part in _parts(message))
    }
    assert not unknown


def _parts(message: list[str]) -> list[str]:
    return [" ".join(message[place : place + SHORTEST]) for place in range(len(message) - SHORTEST + 1)]
