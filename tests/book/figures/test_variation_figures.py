"""Figures and tables of the appendices, the thesis part and the claims show what their tables hold."""

import re


def rows(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]


def by_marker(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker]
