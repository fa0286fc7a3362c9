"""The hyper-parameters of a generation, with the paper's Table 3 as the default."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from metamerlib.checks import check_choice, near, real_number, shown, whole_number
from metamerlib.generation.initializers import INITIALIZERS
from metamerlib.generation.objectives import LOSSES
from metamerlib.generation.parametrization import PARAMETRIZATIONS
from metamerlib.generation.projections import PROJECTIONS
from metamerlib.generation.steps import GRADIENT_RULES, SCHEDULES, check_optimizer

_CHOICES: dict[str, tuple[str, ...]] = {
    "loss": tuple(LOSSES),
    "initializer": tuple(INITIALIZERS),
    "gradient": tuple(GRADIENT_RULES),
    "schedule": tuple(SCHEDULES),
    "projection": tuple(PROJECTIONS),
    "center": ("initial", "reference"),
    "mode": ("round_robin", "joint"),
    "relu_gradient": ("stock", "identity"),
    "parametrization": tuple(PARAMETRIZATIONS),
}
_BOUNDS: dict[str, dict[str, float]] = {
    "learning_rate": {"above": 0.0},
    "final_learning_rate": {"above": 0.0},
    "epsilon": {"above": 0.0},
    "initializer_radius": {"at_least": 0.0},
    "initializer_constant": {"at_least": 0.0, "at_most": 1.0},
    "initializer_mix": {"at_least": 0.0, "at_most": 1.0},
    "fourier_exponent": {"at_least": 0.0, "at_most": 4.0},
}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "fast": {
        "repetitions": 4000,
        "steps_per_model": 1,
        "parametrization": "fourier",
        "fourier_exponent": 1.5,
        "optimizer": "Adam",
        "optimizer_options": {"betas": (0.9, 0.99)},
        "schedule": "one_cycle",
        "learning_rate": 0.2,
        "final_learning_rate": 0.002,
    },
}
"""By name the fields in which a preset differs from Table 3."""


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """Hyper-parameters of a generation; the defaults are the paper's Table 3.

    Attributes
    ----------
    repetitions
        How often the ensemble is gone through.
    steps_per_model
        Updates with each model in each repetition.
    loss
        What is minimised: "inversion" (‖a′ − a‖ / ‖a‖) or "squared_inversion".
    initializer
        Where an image starts: "l1_ball" (uniform in the ℓ₁ ball of radius r over all values, around c),
        "uniform_offset" (U(−r, r) + c), "normal" (N(c, r)), "uniform" (U(0, 1)), "reference", or "mix" (of the
        reference and U(0, 1) noise). Clamped to [0, 1].
    initializer_radius, initializer_constant
        r and c above, in pixel values.
    initializer_mix
        The reference's share in "mix", in [0, 1].
    gradient
        What is made of an image's gradient before the step: "normalized" (divided by its L2 norm), "raw" or "sign".
    optimizer
        Name of a class of `torch.optim`, such as "SGD" or "Adam".
    optimizer_options
        Its further arguments, such as ``{"momentum": 0.9}``.
    schedule
        Learning rate over the repetitions: "exponential", "constant", "halving" (at equal intervals) or "one_cycle" (up
        over the first 30 %, then down, along cosines).
    learning_rate, final_learning_rate
        Of the first and the last repetition; in "one_cycle" the highest and the last.
    projection
        The ball that an image is kept in: "linf", "l2" or "none" ([0, 1] alone, which always holds).
    epsilon
        The ball's radius in pixel values; ℓ₂ over all values of an image.
    center
        The ball's centre: the "initial" stimulus or the "reference".
    mode
        "round_robin" (each update follows one model's gradient, Algorithm 1) or "joint" (each update follows the sum
        of all models' gradients). Either way each model's gradient is taken `updates_per_model` times.
    relu_gradient
        "stock", or "identity": where the tapped tensor comes out of a ReLU, that ReLU's backward pass is the
        identity, as in Feather et al. (2023), so that units which are silent now can be woken.
    parametrization
        What is optimised: "pixels", or "fourier" (coefficients scaled by 1/f^α, through a sigmoid, which cannot keep to
        an ℓ₂ ball). Learning rates mean something else for each.
    fourier_exponent
        α above, in [0, 4]: 1 is the spectrum of photographs; with more, metamers become smoother.

    Raises
    ------
    TypeError
        If a value has the wrong type.
    ValueError
        If a value is unknown, out of range, or does not go with another.

    Examples
    --------
    >>> config = GenerationConfig(repetitions=200, optimizer="Adam", learning_rate=0.05)
    >>> config.updates_per_model
    2000
    >>> config.replace(gradient="sgn")
    Traceback (most recent call last):
    ...
    ValueError: gradient='sgn' is unknown; choose one of 'normalized', 'raw', 'sign'. Did you mean 'sign'?
    """

    repetitions: int = 4000
    steps_per_model: int = 10
    loss: str = "inversion"
    initializer: str = "l1_ball"
    initializer_radius: float = 0.1
    initializer_constant: float = 0.5
    initializer_mix: float = 0.5
    gradient: str = "normalized"
    optimizer: str = "SGD"
    # Not part of the hash, being a dict; equal configurations still have equal hashes.
    optimizer_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    schedule: str = "exponential"
    learning_rate: float = 1.0
    final_learning_rate: float = 0.005
    projection: str = "linf"
    epsilon: float = 10000.0
    center: str = "initial"
    mode: str = "round_robin"
    relu_gradient: str = "stock"
    parametrization: str = "pixels"
    fourier_exponent: float = 1.0

    def __post_init__(self) -> None:
        for name in ("repetitions", "steps_per_model"):
            self._set(name, whole_number(getattr(self, name), name, at_least=1))
        for name, bounds in _BOUNDS.items():
            self._set(name, real_number(getattr(self, name), name, **bounds))
        for name, choices in _CHOICES.items():
            check_choice(getattr(self, name), choices, name)
        if self.schedule == "halving" and self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate={self.final_learning_rate} is above learning_rate={self.learning_rate}: "
                "schedule='halving' only goes down."
            )
        if self.parametrization == "fourier" and self.projection == "l2":
            raise ValueError(
                "projection='l2' does not go with parametrization='fourier', which keeps each value in an interval: "
                "give 'linf' or 'none', or parametrization='pixels'."
            )
        self._set("optimizer_options", _plain_options(self.optimizer_options))
        check_optimizer(self.optimizer, self.optimizer_options)

    @classmethod
    def fast(cls, **changes: Any) -> Self:
        """Build a configuration that does with a tenth of Table 3's updates: Adam on Fourier coefficients."""
        # What metamers look like depends on the rule as well: never compare networks by metamers of two presets.
        return cls.from_dict({**PRESETS["fast"], **changes})

    @property
    def initializer_options(self) -> dict[str, Any]:
        """The arguments of `initial_stimuli` that the configuration decides."""
        names = ("radius", "constant", "mix")
        return {"initializer": self.initializer} | {name: getattr(self, f"initializer_{name}") for name in names}

    @property
    def updates_per_model(self) -> int:
        """How often each model's gradient is followed: `repetitions` × `steps_per_model`."""
        return self.repetitions * self.steps_per_model

    def learning_rate_at(self, repetition: int) -> float:
        """Return the learning rate of one repetition, counted from 0."""
        schedule = SCHEDULES[self.schedule]
        return schedule(repetition, self.repetitions, self.learning_rate, self.final_learning_rate)

    def replace(self, **changes: Any) -> Self:
        """Copy the configuration with some values changed; raises a ValueError as `from_dict` does."""
        return self.from_dict({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain JSON values, by name."""
        values = dataclasses.asdict(self)
        values["optimizer_options"] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.optimizer_options.items()
        }
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a configuration from what `to_dict` returned, or from a part of it; the rest are defaults."""
        known = [entry.name for entry in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ValueError(
                    f"GenerationConfig has no field {name!r}.{near(name, known)} Its fields are {', '.join(known)}."
                )
        return cls(**values)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the dataclass is frozen; this is its own construction


def _plain_options(options: object) -> dict[str, Any]:
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise TypeError(f"optimizer_options={shown(options)}: give a mapping such as {{'momentum': 0.9}}.")
    for value in options.values():
        entries = value if isinstance(value, list | tuple) else (value,)
        if not all(entry is None or isinstance(entry, bool | int | float | str) for entry in entries):
            raise TypeError(
                f"optimizer_options={shown(options)}: give numbers, text, truth values or lists of them, not "
                f"{shown(value)}."
            )
    # Sorted, and lists as tuples: however they were written, equal options are equal, and read back from JSON too.
    return {name: tuple(value) if isinstance(value, list) else value for name, value in sorted(options.items())}
