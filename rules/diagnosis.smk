# The diagnosis room: does a network fit its data (seed 001)?
#
# Inputs:  labelled samples, networks
# Outputs: results/diagnosis/
# Steps:   measure the complexity of data and the capacity of networks, compare them


rule diagnosis:
    """Complexity, capacity and the verdict on every pair of them."""
    input:
        [],
