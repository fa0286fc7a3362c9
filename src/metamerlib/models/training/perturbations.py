"""What robust networks are trained and tested with: ℓ∞ attacks and common corruptions."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def attack(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    steps: int,
    generator: torch.Generator,
    step_size: float | None = None,
) -> Tensor:
    """Raise the cross-entropy within an ℓ∞ ball by projected gradient ascent (Madry et al. 2018).

    Parameters
    ----------
    network
        Maps images in [0, 1] to logits.
    images
        (N, 3, H, W) in [0, 1].
    labels
        (N,) int64.
    epsilon
        Radius of the ball.
    steps
        Number of steps after the random start.
    generator
        Of the random start.
    step_size
        Per step; by default 1.25 ε for one step (Wong et al. 2020) and 2.5 ε / steps for more.

    Returns
    -------
    Tensor
        The adversarial images, in [0, 1] and within ε of `images`.
    """
    size = step_size or (1.25 * epsilon if steps == 1 else 2.5 * epsilon / steps)
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

    Noise (normal, impulse), blur, contrast, brightness, fog and pixelation.

    Parameters
    ----------
    images
        (N, 3, H, W) in [0, 1].
    generator
        Source of randomness.

    Returns
    -------
    Tensor
        Corrupted images in [0, 1]; one in five stays as it is.
    """
    count = len(images)

    def uniform(low: float, high: float) -> Tensor:
        drawn = torch.rand(count, 1, 1, 1, generator=generator) * (high - low) + low
        return drawn.to(images.device)

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
    choice = torch.multinomial(torch.tensor([0.2] + [0.8 / 7] * 7), count, replacement=True, generator=generator).to(
        images.device
    )
    return torch.stack(variants)[choice, torch.arange(count, device=images.device)].clamp(0, 1)
