# Vocabularies: word vectors learnt, downloaded or read, cached in one form.


rule train_word_vectors:
    output:
        vectors="results/data/vocabularies/{vocabulary}/trained.txt",
        captions="results/data/vocabularies/{vocabulary}/captions.txt",
    wildcard_constraints:
        vocabulary=sources("vocabularies", "captions"),
    log:
        "results/logs/train_word_vectors/{vocabulary}.log",
    benchmark:
        "results/benchmarks/train_word_vectors/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        "vocabulary"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("data/vocabularies/train_word_vectors.py"),
        captions=lambda wildcards: config["vocabularies"][wildcards.vocabulary],
        seed=config["seed"],
    message:
        "Learning the words of {wildcards.vocabulary} from captions"
    script:
        "../../workflow_scripts/data/vocabularies/train_word_vectors.py"


rule download_glove:
    output:
        archive="results/data/vocabularies/{vocabulary}/glove.6B.zip",
    wildcard_constraints:
        vocabulary=sources("vocabularies", "glove"),
    log:
        "results/logs/download_glove/{vocabulary}.log",
    benchmark:
        "results/benchmarks/download_glove/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        disk_mb=3000,
        runtime="2h",
    params:
        mirror=lambda wildcards: config["vocabularies"][wildcards.vocabulary]["mirror"],
        verify=lambda wildcards: config["vocabularies"][wildcards.vocabulary]["verify"],
    retries: 2
    message:
        "Downloading GloVe 6B for {wildcards.vocabulary}"
    script:
        "../../workflow_scripts/data/vocabularies/download_glove.py"


rule cache_vocabulary:
    input:
        vectors=vectors_of,
    output:
        vocabulary="results/data/vocabularies/{vocabulary}/vocabulary.parquet",
    log:
        "results/logs/cache_vocabulary/{vocabulary}.log",
    benchmark:
        "results/benchmarks/cache_vocabulary/{vocabulary}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    group:
        "vocabulary"
    resources:
        mem_mb=memory(1400, times=3),
        runtime=minutes(20),
    params:
        code=code("data/vocabularies/cache_vocabulary.py"),
        vocabulary=vector_settings,
    message:
        "Caching the vocabulary {wildcards.vocabulary}"
    script:
        "../../workflow_scripts/data/vocabularies/cache_vocabulary.py"
