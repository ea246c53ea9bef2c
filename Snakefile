"""Filterscope: what every filter of a convolutional network knows, in words, pictures and numbers."""

from snakemake.utils import min_version

min_version("9.0")


configfile: workflow.source_path("config.yaml")


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/activations.smk"
include: "rules/words.smk"
include: "rules/pictures.smk"
include: "rules/diagnosis.smk"
include: "rules/temperature.smk"
include: "rules/report.smk"


localrules:
    all,
    data,
    activations,
    words,
    pictures,
    diagnosis,
    reproduction,
    samples,
    temperature,


# Rules of priority 1 are the longest chains, from the scenes to the summary. Of the jobs that could start theirs do, so
# that what hangs on nothing is left to fill the cores, and no core waits for the end of a chain.
rule all:
    default_target: True
    input:
        rules.data.input,
        rules.words.input,
        rules.pictures.input,
        rules.diagnosis.input,
        rules.temperature.input,
        rules.summarise_study.output,
        rules.render_atlas.output,
        rules.reproduction.input,


report: "rules/captions/study.rst"


onsuccess:
    print(parting_words())
