"""Time per update: the solver against a bare loop on the same networks, images and steps.

The bare loop has the truncated networks, the references' activations and the step, and nothing else. Both run in one
process, a repetition of the one after a repetition of the other, and end in the same images.
"""

from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from benchmarks.loops import Truncated, bare_loop
from benchmarks.measure import compared, now
from benchmarks.pictures import draw_ratios
from benchmarks.tasks import STAGE, build
from metamerlib import GenerationConfig, generate_metamers
from metamerlib.generation.batch import Batch

NAME = "update"
BOUNDS = {"cpu": 1.10, "cuda": 1.15}

_WARM_UP = 2
_ROUNDS = {"vgg19": 15, "resnet18": 15, "vit_base": 15, "resnet18_224": 12, "cnns": 9, "transformers": 9}
_QUICK = {"small": 3}


def run(output: Path, quick: bool = False, device: str = "cpu") -> pd.DataFrame:
    """Measure all tasks.

    Parameters
    ----------
    output
        Folder for the picture.
    quick
        One small task and three rounds.
    device
        A torch device.

    Returns
    -------
    pd.DataFrame
        A row per task, in milliseconds per update.
    """
    rounds = _QUICK if quick else _ROUNDS
    rows = [_task_row(name, count, device) for name, count in tqdm(rounds.items(), desc=f"{NAME} ({device})")]
    table = pd.DataFrame(rows)
    draw_ratios(table, "Solver / bare loop, time per update", output / f"{NAME}-{device}.png")
    return table


def _task_row(name: str, rounds: int, device: str) -> dict[str, object]:
    task = build(name, device)
    config = GenerationConfig(repetitions=_WARM_UP + rounds, steps_per_model=task.steps)
    images = task.initial.clone()
    networks = [Truncated(model, layer) for model, layer in zip(task.models, task.layers, strict=True)]
    rates = [config.learning_rate_at(repetition) for repetition in range(config.repetitions)]
    turns = _Turns(bare_loop(networks, task.references, images, rates, task.steps), device)
    metamers = generate_metamers(
        task.references.cpu(),
        task.models,
        stage=STAGE,
        config=config,
        initial=task.initial.cpu(),
        device=device,
        progress=False,
        watch=turns,
    )
    updates = task.steps * len(task.models)
    milliseconds = [[1e3 * seconds / updates for seconds in series[_WARM_UP:]] for series in (turns.solver, turns.bare)]
    return {
        "line": task.title,
        "unit": "ms per update",
        **compared(*milliseconds),
        "bound": BOUNDS[torch.device(device).type],
        "same images": torch.equal(metamers.images, images.detach().cpu()),
    }


class _Turns:
    """Lets the bare loop do a repetition between two of the solver's, and times both.

    The solver is timed from the end of one call to the beginning of the next: all that it does, through its front door.
    """

    def __init__(self, bare: object, device: str) -> None:
        self._bare, self._device, self._left = bare, device, None
        self.solver, self.bare = [], []

    def __call__(self, batch: Batch) -> None:
        entered = now(self._device)
        if self._left is not None:
            self.solver.append(entered - self._left)
        began = now(self._device)
        if next(self._bare, self) is not self:  # it ends before the solver's last call
            self.bare.append(now(self._device) - began)
        self._left = now(self._device)
