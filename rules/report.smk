# The report room: what a person reads first.
#
# Inputs:  tables of the other rooms
# Outputs: results/report/summary.md and .html, results/report/appendix/; results/report/atlas/; results/report/reproduction/
# Steps:   summarise; note where everything lies and render the atlas from it; tabulate published numbers beside ours, draw and summarise them


rule summarise_study:
    input:
        words=[words_of(entry, "filter_words.parquet") for entry in EXPLANATIONS],
        scores=[words_of(entry, "scores.parquet") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        claims=[words_of(entry, "filter_claims.parquet") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        causes=[words_of(entry, "filter_causes.parquet") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        sanity=[words_of(entry, "sanity.parquet") for entry in EXPLANATIONS if entry["dataset"] in ANNOTATED],
        known=[words_of(entry, "known_answers.parquet") for entry in EXPLANATIONS if has_known_answers(entry)],
        remarked=[path for entry in EXPLANATIONS for path in remarked(entry).values()],
        said=[path for entry in EXPLANATIONS for path in said_by_image(entry).values()],
        pictures=[path for entry in config["pictures"] for path in summarised_recipe(entry)],
        picture_words=[words_of_recipe(entry) for entry in named_pictures()],
        facets=[path for entry in config["facets"] for path in (*summarised_facets(entry), *compared_in(entry))],
        shown=[path for entry in EXPLANATIONS for path in shown_files(entry)],
        senses=[path for entry in config["senses"] for path in summarised_senses(entry)],
        diagnosis=summarised_files(summarised_diagnosis()),
        temperature=summarised_files(summarised_temperature()),
    output:
        text="results/report/summary.md",
        html=report(
            "results/report/summary.html",
            caption="captions/summary.rst",
            category="Summary",
            labels={"page": "what the study found"},
        ),
        appendix=report(
            directory("results/report/appendix"),
            patterns=["{room}.html"],
            caption="captions/appendix.rst",
            category="Summary",
            labels={"page": "{room}, in full"},
        ),
    log:
        "results/logs/summarise_study.log",
    benchmark:
        "results/benchmarks/summarise_study.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=memory(1000, times=2),
        runtime="1h",
    params:
        code=code("report/summarise_study.py"),
        page=front_page(),
        title=config["title"],
        explanations={heading(entry): summarised(entry) | shown_by(entry) for entry in EXPLANATIONS},
        networks=networks_shown(),
        pictures=summarised_pictures(),
        diagnosis=summarised_diagnosis(),
        temperature=summarised_temperature(),
        pixels=config["atlas"]["pictures"] != "none",
    message:
        "Summarising the study"
    script:
        "../workflow_scripts/report/summarise_study.py"


rule note_places:
    output:
        places=ATLAS_PLACES,
    log:
        "results/logs/note_places.log",
    benchmark:
        "results/benchmarks/note_places.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        runtime="5m",
    params:
        code=code("report/note_places.py"),
        places=atlas_places(),
        networks=networks_shown(),
    message:
        "Noting what the study has and where it lies"
    script:
        "../workflow_scripts/report/note_places.py"


rule render_atlas:
    input:
        places=rules.note_places.output.places,
        shown=atlas_files(),
        linked=atlas_links(atlas_places()),
        beside=places_beside(),
    output:
        atlas=directory(ATLAS),
    log:
        "results/logs/render_atlas.log",
    benchmark:
        "results/benchmarks/render_atlas.tsv"
    conda:
        "../envs/filterscope.yaml"
    threads: 2
    resources:
        mem_mb=memory(1000, times=2),
        runtime="4h",
    params:
        code=code("report/render_atlas.py"),
        page=atlas_page(),
        folders=[entry["folder"] for entry in atlas_places()["datasets"].values()],
    message:
        "Rendering the atlas"
    script:
        "../workflow_scripts/report/render_atlas.py"


rule reproduction:
    """The published tables of LaViSE and its reproduction beside this study's."""
    input:
        [f"results/report/reproduction/{file}" for file in REPRODUCED],


rule tabulate_datasets:
    input:
        tables=[
            each[table] for each in reproduced_datasets().values() for table in ("images", "annotations", "categories")
        ],
    output:
        table="results/report/reproduction/datasets.parquet",
        csv="results/report/reproduction/datasets.csv",
    log:
        "results/logs/tabulate_datasets.log",
    benchmark:
        "results/benchmarks/tabulate_datasets.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=4000,
        runtime="10m",
    params:
        published=Path(PUBLISHED).read_text(),
        code=code("report/tabulate_datasets.py"),
        datasets=reproduced_datasets(),
    message:
        "Tabulating the reference datasets beside the published ones"
    script:
        "../workflow_scripts/report/tabulate_datasets.py"


rule tabulate_recall:
    input:
        scores=[path for paths in reproduced_scores().values() for path in paths.values()],
    output:
        table="results/report/reproduction/recall.parquet",
        csv="results/report/reproduction/recall.csv",
    log:
        "results/logs/tabulate_recall.log",
    benchmark:
        "results/benchmarks/tabulate_recall.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        published=Path(PUBLISHED).read_text(),
        code=code("report/tabulate_recall.py"),
        scores=reproduced_scores(),
    message:
        "Tabulating recall beside the published one"
    script:
        "../workflow_scripts/report/tabulate_recall.py"


rule render_recall:
    input:
        table=rules.tabulate_recall.output.table,
    output:
        figure=report(
            "results/report/reproduction/recall.png",
            caption="captions/reproduction.rst",
            category="Reproduction",
            labels={"figure": "published recall and ours"},
        ),
    log:
        "results/logs/render_recall.log",
    benchmark:
        "results/benchmarks/render_recall.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("report/render_recall.py"),
    message:
        "Drawing recall beside the published one"
    script:
        "../workflow_scripts/report/render_recall.py"


rule summarise_reproduction:
    input:
        datasets=rules.tabulate_datasets.output.table,
        recall=rules.tabulate_recall.output.table,
        defects=[path for _, path in reproduced_defects().values()],
    output:
        text="results/report/reproduction/summary.md",
        html=report(
            "results/report/reproduction/summary.html",
            caption="captions/reproduction.rst",
            category="Reproduction",
            labels={"page": "the published tables beside ours"},
        ),
    log:
        "results/logs/summarise_reproduction.log",
    benchmark:
        "results/benchmarks/summarise_reproduction.tsv"
    conda:
        "../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("report/summarise_reproduction.py"),
        title=config["title"],
        defects=reproduced_defects(),
    message:
        "Summarising the reproduction"
    script:
        "../workflow_scripts/report/summarise_reproduction.py"
