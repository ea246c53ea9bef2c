"""Filters are named: explainer, attention, words, scores and heatmaps (LaViSE, 3)."""
