"""Chapters for books in temporary folders."""

from pathlib import Path

REPOSITORY = Path(__file__).parents[3]

HEAD = """\
# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A chapter

# %% tags=["parameters"]
profile = "mini"
stages = None
"""


def write_chapter(root, name="01_tiny", body="", head=HEAD):
    """Write a chapter into the book at root."""
    path = root / "notebooks" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + body, encoding="utf8")
    return path


TINY_BODY = r"""
# %% tags=["remove-cell"]
import matplotlib.pyplot as plt
import pandas as pd
from myst_nb import glue

figure, axes = plt.subplots(figsize=(6, 2))
axes.plot([1, 2, 3])
glue("fig-3", figure, display=False)
plt.close(figure)
table = pd.DataFrame({f"column {i}": [0.1, 0.2] for i in range(20)})
glue("tab-b2", table.style.set_uuid("tab-b2"), display=False)
glue("mean", 0.4249, display=False)

# %% [markdown]
# The loss is $\lVert a' - a\rVert_2$.
#
# ```{glue:figure} fig-3
# :name: fig-3
# :alt: A line that rises.
#
# A caption.
# ```
#
# ```{glue:figure} fig-3
# :name: fig-other
# :alt: The same line.
#
# Another caption.
# ```
#
# ```{glue-table} tab-b2
# :name: tab-b2
# The mean is {glue:text}`mean:.1f`.
# ```
"""
