"""Train one miniature by its recipe, with checkpoints that a later run resumes."""

import copy
import hashlib
import io
import math
import time
import warnings
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from metamerlib.models.miniature import MEAN, STD, build_miniature
from metamerlib.models.training.drawings import as_images, augment
from metamerlib.models.training.recipes import Recipe
from metamerlib.system import UnwritableFileError, atomic_write

_TEMPERATURE = 2.0
_SMOOTHING = 0.05
_CHECKPOINT_SECONDS = 60
_DIGEST = hashlib.sha256().digest_size
_FLOAT32 = {"mobilenet_v2", "shufflenet_v2", "meal_v2_efficientnet_b0"}
"""Networks of depthwise convolutions, which have no fast bfloat16 kernel on a CPU."""


class Normalized(nn.Module):
    """A miniature on images in [0, 1], as it is trained and attacked."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.network((images - self.mean) / self.std)


def attack(
    network: nn.Module, images: Tensor, labels: Tensor, *, epsilon: float, steps: int, generator: torch.Generator
) -> Tensor:
    """Raise the cross-entropy within an ℓ∞ ball by projected gradient ascent (Madry et al. 2018).

    The step is 1.25 ε for a single one (Wong et al. 2020) and 2.5 ε / steps for more.
    """
    size = 1.25 * epsilon if steps == 1 else 2.5 * epsilon / steps
    start = torch.rand(images.shape, generator=generator).to(images.device) * 2 - 1
    adversarial = (images + epsilon * start).clamp_(0, 1)
    for _ in range(steps):
        adversarial.requires_grad_(True)
        loss = functional.cross_entropy(network(adversarial).float(), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, adversarial)
        moved = adversarial.detach() + size * gradient.sign()
        adversarial = torch.minimum(torch.maximum(moved, images - epsilon), images + epsilon).clamp_(0, 1)
    return adversarial


def corrupt(images: Tensor, generator: torch.Generator) -> Tensor:
    """Corrupt each image in one way at random strength, after the families of ImageNet-C (Hendrycks 2019).

    Noise (normal, impulse), blur, contrast, brightness, fog and pixelation; one image in five stays as it is.
    """
    count = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, generator=generator) * (high - low) + low).to(images.device)

    noise = torch.randn(images.shape, generator=generator).to(images.device)
    impulses = torch.rand(images.shape, generator=generator).to(images.device)
    blurred = functional.avg_pool2d(functional.pad(images, [2] * 4, mode="reflect"), 5, 1)
    coarse = functional.interpolate(functional.avg_pool2d(images, 4), scale_factor=4)
    fog = functional.interpolate(impulses[:, :1, ::16, ::16], size=images.shape[-2:], mode="bilinear")
    mean = images.mean(dim=(2, 3), keepdim=True)
    share = uniform(0.02, 0.15)
    variants = [
        images,
        images + noise * uniform(0.03, 0.2),
        torch.where(impulses < share, impulses / share, images),
        images.lerp(blurred, uniform(0.5, 1)),
        mean + (images - mean) * uniform(0.15, 0.6),
        images + uniform(-0.35, 0.35),
        images.lerp(fog.expand_as(images), uniform(0.2, 0.6)),
        images.lerp(coarse, uniform(0.5, 1)),
    ]
    choice = torch.multinomial(torch.tensor([0.2] + [0.8 / 7] * 7), count, replacement=True, generator=generator)
    return torch.stack(variants)[choice.to(images.device), torch.arange(count, device=images.device)].clamp(0, 1)


def learning_rate_at(recipe: Recipe, progress: float) -> float:
    """One cycle: a linear rise over the first tenth, then half a cosine to zero."""
    if progress < 0.1:
        return recipe.learning_rate * (0.02 + 0.98 * progress / 0.1)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


def epsilon_at(recipe: Recipe, progress: float) -> float:
    """Radius of the adversarial training's attack: zero, then growing linearly, then constant."""
    if recipe.objective != "adversarial":
        return 0.0
    return recipe.epsilon * min(max((progress - recipe.clean_share) / recipe.ramp_share, 0.0), 1.0)


def train_miniature(
    key: str,
    recipe: Recipe,
    pool: np.ndarray,
    *,
    networks: dict[str, nn.Module],
    checkpoint: Path,
    device: str = "cpu",
    progress_position: int = 0,
) -> nn.Module:
    """Train one network on `pool`, whose image j shows category j % 16; an interrupted run is taken up again."""
    torch.manual_seed(recipe.seed)
    network, _ = build_miniature(key)
    if recipe.start:
        network.load_state_dict(networks[recipe.start].state_dict())
    model = Normalized(network).to(device, memory_format=torch.channels_last)
    teachers = [Normalized(networks[t]).to(device, memory_format=torch.channels_last).eval() for t in recipe.teachers]
    optimizer = torch.optim.AdamW(_weight_groups(model, recipe.weight_decay), lr=recipe.learning_rate, fused=True)
    updates = math.ceil(recipe.images / recipe.batch_size)
    first = _resume(checkpoint, recipe, model, optimizer, device)
    precision = torch.autocast(torch.device(device).type, torch.bfloat16, enabled=key not in _FLOAT32)
    saved = time.monotonic()
    bar = tqdm(total=updates, initial=first, desc=f"{key:24s}", unit="batch", position=progress_position, leave=False)
    with bar:
        for update in range(first, updates):
            done = update / updates
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(recipe, done)
            # One generator per update: a resumed run sees the very images that the uninterrupted one sees.
            generator = torch.Generator().manual_seed(hash((recipe.seed, update)) & 0x7FFFFFFF)
            chosen = np.sort(torch.randint(0, len(pool), (recipe.batch_size,), generator=generator).numpy())
            images = augment(as_images(pool[chosen]).to(device), generator)
            labels = torch.from_numpy(chosen % 16).to(device)
            with precision:
                loss = _loss(model, teachers, recipe, done, images, labels, generator)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            bar.update()
            if update % 50 == 0:
                bar.set_postfix(loss=f"{loss.item():.3f}")
            if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                _save(checkpoint, recipe, model, optimizer, update + 1)
                saved = time.monotonic()
    checkpoint.unlink(missing_ok=True)
    return network.cpu().eval()


def _loss(
    model: nn.Module,
    teachers: list[nn.Module],
    recipe: Recipe,
    done: float,
    images: Tensor,
    labels: Tensor,
    generator: torch.Generator,
) -> Tensor:
    epsilon = epsilon_at(recipe, done)
    if recipe.objective == "corruptions":
        images = corrupt(images, generator)
    if epsilon > 0:
        # Attacked as it will be used: in evaluation mode, running statistics and all.
        model.eval()
        steps = recipe.attack_steps
        images = attack(model, images, labels, epsilon=epsilon, steps=steps, generator=generator).detach()
    model.train()
    images = images.contiguous(memory_format=torch.channels_last)
    logits = model(images).float()
    smoothing = 0.0 if recipe.objective == "adversarial" else _SMOOTHING
    loss = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
    if teachers:
        with torch.no_grad():
            answers = [functional.softmax(teacher(images).float() / _TEMPERATURE, dim=1) for teacher in teachers]
        own = functional.log_softmax(logits / _TEMPERATURE, dim=1)
        divergence = functional.kl_div(own, torch.stack(answers).mean(dim=0), reduction="batchmean")
        loss = 0.3 * loss + _TEMPERATURE**2 * divergence
    return loss


def _weight_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _save(path: Path, recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer, update: int) -> None:
    state = {"recipe": recipe.to_dict(), "update": update}
    state |= {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    content = io.BytesIO()  # where torch writes to a file, a full disk is an error about a "position"
    torch.save(state, content)
    try:
        with atomic_write(path) as draft:
            # torch does not notice a changed bit, hence the hash at the end.
            draft.write_bytes(content.getvalue() + hashlib.sha256(content.getbuffer()).digest())
    except UnwritableFileError as error:
        warnings.warn(
            f"{error} If the training is interrupted now, it starts from the last checkpoint that could be written.",
            RuntimeWarning,
            stacklevel=3,
        )


def _resume(path: Path, recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer, device: str) -> int:
    if not path.exists():
        return 0
    beginning = copy.deepcopy(model.state_dict())
    try:
        content, digest = (whole := path.read_bytes())[:-_DIGEST], whole[-_DIGEST:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("its SHA-256 is wrong")
        state = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        if state["recipe"] != recipe.to_dict():
            return 0
        update = int(state["update"])
        optimizer.load_state_dict(state["optimizer"])
        model.load_state_dict(state["model"])
    except (RuntimeError, UnpicklingError, EOFError, KeyError, ValueError, TypeError, AttributeError) as error:
        model.load_state_dict(beginning)
        aside = path.with_name(f"{path.name}.corrupt")
        path.replace(aside)
        reason = (str(error) or type(error).__name__).splitlines()[0]
        warnings.warn(
            f"the checkpoint {path} cannot be read ({reason}): it was moved to {aside}, and the training starts over.",
            RuntimeWarning,
            stacklevel=3,
        )
        return 0
    return update


def accuracy(network: nn.Module, images: Tensor, labels: Tensor, *, epsilon: float = 0.0, steps: int = 20) -> float:
    """Share of images that a miniature classifies as labelled, under a projected gradient attack of a radius."""
    model = Normalized(network).eval().requires_grad_(False)
    generator, correct = torch.Generator().manual_seed(0), 0
    for batch, wanted in zip(images.split(128), labels.split(128), strict=True):
        if epsilon:
            batch = attack(model, batch, wanted, epsilon=epsilon, steps=steps, generator=generator)
        with torch.no_grad():
            correct += (model(batch).argmax(dim=1) == wanted).sum().item()
    return correct / len(images)
