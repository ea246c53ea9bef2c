"""Datasets and filters with next to nothing to tell apart: counted as what cannot be told, or refused; never NaN."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.scripts.conftest import COLOURS, RED, TRAIN, Study

from filterscope import tables

# What is looked through, and its schema.
TABLES = {
    **{name: name for name in ("evidence", "overlaps", "filter_claims", "filter_names", "filter_words", "scores")},
    "words_history": "history",
    "measurements": "measurements",
    "random_network": "measurements",
}


class Odd(Study):
    """The study with those of its annotations only that `kept` keeps of them all."""

    def __init__(self, folder: Path, kept: Callable[[list[dict]], list[dict]]):
        super().__init__(folder)
        self.kept = kept

    def draw(self) -> None:
        super().draw()
        kept = self.kept(tables.read(self.annotations, "annotations").to_pylist())
        names = tables.SCHEMAS["annotations"].names
        rows = [tuple({**each, names[0]: number}[name] for name in names) for number, each in enumerate(kept)]
        self.write("annotations", rows)
        found = [name for name in COLOURS if any(row[2] == name for row in rows)]
        self.write("categories", [(name, [name], *self.counts(rows, name), True) for name in found])


def red_ones(annotations: list[dict]) -> list[dict]:
    return [each for each in annotations if each["tokens"] == ["red"]]


def one_image_of_each(annotations: list[dict], times: int = 2) -> list[dict]:
    """Of every category one training image, another for each, and one image to score by; objects count `times`."""
    chosen, taken = [], set()
    for name in COLOURS:
        for learnt in (True, False):
            own = [each for each in annotations if each["tokens"] == [name]]
            own = [each for each in own if (each["image_id"] < TRAIN) == learnt and each["image_id"] not in taken]
            taken.add(own[0]["image_id"])
            chosen += own[:1] * times
    return sorted(chosen, key=lambda each: each["image_id"])


def run(study: Study) -> Study:
    study.run()
    return study


@pytest.fixture(scope="module")
def one_category(tmp_path_factory):
    return run(Odd(tmp_path_factory.mktemp("one_category"), red_ones))


@pytest.fixture(scope="module")
def one_image(tmp_path_factory):
    return run(Odd(tmp_path_factory.mktemp("one_image"), one_image_of_each))


@pytest.fixture(params=["one_category", "one_image"])
def odd(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", TABLES)
def test_nothing_is_nan(odd, name):
    """What cannot be told is empty; every number that is there is one."""
    table = tables.read(odd.folder / f"{name}.parquet", TABLES[name])
    assert len(table)
    for column, kind in zip(table.column_names, table.schema.types, strict=True):
        values = table[column].drop_null().to_pylist()
        if pa.types.is_floating(kind) or pa.types.is_list(kind):
            assert np.isfinite(np.array(values, float)).all(), column


def test_one_category_names_no_filter_that_masks_do_not_bear_out(one_category):
    """Only red exists, and there is no filter of another claim to lend one: decoys are the masks of other images."""
    names = one_category.table("filter_names").set_index("filter")
    assert set(names["name"].dropna()) <= {"red"}
    assert names.loc[4, "status"] == "dead"
    claims = one_category.table("filter_claims").set_index("filter")
    assert not claims["lent"].any()
    assert claims.loc[RED, "claim"] == "red"


def test_one_image_of_a_category_cannot_support_a_name(one_image):
    """A resample without that image has nothing to say: no filter may be told by it alone."""
    claims, names = one_image.table("filter_claims"), one_image.table("filter_names")
    live = names[~names["status"].isin(["dead", "silent"])]
    assert len(live) == 4
    assert set(live["status"]) <= {"unsupported", "cannot be told"}, claims.to_dict("records")


def test_too_few_objects_to_choose_an_epoch_by_are_said(tmp_path):
    study = Odd(tmp_path, partial(one_image_of_each, times=1))
    said = (
        r"training\.choosing is 0\.25: in 1 of 3 training images with objects 1 objects would choose the epoch and 2 "
        "be learnt from, should be at least 2 each: add annotated images"
    )
    with pytest.raises(ValueError, match=said):
        study.run()
