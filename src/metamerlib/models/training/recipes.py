"""How each miniature is trained: one table."""

from dataclasses import asdict, dataclass

from metamerlib.models.miniature import MINIATURES, RANDOM_SEEDS

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
    weight_decay
        Of AdamW.
    batch_size
        Images per update.
    teachers
        Keys of the networks that are distilled.
    start
        Key of the network whose weights this one starts from.
    epsilon
        ℓ∞ radius of the adversarial training.
    attack_steps
        Steps of the attack in training.
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


def _robust(start: str | None, **changes: object) -> Recipe:
    return Recipe(
        **{
            "objective": "adversarial",
            "images": 100_000,
            "learning_rate": 1.5e-3,
            "epsilon": EPSILON,
            "start": start,
            **changes,
        }
    )


_TRANSFORMER = Recipe(objective="distillation", teachers=("resnet18",), images=200_000, learning_rate=2e-3)

RECIPES: dict[str, Recipe] = {
    "resnet18": Recipe(),
    "alexnet": Recipe(images=240_000, learning_rate=1e-3),
    "vgg19": Recipe(),
    "resnet50": Recipe(),
    "convnext_base": Recipe(objective="distillation", teachers=("resnet18",)),
    "vit_base": _TRANSFORMER,
    "deit_small": _TRANSFORMER,
    "swin_base": _TRANSFORMER,
    "xcit_small": _TRANSFORMER,
    "alexnet_robust": _robust("alexnet", epsilon=2 * EPSILON, learning_rate=1e-3),
    "resnet18_robust": _robust("resnet18"),
    "convnext_base_robust": _robust("convnext_base"),
    "deit_small_robust": Recipe(objective="corruptions", start="deit_small", images=120_000, learning_rate=1e-3),
    "vit_base_robust": _robust(None, images=400_000, learning_rate=2e-3, clean_share=0.5, ramp_share=0.2),
    "swin_base_robust": _robust("swin_base"),
    "xcit_small_robust": _robust("xcit_small"),
    "squeezenet": Recipe(images=240_000, learning_rate=2e-3),
    "mobilenet_v2": Recipe(),
    "shufflenet_v2": Recipe(),
    "densenet121": Recipe(),
    "cornet_s": Recipe(),
    "resnext50": Recipe(),
    "wide_resnet50": Recipe(),
    "resnet50_robust": _robust("resnet50"),
    "wide_resnet50_robust": _robust("wide_resnet50"),
    "meal_v1_resnet50": Recipe(objective="distillation", teachers=("resnet50", "vgg19"), seed=1),
    "mlp_mixer": _TRANSFORMER,
    "meal_v2_resnet50": Recipe(objective="distillation", teachers=("wide_resnet50", "densenet121"), seed=2),
    "meal_v2_efficientnet_b0": Recipe(
        objective="distillation", teachers=("wide_resnet50", "densenet121"), images=100_000
    ),
    "resnet18_seed1": Recipe(seed=1),
    "resnet18_seed2": Recipe(seed=2),
}
"""Every trained miniature's recipe, in the order in which they are best trained."""

assert set(RECIPES) == set(MINIATURES) - set(RANDOM_SEEDS)
