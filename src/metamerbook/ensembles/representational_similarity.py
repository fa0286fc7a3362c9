"""Whether metamers lie among other networks' representations as their references do (paper, section 4.5 and Fig. 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import Field

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.study.model_sets import set_sizes
from metamerbook.study.settings import Count, Quantile, Section
from metamerbook.study.tasks import MetamerRun, ModelRef
from metamerlib.evaluation import KINDS, distance_correlation, pair_distances, representational_divergence
from metamerlib.evaluation.densities import density, shared_grid
from metamerlib.models import STAGES, Stage

if TYPE_CHECKING:
    from metamerbook.study.study import Study


class RepresentationalSimilarity(Section):
    """How distances between activations are compared."""

    max_pairs: Annotated[Count, Field(ge=2)] = 10_000  # of images of one kind in a density; more are drawn from
    permutations: Count = 999  # orders of the images that the p-values of correlated distances count
    null_quantile: Quantile = 1.0  # of unrelated pairs, which a metamer must exceed to be one


COMPARISONS = {
    "divergence": ("reference-reference", "reference-metamer"),
    "metamer_metamer": ("reference-reference", "metamer-metamer"),
    "cross_metamer": ("metamer-metamer", "reference-metamer"),
    "matching": ("reference-reference", "matching"),
}
"""Columns of `divergence`, and the kinds of pairs that each compares; the first is Figure 5's."""


@dataclass(frozen=True)
class Representations(Task):
    """Compare the representations of the metamers of some runs with those of their references, in one network.

    The runs are together, so that the references' activations are computed once. The result is a table.

    Attributes
    ----------
    runs
        Metamers of the same references.
    evaluator
        The network whose activations are compared.
    stage
        Where they are read.
    max_pairs
        Pairs of a kind that enter a density.
    permutations
        Orders of the images that p-values count.
    """

    runs: tuple[MetamerRun, ...]
    evaluator: ModelRef
    stage: Stage
    max_pairs: int
    permutations: int

    def compute(self, context: Context) -> pd.DataFrame:
        sets = {str(position): context.metamers(run).images for position, run in enumerate(self.runs)}
        evaluator = context.models[self.evaluator.key]
        cells = list(pair_distances(sets, context.references, [evaluator], stage=self.stage))
        correlations = distance_correlation(cells, permutations=self.permutations)
        divergences = representational_divergence(cells, max_pairs=self.max_pairs)
        comparison = divergences["first"] + " | " + divergences["second"]
        wide = divergences.assign(comparison=comparison).pivot(
            index="metamers", columns="comparison", values="divergence"
        )
        return correlations.join(wide, on="metamers").drop(columns=["metamers", "evaluator", "stage"])

    def about(self) -> dict[str, Any]:
        """Return the names of the sets.

        Returns
        -------
        dict
            Their names, and what the first run notes of its images.
        """
        return {**self.runs[0].about(), "set": [run.name for run in self.runs]}

    @property
    def label(self) -> str:
        """Names of the evaluator and the stage."""
        return f"{self.evaluator.key}, {self.stage}"

    @property
    def cost(self) -> float:
        """In updates of an image: forward passes, and densities, which take as long as some twenty."""
        return self.runs[0].stimuli.count * (len(self.runs) + 1) / 3 + 20.0 * len(self.runs)


def divergence(study: "Study") -> pd.DataFrame:
    """Compare the distributions of distances between representations, in every evaluator.

    Parameters
    ----------
    study
        Which sets, stages and evaluators; its setting ``max_pairs`` bounds the pairs of images.

    Returns
    -------
    DataFrame
        One row per model set, stage and evaluator that has this stage: model_set, stage, evaluator (key), family,
        robust, random, took_part (whether the metamers were made with it: dashed in Figure 5), layer, n (images),
        Jensen-Shannon divergences in bits, from 0 (equal) to 1: divergence (reference-reference pairs against
        reference-metamer pairs: the cell of Figure 5), metamer_metamer (against metamer-metamer pairs), cross_metamer
        (metamer-metamer against reference-metamer pairs), matching (reference-reference pairs against each metamer and
        its own reference); n_members and n_wanted.
    """
    return _table(study, {name: " | ".join(kinds) for name, kinds in COMPARISONS.items()})


def distance_correlations(study: "Study") -> pd.DataFrame:
    """Correlate distances between references with distances between their metamers, in every evaluator.

    Parameters
    ----------
    study
        Which sets, stages and evaluators; its setting ``permutations`` is behind the p-values.

    Returns
    -------
    DataFrame
        One row per model set, stage and evaluator that has this stage: model_set, stage, evaluator (key), family,
        robust, random, took_part, layer, n (images), pairs, pearson, pearson_p, spearman, spearman_p (one-sided, by
        permuting the images), n_members and n_wanted. NaN where all representations are equally far apart.
    """
    return _table(study, {name: name for name in ("pairs", "pearson", "pearson_p", "spearman", "spearman_p")})


def _table(study: "Study", columns: dict[str, str]) -> pd.DataFrame:
    study.execute(study.runs)
    tasks = list(representation_runs(study))
    study.execute(tasks, title="representations")
    traits = study.networks.traits(study.evaluators).set_index("evaluator")
    rows = []
    for task in tasks:
        key, result = task.evaluator.key, study.result(task).to_dict("records")
        for run, row in zip(task.runs, result, strict=True):
            rows.append(
                {"model_set": run.name, "stage": task.stage, "evaluator": key}
                | traits.loc[key].to_dict()
                | {"took_part": key in [model.key for model in run.models], "layer": row["layer"], "n": row["n"]}
                | {name: row[source] for name, source in columns.items()}
                | set_sizes(study.model_sets, run)
            )
    table = pd.DataFrame(rows)
    # In the order of the other tables: sets, then stages, then evaluators.
    order = {run.name: position for position, run in enumerate(study.runs)}
    return table.sort_values("model_set", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def representation_runs(study: "Study") -> Iterator[Representations]:
    """Describe the comparisons of every stage in every evaluator that has it.

    Parameters
    ----------
    study
        As for `divergence`.

    Yields
    ------
    Representations
        By stage, then evaluator.
    """
    settings = study.settings.of(RepresentationalSimilarity)
    for stage in study.settings.stages:
        runs = tuple(run for run in study.runs if run.stage == stage)
        for key in study.evaluators:
            if _has(study, key, stage):
                yield Representations(runs, study.networks.ref(key), stage, settings.max_pairs, settings.permutations)


def _has(study: "Study", key: str, stage: Stage) -> bool:
    """Tell whether a network has a stage: the three and depths all have, a module's name only some."""
    if stage in STAGES or not isinstance(stage, str):
        return True
    return stage in dict(study.networks.skeleton(key).module.named_modules())


def distance_densities(
    study: "Study", model_set: str, stage: Stage, evaluator: str, *, points: int = 200
) -> pd.DataFrame:
    """Estimate the distributions behind one cell of Figure 5.

    Parameters
    ----------
    study
        Whose metamers.
    model_set
        Name of a set, or key of a network.
    stage
        The stage.
    evaluator
        Key of the network whose representations are looked at.
    points
        Distances at which the densities are given.

    Returns
    -------
    DataFrame
        For each kind of pair ("reference-reference", "metamer-metamer", "reference-metamer", and "matching": each
        metamer and its own reference) and distance: kind, distance (Euclidean, between activations), density, n
        (pairs).
    """
    metamers = study.metamers(model_set, stage).images
    cell = next(pair_distances(metamers, study.references, [study.networks.models[evaluator]], stage=stage))
    samples = {kind: cell.of_kind(kind) for kind in KINDS}
    grid = shared_grid(list(samples.values()), points)
    tables = [
        pd.DataFrame({"kind": kind, "distance": grid, "density": density(sample, grid), "n": len(sample)})
        for kind, sample in samples.items()
    ]
    return pd.concat(tables, ignore_index=True)
