"""Mixed model sets: what each model contributes to the metamers of random ensembles (paper, Appendix B)."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from metamerlib.checks import LARGEST_SEED, check_fraction, names, whole_number

_COLUMNS = ["model", "appearances", "sets", "mean_present", "mean_absent", "difference", "low", "high"]
_COLUMNS += ["adjusted", "adjusted_low", "adjusted_high"]


def draw_model_sets(
    keys: Sequence[str], n_sets: int = 100, *, smallest: int = 2, largest: int = 10, seed: int = 0
) -> list[tuple[str, ...]]:
    """Draw random sets of models, as Appendix B does.

    Parameters
    ----------
    keys
        The models to draw from.
    smallest, largest
        The sizes are uniform over ``smallest … largest``, both included.
    seed
        Set i depends on the seed and on i only.

    Returns
    -------
    list of tuple of str
        Each set without repetition, its members in the order of ``keys``. The same set can come twice.

    Raises
    ------
    ValueError
        If keys repeat, or the sizes do not fit their number.
    """
    keys = names(keys, "keys")
    n_sets = whole_number(n_sets, "n_sets", at_least=1, at_most=1_000_000)
    smallest, largest = whole_number(smallest, "smallest"), whole_number(largest, "largest")
    seed = whole_number(seed, "seed", at_most=LARGEST_SEED)
    if not 1 <= smallest <= largest <= len(keys):
        raise ValueError(
            f"smallest={smallest} and largest={largest} must satisfy 1 ≤ smallest ≤ largest ≤ {len(keys)}, the number "
            "of keys."
        )
    sets = []
    for index in range(n_sets):
        generator = np.random.default_rng(np.random.SeedSequence([seed, index]))
        size = generator.integers(smallest, largest, endpoint=True)
        members = np.sort(generator.choice(len(keys), size=size, replace=False))
        sets.append(tuple(keys[m] for m in members))
    return sets


def set_means(
    sets: Sequence[object],
    evaluators: Sequence[str],
    values: Sequence[float],
    *,
    adjust_evaluators: bool = False,
) -> pd.Series:
    """Average the evaluators' recognizabilities of each set.

    Parameters
    ----------
    sets, evaluators, values
        Three columns of one table: which set, which evaluator, which recognizability.
    adjust_evaluators
        The evaluators of a set are the models that are *not* in it, so a set that holds strict ones has lenient
        evaluators. With True both effects are estimated together (least squares), and the means are given for the
        average evaluator.

    Returns
    -------
    pandas.Series
        The mean of each set, by set, in order of appearance.
    """
    table = pd.DataFrame({"set": list(sets), "evaluator": list(evaluators), "value": np.asarray(values, dtype=float)})
    if not adjust_evaluators:
        return table.groupby("set", sort=False)["value"].mean()
    set_codes, set_names = pd.factorize(table["set"])
    evaluator_codes, evaluator_names = pd.factorize(table["evaluator"])
    design = np.zeros((len(table), len(set_names) + len(evaluator_names)))
    rows = np.arange(len(table))
    design[rows, set_codes] = 1
    design[rows, len(set_names) + evaluator_codes] = 1
    # The two families of effects share a constant; lstsq picks one, and adding the mean leniency removes it again.
    effects = np.linalg.lstsq(design, table["value"].to_numpy(), rcond=None)[0]
    adjusted = effects[: len(set_names)] + effects[len(set_names) :].mean()
    return pd.Series(adjusted, index=pd.Index(set_names, name="set"), name="value")


def difference_in_means(
    sets: Sequence[Iterable[str]],
    values: Sequence[float],
    *,
    keys: Sequence[str],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate what each model adds to the recognizability of the sets it is in.

    Parameters
    ----------
    sets, values
        The sets of models, and the recognizability of each set's metamers.
    keys
        The models to report on, in this order.
    resamples
        Bootstrap resamples of the sets; the intervals are percentiles over them.

    Returns
    -------
    pandas.DataFrame
        One row per key: ``model``, ``appearances`` (sets it is in), ``sets`` (all), ``mean_present``, ``mean_absent``,
        ``difference`` (present minus absent), ``low`` and ``high``, ``adjusted`` (among sets of one size: a model is
        more often in large sets), ``adjusted_low`` and ``adjusted_high``. NaN where a model is in every set or in none,
        or, for the adjusted one, never meets a set of its size without it.

    Raises
    ------
    ValueError
        If lengths do not fit, a set is empty or holds an unknown model, or an option is out of range.
    """
    check_fraction(confidence, "confidence")
    members = [frozenset(s) for s in sets]
    y = np.asarray(values, dtype=float)
    if len(members) != len(y) or not len(y) or not all(members):
        raise ValueError(
            f"sets and values must be equally long, and no set empty; got {len(members)} sets and {len(y)} values."
        )
    unknown = set().union(*members) - set(keys)
    if unknown:
        raise ValueError(f"sets hold models that are not among keys: {sorted(unknown)}.")
    if not np.isfinite(y).all():
        raise ValueError(f"values must be finite; set {int(np.flatnonzero(~np.isfinite(y))[0])} has none.")
    size = np.array([len(s) for s in members])
    generator = np.random.default_rng(seed)
    # Row 0 is the sample itself, every other row how often a resample holds each set.
    weights = np.vstack([np.ones(len(y)), generator.multinomial(len(y), np.full(len(y), 1 / len(y)), size=resamples)])
    rows = []
    for key in keys:
        present = np.array([key in s for s in members], dtype=float)
        plain, adjusted = _plain_difference(weights, present, y), _matched_difference(weights, present, y, size)
        inside = present == 1
        means = [float(y[part].mean()) if part.any() else float("nan") for part in (inside, ~inside)]
        effects = [(draws[0], *_interval(draws[1:], confidence)) for draws in (plain, adjusted)]
        rows.append((key, int(inside.sum()), len(y), *means, *effects[0], *effects[1]))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _plain_difference(weights: np.ndarray, present: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of y where present minus where absent, for each row of weights."""
    absent = 1 - present
    with np.errstate(invalid="ignore"):
        return weights @ (present * y) / (weights @ present) - weights @ (absent * y) / (weights @ absent)


def _matched_difference(weights: np.ndarray, present: np.ndarray, y: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Least-squares coefficient of presence beside one constant per size, for each row of weights."""
    strata = (size[:, None] == np.unique(size)).astype(float)
    count = weights @ strata
    inside = weights @ (present[:, None] * strata)
    sum_y = weights @ (y[:, None] * strata)
    sum_inside_y = weights @ ((present * y)[:, None] * strata)
    with np.errstate(invalid="ignore"):
        covariance = np.nansum(sum_inside_y - inside * sum_y / count, axis=1)
        variance = np.nansum(inside - inside**2 / count, axis=1)
        return np.where(variance > 1e-12, covariance / np.where(variance > 1e-12, variance, 1), np.nan)


def _interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    """Percentile interval over the resamples in which the difference exists; none if that is less than half."""
    draws = draws[~np.isnan(draws)] if np.isnan(draws).mean() < 0.5 else draws[:0]
    if not len(draws):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
