# Explainers are trained, filters explained, and their words tabulated and drawn.


rule train_explainer:
    input:
        pooled=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/pooled.parquet"),
        attended=in_shards("attended.parquet"),
        categories="results/data/{dataset}/categories.parquet",
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
    output:
        **EXPLAINER,
        # Where nothing is shared out it learns in less time than its null's job would take to start.
        **({} if SHARDED else NULL_EXPLAINER),
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/train_explainer/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/train_explainer/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        together("explaining")
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1700, times=2.6),
        runtime=minutes(30, thousand=2 if SHARDED else 4),
    params:
        code=code("words/explaining/train_explainer.py"),
        training=explainer_training(),
        faithful=only("faithful", "frozen_batch_norm", "instance_split", "scored_images_choose", "published_words"),
        seed=config["seed"],
    message:
        "Training the explainer of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/explaining/train_explainer.py"


use rule train_explainer as train_null_explainer with:
    output:
        **NULL_EXPLAINER,
    wildcard_constraints:
        dataset=either(ANNOTATED if SHARDED else []),
    log:
        "results/logs/train_null_explainer/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/train_null_explainer/{dataset}/{probe}/{vocabulary}.tsv"
    message:
        "Training the null explainer of {wildcards.probe} on {wildcards.dataset}, labels shuffled"


rule explain_filters:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        top_images="results/activations/{dataset}/{probe}/top_images.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
        categories=reference_categories,
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        evidence="results/activations/{dataset}/{probe}/evidence.parquet",
        words=EXPLAINER["weights"],
        shuffled_labels=NULL_EXPLAINER["null_weights"],
    output:
        words_by_image="results/words/{dataset}/{probe}/{vocabulary}/image_words.parquet",
        words_by_filter="results/words/{dataset}/{probe}/{vocabulary}/filter_votes.parquet",
        apart="results/words/{dataset}/{probe}/{vocabulary}/words_apart.parquet",
        heatmaps="results/words/{dataset}/{probe}/{vocabulary}/heatmaps.parquet",
        feeds="results/words/{dataset}/{probe}/{vocabulary}/feeds.parquet",
        field="results/words/{dataset}/{probe}/{vocabulary}/receptive_field.parquet",
        shuffled_labels_by_image="results/words/{dataset}/{probe}/{vocabulary}/null/image_words.parquet",
        shuffled_labels_by_filter="results/words/{dataset}/{probe}/{vocabulary}/null/filter_votes.parquet",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/explain_filters/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/explain_filters/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        "explaining"
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=2),
        runtime=minutes(20, thousand=2),
    params:
        code=code("words/explaining/explain_filters.py"),
        probe=probe_settings,
        activations=activation_settings,
        words=only("words", "method", "per_image", "voting", "weighting", "printed", "evidence", "novelty"),
        faithful=only("faithful", "projection", "unpooled", "published_words"),
        explainers=["words", "shuffled_labels"],
    message:
        "Explaining the filters of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/explaining/explain_filters.py"


use rule explain_filters as explain_photographs with:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        top_images="results/activations/{dataset}/{probe}/top_images.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
        categories=reference_categories,
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
        allowed=given(config["words"]["allowed"]),
        evidence=reference_evidence,
        words=reference_explainer,
    output:
        words_by_image="results/words/{dataset}/{probe}/{vocabulary}/image_words.parquet",
        words_by_filter="results/words/{dataset}/{probe}/{vocabulary}/filter_votes.parquet",
        apart="results/words/{dataset}/{probe}/{vocabulary}/words_apart.parquet",
        heatmaps="results/words/{dataset}/{probe}/{vocabulary}/heatmaps.parquet",
        feeds="results/words/{dataset}/{probe}/{vocabulary}/feeds.parquet",
        field="results/words/{dataset}/{probe}/{vocabulary}/receptive_field.parquet",
    wildcard_constraints:
        dataset=either(UNANNOTATED),
    log:
        "results/logs/explain_photographs/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/explain_photographs/{dataset}/{probe}/{vocabulary}.tsv"
    params:
        code=code("words/explaining/explain_filters.py"),
        probe=probe_settings,
        activations=activation_settings,
        words=only("words", "method", "per_image", "voting", "weighting", "printed", "evidence", "novelty"),
        faithful=only("faithful", "projection", "unpooled", "published_words"),
        explainers=["words"],
    message:
        "Explaining the filters of {wildcards.probe} by the photographs of {wildcards.dataset}"


rule dissect_filters:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
    output:
        overlaps="results/activations/{dataset}/{probe}/overlaps.parquet",
        evidence="results/activations/{dataset}/{probe}/evidence.parquet",
        attended="results/activations/{dataset}/{probe}/attended.parquet",
    wildcard_constraints:
        dataset=either([] if SHARDED else ANNOTATED),
    log:
        "results/logs/dissect_filters/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/dissect_filters/{dataset}/{probe}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        together("dissecting")
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(1700, times=4),
        runtime=minutes(20, thousand=5),
    params:
        code=code("words/explaining/dissect_filters.py"),
        probe=probe_settings,
        activations=activation_settings,
        words=only("words", "method", *EVIDENCE),
        attended=config["training"]["attended"],
        overlap=config["scores"]["overlap"],
        faithful=only("faithful", "projection", "unpooled"),
        seed=config["seed"],
        resolution=config["scores"]["resolution"],
        kept=max(config["scores"]["recall_at"]),
    message:
        "Dissecting the filters of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/explaining/dissect_filters.py"


use rule dissect_filters as dissect_shard with:
    output:
        sums="results/activations/{dataset}/{probe}/shards/{scatteritem}/sums.parquet",
        attended="results/activations/{dataset}/{probe}/shards/{scatteritem}/attended.parquet",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
        probe=either(map(re.escape, config["probes"])),
    log:
        "results/logs/dissect_shard/{dataset}/{probe}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/dissect_shard/{dataset}/{probe}/{scatteritem}.tsv"
    message:
        "Dissecting the filters of {wildcards.probe} on {wildcards.dataset}, shard {wildcards.scatteritem}"


use rule dissect_shard as dissect_untrained_shard with:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
    output:
        sums=temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/sums.parquet"),
        attended=temp("results/activations/{dataset}/{probe}/shards/{scatteritem}/attended.parquet"),
    wildcard_constraints:
        probe=either(re.escape(untrained(probe)) for probe in config["probes"]),
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/dissect_untrained_shard/{dataset}/{probe}/{scatteritem}.log",
    benchmark:
        "results/benchmarks/dissect_untrained_shard/{dataset}/{probe}/{scatteritem}.tsv"


use rule dissect_filters as gather_dissection with:
    input:
        sums=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/sums.parquet"),
        categories="results/data/{dataset}/categories.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
    output:
        overlaps="results/activations/{dataset}/{probe}/overlaps.parquet",
        evidence="results/activations/{dataset}/{probe}/evidence.parquet",
    wildcard_constraints:
        dataset=either(ANNOTATED if SHARDED else []),
        probe=either(map(re.escape, config["probes"])),
    log:
        "results/logs/gather_dissection/{dataset}/{probe}.log",
    benchmark:
        "results/benchmarks/gather_dissection/{dataset}/{probe}.tsv"
    group:
        together("explaining")
    threads: 1
    resources:
        mem_mb=memory(1400, times=4),
        runtime="30m",
    message:
        "Gathering what the shards of {wildcards.dataset} say of the filters of {wildcards.probe}"


rule tabulate_words:
    input:
        apart="results/words/{dataset}/{probe}/{vocabulary}/words_apart.parquet",
        votes="results/words/{dataset}/{probe}/{vocabulary}/filter_votes.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        categories=reference_categories,
        claims=claims_of,
        reference=reference_names,
        causes=causes_of,
        pictures=picture_words_of,
    output:
        apart_csv="results/words/{dataset}/{probe}/{vocabulary}/words_apart.csv",
        table="results/words/{dataset}/{probe}/{vocabulary}/filter_words.parquet",
        csv="results/words/{dataset}/{probe}/{vocabulary}/filter_words.csv",
        names="results/words/{dataset}/{probe}/{vocabulary}/filter_names.parquet",
        names_csv="results/words/{dataset}/{probe}/{vocabulary}/filter_names.csv",
    log:
        "results/logs/tabulate_words/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/tabulate_words/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        "proving"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/explaining/tabulate_words.py"),
    message:
        "Tabulating the words of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/explaining/tabulate_words.py"


rule render_sheets:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        top_images="results/activations/{dataset}/{probe}/top_images.parquet",
        thresholds="results/activations/{dataset}/{probe}/thresholds.parquet",
        weights=weights_of,
        maps=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/maps.parquet"),
        by_image="results/words/{dataset}/{probe}/{vocabulary}/image_words.parquet",
        words=rules.tabulate_words.output.table,
        names=rules.tabulate_words.output.names,
        claims=claims_of,
        causes=causes_of,
    output:
        sheets=report(
            directory("results/words/{dataset}/{probe}/{vocabulary}/sheets"),
            patterns=["filter_{name}.png", "{name}.html"],
            caption="../captions/sheet.rst",
            category="Words",
            subcategory="{dataset} / {probe}",
            labels=labels_of_sheet,
        ),
    log:
        "results/logs/render_sheets/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/render_sheets/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    group:
        "proving"
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(1800, times=2),
        runtime=minutes(20),
    params:
        code=code("words/explaining/render_sheets.py"),
        probe=probe_settings,
        activations=activation_settings,
        sheets=config["sheets"],
    message:
        "Rendering sheets of filters of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/explaining/render_sheets.py"


rule render_training:
    input:
        history=EXPLAINER["history"],
        null=NULL_EXPLAINER["null_history"],
        temperatures=EXPLAINER["temperatures"],
        null_temperatures=NULL_EXPLAINER["null_temperatures"],
    output:
        figure=report(
            "results/words/{dataset}/{probe}/{vocabulary}/training.png",
            caption="../captions/training.rst",
            category="Words",
            subcategory="{dataset} / {probe}",
            labels={"figure": "training curves"},
        ),
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/render_training/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/render_training/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("words/explaining/render_training.py"),
    message:
        "Drawing the training of {wildcards.probe} on {wildcards.dataset}"
    script:
        "../../workflow_scripts/words/explaining/render_training.py"
