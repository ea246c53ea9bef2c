"""What the longest chain of the embedded study begins with takes the first core that is free."""

import re

import pytest


@pytest.mark.parametrize("rule", ["prepare_scenes", "train_scenes_network", "train_scenes_clip"])
def test_the_first_jobs_of_the_chain_wait_for_no_second_core(rule, repository):
    """Beside jobs of one core, one of two would begin when these have all ended: no core is kept free for it."""
    texts = "\n".join(path.read_text() for path in sorted((repository / "rules").glob("**/*.smk")))
    (body,) = re.findall(rf"^rule {rule}:\n((?:    .*\n|\n)+)", texts, re.MULTILINE)
    assert "    priority: 1\n" in body
    assert re.findall(r"^    threads: (\S+)", body, re.MULTILINE) in ([], ["1"])
