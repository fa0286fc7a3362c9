"""The way in: `generate_metamers` checks what it is given, runs the solver and says what went wrong on the way."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from metamerlib.checks import (
    check_batch_size,
    check_classifiers,
    check_images,
    listed,
    resolve_seed,
    shown,
    whole_number,
)
from metamerlib.generation.batch import Batch
from metamerlib.generation.checkpoint import Checkpoint, run_identity
from metamerlib.generation.config import GenerationConfig
from metamerlib.generation.metamers import Metamers
from metamerlib.generation.precision import Arithmetic
from metamerlib.generation.run import Run
from metamerlib.generation.solver import recorded_repetitions
from metamerlib.models import Classifier, Stage
from metamerlib.models.device import models_on, naming_batch_size, resolve_device


def generate_metamers(
    images: Tensor,
    models: Classifier | Sequence[Classifier],
    *,
    stage: Stage,
    config: GenerationConfig | None = None,
    seed: int | torch.Generator = 0,
    device: str | torch.device = "auto",
    batch_size: int | str | None = None,
    precision: str = "float32",
    compile: bool = False,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 60.0,
    record_every: int | None = None,
    initial: Tensor | None = None,
    index_offset: int = 0,
    progress: bool = True,
    watch: Callable[[Batch], None] | None = None,
) -> Metamers:
    """Make metamers: images that the models respond to as they respond to the references (paper, Algorithm 1).

    Each image's metamer depends on that image, its index, the seed and the models alone: it comes out the same
    whatever else is in the batch, up to the rounding of the networks' arithmetic.

    Parameters
    ----------
    images
        (N, 3, H, W) float32 reference images, RGB in [0, 1]. The metamers have the same size.
    models
        The ensemble, one or more classifiers with different names and the same categories. They are moved to the device
        for the time it takes, and left as they were.
    stage
        Where activations are matched: "early", "middle", "late" (20, 50, 80 % of each model's depth), a share of the
        depth in (0, 1], or a module's dotted name, which all the models must have.
    config
        The hyper-parameters; None for the defaults, Table 3.
    seed
        Seed of the initial stimuli, or a generator that one is drawn from.
    device
        "auto" takes CUDA, else MPS, else the CPU.
    batch_size
        Images optimised at once; None for all of them. On the CPU networks get them in multiples of four. "auto" begins
        with all of them and takes half as many whenever memory does not suffice: it goes on from the last checkpoint,
        or where there is none begins those images anew.
    precision
        How the passes of the optimisation are computed: "float32", "tf32" (NVIDIA cards since Ampere) or "bfloat16"
        (under `torch.autocast`). References' activations and final residuals are computed in float32 whatever it is.
    compile
        Whether these passes go through `torch.compile`. Each network takes a minute or so first.
    checkpoint
        A file for the state of the run. If it exists, the run goes on from there, and on the CPU ends in the very
        result that an uninterrupted one has. A damaged file is set aside as `<name>.corrupt`.
    checkpoint_every
        Seconds between two writings; it is also written after each `batch_size` images.
    record_every
        Keep the residuals of every so-manieth repetition, besides the first and the last; None for about 200 in all.
    initial
        (N, 3, H, W) initial stimuli in place of the configured initialiser's.
    index_offset
        Index of the first image in a larger set, within which it would get the same metamer.
    progress
        Whether a progress bar with the mean residual is shown on the standard error stream.
    watch
        Called with each batch before its first repetition and after each one, to look at `Batch.repetition`,
        `Batch.positions`, `Batch.images` and `Batch.residuals()`.

    Returns
    -------
    Metamers
        The images, on the CPU, with their residuals and history.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If images, models, stage, device or settings are not usable, a tapped layer ignores the image, no image has a
        finite loss, or the checkpoint is of another run. The message says what to do.

    Warns
    -----
    RuntimeWarning
        If some images had a loss or gradient that was not finite, or never a gradient; if a damaged checkpoint was set
        aside, or one could not be written; if the batch size was lowered; if precision or compiler were done without.

    Examples
    --------
    >>> import torch, metamerlib as ml
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2))
    >>> mine = ml.Classifier(network, name="mine", blocks=["0", "1"], categories=("cat", "dog"))
    >>> config = ml.GenerationConfig(repetitions=20)
    >>> metamers = ml.generate_metamers(torch.rand(4, 3, 8, 8), mine, stage="late", config=config, progress=False)
    >>> metamers.images.shape, metamers.residuals.shape
    (torch.Size([4, 3, 8, 8]), torch.Size([4, 1]))
    """
    config = GenerationConfig() if config is None else config
    if not isinstance(config, GenerationConfig):
        raise TypeError(
            f"config is a {type(config).__name__}: give a GenerationConfig, such as GenerationConfig() (it is "
            f"{shown(config)})."
        )
    images = check_images(images).detach().contiguous()
    models = check_classifiers([models] if isinstance(models, nn.Module | str) else models, "models", alike=True)
    if initial is not None:
        initial = check_images(initial, "initial").detach().contiguous()
        if initial.shape != images.shape:
            raise ValueError(
                f"initial has shape {tuple(initial.shape)} and images {tuple(images.shape)}: give one initial stimulus "
                "of the same size per image."
            )
    seed, index_offset = resolve_seed(seed), whole_number(index_offset, "index_offset")
    record_every = None if record_every is None else whole_number(record_every, "record_every", at_least=1)
    shrinks, batch_size = batch_size == "auto", check_batch_size(batch_size, len(images))
    layers = tuple(model.layer(stage) for model in models)
    identity = {}
    if checkpoint is not None:
        at_once = "auto" if shrinks else batch_size
        settings = {"seed": seed, "index_offset": index_offset, "batch_size": at_once, "record_every": record_every}
        identity = run_identity(images, initial, models, layers, config.to_dict(), precision=precision, **settings)
    device = resolve_device(device)
    arithmetic = Arithmetic(precision, _check_compile(compile, config), device)
    run = Run(
        images=images,
        initial=initial,
        models=models,
        layers=layers,
        config=config,
        seed=seed,
        index_offset=index_offset,
        batch_size=batch_size,
        shrinks=shrinks,
        arithmetic=arithmetic,
        recorded=recorded_repetitions(config.repetitions, record_every),
        device=device,
        checkpoint=Checkpoint(checkpoint, checkpoint_every, identity),
        watch=watch or (lambda batch: None),
    )
    # The caller's gradient mode must not matter.
    making = f"making metamers for {len(models)} models on {device}"
    with (
        naming_batch_size(making, 1 if shrinks else batch_size),
        models_on(models, device),
        torch.inference_mode(False),
        torch.enable_grad(),
        arithmetic.applied(models),
    ):
        tensors, seconds = run.execute(f"{stage}, {len(models)} model{'s' * (len(models) > 1)}", progress)
    metamers = Metamers(
        **tensors | {"residual_history": tensors["residual_history"].transpose(0, 1).contiguous()},
        recorded_repetitions=torch.tensor([0, *run.recorded], device="cpu"),
        models=tuple(model.name for model in models),
        layers=layers,
        stage=stage,
        config=config,
        seed=seed,
        seconds=seconds,
        precision=arithmetic.precision,
    )
    _warn_about_skips(metamers)
    return metamers


def _check_compile(compiled: bool, config: GenerationConfig) -> bool:
    """Refuse to compile what would no longer be what was asked for."""
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


def _warn_about_skips(metamers: Metamers) -> None:
    never = metamers.skipped == metamers.updates_per_model
    stuck = never & (metamers.nonfinite == 0) & (metamers.residuals > 0)
    findings = {"a loss or gradient that was not finite": metamers.nonfinite > 0, "no gradient in any update": stuck}
    for what, where in findings.items():
        for column in where.any(dim=0).nonzero().flatten().tolist():
            indices = where[:, column].nonzero().flatten().tolist()
            warnings.warn(
                f"{len(indices)} of {len(metamers)} images (index {listed(indices)}) had {what} from model "
                f"{metamers.models[column]!r}, which did not move them then: Metamers.skipped and .nonfinite count how "
                "often.",
                RuntimeWarning,
                stacklevel=3,
            )
