"""summarise_study: what must be known of an explanation stands on the page, from its tables."""

import pytest

from filterscope import tables
from report.summarise_study import summarise_study


@pytest.fixture
def summarised(study, tmp_path):
    """The page of the study, with these tables changed."""

    def summarise(**changed):
        paths = {name: getattr(study, name) for name in ("filter_words", "thresholds", "top_images", "filter_names")}
        paths |= {"image_words": study.words_by_image, "categories": study.categories}
        absent = ("filter_claims", "scores", "known_answers", "sanity", "filter_causes")
        for name, table in changed.items():
            paths[name] = tmp_path / f"{name}.parquet"
            tables.write(table, name, paths[name])
        text = tmp_path / "summary.md"
        summarise_study(
            explanations={"p on d": {**paths, **dict.fromkeys(absent)}},
            pictures={},
            diagnosis={"fit": None, "texts": [], "figures": []},
            temperature={"duel": None, "figures": []},
            path_to_text=text,
            path_to_html=tmp_path / "summary.html",
            title="t",
        )
        return text.read_text(), (tmp_path / "summary.html").read_text()

    return summarise


def test_top_images_are_told(summarised):
    for page in summarised():
        assert "Every filter has 5 top images, 62% of the 8 that were mined." in page
        assert "top images of all filters are" in page
        assert "saturated" not in page


def test_the_atlas_is_linked_first(summarised):
    text, page = summarised()
    assert text.splitlines()[2].endswith("](atlas/index.html)")
    assert page.index('<a href="atlas/index.html">') < page.index("<h2>")


def test_the_share_of_new_words_is_told(study, summarised):
    """As many as of the words of the images, each counted as often as it is said."""
    said = study.table("words_by_image", "image_words")
    said = said[(said["candidates"] == "vocabulary") & (said["rank"] < 5)]
    known = {"reds", *(token for each in study.table("categories")["tokens"] for token in each)}
    share = (~said["word"].isin(known)).mean()  # one word here is another form of a category
    assert 0 < share < 1
    for page in summarised():
        assert f"{share:.0%} of the first 5 words of an image are new" in page


def test_saturated_filters_ties_cuts_and_common_names_are_told(study, summarised):
    names = study.table("filter_names")
    changed = {
        "thresholds": study.table("thresholds").assign(saturated=[True, True, False, False, False]),
        "top_images": study.table("top_images").assign(tied=5, asked=25),
        "filter_names": names.assign(claim=names["claim"].where(names["claim"].isna(), "red")),
    }
    for page in summarised(**changed):
        assert "2 of 4 live filters are saturated" in page
        assert "instead of the 25 asked for" in page
        assert "have top images with the very same maximum, 5.0 of 5 on average" in page
        assert "“red” is what 4 of 4 live filters are called" in page
