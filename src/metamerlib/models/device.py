"""Where networks compute, how much of them fits there, and what is said when memory does not suffice."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from metamerlib.checks import shown

_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn "auto" into CUDA, else MPS, else the CPU, and validate any other device."""
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
    """Compute how many bytes of weights a device may hold beside images and activations."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // 2
    if device.type == "mps":
        return torch.mps.recommended_max_memory() // 2
    return 2 << 30


@contextmanager
def standard_defaults() -> Iterator[None]:
    """Build networks in float32 on the CPU, whatever type and device the caller has made torch's defaults."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)


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
            model.to(device).eval()
        yield
    finally:
        for weight, data, wants_gradient in weights:
            weight.data = data
            weight.requires_grad_(wants_gradient)
        for module, training, tensors in modules:
            module.training = training
            for name, tensor in tensors.items():  # `to` puts other tensors in the place of some
                setattr(module, name, tensor)


def without_autocast(device: torch.device) -> AbstractContextManager[None]:
    """Switch off a caller's autocast, which would change what is measured without a word."""
    available = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if available else nullcontext()


def usable_in_autograd(module: nn.Module) -> nn.Module:
    """Copy weights that were made in inference mode, through which no gradient flows."""
    copies: dict[int, Tensor] = {}  # a tensor that two layers share stays shared
    with torch.inference_mode(False):
        for layer in module.modules():
            for tensors in (layer._parameters, layer._buffers):
                for name, tensor in tensors.items():
                    if tensor is None or not tensor.is_inference():
                        continue
                    if id(tensor) not in copies:
                        plain = tensor.clone()
                        copies[id(tensor)] = nn.Parameter(plain, False) if tensors is layer._parameters else plain
                    tensors[name] = copies[id(tensor)]
    return module


@contextmanager
def naming_batch_size(what: str, batch_size: int) -> Iterator[None]:
    """Say of a lack of memory which batch size led to it, and what to do."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        smaller = f"give a smaller batch_size, such as {batch_size // 2}"
        fix = smaller if batch_size > 1 else "images of a smaller size would do"
        raise torch.OutOfMemoryError(
            f"{what} needs more memory than there is with batch_size={batch_size}: {fix} "
            f"({(str(error) or type(error).__name__).splitlines()[0]})."
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error is a lack of memory, which torch reports in a way of its own on every device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _OUT_OF_MEMORY)


class LoadedNetworks:
    """Networks by key, of which those asked for longest ago are let go when all take more than `memory` bytes.

    The network asked for last stays, however large.
    """

    def __init__(self, memory: int) -> None:
        if memory < 0:
            raise ValueError(f"memory is {memory}: give a number of bytes, 0 to keep no more than one network.")
        self.memory = memory
        self._models: dict[str, nn.Module] = {}  # the one asked for last at the end

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of the networks that are kept, the one asked for last at the end."""
        return tuple(self._models)

    def get(self, key: str) -> nn.Module | None:
        """Return a network, which is then the one asked for last; None if it is not kept."""
        model = self._models.pop(key, None)
        if model is not None:
            self._models[key] = model
        return model

    def keep(self, key: str, model: nn.Module) -> None:
        """Keep a network, and let others go where it takes their room."""
        self._models[key] = model
        while len(self._models) > 1 and sum(map(_size, self._models.values())) > self.memory:
            del self._models[next(iter(self._models))]


def _size(model: nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in (*model.parameters(), *model.buffers()))
