"""Show the executed copy of a chapter in place of its source.

The table of contents names the notebooks in git, so that links, relative paths and buttons point at them; a
notebook's text is exchanged when Sphinx reads it. The copies are made by `metamerlib book` and lie in
`build/executed`, or where the variable METAMERLIB_EXECUTED says.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def executed_copy(app: Sphinx, docname: str) -> Path | None:
    """Path where the executed copy of a page's notebook is expected; None for pages that are no notebook."""
    source = Path(app.env.doc2path(docname))
    if source.suffix != ".ipynb":
        return None
    folder = os.environ.get("METAMERLIB_EXECUTED") or Path(app.srcdir, "build", "executed")
    return Path(folder) / source.relative_to(app.srcdir)


def load_formulas(app: Sphinx) -> None:
    """Have the page that holds the whole book load MathJax; Sphinx asks only whether its first part needs it."""
    if app.builder.name == "singlehtml":
        app.set_html_assets_policy("always")


def show_executed(app: Sphinx, docname: str, content: list[str]) -> None:
    """Exchange the text of a chapter; warn where it was never executed."""
    copy = executed_copy(app, docname)
    if copy is None:
        return
    app.env.note_dependency(str(copy))  # before the test: a copy that appears later makes the page outdated
    if copy.exists():
        content[0] = copy.read_text(encoding="utf8")
    else:
        logger.warning(
            "%s has not been executed; run `metamerlib book`",
            docname,
            type="executed",
            subtype="missing",
            location=docname,
        )


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Give the download button the executed notebooks, and the pages their copy of MathJax."""
    if exception or app.builder.format != "html":
        return
    for docname in app.env.found_docs:
        copy = executed_copy(app, docname)
        offered = Path(app.outdir, "_sources", f"{docname}.ipynb")
        if copy and copy.exists() and offered.exists():
            shutil.copyfile(copy, offered)
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    for part in ("tex-chtml.js", "output/chtml", "input/tex/extensions"):
        source, target = package / "static/mathjax" / part, Path(app.outdir, "_static/mathjax", part)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", load_formulas)
    app.connect("source-read", show_executed)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
