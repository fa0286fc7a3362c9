"""What one image costs on its way through a network, counted rather than measured: FLOPs and memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from metamerlib.models import Classifier


@dataclass(frozen=True)
class PassCost:
    """What one image costs on its way through a network, up to a layer.

    Attributes
    ----------
    forward, backward
        Floating point operations (a multiplication and an addition are two) of the forward pass, and of the backward
        pass from the layer to the image.
    kept
        Bytes of the intermediate results that the backward pass needs: a lower bound of the memory, to which kernels
        add their workspace.
    activations
        Bytes of the layer's output.
    weights
        Bytes of the whole network's weights, whatever the number of images.
    """

    forward: int
    backward: int
    kept: int
    activations: int
    weights: int


def pass_cost(model: Classifier, size: tuple[int, int], layer: str | None, *, backward: bool = True) -> PassCost:
    """Count one forward and backward pass of a single image; nothing is timed.

    Parameters
    ----------
    model
        The network; on the meta device nothing is computed either.
    size
        Height and width of the image.
    layer
        Dotted name of the module where the forward pass ends; None goes through to the outputs.
    backward
        Whether the backward pass is counted; it takes twice as long as the rest.

    Returns
    -------
    PassCost
        As torch's `FlopCounterMode` counts: convolutions, products of matrices and attention, no elementwise work.
    """
    image = torch.full((1, 3, *size), 0.5, device=model.device, requires_grad=backward)
    tensors = [*model.parameters(), *model.buffers()]
    own = {_storage(tensor)._cdata for tensor in tensors}
    kept: dict[int, torch.UntypedStorage] = {}  # the storages themselves, so that no address is used twice

    def keep(tensor: Tensor) -> Tensor:
        storage = _storage(tensor)
        if storage._cdata not in own:
            kept[storage._cdata] = storage
        return tensor

    with (
        torch.inference_mode(False),
        torch.set_grad_enabled(backward),
        FlopCounterMode(display=False) as counter,
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        output = model.outputs(image) if layer is None else model.activations(image, layer)
        forward = counter.get_total_flops()
        if output.requires_grad:  # some layers give none, which generation says
            torch.autograd.grad(output, image, torch.ones_like(output), allow_unused=True)
    return PassCost(
        forward=forward,
        backward=counter.get_total_flops() - forward,
        kept=sum(storage.nbytes() for storage in kept.values()),
        activations=output.numel() * output.element_size(),
        weights=sum(tensor.numel() * tensor.element_size() for tensor in tensors),
    )


class PassCosts:
    """The costs of networks' passes, each counted once per architecture.

    Parameters
    ----------
    models
        Networks by key.
    """

    def __init__(self, models: Mapping[str, Classifier]) -> None:
        self._models = models
        self._alike: dict[str, str] = {}  # text of an architecture to the first key that has it
        self._firsts: dict[str, str] = {}
        self._known: dict[tuple[str, tuple[int, int], str | None, bool], PassCost] = {}

    def alike(self, key: str) -> str:
        """Find a network that costs the same.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        str
            Key of the first that was asked for of this architecture.
        """
        if key not in self._firsts:
            model = self._models[key]
            self._firsts[key] = self._alike.setdefault(f"{model.input_size} {_structure(model.module)}", key)
        return self._firsts[key]

    def __call__(self, key: str, size: tuple[int, int], layer: str | None, *, backward: bool = True) -> PassCost:
        """Return what one image costs, as `pass_cost` counts it.

        Parameters
        ----------
        key
            The network.
        size
            Height and width of the image.
        layer
            Where the forward pass ends; None goes through to the outputs.
        backward
            Whether the backward pass is counted.

        Returns
        -------
        PassCost
            Of one image.
        """
        place = (self.alike(key), size, layer, backward)
        if place not in self._known:
            self._known[place] = pass_cost(self._models[key], size, layer, backward=backward)
        return self._known[place]


def _storage(tensor: Tensor) -> torch.UntypedStorage:
    return tensor.untyped_storage()


def _structure(module: nn.Module) -> str:
    """Tell architectures apart: equal texts and shapes of weights cost the same."""
    shapes = [tuple(parameter.shape) for parameter in module.parameters()]
    return f"{module} {shapes}"
