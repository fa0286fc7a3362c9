"""Where networks compute, and how much of them fits there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from metamerlib.checks import shown


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn "auto" into the best device there is.

    Parameters
    ----------
    device
        "auto" for CUDA, else MPS, else the CPU; or a device.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If there is no such device on this machine.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if isinstance(device, str) and device == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ValueError, OverflowError) as error:
        there = ", ".join(repr(kind) for kind, present in available.items() if present)
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"device={shown(device)} cannot be used: give 'auto' or one of {there} ({reason}).") from error
    return resolved


def default_memory(device: torch.device) -> int:
    """Tell how many bytes of weights a device may hold beside images and activations.

    Parameters
    ----------
    device
        Where the networks are.

    Returns
    -------
    int
        2 GiB on the CPU, half of an accelerator's memory.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // 2
    if device.type == "mps":
        return torch.mps.recommended_max_memory() // 2
    return 2 << 30


@contextmanager
def models_on(models: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Move models to a device, and give them back as they were: place, type, layout, mode, what wants a gradient."""
    weights = [(weight, weight.data, weight.requires_grad) for model in models for weight in model.parameters()]
    modules = [
        (module, module.training, dict(module._parameters.items()) | dict(module._buffers.items()))
        for model in models
        for module in model.modules()
    ]
    try:
        for model in models:
            model.to(device)
        yield
    finally:
        for weight, data, wants_gradient in weights:
            weight.data = data
            weight.requires_grad_(wants_gradient)
        for module, training, tensors in modules:
            module.training = training
            for name, tensor in tensors.items():  # `to` puts other tensors in the place of some
                setattr(module, name, tensor)
