"""Chapter 07: whether metamers lie where references lie, in other networks and in their own (paper, Fig. 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any

import pandas as pd
from pydantic import Field
from scipy.stats import binomtest

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.ensembles.recognizability import tasks as recognizability_tasks
from metamerbook.study.judging import collect, rank_correlation
from metamerbook.study.networks import set_sizes
from metamerbook.study.settings import Section
from metamerbook.study.study import Study
from metamerbook.study.tasks import MetamerRun, ModelRef
from metamerbook.study.values import Count, Quantile
from metamerlib.evaluation import KINDS, distance_correlation, pair_distances, representational_divergence
from metamerlib.evaluation import metamer_success as measure
from metamerlib.evaluation.densities import density, shared_grid
from metamerlib.models import STAGES, Stage


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

LEVEL = 0.05
"""p-values below it are counted."""


@dataclass(frozen=True)
class Representations(Task):
    """Distances between the metamers and references of runs, compared in one network; the result is a table.

    The runs are of the same references and together, so that the references' activations are computed once.
    """

    runs: tuple[MetamerRun, ...]
    evaluator: ModelRef
    stage: Stage
    max_pairs: int  # of a kind, that enter a density
    permutations: int  # behind the p-values

    def compute(self, context: Context) -> pd.DataFrame:
        sets = {str(position): context.metamers(run).images for position, run in enumerate(self.runs)}
        evaluator = context.models[self.evaluator.key]
        cells = list(pair_distances(sets, context.references, [evaluator], stage=self.stage))
        correlations = distance_correlation(cells, permutations=self.permutations)
        divergences = representational_divergence(cells, max_pairs=self.max_pairs)
        divergences["comparison"] = divergences["first"] + " | " + divergences["second"]
        wide = divergences.pivot(index="metamers", columns="comparison", values="divergence")
        return correlations.join(wide, on="metamers").drop(columns=["metamers", "evaluator", "stage"])

    @property
    def label(self) -> str:
        return f"{self.evaluator.key}, {self.stage}"

    @property
    def cost(self) -> float:
        # In updates of an image: forward passes, and densities, which take as long as some twenty.
        return self.runs[0].stimuli.count * (len(self.runs) + 1) / 3 + 20.0 * len(self.runs)


@dataclass(frozen=True)
class Success(Task):
    """Metamers held against pairs of unrelated references, in the networks that made them; the result is a table."""

    run: MetamerRun
    null_quantile: float  # of the unrelated pairs, which a metamer must exceed

    def compute(self, context: Context) -> pd.DataFrame:
        models = [context.models[model.key] for model in self.run.models]
        metamers = context.metamers(self.run).images
        table = measure(metamers, context.references, models, stage=self.run.stage, null_quantile=self.null_quantile)
        return table.drop(columns="stage")

    @property
    def cost(self) -> float:
        # In updates of an image: forward passes, and correlations of ranks.
        return 3.0 * self.run.stimuli.count * len(self.run.models)


def representation_runs(study: Study) -> Iterator[Representations]:
    """Describe the comparisons at every stage in every evaluator that has it: not all have a module of some name."""
    settings = study.settings.of(RepresentationalSimilarity)
    for stage, key in product(study.settings.stages, study.evaluators):
        runs = tuple(run for run in study.runs if run.stage == stage)
        of_all = stage in STAGES or not isinstance(stage, str)
        if of_all or stage in dict(study.networks.skeleton(key).module.named_modules()):
            yield Representations(runs, study.networks.ref(key), stage, settings.max_pairs, settings.permutations)


def success_runs(study: Study) -> list[Success]:
    """Describe the tests of the metamers of every set and stage."""
    return [Success(run, study.settings.of(RepresentationalSimilarity).null_quantile) for run in study.runs]


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes, short of the densities of its figure."""
    return [*recognizability_tasks(study), *representation_runs(study), *success_runs(study)]


def divergence(study: Study) -> pd.DataFrame:
    """Compare the distributions of distances between representations, in every evaluator.

    One row per model set, stage and evaluator that has this stage: model_set, stage, evaluator (key), family, robust,
    random, took_part (whether the metamers were made with it), layer, n (images), Jensen-Shannon divergences in bits,
    from 0 (equal) to 1, under the names of `COMPARISONS`; n_members and n_wanted.
    """
    return _table(study, {name: " | ".join(kinds) for name, kinds in COMPARISONS.items()})


def distance_correlations(study: Study) -> pd.DataFrame:
    """Correlate distances between references with distances between their metamers, in every evaluator.

    Rows and columns are those of `divergence`, with pairs, pearson, pearson_p, spearman and spearman_p (one-sided, by
    permuting the images; NaN where all representations are equally far apart) in the place of divergences.
    """
    return _table(study, {name: name for name in ("pairs", "pearson", "pearson_p", "spearman", "spearman_p")})


def _table(study: Study, columns: dict[str, str]) -> pd.DataFrame:
    comparisons = list(representation_runs(study))
    study.execute(comparisons, title="representations")
    traits = study.networks.traits(study.evaluators).set_index("evaluator", drop=False)
    rows = []
    for task in comparisons:
        kind, result = traits.loc[task.evaluator.key], study.result(task)[["layer", "n", *columns.values()]]
        result.columns = ["layer", "n", *columns]
        for run, row in zip(task.runs, result.to_dict("records"), strict=True):
            took_part = task.evaluator.key in [model.key for model in run.models]
            first = {"model_set": run.name, "stage": task.stage, **kind, "took_part": took_part}
            rows.append(first | row | set_sizes(study.model_sets, run.name, run.models))
    table = pd.DataFrame(rows)
    # In the order of the other tables: sets, then stages, then evaluators.
    order = {run.name: position for position, run in enumerate(study.runs)}
    return table.sort_values("model_set", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def mean_representation(divergences: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """Average what is known of representations over the evaluators that had no part in the generation.

    One row per model set and stage: model_set, stage, n_evaluators, the means of `COMPARISONS`, pearson and spearman
    (NaN without values), pearson_low and pearson_high (the extreme evaluators'), significant and tested (evaluators
    whose Pearson correlation has a permutation p-value below `LEVEL`, and those that have one).
    """
    keys = ["model_set", "stage", "evaluator"]
    table = divergences.merge(correlations[[*keys, "pearson", "pearson_p", "spearman"]], on=keys, how="left")
    measured = [*COMPARISONS, "pearson", "spearman", "pearson_p"]
    table[measured] = table[measured].mask(table["took_part"])
    table = table.assign(held_out=~table["took_part"], significant=table["pearson_p"] < LEVEL)
    means = {name: (name, "mean") for name in measured[:-1]}
    return table.groupby(["model_set", "stage"], sort=False, as_index=False).agg(
        n_evaluators=("held_out", "sum"),
        **means,
        pearson_low=("pearson", "min"),
        pearson_high=("pearson", "max"),
        significant=("significant", "sum"),
        tested=("pearson_p", "count"),
    )


def divergence_agreement(divergences: pd.DataFrame, recognizability: pd.DataFrame) -> tuple[float, int]:
    """Compare how far metamers lie from references with how recognizable they are, evaluator by evaluator.

    Returns the `rank_correlation` over cells (set, stage and evaluator without part in the set), and their number.
    """
    keys = ["model_set", "stage", "evaluator"]
    both = divergences.merge(recognizability.loc[recognizability["held_out"], [*keys, "recognizability"]], on=keys)
    both = both[~both["took_part"]].dropna(subset=["divergence", "recognizability"])
    return rank_correlation(both["divergence"], both["recognizability"]), len(both)


def common_evaluator(divergences: pd.DataFrame, stage: Stage) -> str:
    """Choose the first evaluator that was trained and took part in no set; failing that, the first."""
    of_stage = divergences[divergences["stage"] == stage]
    part = of_stage.groupby("evaluator", sort=False)[["took_part", "random"]].any().any(axis=1)
    return str((part[~part] if not part.all() else part).index[0])


def distance_densities(study: Study, stage: Stage, evaluator: str, *, points: int = 200) -> pd.DataFrame:
    """Estimate the distributions behind the cells of Figure 5 of one stage and evaluator, for every set.

    For each set, kind of pair (`KINDS`) and distance: distance (between activations), density, kind, n (pairs),
    model_set.
    """
    tables = []
    for name in study.running_sets:
        metamers = study.metamers(name, stage).images
        cell = next(pair_distances(metamers, study.references, [study.networks.models[evaluator]], stage=stage))
        samples = [cell.of_kind(kind) for kind in KINDS]
        grid = shared_grid(samples, points)
        for kind, sample in zip(KINDS, samples, strict=True):
            curve = {"distance": grid, "density": density(sample, grid)}
            tables.append(pd.DataFrame(curve).assign(kind=kind, n=len(sample), model_set=name))
    return pd.concat(tables, ignore_index=True)


def metamer_success(study: Study) -> pd.DataFrame:
    """Test every metamer by Feather et al.'s criterion, in the networks that it was made with.

    One row per model set, stage, generating model and image: model_set, stage, what the library's `metamer_success`
    returns, with category (of the reference) behind image; n_members and n_wanted.
    """
    table, names = collect(study, success_runs(study), "metamers against chance"), study.references.category_names
    table.insert(table.columns.get_loc("image") + 1, "category", [names[image] for image in table["image"]])
    return table


def success_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count the metamers of a table of `metamer_success` that pass.

    For every model set and stage one row for "all" its models together (an image passes if it passes in each) and, in
    sets of several, one for each: model_set, stage, model ("all" or a key), n (images), beyond_null, same_class and
    metamer (how many images), share (of metamers), low and high (95 % Wilson), n_members, n_wanted.
    """
    verdicts = ["beyond_null", "same_class", "metamer"]
    rows = []
    for (model_set, stage, *sizes), group in table.groupby(["model_set", "stage", "n_members", "n_wanted"], sort=False):
        parts = {"all": group.groupby("image")[verdicts].all()}
        if group["model"].nunique() > 1:
            parts |= {key: part[verdicts] for key, part in group.groupby("model", sort=False)}
        for model, part in parts.items():
            n, counts = len(part), part.sum().astype(int).tolist()
            interval = binomtest(counts[-1], n).proportion_ci(0.95, method="wilson")
            share = (counts[-1] / n, float(interval.low), float(interval.high))
            rows.append((model_set, stage, model, n, *counts, *share, *sizes))
    columns = ["model_set", "stage", "model", "n", *verdicts, "share", "low", "high", "n_members", "n_wanted"]
    return pd.DataFrame(rows, columns=columns)


def facts(means: pd.DataFrame, counts: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose.

    In `apart` of `pairs` of a set and a stage, metamers differ among themselves from references more than the two from
    each other do. Images of ensembles pass in one network (`alone`) and in all (`together`).
    """
    known = means.dropna(subset=["divergence", "metamer_metamer"])
    of_sets, single = counts[counts["model"] == "all"], counts[counts["model"] != "all"]
    ensembles = of_sets[of_sets["model_set"].isin(single["model_set"])]
    return {
        "pairs": len(known),
        "apart": int((known["metamer_metamer"] > known["divergence"]).sum()),
        "significant": int(means["significant"].sum()),
        "tested": int(means["tested"].sum()),
        "images": int(of_sets["n"].sum()),
        "close": int(of_sets["beyond_null"].sum()),
        "same-class": int(of_sets["same_class"].sum()),
        "metamers": int(of_sets["metamer"].sum()),
        "alone": _share(single),
        "together": _share(ensembles),
    }


def _share(counts: pd.DataFrame) -> str:
    return f"{counts['metamer'].sum() / counts['n'].sum():.0%}" if len(counts) else "–"
