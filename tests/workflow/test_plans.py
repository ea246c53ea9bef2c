"""What Snakemake plans, and that it plans nothing where the config is wrong. No job runs here."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from filterscope import job

pytestmark = pytest.mark.workflow


def planned(output: str) -> dict[str, int]:
    """Jobs by rule, from Snakemake's table."""
    return {name: int(count) for name, count in re.findall(r"^([a-z_]+) +(\d+)$", output, re.MULTILINE)}


def test_wrong_config_stops_before_anything_is_made(small_config, run_snakemake, tmp_path):
    config = small_config({"words": {"top_image": 9}, "seed": "zero"})
    done = run_snakemake("--cores", 1, config=config, check=False)
    assert done.returncode == 1
    assert "the config is wrong:" in done.stdout
    assert "words.top_image is not known; did you mean top_images" in done.stdout
    assert "seed is 'zero': 'zero' is not of type 'integer'" in done.stdout
    assert not (tmp_path / "results").exists()


def test_wrong_key_on_the_command_line_is_named(run_snakemake):
    done = run_snakemake("--cores", 1, "--config", "sede=1", check=False)
    assert done.returncode == 1
    assert "sede is not known; did you mean seed" in done.stdout


@pytest.fixture(scope="module")
def plan_of(repository, run_anywhere, tmp_path_factory):
    """Jobs by rule of a study of studies/, by its name; none: of the embedded one. The same question is asked once."""
    folder = tmp_path_factory.mktemp("planned")
    # What studies of local data expect beside their results; a plan does not look into it.
    for name in ("coco", "visual_genome", "tiny-imagenet-200", "imagenet", "classes", "photographs"):
        (folder / "data" / name).mkdir(parents=True)
    (folder / "data/glove.txt").touch()

    @functools.cache
    def plan_of(study: str | None, *targets: str) -> dict[str, int]:
        chosen = ("--configfile", repository / "studies" / f"{study}.yaml") if study else ()
        done = run_anywhere(*targets, "--dry-run", "--quiet", "rules", *chosen, directory=folder)
        return planned(done.stdout)

    return plan_of


def test_every_study_is_planned(repository, plan_of):
    studies = sorted((repository / "studies").glob("*.yaml"))
    assert studies
    for study in studies:
        assert plan_of(study.stem)["summarise_study"] == 1, study.name


# What is planned of the report's two pages, by rule: inputs, figures of pictures, whether Snakemake itself runs it.
ASK = """
import contextlib, io, json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

snakefile, study = map(Path, sys.argv[1:])
with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    config = ConfigSettings(configfiles=[study], replace_workflow_config=True)
    flow = api.workflow(ResourceSettings(cores=1), config, snakefile=snakefile, workdir=study.parent)
    with contextlib.redirect_stdout(io.StringIO()):
        flow.dag(DAGSettings(targets={"render_atlas", "summarise_study"}, forceall=True)).printrulegraph()
    jobs = {job.rule.name: job for job in flow._workflow.dag.jobs}
    pages = {name: jobs[name] for name in ("render_atlas", "summarise_study")}
submitted = [each.name for each in flow._workflow.rules if each.name in flow._workflow._localrules and each._group]
for name, job in pages.items():
    local = name in flow._workflow._localrules
    pages[name] = {"input": [*map(str, job.input)], "local": local, "pictures": job.params.get("pictures")}
    pages[name] |= {"explanations": job.params.get("explanations"), "submitted": submitted}
print(json.dumps(pages))
"""


def pages(repository, study: Path) -> dict:
    """What is planned of the two pages of a study's file, which lies where its results would."""
    command = [sys.executable, "-c", ASK, repository / "Snakefile", study]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run([*map(str, command)], env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_atlas_is_a_job_of_its_own_and_follows_the_study_beside(small_config, repository, tmp_path):
    """What the other study noted stays as it is when it is made anew; its summary does not, where it has one."""
    before = tmp_path / "before/results/report"
    before.mkdir(parents=True)
    noted, summary = (before / file for file in ("atlas_places.json", "summary.html"))
    noted.write_text("{}")
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(small_config({"atlas": {"beside": str(before.parent)}}), sort_keys=False))
    alone = pages(repository, study)
    assert {name: page["local"] for name, page in alone.items()} == {"render_atlas": False, "summarise_study": True}
    assert alone["render_atlas"]["submitted"] == [], "Snakemake submits a local rule that has a group"
    assert [path for path in alone["render_atlas"]["input"] if path.startswith(str(before))] == [str(noted)]
    drawn = list(alone["summarise_study"]["pictures"].values())
    assert {Path(path).name for each in drawn for path in each["figures"]} == {"criteria.png"}
    assert {Path(path).name for each in drawn for path in each["photographed"]} == {"sheets", "figures"}
    summary.write_text("names")
    read = pages(repository, study)["render_atlas"]["input"]
    assert [path for path in read if path.startswith(str(before))] == [str(noted), str(summary)]


def test_own_files_below_results_are_no_results(small_config, repository, run_snakemake, tmp_path):
    """Weights and pictures may lie there, and a title may begin like a result; with storage, too, nobody looks for them
    in a bucket."""
    (tmp_path / "results/mine/album").mkdir(parents=True)
    (tmp_path / "results/mine/weights.pt").touch()
    own = {"source": "checkpoint", "architecture": "resnet18", "file": "results/mine/weights.pt"}
    config = small_config(
        {
            "title": "results/mine",
            "networks": {"mine": {**own, "input": {"resize": 64, "crop": 64}}},
            "probes": {"mine": {"network": "mine", "layer": "layer4"}},
            "datasets": {"album": {"source": "folder", "folder": "results/mine/album", "reference": "scenes"}},
        }
    )
    asked = [{"dataset": name, "probe": "mine", "vocabulary": "captions"} for name in ("scenes", "album")]
    config |= {"explanations": asked, "pictures": [], "facets": [], "senses": [], "defects": []}
    storage = ("--default-storage-provider", "fs", "--default-storage-prefix", tmp_path / "kept")
    said = run_snakemake("summarise_study", "render_atlas", *storage, "--dry-run", "--quiet", "rules", config=config)
    assert planned(said.stdout)["render_atlas"] == 1
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(config, sort_keys=False))
    summary = pages(repository, study)["summarise_study"]
    named = job.located(summary["explanations"], summary["input"])
    assert named == summary["explanations"]
    assert "results/mine/album" in {each["folder"] for each in named.values()}


def test_coco_study_downloads_and_shares_out_the_extraction(plan_of):
    jobs = plan_of("coco")
    for split in ("annotations", "train", "val"):
        assert jobs[f"download_coco_{split}"] == 1
    assert jobs["download_glove"] == 1
    assert jobs["extract_activations"] == 3 * 8  # probes and shards
    assert "prepare_scenes" not in jobs


def made(paths, begun):
    """Empty files, one after the other from a time on."""
    for place, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (begun + place,) * 2)


def test_a_shard_that_died_is_looked_at_again_alone(small_config, run_snakemake, tmp_path):
    """Everything is there but what the second of three shards would have left, and what waits for it."""
    data, own = tmp_path / "results/data", tmp_path / "results/activations/scenes/planted"
    shards = [own / "shards" / f"{number}-of-3" for number in (1, 2, 3)]
    tables = ("images", "annotations", "categories")
    looked = [
        shard / f"{kind}.parquet" for shard in shards for kind in ("pooled", "images", "tails", "rejected", "maps")
    ]
    made(
        [
            *(data / "scenes" / f"{each}.parquet" for each in tables),
            data / "networks/planted/weights.pt",
            *looked,
            own / "thresholds.parquet",
            own / "thresholds.csv",
            *(shard / f"{kind}.parquet" for shard in shards for kind in ("sums", "attended")),
            own / "overlaps.parquet",
            own / "evidence.parquet",
        ],
        begun=1e9,
    )
    (data / "scenes/pictures").mkdir()
    os.utime(data / "scenes/pictures", (1e9, 1e9))
    target = own.relative_to(tmp_path) / "evidence.parquet"
    plan = ("--dry-run", "--quiet", "rules", "--cores", 1, "--rerun-triggers", "mtime", "--", target)
    config = small_config({"shards": 3})
    assert "Nothing to be done" in run_snakemake(*plan, config=config).stdout
    for lost in (
        shards[1] / "sums.parquet",
        shards[1] / "attended.parquet",
        own / "overlaps.parquet",
        own / "evidence.parquet",
    ):
        lost.unlink()
    jobs = planned(run_snakemake(*plan, config=config).stdout)
    assert jobs == {"dissect_shard": 1, "gather_dissection": 1, "total": 2}


def test_a_shard_of_the_scores_that_died_is_looked_at_again_alone(small_config, run_snakemake, tmp_path):
    """The first of three shards and the scores are not there; what the scores are made of is."""
    data, seen = tmp_path / "results/data", tmp_path / "results/activations/scenes/planted"
    said = tmp_path / "results/words/scenes/planted/captions"
    looked, dissected = ("pooled", "images", "tails", "rejected", "maps"), ("sums", "attended")
    explained = ("image_words", "filter_votes")
    sums = [said / "shards" / f"{number}-of-3" / "score_sums.parquet" for number in (1, 2, 3)]
    files = [
        *(data / "scenes" / f"{each}.parquet" for each in ("images", "annotations", "categories")),
        data / "networks/planted/weights.pt",
        data / "vocabularies/captions/vocabulary.parquet",
        *(seen / "shards" / f"{number}-of-3" / f"{kind}.parquet" for number in (1, 2, 3) for kind in looked),
        *(seen / file for file in ("thresholds.parquet", "thresholds.csv", "top_images.parquet")),
        *(seen / "shards" / f"{number}-of-3" / f"{kind}.parquet" for number in (1, 2, 3) for kind in dissected),
        *(seen / f"{each}.parquet" for each in ("overlaps", "evidence")),
        *(said / f"{part}explainer.pt" for part in ("", "null/")),
        *(said / f"{part}{each}.parquet" for part in ("", "null/") for each in explained),
        *sums,
    ]
    made(files, begun=1e9)
    (data / "scenes/pictures").mkdir()
    os.utime(data / "scenes/pictures", (1e9, 1e9))
    sums[0].unlink()
    target = (said / "sanity.parquet").relative_to(tmp_path)
    plan = ("--dry-run", "--quiet", "rules", "--cores", 1, "--rerun-triggers", "mtime", "--", target)
    config = small_config({"shards": 3})
    for entry in config["explanations"]:
        entry.pop("clip", None)
    jobs = planned(run_snakemake(*plan, config=config).stdout)
    assert jobs == {"score_shard": 1, "gather_scores": 1, "total": 2}


def test_layers_of_a_group_are_read_in_one_job_and_named_each(small_config, run_snakemake):
    probes = {"cnn": {"network": "scenes_cnn", "layers": "features.?"}}
    entry = {"dataset": "scenes", "probe": "cnn", "vocabulary": "captions"}
    config = small_config({"probes": probes, "explanations": [entry], "shards": 2}) | {"pictures": [], "defects": []}
    done = run_snakemake("words", "--dry-run", "--quiet", "rules", config=config)
    (said,) = re.findall(r"^probes.cnn: features.\? stands for (.*)$", done.stdout, re.MULTILINE)
    layers = said.split(", ")
    jobs = planned(done.stdout)
    assert len(layers) > 2
    assert jobs["extract_activations_cnn"] == 2
    assert "extract_activations" not in jobs
    for rule in ("gather_dissection", "explain_filters", "gather_scores", "tabulate_words", "render_sheets"):
        assert jobs[rule] == len(layers), rule
    assert jobs["gather_thresholds"] == jobs["gather_untrained_thresholds"] == len(layers)
    assert (jobs["extract_untrained_activations_cnn"], jobs["score_random_network_cnn"]) == (2, 1)
    assert jobs["dissect_shard"] == jobs["dissect_untrained_shard"] == jobs["score_shard"] == 2 * len(layers)


def test_the_grid_of_actcoolr_is_independent_jobs(repository, plan_of):
    entries = yaml.safe_load((repository / "studies" / "actcoolr.yaml").read_text())["temperature"]
    jobs = plan_of("actcoolr")
    trained = {
        (entry["network"], entry["samples"], schedule, seed)
        for entry in [*entries["duels"], *entries["starts"]]
        for schedule in entry["schedules"]
        for seed in entry.get("seeds", [0])
    }
    assert jobs["train_with_schedule"] == len(trained)
    tuned = {each[:3] for each in trained if "search" in entries["schedules"][each[2]]}
    tuned |= {
        tuple(entry[key] for key in ("network", "samples", "schedule"))
        for entry in entries["ranges"]
        if "search" in entries["schedules"][entry["schedule"]]
    }
    assert jobs["tune_schedule"] == len(tuned)
    assert jobs["analyse_learning_rates"] == len(entries["ranges"])
    assert "prepare_scenes" not in jobs


def test_visual_genome_study_downloads_three_archives_and_compares_where_asked(
    repository, default_config, run_snakemake, plan_of, tmp_path
):
    study = yaml.safe_load((repository / "studies" / "visual_genome.yaml").read_text())
    arguments = ("--dry-run", "--quiet", "rules")
    jobs = plan_of("visual_genome")
    for name in ("download_visual_genome", "download_visual_genome_images", "unpack_visual_genome"):
        assert jobs[name] == 1
    assert jobs["prepare_visual_genome"] == 1
    assert "compare_categories" not in jobs
    (tmp_path / "theirs.txt").write_text("tree\n")
    (tmp_path / "local").mkdir()
    local = {"folder": str(tmp_path / "local"), "compare_with": str(tmp_path / "theirs.txt")}
    config = default_config(study)
    config["datasets"]["visual_genome"] |= local
    jobs = planned(run_snakemake(*arguments, config=config).stdout)
    assert jobs["prepare_visual_genome"] == jobs["compare_categories"] == 1
    assert not [name for name in jobs if name.startswith(("download_visual", "unpack"))]


@pytest.mark.parametrize(
    ("study", "recalls", "rule", "other", "defects"),
    [
        ("reproduction", 5, "gather_defects", "tabulate_defects", 3),  # it is cut into shards
        ("mini", 2, "tabulate_defects", "gather_defects", 1),
    ],
)
def test_reproduction_sets_every_experiment_beside_the_published_one(study, recalls, rule, other, defects, plan_of):
    jobs = plan_of(study, "reproduction")
    for single in ("tabulate_datasets", "tabulate_recall", "render_recall", "summarise_reproduction"):
        assert jobs[single] == 1
    assert jobs["tabulate_scores"] == recalls
    assert jobs[rule] == defects
    assert other not in jobs
    assert "render_sheets" not in jobs


def test_target_of_one_room_leaves_the_later_ones_out(plan_of):
    jobs = plan_of(None, "activations")
    assert "mine_top_images" in jobs
    assert "train_explainer" not in jobs


def test_facets_are_planned_for_class_folders(default_config, run_snakemake, tmp_path):
    """No masks, no explanations: a folder per class and a network are enough."""
    for name in ("pepper", "theatre"):
        (tmp_path / "classes" / name).mkdir(parents=True)
    entry = {"dataset": "classes", "probe": "planted", "classes": {"pepper": 0, "theatre": 1}, "recipe": "mean"}
    sections = ("explanations", "defects", "pictures", "senses", "strongest_filters", "occlusions")
    config = default_config() | {section: [] for section in sections} | {"facets": [entry]}
    config["datasets"]["classes"] = {"source": "folder", "folder": str(tmp_path / "classes"), "reference": "scenes"}
    arguments = ("pictures", "--dry-run", "--quiet", "rules")
    jobs = planned(run_snakemake(*arguments, config=config).stdout)
    rules = ("prepare_folder", "embed_facets", "average_facets", "render_facets", "draw_facets", "score_pictures")
    assert [jobs.get(rule) for rule in rules] == [1] * 6
    assert not {"extract_activations", "name_facets"} & set(jobs)
    config["explanations"] = [{"dataset": "classes", "probe": "planted", "vocabulary": "captions"}]
    assert planned(run_snakemake(*arguments, config=config).stdout)["name_facets"] == 1
    config["facets"][0]["probe"] = "planed"
    said = run_snakemake(*arguments, config=config, check=False).stdout
    assert "facets[0].probe is 'planed', which probes does not define; did you mean planted" in said


def test_facets_are_named_by_explainers_of_several_layers(default_config, run_snakemake):
    """Those that nothing else asks for are made in the vocabulary of the own probe, and the atlas shows the words."""
    sections = ("defects", "pictures", "senses", "strongest_filters", "occlusions")
    config = default_config() | {section: [] for section in sections}
    config["explanations"] = [{"dataset": "scenes", "probe": "cnn_units", "vocabulary": "captions"}]
    assert config["facets"][0]["words"] == ["cnn_early", "cnn_last"]
    jobs = planned(run_snakemake("pictures", "--dry-run", "--quiet", "rules", config=config).stdout)
    assert (jobs["name_facets"], jobs["train_explainer"]) == (1, 2), "of the layers, not of the units"
    said = run_snakemake("results/report/atlas", "--dry-run", config=config).stdout
    assert "facets/facet_words.parquet" in said[said.index("Rendering the atlas") :].splitlines()[1]


def test_summary_of_several_networks_that_draw_the_same_classes_leads_to_their_comparison(plan_of):
    jobs = plan_of("facets_mini", "summarise_study")
    assert (jobs["score_pictures"], jobs["compare_networks"]) == (3, 1)
    assert "compare_networks" not in plan_of(None, "summarise_study")  # one network draws there


def test_rule_graph_is_drawn(run_snakemake):
    done = run_snakemake("--rulegraph")
    assert "digraph" in done.stdout
    assert 'label = "extract_activations"' in done.stdout.replace("label=", "label = ")


def test_study_that_asks_for_pictures_only_makes_nothing_else(run_snakemake, tmp_path):
    study = tmp_path / "own.yaml"
    entry = {"dataset": "scenes", "probe": "planted", "recipe": "fourier", "filters": [0]}
    study.write_text(yaml.safe_dump({"pictures": [entry]}))
    jobs = planned(run_snakemake("--dry-run", "--quiet", "rules", "--configfile", study).stdout)
    assert jobs["maximise_activations"] == 1
    assert not {"train_explainer", "embed_facets", "measure_occlusion", "train_scenes_network"} & set(jobs)


PICTURED = {"dataset": "scenes", "probe": "cnn_units", "filters": [0]}


@pytest.mark.parametrize(
    ("pictures", "taken"),
    [
        ([], {}),
        (
            [
                {**PICTURED, "recipe": "maco"},
                {**PICTURED, "recipe": "mean"},
                {**PICTURED, "recipe": "maco", "probe": "cnn_last"},
            ],
            {"scenes/cnn_units/captions": ["scenes/cnn_units/maco", "scenes/cnn_units/mean"]},
        ),
        (
            [{**PICTURED, "recipe": "maco", "dataset": "album"}],
            {"album/cnn_units/captions": ["album/cnn_units/maco"]},
        ),
    ],
)
def test_names_take_the_words_of_the_pictures_that_their_vocabulary_names(
    pictures, taken, default_config, run_snakemake, tmp_path
):
    """Of their own probe and dataset, with masks or without; a second vocabulary names no pictures."""
    (tmp_path / "album").mkdir()
    config = default_config() | {section: [] for section in ("defects", "facets", "strongest_filters", "occlusions")}
    config["datasets"]["album"] = {"source": "folder", "folder": str(tmp_path / "album"), "reference": "scenes"}
    config["vocabularies"]["others"] = config["vocabularies"]["captions"]
    explained = ["scenes/cnn_units/captions", "scenes/cnn_units/others", "album/cnn_units/captions"]
    entries = [dict(zip(("dataset", "probe", "vocabulary"), each.split("/"), strict=True)) for each in explained]
    config |= {"pictures": pictures, "explanations": entries}
    said = run_snakemake(*(f"results/words/{each}/sheets" for each in explained), "--dry-run", config=config).stdout
    jobs = re.findall(r"Tabulating the words of .*\n\s*Reason: Missing output files: (.*); Input files .*: (.*)", said)
    assert len(jobs) == len(explained)
    for missing, inputs in jobs:
        (folder,) = set(re.findall(r"results/words/(\S+)/filter_names\.parquet", missing))
        recipes = re.findall(r"results/pictures/(\S+)/picture_words\.parquet", inputs)
        assert sorted(recipes) == taken.get(folder, [])
    assert planned(said).get("name_pictures", 0) == sum(map(len, taken.values()))


def test_a_plan_runs_no_factory(run_snakemake, tmp_path):
    """What its file does when it is imported, the jobs do that build the network, and nothing else."""
    (tmp_path / "mine.py").write_text("from pathlib import Path\n\nPath('sprung').touch()\n")
    study = {
        "networks": {"mine": {"source": "factory", "factory": "mine.py:build"}},
        "probes": {"own": {"network": "mine", "layer": "features"}},
        "explanations": [{"dataset": "scenes", "probe": "own", "vocabulary": "captions"}],
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(study))
    jobs = planned(run_snakemake("--dry-run", "--quiet", "rules", "--configfile", tmp_path / "own.yaml").stdout)
    assert jobs["extract_activations"] == 1
    assert not (tmp_path / "sprung").exists()


def test_a_config_builds_no_objects(run_snakemake, tmp_path):
    (tmp_path / "own.yaml").write_text("title: !!python/object/apply:os.mkdir [sprung]\n")
    said = run_snakemake("--dry-run", "--configfile", tmp_path / "own.yaml", check=False)
    assert said.returncode
    assert "Config file is not valid" in said.stdout
    assert not (tmp_path / "sprung").exists()
