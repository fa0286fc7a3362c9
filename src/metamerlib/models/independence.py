"""Does a network answer for each image alone, and the same each time? Results promise both."""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from metamerlib.models.classifier import Classifier
from metamerlib.models.stages import Stage

_checked: "WeakKeyDictionary[Classifier, set[str | None]]" = WeakKeyDictionary()


@torch.no_grad()
def check_independence(classifier: Classifier, images: Tensor, stage: Stage | None = None) -> None:
    """Refuse a network whose answer for an image depends on chance or on what else is in the batch.

    A bright and a dark image of noise, of the shape of `images`, are classified together, again, and each alone; once
    per classifier. With a stage, its activations are compared, and nothing behind it runs. Random states and running
    statistics stay as they are.

    Raises
    ------
    ValueError
        If the answers differ; the message says which of the two it is, and what to do.
    """
    classifier.eval()  # whoever trains the network between two evaluations has put it into training mode
    checked, layer = _checked.setdefault(classifier, set()), None if stage is None else classifier.layer(stage)
    if None in checked or layer in checked or classifier.device.type == "meta":
        return
    answer = classifier.outputs if stage is None else classifier.up_to(stage)
    draw = torch.Generator().manual_seed(0)
    noise = torch.rand(2, *images.shape[1:], generator=draw, dtype=torch.float32, device="cpu")
    pair = (noise * torch.tensor([1.0, 0.1], device="cpu").view(2, 1, 1, 1)).to(classifier.device)
    training = {module for module in classifier.module.modules() if module.training}
    buffers = {name: buffer.clone() for name, buffer in classifier.named_buffers()}
    devices = [classifier.device] if classifier.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        together, again, first, second = (_as_real(answer(one)) for one in (pair, pair, pair[:1], pair[1:]))
    switched = [name for name, one in classifier.module.named_modules() if one.training and one not in training]
    if switched:
        for name, buffer in classifier.named_buffers():
            buffer.copy_(buffers[name])
        classifier.eval()
        raise ValueError(
            f"model {classifier.name!r} puts its module {switched[0]!r} into training mode in the forward pass, where "
            "dropout is random and batch normalisation mixes the images of a batch: take .train() out of its forward."
        )
    if _difference(together, again) > 1e-5:
        raise ValueError(
            f"model {classifier.name!r} answers differently each time it sees the same image: its forward pass draws "
            "random numbers. Where that is dropout, call functional.dropout(…, training=self.training), or nn.Dropout."
        )
    # What remains between batches of two sizes is rounding, which is coarse in half precision and TF32.
    apart = max(_difference(together[:1], first), _difference(together[1:], second))
    if apart > (0.01 if classifier.dtype in (torch.float32, torch.float64) else 0.1):
        raise ValueError(
            f"model {classifier.name!r} answers differently for an image alone and beside another: "
            + _coupling(classifier)
        )
    checked.add(layer)


def trust(classifier: Classifier) -> Classifier:
    """Exempt one of the library's own networks, which tests have checked."""
    _checked.setdefault(classifier, set()).add(None)
    return classifier


def _as_real(answer: Tensor) -> Tensor:
    answer = answer.dequantize() if answer.is_quantized else answer
    return torch.view_as_real(answer.resolve_conj()).float() if answer.is_complex() else answer.float()


def _difference(one: Tensor, other: Tensor) -> float:
    if one.shape != other.shape:
        return torch.inf
    return float((one - other).abs().nan_to_num(0).max() / one.abs().nan_to_num(0).max().clamp(min=1e-12))


def _coupling(classifier: Classifier) -> str:
    for name, module in classifier.module.named_modules():
        if getattr(module, "track_running_stats", True) is False or (
            hasattr(module, "running_mean") and module.running_mean is None and "BatchNorm" in type(module).__name__
        ):
            return (
                f"its {name!r} ({type(module).__name__}) has no running statistics and normalises by those of the "
                "batch. Build it with track_running_stats=True and train it so, or take GroupNorm or InstanceNorm."
            )
    return "its forward pass mixes the images of a batch. Let every operation keep to its own image (dimension 0)."
