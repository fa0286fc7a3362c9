"""How forward passes are computed: in which precision, compiled or not, in which layout."""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

from metamerlib.models import Classifier
from metamerlib.models.device import is_out_of_memory

PRECISIONS = ("float32", "tf32", "bfloat16")

Forward = Callable[[Tensor], Tensor]


class Arithmetic:
    """A way to compute forward passes, as far as the device knows it; what it lacks is said in a warning.

    Only the passes of the optimisation are changed, not reference activations and final residuals. "float32" is as
    PyTorch is set, which by default lets convolutions on NVIDIA cards round to TF32; under "tf32" products of matrices
    round to it as well; under "bfloat16" forward passes go through `torch.autocast`.
    """

    def __init__(self, precision: str = "float32", compiled: bool = False, device: torch.device | None = None) -> None:
        device = device or torch.device("cpu")
        if precision not in PRECISIONS:
            raise ValueError(f"precision={precision!r}: give one of {', '.join(map(repr, PRECISIONS))}.")
        if reason := _obstacle(precision, device):
            warnings.warn(
                f"precision={precision!r}: {reason}, so that float32 is computed with.", RuntimeWarning, stacklevel=3
            )
            precision = "float32"
        self.precision, self.compiled, self._device = precision, compiled, device
        self._made: dict[tuple[int, str, torch.Size], Forward] = {}

    @contextmanager
    def applied(self, models: Sequence[Classifier]) -> Iterator[None]:
        """Prepare PyTorch for it, and models that are on the device: `models_on` puts their layout back."""
        with contextlib.ExitStack() as stack:
            if torch.amp.is_autocast_available(self._device.type):
                # A caller's autocast would change the metamers without a word.
                stack.enter_context(torch.autocast(self._device.type, enabled=False))
            if self.precision == "tf32":
                stack.enter_context(_rounding("high", True))
            on_tensor_cores = self.precision != "float32" and self._device.type == "cuda"
            if on_tensor_cores or self._device.type == "cpu":
                # Tensor cores take images with their channels last. So do a CPU's kernels for convolutions, which then
                # need not reorder what goes in and out: miniatures take a sixth less time on two cores.
                for model in models:
                    _to_channels_last(model.module)
            yield

    def exactly(self) -> AbstractContextManager[None]:
        """Leave it for a moment: nothing is rounded to TF32, unless float32 is what it is anyway."""
        return contextlib.nullcontext() if self.precision == "float32" else _rounding("highest", False)

    def forward(self, network: Forward, model: Classifier, layer: str, references: Tensor) -> Forward:
        """Make a network's forward pass up to a layer one that is computed in this way.

        Images that are passed later are as many and as large as the references. What cannot be compiled is not, with a
        warning.
        """
        if self.precision == "bfloat16":
            network = _autocast(network, self._device.type)
        if not self.compiled:
            return network
        place = (id(model), layer, references.shape)
        if place not in self._made:
            self._made[place] = _compile(network, f"model {model.name!r} up to layer {layer!r}", references)
        return self._made[place]


def _obstacle(precision: str, device: torch.device) -> str:
    """Return why a device does not have a precision; nothing if it does."""
    if precision == "tf32" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0)):
        return f"TF32 is of NVIDIA cards since Ampere, and this runs on {device}"
    if precision == "bfloat16":
        if not torch.amp.is_autocast_available(device.type):
            return f"there is no autocast on {device}"
        if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
            return f"{device} has no bfloat16"
    return ""


@contextmanager
def _rounding(products: str, convolutions: bool) -> Iterator[None]:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def _to_channels_last(module: nn.Module) -> None:
    for weight in module.parameters():
        if weight.ndim == 4 and weight.is_contiguous():
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)


def _autocast(network: Forward, device: str) -> Forward:
    def forward(images: Tensor) -> Tensor:
        with torch.autocast(device, dtype=torch.bfloat16):
            return network(images)

    return forward


def _compile(network: Forward, name: str, references: Tensor) -> Forward:
    """Compile a forward pass and try it out; give it back as it was, with a warning, where that fails."""
    from torch.fx.experimental.proxy_tensor import make_fx  # takes half a second, and few compile

    try:
        # Traced by running it, since the compiler does not follow a forward pass that is cut off half-way.
        with torch.no_grad():
            graph = make_fx(network)(references)
        compiled = torch.compile(graph, dynamic=False)
        images = references.detach().clone().requires_grad_()
        torch.autograd.grad(compiled(images).float().sum(), images)
    except Exception as error:  # compilers fail in ways of their own
        if is_out_of_memory(error):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        warnings.warn(
            f"{name} could not be compiled and is computed without: {type(error).__name__}: {reason}",
            RuntimeWarning,
            stacklevel=2,
        )
        return network
    return compiled
