"""The door: what is asked of images, models and settings before anything runs."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from metamerlib.checks import LARGEST_SEED, entries_of, shown, whole_number
from metamerlib.generation.config import GenerationConfig
from metamerlib.models import Classifier


def check_images(images: Tensor, argument: str) -> Tensor:
    """Refuse anything but finite float32 RGB images in [0, 1].

    Parameters
    ----------
    images
        Expected: (N, 3, H, W), N ≥ 1.
    argument
        The argument's name, for the message.

    Returns
    -------
    Tensor
        The images, without a gradient and contiguous.

    Raises
    ------
    TypeError
        If it is no tensor, or not of type float32.
    ValueError
        If the shape, the range or a value is wrong.
    """
    if not isinstance(images, Tensor):
        holder = isinstance(getattr(images, "images", None), Tensor)
        fix = "give its .images" if holder else "give a torch.Tensor (N, 3, H, W), RGB in [0, 1]"
        raise TypeError(f"{argument} is a {type(images).__name__}: {fix} (it is {shown(images)}).")
    if images.dtype != torch.float32:
        fix = "give images.float()" if images.is_floating_point() else "give images.float() / 255 if these are bytes"
        raise TypeError(f"{argument} has type {images.dtype}, not float32 in [0, 1]: {fix}.")
    if images.ndim != 4 or images.shape[1] != 3:
        fix = ""
        if images.ndim == 3 and images.shape[0] == 3:
            fix = f" For a single image give {argument}[None]."
        elif images.ndim == 4 and images.shape[3] == 3:
            fix = f" If the channels are last, give {argument}.permute(0, 3, 1, 2)."
        raise ValueError(f"{argument} has shape {tuple(images.shape)}, not (N, 3, H, W).{fix}")
    if images.numel() == 0:
        raise ValueError(f"{argument} has shape {tuple(images.shape)}, which is empty: give at least one image.")
    images = images.detach().contiguous()
    low, high = (bound.item() for bound in torch.aminmax(images))
    if low != low or high != high:
        bad = images.flatten(1).isnan().any(dim=1).nonzero().flatten().tolist()
        raise ValueError(f"{argument} has NaN in image {_some(bad)}: leave those out, or repair them.")
    if low < 0 or high > 1:
        raise ValueError(
            f"{argument} has values from {low:.4g} to {high:.4g}, not in [0, 1]: divide by 255 if these are bytes, and "
            "undo any normalisation (the Classifier does its own)."
        )
    return images


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
    models = [models] if isinstance(models, nn.Module | str) else entries_of(models, "models", "Classifiers")
    if not models:
        raise ValueError("models is empty ([]): give at least one Classifier.")
    for model in models:
        if not isinstance(model, Classifier):
            fix = "give the Classifier itself, as in zoo['resnet18']"
            if isinstance(model, nn.Module):
                fix = "wrap it first: Classifier(module, name=…, blocks=[…], categories=(…))"
            raise TypeError(f"models holds a {type(model).__name__}: {fix} (it is {shown(model)}).")
    names = [model.name for model in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"models holds the name {_some(twice)} more than once: give each Classifier its own name.")
    first = models[0]
    for model in models[1:]:
        if model.categories != first.categories:
            raise ValueError(
                f"models {first.name!r} and {model.name!r} have different categories ({_listed(first.categories)} and "
                f"{_listed(model.categories)}): wrap both with the same categories=(…), in the same order, by way of "
                "outputs_of_category=… where one has finer classes."
            )
    return models


def check_batch_size(batch_size: int | str | None, images: int) -> int:
    """Turn a batch size into a number of images.

    Parameters
    ----------
    batch_size
        A whole number of at least 1; None and "auto" stand for all images.
    images
        How many there are.

    Returns
    -------
    int
        Images at once, to begin with.

    Raises
    ------
    TypeError
        If it is another text.
    """
    if isinstance(batch_size, str) and batch_size != "auto":
        raise TypeError(f"batch_size={batch_size!r} is a str: give a whole number, 'auto', or None for all images.")
    return images if batch_size in (None, "auto") else whole_number(batch_size, "batch_size", at_least=1)


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


def resolve_seed(seed: int | torch.Generator) -> int:
    """Turn a seed or a generator into a seed.

    Parameters
    ----------
    seed
        A whole number of at least 0, or a generator, from which one number is drawn.

    Returns
    -------
    int
        The seed.
    """
    if isinstance(seed, torch.Generator):
        return int(torch.randint(LARGEST_SEED, (), generator=seed, device=seed.device))
    return whole_number(seed, "seed", at_most=LARGEST_SEED)


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


def _some(values: Sequence[object], limit: int = 8) -> str:
    shown = ", ".join(map(repr, values[:limit]))
    return shown if len(values) <= limit else f"{shown} and {len(values) - limit} more"


def _listed(categories: Sequence[str], limit: int = 4) -> str:
    more = f", … {len(categories)} in all" if len(categories) > limit else ""
    return ", ".join(categories[:limit]) + more
