"""The site of the documents, made by Sphinx: `make docs`.

Pages are docs/*.md. Two parts are written before each build and kept by no commit: configuration.md, of
rules/config.schema.yaml and config.yaml, and api/, of the library's docstrings.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS / "extensions"), str(DOCS.parent / "workflow_scripts")]

metadata = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
project, author = "Filterscope", metadata["authors"][0]["name"]
version = release = metadata["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "configuration_reference",
    "markdown_docstrings",
    "module_reference",
    "navigation",
    "outside_links",
]
exclude_patterns = ["extensions"]
nitpicky = False  # annotations name numpy's and torch's types, whose own pages are elsewhere

# What stands at the side, in this order. A page of docs/ that is not named here stops the build.
navigation = {
    "Guide": ["commands", "data", "networks", "words", "pictures", "diagnosis", "temperature", "atlas"],
    "More": ["clusters", "extending", "methods", "sources", "inputs"],
    "Reference": ["configuration", "api/index"],
}

# Headings get the anchors that they have elsewhere, so that links to them hold in both places.
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False  # PyTorch's say nothing of ours
python_maximum_signature_line_length = 100
add_module_names = False

html_theme = "furo"
html_title = f"Filterscope {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
