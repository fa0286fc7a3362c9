"""Representational similarity: whether metamers lie among the representations as their references do.

Images are points in the space of activations. The Euclidean distances between references, between metamers, and between
references and metamers are samples; each becomes a density, and the Jensen-Shannon divergence tells how much two of
them differ (paper, section 4.5 and Figure 5).
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from metamerlib.checks import LARGEST_SEED, check_choice, check_classifiers, check_pair, images_of, shown, whole_number
from metamerlib.evaluation.densities import density, jensen_shannon, shared_grid
from metamerlib.models import Classifier
from metamerlib.models.device import naming_batch_size, without_autocast
from metamerlib.models.independence import check_independence
from metamerlib.models.stages import Stage
from metamerlib.stimuli import StimulusSet

KINDS = ("reference-reference", "metamer-metamer", "reference-metamer", "matching")
"""The kinds of pairs. The first three are pairs of different images (i ≠ j); ``"matching"`` pairs each
metamer with its own reference, which is what the paper's text calls reference-metamer."""


@dataclass(frozen=True, eq=False)
class PairDistances:
    """Euclidean distances between representations, for one set of metamers, evaluator and stage.

    Attributes
    ----------
    metamers, evaluator
        Names of the set of metamers, and of the classifier whose activations these are.
    stage, layer
        The stage asked for, and the name of the module it stands for.
    reference, metamer
        (N, N) float64 distances among references and among metamers: symmetric, zero on the diagonal.
    cross
        (N, N) float64: entry (i, j) is the distance of reference i from metamer j.
    """

    metamers: str
    evaluator: str
    stage: Stage
    layer: str
    reference: Tensor
    metamer: Tensor
    cross: Tensor

    @property
    def named(self) -> dict[str, Stage]:
        """What these are distances of, as a table's first columns."""
        return {name: getattr(self, name) for name in ("metamers", "evaluator", "stage", "layer")}

    def of_kind(self, kind: str) -> Tensor:
        """List the distances of one kind of pair, float64: N(N-1)/2 within a set, N(N-1) across, N matching."""
        check_choice(kind, KINDS, "kind")
        if kind == "matching":
            return self.cross.diagonal().clone()
        n = len(self.cross)
        if kind == "reference-metamer":
            return self.cross[~torch.eye(n, dtype=torch.bool)]
        first, second = torch.triu_indices(n, n, offset=1)
        return (self.reference if kind == "reference-reference" else self.metamer)[first, second]


def pair_distances(
    images: Tensor | Mapping[str, Tensor],
    references: StimulusSet | Tensor,
    evaluators: Iterable[Classifier],
    *,
    stage: Stage,
    batch_size: int = 64,
) -> Iterator[PairDistances]:
    """Measure the distances between representations, evaluator by evaluator.

    Parameters
    ----------
    images
        Metamers, (N, 3, H, W) in [0, 1], metamer i made from reference i; or several such sets by name, which
        spares the references' activations being computed again for each.
    references
        The N references, at the same size; N ≥ 3.

    Yields
    ------
    PairDistances
        For each evaluator, one per set of metamers.

    Raises
    ------
    ValueError
        If shapes do not fit, there are fewer than 3 images, or activations are not finite.
    """
    references = images_of(references)
    batch_size = whole_number(batch_size, "batch_size", at_least=1)
    sets = dict(images) if isinstance(images, Mapping) else {"metamers": images}
    for metamers in sets.values():
        check_pair(metamers, references)
    if len(references) < 3:
        raise ValueError(f"references holds {len(references)} images; distributions of pairs need at least 3.")
    for evaluator in check_classifiers(evaluators, "evaluators"):
        of_references = flat_activations(references, evaluator, stage, batch_size)
        among_references = euclidean_distances(of_references, of_references)
        layer = evaluator.layer(stage)
        for name, metamers in sets.items():
            of_metamers = flat_activations(metamers, evaluator, stage, batch_size)
            cross = euclidean_distances(of_references, of_metamers)
            # Pairs that nearly coincide, measured without the cancellation of the product formula.
            cross.diagonal().copy_((of_references - of_metamers).double().norm(dim=1).cpu())
            among_metamers = euclidean_distances(of_metamers, of_metamers)
            yield PairDistances(name, evaluator.name, stage, layer, among_references, among_metamers, cross)


def check_distances(distances: Iterable[PairDistances]) -> Iterator[PairDistances]:
    """Check one after the other, as they are computed, that they are distances of pairs."""
    if not isinstance(distances, Iterable) or isinstance(distances, str | bytes | Mapping | torch.Tensor):
        raise TypeError(f"distances is {shown(distances)}: pass what pair_distances yields.")
    for one in distances:
        if not isinstance(one, PairDistances):
            raise TypeError(f"distances holds {shown(one)}: pass what pair_distances yields.")
        yield one


def representational_divergence(
    distances: Iterable[PairDistances], *, max_pairs: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Compare the distributions of the kinds of pairs with each other.

    Parameters
    ----------
    distances
        As :func:`pair_distances` yields them.
    max_pairs
        A kind with more pairs than this is represented by so many of them, drawn at random.

    Returns
    -------
    pandas.DataFrame
        For each element of ``distances`` the six comparisons of two kinds: ``metamers``, ``evaluator``,
        ``stage``, ``layer``, ``first`` and ``second`` (kinds), ``n_first`` and ``n_second`` (pairs that entered)
        and ``divergence`` (bits, 0 to 1). The paper's Figure 5 compares reference-reference with reference-metamer.

    Notes
    -----
    Perfect metamers bring Figure 5's divergence close to 0: they lie where their references lie. The comparison with
    ``"matching"`` reads the other way round: the better the metamers, the more their distance from their own references
    differs from that of unrelated images.
    """
    max_pairs = whole_number(max_pairs, "max_pairs", at_least=2)
    seed = whole_number(seed, "seed", at_most=LARGEST_SEED)
    rows = []
    for cell in check_distances(distances):
        generator = torch.Generator().manual_seed(seed)
        samples = {}
        for kind in KINDS:
            sample = cell.of_kind(kind)
            if len(sample) > max_pairs:
                sample = sample[torch.randperm(len(sample), generator=generator)[:max_pairs]]
            samples[kind] = sample
        grid = shared_grid(list(samples.values()))
        densities = {kind: density(sample, grid).numpy() for kind, sample in samples.items()}
        for first, second in itertools.combinations(KINDS, 2):
            divergence = jensen_shannon(densities[first], densities[second])
            sizes = {"n_first": len(samples[first]), "n_second": len(samples[second])}
            rows.append(cell.named | {"first": first, "second": second} | sizes | {"divergence": divergence})
    return pd.DataFrame(rows)


@torch.no_grad()
def flat_activations(images: Tensor, model: Classifier, stage: Stage, batch_size: int = 64) -> Tensor:
    """Compute a model's activations, (N, features), complex ones as twice as many real features."""
    check_independence(model, images, stage)
    device = model.device if model.device.type == "cuda" else torch.device("cpu")
    with naming_batch_size(f"reading the activations of model {model.name!r}", batch_size), without_autocast(device):
        parts = [
            model.activations(batch.float().to(model.device), stage).flatten(1).to(device)
            for batch in images.split(batch_size)
        ]
    rows = torch.cat(parts)
    if rows.is_quantized:
        rows = rows.dequantize()
    if rows.is_complex():
        rows = torch.view_as_real(rows).flatten(1)
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    if not torch.isfinite(rows).all():
        broken = (~torch.isfinite(rows)).any(dim=1).nonzero().flatten().tolist()
        raise ValueError(
            f"model {model.name!r} gives activations that are not finite at stage {stage!r} for images {broken[:5]}: "
            "leave this model out, or choose another stage."
        )
    return rows


def euclidean_distances(first: Tensor, second: Tensor) -> Tensor:
    """Measure the distance of every row of one matrix from every row of another: (N, M) float64 on the CPU."""
    # By |a|² + |b|² - 2 a·b, which is many times faster than subtracting the rows, and precise in float64 because the
    # origin is first moved into the middle of the points.
    squared = torch.zeros(len(first), len(second), dtype=torch.float64, device=first.device)
    for a, b in in_slabs(first, second):
        origin = a.mean(dim=0)
        a, b = a - origin, b - origin
        squared += (a**2).sum(dim=1)[:, None] + (b**2).sum(dim=1) - 2 * a @ b.T
    if first is second:
        squared.fill_diagonal_(0)
    return squared.clamp_min(0).sqrt().cpu()


def in_slabs(first: Tensor, second: Tensor, columns: int = 1 << 16) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through both matrices in float64 a slab of columns at a time, to bound the memory."""
    for a, b in zip(first.split(columns, dim=1), second.split(columns, dim=1), strict=True):
        yield a.double(), b.double()
