"""What a condition changes, judge by judge: paired differences in recognizability, with intervals."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

FEWEST = 3
"""Evaluators below which an interval would mean nothing."""


def contrasts(
    table: pd.DataFrame,
    by: Sequence[str],
    baseline: Sequence[Hashable],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the recognizability of every condition with that of one of them.

    Parameters
    ----------
    table
        As `metamerbook.study.judging.evaluate` returns it, with the columns evaluator, held_out and recognizability.
        Evaluators that had a part in any of its rows are left out, so that every condition has the same judges.
    by
        The columns that tell one condition from another. Rows of one condition and evaluator are averaged.
    baseline
        Values of these columns: the condition to compare with.
    confidence
        Coverage of the intervals.
    resamples
        Bootstrap resamples of the evaluators; the intervals are percentiles over them.
    seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        One row per condition, in order of appearance: the columns of `by`, mean (recognizability over evaluators), sd
        (n - 1), n_evaluators, baseline (whether it is the one compared with), difference (mean less the baseline's),
        low and high (NaN with fewer than three evaluators).

    Raises
    ------
    ValueError
        If the table does not have the baseline.
    """
    conditions = [tuple(row) for row in table[list(by)].drop_duplicates().itertuples(index=False, name=None)]
    baseline = tuple(baseline)
    if baseline not in conditions:
        raise ValueError(f"baseline is {baseline}, which is not among the table's conditions {conditions}: name one.")
    took_part = set(table.loc[~table["held_out"], "evaluator"])
    judged = table[~table["evaluator"].isin(took_part)]
    samples = {condition: pd.Series(dtype=float) for condition in conditions}
    for condition, group in judged.groupby(list(by), sort=False):
        samples[condition] = group.groupby("evaluator", sort=False)["recognizability"].mean()
    rows = []
    for condition, values in samples.items():
        paired = (values - samples[baseline]).dropna().to_numpy()
        low, high = _bootstrap(paired, confidence, resamples, seed)
        rows.append(
            dict(zip(by, condition, strict=True))
            | {"mean": values.mean(), "sd": values.std(ddof=1), "n_evaluators": len(values)}
            | {"baseline": condition == baseline, "difference": paired.mean() if len(paired) else np.nan}
            | {"low": low, "high": high}
        )
    return pd.DataFrame(rows)


def _bootstrap(values: np.ndarray, confidence: float, resamples: int, seed: int) -> tuple[float, float]:
    if len(values) < FEWEST:
        return np.nan, np.nan
    draws = values[np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
