"""Filterscope: what every filter of a convolutional network knows, in words, pictures and numbers."""
