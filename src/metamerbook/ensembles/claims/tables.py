"""The tables that claims are tested on: their columns, in one place, and the check at the door."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype


@dataclass(frozen=True)
class TableSchema:
    """What a table must have to be evidence.

    Attributes
    ----------
    what
        What it holds, in words.
    source
        Where it comes from, and what is to be known about its columns.
    identity
        The columns that tell one row from another.
    flags
        Columns that are True or False.
    shares
        Columns in [0, 1].
    numbers
        Other columns of numbers, which may be missing (NaN).
    words
        Columns with a fixed choice of words.
    """

    what: str
    source: str
    identity: tuple[str, ...]
    flags: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that must be there; others may."""
        return (*self.identity, *self.flags, *self.shares, *self.numbers, *(name for name, _ in self.words))


TABLES: dict[str, TableSchema] = {
    "recognizability": TableSchema(
        "recognizability by model set, stage and evaluator",
        "`Study.recognizability`",
        identity=("model_set", "stage", "evaluator"),
        flags=("robust", "random", "held_out"),
        shares=("recognizability",),
        words=(("family", ("cnn", "transformer", "mlp", "own")),),
    ),
    "image_metrics": TableSchema(
        "image metrics by model set and stage",
        "Figure 4: `image_metrics`; image is missing where only the whole set has a value, and "
        "value where there is none",
        identity=("model_set", "stage", "metric", "image"),
        numbers=("value",),
        words=(("direction", ("higher", "lower")),),
    ),
    "divergence": TableSchema(
        "representational divergence by model set, stage and evaluator",
        "Figure 5: `divergence`, reference-reference against reference-metamer",
        identity=("model_set", "stage", "evaluator"),
        flags=("took_part",),
        shares=("divergence",),
    ),
    "restricted_search": TableSchema(
        "recognizability by radius and centre of the search",
        'Figure 6: `restricted`, with the columns epsilon and center ("initial" or "reference")',
        identity=("epsilon", "center", "evaluator"),
        flags=("held_out",),
        shares=("recognizability",),
    ),
    "adversarial": TableSchema(
        "recognizability of adversarial examples by radius",
        "`adversarial`, with columns epsilon and held_out",
        identity=("epsilon", "evaluator"),
        flags=("held_out",),
        shares=("recognizability",),
    ),
    "mixed_sets": TableSchema(
        "recognizability of random model sets",
        "Figure B1: `mixed`",
        identity=("model_set", "evaluator"),
        flags=("held_out",),
        shares=("recognizability",),
    ),
    "mixed_effects": TableSchema(
        "what each model adds to the random sets it is in",
        "Table B2: `mixed_effects`",
        identity=("model",),
        numbers=("difference",),
    ),
    "optimizers": TableSchema(
        "recognizability by optimizer",
        '`optimizers`, with columns optimizer (plain gradient descent is "SGD") and variant '
        "(what else differs, such as the initializer)",
        identity=("optimizer", "variant", "evaluator"),
        flags=("held_out",),
        shares=("recognizability",),
    ),
    "ensemble_sizes": TableSchema(
        "recognizability by number of models",
        "`ensemble_sizes`, with the column size",
        identity=("size", "model_set", "evaluator"),
        flags=("held_out",),
        shares=("recognizability",),
    ),
}
"""The tables that `claims_table` can be given, by name."""


def check_tables(tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse tables that would be misread.

    Parameters
    ----------
    tables
        By name; names and columns are those of `TABLES`. Further columns are welcome.

    Raises
    ------
    ValueError
        If a table is unknown, lacks a column, has a row twice, or has values that cannot be; the message says which.
    TypeError
        If something else than a DataFrame is given, or a column is of the wrong type.
    """
    for name, table in tables.items():
        if name not in TABLES:
            near = difflib.get_close_matches(str(name), TABLES, n=1, cutoff=0.5)
            raise ValueError(
                f"tables has {name!r}, which no claim is tested on.{f' Did you mean {near[0]!r}?' if near else ''} "
                f"There are: {', '.join(TABLES)}."
            )
        if not isinstance(table, pd.DataFrame):
            raise TypeError(f"tables[{name!r}] is a {type(table).__name__}: give a DataFrame, or leave it out.")
        _check_table(name, table, TABLES[name])


def _check_table(name: str, table: pd.DataFrame, schema: TableSchema) -> None:
    where = f"tables[{name!r}]"
    lacking = [column for column in schema.columns if column not in table]
    if lacking:
        raise ValueError(
            f"{where} lacks the columns {lacking}; it has {list(table.columns)}. It should be {schema.source}."
        )
    twice = table[table.duplicated(list(schema.identity))]
    if len(twice):
        row = twice.iloc[0][list(schema.identity)].to_dict()
        raise ValueError(f"{where} has more than one row for {row}: give one for each {', '.join(schema.identity)}.")
    for column in schema.flags:
        if not is_bool_dtype(table[column]):
            raise TypeError(f"{where}[{column!r}] is of type {table[column].dtype}: give True and False.")
    for column in (*schema.shares, *schema.numbers):
        if not is_numeric_dtype(table[column]) or is_bool_dtype(table[column]):
            raise TypeError(f"{where}[{column!r}] is of type {table[column].dtype}: give numbers.")
    for column in schema.shares:
        if not table[column].between(0, 1).all():
            outside = table.loc[~table[column].between(0, 1), column].iloc[0]
            raise ValueError(f"{where}[{column!r}] holds {outside}: give values in [0, 1].")
    for column, words in schema.words:
        strange = set(table[column]) - set(words)
        if strange:
            raise ValueError(f"{where}[{column!r}] holds {sorted(map(str, strange))}: give one of {list(words)}.")
