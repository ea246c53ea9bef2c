"""The order of the passes decides what is left, and every pass says what it left."""

import numpy as np
import pytest

from filterscope.data.datasets.passes import ORDERS, Objects, PassError, run_passes

# Images 0 to 4 (4 has nothing). Two trees in image 0; "gizmo" has no vector; "hat" is seen once.
PAIRS = [
    (0, "tree"),
    (0, "tree"),
    (1, "tree"),
    (1, "gizmo"),
    (2, "gizmo"),
    (3, "hat"),
    (0, "car"),
    (1, "car"),
    (1, "car"),
]
NAMES = ["tree", "gizmo", "hat", "car"]


def objects():
    images = np.array([image for image, _ in PAIRS])
    categories = np.array([NAMES.index(name) for _, name in PAIRS])
    return Objects(images, categories, np.tile([0, 0, 1, 1], (len(PAIRS), 1)), np.ones(5, bool))


def after(order, min_count=2):
    left, rows = run_passes(objects(), order, NAMES, lambda name: name != "gizmo", min_count)
    counted = [(row["pass"], row["images"], row["annotations"], row["categories"]) for row in rows]
    return left, counted


def test_paper():
    left, rows = after("paper")
    assert rows == [("empty_images", 4, 9, 4), ("vocabulary", 4, 7, 3), ("merge", 4, 5, 3), ("rare", 4, 4, 2)]
    assert left.merged
    assert left.kept.tolist() == [True, True, True, True, False]  # 2 and 3 have lost all they had


def test_reproduction():
    left, rows = after("reproduction")
    assert rows == [("vocabulary", 5, 7, 3), ("rare", 5, 6, 2), ("merge", 5, 4, 2), ("empty_images", 2, 4, 2)]
    assert left.kept.tolist() == [True, True, False, False, False]


def test_counting_objects_or_images_makes_the_difference():
    """Three trees and three cars, in two images each."""
    _, paper = after(["merge", "rare"], min_count=2)
    _, objects_counted = after(["rare", "merge"], min_count=3)
    assert paper[-1] == ("rare", 5, 6, 3)  # tree, car and gizmo are in two images each
    assert objects_counted[-1] == ("merge", 5, 4, 2)
    with pytest.raises(PassError, match="every category has fewer annotations than min_count, 3"):
        after(["merge", "rare"], min_count=3)


def test_a_list_of_passes_may_leave_some_out():
    left, rows = after(["vocabulary", "rare", "empty_images"])
    assert rows[-1] == ("empty_images", 2, 6, 2)
    assert not left.merged


def test_what_cannot_go_on_is_said():
    with pytest.raises(
        PassError, match=r"pass rare: .* min_count, 100; the most frequent, tree, has 3\. Lower min_count"
    ):
        after(["rare"], min_count=100)
    with pytest.raises(PassError, match="pass vocabulary: none of 4 categories, such as car, gizmo, hat, tree"):
        run_passes(objects(), ["vocabulary"], NAMES, lambda name: False, 1)
    with pytest.raises(
        PassError, match="no pass 'merged'; they are vocabulary, merge, rare, empty_images, or paper or"
    ):
        after(["merged"])


def test_orders_hold_every_pass_once():
    for order in ORDERS.values():
        assert sorted(order) == ["empty_images", "merge", "rare", "vocabulary"]
