"""The senses of a filter: which of the images that excite it most look alike to the network."""
