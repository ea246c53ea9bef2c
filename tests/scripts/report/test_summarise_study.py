"""summarise_study: one page with a verdict and pictures, appendices with all that must be known, from the tables."""

import re
import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from filterscope import job, tables
from report.summarise_study import summarise_study

TABLES = ("filter_words", "thresholds", "top_images", "filter_names", "images", "vocabulary", "heatmaps", "categories")
ABSENT = ("filter_claims", "scores", "known_answers", "sanity", "filter_causes")


def paths_of(study):
    """Where the tables lie that every explanation has."""
    return {name: getattr(study, name) for name in TABLES} | {"image_words": study.words_by_image}


def shown_by(study, sheets):
    return {"folder": study.pictures, "layer": 3, "probe": "p", "sheets": sheets, "network": "n"}


def diagnosis(*figures):
    return dict.fromkeys(("fit", "resampling", "robustness_trends")) | {"texts": [], "figures": [*figures]}


@pytest.fixture
def summarised(study, tmp_path):
    """The page of the study, with these tables changed."""

    def summarise(pixels=True, pictures=None, figures=(), **changed):
        paths = paths_of(study) | shown_by(study, tmp_path / "sheets")
        for name, table in changed.items():
            paths[name] = tmp_path / f"{name}.parquet"
            tables.write(table, name, paths[name])
        text = tmp_path / "summary.md"
        summarise_study(
            explanations={"p on d": {**paths, **dict.fromkeys(ABSENT)}},
            networks={"n": study.network()},
            pictures=pictures or {},
            diagnosis=diagnosis(*figures),
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


def drawn(*paths):
    """Files that stand for figures, each with contents of its own; these, as a page embeds them, by name."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(path.name.encode())
    return {path.name: b64encode(path.name.encode()).decode() for path in paths}


def test_no_appendix_shows_a_photograph_where_none_may_be(summarised, tmp_path):
    """Figures on which photographs, their means or samples are seen are left out, the others stay."""
    rooms = [tmp_path / each for each in ("sheets_p", "facets/figures", "senses/figures")]
    complexity, robustness = (tmp_path / f"diagnosis/{each}/figures" for each in ("complexity", "robustness"))
    plain = drawn(tmp_path / "criteria.png", complexity / "curves.png", robustness / "robustness_vit.png")
    seen = drawn(
        *(room / f"{room.parent.name}_{room.name}.png" for room in rooms),
        complexity / "planes.png",
        robustness / "attacked_vit.png",
    )
    of_probe = {"recipes": {}, "words": {}, "facets": None, "judge": None, "senses": None}
    of_probe |= {"probe": "p", "figures": [tmp_path / "criteria.png"], "photographed": rooms}
    for pixels in (True, False):
        summarised(pixels, {"Pictures of p": of_probe}, [complexity, robustness])
        pages = {path.stem: path.read_text() for path in (tmp_path / "appendix").glob("*.html")}
        assert set(pages) == {"words", "pictures", "diagnosis"}
        shown = "".join(pages.values()) + (tmp_path / "summary.html").read_text()
        assert [name for name, contents in plain.items() if contents not in shown] == []
        assert {name for name, contents in seen.items() if contents in shown} == (set(seen) if pixels else set())
        assert ("data:image/webp" in shown) is pixels


def test_only_figures_of_samples_make_no_page_where_they_may_not_be_seen(summarised, tmp_path):
    folder = tmp_path / "robustness/figures"
    drawn(folder / "attacked_vit.png")
    summarised(False, figures=[folder])
    assert not (tmp_path / "appendix/diagnosis.html").exists()


def test_links_to_tables_are_those_at_home_wherever_results_are_kept(study, tmp_path, monkeypatch):
    """Of results in a bucket or another folder a job finds copies below a prefix; its page is kept beside them."""
    monkeypatch.chdir(tmp_path)
    pages = []
    for prefix in ("", ".snakemake/storage/s3/studies/one/"):
        named = {name: f"results/words/d/p/captions/{name}.parquet" for name in paths_of(study)}
        for name, place in named.items():
            Path(prefix, place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(paths_of(study)[name], f"{prefix}{place}")
        given = {**named, **shown_by(study, "results/words/d/p/captions/sheets"), **dict.fromkeys(ABSENT)}
        inputs = [f"{prefix}{place}" for place in (*named.values(), given["sheets"])]
        text = Path(prefix, "results/report/summary.md")
        text.parent.mkdir(parents=True)
        summarise_study(
            explanations=job.located({"p on d": given}, inputs),
            networks={"n": study.network()},
            pictures={},
            diagnosis=diagnosis(),
            temperature={"duel": None, "figures": []},
            path_to_text=text,
            path_to_html=text.with_suffix(".html"),
            path_to_appendix=text.parent / "appendix",
            title="t",
        )
        pages.append([path.read_text() for path in sorted(text.parent.rglob("*.*")) if path.is_file()])
    assert "[p: names](../words/d/p/captions/filter_names.csv)" in pages[0][-1]
    assert pages[0] == pages[1]


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
