"""tabulate_words: a filter's words, which of them are new, and what supports them."""

import pandas as pd

from filterscope import tables


def tabulated(study, folder, **changed):
    paths = {"paths_to_words": [folder / "words.parquet"], "paths_to_names": [folder / "names.parquet"]}
    study.tabulate(**{**paths, **changed})
    return tables.read(folder / "words.parquet", "filter_words").to_pandas()


def test_words_are_those_with_most_votes(study):
    words = study.table("filter_words")
    votes = study.table("words_by_filter", "filter_votes")
    votes = votes[votes["candidates"] == "vocabulary"].reset_index(drop=True)
    same = ["filter", "rank", "word", "votes", "cosine", "evidence", "lift"]
    assert words[same].equals(votes[same])
    csv = pd.read_csv(study.folder / "filter_words.csv")
    assert csv["word"].tolist() == words["word"].tolist()


def test_new_words_are_no_form_of_a_category(study):
    new = study.table("filter_words").set_index("word")["novel"].groupby(level=0).first()
    assert new["crimson"]
    assert new["azure"]
    assert not new["red"]
    assert not new["blue"]
    assert not new["reds"]  # the plural of a category


def test_support_comes_from_the_claims(study):
    words, claims = study.table("filter_words"), study.table("filter_claims").set_index("filter")
    for row in words.itertuples():
        assert row.supported == claims.loc[row.filter, "supported"]
        assert row.claim == claims.loc[row.filter, "claim"]
        assert row.auprc == claims.loc[row.filter, "auprc"]
    assert words[words["filter"].isin([0, 1])]["supported"].all()
    assert not words[words["filter"] == 2]["supported"].any()
    assert 4 not in set(words["filter"])  # dead


def test_only_supported_filters_are_named(study):
    names, words = study.table("filter_names").set_index("filter"), study.table("filter_words")
    first = words[words["rank"] == 0].set_index("filter")
    assert names["status"].tolist()[:3] == ["supported", "supported", "unsupported"]
    assert names["status"][4] == "dead"
    for _, row in names.iterrows():
        if row["status"] == "supported":
            assert row["name"] == row["claim"]
            assert row["low"] <= row["auprc"] <= row["high"]
        else:
            assert pd.isna(row["name"])
    assert names["words"][2].split(", ")[0].rstrip("*") == first["word"][2]  # what was voted for is still told
    assert names["words"][4] == ""
    csv = pd.read_csv(study.folder / "filter_names.csv", keep_default_na=False)
    assert csv["name"].tolist() == names["name"].fillna("").tolist()


def test_categories_without_supervision_are_not_new_either(study, tmp_path):
    categories = study.table("categories")
    categories.loc[categories["category"] == "red", "supervised"] = False
    tables.write(categories, "categories", tmp_path / "categories.parquet")
    words = tabulated(study, tmp_path, path_to_categories=tmp_path / "categories.parquet")
    assert not words[words["word"] == "red"]["novel"].any()


def test_without_masks_support_is_unknown_and_said_to_be(study, tmp_path, caplog):
    with caplog.at_level("INFO", "filterscope"):
        words = tabulated(study, tmp_path, path_to_claims=None)
    assert "no masks" in caplog.text
    assert words[["supported", "auprc", "low", "high"]].isna().all(axis=None)
    assert words["word"].tolist() == study.table("filter_words")["word"].tolist()
    names = tables.read(tmp_path / "names.parquet", "filter_names").to_pandas().set_index("filter")
    assert names["status"][0] == "untested"
    claims = study.table("filter_claims").set_index("filter")["claim"]
    live = [0, 1, 2, 3]
    assert names.loc[live, "name"].tolist() == names.loc[live, "claim"].tolist() == claims[live].tolist()
    assert words.groupby("filter")["claim"].first().tolist() == claims[live].tolist()
    assert names[["reference_status", "auprc", "low", "high", "null"]].isna().all(axis=None)
    assert names["status"][4] == "dead"


def test_names_without_masks_show_the_proofs_of_the_reference_for_the_same_claim(study, tmp_path):
    """Of a filter that claims something else there, nothing is known."""
    reference = study.table("filter_names")
    reference.loc[reference["filter"] == 1, ["name", "claim"]] = "green"
    tables.write(reference, "filter_names", tmp_path / "reference.parquet")
    tabulated(study, tmp_path, path_to_claims=None, path_to_reference=tmp_path / "reference.parquet")
    names = tables.read(tmp_path / "names.parquet", "filter_names").to_pandas().set_index("filter")
    own = study.table("filter_names").set_index("filter")
    assert names["status"].tolist() == ["untested"] * 4 + ["dead"]
    assert names.loc[0, "reference_status"] == "supported"
    proofs = ["auprc", "low", "high", "null"]
    assert names.loc[0, proofs].tolist() == own.loc[0, proofs].tolist()
    assert names.loc[[1, 4], ["reference_status", *proofs]].isna().all(axis=None)
    assert names.loc[1, "name"] == "blue"


def test_names_that_cannot_be_told_are_none(study, tmp_path):
    claims = study.table("filter_claims").assign(told=False, supported=False)
    tables.write(claims.astype(object).where(claims.notna(), None), "filter_claims", tmp_path / "claims.parquet")
    tabulated(study, tmp_path, path_to_claims=tmp_path / "claims.parquet")
    names = tables.read(tmp_path / "names.parquet", "filter_names").to_pandas()
    assert names["status"].tolist() == ["cannot be told"] * 4 + ["dead"]
    assert names["name"].isna().all()
    assert names.loc[0, "claim"] == "red"


def test_what_sets_a_filter_apart_is_told_beside_what_its_images_show(study):
    names, apart = study.table("filter_names").set_index("filter"), study.table("words_apart")
    apart = apart[apart["candidates"] == "vocabulary"].sort_values("rank")
    for number, own in apart.groupby("filter"):
        told = [word.rstrip("*") for word in names["apart"][number].split(", ")]
        assert told == own["word"].head(5).tolist()
    assert names["apart"][4] == ""
    csv = pd.read_csv(study.folder / "words_apart.csv")
    assert len(csv) == len(study.table("words_apart"))


def test_no_words_at_all_are_an_empty_table(study, tmp_path):
    votes = study.table("words_by_filter", "filter_votes").iloc[:0]
    tables.write(tables.checked(votes, "filter_votes"), "filter_votes", tmp_path / "votes.parquet")
    apart = tables.checked(study.table("words_apart").iloc[:0], "words_apart")
    tables.write(apart, "words_apart", tmp_path / "apart.parquet")
    for claims in (study.filter_claims, None):
        paths = {"path_to_votes": tmp_path / "votes.parquet", "path_to_apart": tmp_path / "apart.parquet"}
        words = tabulated(study, tmp_path, **paths, path_to_claims=claims)
        assert len(words) == 0
        names = tables.read(tmp_path / "names.parquet", "filter_names").to_pandas()
        assert set(names["status"]) == {"silent", "dead"}
        assert names["name"].isna().all()


def test_names_that_many_filters_bear_are_warned_of(study, tmp_path, caplog):
    claims = study.table("filter_claims")
    claims["claim"] = claims["claim"].where(claims["claim"].isna(), "red")
    tables.write(claims, "filter_claims", tmp_path / "claims.parquet")
    with caplog.at_level("WARNING", "filterscope"):
        tabulated(study, tmp_path, path_to_claims=tmp_path / "claims.parquet")
    assert "“red” is what 4 of 4 live filters are called (100%; supported for" in caplog.text


def test_words_of_optimised_pictures_stand_beside_the_names(study, tmp_path):
    """By two recipes, of which one has no picture of filter 1; the others have none at all."""
    columns = tables.SCHEMAS["picture_words"].names
    rows = {
        "maco": [
            (0, 0, "maco", ["red", "crimson"], ["red"], "red", True, 0.0, ""),
            (1, 0, "maco", ["azure"], ["green"], "blue", False, 0.0, ""),
        ],
        "fourier": [
            (0, 0, "fourier", ["reds", "blue"], ["blue"], "red", False, 1.0, ""),
            (1, 0, "fourier", [], [], "blue", None, None, "there is no picture"),
        ],
    }
    for recipe, own in rows.items():
        frame = pd.DataFrame(own, columns=columns).astype(object)
        tables.write(frame.where(frame.notna(), None), "picture_words", tmp_path / f"{recipe}.parquet")
    paths = {"paths_to_names": [tmp_path / "names.parquet", tmp_path / "names.csv"]}
    tabulated(study, tmp_path, paths_to_pictures=[tmp_path / f"{recipe}.parquet" for recipe in rows], **paths)
    names = tables.read(tmp_path / "names.parquet", "filter_names").to_pandas().set_index("filter")
    assert names.loc[0, "picture"] == "maco: red, crimson*; fourier: reds, blue"
    assert names.loc[1, "picture"] == "maco: azure*"
    told = ["picture_count", "picture_found", "picture_null"]
    assert names.loc[[0, 1], told].to_numpy().tolist() == [[2, 0.5, 0.5], [1, 0, 0]]
    assert names.loc[[2, 3, 4], ["picture", *told]].isna().all(axis=None)
    assert names["status"].tolist() == study.table("filter_names")["status"].tolist()
    csv = pd.read_csv(tmp_path / "names.csv", dtype=str, keep_default_na=False)
    assert csv["picture_count"].tolist() == ["2", "1", "", "", ""]


def test_without_optimised_pictures_their_columns_are_empty(study):
    columns = ["picture", "picture_count", "picture_found", "picture_null"]
    assert study.table("filter_names")[columns].isna().all(axis=None)
