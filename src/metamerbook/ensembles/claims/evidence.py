"""The tables as claims look at them: judges that compare like with like, and intervals by resampling."""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from metamerbook.ensembles.claims.findings import Finding, MissingEvidenceError
from metamerbook.ensembles.claims.tables import TABLES
from metamerlib.models import ZOO

FEWEST = 3
"""Units (evaluators, images, model sets, models) below which an interval would mean nothing."""

Cell = tuple[str, str]
"""A model set and a stage."""


@dataclass
class Evidence:
    """Tables, and how to draw conclusions from samples of evaluators and images.

    Attributes
    ----------
    tables
        Checked tables by name.
    trained_only
        Whether evaluators that were never trained are left out.
    resamples
        Bootstrap resamples.
    confidence
        Coverage of the percentile intervals.
    generator
        Of the resampling.
    notes
        What a reader should know about what was looked at; grows with use.
    """

    tables: Mapping[str, pd.DataFrame]
    trained_only: bool
    resamples: int
    confidence: float
    generator: np.random.Generator
    notes: list[str] = field(default_factory=list)

    def table(self, name: str) -> pd.DataFrame:
        """Give a table, without the evaluators that do not count.

        Parameters
        ----------
        name
            One of `TABLES`.

        Returns
        -------
        DataFrame
            At least one row.

        Raises
        ------
        MissingEvidenceError
            If it is not there, or empty.
        """
        table = self.tables.get(name)
        if table is None or not len(table):
            raise MissingEvidenceError(f"{TABLES[name].what} was not measured (table {name!r})")
        if self.trained_only and "evaluator" in table:
            never_trained = {key for key, entry in ZOO.items() if entry.random}
            random = table["random"] if "random" in table else table["evaluator"].isin(never_trained)
            table = table[~random]
        return table

    def judged(self, cells: Collection[Cell], name: str = "recognizability") -> pd.DataFrame:
        """Look up what evaluators say about some cells, by the evaluators that had no part in any of them.

        Parameters
        ----------
        cells
            Model sets and stages.
        name
            "recognizability" or "divergence".

        Returns
        -------
        DataFrame
            Index: evaluators; columns: the cells; values: recognizability or divergence. No value is missing.

        Raises
        ------
        MissingEvidenceError
            If a cell is not there, or fewer than three evaluators are left.
        """
        table = self.table(name)
        absent = [f"{s} at the {t} stage" for s, t in cells if not ((table.model_set == s) & (table.stage == t)).any()]
        if absent:
            raise MissingEvidenceError(f"the table {name!r} does not have {', '.join(absent)}")
        wanted = pd.MultiIndex.from_tuples(list(cells))
        table = table.set_index(["model_set", "stage"])
        table = table[table.index.isin(wanted)]
        self._note_incomplete_sets(table)
        held_out = table["held_out"] if "held_out" in table else ~table["took_part"]
        values = "recognizability" if name == "recognizability" else name
        wide = table[held_out].reset_index().pivot(index="evaluator", columns=["model_set", "stage"], values=values)
        return at_least(wide.reindex(columns=wanted).dropna(), "evaluators outside all of the sets compared")

    def conditions(self, name: str, column: str, *, held_out_only: bool, **fixed: Hashable) -> pd.DataFrame:
        """Look up recognizability under several conditions.

        Parameters
        ----------
        name
            A table with the columns evaluator and recognizability.
        column
            Whose values are the conditions.
        held_out_only
            Whether evaluators that had a part in the generation are left out.
        fixed
            Values of other columns that rows must have.

        Returns
        -------
        DataFrame
            Index: evaluators; columns: the conditions; values: means over what else there is.

        Raises
        ------
        MissingEvidenceError
            If no row is left.
        """
        table = self.table(name)
        for other, value in fixed.items():
            table = table[table[other] == value]
        if held_out_only:
            took_part = set(table.loc[~table["held_out"], "evaluator"])
            table = table[~table["evaluator"].isin(took_part)]
        if not len(table):
            raise MissingEvidenceError(f"the table {name!r} has no rows for this comparison")
        return table.pivot_table(index="evaluator", columns=column, values="recognizability", aggfunc="mean")

    def mean(
        self,
        sample: pd.DataFrame,
        weights: Mapping[Hashable, float],
        what: str,
        claimed: tuple[float, float],
        units: str = "evaluators",
    ) -> Finding:
        """Average a weighted sum of columns over the rows.

        Parameters
        ----------
        sample
            One row per unit, such as an evaluator.
        weights
            Column to weight: 1 and -1 make a difference.
        what
            The quantity, in words.
        claimed
            The interval that is claimed.
        units
            What rows are.

        Returns
        -------
        Finding
            With an interval from resampling the rows.
        """
        values = sum(weight * sample[column] for column, weight in weights.items())
        return self.resampled(values.to_numpy(), lambda draw: draw.mean(axis=-1), what, claimed, units)

    def resampled(
        self,
        values: np.ndarray,
        statistic: Callable[[np.ndarray], np.ndarray],
        what: str,
        claimed: tuple[float, float],
        units: str,
    ) -> Finding:
        """Estimate a statistic and its interval.

        Parameters
        ----------
        values
            (n,) numbers, or (columns, n); the n units are resampled, all columns alike.
        statistic
            Takes (resamples, n), or (columns, resamples, n), and gives (resamples,).
        what
            The quantity, in words.
        claimed
            The interval that is claimed.
        units
            What the units are.

        Returns
        -------
        Finding
            With a percentile interval.
        """
        count = values.shape[-1]
        value = statistic(values[..., None, :])[0]
        draws = statistic(values[..., self.draw(count)])
        return self.finding(what, value, draws, claimed, f"{count} {units}")

    def draw(self, count: int) -> np.ndarray:
        """Draw resamples of so many units.

        Parameters
        ----------
        count
            How many units there are.

        Returns
        -------
        ndarray
            (resamples, count) positions.
        """
        return self.generator.integers(count, size=(self.resamples, count))

    def finding(self, what: str, value: float, draws: np.ndarray, claimed: tuple[float, float], over: str) -> Finding:
        """Put the percentile interval of resamples around an estimate.

        Parameters
        ----------
        what
            The quantity, in words.
        value
            Its estimate.
        draws
            (resamples,) estimates.
        claimed
            The interval that is claimed.
        over
            What was resampled, with its number.

        Returns
        -------
        Finding
            The estimate beside what is claimed.
        """
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return Finding(what, float(value), float(low), float(high), claimed, over)

    def _note_incomplete_sets(self, table: pd.DataFrame) -> None:
        if not {"n_members", "n_wanted"} <= set(table.columns):
            return
        short = table[table["n_members"] < table["n_wanted"]].reset_index().drop_duplicates("model_set")
        for row in short.itertuples():
            note = f"{row.model_set} ran with {row.n_members} of its {row.n_wanted} networks"
            if note not in self.notes:
                self.notes.append(note)


def at_least(sample: pd.DataFrame, units: str) -> pd.DataFrame:
    """Refuse samples too small for an interval.

    Parameters
    ----------
    sample
        One row per unit.
    units
        What the units are.

    Returns
    -------
    DataFrame
        The sample.

    Raises
    ------
    MissingEvidenceError
        If there are fewer than three.
    """
    if len(sample) < FEWEST:
        raise MissingEvidenceError(f"there are {len(sample)} {units}, and an interval needs {FEWEST}")
    return sample
