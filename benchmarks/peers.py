"""Other implementations: time to the same residual, and per update and image.

The target is the mean residual that Table 3's schedule, cut to some updates, reaches with metamerlib. The loop of
Feather et al. takes as many of the same steps, one image at a time; other rounding leads it to other images in the
end. plenoptic's `Metamer` has its own defaults (Adam, mean squared error); it is compared with metamerlib's Adam, and
both stop at the first update that has the target's residual or a lower one. For metamerlib's fast preset, whose
schedule depends on the number of updates, the fewest are sought that end there.
"""

import io
import math
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plenoptic
import torch
from torch import Tensor
from torchvision.transforms import Normalize
from tqdm import tqdm

from benchmarks.loops import feather_loop
from benchmarks.measure import compared, now
from benchmarks.pictures import draw_bars, draw_images
from benchmarks.tasks import STAGE, Task, build
from metamerlib import GenerationConfig, generate_metamers

NAME = "peers"
FEATHER_BOUND, PLENOPTIC_BOUND = 1.0, 1.05  # the latter with a margin for noise: both make one pass per update

_SHOWN = 8  # images of each row of the picture
_TASKS, _UPDATES, _ROUNDS = ("vgg19_8", "resnet18_8"), 100, 5
_QUICK_TASKS, _QUICK_UPDATES, _QUICK_ROUNDS = ("small",), 10, 1

# What plenoptic's Metamer does by default, said in metamerlib's words.
_ADAM = GenerationConfig(
    loss="squared_inversion",
    gradient="raw",
    optimizer="Adam",
    optimizer_options={"amsgrad": True},
    schedule="constant",
    learning_rate=0.01,
    steps_per_model=1,
)


def run(output: Path, quick: bool = False, device: str = "cpu") -> pd.DataFrame:
    """Measure all tasks.

    Parameters
    ----------
    output
        Folder for the pictures.
    quick
        One small task, few updates and one round.
    device
        A torch device.

    Returns
    -------
    pd.DataFrame
        For each task and peer rows in seconds to the same residual and in milliseconds per update and image.
    """
    tasks, updates, rounds = (_QUICK_TASKS, _QUICK_UPDATES, _QUICK_ROUNDS) if quick else (_TASKS, _UPDATES, _ROUNDS)
    rows = []
    with tqdm(total=len(tasks) * rounds, desc=f"{NAME} ({device})") as bar:
        for name in tasks:
            rows += _task_rows(_Contest(build(name, device), updates, device), rounds, bar, output)
    table = pd.DataFrame(rows)
    draw_bars(table, "metamerlib and other implementations", output / f"{NAME}-{device}.png")
    return table


@dataclass(frozen=True)
class _Runner:
    """One implementation with its settings: makes metamers in a fixed number of updates."""

    updates: int
    make: Callable[[], Tensor]


class _Contest:
    """The implementations on one task, each with the updates that it needs to reach the target."""

    def __init__(self, task: Task, updates: int, device: str) -> None:
        self.task, self.device = task, device
        (self._model,), (self._layer,) = task.models, task.layers
        with torch.no_grad():
            self._target = self._model.activations(task.references, self._layer).flatten(1)
        table_3 = GenerationConfig(repetitions=updates // 10, steps_per_model=10)
        rates = [table_3.learning_rate_at(update // 10) for update in range(updates)]
        self._features = plenoptic.models.DeepNetFeatures(
            self._model.module, self._layer, Normalize(self._model.mean, self._model.std)
        ).eval()
        self.goal = self.residual(self._solve(table_3))
        most = 3 * updates
        adam = _ADAM.replace(repetitions=self._first(self._adam_path(most)))
        theirs = self._first(self._plenoptic_path(most))
        fast = GenerationConfig.fast(repetitions=self._fewest_fast(most))
        self.runners = {
            "metamerlib, Table 3": _Runner(updates, lambda: self._solve(table_3)),
            "Feather et al.": _Runner(updates, lambda: self._feather(rates)),
            "metamerlib, Adam": _Runner(adam.repetitions, lambda: self._solve(adam)),
            "plenoptic": _Runner(theirs, lambda: self._plenoptic(theirs).metamer.detach()),
            "metamerlib, fast": _Runner(fast.repetitions, lambda: self._solve(fast)),
        }

    def residual(self, images: Tensor) -> float:
        """Measure the mean residual of images."""
        with torch.no_grad():
            found = self._model.activations(images.to(self.device), self._layer).flatten(1)
        return ((found - self._target).norm(dim=1) / self._target.norm(dim=1)).mean().item()

    def _first(self, path: Iterable[Tensor]) -> int:
        """Count the updates up to the first images that are as close as the goal, or up to the last ones."""
        for updates, images in enumerate(path):  # noqa: B007
            if self.residual(images) <= self.goal:
                break
        return max(updates, 1)

    def _fewest_fast(self, most: int) -> int:
        """Find the fewest updates of the fast preset that end as close as the goal, by bisection."""
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            reached = self.residual(self._solve(GenerationConfig.fast(repetitions=middle))) <= self.goal
            low, high = (low, middle) if reached else (middle, high)
        return high

    def _solve(self, config: GenerationConfig, **options: Any) -> Tensor:
        task = self.task
        run = {"stage": STAGE, "initial": task.initial.cpu(), "device": self.device, "progress": False, **options}
        return generate_metamers(task.references.cpu(), task.models, config=config, **run).images

    def _adam_path(self, most: int) -> list[Tensor]:
        path: list[Tensor] = []
        self._solve(_ADAM.replace(repetitions=most), watch=lambda part: path.append(part.images.cpu().clone()))
        return path

    def _feather(self, rates: list[float]) -> Tensor:
        return feather_loop(self._model, self._layer, self.task.references, self.task.initial, rates)

    def _plenoptic(self, updates: int, store: bool = False) -> plenoptic.Metamer:
        metamer = plenoptic.Metamer(self.task.references, self._features)
        metamer.setup(initial_image=self.task.initial)
        with redirect_stderr(io.StringIO()):  # its progress bar cannot be turned off
            metamer.synthesize(max_iter=updates, stop_criterion=0, store_progress=store)
        return metamer

    def _plenoptic_path(self, most: int) -> Tensor:
        return self._plenoptic(most, store=True).saved_metamer.detach()


_SECONDS, _PER_UPDATE = "s to the residual", "ms per update and image"
_COMPARED = (
    ("Feather et al.'s loop", "metamerlib, Table 3", "Feather et al.", _SECONDS, FEATHER_BOUND),
    ("Feather et al.'s loop", "metamerlib, Table 3", "Feather et al.", _PER_UPDATE, FEATHER_BOUND),
    ("plenoptic, both with Adam", "metamerlib, Adam", "plenoptic", _PER_UPDATE, PLENOPTIC_BOUND),
    ("plenoptic, both with Adam", "metamerlib, Adam", "plenoptic", _SECONDS, math.nan),
    ("plenoptic, metamerlib with Table 3", "metamerlib, Table 3", "plenoptic", _SECONDS, math.nan),
    ("plenoptic, metamerlib with fast preset", "metamerlib, fast", "plenoptic", _SECONDS, math.nan),
)
"""Line, our settings, theirs, unit, bound.

How many updates plenoptic needs depends on the optimiser's path, not on the implementation: no bound there.
"""


def _task_rows(contest: _Contest, rounds: int, bar: tqdm, output: Path) -> list[dict[str, object]]:
    seconds: dict[str, list[float]] = {name: [] for name in contest.runners}
    images: dict[str, Tensor] = {}
    for _ in range(rounds):
        for name, runner in contest.runners.items():
            began = now(contest.device)
            images[name] = runner.make()
            seconds[name].append(now(contest.device) - began)
        bar.update()
    residuals = {name: contest.residual(found) for name, found in images.items()}
    picture = output / f"{NAME}-{contest.task.models[0].name}-{contest.device}.png"
    shown = {"reference": contest.task.references} | {f"{name}\n{residuals[name]:.3f}": images[name] for name in images}
    draw_images({name: found[:_SHOWN].clamp(0, 1).cpu() for name, found in shown.items()}, picture)
    rows = []
    count = len(contest.task.references)
    for line, ours, theirs, unit, bound in _COMPARED:
        updates = [contest.runners[name].updates for name in (ours, theirs)]
        scales = [1e3 / (number * count) if unit == _PER_UPDATE else 1.0 for number in updates]
        series = [[scale * s for s in seconds[name]] for scale, name in zip(scales, (ours, theirs), strict=True)]
        rows.append(
            {
                "line": f"{line}, {contest.task.title}",
                "unit": unit,
                **compared(*series),
                "bound": bound,
                "updates": " / ".join(map(str, updates)),
                "residual": f"{residuals[ours]:.3f} / {residuals[theirs]:.3f}",
            }
        )
    return rows
