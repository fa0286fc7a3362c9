"""A classification network as the rest of the library sees it: images in [0, 1] to logits or activations."""

import math
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parameter import is_lazy

from metamerlib.checks import check_choice, entries_of, names, real_number, shown, whole_number
from metamerlib.models.device import naming_batch_size, usable_in_autograd, without_autocast
from metamerlib.models.outputs import first_tensor, output_indices
from metamerlib.models.stages import Stage, resolve_stage

DECISIONS = ("max_logit", "mean_probability")
"""How the outputs of a category make its logit: the names that `Classifier` knows."""

_LARGEST_SIDE = 16_384
_LARGEST_CONSTANT = 2.0  # of mean and std, where images are in [0, 1]


class _TapReached(Exception):  # noqa: N818 - a signal that ends the forward pass, not an error
    """Carries the tapped output out of the module's forward pass."""

    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output


class Classifier(nn.Module):
    """Wrap a torch module: its normalisation, its categories, its blocks.

    Everywhere else an image is float32 RGB in [0, 1]. The module is put into evaluation mode, its weights are frozen.

    Parameters
    ----------
    module
        Maps (N, 3, H, W) to (N, outputs).
    categories
        The names of the categories that `forward` returns logits for, in order.
    mean, std
        Per-channel normalisation, applied to images in [0, 1]. The default leaves them as they are.
    blocks
        Dotted names of the module's sequential blocks, from the image to the logits. They define what "early",
        "middle", "late" and a depth mean; without them a stage must be a module's dotted name.
    input_size
        The side in pixels that the module needs; images of another size are resized on the way in
        (bilinear, antialiased, differentiable). None passes every size on.
    outputs_of_category
        For each category, the indices of the module's outputs that belong to it (Geirhos et al. 2018; the 16-way
        decision over ImageNet's 1000 outputs). None means that outputs and categories are the same.
    decision
        How the outputs of a category make its logit: "max_logit" takes the highest; "mean_probability" takes the
        logarithm of the mean of their probabilities (a softmax over all outputs).

    Raises
    ------
    TypeError, ValueError
        If `module` is not a torch module, or an argument does not fit it or the others.

    Examples
    --------
    >>> import torch, metamerlib as ml
    >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 2))
    >>> mine = ml.Classifier(network, name="mine", blocks=["0", "1"], categories=("cat", "dog"))
    >>> mine.layer("late"), tuple(mine.activations(torch.rand(5, 3, 8, 8), "early").shape)
    ('1', (5, 4, 6, 6))
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str,
        categories: Sequence[str],
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        blocks: Sequence[str] | None = None,
        input_size: int | None = None,
        outputs_of_category: Sequence[Sequence[int]] | None = None,
        decision: str = "max_logit",
    ) -> None:
        super().__init__()
        if not isinstance(module, nn.Module):
            raise TypeError(f"module is a {type(module).__name__}: give a torch.nn.Module (it is {shown(module)}).")
        if not isinstance(name, str) or not name:
            raise TypeError(f"name is {shown(name)}: give text.")
        if any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
            raise ValueError(
                f"module of model {name!r} has lazy layers without weights yet: pass an image through it once, such as "
                "module(torch.zeros(1, 3, 224, 224)), then wrap it."
            )
        self.mean, self.std = _per_channel(mean, "mean"), _per_channel(std, "std")
        if min(self.std) <= 0:
            raise ValueError(f"std is {shown(std)}: every channel's must be above 0.")
        if input_size is not None:
            input_size = whole_number(input_size, "input_size", at_least=1, at_most=_LARGEST_SIDE)
        self.name, self.categories = unicodedata.normalize("NFC", name), names(categories, "categories")
        if outputs_of_category is not None:
            outputs_of_category = output_indices(outputs_of_category, len(self.categories))
        check_choice(decision, DECISIONS, "decision")
        modules = dict(module.named_modules(remove_duplicate=False))
        blocks = [] if blocks is None else entries_of(blocks, "blocks", "dotted module names")
        unknown = [block for block in blocks if not isinstance(block, str) or not block or block not in modules]
        if unknown:
            raise ValueError(
                f"blocks names {shown(unknown)}, which model {self.name!r} does not have: give "
                f"dotted names out of module.named_modules(), such as {', '.join([n for n in modules if n][:6])}."
            )
        self.blocks, self.input_size = tuple(blocks), input_size
        self.outputs_of_category, self.decision = outputs_of_category, decision
        self.module = usable_in_autograd(module)
        for weight in module.parameters():  # a scripted module has no requires_grad_ of its own
            weight.requires_grad_(False)
        # Not persistent: the module's own state_dict stays loadable through the wrapper's.
        with torch.inference_mode(False):
            for buffer, values in (("_mean", self.mean), ("_std", self.std)):
                constant = torch.tensor(values, dtype=torch.float32, device="cpu").view(1, 3, 1, 1)
                self.register_buffer(buffer, constant.to(self.device), persistent=False)
        try:
            self.eval()
        except NotImplementedError as error:
            raise TypeError(
                f"module of model {name!r} is an exported program, which has no evaluation mode and no layers to tap: "
                "give the module that it was exported from."
            ) from error

    def __repr__(self) -> str:
        what = f"{type(self.module).__name__}, {len(self.categories)} categories, {len(self.blocks)} blocks"
        return f"Classifier({self.name!r}, {what}, input {self.input_size or 'any'} px)"

    def train(self, mode: bool = True) -> "Classifier":
        """Stay in evaluation mode: activations must not depend on what else is in the batch."""
        if mode:
            raise ValueError(f"Classifier {self.name!r} cannot be trained: train its .module before wrapping it.")
        return super().train(False)

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        for tensor in (*self.module.parameters(), *self.module.buffers()):
            return tensor.device
        return self._mean.device if "_mean" in self._buffers else torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type that the network computes in: images are cast to it, and outputs back."""
        return next((p.dtype for p in self.module.parameters() if p.is_floating_point()), self._mean.dtype)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images, (N, 3, H, W), floating point RGB in [0, 1]: (N, categories) logits."""
        logits = self.outputs(images)
        n_outputs = logits.shape[1] if logits.ndim == 2 else None
        if n_outputs == 1:
            raise ValueError(
                f"model {self.name!r} has a single output, of which no decision can be read: give it one for each "
                "category (of a logit z for two categories: torch.cat([-z, z], dim=1))."
            )
        if self.outputs_of_category is not None:
            largest = max(max(outputs) for outputs in self.outputs_of_category)
            if n_outputs is None or largest >= n_outputs:
                raise ValueError(
                    f"model {self.name!r} returns {tuple(logits.shape)} for {len(images)} images, but "
                    f"outputs_of_category names output {largest}: give indices below the number of outputs."
                )
            if self.decision == "max_logit":
                return torch.stack([logits[:, outputs].amax(dim=1) for outputs in self.outputs_of_category], dim=1)
            shares = [logits[:, one].logsumexp(dim=1) - math.log(len(one)) for one in self.outputs_of_category]
            return torch.stack(shares, dim=1) - logits.logsumexp(dim=1, keepdim=True)
        if n_outputs != len(self.categories):
            raise ValueError(
                f"model {self.name!r} returns {tuple(logits.shape)} for {len(images)} images, but has "
                f"{len(self.categories)} categories: give as many categories as outputs, or outputs_of_category."
            )
        return logits

    def outputs(self, images: Tensor) -> Tensor:
        """Compute the network's own outputs, (N, outputs), before they are gathered into categories."""
        with without_autocast(self.device):
            returned = self.module(self._inputs(images))
        outputs = first_tensor(returned)
        if outputs is None:
            raise ValueError(
                f"model {self.name!r} returns a {type(returned).__name__} without a tensor: let its forward return "
                "the logits, (N, outputs), or an object or dictionary that has them as 'logits'."
            )
        return self._outputs(outputs, images)

    @torch.no_grad()
    def predict(self, images: Tensor, batch_size: int = 256) -> Tensor:
        """Decide on a category for each image: (N,) int64 indices into `categories`, on the CPU.

        The images, (N, 3, H, W), RGB in [0, 1], may be on any device; `batch_size` are classified at once.

        Raises
        ------
        ValueError
            If the network returns NaN or +∞ for an image.
        """
        self.eval()  # the module may have been trained since
        batch_size = whole_number(batch_size, "batch_size", at_least=1)
        _check_tensor(images)
        with naming_batch_size(f"classifying with model {self.name!r}", batch_size):
            batches = [self(batch.to(self.device)).cpu() for batch in images.split(batch_size)]
        return self.checked_logits(torch.cat(batches)).argmax(dim=1) if batches else torch.zeros(0, dtype=torch.int64)

    def checked_logits(self, logits: Tensor) -> Tensor:
        """Refuse logits, (N, categories), with NaN or +∞: a comparison would take either for the highest."""
        wrong = (logits.isnan() | logits.isposinf()).any(dim=1)
        if wrong.any():
            raise ValueError(
                f"model {self.name!r} returns NaN or infinity for {int(wrong.sum())} of {len(logits)} images: its "
                "answers mean nothing. Mend its weights or its normalisation (mean, std), or leave it out of the "
                "evaluators."
            )
        return logits

    def layer(self, stage: Stage) -> str:
        """Name the module that a stage taps: a dotted name within `module`."""
        return resolve_stage(
            stage, self.blocks, [n for n, _ in self.module.named_modules(remove_duplicate=False)], self.name
        )

    def activations(self, images: Tensor, stage: Stage) -> Tensor:
        """Compute the activations at a stage, (N, …); the forward pass stops there.

        Parameters
        ----------
        images
            (N, 3, H, W), RGB in [0, 1], on the model's device. Gradients flow back to them.
        stage
            "early", "middle", "late" (20, 50, 80 % of the depth), a depth in (0, 1], or a module's dotted name.

        Raises
        ------
        ValueError
            If the forward pass never reaches the module, or its output is not one tensor per image.
        """
        return self.up_to(stage)(images)

    def up_to(self, stage: Stage) -> Callable[[Tensor], Tensor]:
        """Cut the network at a stage, for those who run it many times: the module is looked up here, once."""
        layer = self.layer(stage)
        tapped = dict(self.module.named_modules(remove_duplicate=False))[layer]
        if isinstance(tapped, torch.jit.ScriptModule):
            raise ValueError(
                f"model {self.name!r} is scripted at {layer!r}, which leaves no layers to tap: give the module it was "
                "scripted from."
            )
        # A block that stands at several places of a list runs once for each of its names.
        same = [name for name, module in self.module.named_modules(remove_duplicate=False) if module is tapped]
        return partial(self._run_up_to, layer, tapped, same.index(layer))

    def _run_up_to(self, layer: str, tapped: nn.Module, skipped: int, images: Tensor) -> Tensor:
        runs = 0

        def stop_at_tap(module: nn.Module, inputs: tuple, output: object) -> None:
            nonlocal runs
            runs += 1
            if runs > skipped:
                raise _TapReached(output)

        handle = tapped.register_forward_hook(stop_at_tap)
        try:
            self.module(self._inputs(images))
        except _TapReached as tap:
            output = first_tensor(tap.output)
        else:
            raise ValueError(f"the forward pass of model {self.name!r} never reaches {layer!r}: choose another stage.")
        finally:
            handle.remove()
        if output is None or output.ndim < 2 or len(output) != len(images):
            raise ValueError(
                f"module {layer!r} of model {self.name!r} does not return one tensor with a row per image: tap a "
                "module that does."
            )
        return self._outputs(output, images)

    def _inputs(self, images: Tensor) -> Tensor:
        """Validate images and turn them into what the module takes."""
        _check_tensor(images)
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(f"images is {shown(images)}: give floating point (N, 3, H, W), RGB in [0, 1].")
        size = self.input_size
        if size is not None and tuple(images.shape[-2:]) != (size, size):
            images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False)
        # The module may have been moved since it was wrapped.
        normalised = (images - self._mean.to(images.device)) / self._std.to(images.device)
        return normalised if normalised.dtype == self.dtype else normalised.to(self.dtype)

    def _outputs(self, output: Tensor, images: Tensor) -> Tensor:
        """Cast what the module returned to the images' type, where they had to be cast to the module's."""
        was_cast = self.dtype != torch.promote_types(images.dtype, self._mean.dtype)
        return output.to(images.dtype) if was_cast and output.is_floating_point() else output


def _check_tensor(images: object) -> None:
    if not isinstance(images, Tensor):
        raise TypeError(f"images is {shown(images)}: give a tensor (N, 3, H, W), RGB in [0, 1].")


def _per_channel(values: object, argument: str) -> tuple[float, float, float]:
    if hasattr(values, "flatten") and hasattr(values, "tolist"):  # an array or a tensor
        values = values.flatten().tolist()
    found = [one.item() if isinstance(one, Tensor) else one for one in entries_of(values, argument, "three numbers")]
    found = [real_number(one, argument) for one in found]
    if len(found) != 3:
        raise ValueError(f"{argument} is {shown(values)}: give three numbers, one per RGB channel.")
    if max(map(abs, found)) > _LARGEST_CONSTANT:
        of_one = tuple(round(value / 255, 4) for value in found)
        raise ValueError(
            f"{argument} is {shown(values)}, which is meant for pixels of 0 to 255: images are in [0, 1] here, so give "
            f"{argument} divided by 255, {of_one}."
        )
    return tuple(found)
