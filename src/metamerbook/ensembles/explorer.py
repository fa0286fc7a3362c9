"""All that the explorer shows: every set and stage, step by step, with what is measured at each step."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.ensembles.methodology import Trajectory, trajectory_of
from metamerbook.study.judging import featured_set, featured_stage
from metamerbook.study.tasks import ClassifierRef, Snapshots, kept_beside
from metamerlib.models import Stage

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True)
class SnapshotPredictions(Task):
    """Let evaluators look at the snapshots of a generation; the result is one tensor.

    Attributes
    ----------
    trajectory
        The snapshots.
    evaluators
        The networks that classify them.
    generators
        The networks of the run, as what they take the references for.
    criterion
        What counts as recognized, as for `metamerlib.evaluation.recognized`.
    """

    trajectory: Snapshots
    evaluators: tuple[ClassifierRef, ...]
    generators: tuple[ClassifierRef, ...]
    criterion: str = "reference"

    def compute(self, context: Context) -> dict[str, Tensor]:
        """Return recognized, (S, K, evaluators) bool."""
        way, positions = self.trajectory, list(self.trajectory.images)
        images = context.result(way)["images"]
        if not self.evaluators:
            return {"recognized": images.new_zeros((*images.shape[:2], 0)).bool()}
        keys = [evaluator.key for evaluator in self.evaluators]
        labels = context.references.labels
        wanted = context.generated_classes(self.generators) if self.criterion == "generator" else labels
        answers = []
        for key in keys:  # one network after the other: all at once need not fit into the memory
            if self.criterion == "reference":
                wanted = context.classes_of_references(key)
            seen = context.models[key].predict(images.flatten(0, 1), context.images_per_pass)
            answers.append(seen == wanted[positions].repeat(len(images)))
        return {"recognized": torch.stack(answers, dim=1).unflatten(0, images.shape[:2]).contiguous()}

    @property
    def label(self) -> str:
        """Name of the run and number of the evaluators."""
        return f"{self.trajectory.label}, seen by {len(self.evaluators)} networks"


@dataclass(frozen=True, eq=False)
class ExploredRun:
    """One set at one stage.

    Attributes
    ----------
    model_set, stage
        Which.
    trajectory
        S snapshots of one image of each of K categories.
    evaluators
        Keys of the networks that had no part in the generation and were trained.
    recognized
        (S, K) int64, how many of them recognize each snapshot.
    """

    model_set: str
    stage: Stage
    trajectory: Trajectory
    evaluators: tuple[str, ...]
    recognized: Tensor


@dataclass(frozen=True, eq=False)
class Exploration:
    """Everything that there is to be looked at.

    Attributes
    ----------
    categories
        Names of the K categories.
    references
        (K, 3, H, W) RGB in [0, 1], the first reference of each.
    runs
        Every set at every stage, by set, then stage. All begin with the same initial stimuli, and have their snapshots
        after the same repetitions.
    featured
        The set and the stage to begin with.
    """

    categories: tuple[str, ...]
    references: Tensor
    runs: tuple[ExploredRun, ...]
    featured: tuple[str, Stage]


def explore(study: "Study") -> Exploration:
    """Gather the way of one image per category, for each set and stage.

    Parameters
    ----------
    study
        Which sets, stages, evaluators and criterion. The snapshots were kept when its metamers were generated, or the
        generation is repeated for these images.

    Returns
    -------
    Exploration
        From the store or computed now.
    """
    study.execute(study.runs)
    tasks = snapshot_runs(study)
    study.execute(tasks, title="snapshots")
    followed = list(tasks[0].trajectory.images)
    return Exploration(
        categories=tuple(study.references.category_names[position] for position in followed),
        references=study.references.images[followed],
        runs=tuple(_explored(study, task) for task in tasks),
        featured=(featured_set(study), featured_stage(study)),
    )


def snapshot_runs(study: "Study") -> list[SnapshotPredictions]:
    """Describe who looks at the snapshots of every set and stage: trained networks that had no part in them.

    Parameters
    ----------
    study
        As for `explore`.

    Returns
    -------
    list of SnapshotPredictions
        In the order of the study's runs.
    """
    traits = study.networks.traits(study.evaluators)
    trained = traits.loc[~traits["random"], "evaluator"].tolist()
    tasks = []
    for run in study.runs:
        members = [model.key for model in run.models]
        judges = tuple(study.networks.classifier_ref(key) for key in trained if key not in members)
        generators = tuple(study.networks.classifier_ref(key) for key in members)
        tasks.append(SnapshotPredictions(kept_beside(run), judges, generators, study.settings.criterion))
    return tasks


def _explored(study: "Study", task: SnapshotPredictions) -> ExploredRun:
    run = task.trajectory.run
    return ExploredRun(
        model_set=run.name,
        stage=run.stage,
        trajectory=trajectory_of(task.trajectory, study.result(task.trajectory)),
        evaluators=tuple(evaluator.key for evaluator in task.evaluators),
        recognized=study.result(task)["recognized"].sum(dim=-1),
    )
