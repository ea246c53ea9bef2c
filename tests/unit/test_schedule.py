"""The simulation of a study on several nodes (benchmarks/schedule.py) has the known answers of small DAGs."""

from __future__ import annotations

import importlib.util

import pytest
import yaml


@pytest.fixture(scope="module")
def schedule(repository):
    specification = importlib.util.spec_from_file_location("schedule", repository / "benchmarks/schedule.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


CHAIN = {"b": {"a"}, "c": {"b"}}
FAN = {f"part{number}": {"begin"} for number in range(8)} | {"end": {f"part{number}" for number in range(8)}}


def test_a_chain_gains_nothing_by_nodes(schedule):
    seconds = dict.fromkeys("abc", 10.0)
    for nodes in (1, 8):
        assert schedule.makespan(seconds, CHAIN, set(), nodes, overhead=5.0) == 45.0
    assert schedule.makespan(seconds, CHAIN, {"c"}, 1, overhead=5.0) == 40.0  # where Snakemake runs nothing is queued


@pytest.mark.parametrize(("nodes", "takes"), [(1, 100.0), (2, 60.0), (4, 40.0), (8, 30.0), (64, 30.0)])
def test_a_fan_is_shared_out(schedule, nodes, takes):
    seconds = dict.fromkeys(["begin", *FAN], 10.0)
    assert schedule.makespan(seconds, FAN, set(), nodes, overhead=0.0) == takes


def test_the_longest_chain_begins_first(schedule):
    seconds = {"short": 4.0, "first": 1.0, "then": 9.0}
    assert schedule.makespan(seconds, {"then": {"first"}}, set(), 1, overhead=0.0) == 14.0
    assert schedule.makespan(seconds, {"then": {"first"}}, set(), 2, overhead=0.0) == 10.0


def test_connected_jobs_of_a_group_are_one(schedule):
    names = {"a": "x", "b": "x", "c": None, "d": "x"}
    numbers = schedule.grouped(names, {"b": ["a"], "c": ["b"], "d": ["c"]})
    assert numbers["a"] == numbers["b"]
    assert len(set(numbers.values())) == 3


@pytest.fixture(scope="module")
def submitted(schedule):
    """Rules of every submitted job of a study: of one probe and these keys."""

    def submitted(config):
        rules, _ = schedule.planned(config)
        return sorted(sorted(names) for names, local in rules.values() if not local)

    return submitted


def test_steps_of_a_small_study_share_jobs_and_those_of_a_large_one_do_not(submitted, own_config, repository):
    """One probe and three shards; COCO's has eight, and a node for each step."""
    entry = {"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}
    small = submitted(own_config({"explanations": [entry], "shards": 3}))
    assert len(small) <= 12
    assert ["gather_scores"] + ["score_shard"] * 3 in small
    assert ["dissect_shard"] * 3 + ["gather_thresholds"] in small
    (untrained,) = [each for each in small if "score_random_network" in each]
    assert untrained.count("extract_untrained_activations") == untrained.count("dissect_untrained_shard") == 3
    whole = submitted(own_config({"explanations": [entry], "shards": 1}))
    assert len(whole) == len(small) - 2  # the other shards of the extraction
    assert ["score_random_network"] in whole
    assert ["dissect_filters", "gather_thresholds"] in whole
    coco = yaml.safe_load((repository / "studies/coco.yaml").read_text())
    large = submitted(own_config(coco | {name: coco[name][:1] for name in ("explanations", "defects")}))
    shared = ("dissect_shard", "dissect_untrained_shard", "extract_untrained_activations", "measure_defects")
    for rule in (*shared, "score_shard"):
        assert large.count([rule]) == 8, rule
    for rule in ("train_explainer", "train_null_explainer", "score_random_network", "gather_scores"):
        assert [rule] in large
    assert ["explain_filters", "mine_top_images"] in large


def test_times_of_a_table_follow_the_dataset_and_are_shared_by_shards(schedule, repository, tmp_path):
    table = tmp_path / "times.csv"
    table.write_text(
        "rule,seconds,pictures,objects\nextract_activations,2,40,1\nexplain_filters,30,0,0\nscore_words,5,4,0\n"
    )
    found = schedule.tabulated(table, pictures=10_000, objects=80_000, shards=8)
    assert found == {"extract_activations": 62.0, "explain_filters": 30.0, "score_words": 45.0}
    table.write_text(
        "rule,seconds,pictures,objects\nscore_random_network,4,60,1\nscore_seen_random_network,4,10,1\ndissect_shard,4,16,0\n"
    )
    cut = schedule.tabulated(table, pictures=10_000, objects=80_000, shards=8)
    assert cut == {"score_random_network": 184.0, "dissect_shard": 24.0}  # others have looked for it
    assert schedule.tabulated(table, 10_000, 80_000, shards=1)["score_random_network"] == 684.0
    known = schedule.tabulated(repository / "benchmarks/photographs.csv", 0, 0, 1)
    rules = "".join(path.read_text() for path in (repository / "rules").rglob("*.smk"))
    assert [rule for rule in known if f"rule {rule}:" not in rules and f" as {rule} with" not in rules] == []
