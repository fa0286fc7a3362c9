"""From samples to densities, and from two densities to their divergence in bits."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import rel_entr
from torch import Tensor


def bandwidth(distances: Tensor) -> float:
    """Compute Scott's bandwidth of a Gaussian kernel density estimate of a sample (n,), n ≥ 2."""
    return float(distances.double().std() * len(distances) ** -0.2)


def shared_grid(samples: Sequence[Tensor], points: int = 1000) -> Tensor:
    """Lay one grid over several samples: evenly, to four of the widest bandwidths beyond all values."""
    low, high = min(float(s.min()) for s in samples), max(float(s.max()) for s in samples)
    # If all values coincide any interval around them will do.
    margin = 4 * max(bandwidth(sample) for sample in samples) or max(abs(high), 1.0) * 1e-3
    return torch.linspace(low - margin, high + margin, points, dtype=torch.float64)


def density(distances: Tensor, grid: Tensor) -> Tensor:
    """Estimate a sample's density at the points of an even grid: Gaussian kernel, Scott's bandwidth."""
    # As scipy.stats.gaussian_kde, except that the bandwidth is never below the grid's spacing: a sample so narrow that
    # it falls between two points keeps its mass.
    distances, grid = distances.double(), grid.double()
    width = max(bandwidth(distances), float(grid[1] - grid[0]))
    total = torch.zeros_like(grid)
    for chunk in distances.split(2048):
        total += torch.exp(((grid - chunk[:, None]) / width).square_().mul_(-0.5)).sum(dim=0)
    return total / (len(distances) * width * (2 * torch.pi) ** 0.5)


def jensen_shannon(first: Tensor | np.ndarray, second: Tensor | np.ndarray) -> float:
    """Jensen-Shannon divergence in bits: the divergence, not its root.

    Parameters
    ----------
    first, second
        Two distributions over the same points, non-negative; they are scaled to sum to 1.

    Returns
    -------
    float
        From 0 (equal) to 1 (nowhere both positive).

    Raises
    ------
    ValueError
        If the shapes differ, a value is negative or not finite, or a distribution has no mass.

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy.
    """
    p, q = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if p.shape != q.shape:
        raise ValueError(f"first and second must lie on the same points, got shapes {p.shape} and {q.shape}.")
    for name, values in (("first", p), ("second", q)):
        if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
            raise ValueError(f"{name} must be non-negative and finite with a positive sum.")
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    bits = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / (2 * np.log(2))
    return float(min(max(bits, 0.0), 1.0))
