"""How a training ends; apart from the training, so that a table of many loads no torch."""

FINISHED, DIVERGED = "finished", "diverged"
