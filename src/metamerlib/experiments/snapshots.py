"""Pictures that are kept along a generation, of some of its images.

A study's own runs keep one image per category while they generate, as a result of its own beside the metamers
(`kept_beside`): looking costs next to nothing then, and repeating a generation to look at it costs all of it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from metamerlib.experiments.runs import MetamerRun
from metamerlib.experiments.spec import Spec
from metamerlib.generation.parts import Part

SNAPSHOTS = 8
"""How many pictures of an image a study's own runs keep, the initial stimulus and the metamer among them."""


@dataclass(frozen=True)
class TrajectoryRun(Spec):
    """Keep some images along their generation; the result is a mapping of tensors, as `Recorder` gives it.

    Attributes
    ----------
    run
        The generation.
    images
        Positions of the images in its references.
    repetitions
        After how many repetitions to keep them; 0 is the initial stimulus.
    """

    run: MetamerRun
    images: tuple[int, ...]
    repetitions: tuple[int, ...]

    kind: ClassVar[str] = "trajectories"
    codec: ClassVar[str] = "tensors"
    version: ClassVar[int] = 1

    def identity(self) -> dict[str, Any]:
        """Return what the snapshots depend on.

        Returns
        -------
        dict
            Key of the run, positions, repetitions.
        """
        return {"run": self.run.key, "images": self.images, "repetitions": self.repetitions}

    @property
    def label(self) -> str:
        """Name of the run, and how many images are followed."""
        return f"{self.run.label}, step by step"


def kept_beside(run: MetamerRun) -> TrajectoryRun | None:
    """Name the snapshots that a generation keeps beside its metamers.

    Parameters
    ----------
    run
        The generation.

    Returns
    -------
    TrajectoryRun or None
        Of the images that the run follows; None if it follows none.
    """
    if not run.followed:
        return None
    return TrajectoryRun(run, run.followed, spread(run.config.repetitions, SNAPSHOTS))


def spread(repetitions: int, n: int) -> tuple[int, ...]:
    """Choose when to look at a generation: often at its start, where images change fastest.

    Parameters
    ----------
    repetitions
        How many there are.
    n
        How many to choose.

    Returns
    -------
    tuple of int
        At most n repetitions, rising, from 0 to `repetitions`.
    """
    between = np.geomspace(1, repetitions, n - 1).round().astype(int).tolist() if n > 2 else []
    return tuple(sorted({0, *between, repetitions}))


class Recorder:
    """Watches a generation and keeps some images along the way.

    Parameters
    ----------
    images
        Positions of the images in the run.
    repetitions
        After how many repetitions to keep them.
    """

    def __init__(self, images: Sequence[int], repetitions: Sequence[int]) -> None:
        self._images, self._repetitions = images, repetitions
        self._kept: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def __call__(self, part: Part) -> None:
        """Keep what is wanted of a batch as it is now.

        Parameters
        ----------
        part
            The batch.
        """
        present = [position for position in self._images if position in part.positions]
        if not present or part.repetition not in self._repetitions:
            return
        rows = [part.positions.index(position) for position in present]
        images, residuals = part.images[rows].cpu(), part.residuals()[rows].cpu()  # chosen by a list: copies
        for row, position in enumerate(present):
            self._kept[part.repetition, position] = images[row], residuals[row]

    @property
    def complete(self) -> bool:
        """Whether all is there; it is not if the run went on from a checkpoint."""
        return len(self._kept) == len(self._repetitions) * len(self._images)

    def tensors(self) -> dict[str, Tensor]:
        """Return what was kept.

        Returns
        -------
        dict
            images (S, N, 3, H, W) and residuals (S, N, M), by snapshot, image and model.
        """
        keys = [(repetition, position) for repetition in self._repetitions for position in self._images]
        shape = (len(self._repetitions), len(self._images))
        return {
            name: torch.stack([self._kept[key][part] for key in keys]).unflatten(0, shape)
            for part, name in enumerate(("images", "residuals"))
        }
