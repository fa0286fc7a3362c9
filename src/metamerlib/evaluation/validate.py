"""The door of the evaluation: what every measure asks of images, references and evaluators.

Each check raises an error that names the argument, the value found and the fix, so that the measures
themselves can be written without a single ``if`` about their input.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metamerlib.checks import entries_of, shown

if TYPE_CHECKING:
    from metamerlib.models import Classifier
    from metamerlib.stimuli import StimulusSet


def check_images(images: Tensor, argument: str = "images", *, high: float = 1.0) -> None:
    """Refuse anything but a batch of finite RGB images in ``[0, high]``.

    Parameters
    ----------
    images
        What was passed; expected are floating-point values of shape (N, 3, H, W), N ≥ 1.
    argument
        The argument's name, for the message.
    high
        The value of white.

    Raises
    ------
    TypeError
        If ``images`` is not a tensor, or its type is not a floating-point one.
    ValueError
        If the shape, a non-finite value or the range is wrong.
    """
    if not isinstance(images, Tensor):
        raise TypeError(f"{argument} must be a torch tensor of shape (N, 3, H, W), got {shown(images)}.")
    if not images.is_floating_point():
        raise TypeError(
            f"{argument} must hold floating-point values in [0, {high:g}], got {images.dtype}: "
            f"divide 8-bit images by 255 first."
        )
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"{argument} must have shape (N, 3, H, W), got {tuple(images.shape)}.")
    if 0 in images.shape:
        raise ValueError(f"{argument} is empty: its shape is {tuple(images.shape)}; pass at least one image.")
    low_found, high_found = (float(v) for v in torch.aminmax(images.detach()))
    # aminmax passes NaN through, and NaN is in no range.
    if not (low_found >= 0.0 and high_found <= high):
        raise ValueError(
            f"{argument} must be finite and in [0, {high:g}], found values from {low_found:g} to {high_found:g}: "
            f"clamp or rescale them."
        )


def check_pair(images: Tensor, references: Tensor, *, high: float = 1.0) -> None:
    """Refuse images and references that do not stand one beside the other.

    Parameters
    ----------
    images, references
        Expected: two batches (N, 3, H, W) in ``[0, high]`` of one shape; row i of the one belongs to
        row i of the other.
    high
        The value of white.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    check_images(images, "images", high=high)
    check_images(references, "references", high=high)
    if images.shape != references.shape:
        raise ValueError(
            f"images and references must have one shape, image i made from reference i; got "
            f"{tuple(images.shape)} and {tuple(references.shape)}. Slice the references to the images they "
            f"belong to, or make the metamers at the references' size."
        )


def check_evaluators(
    evaluators: Iterable[Classifier], references: StimulusSet | None = None, *, argument: str = "evaluators"
) -> list[Classifier]:
    """Refuse an empty list, two evaluators of one name, and evaluators that know other categories.

    Parameters
    ----------
    evaluators
        The classifiers that judge.
    references
        If given, every evaluator must answer in the references' categories, in their order.
    argument
        The argument's name, for the message.

    Returns
    -------
    list of Classifier
        The evaluators.

    Raises
    ------
    TypeError
        If there is something else than a classifier.
    ValueError
        If there is none, if a name occurs twice, or if the categories differ.
    """
    evaluators = entries_of(evaluators, argument, "Classifiers")
    for evaluator in evaluators:
        # By what is asked of it: metrics take backbones and tests take stand-ins.
        if not hasattr(evaluator, "name") or not hasattr(evaluator, "categories"):
            raise TypeError(f"{argument} holds {shown(evaluator)}: pass Classifiers, such as zoo.evaluators().")
    if not evaluators:
        raise ValueError(f"{argument} is empty ([]): pass at least one Classifier, such as zoo.evaluators().")
    names = [evaluator.name for evaluator in evaluators]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{argument} holds {twice} more than once: give each Classifier a name of its own.")
    if references is not None:
        for evaluator in evaluators:
            _check_categories(evaluator, references)
    return evaluators


def _check_categories(evaluator: Classifier, references: StimulusSet) -> None:
    own, wanted = tuple(evaluator.categories), tuple(references.categories)
    if own == wanted:
        return
    if sorted(own) == sorted(wanted):
        difference = "they are the same categories in another order"
    else:
        lacking, foreign = sorted(set(wanted) - set(own)), sorted(set(own) - set(wanted))
        difference = f"the evaluator lacks {lacking} and has {foreign} besides"
    raise ValueError(
        f"evaluator {evaluator.name!r} answers in other categories than the references have: {difference}. "
        f"Load the references with categories={evaluator.name}.categories, or leave the evaluator out."
    )


def check_choice(value: str, choices: Sequence[str], argument: str) -> None:
    """Refuse a name that is not on the list, naming the nearest one that is.

    Parameters
    ----------
    value
        The name passed.
    choices
        The names there are.
    argument
        The argument's name, for the message.

    Raises
    ------
    ValueError
        If ``value`` is not one of ``choices``.
    """
    if isinstance(value, str) and value in choices:
        return
    close = difflib.get_close_matches(str(value), choices, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{argument}={shown(value)} is unknown; choose one of {', '.join(map(repr, choices))}.{hint}")


def check_fraction(value: float, argument: str) -> None:
    """Refuse a share that is not strictly between 0 and 1.

    Parameters
    ----------
    value
        The share, such as a confidence level.
    argument
        The argument's name, for the message.

    Raises
    ------
    TypeError
        If ``value`` is not a number.
    ValueError
        If ``value`` is not in (0, 1).
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{argument} must be a number strictly between 0 and 1, got {shown(value)} (0.95 for 95 %).")
    if not 0.0 < value < 1.0:
        raise ValueError(f"{argument} must lie strictly between 0 and 1, got {shown(value)} (0.95 for 95 %).")


def images_of(references: StimulusSet | Tensor, argument: str = "references") -> Tensor:
    """Take images as they are, or those of a stimulus set.

    Parameters
    ----------
    references
        Either.
    argument
        The argument's name, for the message.

    Returns
    -------
    Tensor
        The images.

    Raises
    ------
    TypeError
        If it is neither.
    """
    images = references if isinstance(references, Tensor) else getattr(references, "images", None)
    if not isinstance(images, Tensor):
        raise TypeError(f"{argument} is {shown(references)}: pass a StimulusSet or a tensor (N, 3, H, W).")
    return images


def check_references(references: StimulusSet) -> StimulusSet:
    """Refuse anything but labelled images.

    Parameters
    ----------
    references
        Expected: a `StimulusSet`.

    Returns
    -------
    StimulusSet
        The references.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not all(hasattr(references, name) for name in ("images", "labels", "categories")):
        raise TypeError(f"references is {shown(references)}: pass a StimulusSet, such as load_stimuli() gives.")
    return references
