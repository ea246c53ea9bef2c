# CLIP-Dissect as a rival: a CLIP model is trained or fetched, embeds images and words once, and names every probe's filters.


rule train_scenes_clip:
    input:
        images=scenes_of_clip("images.parquet"),
        annotations=scenes_of_clip("annotations.parquet"),
        pictures=scenes_of_clip("pictures"),
    output:
        weights="results/data/clips/{clip}/weights.pt",
        history="results/data/clips/{clip}/history.csv",
        retrieval="results/data/clips/{clip}/retrieval.csv",
    wildcard_constraints:
        clip=sources("clips", "scenes"),
    log:
        "results/logs/train_scenes_clip/{clip}.log",
    benchmark:
        "results/benchmarks/train_scenes_clip/{clip}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: 1  # it calculates with two, of which the second is idle most of the time
    resources:
        gpu=gpu,
        mem_mb=2000,
        runtime="20m",
    params:
        code=code("words/rivals/train_scenes_clip.py"),
        clip=clip_settings("prompts"),
        seed=config["seed"],
    message:
        "Training {wildcards.clip} on captions of its scenes"
    script:
        "../../workflow_scripts/words/rivals/train_scenes_clip.py"


rule prepare_clip:
    input:
        clip_checkpoint,
    output:
        weights="results/data/clips/{clip}/weights.pt",
    wildcard_constraints:
        clip=sources("clips", "open_clip"),
    log:
        "results/logs/prepare_clip/{clip}.log",
    benchmark:
        "results/benchmarks/prepare_clip/{clip}.tsv"
    conda:
        "../../envs/clip.yaml"
    resources:
        mem_mb=16000,
        runtime="2h",
    params:
        code=code("words/rivals/prepare_clip.py"),
        clip=clip_settings("prompts"),
    retries: 2
    message:
        "Fetching the CLIP model {wildcards.clip}"
    script:
        "../../workflow_scripts/words/rivals/prepare_clip.py"


rule embed_images:
    input:
        images="results/data/{dataset}/images.parquet",
        pictures=folder_of,
        weights="results/data/clips/{clip}/weights.pt",
    output:
        embeddings="results/data/clips/{clip}/images/{dataset}.parquet",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/embed_images/{clip}/{dataset}.log",
    benchmark:
        "results/benchmarks/embed_images/{clip}/{dataset}.tsv"
    conda:
        clip_environment
    priority: 1
    threads: cores
    resources:
        gpu=gpu,
        mem_mb=memory(1800, times=4),
        runtime=minutes(20, thousand=5),
    params:
        code=code("words/rivals/embed_images.py"),
        batch_size=config["activations"]["batch_size"],
        max_bad_fraction=bad_fraction,
    message:
        "Embedding the training images of {wildcards.dataset} with {wildcards.clip}"
    script:
        "../../workflow_scripts/words/rivals/embed_images.py"


rule embed_words:
    input:
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
        weights="results/data/clips/{clip}/weights.pt",
    output:
        embeddings="results/data/clips/{clip}/words/{vocabulary}.parquet",
    log:
        "results/logs/embed_words/{clip}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/embed_words/{clip}/{vocabulary}.tsv"
    conda:
        clip_environment
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=4),
        runtime=minutes(60),
    params:
        code=code("words/rivals/embed_words.py"),
        prompts=lambda wildcards: config["clips"][wildcards.clip]["prompts"],
    message:
        "Embedding the words of {wildcards.vocabulary} with {wildcards.clip}"
    script:
        "../../workflow_scripts/words/rivals/embed_words.py"


use rule embed_words as embed_tokens with:
    input:
        categories="results/data/{dataset}/categories.parquet",
        weights="results/data/clips/{clip}/weights.pt",
    output:
        embeddings="results/data/clips/{clip}/tokens/{dataset}.parquet",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/embed_tokens/{clip}/{dataset}.log",
    benchmark:
        "results/benchmarks/embed_tokens/{clip}/{dataset}.tsv"
    message:
        "Embedding the tokens of {wildcards.dataset} with {wildcards.clip}"


rule dissect_with_clip:
    input:
        images=clip_file("images/{dataset}.parquet"),
        words=clip_file("words/{vocabulary}.parquet"),
        tokens=clip_file("tokens/{dataset}.parquet"),
        image_activations=gather.images("results/activations/{{dataset}}/{{probe}}/shards/{scatteritem}/images.parquet"),
        categories="results/data/{dataset}/categories.parquet",
        allowed=given(config["words"]["allowed"]),
    output:
        words="results/words/{dataset}/{probe}/{vocabulary}/clip_words.parquet",
    wildcard_constraints:
        dataset="|".join(ANNOTATED),
    log:
        "results/logs/dissect_with_clip/{dataset}/{probe}/{vocabulary}.log",
    benchmark:
        "results/benchmarks/dissect_with_clip/{dataset}/{probe}/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: config["threads"]
    resources:
        gpu=gpu,
        mem_mb=memory(1400, times=4),
        runtime=minutes(60),
    params:
        code=code("words/rivals/dissect_with_clip.py"),
        settings=config["clip_dissect"],
        kept=max(config["scores"]["recall_at"]),
    message:
        "Dissecting the filters of {wildcards.probe} on {wildcards.dataset} with a CLIP model"
    script:
        "../../workflow_scripts/words/rivals/dissect_with_clip.py"
