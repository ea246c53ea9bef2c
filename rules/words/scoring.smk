# Words are scored beside their nulls, the scores tested in the same look, tabulated and drawn.


rule score_words:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
        top_images="results/activations/{dataset}/{probe}/top_images.parquet",
        overlaps=rules.dissect_filters.output.overlaps,
        clip_words=clip_words_of,
        words_by_image=rules.explain_filters.output.words_by_image,
        words_by_filter=rules.explain_filters.output.words_by_filter,
        shuffled_labels_by_image=rules.explain_filters.output.shuffled_labels_by_image,
        shuffled_labels_by_filter=rules.explain_filters.output.shuffled_labels_by_filter,
    output:
        measurements="results/words/{dataset}/{probe}/{vocabulary}/measurements.parquet",
        claims="results/words/{dataset}/{probe}/{vocabulary}/filter_claims.parquet",
        csv="results/words/{dataset}/{probe}/{vocabulary}/filter_claims.csv",
        tests="results/words/{dataset}/{probe}/{vocabulary}/sanity.parquet",
        tests_csv="results/words/{dataset}/{probe}/{vocabulary}/sanity.csv",
    wildcard_constraints:
        dataset=either([] if SHARDED else ANNOTATED),
    log:
        "results/logs/score_words/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/score_words/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=8),
        runtime=minutes(20, thousand=7),
    params:
        code=code("words/scoring/score_words.py"),
        probe=probe_settings,
        activations=activation_settings,
        scores=config["scores"],
        split=split_of,
        seed=config["seed"],
        faithful=only("faithful", "few_filters"),
        explainers=["words", "shuffled_labels"],
    message:
        "Scoring the words of {wildcards.probe} on {wildcards.dataset}, and testing the scores"
    script:
        "../../workflow_scripts/words/scoring/score_words.py"


use rule score_words as score_shard with:
    output:
        sums=temp("results/words/{dataset}/{probe}/{vocabulary}/shards/{scatteritem}/score_sums.parquet"),
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/score_shard/{dataset}/{probe}/{vocabulary}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/score_shard/{dataset}/{probe}/{vocabulary}/{scatteritem}.tsv"
    group:
        together("scoring")
    message:
        "Scoring the words of {wildcards.probe} on {wildcards.dataset}, shard {wildcards.scatteritem}"


use rule score_words as gather_scores with:
    input:
        sums=gather.images("results/words/{{dataset}}/{{probe}}/{{vocabulary}}/shards/{scatteritem}/score_sums.parquet"),
        images="results/data/{dataset}/images.parquet",
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        top_images="results/activations/{dataset}/{probe}/top_images.parquet",
        overlaps=rules.dissect_filters.output.overlaps,
        clip_words=clip_words_of,
        words_by_image=rules.explain_filters.output.words_by_image,
        words_by_filter=rules.explain_filters.output.words_by_filter,
        shuffled_labels_by_image=rules.explain_filters.output.shuffled_labels_by_image,
        shuffled_labels_by_filter=rules.explain_filters.output.shuffled_labels_by_filter,
    wildcard_constraints:
        dataset=either(ANNOTATED if SHARDED else []),
    log:
        "results/logs/gather_scores/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/gather_scores/{dataset}/{probe}/{vocabulary}.tsv"
    group:
        together("scoring")
    threads: 1
    resources:
        mem_mb=memory(2600, times=4, but=["sums"]),
        runtime="30m",
    message:
        "Gathering what the shards of {wildcards.dataset} say of the words of {wildcards.probe}"


rule score_random_network:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        pooled=of_untrained(["{{probe}}"], "shards/{scatteritem}/pooled.parquet"),
        looked=of_untrained(["{{probe}}"], "shards/{scatteritem}/images.parquet"),
        sums=of_untrained(["{{probe}}"], "shards/{scatteritem}/sums.parquet"),
        attended=of_untrained(["{{probe}}"], "shards/{scatteritem}/attended.parquet"),
        maps=of_untrained(["{{probe}}"], "shards/{scatteritem}/maps.parquet"),
        thresholds=of_untrained(["{{probe}}"], "thresholds.parquet"),
        # Asked for by nobody else, it would stay where a run was killed behind the job that wrote it.
        rejected=of_untrained(["{{probe}}"], "shards/{scatteritem}/rejected.parquet"),
    output:
        measurements=["results/words/{dataset}/{probe}/{vocabulary}/null/random_network.parquet"],
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
        probe=either(map(re.escape, SINGLE)),
    log:
        "results/logs/score_random_network/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/score_random_network/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: int(SHARDED)  # where other jobs look for it, it ends the longest chain
    group:
        together("untrained" if SHARDED else None)
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1900, times=50, but=UNTRAINED),
        runtime=minutes(60, thousand=10),
    params:
        code=code("words/scoring/score_random_network.py"),
        probes=single_probe,
        activations=activation_settings,
        training=explainer_training(),
        words=in_memory_words(),
        scores=config["scores"],
        faithful=config["faithful"],
        kept=config["activations"]["kept"],
        seed=config["seed"],
    message:
        "Scoring the null of {wildcards.probe} on {wildcards.dataset}: the network before training"
    script:
        "../../workflow_scripts/words/scoring/score_random_network.py"


for group in GROUPS:

    rule:
        name:
            f"score_random_network_{group}"
        input:
            images="results/data/{dataset}/images.parquet",
            pictures=folder_of,
            image_activations=[
                gather.images(path)
                for path in group_folders(
                    group, "results/activations/{{dataset}}/PROBE/shards/{scatteritem}/images.parquet"
                )
            ],
            annotations="results/data/{dataset}/annotations.parquet",
            categories="results/data/{dataset}/categories.parquet",
            vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
            allowed=given(config["words"]["allowed"]),
            pooled=of_untrained(GROUPS[group], "shards/{scatteritem}/pooled.parquet"),
            looked=of_untrained(GROUPS[group], "shards/{scatteritem}/images.parquet"),
            sums=of_untrained(GROUPS[group], "shards/{scatteritem}/sums.parquet"),
            attended=of_untrained(GROUPS[group], "shards/{scatteritem}/attended.parquet"),
            maps=of_untrained(GROUPS[group], "shards/{scatteritem}/maps.parquet"),
            thresholds=of_untrained(GROUPS[group], "thresholds.parquet"),
            rejected=of_untrained(GROUPS[group], "shards/{scatteritem}/rejected.parquet"),
        output:
            measurements=group_folders(group, "results/words/{dataset}/PROBE/{vocabulary}/null/random_network.parquet"),
        wildcard_constraints:
            dataset="|".join(ANNOTATED),
        log:
            f"results/logs/score_random_network/{{dataset}}/{group}/{{vocabulary}}.log",
        benchmark:
            f"results/benchmarks/score_random_network/{{dataset}}/{group}/{{vocabulary}}.tsv"
        conda:
            "../../envs/filterscope.yaml"
        priority: int(SHARDED)
        group:
            together("untrained" if SHARDED else None)
        threads: config["threads"]
        resources:
            gpu=gpu,
            mem_mb=memory(1900, times=50, but=UNTRAINED),
            runtime=minutes(60, thousand=10 * len(GROUPS[group])),
        params:
            code=code("words/scoring/score_random_network.py"),
            probes=settings_of_group(group),
            activations=activations_of(GROUPS[group][0]),
            training=explainer_training(),
            words=in_memory_words(),
            scores=config["scores"],
            faithful=config["faithful"],
            kept=config["activations"]["kept"],
            seed=config["seed"],
        message:
            f"Scoring the null of {group}, all its layers, on {{wildcards.dataset}}: the network before training"
        script:
            "../../workflow_scripts/words/scoring/score_random_network.py"


rule tabulate_scores:
    input:
        measurements=[
            rules.score_words.output.measurements,
            "results/words/{dataset}/{probe}/{vocabulary}/null/random_network.parquet",
        ],
    output:
        table="results/words/{dataset}/{probe}/{vocabulary}/scores.parquet",
        csv="results/words/{dataset}/{probe}/{vocabulary}/scores.csv",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/tabulate_scores/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/tabulate_scores/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/scoring/tabulate_scores.py"),
        confidence=config["scores"]["confidence"],
    message:
        "Tabulating the scores of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/scoring/tabulate_scores.py"


rule tabulate_known_answers:
    input:
        words=rules.tabulate_words.output.table,
        known=known_words_of,
    output:
        table="results/words/{dataset}/{probe}/{vocabulary}/known_answers.parquet",
        csv="results/words/{dataset}/{probe}/{vocabulary}/known_answers.csv",
    log:
        "results/logs/tabulate_known_answers/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/tabulate_known_answers/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/scoring/tabulate_known_answers.py"),
    message:
        "Comparing the words of {wildcards.probe} with the known answers"
    script:
        "../../workflow_scripts/words/scoring/tabulate_known_answers.py"


rule tabulate_defects:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        weights=weights_of,
    output:
        table="results/words/{dataset}/{probe}/{vocabulary}/defects.parquet",
        csv="results/words/{dataset}/{probe}/{vocabulary}/defects.csv",
    wildcard_constraints:
        dataset=either([] if SHARDED else ANNOTATED),
    log:
        "results/logs/tabulate_defects/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/tabulate_defects/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 2  # the longest job by far: begun last, it would leave the other cores nothing
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(3200, times=14),
        runtime=minutes(120, thousand=40, pieces=asked.VARIANTS),
    params:
        code=code("words/scoring/tabulate_defects.py"),
        probe=probe_settings,
        activations=activation_settings,
        training=explainer_training(),
        words=in_memory_words(),
        scores=config["scores"],
        seed=config["seed"],
        largest_explainer=config["largest_explainer"],
        boxes=lambda wildcards: has_boxes(wildcards.dataset),
    message:
        "Measuring what each known defect costs {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/scoring/tabulate_defects.py"


use rule tabulate_defects as measure_defects with:
    output:
        measured="results/words/{dataset}/{probe}/{vocabulary}/defects/{scatteritem}.json",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/measure_defects/{dataset}/{probe}/{vocabulary}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/measure_defects/{dataset}/{probe}/{vocabulary}/{scatteritem}.tsv"
    group:
        together("defects")
    message:
        "Measuring what some known defects cost {wildcards.probe} on {wildcards.dataset}: {wildcards.scatteritem}"


use rule tabulate_defects as gather_defects with:
    input:
        measured=gather.images("results/words/{{dataset}}/{{probe}}/{{vocabulary}}/defects/{scatteritem}.json"),
    wildcard_constraints:
        dataset=either(ANNOTATED if SHARDED else []),
    log:
        "results/logs/gather_defects/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/gather_defects/{dataset}/{probe}/{vocabulary}.tsv"
    group:
        together("defects")
    threads: 1
    resources:
        mem_mb=1500,
        runtime="10m",
    message:
        "Gathering what each known defect costs {wildcards.probe} on {wildcards.dataset}"


rule render_scores:
    input:
        scores=rules.tabulate_scores.output.table,
    output:
        figure=report(
            "results/words/{dataset}/{probe}/{vocabulary}/scores.png",
            caption="../captions/scores.rst",
            category="Words",
            subcategory="{dataset} / {probe}",
            labels={"figure": "scores and their nulls"},
        ),
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/render_scores/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/render_scores/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/scoring/render_scores.py"),
    message:
        "Drawing the scores of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/scoring/render_scores.py"


rule render_defects:
    input:
        defects=rules.tabulate_defects.output.table,
    output:
        figure=report(
            "results/words/{dataset}/{probe}/{vocabulary}/defects.png",
            caption="../captions/defects.rst",
            category="Words",
            subcategory="{dataset} / {probe}",
            labels={"figure": "cost of each defect"},
        ),
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/render_defects/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/render_defects/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/scoring/render_defects.py"),
    message:
        "Drawing the defects of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/scoring/render_defects.py"
