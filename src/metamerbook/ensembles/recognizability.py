"""Tables of how well metamers are recognized, and of how well they match (paper, section 4.5 and Fig. 3)."""

from typing import TYPE_CHECKING

import pandas as pd

from metamerbook.study.judging import evaluate
from metamerbook.study.tasks import MetamerRun

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def recognizability(study: "Study") -> pd.DataFrame:
    """Tabulate which share of the metamers each evaluator recognizes.

    Parameters
    ----------
    study
        Which sets, stages, evaluators and criterion.

    Returns
    -------
    DataFrame
        One row per model set, stage and evaluator: model_set, stage, evaluator (key), family, robust, random (only
        initialised, never trained), held_out (whether it had no part in the generation: averages are over these),
        n (images), recognized, recognizability (share), low and high (95 % Wilson interval over images), criterion,
        reference_accuracy, label_recognizability, n_members and n_wanted (networks of the set that ran, and that it
        should have).
    """
    return evaluate_runs(study, study.runs)


def evaluate_runs(study: "Study", runs: list[MetamerRun]) -> pd.DataFrame:
    """Let every evaluator of a study look at the metamers of some runs.

    Parameters
    ----------
    study
        Which evaluators and criterion.
    runs
        Whose metamers: those of the study, or others on the same images.

    Returns
    -------
    DataFrame
        As for `recognizability`, in the order of the runs and evaluators.
    """
    table = evaluate(study, [({"model_set": run.name}, run) for run in runs], skip_unusable=False)
    return table.drop(columns=["residual", "reason"])


def mean_recognizability(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over the evaluators that had no part in the generation.

    Parameters
    ----------
    table
        As `recognizability` returns it.

    Returns
    -------
    DataFrame
        One row per model set, stage and choice of evaluators: model_set, stage, evaluators ("all", or "trained":
        without networks that are only initialised, which may answer one class for everything), mean, sd (over
        evaluators, n − 1 in the denominator; not over images), n_evaluators, n_members, n_wanted.
    """
    rows = []
    for choice, counts in _choices(table):
        for (model_set, stage), group in table.groupby(["model_set", "stage"], sort=False):
            shares = group.loc[counts[group.index], "recognizability"]
            rows.append(
                {
                    "model_set": model_set,
                    "stage": stage,
                    "evaluators": choice,
                    "mean": shares.mean(),
                    "sd": shares.std(ddof=1),
                    "n_evaluators": len(shares),
                    "n_members": group["n_members"].iloc[0],
                    "n_wanted": group["n_wanted"].iloc[0],
                }
            )
    columns = ["model_set", "stage", "evaluators", "mean", "sd", "n_evaluators", "n_members", "n_wanted"]
    return pd.DataFrame(rows, columns=columns)


def overall_recognizability(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over all classification models and sets, as section 4.5 of the paper does per stage.

    Parameters
    ----------
    table
        As `recognizability` returns it.

    Returns
    -------
    DataFrame
        One row per stage and choice of evaluators: stage, evaluators ("all" or "trained"), mean and sd (n − 1; over
        all pairs of a set and an evaluator that had no part in it), n_pairs, n_sets, n_evaluators (different ones).
    """
    rows = []
    for choice, counts in _choices(table):
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


def _choices(table: pd.DataFrame) -> list[tuple[str, "pd.Series[bool]"]]:
    return [("all", table["held_out"]), ("trained", table["held_out"] & ~table["random"])]


def residuals(study: "Study") -> pd.DataFrame:
    """Tabulate how well the metamers match the references' activations.

    Parameters
    ----------
    study
        Which sets and stages.

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


def residual_history(study: "Study", model_set: str, stage: str | float) -> pd.DataFrame:
    """Follow the residual of each model over the updates of one generation.

    Parameters
    ----------
    study
        Whose settings.
    model_set
        Name of a set, or key of a network.
    stage
        The stage.

    Returns
    -------
    DataFrame
        `Metamers.history`: repetition, update, model, residual (mean over images), learning_rate.
    """
    return study.metamers(model_set, stage).history
