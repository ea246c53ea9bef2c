"""explain_filters: colour filters get their colours, dead ones get nothing, allowed words are all that is said."""

from dataclasses import replace

import pytest

from data.prepare_network import prepare_network
from filterscope import tables

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
        assert group.sort_values("rank")["cosine"].is_monotonic_decreasing
        assert group["word"].is_unique


def test_votes_count_the_first_words_of_the_images(study):
    words, votes = study.table("words_by_image", "image_words"), study.table("words_by_filter", "filter_votes")
    voting = words[words["rank"] < study.mining.voting]
    counted = voting.groupby(["candidates", "filter", "word"]).size()
    for row in votes.itertuples():
        assert counted[row.candidates, row.filter, row.word] == row.votes
    assert votes["rank"].max() < study.printed


def test_the_null_explainer_does_not_know_both(study):
    votes = study.table("shuffled_labels_by_filter", "filter_votes")
    assert first(votes, "categories") != first(study.table("words_by_filter", "filter_votes"), "categories")


@pytest.mark.parametrize("method", ["attention", "activation", "image"])
def test_every_method_names_the_colours(study, tmp_path, method):
    """But for projection, the reference's, whose scale is not the one that the explainer was trained on."""
    votes, _ = explained(study, tmp_path, settings=replace(study.explanation, method=method))
    assert {number: first(votes, "categories")[number] for number in COLOURS} == COLOURS


def test_the_method_original_cannot_tell_filters_apart(study, tmp_path):
    """It shows the whole image: filters with the same top image are told the same words."""
    _, words = explained(study, tmp_path, settings=replace(study.explanation, method="original"))
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


def test_photographs_without_annotations_get_words_too(study, tmp_path):
    votes, _ = explained(study, tmp_path, paths_to_explainers={"words": study.explainers["words"]})
    assert votes.equals(study.table("words_by_filter", "filter_votes"))


def test_same_bytes_every_time(study, tmp_path):
    explained(study, tmp_path)
    for name in study.explainers:
        for kind in ("by_image", "by_filter"):
            file = f"{name}_{kind}.parquet"
            assert (tmp_path / file).read_bytes() == (study.folder / file).read_bytes()


def test_where_every_filter_is_silent_there_are_no_words(study, tmp_path):
    top = study.table("top_images").assign(maximum=0.0)
    tables.write(top, "top_images", tmp_path / "top.parquet")
    votes, words = explained(study, tmp_path, path_to_top_images=tmp_path / "top.parquet")
    assert len(votes) == len(words) == 0


def test_an_explainer_of_another_layer_is_refused(study, tmp_path):
    prepare_network(tmp_path / "other.pt", study.network("other"), 0)
    with pytest.raises(ValueError, match="explains 5 inputs in 16 dimensions, needed are 3"):
        explained(study, tmp_path, probe=study.probe("other", "0"), path_to_weights=tmp_path / "other.pt")
    assert not list(tmp_path.glob("*.parquet"))
