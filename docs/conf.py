"""The documentation site: `make site` builds it, and any warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import mrl

project = "mrl"
author = "the authors of mrl"
project_copyright = "2026, the authors of mrl"
version = release = mrl.__version__
html_title = f"mrl {version}"
html_baseurl = ""

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "reference",  # docs/reference.py: a page for each package, from its public names
]
root_doc = "index"
exclude_patterns = ["_build"]
default_role = "name"
add_module_names = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings state types, with shapes and units
autodoc_default_options = {"members": True, "show-inheritance": False}
numpydoc_show_class_members = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
