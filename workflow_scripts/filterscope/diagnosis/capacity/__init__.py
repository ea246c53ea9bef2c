"""How much a network can hold: the capacity of its graph in bits."""
