"""Checks a config, and tells the lines of the complaint about one."""

from __future__ import annotations

import pytest

import configuration


@pytest.fixture(scope="session")
def path_to_schema(repository):
    return repository / "rules" / "config.schema.yaml"


@pytest.fixture
def check(path_to_schema):
    def check(config):
        configuration.check(config, path_to_schema)
        return config

    return check


@pytest.fixture
def mistakes(check):
    """The lines of the complaint about a config."""

    def mistakes(config):
        with pytest.raises(configuration.ConfigError) as error:
            check(config)
        return [line.removeprefix("  - ") for line in str(error.value).splitlines()[1:]]

    return mistakes
