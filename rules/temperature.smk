# The temperature room: activation patterns while a network trains, learning rates found and steered by them.
#
# Inputs:  results/data/samples/{samples}/samples.parquet
# Outputs: results/temperature/*.csv, results/temperature/{network}/{samples}/ (figures, one folder per schedule)
# Steps:   tune schedules, train with them, analyse learning rates, gather, tabulate, render


rule temperature:
    """Tables and figures of everything that the config asks for."""
    input:
        temperature_results(),


include: "temperature/training.smk"
include: "temperature/comparing.smk"
