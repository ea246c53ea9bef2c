"""summarise_study: one page with a verdict and pictures, appendices with all that must be known, from the tables."""

import re

import pytest

from filterscope import tables
from report.summarise_study import summarise_study


@pytest.fixture
def summarised(study, tmp_path):
    """The page of the study, with these tables changed."""

    def summarise(pixels=True, **changed):
        paths = {name: getattr(study, name) for name in ("filter_words", "thresholds", "top_images", "filter_names")}
        paths |= {"image_words": study.words_by_image, "categories": study.categories}
        paths |= {"images": study.images, "vocabulary": study.vocabulary, "heatmaps": study.heatmaps}
        paths |= {"folder": study.pictures, "layer": 3, "probe": "p", "sheets": tmp_path / "sheets"}
        paths["view"] = study.network()
        absent = ("filter_claims", "scores", "known_answers", "sanity", "filter_causes")
        for name, table in changed.items():
            paths[name] = tmp_path / f"{name}.parquet"
            tables.write(table, name, paths[name])
        text = tmp_path / "summary.md"
        summarise_study(
            explanations={"p on d": {**paths, **dict.fromkeys(absent)}},
            pictures={},
            diagnosis=dict.fromkeys(("fit", "resampling", "robustness_trends")) | {"texts": [], "figures": []},
            temperature={"duel": None, "figures": []},
            path_to_text=text,
            path_to_html=tmp_path / "summary.html",
            path_to_appendix=tmp_path / "appendix",
            title="t",
            pixels=pixels,
        )
        files = (f"{folder}.{ending}" for folder in ("summary", "appendix/words") for ending in ("md", "html"))
        return [(tmp_path / file).read_text() for file in files]

    return summarise


def test_top_images_are_told(summarised):
    for page in summarised()[2:]:
        assert "Every filter has 5 top images, 62% of the 8 that were mined." in page
        assert "top images of all filters are" in page
        assert "saturated" not in page


def test_a_page_says_the_verdict_and_leads_on(study, summarised):
    names = study.table("filter_names")
    untested = names.assign(status=names["status"].where(names["claim"].isna(), "untested"))
    text, page, full, _ = summarised(filter_names=untested)
    said = "4 names could not be tested, for these photographs have no masks"
    assert text.splitlines()[2].startswith(said)
    assert said in page
    assert text.index("](atlas/index.html)") < text.index("## ")
    assert page.index('href="atlas/index.html"') < page.index("<h2>")
    assert "](appendix/words.md)" in text
    assert 'href="appendix/words.html"' in page
    assert "](../summary.md)" in full
    assert "[" not in re.sub(r"\[.*?\]\(.*?\)", "", text), "no intervals, just links"


def test_filters_are_shown_with_what_excites_them(study, summarised):
    names = study.table("filter_names")
    named = names.loc[names["name"].notna(), "filter"].tolist()
    text, page, full, appendix = summarised()
    assert {int(each) for each in re.findall(r"atlas/index.html#/filter/3/([0-9]+)", text)} == set(named)
    assert page.count('src="data:image/webp;base64,') == appendix.count('src="data:image/webp;base64,') == len(named)
    assert all(f"](../atlas/index.html#/filter/3/{number})" in full for number in named)


def test_no_photograph_is_shown_where_none_may_be(summarised):
    _, page, _, appendix = summarised(pixels=False)
    assert "data:image" not in page + appendix
    assert "#/filter/3/" in page


def test_the_share_of_new_words_is_told(study, summarised):
    """As many as of the words of the images, each counted as often as it is said."""
    said = study.table("words_by_image", "image_words")
    said = said[(said["candidates"] == "vocabulary") & (said["rank"] < 5)]
    known = {"reds", *(token for each in study.table("categories")["tokens"] for token in each)}
    share = (~said["word"].isin(known)).mean()  # one word here is another form of a category
    assert 0 < share < 1
    for page in summarised()[2:]:
        assert f"{share:.0%} of the first 5 words of an image are new" in page


def test_saturated_filters_ties_cuts_and_common_names_are_told(study, summarised):
    names = study.table("filter_names")
    changed = {
        "thresholds": study.table("thresholds").assign(saturated=[True, True, False, False, False]),
        "top_images": study.table("top_images").assign(tied=5, asked=25),
        "filter_names": names.assign(claim=names["claim"].where(names["claim"].isna(), "red")),
    }
    text, page, *full = summarised(**changed)
    for front in (text, page):
        assert "2 of 4 live filters are saturated" in front
        assert (
            "One name is borne by more than 10% of the 4 live filters and does not tell them apart: “red” (4)" in front
        )
    for page in full:
        assert "2 of 4 live filters are saturated" in page
        assert "instead of the 25 asked for" in page
        assert "have top images with the very same maximum, 5.0 of 5 on average" in page
        assert "“red” is what 4 of 4 live filters are called" in page
