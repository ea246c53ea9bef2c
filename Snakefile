"""Filterscope: what every filter of a vision network knows, in words, pictures and numbers."""

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


# On a cluster, made where Snakemake runs: downloads, for nodes often reach no network, and what takes seconds.
localrules:
    average_facets,
    check_probes,
    compare_categories,
    compare_networks,
    download_coco_annotations,
    download_coco_train,
    download_coco_val,
    download_glove,
    download_samples,
    download_visual_genome,
    download_visual_genome_images,
    download_visual_genome_images2,
    draw_comparison,
    draw_facet_plates,
    draw_facets,
    draw_senses,
    find_repeated_images,
    gather_courses,
    note_places,
    plant_scenes_network,
    prepare_clip,
    prepare_network,
    render_capacity,
    render_complexity,
    render_courses,
    render_criteria,
    render_defects,
    render_depth,
    render_errors,
    render_network_temperatures,
    render_occlusion,
    render_pictures,
    render_ranges,
    render_recall,
    render_resampling,
    render_robustness,
    render_scores,
    render_starts,
    render_strongest_filters,
    render_temperatures,
    render_training,
    summarise_reproduction,
    summarise_study,
    tabulate_capacity,
    tabulate_complexity,
    tabulate_datasets,
    tabulate_depth,
    tabulate_duel,
    tabulate_known_answers,
    tabulate_recall,
    tabulate_resampling,
    tabulate_robustness,
    tabulate_scores,
    tabulate_times,
    tabulate_training,


# Rules of priority 1 are the longest chains, from the scenes to the summary. Of the jobs that could start theirs do, so
# that what hangs on nothing is left to fill the cores, and no core waits for the end of a chain. Of these none asks for
# two cores where one will nearly do: with single ones taken as soon as they are free it would wait for the rest to end.
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


onstart:
    refuse_unfit_cluster()


onsuccess:
    print(parting_words())


onerror:
    if said := configuration.causes(log):
        print(said)
