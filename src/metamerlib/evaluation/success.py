"""Whether a metamer is one: Feather et al.'s criterion for a successful optimisation.

Feather et al. (2023) call a metamer successful if its activations match the reference's better than chance, by three
measures at once (Spearman and Pearson correlation and signal-to-noise ratio), each outside the distribution that pairs
of unrelated images give, and if the model puts both into the same class.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata
from torch import Tensor

from metamerlib.checks import check_classifiers, check_images, check_pair, images_of, real_number, whole_number
from metamerlib.evaluation.representation import euclidean_distances, flat_activations, in_slabs
from metamerlib.models import Classifier
from metamerlib.models.independence import check_independence
from metamerlib.models.stages import Stage
from metamerlib.stimuli import StimulusSet

MEASURES = ("spearman", "pearson", "snr_db")
"""How a metamer's activations are compared with its reference's."""


def metamer_success(
    images: Tensor,
    references: StimulusSet | Tensor,
    models: Iterable[Classifier],
    *,
    stage: Stage,
    null_images: StimulusSet | Tensor | None = None,
    null_quantile: float = 1.0,
    batch_size: int = 64,
) -> pd.DataFrame:
    """Decide of every metamer, for each model, whether it is one by Feather et al.'s criterion.

    Parameters
    ----------
    images
        Metamers, (N, 3, H, W) in [0, 1]; metamer i was made from reference i.
    references
        The N references, at the same size.
    models
        The models to ask: those the metamers were made with, for the criterion proper; or any others.
    stage
        Where the activations are compared: the stage the metamers were made at.
    null_images
        At least two images, whose ordered pairs are the null distribution; the references by default.
    null_quantile
        A measure passes if it lies above this quantile of the null distribution: 1 demands more than any
        unrelated pair reaches, 0.95 more than 95 % of them.

    Returns
    -------
    pandas.DataFrame
        One row per model and metamer: ``model``, ``stage``, ``layer``, ``image`` (index), ``spearman`` and
        ``pearson`` (in [-1, 1]), ``snr_db`` (``10 log10(‖a‖²/‖a' - a‖²)``; infinite for equal activations),
        ``spearman_percentile``, ``pearson_percentile`` and ``snr_db_percentile`` (share of the null pairs below
        the value, 0 to 100), ``null_pairs`` (their number), ``beyond_null`` (all three measures pass),
        ``same_class`` (the model gives metamer and reference one class) and ``metamer`` (the verdict: both).
        A correlation that does not exist, because all activations of an image are equal, is NaN and passes nothing.

    Raises
    ------
    ValueError
        If shapes do not fit, ``null_quantile`` is not in (0, 1], or there are fewer than two null images.

    References
    ----------
    Feather et al. (2023), Model metamers reveal divergent invariances between biological and artificial networks.
    """
    references = images_of(references)
    check_pair(images, references)
    null_quantile = real_number(null_quantile, "null_quantile", above=0, at_most=1)
    batch_size = whole_number(batch_size, "batch_size", at_least=1)
    null_images = references if null_images is None else images_of(null_images, "null_images")
    check_images(null_images, "null_images", any_float=True)
    if len(null_images) < 2:
        raise ValueError(
            f"null_images holds {len(null_images)} image; unrelated pairs need at least 2, and many more to mean much."
        )
    tables = []
    for model in check_classifiers(models, "models"):
        check_independence(model, images)
        wanted = flat_activations(references, model, stage, batch_size)
        reached = flat_activations(images, model, stage, batch_size)
        unrelated = wanted if null_images is references else flat_activations(null_images, model, stage, batch_size)
        chance, found = _null_measures(unrelated), _matched_measures(reached, wanted)
        table: dict[str, object] = {"model": model.name, "stage": stage, "layer": model.layer(stage)}
        table |= {"image": np.arange(len(images)), **found}
        table |= {f"{measure}_percentile": _percentiles(found[measure], chance[measure]) for measure in MEASURES}
        table["null_pairs"] = len(chance["snr_db"])
        table["beyond_null"] = np.logical_and.reduce(
            [found[measure] > _quantile(chance[measure], null_quantile) for measure in MEASURES]
        )
        classes = (model.predict(x.float(), batch_size=batch_size).cpu() for x in (images, references))
        table["same_class"] = torch.eq(*classes).numpy()
        table["metamer"] = table["beyond_null"] & table["same_class"]
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True)


def signal_to_noise(signal: Tensor, other: Tensor) -> Tensor:
    """Compare rows in decibels, ``10 log10`` of the squared norms of signal and difference: infinite for equal rows."""
    noise = (other - signal).double().norm(dim=1)
    return 20 * torch.log10(signal.double().norm(dim=1) / noise)


def _matched_measures(reached: Tensor, wanted: Tensor) -> dict[str, np.ndarray]:
    """Compare metamer i with reference i."""

    def correlations(a: Tensor, b: Tensor) -> np.ndarray:
        return np.array([row_correlations(x[None], y[None]).item() for x, y in zip(a, b, strict=True)])

    return {
        "spearman": correlations(row_ranks(reached), row_ranks(wanted)),
        "pearson": correlations(reached, wanted),
        "snr_db": signal_to_noise(wanted, reached).cpu().numpy(),
    }


def _null_measures(unrelated: Tensor) -> dict[str, np.ndarray]:
    """Compare all ordered pairs of two different images."""
    different = ~torch.eye(len(unrelated), dtype=torch.bool)
    ranks = row_ranks(unrelated)
    norms = unrelated.double().norm(dim=1, keepdim=True).cpu()
    measures = {
        "spearman": row_correlations(ranks, ranks),
        "pearson": row_correlations(unrelated, unrelated),
        "snr_db": 20 * torch.log10(norms / euclidean_distances(unrelated, unrelated)),
    }
    return {name: values[different].numpy() for name, values in measures.items()}


def _percentiles(values: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Share of the null distribution below each value, in per cent."""
    ordered = np.sort(chance[~np.isnan(chance)])
    if not len(ordered):
        return np.full(len(values), np.nan)
    share = 100 * np.searchsorted(ordered, values, side="left") / len(ordered)
    return np.where(np.isnan(values), np.nan, share)


def _quantile(chance: np.ndarray, quantile: float) -> float:
    """Find the value that so much of the null distribution does not exceed; infinite if there is none."""
    ordered = np.sort(chance[~np.isnan(chance)])
    return float(ordered[int(np.ceil(quantile * len(ordered))) - 1]) if len(ordered) else float("inf")


def row_correlations(first: Tensor, second: Tensor) -> Tensor:
    """Correlate every row of one matrix with every row of another (Pearson): (N, M) float64, NaN for flat rows."""
    mean_1, mean_2 = (x.mean(dim=1, keepdim=True, dtype=torch.float64) for x in (first, second))
    products = torch.zeros(len(first), len(second), dtype=torch.float64, device=first.device)
    squares_1, squares_2 = (torch.zeros(len(x), dtype=torch.float64, device=x.device) for x in (first, second))
    for a, b in in_slabs(first, second):
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
    """Replace each row's entries by their ranks, ties averaged: float32, exact up to 16 million features."""
    return torch.stack([torch.from_numpy(rankdata(row.numpy())).float() for row in rows.cpu()])
