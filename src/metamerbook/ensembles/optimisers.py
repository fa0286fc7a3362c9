"""Chapter 12: what parts of the generation matter, optimiser, initial stimulus and taking turns (thesis outline)."""

from itertools import product
from typing import Annotated, Any, Literal

import pandas as pd

from metamerbook.engine.task import Task
from metamerbook.study.judging import Predictions, evaluate, featured_set, featured_stage
from metamerbook.study.settings import Budget, Section
from metamerbook.study.study import Study
from metamerbook.study.tasks import MetamerRun
from metamerbook.study.values import Entries
from metamerlib.generation import GenerationConfig
from metamerlib.generation.initializers import INITIALIZERS


class Optimisers(Section):
    """The ablations; their budget is also that of ensemble sizes and transfer."""

    ablation: Budget = Budget()
    ablation_initializers: Annotated[tuple[Literal[*INITIALIZERS], ...], Entries] = ("l1_ball", "mix")


MODES = ("round_robin", "joint")
_MOMENTUM = 0.9

Labelled = list[tuple[dict[str, Any], MetamerRun]]
"""Runs, each with what tells it from the others."""


def ablation_study(study: Study) -> Study:
    """Set up the study of ablations, ensemble sizes and transfer: fewer images, and a budget of its own."""
    return study.subset(**dict(study.settings.of(Optimisers).ablation))


def optimizer_settings(config: GenerationConfig, pixels: int) -> dict[str, dict[str, Any]]:
    """Give each optimiser learning rates that make its steps about as long as the config's own.

    With a momentum of 0.9 steps in one direction add up to ten times their length; Adam moves every value of an image
    by about its learning rate, so that its step is √values as long. With one and the same learning rate the comparison
    would be between lengths of steps.
    """
    own = pixels**-0.5 if config.optimizer == "Adam" else 1.0

    def scaled(factor: float, **changes: Any) -> dict[str, Any]:
        rates = {name: getattr(config, name) * factor / own for name in ("learning_rate", "final_learning_rate")}
        return rates | changes

    return {
        "SGD": scaled(1.0, optimizer="SGD", optimizer_options={}),
        "SGD, momentum": scaled(1 - _MOMENTUM, optimizer="SGD", optimizer_options={"momentum": _MOMENTUM}),
        "Adam": scaled(pixels**-0.5, optimizer="Adam", optimizer_options={}),
    }


def optimizer_runs(study: Study) -> Labelled:
    """Describe the generation of metamers by every optimiser from every initial stimulus.

    From the reference itself nothing moves, since its residual is 0: an initial stimulus near the reference is "mix",
    half reference and half noise.
    """
    small = ablation_study(study)
    ways = optimizer_settings(small.settings.config, small.references.images[0].numel())
    runs = []
    for start, way in product(study.settings.of(Optimisers).ablation_initializers, ways):
        run = small.run(featured_set(study), featured_stage(study), initializer=start, **ways[way])
        runs.append(({"optimizer": way, "initializer": start, "model_set": run.name}, run))
    return runs


def mode_runs(study: Study) -> Labelled:
    """Describe the generation of metamers by taking turns and by adding gradients up.

    Either way each network's gradient is taken equally often; the joint mode moves the image by their sum, as many
    times fewer as there are networks.
    """
    small, model_set, stage = ablation_study(study), featured_set(study), featured_stage(study)
    return [({"mode": mode, "model_set": model_set}, small.run(model_set, stage, mode=mode)) for mode in MODES]


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes."""
    small = ablation_study(study)
    return [Predictions.of(small, run) for _, run in (*optimizer_runs(study), *mode_runs(study))]


def optimizers(study: Study) -> pd.DataFrame:
    """Tabulate how well the metamers of every optimiser and initial stimulus are recognized.

    One row per optimiser, initial stimulus and evaluator: optimizer, initializer, model_set, and what `evaluate`
    returns.
    """
    return evaluate(ablation_study(study), optimizer_runs(study), title="optimisers")


def modes(study: Study) -> pd.DataFrame:
    """Tabulate how well metamers are recognized that were made by turns or jointly: mode, model_set, and `evaluate`."""
    return evaluate(ablation_study(study), mode_runs(study), title="modes")


def convergence(study: Study, runs: Labelled) -> pd.DataFrame:
    """Follow the residuals of some runs over their updates.

    One row per run, repetition and network: repetition, update (of the images), model, residual (mean over images),
    learning_rate, the labels, stage.
    """
    small = ablation_study(study)
    small.execute([run for _, run in runs])
    tables = [small.result(run).history.assign(**labels, stage=run.stage) for labels, run in runs]
    return pd.concat(tables, ignore_index=True)


def rounds_needed(history: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Find after how many rounds each way to optimise comes to the residual at which the first of them ends.

    One row per way, in their order: the columns of `by`, rounds (missing if it never does, or began below).
    """
    rows, level = [], None
    for way, group in history.groupby(by, sort=False):
        curve = group.groupby("repetition")["residual"].mean()
        level = curve.iloc[-1] if level is None else level
        below = curve[curve <= level]
        reached = len(below) and curve.iloc[0] > level
        rows.append(dict(zip(by, way, strict=True)) | {"rounds": below.index[0] if reached else pd.NA})
    return pd.DataFrame(rows).astype({"rounds": "Int64"})
