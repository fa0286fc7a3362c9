"""Chapter 05: how well metamers match, and which networks recognize them (paper, section 4.5, Figs. 2 and 3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from torch import Tensor

from metamerbook.engine.task import Task
from metamerbook.study.judging import Predictions, choices, evaluate, mean_over_evaluators
from metamerbook.study.published import published_means
from metamerbook.study.study import Study
from metamerlib.evaluation import CRITERIA
from metamerlib.models import Stage
from metamerlib.system import atomic_write, file_names

GOOD_MATCH = 0.1
"""The residual below which a metamer counts as a good match."""

_SHORT = 1000  # updates per network: who runs more of them would wait for days for a longer search


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes, short of `longer_search`, which depends on the residuals."""
    return [*study.runs, *(Predictions.of(study, run) for run in study.runs)]


def recognizability(study: Study, criterion: str | None = None) -> pd.DataFrame:
    """Tabulate which share of the metamers each evaluator recognizes.

    One row per model set, stage and evaluator: model_set, and what `evaluate` returns short of residual and reason.
    """
    labelled = [({"model_set": run.name}, run) for run in study.runs]
    table = evaluate(study, labelled, criterion=criterion, skip_unusable=False)
    return table.drop(columns=["residual", "reason"])


def mean_recognizability(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability by set and stage, as `mean_over_evaluators` does; with n_members and n_wanted."""
    by = ["model_set", "stage"]
    return mean_over_evaluators(table, by).merge(table.drop_duplicates(by)[[*by, "n_members", "n_wanted"]], on=by)


def overall_recognizability(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over all evaluators and sets, as section 4.5 of the paper does per stage.

    One row per stage and choice of evaluators: stage, evaluators ("all" or "trained"), mean and sd (n − 1; over all
    pairs of a set and an evaluator that had no part in it), n_pairs, n_sets, n_evaluators (different ones).
    """
    rows = []
    for choice, counts in choices(table).items():
        for stage, group in table[counts].groupby("stage", sort=False):
            different = group[["model_set", "evaluator"]].nunique()
            rows.append((stage, choice, *group["recognizability"].agg(["mean", "std"]), len(group), *different))
    return pd.DataFrame(rows, columns=["stage", "evaluators", "mean", "sd", "n_pairs", "n_sets", "n_evaluators"])


def criteria_table(study: Study) -> pd.DataFrame:
    """Average recognizability by set and stage, with one column for each criterion (reading 10).

    These are reference (the evaluator's own class of the reference), label (its category) and generator (the generating
    networks' class of it).
    """
    columns = {}
    for criterion in CRITERIA:
        means = mean_recognizability(recognizability(study, criterion=criterion))
        columns[criterion] = means[means["evaluators"] == "all"].set_index(["model_set", "stage"])["mean"]
    return pd.DataFrame(columns).reset_index()


def residuals(study: Study) -> pd.DataFrame:
    """Tabulate how well the metamers match the references' activations.

    One row per model set, stage and model of the set: model_set, stage, model (key), layer, and the mean, median and
    maximum over images of ‖a' − a‖ / ‖a‖ at the end (residual_mean, residual_median, residual_max) and the mean at the
    start (initial_residual_mean).
    """
    study.execute(study.runs)
    rows = []
    for run in study.runs:
        metamers = study.result(run)
        ends = zip(metamers.residuals.T, metamers.initial_residuals.T, strict=True)
        for model, layer, (last, first) in zip(run.models, run.layers, ends, strict=True):
            numbers = (last.mean(), last.quantile(0.5), last.max(), first.mean())
            rows.append((run.name, run.stage, model.key, layer, *(number.item() for number in numbers)))
    columns = ("residual_mean", "residual_median", "residual_max", "initial_residual_mean")
    return pd.DataFrame(rows, columns=["model_set", "stage", "model", "layer", *columns])


def longer_search(
    study: Study, residuals: pd.DataFrame, *, below: float = GOOD_MATCH, factor: int = 8, n_per_class: int = 1
) -> pd.DataFrame:
    """Search longer where the match at the first stage is worst, to tell the network from the length of the search.

    The columns are model_set, stage, n (images), updates (with each network) and residual (mean over images and
    networks at the end), of the search as it was and with `factor` times as many repetitions. Empty where every set
    matches well, or the study's budget is not a short one.
    """
    stage, rows = residuals["stage"].iloc[0], []
    means = residuals[residuals["stage"] == stage].groupby("model_set")["residual_mean"].mean()
    if means.max() >= below and study.settings.config.updates_per_model <= _SHORT:
        small, name = study.subset(n_per_class), means.idxmax()
        runs = [small.run(name, stage, repetitions=times * study.settings.config.repetitions) for times in (1, factor)]
        small.execute(runs, title="a longer search")
        found = [small.result(run) for run in runs]
        rows = [(name, stage, len(one), one.updates_per_model, one.residuals.nanmean().item()) for one in found]
    return pd.DataFrame(rows, columns=["model_set", "stage", "n", "updates", "residual"])


def facts(
    residuals: pd.DataFrame, means: pd.DataFrame, overall: pd.DataFrame, criteria: pd.DataFrame, stage: Stage
) -> dict[str, Any]:
    """Return the numbers of the chapter's prose, by the names under which they are glued.

    Means by set are those at the given stage, over all evaluators; `untrained` is the largest change of a stage's mean
    by leaving untrained evaluators out.
    """
    best, worst = (residuals.loc[residuals["residual_mean"].agg(which)] for which in ("idxmin", "idxmax"))
    of_stage = means[(means["evaluators"] == "all") & (means["stage"] == stage)].set_index("model_set")["mean"]
    by_choice = overall.pivot(index="stage", columns="evaluators", values="mean").reindex(columns=["all", "trained"])
    ours, theirs = by_choice["all"], published_means().set_index("stage")["mean"]
    moved = criteria[["label", "generator"]].sub(criteria["reference"], axis=0).abs()
    numbers = {
        "matched": int((residuals["residual_mean"] < GOOD_MATCH).sum()),
        "networks": len(residuals),
        "residual-best": best["residual_mean"],
        "residual-worst": worst["residual_mean"],
        "worst-set": worst["model_set"],
        "highest": of_stage.max(),
        "lowest": of_stage.min(),
        "highest-set": "–" if of_stage.isna().all() else of_stage.idxmax(),
        "lowest-set": "–" if of_stage.isna().all() else of_stage.idxmin(),
        "from-published": (ours - theirs).abs().max(),
        "untrained": (by_choice["trained"] - ours).abs().max(),
        "criterion-mean": moved.mean(axis=None),
        "criterion-max": moved.max(axis=None),
    }
    return {name: float(value) if isinstance(value, float) else value for name, value in numbers.items()}


def examples(study: Study, images: Sequence[int]) -> dict[tuple[str, Stage], Tensor]:
    """Pick metamers of some references: (set, stage) to (len(images), 3, H, W) in [0, 1], by set, then stage."""
    study.execute(study.runs)
    return {(run.name, run.stage): study.result(run).images[list(images)] for run in study.runs}


def write_pictures(study: Study, folder: Path) -> int:
    """Write every metamer of a study as a PNG file, in one folder per set and stage; return how many."""
    categories, labels = file_names(study.references.categories), study.references.labels
    places = file_names(f"{run.name}-{run.stage}" for run in study.runs)
    for run, place in zip(study.runs, places, strict=True):
        (folder / place).mkdir(parents=True, exist_ok=True)
        pixels = study.result(run).images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
        for position, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            with atomic_write(folder / place / f"{position:04d}-{categories[label]}.png") as draft:
                Image.fromarray(image).save(draft)
    return len(places) * len(labels)
