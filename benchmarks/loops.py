"""The loops that the solver is measured against."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torchvision.models.feature_extraction import create_feature_extractor

from metamerlib import Classifier

_FAR = 1e6  # Feather et al.'s ε: the ball around the initial stimulus that never binds


class Truncated:
    """A network that ends at a module: the graph itself is cut there, so that nothing remains but its operations.

    Parameters
    ----------
    model
        The network with its normalisation.
    layer
        Dotted name of the last module.
    """

    def __init__(self, model: Classifier, layer: str) -> None:
        self._graph = create_feature_extractor(model.module, {layer: "output"})
        self._mean = torch.tensor(model.mean, device=model.device).view(1, 3, 1, 1)
        self._std = torch.tensor(model.std, device=model.device).view(1, 3, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        """Compute the last module's output, (N, …), of (N, 3, H, W) images."""
        return self._graph((images - self._mean) / self._std)["output"]


def bare_loop(
    networks: Sequence[Truncated], references: Tensor, images: Tensor, rates: Sequence[float], steps: int
) -> Iterator[None]:
    """Run Algorithm 1 with normalised gradients and nothing else: no check, no record, no option.

    Parameters
    ----------
    networks
        The ensemble.
    references
        (N, 3, H, W) references.
    images
        (N, 3, H, W) initial stimuli; changed in place.
    rates
        Learning rate of each repetition.
    steps
        Updates with each network in each repetition.

    Yields
    ------
    None
        After each repetition.
    """
    with torch.no_grad():
        targets = [network(references) for network in networks]
        norms = [torch.linalg.vector_norm(target.flatten(1), dim=1) for target in targets]
    images.requires_grad_()
    for rate in rates:
        for network, target, norm in zip(networks, targets, norms, strict=True):
            for _ in range(steps):
                distance = torch.linalg.vector_norm((network(images) - target).flatten(1), dim=1)
                (gradient,) = torch.autograd.grad((distance / norm).sum(), images)
                with torch.no_grad():
                    length = torch.linalg.vector_norm(gradient, dim=(1, 2, 3), keepdim=True)
                    images.add_(gradient / (length + 1e-12), alpha=-rate).clamp_(0, 1)
        yield


def feather_loop(model: Classifier, layer: str, references: Tensor, images: Tensor, rates: Sequence[float]) -> Tensor:
    """Make metamers of one image after the other as Feather et al. (2023) run it.

    Their generation goes through the attack loop of the library `robustness`: each update passes the image through
    the whole network, drops the result, and calls the inversion loss, which passes it through the whole network again.

    Parameters
    ----------
    model
        The network.
    layer
        Dotted name of the tapped module.
    references
        (N, 3, H, W) references.
    images
        (N, 3, H, W) initial stimuli.
    rates
        Learning rate of each update.

    Returns
    -------
    Tensor
        (N, 3, H, W) metamers.
    """
    tapped = {}
    handle = model.module.get_submodule(layer).register_forward_hook(lambda module, _, output: tapped.update(a=output))
    try:
        pairs = zip(references.split(1), images.split(1), strict=True)
        return torch.cat([_feather_image(model, tapped, reference, start, rates) for reference, start in pairs])
    finally:
        handle.remove()


def _feather_image(
    model: Classifier, tapped: dict[str, Tensor], reference: Tensor, start: Tensor, rates: Sequence[float]
) -> Tensor:
    with torch.no_grad():
        model.outputs(reference)
    target = tapped["a"]
    image = start.clone()
    for rate in rates:
        image = image.clone().detach().requires_grad_()
        model.outputs(image)
        model.outputs(image)
        losses = torch.norm((tapped["a"] - target).flatten(1), dim=1) / torch.norm(target.flatten(1), dim=1)
        (gradient,) = torch.autograd.grad(losses.mean(), image)
        with torch.no_grad():
            length = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
            image = image - rate * gradient / (length + 1e-10)
            difference = (image - start).renorm(p=2, dim=0, maxnorm=_FAR)
            image = torch.clamp(start + difference, 0, 1)
    return image.detach()
