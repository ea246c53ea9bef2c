"""What must be known of thresholds and top images is said in sentences, and nothing of what is as it should be."""

import pandas as pd

from filterscope.activations.remarks import mining_remarks, threshold_remarks


def thresholds(saturated=(), elsewhere=(), dead=(), filters=20):
    table = pd.DataFrame({"filter": range(filters)})
    table["dead"] = table["filter"].isin([*dead, *elsewhere])
    table["fires_elsewhere"] = table["filter"].isin(elsewhere)
    table["saturated"] = table["filter"].isin(saturated)
    return table


def top(images, maxima, asked=3, mined=10):
    """images, maxima: by filter, best first; ties are counted as mining does."""
    rows = [
        {"filter": number, "rank": rank, "image_id": image, "maximum": value, "tied": own.count(value)}
        for number, (ids, own) in enumerate(zip(images, maxima, strict=True))
        for rank, (image, value) in enumerate(zip(ids, own, strict=True))
    ]
    return pd.DataFrame(rows).assign(asked=asked, mined=mined)


def test_ordinary_thresholds_need_no_remark():
    assert threshold_remarks(thresholds(dead=[3])) == []


def test_saturated_filters_are_counted_among_the_live_ones():
    (said,) = threshold_remarks(thresholds(saturated=[1, 2], dead=[3, 4]))
    assert said.startswith("2 of 18 live filters are saturated")
    assert "where they reach it" in said


def test_filters_whose_threshold_cannot_be_told_are_listed():
    (said,) = threshold_remarks(thresholds(elsewhere=range(12), dead=[15]))
    assert said.startswith("12 filters never rise above zero")
    assert "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more)" in said


def test_what_was_taken_and_how_many_vote():
    own = top([[1, 2, 3], [4, 5, 6]], [[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    assert mining_remarks(own) == [
        "Every filter has 3 top images, 30% of the 10 that were mined.",
        "The top images of all filters are 6 different ones, 60% of those mined.",
    ]


def test_ties_cuts_and_few_voters_are_told():
    own = top([[1, 2, 3], [1, 2, 3]], [[6.0, 6.0, 1.0], [3.0, 2.0, 0.0]], asked=25, mined=30)
    cut, tied, votes = mining_remarks(own)
    assert cut == (
        "Every filter has 3 top images, 10% of the 30 that were mined instead of the 25 asked for, because more would "
        "be too large a share (words.top_share)."
    )
    assert tied.startswith("1 of 2 filters have top images with the very same maximum, 2.0 of 3 on average")
    assert votes == "Few images vote: the top images of all filters are 3 different ones, 10% of those mined."


def test_more_asked_for_than_there_are():
    said = mining_remarks(top([[1, 2]], [[2.0, 1.0]], asked=5, mined=2))
    assert said[0].endswith("100% of the 2 that were mined instead of the 5 asked for, because there are no more.")


def test_images_in_which_a_filter_is_silent_neither_tie_nor_vote():
    said = mining_remarks(top([[1, 2, 3]], [[1.0, 0.0, 0.0]], mined=4))
    assert said[1:] == ["Few images vote: the top images of all filters are 1 different ones, 25% of those mined."]
