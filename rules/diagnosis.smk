# The diagnosis room: does a network fit its data (seed 001)?
#
# Inputs:  labelled samples, networks
# Outputs: results/diagnosis/: complexity/ (of data), capacity/ (of networks), fit.*
# Steps:   measure the complexity of data and the capacity of networks, tabulate both and how they fit, render


rule diagnosis:
    """Complexity, capacity and the verdict on every pair of them."""
    input:
        complexity_results(),
        capacity_results(),
        fit_results(),


include: "diagnosis/complexity.smk"
include: "diagnosis/capacity.smk"
