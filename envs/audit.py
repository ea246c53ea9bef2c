"""Has a pinned package a known hole? Asks pip-audit, where its data base can be reached: python envs/audit.py LOCK

Says what it found and ends well all the same, as holes become known after a release, and the check of the code must
pass where there is no internet. With --strict it ends with 1 where a hole is known or nothing could be asked.
"""

from __future__ import annotations

import argparse
import importlib.util
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 3.0  # seconds that the data base may take to answer a call at all
LONGEST = 120.0  # seconds for all packages


def audit(path_to_lock: str | Path) -> tuple[str, bool]:
    """What is to be said of the pins, and whether all is known to be well."""
    by_hand = f"Ask elsewhere: pip-audit -s osv -r {path_to_lock} --no-deps"
    if importlib.util.find_spec("pip_audit") is None:
        return f"Known holes of the pins were not looked for: pip-audit is not installed. {by_hand}", False
    if not reaches(data_base()):
        return f"Known holes of the pins were not looked for: the data base cannot be reached. {by_hand}", False
    # Not by the index of packages, pip-audit's default: a mirror of that knows no holes, and silence would be a lie.
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--requirement", str(path_to_lock)]
    command += ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", str(int(PATIENCE * 3))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return f"Known holes of the pins: the data base did not answer within {LONGEST:.0f} s. {by_hand}", False
    if done.returncode == 0:
        return "The pins have no known hole.", True
    if "Traceback" in done.stderr or not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["no word"])[-1][:300]
        return f"Known holes of the pins were not looked for: pip-audit failed ({last}). {by_hand}", False
    return f"{done.stdout.strip()}\nPins with a known hole are listed above; `make lock` takes newer ones.", False


def data_base() -> str:
    """Address of the data base, as pip-audit has it."""
    from pip_audit._service.osv import OsvService

    return OsvService.DEFAULT_OSV_URL


def reaches(address: str, patience: float = PATIENCE) -> bool:
    """Whether somebody listens there; a proxy is believed to bring it."""
    if "https" in urllib.request.getproxies():
        return True
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port or 443), patience).close()
    except OSError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lock", type=Path)
    parser.add_argument("--strict", action="store_true", help="end with 1 where all is not known to be well")
    asked = parser.parse_args(arguments)
    said, well = audit(asked.lock)
    print(said)
    return int(asked.strict and not well)


if __name__ == "__main__":
    sys.exit(main())
