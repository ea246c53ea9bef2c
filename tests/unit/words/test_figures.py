"""Figures show what their tables say, and what is missing is not drawn as something."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from filterscope.words.figures import defect_bars, score_bars, training_curves
from filterscope.words.scoring.score_table import ROW_NAMES

HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [3.0, 2.0, 1.0],
        "val_loss": [3.0, 1.5, 2.0],
        "val_recall": [0.1, 0.5, 0.4],
        "best": [False, True, False],
    }
)


def rendered(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return len(buffer.getvalue())


def bars(axes):
    return [each for each in axes.patches if isinstance(each, Rectangle)]


def test_training_curves_mark_the_epoch_whose_weights_were_kept():
    figure = training_curves(HISTORY, HISTORY.assign(val_loss=[3.0, 2.9, 2.8], best=[False, False, True]))
    assert rendered(figure) > 5000
    losses, recalls = figure.axes
    dots = [line for line in losses.lines if line.get_marker() == "o"]
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots] == [(2, 1.5), (3, 2.8)]
    assert recalls.lines[0].get_ydata().tolist() == [0.1, 0.5, 0.4]
    assert len(losses.get_legend().get_texts()) == 4


def scores(missing=()):
    lines = []
    for metric, where, ks in (
        ("recall", "vocabulary", (5, 10)),
        ("recall", "categories", (5, 10)),
        *((name, "categories", (1,)) for name in ("iou", "f1", "auprc", "correlation")),
    ):
        for k in ks:
            for place, row in enumerate(("words", "constant_words", "random_network")):
                value = None if (metric, row) in missing else 0.9 - 0.2 * place
                ends = {"low": None, "high": None} if value is None else {"low": value - 0.1, "high": value + 0.1}
                lines.append({"metric": metric, "candidates": where, "k": k, "row": row, "value": value, **ends})
    return pd.DataFrame(lines)


def test_every_score_stands_beside_its_nulls():
    figure = score_bars(scores())
    assert rendered(figure) > 5000
    assert [len(bars(axes)) for axes in figure.axes] == [6, 6, 12]
    assert sorted({round(bar.get_height(), 6) for bar in bars(figure.axes[0])}) == [0.5, 0.7, 0.9]
    names = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert names == [ROW_NAMES[row] for row in ("words", "constant_words", "random_network")]
    assert "vocabulary" in figure.axes[0].get_title(loc="left")


def test_what_was_never_supervised_has_panels_of_its_own():
    table = scores()
    recall = table[table["metric"] == "recall"].replace(
        {"candidates": {"vocabulary": "vocabulary_unsupervised", "categories": "unsupervised"}}
    )
    claims = table[table["metric"] != "recall"].assign(candidates="unsupervised")
    figure = score_bars(pd.concat([table, recall, claims]))
    assert rendered(figure) > 5000
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 6
    assert [title for title in titles if "never supervised" in title] == titles[3:]
    assert [len(bars(axes)) for axes in figure.axes] == [6, 6, 12, 6, 6, 12]


def test_a_missing_score_has_no_bar():
    figure = score_bars(scores(missing=[("recall", "words")]))
    assert rendered(figure) > 5000
    heights = [bar.get_height() for bar in bars(figure.axes[0])]
    assert heights.count(0) == 2
    assert np.isfinite(heights).all()


def test_defects_stand_in_order_the_default_on_top():
    lines = [
        {
            "switch": switch,
            "candidates": where,
            "k": k,
            "recall": value,
            "low": value and value - 0.1,
            "high": value and value + 0.1,
        }
        for switch, value in (("default", 0.6), ("mask_scale", 0.3), ("all", None))
        for where in ("vocabulary", "categories")
        for k in (5, 10, 20)
    ]
    figure = defect_bars(pd.DataFrame(lines))
    assert rendered(figure) > 5000
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert axes.yaxis_inverted()
        widths = [bar.get_width() for bar in bars(axes)]
        assert widths == pytest.approx([0.6, 0.3, 0] * 3)
        assert [(text.get_text(), text.get_position()[1]) for text in axes.texts] == [("not measured", 2)]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["default", "mask scale", "all"]
