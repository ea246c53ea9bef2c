"""How good pictures are, by criteria that are validated themselves."""
