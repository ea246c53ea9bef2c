"""Values of text columns that several tables and rooms know: scores, and what attacks count."""

from __future__ import annotations

# The scores of an explanation (column `metric`): of image-wise words, and of claims about filters.
RECALL = "recall"
IOU, F1, AUPRC, AUPRC_LIFT, CORRELATION = "iou", "f1", "auprc", "auprc_lift", "correlation"
CLAIM_SCORES = (IOU, F1, AUPRC, AUPRC_LIFT, CORRELATION)

# Units of the sizes of attacks (column `unit`).
PIXELS, RANGE = "pixels", "share of the pixel range"


def one_of(*values: str) -> str:
    """The values as the meaning of a column names them: a, b or c."""
    return f"{', '.join(values[:-1])} or {values[-1]}"
