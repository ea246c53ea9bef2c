# The diagnosis room: does a network fit its data (Debugger, 3)?
#
# Inputs:  labelled samples, networks
# Outputs: results/diagnosis/: complexity/ (of data), capacity/ (of networks), fit.*, resampling/, robustness/
# Steps:   measure the complexity of data and the capacity of networks, tabulate both and how they fit; resample and
#          score classifiers; train scaled networks and attack them; render


rule diagnosis:
    """Complexity, capacity and the verdict on every pair of them; resampling; robustness against capacity."""
    input:
        complexity_results(),
        capacity_results(),
        fit_results(),
        resampling_results(),
        robustness_results(),


include: "diagnosis/complexity.smk"
include: "diagnosis/capacity.smk"
include: "diagnosis/resampling.smk"
include: "diagnosis/robustness.smk"
