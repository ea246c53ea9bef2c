"""Unbalanced data resampled, and whether that helps."""
