"""The embedded study's dataset, drawn: pictures whose every pixel has a known meaning, and sentences about them."""
