"""Words with vectors come in."""
