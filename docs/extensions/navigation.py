"""The navigation of conf.py as hidden tables of contents below index.md, which so stays plain Markdown.

A page that conf.py names and that is not there yet is left out; one that is there and not named is Sphinx's warning.
"""

from __future__ import annotations


def contents(navigation: dict[str, list[str]], found: set[str]) -> str:
    """MyST's tables of contents, one for every part that has pages."""
    parts = []
    for caption, pages in navigation.items():
        present = [page for page in pages if page in found]
        if present:
            parts.append("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *present, "```"]))
    return "\n\n".join(parts)


def _append(app, docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        source[0] += f"\n\n{contents(app.config.navigation, app.env.found_docs)}\n"


def _own_branch(app, pagename: str, templatename: str, context: dict, doctree) -> None:
    """At the side of a page only its own branch is drawn out: all pages beside each take most of a build's time."""
    if whole := context.get("toctree"):
        context["toctree"] = lambda **asked: whole(**{**asked, "collapse": True})


def setup(app) -> dict[str, bool]:
    app.add_config_value("navigation", {}, "env", [dict])
    app.connect("source-read", _append)
    app.connect("html-page-context", _own_branch, priority=400)  # before the theme, which asks for the whole tree
    return {"parallel_read_safe": True, "parallel_write_safe": True}
