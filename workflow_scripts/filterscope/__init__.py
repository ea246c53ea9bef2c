"""Filterscope: what every filter of a vision network knows, in words, pictures and numbers."""
