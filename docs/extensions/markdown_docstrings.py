"""Docstrings are Markdown here, and autodoc reads reStructuredText: a directive hands them to MyST's parser."""

from __future__ import annotations

from myst_parser.parsers.sphinx_ import MystParser
from sphinx.util.docutils import SphinxDirective, new_document


class Markdown(SphinxDirective):
    """Its content, read as Markdown."""

    has_content = True

    def run(self):
        document = new_document(self.get_source_info()[0], self.state.document.settings)
        MystParser().parse("\n".join(self.content), document)
        for node in document.findall():  # the other document would be kept on every page, with all that Sphinx knows
            node.document = self.state.document
        return document.children


def _wrapped(app, what, name, obj, options, lines: list[str]) -> None:
    if any(lines):
        lines[:] = [".. markdown::", "", *(f"   {line}" for line in lines), ""]


def setup(app) -> dict[str, bool]:
    app.add_directive("markdown", Markdown)
    app.connect("autodoc-process-docstring", _wrapped)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
