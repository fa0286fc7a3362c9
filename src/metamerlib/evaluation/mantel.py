"""The representation test: do two metamers lie as far apart as their references do.

The thesis that the paper grew from proposes to correlate the distances between the representations of the references
with those of their metamers. The pairs of one matrix are not independent, so the p-value comes from permuting the
images (Mantel's test) and not from a table.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from metamerlib.checks import LARGEST_SEED, whole_number
from metamerlib.evaluation.representation import PairDistances, check_distances


def distance_correlation(distances: Iterable[PairDistances], *, permutations: int = 999, seed: int = 0) -> pd.DataFrame:
    """Correlate the references' matrix of distances with that of their metamers.

    Parameters
    ----------
    distances
        As :func:`~metamerlib.evaluation.pair_distances` yields them.
    permutations
        Random orders of the metamers that the p-values count.

    Returns
    -------
    pandas.DataFrame
        One row per element of ``distances``: ``metamers``, ``evaluator``, ``stage``, ``layer``, ``n`` (images),
        ``pairs``, ``pearson`` and ``spearman`` (in [-1, 1]; NaN if all distances of a matrix are equal), and
        ``pearson_p`` and ``spearman_p``: the share of orders, the true one included, that correlate at least
        as highly (one-sided).

    References
    ----------
    Mantel (1967), The detection of disease clustering and a generalized regression approach.
    """
    permutations = whole_number(permutations, "permutations", at_least=1, at_most=1_000_000)
    seed = whole_number(seed, "seed", at_most=LARGEST_SEED)
    shuffled: dict[int, np.ndarray] = {}  # by number of images: the same orders serve every cell
    rows = []
    for cell in check_distances(distances):
        n = len(cell.cross)
        if n not in shuffled:
            shuffled[n] = _shuffled_pairs(n, permutations, seed)
        reference, metamer = cell.reference.numpy(), cell.metamer.numpy()
        pearson, pearson_p = _mantel(reference, metamer, shuffled[n])
        spearman, spearman_p = _mantel(_ranked(reference), _ranked(metamer), shuffled[n])
        rows.append(
            cell.named
            | {"n": n, "pairs": n * (n - 1) // 2, "pearson": pearson, "pearson_p": pearson_p}
            | {"spearman": spearman, "spearman_p": spearman_p}
        )
    return pd.DataFrame(rows)


def _shuffled_pairs(n: int, permutations: int, seed: int) -> np.ndarray:
    """For each order of the n images, where in the flat matrix the pairs i < j come from."""
    generator = np.random.default_rng(seed)
    first, second = np.triu_indices(n, k=1)
    orders = [generator.permutation(n) for _ in range(permutations)]
    return np.stack([(order[first] * n + order[second]).astype(np.int32) for order in orders])


def _ranked(matrix: np.ndarray) -> np.ndarray:
    """Replace the distances by their ranks, ties averaged; the matrix stays symmetric."""
    upper = np.triu_indices(len(matrix), k=1)
    ranks = np.zeros_like(matrix)
    ranks[upper] = rankdata(matrix[upper])
    return ranks + ranks.T


def _mantel(reference: np.ndarray, metamer: np.ndarray, shuffled: np.ndarray) -> tuple[float, float]:
    upper = np.triu_indices(len(reference), k=1)
    first, second = reference[upper], metamer[upper]
    deviation = first.std() * second.std()
    # Equal distances leave only rounding as their spread.
    if not deviation > 1e-24 + 1e-20 * first.mean() * second.mean():
        return float("nan"), float("nan")
    # An order of the images changes neither mean nor spread, so both matrices are standardised once.
    standard_1 = (first - first.mean()) / first.std() / len(first)
    standard_2 = (metamer - second.mean()) / second.std()
    observed = float(standard_1 @ standard_2[upper])
    flat = standard_2.ravel()
    chance = np.concatenate([flat[part] @ standard_1 for part in np.array_split(shuffled, 1 + shuffled.size // 2**22)])
    # The tolerance lets an order that is the true one in disguise count as equal.
    at_least = int((chance >= observed - 1e-12).sum())
    return float(np.clip(observed, -1, 1)), (1 + at_least) / (1 + len(shuffled))
