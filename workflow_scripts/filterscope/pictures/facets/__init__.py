"""The faces of a class: which of its images look alike to a network."""
