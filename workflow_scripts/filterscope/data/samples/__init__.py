"""Labelled samples come in: vectors or pictures with a class each."""
