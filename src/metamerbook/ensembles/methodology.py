"""Chapter 03: how one image becomes a metamer, in snapshots along its generation (paper, section 3.2, Fig. 1 left)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from torch import Tensor

from metamerbook.engine.task import Task
from metamerbook.study.judging import featured_set, featured_stage, one_per_category
from metamerbook.study.study import Study
from metamerbook.study.tasks import SNAPSHOTS, Snapshots, kept_beside, spread
from metamerlib.generation import Metamers
from metamerlib.models import Stage


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Snapshots of N images on their way to being metamers of M models."""

    images: Tensor  # (S, N, 3, H, W) float32 RGB in [0, 1], one row per snapshot
    residuals: Tensor  # (S, N, M) ‖a' - a‖ / ‖a‖
    repetitions: tuple[int, ...]  # after how many each snapshot was taken; 0 is the initial stimulus
    updates: tuple[int, ...]  # the same in updates of an image, over all models
    models: tuple[str, ...]  # their keys, in the order of the columns


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes: the featured metamers, and one of them on its way."""
    run = study.run(featured_set(study), featured_stage(study))
    return [run, kept_beside(run)]


def featured_image(study: Study) -> int:
    """Choose the reference that is followed: the middle one of those that begin a category."""
    firsts = one_per_category(study)
    return firsts[len(firsts) // 2]


def trajectory(
    study: Study, model_set: str | Sequence[str], stage: Stage, *, images: Sequence[int] = (0,), n: int = SNAPSHOTS
) -> Trajectory:
    """Follow some references on their way to being metamers.

    At most n snapshots, the initial stimulus and the metamer among them, are spaced evenly in the logarithm of the
    repetition.
    """
    run = study.run(model_set, stage)
    beside = kept_beside(run)
    if n == SNAPSHOTS and beside is not None and set(images) <= set(beside.images):
        study.execute([run, beside])
        columns = [beside.images.index(image) for image in images]
        return trajectory_of(beside, {name: kept[:, columns] for name, kept in study.result(beside).items()})
    task = Snapshots(run, tuple(images), spread(run.config.repetitions, n))
    return trajectory_of(task, study.result(task))


def trajectory_of(task: Snapshots, tensors: Mapping[str, Tensor]) -> Trajectory:
    """Put the snapshots of a generation together with when and for whom they were taken."""
    run = task.run
    per_repetition = run.config.steps_per_model * (1 if run.config.mode == "joint" else len(run.models))
    return Trajectory(
        images=tensors["images"],
        residuals=tensors["residuals"],
        repetitions=task.repetitions,
        updates=tuple(repetition * per_repetition for repetition in task.repetitions),
        models=tuple(model.key for model in run.models),
    )


def facts(metamers: Metamers, image: int) -> dict[str, Any]:
    """Return the numbers of the chapter's prose.

    `covered` is which share of the way the residuals went in the first tenth of the updates, averaged over networks.
    """
    history: pd.DataFrame = metamers[image].history
    by_model = [rows for _, rows in history.groupby("model", sort=False)]
    first, last = ([rows["residual"].iloc[end] for rows in by_model] for end in (0, -1))
    tenth = history["update"].max() / 10
    early = [rows.loc[rows["update"] <= tenth, "residual"].iloc[-1] for rows in by_model]
    covered = pd.Series((a - b) / (a - c) for a, b, c in zip(first, early, last, strict=True))
    return {
        "per-model": metamers.updates_per_model,
        "updates": metamers.updates,
        "n": len(metamers),
        "skipped": int(metamers.skipped.sum()),
        "residual-start": float(max(first)),
        "residual-lowest": float(min(last)),
        "residual-highest": float(max(last)),
        "covered": float(covered.mean()),
    }
