"""`filterscope check`: mistakes in plain sentences, and what a plan would download, take and fill."""

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

from filterscope.__main__ import main
from filterscope.commands import check, costs, findings, studies
from filterscope.data.web import official

BASE = {
    "datasets": {"album": {"source": "folder", "folder": "album", "reference": "scenes"}},
    "networks": {"own": {"source": "factory", "factory": "own.py:build", "input": {"resize": 32, "crop": 32}}},
    "probes": {"deep": {"network": "own", "layer": "3"}},
    "explanations": [{"dataset": "album", "probe": "deep", "vocabulary": "captions"}],
}


def changed(*keys, value):
    """BASE with a value set below these keys."""
    study = yaml.safe_load(yaml.safe_dump(BASE))
    place = study
    for key in keys[:-1]:
        place = place.setdefault(key, {})
    place[keys[-1]] = value
    return study


@pytest.mark.parametrize(
    ("study", "said"),
    [
        (changed("words", "top_image", value=3), "words.top_image is not known; did you mean top_images"),
        (changed("probes", "deep", "network", value="owm"), "probes.deep.network is 'owm', which networks does not"),
        (changed("seed", value="zero"), "seed is 'zero'"),
        (changed("networks", value=["own"]), "networks"),
        (changed("datasets", "album", "folder", value="albun"), "'albun': there is no such folder; should be a folder"),
        (changed("datasets", "album", "folder", value="own.py"), "'own.py': it is a file; should be a folder"),
        (changed("datasets", "album", "folder", value="empty"), "datasets.album.folder: empty: no picture in it"),
        (changed("datasets", "c", value={"source": "coco", "folder": "album"}), "where train2017 and val2017 and ann"),
        (
            changed("vocabularies", "g", value={"source": "glove", "file": "g.zip", "member": "g.txt"}),
            "vocabularies.g.file is 'g.zip': there is no such file",
        ),
        (changed("networks", "own", "factory", value="gone.py:build"), "networks.own.factory is 'gone.py': there is"),
        (changed("networks", "own", "factory", value="own.py:broken"), "networks.own cannot be built (KeyError"),
        (
            changed("networks", "own", value={"source": "torchvision", "architecture": "resnet19"}),
            "networks.own: 'resnet19' is no architecture of torchvision; did you mean resnet18",
        ),
        (changed("max_memory", value=0.0005), "probes.deep: probe deep, layer "),
        (
            changed("max_memory", value=0.0005),
            "allows 0.0005 GB. 1.2 GB are Python's, its libraries' and of what is under way; most of the rest: ",
        ),
        (
            changed("probes", "deep", "layer", value="33"),
            "probes.deep.layer: the network has no layer '33'; the nearest",
        ),
        (
            changed("networks", "own", "factory", value="own.py:Shared")
            | {"probes": {"deep": {"network": "own", "layers": ["one", "other"]}}},
            "probes.deep.layers: layers 'one' and 'other' are the same use of a module: name it once",
        ),
    ],
)
def test_what_is_wrong_is_said_with_key_found_and_right(here, capsys, study, said):
    (here / "empty").mkdir()
    (here / "my.yaml").write_text(yaml.safe_dump(study))
    assert main(["check", "my.yaml"]) == 1
    out, error = capsys.readouterr()
    assert out.startswith("my.yaml: ")
    assert "to put right:" in out
    assert said in out
    assert error == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "my.yaml: there is no such study; there is mine.yaml"),
        ("", "my.yaml: is empty; should be a study"),
        ("- a\n- b\n", "my.yaml: holds a list; should be keys and values"),
        ("title: [a\n", "is not YAML"),
        ("a: 1\nb: a: 2\n", "my.yaml, line 2, column 5: is not YAML (mapping values are not allowed here)"),
        (b"title: \xff\n", "my.yaml: is no text in UTF-8"),
    ],
)
def test_files_that_are_no_studies(here, capsys, text, said):
    (here / "mine.yaml").touch()
    if text is not None:
        (here / "my.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["check", "my.yaml"]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_is_no_study(here, capsys):
    assert main(["check", "album"]) == 2
    assert "album: cannot be read (Is a directory)" in capsys.readouterr().err


def test_a_right_study_has_no_findings_and_its_layer_is_counted(here):
    found = findings.look(studies.checked(BASE))
    assert found.mistakes == []
    assert found.layers["deep"] == costs.Layer(8, 4 * 27 * 16**2 + 8 * 36 * 8**2, 8 * 8**2)


def test_studies_are_merged_as_snakemake_merges_them(repository):
    study = studies.read(repository / "studies" / "mini.yaml")
    assert study.mistakes == []
    assert study.config["words"]["per_image"] == 20  # of config.yaml
    assert study.config["pictures"] == [] or "pictures" in study.own  # of the embedded study only
    assert studies.read(None).own == {}
    assert studies.read(None).config["pictures"]


# --- what it would cost ---------------------------------------------------------------------------------

COCO = {
    "datasets": {
        "coco": {"source": "coco"},
        "album": {"source": "folder", "folder": "album", "reference": "coco"},
    },
    "vocabularies": {"glove": {"source": "glove", "member": "glove.6B.300d.txt"}},
    "networks": {"net": {"source": "torchvision", "architecture": "squeezenet1_1"}},
    "probes": {"deep": {"network": "net", "layer": "features"}},
    "explanations": [{"dataset": "coco", "probe": "deep", "vocabulary": "glove"}],
}
JOBS = [
    ("download_coco_annotations", {"dataset": "coco"}),
    ("download_coco_train", {"dataset": "coco"}),
    ("download_coco_val", {"dataset": "coco"}),
    ("unpack_coco", {"dataset": "coco"}),
    ("download_glove", {"vocabulary": "glove"}),
    ("prepare_network", {"network": "net"}),
    ("extract_activations", {"dataset": "coco", "probe": "deep", "scatteritem": "1-of-1"}),
    ("summarise_study", {}),
]


@pytest.fixture
def coco(here, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(here / "torch"))
    study = studies.checked(COCO)
    assert study.mistakes == []
    return study


def test_downloads_have_the_sizes_of_the_sources_own_tables(coco, here):
    found = costs.downloads(coco.config, JOBS)
    sizes = {each.what: each.bytes for each in found}
    assert sizes.pop("weights of squeezenet1_1") == pytest.approx(4.7e6, rel=0.1)
    assert sizes == {name: archive.size for name, archive in official.ARCHIVES.items()}
    assert found[0].what == "train2017.zip"  # the largest comes first
    cache = here / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "squeezenet1_1-b8a52dc0.pth").touch()
    assert "weights of squeezenet1_1" not in {each.what for each in costs.downloads(coco.config, JOBS)}


def test_samples_whose_size_nobody_says_are_of_unknown_size():
    study = studies.checked({"samples": {"a": {"source": "mnist"}, "b": {"source": "torchvision", "dataset": "SVHN"}}})
    found = costs.downloads(study.config, [("download_samples", {"samples": each}) for each in ("a", "b")])
    assert [str(each) for each in found] == ["samples a, 11.6 MB", "samples b, of unknown size"]


def test_time_is_guessed_by_photographs_network_and_cores(coco):
    def seconds(cores, layers=None, jobs=JOBS):
        return costs.time(coco.config, jobs, Path("results"), cores, layers).seconds

    picture, forward = costs.PICTURE, costs.FORWARD
    others = 0.005 + 0.001  # of every photograph: what becomes of its maps, and to unpack it
    size = {"cells": costs.CELLS}
    assert seconds(1) == pytest.approx(123_287 * (picture + forward + others), rel=0.01)
    twice = {"deep": costs.Layer(512, 2 * costs.RESNET50, **size)}
    assert seconds(1, twice) == pytest.approx(123_287 * (picture + 2 * forward + others), rel=0.01)
    small = {"deep": costs.Layer(512, 1e6, **size)}
    assert seconds(1, small) == pytest.approx(123_287 * (picture + others), rel=0.02)
    assert seconds(8) == pytest.approx(123_287 * (picture + forward + 0.005), rel=0.01)  # threads: 1: the longest job
    assert seconds(1, jobs=JOBS[-1:]) == costs.OTHERS + costs.START
    assert "within a factor of three at best" in costs.time(coco.config, JOBS, Path("results"), 1).basis


@pytest.mark.parametrize(
    ("rule", "photographs", "own", "kept", "looking"),
    [
        ("dissect_filters", 1000, 0.025, 0, 1),
        ("score_words", 200, 0.03, 0, 1),
        ("score_shard", 200, 0.03, 0, 1),
        ("extract_activations", 1200, 0.005, 1, 1),
    ],
)
def test_who_finds_kept_maps_does_not_look_again(coco, monkeypatch, rule, photographs, own, kept, looking):
    """The formula, not the time: seconds for maps by their cells, and looks by the network, where maps are not kept."""
    monkeypatch.setattr(costs, "photographs", lambda entry: costs.Photographs(1000, 200, 7.3))
    layer = costs.Layer(512, 2 * costs.RESNET50, costs.CELLS // 2)

    def seconds(gigabytes):
        coco.config["activations"]["kept"] = gigabytes
        jobs = [(rule, {"dataset": "coco", "probe": "deep"})]
        told = costs.time(coco.config, jobs, Path("results"), 1, {"deep": layer}).seconds
        return told - costs.SECONDS[rule] - costs.START

    maps, whole = photographs * own / 2, 1200 * costs.CELLS / 2 * 4 / 1e9
    look = costs.PICTURE + 2 * costs.FORWARD
    expected = [maps + photographs * looks * look for looks in (kept, looking)]
    assert seconds(whole) == pytest.approx(expected[0])
    assert seconds(0) == pytest.approx(expected[1])
    # Where only the scored photographs' maps fit, only who needs no others finds them.
    fits = costs.PER_PHOTOGRAPH[rule][0] == costs.EXPLAINED
    assert seconds(0.99 * whole) == pytest.approx(expected[0] if fits else expected[1])


@pytest.mark.parametrize(
    ("rule", "shards", "photographs"),
    [
        ("explain_filters", 1, 200),
        ("explain_photographs", 1, 200),
        ("score_random_network", 1, 1200),
        ("score_random_network", 3, 1200),
        ("dissect_shard", 3, 1000),
        ("dissect_untrained_shard", 3, 1000),
    ],
)
def test_who_finds_no_kept_maps_looks_once_more(coco, monkeypatch, rule, shards, photographs):
    monkeypatch.setattr(costs, "photographs", lambda entry: costs.Photographs(1000, 200, 7.3))
    layer = costs.Layer(512, 2 * costs.RESNET50, costs.CELLS // 2)
    names = {"dataset": "coco", "probe": "deep", "vocabulary": next(iter(coco.config["vocabularies"]))}

    def seconds(kept, parts=shards):
        coco.config["activations"]["kept"], coco.config["shards"] = kept, parts
        return costs.time(coco.config, [(rule, names)], Path("results"), 1, {"deep": layer}).seconds

    look = photographs * (costs.PICTURE + 2 * costs.FORWARD)
    assert seconds(0) - seconds(100) == pytest.approx(look)
    # In shards others have looked before.
    before = look if rule == "score_random_network" else 0
    assert seconds(100, 1) - seconds(100, 3) == pytest.approx(before)


def test_finished_jobs_here_are_the_better_guess(coco, here):
    folder = here / "results" / "benchmarks" / "extract_activations" / "scenes" / "deep"
    folder.mkdir(parents=True)
    for name, seconds in (("a", 10), ("b", 30)):
        (folder / f"{name}.tsv").write_text(f"s\th:m:s\tcpu_time\n{seconds}\t0\t{seconds}\n")
    (folder / "c.tsv").write_text("s\th:m:s\tcpu_time\n0.1\t0\tNA\n")
    found = costs.time(coco.config, JOBS[-2:], Path("results"), 1)
    assert found.seconds == 20 + costs.OTHERS + 2 * costs.START
    assert found.basis.startswith("1 of 2 jobs as long as finished jobs of their rules here; the others as in")
    assert "others" not in costs.time(coco.config, JOBS[-2:-1], Path("results"), 1).basis


def embedded_jobs():
    """Jobs of the embedded study: rule and wildcards, and the CPU seconds of Snakemake's benchmarks, as `costs` reads
    them. Two cores, no GPU; 4 min 47 s for all of it."""
    with (Path(__file__).parent / "embedded_seconds.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            names = {key: row[key] for key in ("dataset", "probe", "vocabulary", "scatteritem") if row[key]}
            yield row["rule"], names, max(float(row["cpu_time"]), 0.3 * float(row["s"]))


def told(jobs, config, cores=1):
    return costs.time(config, jobs, Path("results"), cores).seconds


def test_what_is_told_of_the_embedded_study_is_what_it_took(here):
    """Every rule that takes more than three seconds within a factor of 2.5, the whole within 1.25. Jobs of less than
    half a second are hardly seen by the benchmarks, so rules of nothing but these are not held to it."""
    config = studies.read(None).config
    jobs = list(embedded_jobs())
    took, guessed = Counter(), Counter()
    for rule, names, seconds in jobs:
        took[rule] += seconds
        guessed[rule] += told([(rule, names)], config) - costs.START
    wrong = {rule: (took[rule], guessed[rule]) for rule in took if took[rule] > 3}
    wrong = {rule: pair for rule, pair in wrong.items() if not 1 / 2.5 < pair[1] / pair[0] < 2.5}
    assert wrong == {}
    assert guessed.total() == pytest.approx(took.total(), rel=0.25)
    assert told([job[:2] for job in jobs], config, cores=2) == pytest.approx(287, rel=0.25)


# CPU seconds of 294 training and 188 scored photographs of COCO by ResNet-50 `layer4`, 21,135 words, 30 epochs
# (benchmarks/photographs.csv and measured.md).
PHOTOGRAPHS = {
    "extract_activations": 20,
    "extract_answers": 80,
    "dissect_filters": 12,
    "train_explainer": 34,  # two, each in 15 besides its start
    "explain_filters": 16,
    "score_words": 12.5,
    "score_random_network": 63,
}


def test_what_is_told_of_photographs_is_what_they_took(coco, monkeypatch):
    """Every rule within a factor of 2, all of them together within 1.3."""
    monkeypatch.setattr(costs, "photographs", lambda entry: costs.Photographs(294, 188, 7.3))
    coco.config["vocabularies"]["glove"]["limit"] = 21_135
    layers = {"deep": costs.Layer(2048, costs.RESNET50)}
    names = {"dataset": "coco", "probe": "deep", "vocabulary": "glove"}
    guessed = {
        rule: costs.time(coco.config, [(rule, names)], Path("results"), 1, layers).seconds - costs.START
        for rule in PHOTOGRAPHS
    }
    wrong = {rule: pair for rule, pair in guessed.items() if not 0.5 < pair / PHOTOGRAPHS[rule] < 2}
    assert wrong == {}
    assert sum(guessed.values()) == pytest.approx(sum(PHOTOGRAPHS.values()), rel=0.3)


def test_layers_that_share_a_pass_share_its_time(coco):
    names = {"dataset": "coco", "probe": "deep", "scatteritem": "1-of-1"}
    layers = {"deep": costs.Layer(512, costs.RESNET50)}
    apart, shared = (
        costs.time(coco.config, [("extract_activations", own)], Path("results"), 1, layers).seconds
        for own in (names, {**names, costs.SHARED: "4"})
    )
    assert 0.25 * apart < shared < 0.4 * apart  # what becomes of the maps is every layer's own


def test_a_guess_of_photographs_is_said(coco):
    coco.config["datasets"]["album"]["folder"] = "gone"
    found = costs.time(coco.config, [("prepare_folder", {"dataset": "album"})], Path("results"), 1)
    assert "datasets.album: 10,000 photographs are a guess, as its folder cannot be looked into" in found.basis
    assert "a guess, as" not in costs.time(coco.config, JOBS, Path("results"), 1).basis


def test_disk_holds_archives_twice_and_activations_of_all_objects(coco):
    loads = costs.downloads(coco.config, JOBS)
    layers = {"deep": costs.Layer(512, 1e9)}
    found = costs.disk(coco.config, JOBS, loads, layers)
    archives = sum(each.bytes for each in loads)
    pooled = 4 * 512 * (123_287 * 7.3 + 4 * 118_287 * 7.3 + 2 * 123_287)
    assert found.bytes == pytest.approx(2 * archives + pooled, rel=0.01)
    assert found.basis.startswith("archives and what is unpacked of them and activations")
    twice = costs.disk(coco.config, JOBS, loads, {"deep": costs.Layer(1024, 1e9)})
    assert twice.bytes - found.bytes == pytest.approx(pooled, rel=0.01)


@pytest.mark.parametrize(
    ("count", "said"), [(21_400_000_000, "21.4 GB"), (4.7e6, "4.7 MB"), (1, "1 kB"), (3e12, "3.0 TB")]
)
def test_sizes(count, said):
    assert costs.size(count) == said


def test_the_report_tells_of_rooms_downloads_time_and_disk(coco):
    told = check.told(coco, check.Plan(jobs=[*JOBS, ("all", {})]), 4, {})
    assert told[0] == "config.yaml: nothing is wrong with it (Scenes)."
    assert told[1] == "8 jobs would run:"
    assert [line.split()[:2] for line in told[2:5]] == [["data", "6"], ["activations", "1"], ["report", "1"]]
    text = "\n".join(told)
    assert "To be downloaded: 21.3 GB" in text
    assert "  glove.6B.zip, 862.2 MB" in text
    assert "on 4 cores without a GPU, downloads aside" in text
    assert "are free here" in text
    assert check.told(coco, check.Plan(), 4, {})[1].startswith("Nothing would run: all results are there.")


def test_downloads_of_unknown_size_are_not_called_small(coco, monkeypatch):
    unknown = [costs.Download("weights of vit_tiny", None)]
    monkeypatch.setattr(check.costs, "downloads", lambda *_: unknown)
    text = "\n".join(check.told(coco, check.Plan(jobs=JOBS), 4, {}))
    assert "To be downloaded: nobody says how much\n  weights of vit_tiny, of unknown size" in text
    assert "0 kB" not in text


def test_what_snakemake_cannot_plan_is_said(here, capsys, monkeypatch):
    (here / "my.yaml").write_text(yaml.safe_dump(BASE))
    monkeypatch.setattr(check, "planned", lambda study: check.Plan(errors=["MissingInputException: gone.txt"]))
    assert main(["check", "my.yaml"]) == 1
    assert capsys.readouterr().out == "my.yaml: Snakemake cannot plan it:\nMissingInputException: gone.txt\n"
