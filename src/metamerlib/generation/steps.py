"""From a gradient to a step: how its length is set, which optimiser takes it, and at which learning rate.

Every rule and optimiser treats each image by itself. Each schedule is a closed formula of the repetition (from 0), the
number of repetitions, and the learning rates of the first and the last one: a resumed run needs no scheduler's state.
"""

import inspect
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from metamerlib.checks import check_choice, near, shown

NORM_FLOOR = 1e-12
"""Added to the norm that a gradient is divided by."""


def norm_per_image(gradient: Tensor) -> Tensor:
    """Compute the L2 norm of each image's gradient, (N, …) to (N, 1, …)."""
    return torch.linalg.vector_norm(gradient, dim=tuple(range(1, gradient.ndim)), keepdim=True)


def normalized(gradient: Tensor) -> Tensor:
    """Divide each image's gradient by its L2 norm (Feather et al.'s L2 step); zero stays zero.

    The learning rate is then the Euclidean length of a step: 1.0 changes values of a 224 px image by 1/388 (RMS).
    """
    return gradient / (norm_per_image(gradient) + NORM_FLOOR)


def raw(gradient: Tensor) -> Tensor:
    """Take the gradient as it is."""
    return gradient


def sign(gradient: Tensor) -> Tensor:
    """Take the gradient's sign: every value moves by the learning rate, as in FGSM and ℓ∞ PGD."""
    return gradient.sign()


GRADIENT_RULES: dict[str, Callable[[Tensor], Tensor]] = {"normalized": normalized, "raw": raw, "sign": sign}
"""The gradient rules by the name that `GenerationConfig.gradient` gives them."""


def exponential(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Decay by a constant factor per repetition, from `start` in the first to `end` in the last (Table 3)."""
    return start * (end / start) ** (repetition / max(repetitions - 1, 1))


def constant(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Keep the learning rate."""
    return start


def halving(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Halve the learning rate at equal intervals, as often as it stays at or above `end`.

    From 1 to 0.005 these are seven halvings: the schedule of Feather et al. (2023), who halve every 3000 updates.
    """
    # The tolerance keeps an exact power of two, such as 1 to 0.25, from losing its last halving to rounding.
    halvings = math.floor(math.log2(start / end) + 1e-9)
    return start * 0.5 ** (repetition * (halvings + 1) // repetitions)


def one_cycle(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Rise along a cosine from a 25th of `start` to it, over the first 30 %, then fall along a cosine to `end`.

    The schedule of Smith and Topin (2018), as PyTorch's `OneCycleLR` has it; below four repetitions there is no rise.
    """
    peak, last = max(0.3 * repetitions - 1, 0.0), repetitions - 1
    if repetition <= peak:
        share = repetition / peak if peak else 1.0
        low = start / 25
    else:
        share, low = 1 - (repetition - peak) / (last - peak), end
    return low + (start - low) * (1 - math.cos(math.pi * share)) / 2


SCHEDULES: dict[str, Callable[[int, int, float, float], float]] = {
    "exponential": exponential,
    "constant": constant,
    "halving": halving,
    "one_cycle": one_cycle,
}
"""The schedules by the name that `GenerationConfig.schedule` gives them."""

_REFUSED_OPTIMIZERS = {
    "Adafactor": "it scales each step by statistics of the whole batch, so that metamers would depend on each other",
    "LBFGS": "it evaluates the loss itself, several times per step and for the whole batch at once",
    "Muon": "it is made for weight matrices, not for images",
    "SparseAdam": "it takes sparse gradients only",
}

OPTIMIZERS: tuple[str, ...] = tuple(
    sorted(
        name
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value)
        and issubclass(value, torch.optim.Optimizer)
        and name not in {"Optimizer", *_REFUSED_OPTIMIZERS}
    )
)
"""The classes of `torch.optim` that `GenerationConfig.optimizer` may name: all that update element by element."""


def check_optimizer(name: str, options: Mapping[str, object]) -> None:
    """Validate an optimiser of independent images and its options, by taking a step with it."""
    if isinstance(name, str) and name in _REFUSED_OPTIMIZERS:
        raise ValueError(f"optimizer={name!r} cannot be used: {_REFUSED_OPTIMIZERS[name]}. Choose another.")
    check_choice(name, OPTIMIZERS, "optimizer")
    reserved = {"lr": "set learning_rate and schedule instead", "maximize": "metamers minimise the distance"}
    known = [option for option in inspect.signature(getattr(torch.optim, name)).parameters if option != "params"]
    for option in options:
        if option in reserved:
            raise ValueError(f"optimizer_options has {option!r}: {reserved[option]}.")
        if option not in known:
            raise ValueError(
                f"optimizer_options={shown(dict(options))} has {option!r}, which {name} does not take."
                f"{near(option, known)}"
            )
    if options:
        try:  # some options are refused by the first step only, such as differentiable=True
            parameter = torch.zeros(1, requires_grad=True)
            parameter.grad = torch.ones(1)
            make_optimizer(name, parameter, 1.0, options).step()
        except (AssertionError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"optimizer_options={dict(options)!r} is refused by {name}: {error}") from error


def make_optimizer(
    name: str, parameter: Tensor, learning_rate: float, options: Mapping[str, object]
) -> torch.optim.Optimizer:
    """Build the optimiser of one parameter."""
    return getattr(torch.optim, name)([parameter], lr=learning_rate, **options)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Change the learning rate from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
