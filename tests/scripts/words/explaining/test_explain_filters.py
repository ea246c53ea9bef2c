"""explain_filters: colour filters get their colours, dead ones get nothing, allowed words are all that is said."""

import logging
from dataclasses import replace

import pytest

from data.networks.prepare_network import prepare_network
from filterscope import tables
from filterscope.words.explaining.proposals import ProposalSettings

KINDS = ("image", "filter")
COLOURS = {0: "red", 1: "blue"}


def explained(study, folder, **changed):
    """Votes and words of the explainer after a run that writes into the folder."""
    names = list(changed.get("paths_to_explainers", study.explainers))
    paths = {
        "paths_to_words": {name: folder / f"{name}_by_image.parquet" for name in names},
        "paths_to_votes": {name: folder / f"{name}_by_filter.parquet" for name in names},
    }
    study.explain(**{**paths, **changed})
    return (
        tables.read(paths["paths_to_votes"]["words"], "filter_votes").to_pandas(),
        tables.read(paths["paths_to_words"]["words"], "image_words").to_pandas(),
    )


def first(votes, where):
    rows = votes[(votes["candidates"] == where) & (votes["rank"] == 0)]
    return dict(zip(rows["filter"], rows["word"], strict=True))


def test_colour_filters_get_their_colours(study):
    votes = study.table("words_by_filter", "filter_votes")
    for number, colour in COLOURS.items():
        assert first(votes, "vocabulary")[number] == colour
        assert first(votes, "categories")[number] == colour
        said = votes[(votes["candidates"] == "vocabulary") & (votes["filter"] == number)]
        assert said["votes"].iloc[0] == 5
    assert set(votes["filter"]) == {0, 1, 2, 3}


def test_words_stand_beside_the_images_that_they_come_from(study):
    words, top = study.table("words_by_image", "image_words"), study.table("top_images")
    joined = words.merge(top, left_on=["filter", "image_rank"], right_on=["filter", "rank"], suffixes=("", "_top"))
    assert len(joined) == len(words) == 4 * 5 * (6 + 3)  # live filters, images, words of both kinds
    assert (joined["image_id"] == joined["image_id_top"]).all()
    for _, group in words.groupby(["candidates", "filter", "image_id"]):
        assert group["word"].is_unique


def test_heatmaps_are_kept_of_the_images_that_have_words(study):
    words = study.table("words_by_image", "image_words")
    maps = tables.read(study.folder / "heatmaps.parquet", "heatmaps").to_pandas()
    pairs = {tuple(row) for row in words[["filter", "image_rank", "image_id"]].to_numpy().tolist()}
    assert {tuple(row) for row in maps[["filter", "rank", "image_id"]].to_numpy().tolist()} == pairs
    top = study.table("top_images").set_index(["filter", "rank"])["maximum"]
    for row in maps.itertuples():  # the largest byte is the image's maximum, as a share of the filter's
        wanted = 255 * top[row.filter, row.rank] / top[row.filter, 0]
        assert abs(max(row.map) - wanted) <= 1


def test_without_evidence_and_novelty_the_nearest_words_are_said(study, tmp_path):
    _, words = explained(study, tmp_path, proposals=ProposalSettings())
    for _, group in words.groupby(["candidates", "filter", "image_id"]):
        assert group.sort_values("rank")["cosine"].is_monotonic_decreasing
    said = study.table("words_by_image", "image_words")
    assert not words.equals(said)


def test_votes_count_the_first_words_of_the_images(study):
    words, votes = study.table("words_by_image", "image_words"), study.table("words_by_filter", "filter_votes")
    voting = words[words["rank"] < study.mining.voting]
    counted = voting.groupby(["candidates", "filter", "word"]).size()
    for row in votes.itertuples():
        assert counted.get((row.candidates, row.filter, row.word), 0) == row.votes
        assert row.votes or row.claim or row.candidates == "vocabulary"  # only a claim needs no vote
    assert votes["rank"].max() < study.printed


def test_the_null_explainer_does_not_know_both(study):
    """By all words: of three categories it may guess two."""
    votes = first(study.table("shuffled_labels_by_filter", "filter_votes"), "vocabulary")
    assert {number: votes[number] for number in COLOURS} != COLOURS


@pytest.mark.parametrize("method", ["attention", "activation", "image"])
def test_every_method_names_the_colours(study, tmp_path, method):
    """By votes of nearest words alone, the published way: evidence names them whatever the explainer is shown.

    But for projection, the reference's, whose scale is not the one that the explainer was trained on.
    """
    settings = replace(study.explanation, method=method)
    votes, _ = explained(study, tmp_path, settings=settings, proposals=ProposalSettings(), voted=True)
    assert {number: first(votes, "categories")[number] for number in COLOURS} == COLOURS


def test_the_method_original_cannot_tell_filters_apart(study, tmp_path):
    """It shows the whole image: filters with the same top image are told the same words."""
    settings = replace(study.explanation, method="original")
    _, words = explained(study, tmp_path, settings=settings, proposals=ProposalSettings())
    words = words[(words["candidates"] == "vocabulary") & (words["rank"] == 0)]
    assert (words.groupby("image_id")["word"].nunique() == 1).all()
    assert words.groupby("image_id")["filter"].nunique().max() > 1


def test_only_allowed_words_are_said(study, tmp_path):
    (tmp_path / "allowed.txt").write_text("crimson\nazure\nemerald\nnoise3\nnoise9\nunknown\n")
    settings = replace(study.explanation, per_image=4)
    votes, words = explained(study, tmp_path, path_to_allowed=tmp_path / "allowed.txt", settings=settings)
    whole = words[words["candidates"] == "vocabulary"]
    assert set(whole["word"]) <= {"crimson", "azure", "emerald", "noise3", "noise9"}
    assert first(votes, "vocabulary") == {**first(votes, "vocabulary"), 0: "crimson", 1: "azure"}
    assert first(votes, "categories")[0] == "red"


def test_a_filter_is_called_by_allowed_words_only(study, tmp_path):
    """Its claim leads the words in print, and is its name."""
    (tmp_path / "allowed.txt").write_text("red\nnoise3\nnoise9\n")
    votes, _ = explained(study, tmp_path, path_to_allowed=tmp_path / "allowed.txt")
    assert set(votes.loc[votes["claim"], "word"]) == {"red"}
    assert set(votes.loc[votes["candidates"] == "vocabulary", "word"]) <= {"red", "noise3", "noise9"}
    best = study.table("evidence").query("token == 'red' and distinct > 0")
    assert set(votes.loc[votes["claim"], "filter"]) == set(best["filter"]) & set(votes["filter"])


def test_without_a_category_among_the_allowed_words_no_filter_has_a_name(study, tmp_path, caplog):
    (tmp_path / "allowed.txt").write_text("noise3\nnoise9\n")
    with caplog.at_level(logging.WARNING, "filterscope"):
        votes, _ = explained(study, tmp_path, path_to_allowed=tmp_path / "allowed.txt")
    assert "words.allowed lists 2 words, none of which is a category's, as red is" in caplog.text
    assert not votes["claim"].any()
    written = {"filter_claims": tmp_path / "filter_claims.parquet", "filter_names": tmp_path / "names.parquet"}
    paths_to = {kind: {name: tmp_path / f"{name}_by_{kind}.parquet" for name in study.explainers} for kind in KINDS}
    study.score(
        paths_to_words=paths_to["image"],
        paths_to_votes=paths_to["filter"],
        written=study.scored_at(tmp_path),
    )
    study.tabulate(
        path_to_votes=tmp_path / "words_by_filter.parquet",
        path_to_apart=tmp_path / "words_apart.parquet",
        path_to_claims=written["filter_claims"],
        paths_to_words=(tmp_path / "words.parquet", tmp_path / "words.csv"),
        paths_to_names=(written["filter_names"], tmp_path / "names.csv"),
    )
    names = tables.read(written["filter_names"], "filter_names").to_pandas()
    assert names["name"].isna().all()
    assert set(names["status"]) <= {"unsupported", "cannot be told", "dead", "silent"}
    live = names[~names["status"].isin(["dead", "silent"])]
    assert live["words"].str.fullmatch("noise[39].*").all()


def test_the_claim_is_what_the_evidence_says_and_leads_the_categories(study):
    """Of every list it is one of the printed words, and the first category among them; of the vocabulary no claim."""
    votes, evidence = study.table("words_by_filter", "filter_votes"), study.table("evidence")
    best = evidence.sort_values("distinct", ascending=False).groupby("filter").first()
    for (where, number), own in votes.groupby(["candidates", "filter"]):
        own = own.sort_values("rank")
        claim = best.loc[number, "token"]
        assert best.loc[number, "distinct"] > 0
        assert own[own["word"].isin(["red", "green", "blue"])]["word"].iloc[0] == claim
        assert own[own["claim"]]["word"].tolist() == ([] if where == "vocabulary" else [claim])
        assert own["rank"].tolist() == list(range(len(own)))
        assert len(own) <= study.printed


def test_claims_are_voted_for_where_the_published_way_is_asked_for(study, tmp_path):
    votes, _ = explained(study, tmp_path, proposals=ProposalSettings(), voted=True)
    claims = votes[votes["claim"]]
    assert set(claims["candidates"]) == {"categories"}
    assert (claims["rank"] == 0).all()
    for _, own in votes.groupby(["candidates", "filter"]):
        assert own.sort_values("rank")["votes"].is_monotonic_decreasing


def test_what_is_said_has_its_parts_beside_it(study):
    """Evidence of a colour for its filter is larger than for the filter of the other colour, and so is the lift."""
    votes = study.table("words_by_filter", "filter_votes")
    votes = votes[votes["candidates"] == "categories"].set_index(["filter", "word"])
    for part in ("evidence", "lift"):
        assert votes.loc[(0, "red"), part] > votes.loc[(1, "red"), part] if (1, "red") in votes.index else True
        assert votes.loc[(0, "red"), part] > votes.loc[(0, "blue"), part] if (0, "blue") in votes.index else True
    apart = study.table("words_apart")
    assert set(apart["candidates"]) == {"vocabulary", "categories"}
    best = apart[(apart["candidates"] == "categories") & (apart["rank"] == 0)].set_index("filter")["word"]
    assert (best[0], best[1]) == ("red", "blue")
    for _, own in apart.groupby(["candidates", "filter"]):
        assert own["word"].is_unique
        assert own.sort_values("rank")["lift"].is_monotonic_decreasing


def test_photographs_without_annotations_get_words_too(study, tmp_path):
    votes, _ = explained(study, tmp_path, paths_to_explainers={"words": study.explainers["words"]})
    assert votes.equals(study.table("words_by_filter", "filter_votes"))


def test_same_bytes_every_time(study, tmp_path):
    explained(study, tmp_path)
    for name in study.explainers:
        for kind in ("by_image", "by_filter"):
            file = f"{name}_{kind}.parquet"
            assert (tmp_path / file).read_bytes() == (study.folder / file).read_bytes()
    assert (tmp_path / "words_apart.parquet").read_bytes() == study.words_apart.read_bytes()


def test_where_every_filter_is_silent_there_are_no_words(study, tmp_path):
    top = study.table("top_images").assign(maximum=0.0)
    tables.write(top, "top_images", tmp_path / "top.parquet")
    votes, words = explained(study, tmp_path, path_to_top_images=tmp_path / "top.parquet")
    assert len(votes) == len(words) == 0
    assert tables.read(tmp_path / "words_apart.parquet", "words_apart").num_rows == 0


def test_an_explainer_of_another_layer_is_refused(study, tmp_path):
    prepare_network(tmp_path / "other.pt", study.network("other"), 0)
    with pytest.raises(ValueError, match="explains 5 inputs in 16 dimensions, needed are 3"):
        explained(study, tmp_path, probe=study.probe("other", "0"), path_to_weights=tmp_path / "other.pt")
    assert not list(tmp_path.glob("*.parquet"))
