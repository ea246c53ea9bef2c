"""Where the summary says that everything else is; the pages as a whole are in tests/scripts/report."""

import pytest

from filterscope.report import pages


@pytest.mark.parametrize("listed", [True, False])
def test_the_list_of_files_is_linked_where_it_is(tmp_path, listed):
    page, appendix = tmp_path / "report", tmp_path / "report/appendix"
    page.mkdir()
    if listed:
        (tmp_path / "README.md").touch()
    links = pages.places(["words", "pictures"], page, appendix, "html")
    assert [each.link for each in links[:2]] == ["appendix/words.html", "appendix/pictures.html"]
    assert [each.link for each in links[2:]] == (["../README.md"] if listed else [])
