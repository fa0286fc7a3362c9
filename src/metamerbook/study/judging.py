"""Networks look at the images of a run: what each of them sees is kept, and every table of recognizability follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.study.tasks import ClassifierRef
from metamerlib.checks import check_classifiers
from metamerlib.evaluation import tabulate_recognizability

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True)
class Predictions(Task):
    """Let several evaluators classify the images of a run; the result is a mapping of tensors.

    Attributes
    ----------
    run
        What makes the images, one of each reference: a `MetamerRun` or an `Attack`.
    evaluators
        The networks that classify them.
    generators
        The networks of the run, as what they take the references for.
    """

    run: Any
    evaluators: tuple[ClassifierRef, ...]
    generators: tuple[ClassifierRef, ...]

    def compute(self, context: Context) -> dict[str, Tensor]:
        """Classes and reference_classes (evaluators, N), generated_classes (N,), and targets (N,) or residual."""
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

    def about(self) -> dict[str, Any]:
        """Return what the images were made of.

        Returns
        -------
        dict
            What the run notes, and the keys of its models.
        """
        return {**self.run.about(), "models": [model.key for model in self.run.models]}

    @property
    def label(self) -> str:
        """Name of the run, and how many look at it."""
        return f"{self.run.label}, seen by {len(self.evaluators)} networks"

    @property
    def cost(self) -> float:
        """In updates of an image, of which a forward pass takes about a third."""
        return self.run.stimuli.count * len(self.evaluators) / 3


def evaluate(
    study: "Study",
    runs: Iterable[tuple[Mapping[str, Any], Any]],
    *,
    evaluators: Sequence[str] | None = None,
    title: str = "recognizability",
    skip_unusable: bool = True,
) -> pd.DataFrame:
    """Let a panel look at the images of each of some runs.

    Parameters
    ----------
    study
        Whose references the runs are of; and its criterion.
    runs
        Pairs of labels (which become columns) and a run.
    evaluators
        Keys of the networks of the panel; the study's by default.
    title
        What the progress bar says is going on.
    skip_unusable
        Whether a run with a network that no metamers can be made with leaves rows with the reason, or is an error.

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
    check_classifiers(
        [study.networks.skeleton(key) for key in keys], "evaluators", categories=study.references.categories
    )
    panel = tuple(study.networks.classifier_ref(key) for key in keys)
    tasks = [Predictions(run, panel, generator_refs(study, run)) for _, run in runs]
    unusable = study.execute(tasks, title=title, skip_unusable=skip_unusable).unusable
    traits = study.networks.traits(keys).drop(columns="evaluator").to_dict("records")
    rows = []
    for (labels, run), task in zip(runs, tasks, strict=True):
        members = [model.key for model in run.models]
        wanted = getattr(study.model_sets.get(labels.get("model_set")), "wanted", members)
        reason = unusable.get(task.key, "")
        result = [{}] * len(keys) if reason else _seen(study, task)
        for key, kind, row in zip(keys, traits, result, strict=True):
            rows.append(
                dict(labels)
                | {"stage": run.stage, "evaluator": key}
                | kind
                | {"held_out": key not in members}
                | row
                | {"reason": reason, "n_members": len(members), "n_wanted": len(wanted)}
            )
    return pd.DataFrame(rows)


def generator_refs(study: "Study", run: Any) -> tuple[ClassifierRef, ...]:
    return tuple(study.networks.classifier_ref(model.key) for model in run.models)


def _seen(study: "Study", task: Predictions) -> list[dict[str, Any]]:
    """Make one row per evaluator of what a panel saw."""
    seen, keys = study.result(task), [evaluator.key for evaluator in task.evaluators]
    table = tabulate_recognizability(
        dict(zip(keys, seen["classes"], strict=True)),
        dict(zip(keys, seen["reference_classes"], strict=True)),
        study.references.labels,
        criterion=study.settings.criterion,
        generated_classes=seen["generated_classes"],
    ).drop(columns="evaluator")
    if "targets" in seen:
        table["fooled"] = (seen["classes"] == seen["targets"]).double().mean(dim=1).tolist()
    else:
        table["residual"] = seen["residual"].item()
    return table.to_dict("records")


def predicted_classes(study: "Study", run: Any) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what every evaluator of a study takes the references and the images of a run for.

    Parameters
    ----------
    study
        Which evaluators.
    run
        What makes the images, one of each reference.

    Returns
    -------
    dict
        Key of the evaluator to two tensors (N,) of classes: of the references, and of the images.
    """
    keys = study.evaluators
    check_classifiers(
        [study.networks.skeleton(key) for key in keys], "evaluators", categories=study.references.categories
    )
    seen = study.result(
        Predictions(run, tuple(study.networks.classifier_ref(key) for key in keys), generator_refs(study, run))
    )
    return dict(zip(keys, zip(seen["reference_classes"], seen["classes"], strict=True), strict=True))


def mean_over_evaluators(
    table: pd.DataFrame, by: Sequence[str], *, held_out_only: bool = True, value: str = "recognizability"
) -> pd.DataFrame:
    """Average a table over its evaluators.

    Parameters
    ----------
    table
        As `evaluate` and the tables built on it return, with the columns evaluator, random and held_out.
    by
        The columns that tell one condition from another.
    held_out_only
        Whether evaluators that had a part in the generation are left out.
    value
        The column to average.

    Returns
    -------
    DataFrame
        One row per condition and choice of evaluators: the columns of `by`, evaluators ("all", or "trained": without
        networks that are only initialised), mean, sd (over evaluators, n - 1 in the denominator), n_evaluators. A
        condition that nobody is left to judge stays, with NaN.
    """
    counted = table["held_out"] if held_out_only else pd.Series(True, index=table.index)
    rows = []
    for choice, counts in (("all", counted), ("trained", counted & ~table["random"])):
        for condition, group in table.groupby(list(by), sort=False):
            values = group.loc[counts[group.index], value].dropna()
            rows.append(
                dict(zip(by, condition, strict=True))
                | {"evaluators": choice, "mean": values.mean(), "sd": values.std(ddof=1), "n_evaluators": len(values)}
            )
    return pd.DataFrame(rows, columns=[*by, "evaluators", "mean", "sd", "n_evaluators"])
