"""A look at each model before the loop begins: initial residuals, and models that cannot work at all."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from metamerlib.generation.solver import Tap, ends_in_relu
from metamerlib.generation.steps import norm_per_image


class UnusableModelError(ValueError):
    """A model through which no image can be optimised, at this layer and from these initial stimuli."""


@dataclass(frozen=True)
class Failure:
    """What keeps images from being optimised with a model, in words, with what to do.

    It is `lasting` if it stays when other models move the images; a layer that is silent at first may wake up.
    """

    text: str
    lasting: bool = True


def diagnose(tap: Tap, initial: Tensor) -> tuple[Tensor, Failure | None]:
    """Measure the (N,) initial residuals, and what keeps every single one of the images from being optimised.

    A layer that does not depend on the image by construction is an `UnusableModelError` at once.
    """
    images = initial.detach().clone().requires_grad_()
    activations = tap.activations(images)
    losses = tap.objective(activations)
    gradient = _gradient(losses, images)
    where = f"layer {tap.layer!r} of model {tap.model.name!r}"
    if gradient is None:
        raise UnusableModelError(
            f"{where} ignores the image: no gradient leads from it to the pixels. Choose another stage, or switch "
            "the network's gradient checkpointing off, if it has any."
        )
    residuals = tap.objective.residuals(activations)
    norm = norm_per_image(gradient).flatten()
    finite = losses.detach().isfinite()
    if (finite & norm.isfinite() & (norm > 0)).any():
        return residuals, None
    if not finite.any():
        silent = tap.reference.flatten(1).eq(0).all(dim=1)
        cause = "its activations to the references are all zero" if silent.all() else "it returns NaN or infinity"
        return residuals, Failure(
            f"the loss at {where} is not finite for any image: {cause}. Choose another stage or model."
        )
    if not norm[finite].isfinite().any():
        return residuals, Failure(
            f"the gradient at {where} is not finite for any image. Choose another stage, or another initializer than "
            "the one whose stimuli the layer cannot be differentiated at."
        )
    if (residuals[finite] == 0).all():
        with torch.no_grad():
            negatives = tap.activations(1 - images)
        if torch.equal(negatives, tap.reference):
            return residuals, Failure(
                f"{where} ignores the image: its activations are the same for the initial stimuli, the references and "
                "their negatives. Choose another stage."
            )
        return residuals, None  # the initial stimuli are metamers already
    return residuals, Failure(
        f"no gradient reaches the pixels from {where}: it is exactly zero for every image. Choose another stage (this "
        "one may round, compare or be saturated), or another initializer.",
        lasting=_is_silent(tap, initial),
    )


def _gradient(losses: Tensor, images: Tensor) -> Tensor | None:
    return torch.autograd.grad(losses.sum(), images, allow_unused=True)[0] if losses.requires_grad else None


def _is_silent(tap: Tap, initial: Tensor) -> bool:
    """Return whether noise has no gradient either."""
    noise = torch.rand(initial.shape, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
    noise = noise.to(initial).requires_grad_()
    gradient = _gradient(tap.objective(tap.activations(noise)), noise)
    return gradient is None or not gradient.nan_to_num().any()


def check_usable(failure: Failure, later_batches: Iterable[tuple[Tap, Tensor]]) -> None:
    """Raise an UnusableModelError if what failed for all images of the first batch fails for all the others, too."""
    if all(diagnose(tap, initial)[1] is not None for tap, initial in later_batches):
        raise UnusableModelError(failure.text)


def check_relu_option(taps: Iterable[Tap], initial: Tensor) -> None:
    """Raise a ValueError where `relu_gradient="identity"` would change nothing: no tapped layer ends in a ReLU."""
    images = initial[:1].detach().clone().requires_grad_()
    if not any(ends_in_relu(tap.model.activations(images, tap.layer)) for tap in taps):
        layers = ", ".join(f"{tap.layer} of {tap.model.name}" for tap in taps)
        raise ValueError(
            f"relu_gradient='identity' would change nothing: no tapped layer ({layers}) ends in a ReLU. Leave it at "
            "'stock'."
        )
