"""Number figures and tables as the paper does, and make tables out of glued ones.

`fig-3` is Figure 3 and `tab-b2` is Table B2 wherever they stand; whatever else has a caption is counted
through the book as S1, S2, …

    ```{glue-table} tab-3
    :name: tab-3
    The caption, in Markdown.
    ```
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.variables import RetrievalError
from myst_nb.ext.glue.utils import retrieve_glue_data
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

PAPER_ID = re.compile(r"(?:fig|tab|alg)-([a-z]?\d+)")


class TableFigure(nodes.General, nodes.Element):
    """A numbered table whose body is HTML that a chapter made."""


class GlueTable(SphinxDirective):
    """Show what a chapter glued as HTML, with a caption and a table's number."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"name": directives.unchanged_required, "class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        """Make the table's node."""
        key = self.arguments[0]
        try:
            html = retrieve_glue_data(self.state.document, key).data["text/html"]
        except (RetrievalError, KeyError) as error:
            logger.warning(
                "glue-table: %s", error if isinstance(error, RetrievalError) else f"{key!r} was glued without HTML",
                location=self.get_location(),
            )  # fmt: skip
            return []
        table = TableFigure(classes=self.options.get("class", []))
        self.set_source_info(table)
        self.add_name(table)
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        if parsed.children:
            first, *rest = parsed.children
            table += nodes.caption(first.rawsource, "", *first.children)
            self.set_source_info(table[0])
            legend = [nodes.container("", *rest, classes=["legend"])] if rest else []
        else:
            legend = []
        table += nodes.raw("", f'<div class="table-scroll" tabindex="0">{html}</div>', format="html")
        table += legend
        return [table]


def visit_table(writer: HTML5Translator, node: TableFigure) -> None:
    """Open the element that holds caption and table."""
    writer.body.append(writer.starttag(node, "div", CLASS="table-figure"))


def depart_table(writer: HTML5Translator, node: TableFigure) -> None:
    """Close it."""
    writer.body.append("</div>\n")


def caption_of(node: nodes.Node) -> str:
    """Plain text of a table's caption, for references to it."""
    return next((child.astext() for child in node if isinstance(child, nodes.caption)), "")


def number_as_in_paper(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Replace Sphinx's count by the paper's numbers, once Sphinx has counted."""
    extra: Counter[str] = Counter()
    for numbers_by_kind in env.toc_fignumbers.values():  # in the order of the table of contents
        for kind in ("figure", "table", "code-block"):  # not the formulas, which count for themselves
            numbers = numbers_by_kind.get(kind, {})
            for identifier in numbers:
                match = PAPER_ID.fullmatch(identifier)
                extra[kind] += not match
                numbers[identifier] = (match[1].upper() if match else f"S{extra[kind]}",)
    return []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_enumerable_node(TableFigure, "table", caption_of, html=(visit_table, depart_table))
    app.add_directive("glue-table", GlueTable)
    app.connect("env-get-updated", number_as_in_paper, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
