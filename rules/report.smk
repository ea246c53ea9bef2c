# The report room: what a person reads first.
#
# Inputs:  tables of the other rooms
# Outputs: results/report/summary.md and .html
# Steps:   summarise


rule summarise_study:
    input:
        words=[words_of(entry, "filter_words.parquet") for entry in EXPLANATIONS],
        scores=[words_of(entry, "scores.parquet") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        claims=[words_of(entry, "filter_claims.parquet") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        known=[words_of(entry, "known_answers.parquet") for entry in EXPLANATIONS if has_known_answers(entry)],
    output:
        text="results/report/summary.md",
        html=report(
            "results/report/summary.html",
            caption="captions/summary.rst",
            category="Summary",
            labels={"page": "what the study found"},
        ),
    log:
        "results/logs/summarise_study.log",
    benchmark:
        "results/benchmarks/summarise_study.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("report/summarise_study.py"),
        title=config["title"],
        explanations={heading(entry): summarised(entry) for entry in EXPLANATIONS},
    message:
        "Summarising the study"
    script:
        "../workflow_scripts/report/summarise_study.py"
