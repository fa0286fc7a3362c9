"""Activations of many images as rows of one matrix, and how such rows compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from scipy.stats import rankdata
from torch import Tensor

from metamerlib.models.memory import naming_batch_size

if TYPE_CHECKING:
    from metamerlib.models import Classifier
    from metamerlib.models.stages import Stage


@torch.no_grad()
def flat_activations(images: Tensor, model: Classifier, stage: Stage, batch_size: int = 64) -> Tensor:
    """Compute a model's activations, one flat row per image.

    Parameters
    ----------
    images
        (N, 3, H, W) in [0, 1], on any device.
    model
        The classifier to read.
    stage
        Where to read.
    batch_size
        Images per forward pass.

    Returns
    -------
    Tensor
        (N, features) float32, on the model's device if that computes in double precision, else on the CPU.

    Raises
    ------
    ValueError
        If an activation is not finite.
    """
    device = model.device if model.device.type == "cuda" else torch.device("cpu")
    with naming_batch_size(f"reading the activations of model {model.name!r}", batch_size):
        parts = [
            model.activations(batch.float().to(model.device), stage).flatten(1).to(device)
            for batch in images.split(batch_size)
        ]
    rows = torch.cat(parts)
    if not torch.isfinite(rows).all():
        broken = (~torch.isfinite(rows)).any(dim=1).nonzero().flatten().tolist()
        raise ValueError(
            f"model {model.name!r} gives activations that are not finite at stage {stage!r} for images {broken[:5]}: "
            f"leave this model out, or choose another stage."
        )
    return rows


def euclidean_distances(first: Tensor, second: Tensor) -> Tensor:
    """Measure the distance of every row of one matrix from every row of another.

    By ``|a|² + |b|² - 2 a·b`` in float64, which is many times faster than subtracting the rows, and precise
    because the origin is first moved into the middle of the points.

    Parameters
    ----------
    first, second
        (N, features) and (M, features).

    Returns
    -------
    Tensor
        (N, M) float64 on the CPU; exactly 0 on the diagonal if both are the same tensor.
    """
    squared = torch.zeros(len(first), len(second), dtype=torch.float64, device=first.device)
    for a, b in _slabs(first, second):
        origin = a.mean(dim=0)
        a, b = a - origin, b - origin
        squared += (a**2).sum(dim=1)[:, None] + (b**2).sum(dim=1) - 2 * a @ b.T
    if first is second:
        squared.fill_diagonal_(0)
    return squared.clamp_min(0).sqrt().cpu()


def row_correlations(first: Tensor, second: Tensor) -> Tensor:
    """Pearson correlation of every row of one matrix with every row of another.

    Parameters
    ----------
    first, second
        (N, features) and (M, features).

    Returns
    -------
    Tensor
        (N, M) float64 on the CPU, in [-1, 1]; NaN for a row whose features are all equal.
    """
    mean_1, mean_2 = (x.mean(dim=1, keepdim=True, dtype=torch.float64) for x in (first, second))
    products = torch.zeros(len(first), len(second), dtype=torch.float64, device=first.device)
    squares_1, squares_2 = (torch.zeros(len(x), dtype=torch.float64, device=x.device) for x in (first, second))
    for a, b in _slabs(first, second):
        a, b = a - mean_1, b - mean_2
        products += a @ b.T
        squares_1 += (a**2).sum(dim=1)
        squares_2 += (b**2).sum(dim=1)
    # Equal features leave rounding for a spread; calling that a direction would make up a correlation.
    tiny = 1e-20 * first.shape[1]
    squares_1 = squares_1.masked_fill(squares_1 <= tiny * mean_1.squeeze(1) ** 2, torch.nan)
    squares_2 = squares_2.masked_fill(squares_2 <= tiny * mean_2.squeeze(1) ** 2, torch.nan)
    return (products / (squares_1[:, None] * squares_2).sqrt()).clamp(-1, 1).cpu()


def row_ranks(rows: Tensor) -> Tensor:
    """Replace each row's entries by their ranks, ties averaged.

    Parameters
    ----------
    rows
        (N, features).

    Returns
    -------
    Tensor
        (N, features) float32 on the CPU: exact up to 16 million features.
    """
    return torch.stack([torch.from_numpy(rankdata(row.numpy())).float() for row in rows.cpu()])


def _slabs(first: Tensor, second: Tensor, columns: int = 1 << 16) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through both matrices in float64 a slab of columns at a time, to bound the memory."""
    for a, b in zip(first.split(columns, dim=1), second.split(columns, dim=1), strict=True):
        yield a.double(), b.double()
