"""The parts of a study and of the book on it: which results each of them consists of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metamerbook.engine.task import Task
from metamerbook.ensembles.adversarial_examples import attacks, restricted_runs
from metamerbook.ensembles.ensemble_size import ensemble_size_runs
from metamerbook.ensembles.explorer import snapshot_predictions
from metamerbook.ensembles.image_metrics import image_metrics_runs
from metamerbook.ensembles.mixed_models import mixed_runs
from metamerbook.ensembles.optimisers import Labelled, mode_runs, optimizer_runs
from metamerbook.ensembles.representational_similarity import representation_runs, success_runs
from metamerbook.ensembles.transfer import transfer_evaluators, transfer_runs
from metamerbook.study.judging import Predictions, featured_set, featured_stage, one_per_category
from metamerbook.study.tasks import SNAPSHOTS, MetamerRun, Snapshots, kept_beside, spread
from metamerlib.models import MissingWeightsError

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True)
class StudyPart:
    """A part of a study.

    Attributes
    ----------
    name
        What it is.
    tasks
        The results that it consists of; several parts may share some.
    command
        "run" if `metamerlib run` computes it, and the book too; "book" if the book alone does.
    model_set, stage
        Of the metamers that it is about; empty where there are several.
    """

    name: str
    tasks: tuple[Task, ...]
    command: str = "book"
    model_set: str = ""
    stage: Any = ""

    def labels(self) -> dict[str, str]:
        """Name it in columns of a table.

        Returns
        -------
        dict of str to str
            part, command, model_set, stage.
        """
        stage = self.stage if isinstance(self.stage, str) else f"{self.stage:g}"
        return {"part": self.name, "command": self.command, "model_set": self.model_set, "stage": stage}


def study_parts(study: "Study") -> tuple[list[StudyPart], list[str]]:
    """List what `metamerlib run` and the chapters compute, in their order.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    tuple of list of StudyPart and list of str
        The parts; and the names of those that cannot run with these settings, with the reason.
    """
    parts, reasons = _on_the_studys_runs(study), []
    for name, (runs_of_variation, model_set, stage, panel) in _variations(study).items():
        try:
            runs = runs_of_variation()
        except (ValueError, MissingWeightsError) as error:
            reasons.append(f"{name} ({error})")
            continue
        parts.append(StudyPart(name, tuple(runs), "book", model_set, stage))
        if beside := _snapshots(runs):
            parts.append(StudyPart(f"{name}: snapshots on the way", beside, "book", model_set, stage))
        parts.append(StudyPart(f"{name}: recognizability", _panels(study, runs, panel), "book", model_set, stage))
    return parts, reasons


def _on_the_studys_runs(study: "Study") -> list[StudyPart]:
    return [
        *(StudyPart("metamers", (run,), "run", run.name, run.stage) for run in study.runs),
        StudyPart("snapshots on the way", _snapshots(study.runs), "run"),
        StudyPart("recognizability", _panels(study, study.runs, study.evaluators), "run"),
        StudyPart("one image, step by step", (_trajectory(study),), "book", featured_set(study), featured_stage(study)),
        StudyPart("image metrics", tuple(image_metrics_runs(study))),
        StudyPart("representations", tuple(representation_runs(study))),
        StudyPart("metamers against chance", tuple(success_runs(study))),
        StudyPart("explorer", tuple(snapshot_predictions(study))),
    ]


def _variations(study: "Study") -> dict[str, tuple[Callable[[], Sequence[Any]], str, Any, Sequence[str]]]:
    """Give for each variation what lists its runs, its set and stage where it has one, and who judges."""
    model_set, stage, panel = featured_set(study), featured_stage(study), study.evaluators
    return {
        "restricted search": (lambda: list(restricted_runs(study).values()), model_set, stage, panel),
        "adversarial examples": (lambda: attacks(study), model_set, "output", panel),
        "random sets": (lambda: mixed_runs(study), "", study.settings.tables.mixed_stage, panel),
        "optimisers": (lambda: _runs(optimizer_runs(study)), model_set, stage, panel),
        "modes": (lambda: _runs(mode_runs(study)), model_set, stage, panel),
        "ensemble sizes": (lambda: _runs(ensemble_size_runs(study)), "", stage, panel),
        "transfer": (lambda: _runs(transfer_runs(study)), "", stage, transfer_evaluators(study)),
    }


def _runs(labelled: Labelled) -> list[MetamerRun]:
    return [run for _, run in labelled]


def _snapshots(runs: Iterable[Task]) -> tuple[Snapshots, ...]:
    return tuple(filter(None, (kept_beside(run) for run in runs if isinstance(run, MetamerRun))))


def _panels(study: "Study", runs: Iterable[Task], evaluators: Iterable[str]) -> tuple[Predictions, ...]:
    return tuple(Predictions.of(study, run, tuple(evaluators)) for run in runs)


def _trajectory(study: "Study") -> Snapshots:
    """Name the way that the chapters on the process follow: that of the middle one of the first images."""
    firsts, run = one_per_category(study), study.run(featured_set(study), featured_stage(study))
    return Snapshots(run, (firsts[len(firsts) // 2],), spread(run.config.repetitions, SNAPSHOTS))
