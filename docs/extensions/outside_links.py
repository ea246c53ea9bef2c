"""Links of pages to Markdown outside docs/, as ../benchmarks/measured.md, lead to the file itself.

MyST would look for a page of the site. Its scheme path: takes any file, and still warns of one that is not there.
"""

from __future__ import annotations

import re

LINK = re.compile(r"\]\((\.\./[^)\s#]+\.md)(?:#[^)\s]*)?\)")


def to_files(text: str) -> str:
    """A file that is not a page has no anchors, so those are left out."""
    return LINK.sub(r"](path:\1)", text)


def _replace(app, docname: str, source: list[str]) -> None:
    if "/" not in docname:  # below docs/, ../ leads back into it
        source[0] = to_files(source[0])


def setup(app) -> dict[str, bool]:
    app.connect("source-read", _replace)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
