"""The paper's own numbers: what its text and tables print, as tables with the place where each stands."""

import difflib
from importlib import resources
from pathlib import Path

import pandas as pd

from metamerlib.models import STAGES
from metamerlib.system import repository_root

# Only these columns hold numbers or flags; all others are text, and an empty cell of theirs is empty text.
_FLOATS = ("spread", "difference_in_means")
_INTEGERS = ("rank", "parameters", "appearances")
_FLAGS = ("learned",)


def published_folder() -> Path:
    """Return ``data/published`` of the repository that the package runs from, or the installed package's own copy."""
    if repository := repository_root():
        return repository / "data" / "published"
    return Path(str(resources.files("metamerlib") / "_bundled" / "published"))


def published_names() -> tuple[str, ...]:
    """List what `published` can be asked for."""
    return tuple(sorted(path.stem for path in published_folder().glob("*.csv")))


def published(name: str) -> pd.DataFrame:
    """Read a table of the paper, the numbers of its text, or its claims.

    Parameters
    ----------
    name
        "table_1", "table_2", "table_3", "table_a1", "table_b2", "statements" or "claims". The folder's README.md
        describes the columns.

    Returns
    -------
    DataFrame
        In the paper's order, with a column ``where`` (table, figure, footnote or paragraph). Models and sets are
        spelled as printed; ``key`` is this library's name.

    Examples
    --------
    >>> published("table_b2").loc[0, ["model", "difference_in_means"]].tolist()
    ['Swin-Base Robust', 0.118]
    """
    names = published_names()
    if name not in names:
        near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
        raise ValueError(
            f"name is {name!r}.{f' Did you mean {near[0]!r}?' if near else ''} The published numbers are in "
            f"{', '.join(map(repr, names)) or 'no file'} of {published_folder()}."
        )
    table = pd.read_csv(published_folder() / f"{name}.csv", dtype=str, keep_default_na=False, encoding="utf-8")
    for column in table.columns.intersection(_FLOATS):
        table[column] = pd.to_numeric(table[column]).astype(float)  # an empty cell becomes NaN
    for column in table.columns.intersection(_INTEGERS):
        table[column] = table[column].astype(int)
    for column in table.columns.intersection(_FLAGS):
        table[column] = table[column] == "yes"
    if name == "statements":  # values of Table 3 stay text: some are words
        table["value"] = table["value"].astype(float)
    return table


def statement(identifier: str) -> pd.Series:
    """Look up one number of the paper's text by its id in ``published("statements")``.

    Returns
    -------
    Series
        section, what, relation ("=", "<", ">" or "≈"), value, spread (what stands after "±"; NaN where nothing does),
        unit, note, where.

    Examples
    --------
    >>> statement("recognizability-late")[["value", "spread"]].tolist()
    [0.419, 0.237]
    """
    table = published("statements").set_index("id")
    if identifier not in table.index:
        near = difflib.get_close_matches(str(identifier), table.index, n=3, cutoff=0.4)
        raise ValueError(
            f"identifier is {identifier!r}, which is not among the published statements. "
            f"{f'Did you mean one of {near}? ' if near else ''}published('statements') lists them all."
        )
    return table.loc[identifier]


def published_means() -> pd.DataFrame:
    """Return the three means of recognizability that section 4.5 prints: stage, mean, sd (what stands after "±")."""
    rows = [(stage, statement(f"recognizability-{stage}")) for stage in STAGES]
    return pd.DataFrame([{"stage": stage, "mean": row["value"], "sd": row["spread"]} for stage, row in rows])
