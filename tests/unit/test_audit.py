"""The question for known holes of the pins: asked where it can be, never passed over in silence, never in the way."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("pip_audit")


@pytest.fixture(scope="module")
def audit(repository):
    """envs/audit.py, which is no package's."""
    specification = importlib.util.spec_from_file_location("audit", repository / "envs/audit.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def answering(audit, monkeypatch):
    """Has pip-audit answer as it is told to; gives back the command lines."""
    commands = []

    def answer(code=0, out="", err="", late=False):
        def run(command, **_):
            commands.append(command)
            if late:
                raise subprocess.TimeoutExpired(command, 1)
            return subprocess.CompletedProcess(command, code, out, err)

        monkeypatch.setattr(audit, "data_base", lambda: "https://there")
        monkeypatch.setattr(audit, "reaches", lambda address: address == "https://there")
        monkeypatch.setattr(audit.subprocess, "run", run)
        return commands

    return answer


FOUND = "Name Version ID Fix Versions\nurllib3 1.0 CVE-1 2.0\n"


@pytest.mark.parametrize(
    ("answer", "said", "well"),
    [
        ({}, "The pins have no known hole.", True),
        (
            {"code": 1, "out": FOUND},
            "urllib3 1.0 CVE-1 2.0\nPins with a known hole are listed above; `make lock`",
            False,
        ),
        ({"code": 1, "err": "Traceback\nConnectionError: cut"}, "not looked for: pip-audit failed (Connection", False),
        (
            {"code": 1, "out": "some", "err": "Traceback\nKeyError: 1"},
            "pip-audit failed (KeyError: 1). Ask else",
            False,
        ),
        ({"late": True}, "did not answer within 120 s. Ask elsewhere: pip-audit -s osv -r some.lock", False),
    ],
)
def test_what_it_says(audit, answering, answer, said, well):
    commands = answering(**answer)
    told, fine = audit.audit("some.lock")
    assert said in told
    assert fine is well
    (command,) = commands
    assert command[1:3] == ["-m", "pip_audit"]
    assert "osv" in command, "a mirror of the index knows no holes"


def test_where_the_data_base_cannot_be_reached_that_is_said_soon(audit, monkeypatch, capsys):
    with socket.socket() as silent:  # nobody listens at its port
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setattr(audit, "data_base", lambda: f"https://127.0.0.1:{silent.getsockname()[1]}/v1")
        monkeypatch.setattr(audit.urllib.request, "getproxies", dict)
        began = time.monotonic()
        assert audit.main(["some.lock"]) == 0
        assert audit.main(["some.lock", "--strict"]) == 1
    assert time.monotonic() - began < 5
    assert "not looked for: the data base cannot be reached. Ask elsewhere" in capsys.readouterr().out


def test_without_pip_audit_that_is_said(audit, monkeypatch):
    monkeypatch.setattr(audit.importlib.util, "find_spec", lambda name: None)
    assert "pip-audit is not installed" in audit.audit("some.lock")[0]


def test_its_options_and_its_data_base_are_known_to_pip_audit(audit, answering):
    assert audit.data_base().startswith("https://")
    said = subprocess.run([sys.executable, "-m", "pip_audit", "--help"], capture_output=True, text=True, check=True)
    commands = answering()
    audit.audit("some.lock")
    assert [each for each in commands[0] if each.startswith("--") and each not in said.stdout] == []
