"""From activations to words: the explainer, its training, and what is said of every filter."""
