"""From a gradient to a step: how its length is set, and which optimiser takes it.

Every rule and every optimiser here treats each image by itself, so that a batch gives what single images give.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from metamerlib.checks import shown

NORM_FLOOR = 1e-12
"""Added to the norm that a gradient is divided by."""


def norm_per_image(gradient: Tensor) -> Tensor:
    """Measure the L2 norm of each image's gradient.

    Parameters
    ----------
    gradient
        (N, …).

    Returns
    -------
    Tensor
        (N, 1, …), to be divided by.
    """
    return torch.linalg.vector_norm(gradient, dim=tuple(range(1, gradient.ndim)), keepdim=True)


def normalized(gradient: Tensor) -> Tensor:
    """Divide each image's gradient by its L2 norm (Feather et al.'s L2 step).

    The learning rate is then the Euclidean length of a step: 1.0 changes the values of a 224 px image by 1/388 in the
    root mean square.

    Parameters
    ----------
    gradient
        (N, …), finite.

    Returns
    -------
    Tensor
        The directions, of norm 1; zero stays zero.
    """
    return gradient / (norm_per_image(gradient) + NORM_FLOOR)


def raw(gradient: Tensor) -> Tensor:
    """Take the gradient as it is.

    Parameters
    ----------
    gradient
        (N, …).

    Returns
    -------
    Tensor
        The same tensor.
    """
    return gradient


def sign(gradient: Tensor) -> Tensor:
    """Take the gradient's sign: every value moves by the learning rate, as in FGSM and ℓ∞ PGD.

    Parameters
    ----------
    gradient
        (N, …).

    Returns
    -------
    Tensor
        Values −1, 0 and 1.
    """
    return gradient.sign()


GRADIENT_RULES: dict[str, Callable[[Tensor], Tensor]] = {"normalized": normalized, "raw": raw, "sign": sign}
"""The gradient rules by the name that `GenerationConfig.gradient` gives them."""

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
        and value is not torch.optim.Optimizer
        and name not in _REFUSED_OPTIMIZERS
    )
)
"""The classes of `torch.optim` that `GenerationConfig.optimizer` may name: all that update element by element."""


def check_optimizer(name: str, options: Mapping[str, object]) -> None:
    """Refuse an optimiser that cannot optimise independent images, and options that it does not have.

    Parameters
    ----------
    name
        A class of `torch.optim`.
    options
        Its keyword arguments.

    Raises
    ------
    ValueError
        If there is no such optimiser, it couples the images of a batch, or an option is unknown, reserved or refused
        by the optimiser.
    """
    if isinstance(name, str) and name in _REFUSED_OPTIMIZERS:
        raise ValueError(f"optimizer={name!r} cannot be used: {_REFUSED_OPTIMIZERS[name]}. Choose another.")
    if not isinstance(name, str) or name not in OPTIMIZERS:
        near = difflib.get_close_matches(str(name), OPTIMIZERS, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"optimizer={shown(name)} does not exist in torch.optim.{hint} Choose one of {OPTIMIZERS}.")
    reserved = {"lr": "set learning_rate and schedule instead", "maximize": "metamers minimise the distance"}
    known = [option for option in inspect.signature(getattr(torch.optim, name)).parameters if option != "params"]
    for option in options:
        if option in reserved:
            raise ValueError(f"optimizer_options has {option!r}: {reserved[option]}.")
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"optimizer_options={shown(dict(options))} has {option!r}, which {name} does not take.{hint}"
            )
    if options:
        try:
            make_optimizer(name, torch.zeros(1), 1.0, options)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"optimizer_options={dict(options)!r} is refused by {name}: {error}") from error


def make_optimizer(
    name: str, parameter: Tensor, learning_rate: float, options: Mapping[str, object]
) -> torch.optim.Optimizer:
    """Build the optimiser of one parameter.

    Parameters
    ----------
    name
        One of `OPTIMIZERS`.
    parameter
        What it updates.
    learning_rate
        The first learning rate.
    options
        Further keyword arguments.

    Returns
    -------
    torch.optim.Optimizer
        Without state yet.
    """
    return getattr(torch.optim, name)([parameter], lr=learning_rate, **options)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Change the learning rate from the next step on.

    Parameters
    ----------
    optimizer
        The optimiser.
    learning_rate
        The new one.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
