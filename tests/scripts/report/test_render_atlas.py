"""note_places and render_atlas: from a study's tables to a folder that a browser opens; the command does the same."""

import hashlib
import json

import pytest
from tests.synthetic_study import Synthetic, received

from filterscope.__main__ import main
from filterscope.report.atlas.places import PLACES
from report.note_places import note_places
from report.render_atlas import render_atlas


@pytest.fixture
def results(tmp_path):
    """Results whose places are noted by the script."""
    results = Synthetic(drawn=True).write(tmp_path / "results")
    places = json.loads((results / PLACES).read_text())
    seen = [layer.pop("view") for layer in places["layers"]]
    networks = {
        layer["network"]: {"source": "scenes_cnn", "dataset": "scenes", "input": view}
        for layer, view in zip(places["layers"], seen, strict=True)
    }
    note_places({**places, "title": "Noted “here”"}, networks, results / PLACES)
    return results


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_folder_is_made_from_what_was_noted(results):
    atlas = results / "report/atlas"
    render_atlas(results / PLACES, atlas, threads=1)
    assert received(atlas / "data/study.js")[1]["title"] == "Noted “here”"
    assert "Noted “here” · filter atlas" in (atlas / "index.html").read_text()
    before = digests(atlas)
    render_atlas(results / PLACES, atlas, threads=2)
    assert digests(atlas) == before


def test_the_command_makes_it_anew_elsewhere(results, tmp_path, capsys):
    render_atlas(results / PLACES, results / "report/atlas", threads=1)
    arguments = ["atlas", str(results), "--out", str(tmp_path / "copy"), "--threads", "1"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out == f"Open {tmp_path / 'copy' / 'index.html'} in a browser.\n"
    assert "layer 1 of 1" in said.err
    ours, copied = digests(results / "report/atlas"), digests(tmp_path / "copy")
    assert {name for name in ours if ours[name] != copied.get(name)} == {"data/study.js"}  # links lead nowhere there
    assert main([*arguments, "--pictures", "none", "--filters", "4,5"]) == 0
    assert not (tmp_path / "copy/photographs").exists()
    assert received(tmp_path / "copy/data/study.js")[1]["layers"][0]["shown"] == 2
    other = Synthetic(title="Before").write(tmp_path / "before/results")
    assert main([*arguments, "--beside", str(other)]) == 0
    study = received(tmp_path / "copy/data/study.js")[1]
    assert (study["beside"]["label"], [each["study"] for each in study["layers"]]) == ("Before", [0, 1])


def test_the_command_says_what_is_wrong(results, tmp_path, capsys):
    assert main(["atlas", str(tmp_path), "--out", str(tmp_path / "copy")]) == 2
    assert "report/atlas_places.json: the file is missing" in capsys.readouterr().err
    assert main(["atlas", str(results), "--out", str(tmp_path / "copy"), "--filters", "some"]) == 2
    assert "--filters is 'some', should be all, named or channels such as 0,5,12" in capsys.readouterr().err
    assert main(["atlas", str(results), "--out", str(tmp_path)]) == 2
    assert "holds something else than an atlas" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["atlas", str(results)])


def test_pictures_are_seen_as_the_network_s_weights_say_where_the_study_does_not(results):
    """A study that says nothing of `input:` has no sizes in its config."""
    nothing = dict.fromkeys(("resize", "crop", "mean", "std"))
    entry = {"source": "torchvision", "architecture": "efficientnet_v2_s", "weights": "IMAGENET1K_V1", "input": nothing}
    places = json.loads((results / PLACES).read_text())
    note_places({**places, "layers": places["layers"][:1]}, {"network": entry}, results / PLACES)
    (layer,) = json.loads((results / PLACES).read_text())["layers"]
    assert layer["view"] == {"resize": 384, "crop": 384}
