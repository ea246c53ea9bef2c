"""How easily networks of different capacity are fooled."""
