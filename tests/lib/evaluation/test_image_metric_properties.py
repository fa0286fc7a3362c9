"""What must hold for every image metric, whatever it measures."""

import math
from typing import ClassVar

import pytest
import torch
from evaluation_toys import random_network, textured_images

from metamerlib.evaluation.image_metrics import METRICS
from metamerlib.evaluation.image_metrics.inputs import check_size


class Brightness:
    """An image-text model that sees nothing but brightness and redness."""

    name = "toy"
    prompt_pairs: ClassVar = {"bright": ("Bright photo.", "Dark photo."), "red": ("Red photo.", "Blue photo.")}

    def pair_logits(self, images):
        brightness = images.mean(dim=(1, 2, 3)) - 0.5
        redness = images[:, 0].mean(dim=(1, 2)) - images[:, 2].mean(dim=(1, 2))
        wanted = torch.stack([brightness, redness], dim=1)
        return 100 * torch.stack([wanted, -wanted], dim=2)


NETWORKS = {"backbone": random_network("toy net"), "scorer": Brightness(), None: None}


def measure(metric, images, references, **options):
    if metric.needs:
        options[metric.needs] = NETWORKS[metric.needs]
    return metric.function(images, references, **options)


every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
with_reference = pytest.mark.parametrize(
    "metric", [m for m in METRICS.values() if m.perfect is not None], ids=lambda m: m.key
)
per_image = pytest.mark.parametrize("metric", [m for m in METRICS.values() if m.per_image], ids=lambda m: m.key)


@with_reference
@pytest.mark.parametrize("size", [64, 41])
def test_identical_images_give_the_perfect_value(metric, size):
    images = textured_images(4, size)
    values = measure(metric, images, images)
    assert values.flatten().tolist() == pytest.approx([metric.perfect] * values.numel(), abs=1e-9)


@with_reference
def test_identical_images_with_plain_patches_are_still_perfect(metric):
    images = textured_images(3, 64)
    images[:, :, :32] = 0.25  # half of each image without any detail
    images[1] = 0.5  # one image wholly plain
    if metric.key == "rase":  # torchmetrics' own: kept as it is, but grey is no trouble for it
        assert METRICS["rase"].undefined
    values = measure(metric, images, images)
    assert values.flatten().tolist() == pytest.approx([metric.perfect] * values.numel(), abs=1e-9)


@pytest.mark.parametrize("metric", [m for m in METRICS.values() if m.key != "clip_iqa"], ids=lambda m: m.key)
def test_more_noise_never_improves(metric):
    references = textured_images(6, 64)
    noise = torch.randn(references.shape, generator=torch.Generator().manual_seed(7))
    levels = [measure(metric, (references + s * noise).clamp(0, 1), references) for s in (0.02, 0.05, 0.1, 0.2)]
    steps = torch.stack([level.flatten() for level in levels]).diff(dim=0)
    worse = steps < 0 if metric.direction == "higher" else steps > 0
    assert worse.all()


@every_metric
def test_the_scale_of_the_images_is_declared_not_guessed(metric):
    references = textured_images(3, 48)
    images = (0.8 * references + 0.05).clamp(0, 1)
    expected = measure(metric, images, references)
    scaled = measure(metric, 255 * images, 255 * references, data_range=255)
    assert scaled.tolist() == pytest.approx(expected.tolist(), rel=1e-5, abs=1e-9)


@per_image
def test_a_batch_gives_what_single_images_give(metric):
    references = textured_images(5, 48)
    images = textured_images(5, 48, seed=3)
    batch = measure(metric, images, references)
    single = torch.cat([measure(metric, images[[i]], references[[i]]) for i in range(5)])
    assert batch.shape == (5,)
    assert batch.dtype == torch.float64
    assert batch.tolist() == pytest.approx(single.tolist(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("metric", [m for m in METRICS.values() if not m.per_image], ids=lambda m: m.key)
def test_the_order_of_the_images_does_not_matter_to_a_set(metric):
    references, images = textured_images(5, 48), textured_images(5, 48, seed=3)
    order = torch.tensor([3, 1, 4, 0, 2])
    value = measure(metric, images, references)
    assert value.ndim == 0
    assert measure(metric, images[order], references[order]).item() == pytest.approx(value.item(), rel=1e-6)


@every_metric
@pytest.mark.parametrize("size", [32, 41, 64, 97])
def test_values_lie_in_the_declared_range(metric, size):
    references = textured_images(3, size)
    random = torch.rand(references.shape, generator=torch.Generator().manual_seed(1))
    if size < metric.smallest:
        with pytest.raises(ValueError, match=f"at least {metric.smallest} x {metric.smallest} pixels, got 32 x 32"):
            measure(metric, random, references)
        return
    for images in (random, 1 - references, references.round(), torch.zeros_like(references)):
        values = measure(metric, images, references)
        assert ((values >= metric.low) & (values <= metric.high)).all()


@every_metric
def test_the_smallest_size_is_enough_and_images_need_not_be_square(metric):
    size = max(metric.smallest, 8)
    references = textured_images(2, size + 5)[:, :, :size]
    values = measure(metric, references.flip(3), references)
    assert torch.isfinite(values).all()


@every_metric
def test_images_out_of_range_are_refused(metric):
    images = textured_images(2, 48)
    with pytest.raises(ValueError, match=r"images has values from .* not in \[0, 1\]"):
        measure(metric, 2 * images, images)
    with pytest.raises(ValueError, match="data_range"):
        measure(metric, images, images, data_range=0)


@with_reference
def test_images_of_another_shape_are_refused(metric):
    with pytest.raises(ValueError, match=r"\(2, 3, 48, 48\) and \(3, 3, 48, 48\)"):
        measure(metric, textured_images(2, 48), textured_images(3, 48))


def test_the_declarations_are_consistent():
    assert list(METRICS) == (
        ["fid", "kid", "ssim", "psnr", "vif", "lpips", "rase", "rase_corrected", "scc", "tv", "clip_iqa"]
    )
    for metric in METRICS.values():
        assert metric.low < metric.high
        assert metric.direction in ("higher", "lower")
        if metric.perfect is not None and metric.key != "kid":  # a good end of the range, if it has one
            best = metric.high if metric.direction == "higher" else metric.low
            assert metric.perfect == best or (metric.key == "vif" and math.isinf(best))


def test_the_size_is_checked_by_the_shorter_side():
    with pytest.raises(ValueError, match="got 10 x 90"):
        check_size(torch.zeros(1, 3, 10, 90), 11, "SSIM")
