"""Filters are named: explainer, attention, words, scores and heatmaps (LaViSE, seed 000)."""
