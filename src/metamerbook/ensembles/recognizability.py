"""Chapter 05: how well metamers match, and which networks recognize them (paper, section 4.5, Figs. 2 and 3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image
from torch import Tensor

from metamerbook.engine.task import Task
from metamerbook.study.judging import Predictions, choices, evaluate, mean_over_evaluators
from metamerbook.study.published import published_means
from metamerbook.study.tasks import MetamerRun
from metamerlib.evaluation import CRITERIA
from metamerlib.models import Stage
from metamerlib.system import atomic_write, file_names

if TYPE_CHECKING:
    from metamerbook.study.study import Study

GOOD_MATCH = 0.1
"""The residual below which a metamer counts as a good match."""

_SHORT = 1000  # updates per network: who runs more of them would wait for days for a longer search


def tasks(study: "Study") -> list[Task]:
    """List what the chapter computes, short of `longer_search`, which depends on the residuals."""
    return [*study.runs, *(Predictions.of(study, run) for run in study.runs)]


def recognizability(
    study: "Study", runs: Sequence[MetamerRun] | None = None, criterion: str | None = None
) -> pd.DataFrame:
    """Tabulate which share of the metamers each evaluator recognizes.

    Returns
    -------
    DataFrame
        One row per model set, stage and evaluator: model_set, stage, evaluator (key), family, robust, random (only
        initialised, never trained), held_out (whether it had no part in the generation: averages are over these),
        n (images), recognized, recognizability (share), low and high (95 % Wilson interval over images), criterion,
        reference_accuracy, label_recognizability, n_members and n_wanted (networks of the set that ran, and that it
        should have).
    """
    runs = study.runs if runs is None else runs
    table = evaluate(study, [({"model_set": run.name}, run) for run in runs], criterion=criterion, skip_unusable=False)
    return table.drop(columns=["residual", "reason"])


def mean_recognizability(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability by set and stage, as `mean_over_evaluators` does; with n_members and n_wanted."""
    by = ["model_set", "stage"]
    networks = table.drop_duplicates(by)[[*by, "n_members", "n_wanted"]]
    return mean_over_evaluators(table, by).merge(networks, on=by, how="left")


def overall_recognizability(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over all evaluators and sets, as section 4.5 of the paper does per stage.

    Returns
    -------
    DataFrame
        One row per stage and choice of evaluators: stage, evaluators ("all" or "trained"), mean and sd (n − 1; over
        all pairs of a set and an evaluator that had no part in it), n_pairs, n_sets, n_evaluators (different ones).
    """
    rows = []
    for choice, counts in choices(table).items():
        for stage, group in table[counts].groupby("stage", sort=False):
            rows.append(
                {
                    "stage": stage,
                    "evaluators": choice,
                    "mean": group["recognizability"].mean(),
                    "sd": group["recognizability"].std(ddof=1),
                    "n_pairs": len(group),
                    "n_sets": group["model_set"].nunique(),
                    "n_evaluators": group["evaluator"].nunique(),
                }
            )
    columns = ["stage", "evaluators", "mean", "sd", "n_pairs", "n_sets", "n_evaluators"]
    return pd.DataFrame(rows, columns=columns)


def criteria_table(study: "Study") -> pd.DataFrame:
    """Average recognizability by set and stage, with one column for each criterion (reading 10).

    The columns are reference (the evaluator's own class of the reference), label (the reference's category) and
    generator (the generating networks' class of the reference).
    """
    columns = []
    for criterion in CRITERIA:
        means = mean_recognizability(recognizability(study, criterion=criterion))
        means = means[means["evaluators"] == "all"].set_index(["model_set", "stage"])["mean"]
        columns.append(means.rename(criterion))
    return pd.concat(columns, axis=1).reset_index()


def residuals(study: "Study") -> pd.DataFrame:
    """Tabulate how well the metamers match the references' activations.

    Returns
    -------
    DataFrame
        One row per model set, stage and model of the set: model_set, stage, model (key), layer, and the mean, median
        and maximum over images of ‖a' − a‖ / ‖a‖ at the end (residual_mean, residual_median, residual_max) and the
        mean at the start (initial_residual_mean).
    """
    runs = study.runs
    study.execute(runs)
    rows = []
    for run in runs:
        metamers = study.result(run)
        for column, (model, layer) in enumerate(zip(run.models, run.layers, strict=True)):
            residual = metamers.residuals[:, column]
            rows.append(
                {
                    "model_set": run.name,
                    "stage": run.stage,
                    "model": model.key,
                    "layer": layer,
                    "residual_mean": residual.mean().item(),
                    "residual_median": residual.quantile(0.5).item(),
                    "residual_max": residual.max().item(),
                    "initial_residual_mean": metamers.initial_residuals[:, column].mean().item(),
                }
            )
    return pd.DataFrame(rows)


def longer_search(
    study: "Study", residuals: pd.DataFrame, *, below: float = GOOD_MATCH, factor: int = 8, n_per_class: int = 1
) -> pd.DataFrame:
    """Search longer where the match at the first stage is worst, to tell the network from the length of the search.

    Returns
    -------
    DataFrame
        model_set, stage, n (images), updates (with each network) and residual (mean over images and networks at the
        end) of the search as it was and with `factor` times as many repetitions. Empty where every set matches well,
        or the study's budget is not a short one.
    """
    columns = ["model_set", "stage", "n", "updates", "residual"]
    first = residuals[residuals["stage"] == residuals["stage"].iloc[0]]
    means = first.groupby("model_set")["residual_mean"].mean()
    if means.max() < below or study.settings.config.updates_per_model > _SHORT:
        return pd.DataFrame(columns=columns)
    small, name, stage = study.subset(n_per_class), means.idxmax(), first["stage"].iloc[0]
    runs = [small.run(name, stage, repetitions=times * study.settings.config.repetitions) for times in (1, factor)]
    small.execute(runs, title="a longer search")
    found = [small.result(run) for run in runs]
    rows = [(name, stage, len(one), one.updates_per_model, one.residuals.nanmean().item()) for one in found]
    return pd.DataFrame(rows, columns=columns)


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


def examples(study: "Study", images: Sequence[int]) -> dict[tuple[str, Stage], Tensor]:
    """Pick metamers of some references: (set, stage) to (len(images), 3, H, W) in [0, 1], by set, then stage."""
    count = len(study.references)
    if outside := [position for position in images if not 0 <= position < count]:
        raise IndexError(f"images names {outside}: the study has images 0 to {count - 1}.")
    runs = study.runs
    study.execute(runs)
    return {(run.name, run.stage): study.result(run).images[list(images)] for run in runs}


def write_pictures(study: "Study", folder: Path) -> int:
    """Write every metamer of a study as a PNG file, in one folder per set and stage; return how many."""
    count = 0
    places = file_names(f"{run.name}-{run.stage}" for run in study.runs)
    categories = dict(zip(study.references.categories, file_names(study.references.categories), strict=True))
    for run, name in zip(study.runs, places, strict=True):
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        pixels = study.result(run).images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
        for position, (image, category) in enumerate(zip(pixels, study.references.category_names, strict=True)):
            with atomic_write(place / f"{position:04d}-{categories[category]}.png") as draft:
                Image.fromarray(image).save(draft)
            count += 1
    return count
