"""What the tables of part two take beside a study's sets, stages and budget: their own budgets and choices."""

from dataclasses import dataclass

from metamerlib.models import Stage

_BUDGET = ("repetitions", "steps_per_model", "learning_rate", "final_learning_rate")


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """The settings of single tables; each is a key of a profile, beside those of `StudySettings`.

    Attributes
    ----------
    metric_backbone
        Network of FID, KID and LPIPS: the key of one of the study's, or "downloaded" for the published Inception-v3
        and AlexNet. None leaves these metrics out.
    metric_scorer
        Image-text model of CLIP-IQA: "downloaded" for OpenAI's CLIP. None leaves it out.
    max_pairs
        Pairs of images of one kind that enter a density of distances; more are drawn from.
    permutations
        Orders of the images that the p-values of correlated distances count.
    null_quantile
        Quantile of unrelated pairs that a metamer must exceed to be one.
    epsilons
        Radii of the restricted search, in pixel values.
    restricted_n_per_class
        Images per category for the restricted search and the attacks, the first ones of the study's; None takes all.
    restricted_repetitions, restricted_steps_per_model
        Budget of the restricted search.
    restricted_learning_rate, restricted_final_learning_rate
        Its learning rates in the first and the last repetition: a small budget needs longer steps.
    attack_steps
        Steps of the adversarial attack.
    mixed_sets
        Number of random model sets.
    mixed_smallest, mixed_largest
        Their smallest and largest size. A set never takes all evaluators, so that one is left to judge.
    mixed_stage
        The stage that their metamers are made at.
    mixed_n_per_class
        Images per category that their metamers are made of, the first ones of the study's; None takes all.
    mixed_repetitions, mixed_steps_per_model
        Their budget.
    mixed_learning_rate, mixed_final_learning_rate
        Their learning rates.
    ablation_n_per_class
        Images per category for ablations, ensemble sizes and transfer, the first ones of the study's; None takes all.
    ablation_repetitions, ablation_steps_per_model
        Their budget.
    ablation_learning_rate, ablation_final_learning_rate
        Their learning rates.
    ablation_initializers
        Initialisers to compare, as for `GenerationConfig`.
    largest_ensemble
        Ensembles of one up to so many networks are compared.
    transfer_generators
        Keys of the networks whose own metamers all others judge; None takes every trained network.
    """

    metric_backbone: str | None = "densenet121"
    metric_scorer: str | None = None
    max_pairs: int = 10_000
    permutations: int = 999
    null_quantile: float = 1.0
    epsilons: tuple[float, ...] = (8 / 255, 0.3, 10_000.0)
    restricted_n_per_class: int | None = 1
    restricted_repetitions: int = 40
    restricted_steps_per_model: int = 1
    restricted_learning_rate: float = 2.0
    restricted_final_learning_rate: float = 0.1
    attack_steps: int = 40
    mixed_sets: int = 100
    mixed_smallest: int = 2
    mixed_largest: int = 10
    mixed_stage: Stage = "middle"
    mixed_n_per_class: int | None = 1
    mixed_repetitions: int = 6
    mixed_steps_per_model: int = 1
    mixed_learning_rate: float = 4.0
    mixed_final_learning_rate: float = 0.4
    ablation_n_per_class: int | None = 1
    ablation_repetitions: int = 40
    ablation_steps_per_model: int = 1
    ablation_learning_rate: float = 2.0
    ablation_final_learning_rate: float = 0.1
    ablation_initializers: tuple[str, ...] = ("l1_ball", "mix")
    largest_ensemble: int = 5
    transfer_generators: tuple[str, ...] | None = (
        "alexnet",
        "vgg19",
        "resnet18",
        "resnet18_robust",
        "resnet50",
        "convnext_base",
        "deit_small",
        "vit_base",
        "vit_base_robust",
        "mlp_mixer",
    )

    def budget(self, table: str) -> dict[str, float]:
        """Give the budget of some tables.

        Parameters
        ----------
        table
            "restricted", "mixed" or "ablation".

        Returns
        -------
        dict
            Fields of `GenerationConfig` to values.
        """
        return {name: getattr(self, f"{table}_{name}") for name in _BUDGET}

    def __post_init__(self) -> None:
        if self.mixed_smallest > self.mixed_largest:
            raise ValueError(
                f"mixed_smallest={self.mixed_smallest} is above mixed_largest={self.mixed_largest}: give them in order."
            )
