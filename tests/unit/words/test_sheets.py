"""The sheet of a filter: which filters get one, and what can be seen on it."""

import io
import itertools

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from filterscope.words.sheets import TopImage, chosen_filters, first_words, remarks_of, sheet

WORDS = pd.DataFrame(
    {
        "filter": [0, 0, 1, 2, 3],
        "rank": [0, 1, 0, 0, 0],
        "word": ["red", "crimson", "blue", "disc", "square"],
        "votes": [5, 4, 25, 25, 1],
        "cosine": [0.9, 0.8, 0.5, 0.6, 0.9],
        "novel": [False, True, False, False, False],
    }
)
CLAIMS = pd.DataFrame(
    {
        "filter": [0, 1, 2, 3, 4],
        "claim": ["red", "blue", "disc", "square", None],
        "auprc": [0.5, 0.9, 0.9, 0.2, None],
        "null": [0.1, 0.2, 0.2, 0.1, None],
        "low": [0.4, 0.8, 0.8, 0.1, None],
        "high": [0.6, 1.0, 1.0, 0.3, None],
        "iou": [0.3, 0.5, 0.6, 0.1, None],
        "rival": ["red", "blue", "disc", "disc", None],
        "supported": [True, True, True, False, False],
    }
)
NAMES = pd.DataFrame(
    {
        "filter": [0, 1, 2, 3, 4],
        "status": ["supported", "supported", "supported", "unsupported", "silent"],
        "name": ["red", "blue", "disc", None, None],
        "claim": ["red", "blue", "disc", "square", None],
        "apart": ["crimson*, disc", "blue", "disc", "square", ""],
        "reference_status": None,
        "cause": None,
        "picture": None,
        "picture_count": None,
        "picture_found": None,
        "picture_null": None,
    }
)


def test_the_best_supported_come_first_then_those_asked_for():
    assert chosen_filters(WORDS, CLAIMS, 3, []) == [1, 2, 0]  # 0.7, 0.7, 0.4 above the null; ties by number
    assert chosen_filters(WORDS, CLAIMS, 1, [3, 1]) == [1, 3]
    assert chosen_filters(WORDS, CLAIMS, 0, [3]) == [3]
    assert chosen_filters(WORDS, CLAIMS, 99, []) == [1, 2, 0, 3]  # 4 is dead


def test_without_masks_votes_and_cosines_decide():
    assert chosen_filters(WORDS, None, 3, []) == [2, 1, 0]


@pytest.mark.parametrize("wrong", [4, 77])
def test_a_filter_without_words_is_refused(wrong):
    with pytest.raises(ValueError, match=rf"sheets\.also names filter {wrong}, which has no words"):
        chosen_filters(WORDS, CLAIMS, 1, [wrong])


def top_images(count, side=40):
    """White pictures, whose heatmaps are dark in their right half."""
    images = []
    for number in range(count):
        picture = np.full((side, side, 3), 255, np.uint8)
        heat = picture.copy()
        heat[:, side // 2 :] = 76
        images.append(TopImage(picture, heat, ["red", "disc"], 1.5 - number / 10))
    return images


def seen(figure):
    """The figure as an array, and its texts."""
    buffer = io.BytesIO()
    figure.savefig(buffer, facecolor="#88aaff")  # another ground, so that white pictures can be told from it
    texts = [text.get_text() for text in figure.texts]
    return np.asarray(Image.open(buffer).convert("RGB")), texts


def drawn(count=5, name=NAMES.iloc[0], claim=CLAIMS.iloc[0], words=WORDS[WORDS["filter"] == 0], remarks=()):
    return sheet("p on d   filter 0", name, words, claim, top_images(count), remarks)


def largest(figure):
    """The text that is written largest."""
    return max(figure.texts, key=lambda text: text.get_fontsize())


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_every_top_image_is_there_beside_its_heatmap(count):
    picture, _ = seen(drawn(count))
    white = (picture == 255).all(-1)
    dark = (np.abs(picture.astype(int) - 76) <= 2).all(-1)
    # A picture and the bright half of its heatmap, against the dark half.
    assert white.sum() / dark.sum() == pytest.approx(3, rel=0.05)
    assert dark.sum() > count * 0.4 * 150 * 75
    columns = np.flatnonzero(dark.any(0))
    assert np.flatnonzero(white.any(0)).min() < columns.min()  # the picture stands on the left


def test_the_heatmap_is_darker_where_the_filter_is_silent():
    picture, _ = seen(drawn(1))
    rows = np.flatnonzero((picture == 255).all(-1).sum(1) > 100)
    strip = picture[rows[len(rows) // 2]].astype(int).sum(-1)
    on_pictures = strip[(strip == 3 * 255) | (np.abs(strip - 3 * 76) < 9)]
    changes = np.flatnonzero(np.diff(on_pictures) < -300)
    assert len(changes) == 1  # bright, then dark: once, in the middle of the second picture
    assert changes[0] / len(on_pictures) == pytest.approx(0.75, abs=0.03)


def test_says_what_the_filter_is_called_and_how_sure_that_is():
    _, texts = seen(drawn())
    joined = " | ".join(texts)
    assert "p on d   filter 0" in texts
    assert "red (5)" in texts
    assert "crimson (4)" in texts
    assert "AUPRC 0.500 [0.400, 0.600] against 0.100" in joined
    assert "IoU 0.300" in joined
    assert "Network Dissection: “red”" in joined
    assert "unsupported" not in joined
    assert "1.5  red, disc" in texts


TESTED = {"status": "caused", "reason": "", "objects": 12, "controls": 99}
CAUSE = TESTED | {"effect": 0.81, "low": 0.7, "high": 0.9, "null": 0.01}
CHANGED = (
    "caused by it: 12 such objects, laid into images and taken out, change it by 0.81 [0.70, 0.90] of its spreads more "
    "than 99 others of their size, against 0.01 of the layer's mean filter"
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, CHANGED),
        ({"status": "not_caused", "reason": "no more than other objects"}, "not caused by it (no more than other"),
        (
            {"status": "cannot_be_told", "reason": "too few", "effect": None},
            "whether caused by it cannot be told (too few)",
        ),
    ],
)
def test_says_whether_the_named_objects_are_the_cause(changes, said):
    own, cause = WORDS[WORDS["filter"] == 0], pd.Series({**CAUSE, **changes})
    figure = sheet("p", NAMES.iloc[0], own, CLAIMS.iloc[0], top_images(1), cause=cause)
    _, texts = seen(figure)
    (line,) = [text for text in texts if "caused by it" in text]
    assert line.startswith(said)
    assert "None" not in line
    assert "nan" not in line


FOUND = "“red” is among the first categories found in 1 of 1"
PICTURE = {"picture": "red, crimson*", "picture_count": 1, "picture_found": 1.0, "picture_null": 0.125}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            f"{FOUND}, against 12% of other filters' claims; words: red, crimson*   (*: not a category)",
        ),
        (
            {"picture": "maco: red; fourier: red", "picture_count": 2, "picture_found": 0.5, "picture_null": None},
            "“red” is among the first categories found in 1 of 2; words: maco: red; fourier: red",
        ),
        (
            {"picture": None},
            f"{FOUND}, against 12% of other filters' claims",
        ),
        ({"picture": "red", "picture_count": None, "picture_found": None, "picture_null": None}, "words: red"),
    ],
)
def test_says_what_the_optimised_pictures_are_called(changes, said):
    """Below the cause and above what else must be known."""
    name, own = NAMES.assign(**{**PICTURE, **changes}).iloc[0], WORDS[WORDS["filter"] == 0]
    figure = sheet("p", name, own, CLAIMS.iloc[0], top_images(1), ["saturated"], pd.Series(CAUSE))
    height = {text.get_text(): text.get_position()[1] for text in figure.texts}
    assert height[CHANGED] > height[f"optimised pictures: {said}"] > height["saturated"]


def test_a_filter_without_pictures_says_nothing_of_them():
    with_pictures, without = drawn(name=NAMES.assign(**PICTURE).iloc[0]), drawn()
    assert not [text for text in without.texts if "optimised" in text.get_text()]
    assert with_pictures.get_figheight() > without.get_figheight()


def test_many_words_of_pictures_do_not_run_out_of_the_sheet():
    words = "; ".join(f"recipe{number}: {', '.join(['incomprehensibility*'] * 5)}" for number in range(4))
    figure = drawn(name=NAMES.assign(**{**PICTURE, "picture": words}).iloc[0], remarks=["saturated"])
    assert sum(text.get_text().count("incomprehensibility*") for text in figure.texts) == 20
    renderer = figure.canvas.get_renderer()
    assert max(text.get_window_extent(renderer).x1 for text in figure.texts) <= figure.get_figwidth() * figure.dpi
    assert [text.get_text() for text in figure.texts if text.get_text().startswith("optimised pictures: ")]


def test_new_words_are_marked():
    texts = {text.get_text(): text for text in drawn().texts}
    assert texts["crimson (4)"].get_color() != texts["red (5)"].get_color()
    assert texts["crimson (4)"].get_style() == "italic"
    assert texts["red (5)"].get_style() == "normal"


def test_what_sets_it_apart_stands_below_what_its_images_show():
    """Marked alike, in the order of the table; the pictures make room."""
    figure = drawn()
    texts = {text.get_text(): text for text in figure.texts}
    shown, apart = texts["what its images show:"], texts["what sets it apart:"]
    assert shown.get_position()[1] > apart.get_position()[1] == texts["crimson"].get_position()[1]
    assert apart.get_position()[0] < texts["crimson"].get_position()[0] < texts["disc"].get_position()[0]
    assert (texts["crimson"].get_color(), texts["crimson"].get_style()) == (
        texts["crimson (4)"].get_color(),
        "italic",
    )
    assert texts["disc"].get_color() == texts["red (5)"].get_color()
    renderer = figure.canvas.get_renderer()
    assert shown.get_window_extent(renderer).y0 >= apart.get_window_extent(renderer).y1 - 1
    assert apart.get_window_extent(renderer).y0 > max(axes.get_window_extent(renderer).y1 for axes in figure.axes)


def test_many_words_that_set_it_apart_do_not_run_out_of_the_sheet():
    figure = drawn(name=NAMES.assign(apart=", ".join(["incomprehensibility*"] * 12)).iloc[0])
    assert 1 < len([text for text in figure.texts if text.get_text() == "incomprehensibility"]) < 12
    renderer = figure.canvas.get_renderer()
    assert max(text.get_window_extent(renderer).x1 for text in figure.texts) <= figure.get_figwidth() * figure.dpi


def test_the_headline_is_the_name_and_not_the_word_with_most_votes():
    figure = drawn(name=NAMES.iloc[1], claim=CLAIMS.iloc[1])
    assert largest(figure).get_text() == "blue"
    lower = {text.get_text(): text.get_position()[1] for text in figure.texts}
    assert largest(figure).get_position()[1] > lower["what its images show:"] == lower["red (5)"]
    assert "supported" in lower


def test_an_unsupported_name_is_called_so():
    figure = drawn(name=NAMES.iloc[3], claim=CLAIMS.iloc[3], words=WORDS[WORDS["filter"] == 3])
    texts = {text.get_text(): text for text in figure.texts}
    assert largest(figure).get_text() == "square"
    assert largest(figure).get_color() != largest(drawn()).get_color()
    assert texts["unsupported"].get_color() != texts["square (1)"].get_color()


def test_without_masks_the_absence_of_a_score_is_said():
    untested = NAMES.assign(status="untested", claim=None).iloc[0]
    figure = drawn(name=untested, claim=None)
    _, texts = seen(figure)
    assert largest(figure).get_text() == "red"
    assert any("no masks here, so no score" in text for text in texts)
    assert "untested" in texts
    assert not any("unsupported" in text for text in texts)


PROVED = {"reference_status": "proved", "auprc": 0.42, "low": 0.33, "high": 0.55, "null": 0.11, "cause": "caused"}
PROVED |= {"cause_effect": 0.81, "cause_low": 0.7, "cause_high": 0.9, "cause_null": 0.01}


@pytest.mark.parametrize("effect", [0.81, None])
def test_without_masks_the_proofs_of_the_reference_are_told_as_such(effect):
    untested = NAMES.assign(status="untested", **{**PROVED, "cause_effect": effect}).iloc[0]
    _, texts = seen(drawn(name=untested, claim=None))
    assert "untested" in texts
    (score,) = [text for text in texts if "AUPRC" in text]
    assert "no masks here, so no score; on the reference, “red”: proved, AUPRC 0.420 [0.330, 0.550] " in score
    (cause,) = [text for text in texts if "caused by it" in text]
    changed = ": its objects, laid into images and taken out, change it by 0.81 [0.70, 0.90] of its spreads more"
    assert cause.startswith(f"on the reference, caused by it{changed if effect else ''}")
    assert "nan" not in cause


@pytest.mark.parametrize(("found", "said"), [(1.0, "on the reference, “red” is among"), (None, "words: red")])
def test_without_masks_only_the_reference_tells_whether_pictures_have_the_claim(found, said):
    untested = NAMES.assign(status="untested", **{**PICTURE, "picture_found": found}).iloc[0]
    _, texts = seen(drawn(name=untested, claim=None))
    (line,) = [text for text in texts if "optimised pictures" in text]
    assert line.startswith(f"optimised pictures: {said}")


def test_a_filter_with_words_but_no_claim_is_told():
    figure = drawn(name=NAMES.iloc[4], claim=CLAIMS.iloc[4])
    _, texts = seen(figure)
    assert largest(figure).get_text() == "no name"
    assert "silent" in texts
    assert any("no claim" in text for text in texts)


def test_a_rival_without_a_label_is_told():
    _, texts = seen(drawn(claim=CLAIMS.assign(rival=None).iloc[0]))
    (line,) = [text for text in texts if "Network Dissection" in text]
    assert "Network Dissection: no label" in line
    assert "None" not in line


@pytest.mark.parametrize("count", [1, 8])
def test_remarks_stand_above_the_pictures(count):
    """However many there are, the sheet grows by them, and neither covers the other."""
    few, many = drawn(count), drawn(count, remarks=["saturated", "tied", "cut"])
    assert many.get_figheight() > few.get_figheight()
    texts = [text for text in many.texts if text.get_text() in ("saturated", "tied", "cut")]
    assert len(texts) == 3
    renderer = many.canvas.get_renderer()
    boxes = sorted((text.get_window_extent(renderer) for text in texts), key=lambda box: -box.y0)
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in itertools.pairwise(boxes))
    assert boxes[-1].y0 >= max(axes.get_window_extent(renderer).y1 for axes in many.axes)
    assert min(axes.get_window_extent(renderer).y0 for axes in many.axes) > 0


MINED = pd.DataFrame(
    {
        "filter": [0, 0, 0, 1, 1, 1],
        "rank": [0, 1, 2, 0, 1, 2],
        "image_id": [7, 8, 9, 7, 5, 4],
        "maximum": [6.0, 6.0, 5.0, 3.0, 0.0, 0.0],
        "tied": [2, 2, 1, 1, 2, 2],
        "asked": 3,
        "mined": 30,
    }
)
PLAIN = pd.DataFrame({"filter": [0, 1], "threshold": [6.0, 2.5], "saturated": [True, False]})


def test_what_must_be_known_of_a_filter_is_remarked():
    saturated, tied = remarks_of(0, NAMES, PLAIN, MINED)
    assert saturated.startswith("saturated: its activations end at 6")
    assert tied == "3 top images, 10% of the 30 that were mined; 2 of them reach the same maximum as others"


def test_an_ordinary_filter_needs_no_remark():
    """Images in which it is silent do not tie."""
    assert remarks_of(1, NAMES, PLAIN, MINED) == []


def test_a_cut_is_remarked_on_every_sheet():
    (cut,) = remarks_of(1, NAMES, PLAIN, MINED.assign(asked=25))
    assert cut.startswith("3 top images, 10% of the 30 that were mined instead of the 25 asked for")


def test_a_common_name_is_remarked():
    (said,) = remarks_of(1, NAMES.assign(claim="blue"), PLAIN, MINED)
    assert said == "5 of 5 live filters are called “blue”: it does not tell them apart"


def test_many_long_words_do_not_run_out_of_the_sheet():
    words = pd.concat([WORDS.iloc[[0]].assign(word="incomprehensibility", rank=rank) for rank in range(10)])
    figure = drawn(words=words)
    assert 1 < len([text for text in figure.texts if "incomprehensibility" in text.get_text()]) < 10
    width = figure.get_figwidth() * figure.dpi
    renderer = figure.canvas.get_renderer()
    for text in figure.texts:
        assert text.get_window_extent(renderer).x1 <= width


def test_a_picture_is_shown_with_its_three_nearest_words_of_the_vocabulary():
    said = pd.DataFrame(
        {
            "filter": [1, 1, 1, 1, 1, 2, 3],
            "image_id": [7, 7, 7, 7, 7, 7, 9],
            "candidates": ["vocabulary", "vocabulary", "categories", "vocabulary", "vocabulary", *["vocabulary"] * 2],
            "rank": [2, 0, 0, 3, 1, 0, 0],
            "word": ["third", "first", "category", "fourth", "second", "other", "not asked for"],
        }
    )
    found = first_words(said, [1, 2])
    assert found.to_dict() == {(1, 7): ["first", "second", "third"], (2, 7): ["other"]}
