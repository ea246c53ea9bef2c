"""What other rooms have made for the page: figures with or without their contents, texts as links."""

import pytest

from filterscope.report.attachments import EMBEDDED, figures_at, findings


@pytest.fixture
def study(tmp_path):
    """Results of two networks, and the folder of the page."""
    for file in ("d/networks.md", "d/p/criteria.png", *(f"d/p/figures/{letter}.png" for letter in "abc")):
        path = tmp_path / "pictures" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.encode())
    return tmp_path / "pictures/d", tmp_path / "report/appendix"


def test_the_first_figures_of_a_folder_stand_on_the_page_and_the_others_are_linked(study):
    folder, page = study
    one, *several = figures_at([folder / "p/criteria.png", folder / "p/figures"], page)
    assert (one.caption, one.link) == ("criteria", "../../pictures/d/p/criteria.png")
    assert one.png == b"d/p/criteria.png"
    assert [each.caption for each in several] == ["figures: a", "figures: b", "figures: c"]
    assert [each.png is not None for each in several] == [place < EMBEDDED for place in range(3)]


def test_of_a_folder_with_sheets_only_these_are_shown(study):
    folder, page = study
    (folder / "p/figures/sheet_0.png").write_bytes(b"")
    assert [each.caption for each in figures_at([folder / "p/figures"], page)] == ["figures: sheet_0"]


def test_a_text_is_linked_and_is_no_picture(study):
    folder, page = study
    (text,) = figures_at([folder / "networks.md"], page)
    assert (text.caption, text.link, text.png) == ("networks.md", "../../pictures/d/networks.md", None)


def test_findings_are_the_items_of_a_text():
    assert findings("# Title\n\n- one\ntext\n- two - three\n") == ["one", "two - three"]
