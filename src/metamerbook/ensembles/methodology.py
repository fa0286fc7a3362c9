"""How images become metamers: snapshots along one generation (paper, Fig. 1 left)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from metamerbook.study.tasks import Snapshots, spread
from metamerlib.models import Stage

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Snapshots of images on their way to being metamers.

    Attributes
    ----------
    images
        (S, N, 3, H, W) float32 RGB in [0, 1], one row per snapshot.
    residuals
        (S, N, M) ‖a' − a‖ / ‖a‖ of each image at each of the M models.
    repetitions
        After how many repetitions each snapshot was taken; 0 is the initial stimulus.
    updates
        The same in updates of an image, over all models.
    models
        Keys of the models, in the order of the columns.
    """

    images: Tensor
    residuals: Tensor
    repetitions: tuple[int, ...]
    updates: tuple[int, ...]
    models: tuple[str, ...]


def trajectory(
    study: "Study",
    model_set: str | Sequence[str],
    stage: Stage,
    *,
    images: Sequence[int] = (0,),
    n: int = 8,
    **config: Any,
) -> Trajectory:
    """Follow some images of a study on their way to being metamers.

    Parameters
    ----------
    study
        Whose references and settings.
    model_set
        Name of a set of this study or of the zoo, key of a network, or a list of keys.
    stage
        The stage.
    images
        Positions of the images to follow in the study's references.
    n
        Number of snapshots, spaced evenly in the logarithm of the repetition, the initial stimulus and the metamer
        among them. Fewer come back where there are fewer repetitions.
    config
        Fields of `GenerationConfig` to change.

    Returns
    -------
    Trajectory
        From the store or computed now.

    Raises
    ------
    ValueError
        If `n` is below 2.
    IndexError
        If there is no such image.
    """
    if n < 2:
        raise ValueError(f"n is {n}: give at least 2 snapshots, the initial stimulus and the metamer.")
    count = len(study.references)
    if outside := [position for position in images if not 0 <= position < count]:
        raise IndexError(f"images names {outside}: the study has images 0 to {count - 1}.")
    run = study.run(model_set, stage, **config)
    task = Snapshots(run, tuple(images), spread(run.config.repetitions, n))
    return trajectory_of(task, study.result(task))


def trajectory_of(task: Snapshots, tensors: Mapping[str, Tensor]) -> Trajectory:
    """Put the snapshots of a generation together with when and for whom they were taken.

    Parameters
    ----------
    task
        What was followed.
    tensors
        Its result.

    Returns
    -------
    Trajectory
        The snapshots.
    """
    run = task.run
    per_repetition = run.config.steps_per_model * (1 if run.config.mode == "joint" else len(run.models))
    return Trajectory(
        images=tensors["images"],
        residuals=tensors["residuals"],
        repetitions=task.repetitions,
        updates=tuple(repetition * per_repetition for repetition in task.repetitions),
        models=tuple(model.key for model in run.models),
    )
