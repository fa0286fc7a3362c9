"""The parts of a study and of the book on it: which results each of them consists of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metamerlib.experiments.ablations import Labelled, mode_runs, optimizer_runs
from metamerlib.experiments.appearance import image_metrics_runs
from metamerlib.experiments.attacks import attack_runs
from metamerlib.experiments.ensembles import ensemble_size_runs
from metamerlib.experiments.exploration import snapshot_runs
from metamerlib.experiments.panels import PanelRun
from metamerlib.experiments.pictures import one_per_category
from metamerlib.experiments.process import featured_set, featured_stage
from metamerlib.experiments.random_sets import mixed_runs
from metamerlib.experiments.representation import representation_runs
from metamerlib.experiments.restricted_search import restricted_runs, restricted_study
from metamerlib.experiments.runs import MetamerRun
from metamerlib.experiments.snapshots import SNAPSHOTS, TrajectoryRun, kept_beside, spread
from metamerlib.experiments.spec import Spec
from metamerlib.experiments.success import success_runs
from metamerlib.experiments.transferability import transfer_panel, transfer_runs
from metamerlib.models import MissingWeightsError

if TYPE_CHECKING:
    from metamerlib.experiments.study import Study


@dataclass(frozen=True)
class StudyPart:
    """A part of a study.

    Attributes
    ----------
    name
        What it is.
    specs
        The results that it consists of; several parts may share some.
    command
        "run" if `metamerlib run` computes it, and the book too; "book" if the book alone does.
    model_set, stage
        Of the metamers that it is about; empty where there are several.
    """

    name: str
    specs: tuple[Spec, ...]
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
        StudyPart("explorer", tuple(snapshot_runs(study))),
    ]


def _variations(study: "Study") -> dict[str, tuple[Callable[[], Sequence[Any]], str, Any, Sequence[str]]]:
    """Give for each variation what lists its runs, its set and stage where it has one, and who judges."""
    model_set, stage, panel = featured_set(study), featured_stage(study), study.evaluators
    return {
        "restricted search": (lambda: list(restricted_runs(study).values()), model_set, stage, panel),
        "adversarial examples": (lambda: attack_runs(restricted_study(study), model_set), model_set, "output", panel),
        "random sets": (lambda: mixed_runs(study), "", study.settings.tables.mixed_stage, panel),
        "optimisers": (lambda: _runs(optimizer_runs(study)), model_set, stage, panel),
        "modes": (lambda: _runs(mode_runs(study)), model_set, stage, panel),
        "ensemble sizes": (lambda: _runs(ensemble_size_runs(study)), "", stage, panel),
        "transfer": (lambda: _runs(transfer_runs(study)), "", stage, transfer_panel(study)),
    }


def _runs(labelled: Labelled) -> list[MetamerRun]:
    return [run for _, run in labelled]


def _snapshots(runs: Iterable[Spec]) -> tuple[TrajectoryRun, ...]:
    return tuple(filter(None, (kept_beside(run) for run in runs if isinstance(run, MetamerRun))))


def _panels(study: "Study", runs: Iterable[Spec], evaluators: Iterable[str]) -> tuple[PanelRun, ...]:
    panel = tuple(study.networks.ref(key) for key in evaluators)
    return tuple(PanelRun(run, panel) for run in runs)


def _trajectory(study: "Study") -> TrajectoryRun:
    """Name the way that the chapters on the process follow: that of the middle one of the first images."""
    firsts, run = one_per_category(study), study.run(featured_set(study), featured_stage(study))
    return TrajectoryRun(run, (firsts[len(firsts) // 2],), spread(run.config.repetitions, SNAPSHOTS))
