"""A Caffe network is a network like any other: its weights come in, its layers are read, its changes are noticed."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import torch

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(1800)]

PROTOTXT = """
input: "data" input_dim: 1 input_dim: 3 input_dim: 64 input_dim: 64
layer { name: "conv/1" type: "Convolution" bottom: "data" top: "a"
  convolution_param { num_output: 5 kernel_size: 3 stride: 2 } }
layer { name: "relu/1" type: "ReLU" bottom: "a" top: "a" }
layer { name: "fc" type: "InnerProduct" bottom: "a" top: "fc" inner_product_param { num_output: 4 } }
"""
THRESHOLDS = "results/activations/scenes/caffe/thresholds.csv"


@pytest.fixture
def config(small_config, tmp_path, write_caffemodel):
    random = np.random.default_rng(0)
    (tmp_path / "deploy.prototxt").write_text(PROTOTXT)
    blobs = {"conv/1": [random.normal(size=(5, 3, 3, 3)), np.zeros(5)]}
    blobs["fc"] = [random.normal(size=(4, 5 * 31 * 31)), np.zeros(4)]
    write_caffemodel(tmp_path / "net.caffemodel", blobs)
    files = {"prototxt": "deploy.prototxt", "caffemodel": "net.caffemodel"}
    network = {"source": "caffe", **files, "input": {"resize": 64, "crop": 64}}
    probe = {"network": "caffe", "layer": "conv/1"}
    return small_config({"networks": {"caffe": network}, "probes": {"caffe": probe}})


def test_a_caffe_network_is_read_and_its_changes_are_noticed(config, run_snakemake, tmp_path):
    run_snakemake("--cores", 2, THRESHOLDS, config=config)
    state = torch.load(tmp_path / "results/data/networks/caffe/weights.pt", weights_only=True)
    assert set(state) == {"conv/1.weight", "conv/1.bias", "fc.weight", "fc.bias"}
    assert len(pd.read_csv(tmp_path / THRESHOLDS)) == 5

    def planned() -> set[str]:
        said = run_snakemake(THRESHOLDS, "--dry-run", "--quiet", "rules", config=config).stdout
        return set(re.findall(r"^([a-z_]+) +\d+$", said, re.MULTILINE)) - {"total"}

    assert not planned()
    path = tmp_path / "deploy.prototxt"
    path.write_text(PROTOTXT.replace("stride: 2", "stride: 2 pad: 0"))
    assert planned() >= {"prepare_network", "extract_activations", "gather_thresholds"}
