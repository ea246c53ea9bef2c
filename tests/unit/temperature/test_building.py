"""What tells one network from another: its choice, and what is in the file of the user's function."""

import pytest

from filterscope.temperature.building import Choice


def test_a_definition_follows_the_choice_and_the_file_of_a_factory(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("one")
    mine = Choice(factory=f"{file}:network", arguments={"hidden": 8})
    first = mine.definition
    assert Choice(factory=f"{file}:network", arguments={"hidden": 8}).definition == first
    assert Choice(factory=f"{file}:network", arguments={"hidden": 16}).definition != first
    file.write_text("another")
    assert mine.definition != first


@pytest.mark.parametrize("choice", [Choice(architecture="convnet"), Choice(factory="module:network")])
def test_networks_without_a_file_are_told_by_their_choice(choice):
    assert choice.definition == (repr(choice), None)


def test_an_architecture_or_a_factory():
    for wrong in ({}, {"architecture": "convnet", "factory": "module:network"}):
        with pytest.raises(ValueError, match="either an architecture or a factory"):
            Choice(**wrong)
