"""Networks look at the images of a run: what each of them sees is kept, and every table of recognizability follows."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import bootstrap, rankdata
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.study.networks import set_sizes
from metamerbook.study.study import Study, first_of_each_category
from metamerbook.study.tasks import ClassifierRef
from metamerlib.checks import check_classifiers
from metamerlib.evaluation import tabulate_recognizability
from metamerlib.models import STAGES, Stage

FEWEST = 3
"""Evaluators below which an interval would mean nothing."""


@dataclass(frozen=True)
class Predictions(Task):
    """What evaluators take the images of a run for; and what its generators take the references for."""

    run: Any  # what makes the images, one of each reference: a `MetamerRun` or an `Attack`
    evaluators: tuple[ClassifierRef, ...]
    generators: tuple[ClassifierRef, ...]

    @classmethod
    def of(cls, study: Study, run: Any, evaluators: Sequence[str] | None = None) -> "Predictions":
        """Describe what a study's evaluators, or those named, say of a run."""
        keys = study.evaluators if evaluators is None else evaluators
        refs = study.networks.classifier_ref
        return cls(run, tuple(map(refs, keys)), tuple(refs(model.key) for model in run.models))

    def compute(self, context: Context) -> dict[str, Tensor]:
        """Return classes and reference_classes (evaluators, N), generated_classes (N,), targets (N,) or residual."""
        result = context.result(self.run)
        attack = isinstance(result, Mapping)
        images = result["images"] if attack else result.images
        keys = [evaluator.key for evaluator in self.evaluators]
        # One network after the other, each for all that it is asked: together they need not fit into the memory.
        at_once = context.images_per_pass
        seen = [(context.models[key].predict(images, at_once), context.classes_of_references(key)) for key in keys]
        return {
            "classes": torch.stack([of_images for of_images, _ in seen]),
            "reference_classes": torch.stack([of_references for _, of_references in seen]),
            "generated_classes": context.generated_classes(self.generators),
        } | ({"targets": result["targets"]} if attack else {"residual": result.residuals.nanmean()})

    @property
    def cost(self) -> float:
        """In updates of an image, of which a forward pass takes about a third."""
        return self.run.stimuli.count * len(self.evaluators) / 3


def evaluate(
    study: Study,
    runs: Iterable[tuple[Mapping[str, Any], Any]],
    *,
    evaluators: Sequence[str] | None = None,
    criterion: str | None = None,
    title: str = "recognizability",
    skip_unusable: bool = True,
) -> pd.DataFrame:
    """Tabulate the recognizability of the images of runs, each under its labels, by evaluator.

    Returns
    -------
    DataFrame
        One row per run and evaluator: the labels; stage, evaluator (key), family, robust, random (never trained),
        held_out (whether it had no part in the run), n (images), recognized, recognizability (share), low and high
        (95 % Wilson interval over images), criterion, reference_accuracy, label_recognizability; for metamers
        residual (mean over images and networks of ‖a' - a‖ / ‖a‖ at the end), for attacks fooled (share of images that
        it takes for what they were aimed at); reason (empty; or why no images could be made, as
        with a network that gives no gradient: then nothing was counted), n_members and n_wanted (networks that the run
        was made with, and that the set under the label model_set should have).
    """
    runs, keys = list(runs), study.evaluators if evaluators is None else tuple(evaluators)
    skeletons = [study.networks.skeleton(key) for key in keys]
    check_classifiers(skeletons, "evaluators", categories=study.references.categories)
    tasks = [Predictions.of(study, run, keys) for _, run in runs]
    unusable = study.execute(tasks, title=title, skip_unusable=skip_unusable)
    traits = study.networks.traits(keys).to_dict("records")
    rows = []
    for (labels, run), task in zip(runs, tasks, strict=True):
        members = [model.key for model in run.models]
        sizes = set_sizes(study.model_sets, labels.get("model_set"), members)
        reason = unusable.get(task.key, "")
        seen = [{}] * len(keys) if reason else _tabulate(study, task, criterion or study.settings.criterion)
        first = dict(labels) | {"stage": run.stage}
        last = {"reason": reason, **sizes}
        for kind, row in zip(traits, seen, strict=True):
            rows.append(first | kind | {"held_out": kind["evaluator"] not in members} | row | last)
    return pd.DataFrame(rows)


def _tabulate(study: Study, task: Predictions, criterion: str) -> list[dict[str, Any]]:
    """Make one row per evaluator."""
    seen, keys = study.result(task), [evaluator.key for evaluator in task.evaluators]
    table = tabulate_recognizability(
        dict(zip(keys, seen["classes"], strict=True)),
        dict(zip(keys, seen["reference_classes"], strict=True)),
        study.references.labels,
        criterion=criterion,
        generated_classes=seen["generated_classes"],
    ).drop(columns="evaluator")
    if "targets" in seen:
        table["fooled"] = (seen["classes"] == seen["targets"]).double().mean(dim=1).tolist()
    else:
        table["residual"] = seen["residual"].item()
    return table.to_dict("records")


def collect(study: Study, tasks: Sequence[Any], title: str) -> pd.DataFrame:
    """Compute tasks whose results are tables of runs, and join these: model_set, stage, theirs, and `set_sizes`."""
    study.execute(tasks, title=title)
    tables = []
    for task in tasks:
        table, run = study.result(task), task.run
        table.insert(0, "model_set", run.name)
        table.insert(1, "stage", run.stage)
        tables.append(table.assign(**set_sizes(study.model_sets, run.name, run.models)))
    return pd.concat(tables, ignore_index=True)


def choices(table: pd.DataFrame, *, held_out_only: bool = True) -> dict[str, "pd.Series[bool]"]:
    """Name the evaluators that averages are over: "all", and "trained", without those only initialised."""
    counted = table["held_out"] if held_out_only else pd.Series(True, index=table.index)
    return {"all": counted, "trained": counted & ~table["random"]}


def mean_over_evaluators(
    table: pd.DataFrame, by: Sequence[str], *, held_out_only: bool = True, value: str = "recognizability"
) -> pd.DataFrame:
    """Average a table of `evaluate` over evaluators, by default without those that had a part in the generation.

    One row per condition and choice of evaluators: the columns of `by`, evaluators ("all" or "trained"), mean, sd (over
    evaluators, n - 1), n_evaluators. A condition without evaluators stays, with NaN.
    """
    rows = []
    for choice, counts in choices(table, held_out_only=held_out_only).items():
        for condition, group in table.groupby(list(by), sort=False):
            values = group.loc[counts[group.index], value].dropna()
            rows.append((*condition, choice, values.mean(), values.std(ddof=1), len(values)))
    return pd.DataFrame(rows, columns=[*by, "evaluators", "mean", "sd", "n_evaluators"])


def contrasts(
    table: pd.DataFrame, by: Sequence[str], baseline: Sequence[Hashable], *, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Compare the recognizability of every condition with that of one of them, evaluator by evaluator.

    One row per condition, in order of appearance: the columns of `by`, mean (over evaluators that had no part in any
    row), sd (n - 1), n_evaluators, baseline (whether it is the one compared with), difference (mean less the
    baseline's), low and high (95 %, percentile bootstrap over evaluators; NaN with fewer than three).
    """
    took_part = set(table.loc[~table["held_out"], "evaluator"])
    counted = table.loc[~table["evaluator"].isin(took_part), "recognizability"]
    samples = {
        condition: counted.reindex(group.index).groupby(group["evaluator"], sort=False).mean().dropna()
        for condition, group in table.groupby(list(by), sort=False)
    }
    baseline = tuple(baseline)
    if baseline not in samples:
        raise ValueError(f"baseline is {baseline}, which is not among the conditions {list(samples)}: name one.")
    rows = []
    for condition, values in samples.items():
        paired = (values - samples[baseline]).dropna().to_numpy()
        difference = paired.mean() if len(paired) else np.nan
        of_values = (values.mean(), values.std(ddof=1), len(values), condition == baseline, difference)
        rows.append((*condition, *of_values, *mean_interval(paired, resamples=resamples, seed=seed)))
    columns = ["mean", "sd", "n_evaluators", "baseline", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*by, *columns])


def mean_interval(values: np.ndarray, *, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Bound the mean of a sample with 95 % confidence, by the percentile bootstrap; NaN below three values."""
    if len(values) < FEWEST:
        return np.nan, np.nan
    found = bootstrap((values,), np.mean, n_resamples=resamples, method="percentile", rng=seed).confidence_interval
    return float(found.low), float(found.high)


def rank_correlation(first: Iterable[float], second: Iterable[float]) -> float:
    """Compute Spearman's rank correlation; NaN for fewer than three values, or where all of a side are equal."""
    ranks = [rankdata(list(values)) for values in (first, second)]
    if len(ranks[0]) < 3 or any(np.ptp(values) == 0 for values in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def featured_set(study: Study) -> str:
    """Choose the set that a chapter shows where it shows one: "CNN" if it runs; else the first ensemble, or set."""
    sets = study.running_sets
    if not sets:
        raise ValueError(f"no model set of this study can run for want of weights: {study.networks.hint()}.")
    ensembles = [name for name, model_set in sets.items() if len(model_set.members) > 1]
    return "CNN" if "CNN" in sets else [*ensembles, *sets][0]


def featured_stage(study: Study) -> Stage:
    """Choose the stage that a chapter shows where it shows one: the deepest; the last where depths are not known."""
    stages = study.settings.stages
    depths = [STAGES.get(stage) if isinstance(stage, str) else float(stage) for stage in stages]
    return stages[-1] if None in depths else max(zip(depths, stages, strict=True), key=lambda pair: pair[0])[1]


def one_per_category(study: Study) -> list[int]:
    """Find the first reference of each category that has an image."""
    return first_of_each_category(study.references, 1)


def spread_over_categories(study: Study, count: int) -> list[int]:
    """Choose up to so many references of different categories, spread evenly over them."""
    firsts = one_per_category(study)
    places = np.linspace(0, len(firsts) - 1, min(count, len(firsts)))
    return [firsts[round(place)] for place in places]
