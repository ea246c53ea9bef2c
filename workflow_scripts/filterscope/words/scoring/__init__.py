"""Are the words right? Scores against masks, beside their nulls."""
