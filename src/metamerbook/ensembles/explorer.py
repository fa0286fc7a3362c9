"""Chapter 90: every set and stage, step by step, with what is measured at each step."""

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
    """Which evaluators recognize the snapshots of a generation."""

    trajectory: Snapshots
    evaluators: tuple[ClassifierRef, ...]
    generators: tuple[ClassifierRef, ...]  # the networks of the run, for the criterion "generator"
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
    """One set at one stage, with S snapshots of one image of each of K categories."""

    model_set: str
    stage: Stage
    trajectory: Trajectory
    evaluators: tuple[str, ...]  # keys of trained networks that had no part in the generation
    recognized: Tensor  # (S, K) int64, how many of them recognize each snapshot


@dataclass(frozen=True, eq=False)
class Exploration:
    """Everything that there is to be looked at; all runs have the same initial stimuli and repetitions of snapshots."""

    categories: tuple[str, ...]
    references: Tensor  # (K, 3, H, W) RGB in [0, 1], the first reference of each category
    runs: tuple[ExploredRun, ...]  # by set, then stage
    featured: tuple[str, Stage]  # the set and the stage to begin with


def tasks(study: "Study") -> list[Task]:
    """List what the chapter computes: metamers of all sets, their snapshots, and what evaluators see in those."""
    looks = snapshot_predictions(study)
    return [*study.runs, *(look.trajectory for look in looks), *looks]


def explore(study: "Study") -> Exploration:
    """Gather the way of one image per category, for each set and stage."""
    study.execute(study.runs)  # which keeps the snapshots; else the generation is repeated for these images
    looks = snapshot_predictions(study)
    study.execute(looks, title="snapshots")
    followed = list(looks[0].trajectory.images)
    return Exploration(
        categories=tuple(study.references.category_names[position] for position in followed),
        references=study.references.images[followed],
        runs=tuple(_explored(study, look) for look in looks),
        featured=(featured_set(study), featured_stage(study)),
    )


def snapshot_predictions(study: "Study") -> list[SnapshotPredictions]:
    """Describe, run by run, how trained networks without a part look at the snapshots."""
    traits = study.networks.traits(study.evaluators)
    trained = traits.loc[~traits["random"], "evaluator"].tolist()
    found = []
    for run in study.runs:
        members = [model.key for model in run.models]
        evaluators = tuple(study.networks.classifier_ref(key) for key in trained if key not in members)
        generators = tuple(study.networks.classifier_ref(key) for key in members)
        found.append(SnapshotPredictions(kept_beside(run), evaluators, generators, study.settings.criterion))
    return found


def _explored(study: "Study", task: SnapshotPredictions) -> ExploredRun:
    run = task.trajectory.run
    return ExploredRun(
        model_set=run.name,
        stage=run.stage,
        trajectory=trajectory_of(task.trajectory, study.result(task.trajectory)),
        evaluators=tuple(evaluator.key for evaluator in task.evaluators),
        recognized=study.result(task)["recognized"].sum(dim=-1),
    )
