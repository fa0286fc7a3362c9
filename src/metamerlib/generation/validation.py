"""The door: what is asked of images, models and settings before anything runs."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from metamerlib.checks import check_classifiers
from metamerlib.generation.config import GenerationConfig
from metamerlib.models import Classifier


def check_models(models: Classifier | Sequence[Classifier]) -> list[Classifier]:
    """Refuse an ensemble that cannot be one.

    Parameters
    ----------
    models
        Classifiers with different names and the same categories; a single one stands for a list of one.

    Returns
    -------
    list of Classifier
        The models.

    Raises
    ------
    TypeError
        If something else than a classifier is among them.
    ValueError
        If there are none, a name occurs twice, or their categories differ.
    """
    if isinstance(models, Mapping):
        raise TypeError(f"models is a {type(models).__name__}: choose from it, as in [zoo[key] for key in keys].")
    models = check_classifiers([models] if isinstance(models, nn.Module | str) else models, "models")
    first = models[0]
    for model in models[1:]:
        if model.categories != first.categories:
            raise ValueError(
                f"models {first.name!r} and {model.name!r} have different categories ({_listed(first.categories)} and "
                f"{_listed(model.categories)}): wrap both with the same categories=(…), in the same order, by way of "
                "outputs_of_category=… where one has finer classes."
            )
    return models


def check_compile(compiled: bool, config: GenerationConfig) -> bool:
    """Refuse to compile what would no longer be what was asked for.

    Parameters
    ----------
    compiled
        Whether forward passes are to be compiled.
    config
        The hyper-parameters.

    Returns
    -------
    bool
        Whether they are.

    Raises
    ------
    TypeError
        If it is no truth value.

    Warns
    -----
    RuntimeWarning
        If the tapped ReLU's backward pass is to be replaced, which a compiled pass does not show.
    """
    if not isinstance(compiled, bool):
        raise TypeError(f"compile={compiled!r}: give True or False.")
    if compiled and config.relu_gradient != "stock":
        warnings.warn(
            f"compile=True: a compiled pass has no ReLU to give relu_gradient={config.relu_gradient!r} to, so that "
            "nothing is compiled.",
            RuntimeWarning,
            stacklevel=3,
        )
        return False
    return compiled


@contextmanager
def models_on(models: Sequence[Classifier], device: torch.device) -> Iterator[None]:
    """Move models to a device, and back to where they were at the end.

    Parameters
    ----------
    models
        The models; those that are there already are not touched.
    device
        The device.

    Yields
    ------
    None
        While the models are on the device.
    """
    homes = [model.device for model in models]
    try:
        for model in models:
            model.to(device)
        yield
    finally:
        for model, home in zip(models, homes, strict=True):
            model.to(home)


def _listed(categories: Sequence[str], limit: int = 4) -> str:
    more = f", … {len(categories)} in all" if len(categories) > limit else ""
    return ", ".join(categories[:limit]) + more
