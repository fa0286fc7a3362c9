"""The paper's own numbers: what its text and tables print, as tables with the place where each stands."""

import difflib
from collections import defaultdict

import pandas as pd

from metamerbook.study.profiles import data_folder
from metamerlib.checks import near
from metamerlib.models import STAGES

# Only these columns hold numbers or flags; all others are text, and an empty cell of theirs is empty text.
_TYPES = {
    "spread": float,
    "difference_in_means": float,
    "rank": int,
    "parameters": int,
    "appearances": int,
    "learned": bool,
}


def published(name: str) -> pd.DataFrame:
    """Read a table of the paper, the numbers of its text, or its claims; the folder's README.md describes the columns.

    In the paper's order, with a column ``where`` (table, figure, footnote or paragraph). Models and sets are spelled as
    printed; ``key`` is this library's name.

    >>> published("table_b2").loc[0, ["model", "difference_in_means"]].tolist()
    ['Swin-Base Robust', 0.118]
    """
    folder = data_folder("data/published")
    names = sorted(path.stem for path in folder.glob("*.csv"))
    if name not in names:
        raise ValueError(
            f"name is {name!r}.{near(name, names)} The published numbers are in "
            f"{', '.join(map(repr, names)) or 'no file'} of {folder}."
        )
    types = _TYPES | ({"value": float} if name == "statements" else {})  # Table 3 has values that are words
    return pd.read_csv(
        folder / f"{name}.csv",
        dtype=defaultdict(lambda: str, types),
        keep_default_na=False,
        na_values={column: [""] for column in _TYPES},
        true_values=["yes"],
        false_values=["no"],
        encoding="utf-8",
    )


def statement(identifier: str) -> pd.Series:
    """Look up one number of the paper's text: its row of ``published("statements")``.

    Its spread is what stands after "±"; NaN where nothing does.

    >>> statement("recognizability-late")[["value", "spread"]].tolist()
    [0.419, 0.237]
    """
    table = published("statements").set_index("id")
    if identifier not in table.index:
        close = difflib.get_close_matches(str(identifier), table.index, n=3, cutoff=0.4)
        raise ValueError(f"identifier is {identifier!r}, which is no published statement. The nearest are {close}.")
    return table.loc[identifier]


def published_means() -> pd.DataFrame:
    """Return the three means of recognizability that section 4.5 prints: stage, mean, sd (what stands after "±")."""
    rows = [(stage, statement(f"recognizability-{stage}")) for stage in STAGES]
    return pd.DataFrame([{"stage": stage, "mean": row["value"], "sd": row["spread"]} for stage, row in rows])
