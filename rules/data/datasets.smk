# Reference datasets: downloaded, unpacked, prepared as tables of images, annotations and categories.


# Whatever SOURCES in filterscope/data/datasets/sources.py has a reader for.
rule prepare_dataset:
    input:
        folder=folder_of,
    output:
        images="results/data/{dataset}/images.parquet",
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        rejected="results/data/{dataset}/rejected.parquet",
        findings="results/data/{dataset}/findings.parquet",
        findings_csv="results/data/{dataset}/findings.csv",
    wildcard_constraints:
        dataset=readable(annotated=True),
    log:
        "results/logs/prepare_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_dataset/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: 4
    resources:
        mem_mb=memory(1400, objects=7),
        runtime=minutes(20, thousand=1),
    params:
        code=reader_code,
        source=dataset_source,
        listing=listing_of,
        reading=reader_settings,
        max_bad_fraction=bad_fraction,
    message:
        "Preparing the tables of {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/prepare_dataset.py"


use rule prepare_dataset as prepare_coco with:
    wildcard_constraints:
        dataset=sources("datasets", "coco"),
    log:
        "results/logs/prepare_coco/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_coco/{dataset}.tsv"


use rule prepare_dataset as prepare_folder with:
    output:
        images="results/data/{dataset}/images.parquet",
        rejected="results/data/{dataset}/rejected.parquet",
        findings="results/data/{dataset}/findings.parquet",
        findings_csv="results/data/{dataset}/findings.csv",
    wildcard_constraints:
        dataset=readable(annotated=False),
    log:
        "results/logs/prepare_folder/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_folder/{dataset}.tsv"
    resources:
        mem_mb=1000,
        runtime="1h",
    message:
        "Listing the pictures of {wildcards.dataset}"


rule prepare_scenes:
    output:
        images="results/data/{dataset}/images.parquet",
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        rejected="results/data/{dataset}/rejected.parquet",
        pictures=directory("results/data/{dataset}/pictures"),
    wildcard_constraints:
        dataset=sources("datasets", "scenes"),
    log:
        "results/logs/prepare_scenes/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_scenes/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("data/datasets/prepare_scenes.py"),
        scenes=lambda wildcards: config["datasets"][wildcards.dataset],
        seed=config["seed"],
    message:
        "Drawing the scenes of {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/prepare_scenes.py"


# Downloads do not depend on the code: what they give is fixed by its size and checksum, and 20 GB are not fetched
# again because a line of the library has changed.
rule download_coco_annotations:
    output:
        archive="results/data/{dataset}/downloads/annotations_trainval2017.zip",
    wildcard_constraints:
        dataset=sources("datasets", "coco"),
    log:
        "results/logs/download_coco_annotations/{dataset}.log",
    benchmark:
        "results/benchmarks/download_coco_annotations/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        disk_mb=25000,
        runtime="4h",
    params:
        archive="annotations_trainval2017.zip",
        mirror=lambda wildcards: config["datasets"][wildcards.dataset]["mirror"],
        verify=lambda wildcards: config["datasets"][wildcards.dataset]["verify"],
    retries: 2
    message:
        "Downloading {params.archive} for {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/download_coco.py"


use rule download_coco_annotations as download_coco_train with:
    output:
        archive="results/data/{dataset}/downloads/train2017.zip",
    log:
        "results/logs/download_coco_train/{dataset}.log",
    benchmark:
        "results/benchmarks/download_coco_train/{dataset}.tsv"
    params:
        archive="train2017.zip",
        mirror=lambda wildcards: config["datasets"][wildcards.dataset]["mirror"],
        verify=lambda wildcards: config["datasets"][wildcards.dataset]["verify"],


use rule download_coco_annotations as download_coco_val with:
    output:
        archive="results/data/{dataset}/downloads/val2017.zip",
    log:
        "results/logs/download_coco_val/{dataset}.log",
    benchmark:
        "results/benchmarks/download_coco_val/{dataset}.tsv"
    params:
        archive="val2017.zip",
        mirror=lambda wildcards: config["datasets"][wildcards.dataset]["mirror"],
        verify=lambda wildcards: config["datasets"][wildcards.dataset]["verify"],


rule unpack_coco:
    input:
        annotations=rules.download_coco_annotations.output.archive,
        train=rules.download_coco_train.output.archive,
        val=rules.download_coco_val.output.archive,
    output:
        folder=directory("results/data/{dataset}/pictures"),
    wildcard_constraints:
        dataset=sources("datasets", "coco"),
    log:
        "results/logs/unpack_coco/{dataset}.log",
    benchmark:
        "results/benchmarks/unpack_coco/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        disk_mb=disk(2000, times=2.2),
        runtime="2h",
    params:
        code=code("data/datasets/unpack_coco.py"),
    message:
        "Unpacking the archives of {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/unpack_coco.py"


rule download_visual_genome:
    output:
        archive="results/data/{dataset}/downloads/objects.json.zip",
    wildcard_constraints:
        dataset=sources("datasets", "visual_genome"),
    log:
        "results/logs/download_visual_genome/{dataset}.log",
    benchmark:
        "results/benchmarks/download_visual_genome/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        disk_mb=25000,
        runtime="4h",
    params:
        archive="objects",
        mirrors=mirrors_of("objects"),
        lock=lambda wildcards: config["datasets"][wildcards.dataset]["lock"],
        verify=lambda wildcards: config["datasets"][wildcards.dataset]["verify"],
    retries: 2
    message:
        "Downloading Visual Genome's {params.archive} for {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/download_visual_genome.py"


use rule download_visual_genome as download_visual_genome_images with:
    output:
        archive="results/data/{dataset}/downloads/images.zip",
    log:
        "results/logs/download_visual_genome_images/{dataset}.log",
    benchmark:
        "results/benchmarks/download_visual_genome_images/{dataset}.tsv"
    params:
        archive="images",
        mirrors=mirrors_of("images"),
        lock=lambda wildcards: config["datasets"][wildcards.dataset]["lock"],
        verify=lambda wildcards: config["datasets"][wildcards.dataset]["verify"],


use rule download_visual_genome as download_visual_genome_images2 with:
    output:
        archive="results/data/{dataset}/downloads/images2.zip",
    log:
        "results/logs/download_visual_genome_images2/{dataset}.log",
    benchmark:
        "results/benchmarks/download_visual_genome_images2/{dataset}.tsv"
    params:
        archive="images2",
        mirrors=mirrors_of("images2"),
        lock=lambda wildcards: config["datasets"][wildcards.dataset]["lock"],
        verify=lambda wildcards: config["datasets"][wildcards.dataset]["verify"],


rule unpack_visual_genome:
    input:
        objects=rules.download_visual_genome.output.archive,
        images=rules.download_visual_genome_images.output.archive,
        images2=rules.download_visual_genome_images2.output.archive,
    output:
        folder=directory("results/data/{dataset}/pictures"),
    wildcard_constraints:
        dataset=sources("datasets", "visual_genome"),
    log:
        "results/logs/unpack_visual_genome/{dataset}.log",
    benchmark:
        "results/benchmarks/unpack_visual_genome/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        disk_mb=disk(2000, times=2.2),
        runtime="2h",
    params:
        code=code("data/datasets/unpack_visual_genome.py"),
    message:
        "Unpacking the archives of {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/unpack_visual_genome.py"


rule prepare_visual_genome:
    input:
        folder=folder_of,
        vocabulary=vocabulary_of,
    output:
        images="results/data/{dataset}/images.parquet",
        annotations="results/data/{dataset}/annotations.parquet",
        categories="results/data/{dataset}/categories.parquet",
        rejected="results/data/{dataset}/rejected.parquet",
        passes="results/data/{dataset}/passes.parquet",
        passes_csv="results/data/{dataset}/passes.csv",
        findings="results/data/{dataset}/findings.parquet",
        findings_csv="results/data/{dataset}/findings.csv",
    wildcard_constraints:
        dataset=sources("datasets", "visual_genome"),
    log:
        "results/logs/prepare_visual_genome/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_visual_genome/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    priority: 1
    threads: 4
    resources:
        mem_mb=2000,
        runtime="2h",
    params:
        code=code("data/datasets/prepare_visual_genome.py"),
        listing=listing_of,
        visual_genome=visual_genome_settings,
        max_bad_fraction=bad_fraction,
        seed=config["seed"],
    message:
        "Preparing the tables of {wildcards.dataset}"
    script:
        "../../workflow_scripts/data/datasets/prepare_visual_genome.py"


rule compare_categories:
    input:
        categories="results/data/{dataset}/categories.parquet",
        theirs=other_categories,
    output:
        table="results/data/{dataset}/category_comparison.parquet",
        csv="results/data/{dataset}/category_comparison.csv",
    wildcard_constraints:
        dataset=sources("datasets", "visual_genome"),
    log:
        "results/logs/compare_categories/{dataset}.log",
    benchmark:
        "results/benchmarks/compare_categories/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=500,
        runtime="10m",
    params:
        code=code("data/datasets/compare_categories.py"),
    message:
        "Comparing the categories of {wildcards.dataset} with another list"
    script:
        "../../workflow_scripts/data/datasets/compare_categories.py"


rule find_repeated_images:
    input:
        images="results/data/{dataset}/images.parquet",
    output:
        table="results/data/{dataset}/repeats.parquet",
        csv="results/data/{dataset}/repeats.csv",
    log:
        "results/logs/find_repeated_images/{dataset}.log",
    benchmark:
        "results/benchmarks/find_repeated_images/{dataset}.tsv"
    conda:
        "../../envs/filterscope.yaml"
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code=code("data/datasets/find_repeated_images.py"),
    message:
        "Looking for images that {wildcards.dataset} has twice"
    script:
        "../../workflow_scripts/data/datasets/find_repeated_images.py"
