"""Datasets, vocabularies and networks come in."""
