"""Files come from the web: whole, right and in their place."""
