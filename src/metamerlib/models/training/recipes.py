"""How each miniature is trained: one table."""

import json
from dataclasses import asdict, dataclass

from metamerlib.models.weights import zoo_folder

EPSILON = 4 / 255
"""The ℓ∞ radius of the paper's robust networks; AlexNet Robust has twice that (Table A1)."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training of one miniature.

    Parameters
    ----------
    objective
        "labels": cross-entropy. "distillation": the teachers' mean probabilities, and the labels.
        "adversarial": cross-entropy under an ℓ∞ attack of `attack_steps` steps with random start (Madry et al.
        2018; one step: Wong et al. 2020). "corruptions": cross-entropy on images with common corruptions.
    images
        Number of images seen, counted with repetition.
    learning_rate
        Highest rate of the one-cycle schedule.
    teachers, start
        Keys of the networks that are distilled, and of the one whose weights this one starts from.
    epsilon
        ℓ∞ radius of the adversarial training.
    clean_share
        Share of the training before the attack's radius begins to grow.
    ramp_share
        Share of the training over which the radius grows to `epsilon`.
    seed
        Of the initial weights, the order of the images and the augmentation.
    """

    objective: str = "labels"
    images: int = 160_000
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    batch_size: int = 128
    teachers: tuple[str, ...] = ()
    start: str | None = None
    epsilon: float = 0.0
    attack_steps: int = 1
    clean_share: float = 0.0
    ramp_share: float = 0.3
    seed: int = 0

    @property
    def needs(self) -> tuple[str, ...]:
        """The networks that must be trained before this one."""
        return (*self.teachers, *((self.start,) if self.start else ()))

    def to_dict(self) -> dict:
        """Return the recipe as plain data for the zoo's card."""
        return asdict(self) | {"teachers": list(self.teachers)}


def _read() -> dict[str, Recipe]:
    rows = json.loads((zoo_folder() / "recipes.json").read_text("utf-8"))
    return {key: Recipe(**row | {"teachers": tuple(row.get("teachers", ()))}) for key, row in rows.items()}


RECIPES = _read()
"""Every trained miniature's recipe, in the order in which they are best trained."""
