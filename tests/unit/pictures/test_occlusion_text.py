"""What covering parts did, in words: Amirli's table 1 with its letters and marks, and sentences with their null."""

from __future__ import annotations

import pandas as pd

from filterscope.pictures.occlusion_text import occlusion_text

COLUMNS = ["image_id", "number", "kind", "name", "x0", "y0", "x1", "y1", "area", "filters", "overlap"]
COLUMNS += ["change", "change_strongest", "null_overlap", "null_low", "null_high", "p"]


def text(*rows):
    return occlusion_text("Title", pd.DataFrame(rows, columns=COLUMNS), {5: "dog.jpg", 9: "zebra.jpg"})


WHOLE = (5, 0, "photograph", "", 0, 0, 9, 9, 0.0, "3 1 4", 3, 0.0, 0.0, None, None, None, None)


def test_letters_marks_and_sentences():
    head = (5, 1, "rectangle", "head", 0, 0, 3, 3, 0.11, "1 7 8", 1, 0.48, -0.21, 2.2, 1, 3, 0.02)
    rest = (5, 2, "rectangle", "", 3, 3, 9, 9, 0.44, "3 4 7", 2, None, -0.01, 2.0, 1, 3, 0.9)
    bare = (5, 3, "object", "leg", 0, 0, 9, 9, 0.2, "3 4 2", 2, 0.0, 0.0, None, None, None, None)
    lines = text(WHOLE, head, rest, bare).splitlines()
    assert "## dog.jpg" in lines
    assert "| A | nothing | **3** **1** **4** | | | | |" in lines
    assert "| B | head | **1** 7 8 | 1 | 2.2 [1, 3] | +48% | -21% |" in lines
    assert "| C | rectangle [3, 3, 9, 9] | **3** **4** 7 | 2 | 2.0 [1, 3] |  | -1% |" in lines
    said = [line for line in lines if line.startswith("- ")]
    assert len(said) == 3
    assert said[0].startswith(
        "- B, head (11% of the view): 1 of the 3 strongest filters stay, fewer than beneath random"
    )
    assert said[0].endswith("rectangles of its size (2.2; p 0.02).")
    assert said[1].startswith(
        "- C, rectangle [3, 3, 9, 9] (44% of the view): 2 of the 3 strongest filters stay, as beneath"
    )
    assert said[1].endswith("(2.0; p 0.90): its size alone may do that.")
    assert said[2].endswith("2 of the 3 strongest filters stay; there are no random rectangles to compare with.")


def test_a_part_that_takes_nothing_away_needs_no_null():
    tail = (5, 1, "rectangle", "tail", 0, 0, 1, 1, 0.01, "1 3 4", 3, 0.0, 0.0, 2.9, 2, 3, 1.0)
    assert "- B, tail (1% of the view): all 3 strongest filters stay." in text(WHOLE, tail)


def test_more_parts_than_letters_and_squares_that_take_most():
    many = [(5, n, "object", f"part {n}", 0, 0, 1, 1, 0.1, "3 1 4", 3, 0, 0, 2.0, 1, 3, 0.5) for n in range(1, 28)]
    assert "| BA | part 26 |" in text(WHOLE, *many)
    whole = (9, *WHOLE[1:])
    squares = [(9, n, "square", "", n, 0, n + 1, 1, 0.1, "3 1 4", 3 - n % 3, 0, 0, 2.0, 1, 3, 0.5) for n in range(1, 9)]
    told = text(whole, *squares)
    assert told.count("Among the squares that take most") == 3
    assert "[2, 0, 3, 1] of the view: 1 of the 3 strongest filters stay" in told
