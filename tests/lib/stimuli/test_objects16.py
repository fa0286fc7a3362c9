"""The drawn world: deterministic, the same at every size, told apart by shape and not by colour or place."""

import time

import numpy as np
import pytest
import torch

from metamerlib.stimuli.categories import CATEGORIES
from metamerlib.stimuli.objects16 import VARIANTS, draw, drawings_batch, objects16
from metamerlib.stimuli.objects16.pen import MAIN, Pen
from metamerlib.stimuli.objects16.surroundings import Noise, Palette, paint

LUMINANCE = np.array([0.299, 0.587, 0.114])
EVERY_VARIANT = [(category, variant) for category, variants in VARIANTS.items() for variant in variants]


def test_every_category_has_three_drawings():
    assert tuple(VARIANTS) == CATEGORIES
    assert all(len(set(variants)) == 3 for variants in VARIANTS.values())


@pytest.mark.parametrize(("category", "variant"), EVERY_VARIANT)
def test_each_variant_is_drawn_at_the_bounds_of_size(category, variant):
    for size in (32, 33, 64, 256):
        image = draw(category, np.random.default_rng(3), size, variant=variant)
        assert image.shape == (size, size, 3)
        assert image.dtype == np.uint8
        assert image.std() > 5


def test_variants_of_a_category_differ():
    for category, variants in VARIANTS.items():
        images = [draw(category, np.random.default_rng(0), variant=variant).astype(float) for variant in variants]
        assert np.abs(images[0] - images[1]).mean() > 3
        assert np.abs(images[1] - images[2]).mean() > 3


def test_all_variants_turn_up():
    generator = np.random.default_rng(0)
    free = [draw("cat", np.random.default_rng(seed)) for seed in range(24)]
    named = {v: [draw("cat", np.random.default_rng(seed), variant=v) for seed in range(24)] for v in VARIANTS["cat"]}
    hits = {v: sum(np.array_equal(a, b) for a, b in zip(free, named[v], strict=True)) for v in named}
    assert sum(hits.values()) == 24
    assert min(hits.values()) > 0
    assert not np.array_equal(draw("cat", generator), draw("cat", generator))


def test_a_larger_set_extends_a_smaller_one():
    small, large = objects16(n_per_class=1, seed=5), objects16(n_per_class=3, seed=5)
    assert torch.equal(small.images, large.images[::3])
    assert large.labels.tolist() == [c for c in range(16) for _ in range(3)]
    assert large.sources[4] == "objects16/seed=5/bear/0001"
    part = objects16(n_per_class=2, seed=5, categories=("truck", "bear"))
    assert torch.equal(part.images[2:], large.images[3:5])
    assert part.category_names == ["truck", "truck", "bear", "bear"]
    assert not torch.equal(small.images, objects16(n_per_class=1, seed=6).images)


def test_the_set_has_the_promised_form():
    stimuli = objects16(n_per_class=1, size=40)
    assert stimuli.images.shape == (16, 3, 40, 40)
    assert stimuli.images.dtype == torch.float32
    assert 0 <= stimuli.images.min() < stimuli.images.max() <= 1
    assert stimuli.categories == CATEGORIES


def test_the_stream_may_be_cut_anywhere():
    images, labels = drawings_batch(2, 0, 40)
    parts = [drawings_batch(2, 0, 7), drawings_batch(2, 7, 33)]
    assert np.array_equal(images, np.concatenate([part[0] for part in parts]))
    assert np.array_equal(labels, np.arange(40) % 16)
    assert labels.dtype == np.int64


def test_the_stream_holds_no_image_of_the_set():
    # A SeedSequence pads its entropy with zeros, so [0, 3] and [0, 3, 0] would draw the same image.
    images, _ = drawings_batch(0, 0, 32)
    references = (objects16(n_per_class=2).images.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    trained = {image.tobytes() for image in images}
    assert len(trained) == 32
    assert trained.isdisjoint(image.tobytes() for image in references)


@pytest.mark.parametrize("size", [32, 96, 128, 256])
def test_the_drawing_is_the_same_at_every_size(size):
    for category in ("airplane", "keyboard", "elephant"):
        at_64 = draw(category, np.random.default_rng(8), 64).astype(float)
        other = draw(category, np.random.default_rng(8), size)
        blocks = [torch.from_numpy(x).double().permute(2, 0, 1)[None] for x in (at_64, other.astype(float))]
        coarse = [torch.nn.functional.adaptive_avg_pool2d(x, 16) for x in blocks]
        # Finer noise and clipping may move a patch's mean a little; another drawing differs by some 40.
        assert (coarse[0] - coarse[1]).abs().mean() < 4


def test_palettes_keep_object_parts_and_background_apart():
    generator = np.random.default_rng(0)
    palettes = [Palette.random(generator) for _ in range(500)]
    colours = np.array([np.vstack([palette.roles, palette.background]) for palette in palettes])
    assert colours.min() >= 0
    assert colours.max() <= 1
    main, second, ink, paper, ground = np.moveaxis(colours @ LUMINANCE, 1, 0)
    assert np.abs(main - ground).min() > 0.25
    assert np.abs(second - main).min() > 0.14
    assert np.abs(ink - ground).min() > 0.12
    assert np.all((ink - main) * (paper - main) < 0)
    assert colours.mean(axis=0) == pytest.approx(np.full((5, 3), 0.5), abs=0.05)


def test_noise_has_the_power_law_and_scale_it_claims():
    generator = np.random.default_rng(0)
    noise = Noise(exponents=(1.2, 1.2), shared=0.5, contrast=np.full(3, 0.1), texture=0.05)
    planes = [noise.planes(generator, 64) for _ in range(200)]
    colours, texture = (np.array(list(part)) for part in zip(*planes, strict=True))
    assert np.abs(colours.mean(axis=(1, 2))).max() < 1e-12
    assert texture.std() == pytest.approx(0.05, rel=0.05)
    assert colours[..., 2].std() == pytest.approx(0.1, rel=0.05)
    power = (np.abs(np.fft.fft2(texture)) ** 2).mean(axis=0)
    octaves = np.log2(power[0, [2, 4, 8, 16]])
    assert np.diff(octaves) == pytest.approx([-2.4] * 3, abs=0.6)


def test_a_rectangle_covers_its_own_area_and_nothing_else():
    pen = Pen(np.random.default_rng(0))
    pen.rect(MAIN, 0.25, 0.25, 0.5, 0.75)
    palette = Palette(np.tile([0.2, 0.4, 0.6], (4, 1)), np.zeros(3))
    painted = paint(pen.polygons, pen.roles, palette, 64)
    inside = painted[17:47, 17:31]
    assert inside[..., 3].min() == 1
    assert np.unique(inside[..., :3].reshape(-1, 3), axis=0) == pytest.approx(np.array([[0.2, 0.4, 0.6]]), abs=0.01)
    assert painted[..., 3].mean() == pytest.approx(0.125, abs=0.01)
    assert painted[:15, :, 3].max() == 0


def test_objects_stay_mostly_inside():
    from metamerlib.stimuli.objects16.world import _pose

    square = [np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])]
    generator = np.random.default_rng(0)
    corners = np.array([_pose(square, generator)[0] for _ in range(300)])
    middle = corners.mean(axis=1)
    assert np.abs(middle - 0.5).max() <= 0.14 + 0.02
    assert middle.std(axis=0).min() > 0.02
    spans = corners.max(axis=1) - corners.min(axis=1)
    fitting = (spans < 1.0).all(axis=1)
    assert fitting.sum() > 100
    assert corners[fitting].min() > -0.06
    assert corners[fitting].max() < 1.06


def _linear_accuracy(features: np.ndarray, labels: np.ndarray, train: int, penalty: float) -> float:
    """Fit ridge regression to one-hot labels in closed form on the first rows; return the accuracy on the rest."""
    features = features - features[:train].mean(axis=0)
    targets = np.eye(16, dtype=features.dtype)[labels[:train]]
    gram = features[:train] @ features[:train].T
    gram[np.diag_indices(train)] += penalty * np.trace(gram) / train
    weights = features[:train].T @ np.linalg.solve(gram, targets - 1 / 16)
    return float(((features[train:] @ weights).argmax(axis=1) == labels[train:]).mean())


@pytest.fixture(scope="module")
def stream():
    images, labels = drawings_batch(11, 0, 1600, 32)
    return images.astype(np.float32) / 255, labels


def test_raw_pixels_do_not_tell_the_category_to_a_linear_classifier(stream):
    images, labels = stream
    assert _linear_accuracy(images.reshape(len(images), -1), labels, 1200, penalty=1.0) < 0.20


def test_mean_colour_does_not_tell_the_category(stream):
    # Spread and extremes of the colours do tell a knife from an oven a little, by the area each covers: shape.
    images, labels = stream
    mean = images.mean(axis=(1, 2)).astype(np.float64)
    assert _linear_accuracy(mean, labels, 1200, 1e-4) < 0.10


def test_an_image_takes_less_than_ten_milliseconds():
    drawings_batch(1, 0, 16)
    start = time.process_time()
    drawings_batch(1, 16, 160)
    assert (time.process_time() - start) / 160 < 0.010


@pytest.mark.parametrize("size", [31, 257, 0, -64, 64.0])
def test_a_wrong_size_is_refused(size):
    for call in (
        lambda: draw("cat", np.random.default_rng(0), size),
        lambda: objects16(size=size),
        lambda: drawings_batch(0, 0, 1, size),
    ):
        with pytest.raises((ValueError, TypeError), match=rf"size is {size}: give"):
            call()


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"category=\['cow'\].*airplane, bear"):
        draw("cow", np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"variant='flying' .* 'cat'.*head, sitting, walking"):
        draw("cat", np.random.default_rng(0), variant="flying")
    with pytest.raises(ValueError, match=r"categories=\['cow'\]"):
        objects16(categories=("cat", "cow"))
    with pytest.raises(ValueError, match="distinct"):
        objects16(categories=("cat", "cat"))
    with pytest.raises(ValueError, match="distinct"):
        objects16(categories=())
    with pytest.raises(ValueError, match="n_per_class is 0"):
        objects16(n_per_class=0)
    with pytest.raises(ValueError, match="seed is -1"):
        objects16(seed=-1)
    with pytest.raises(ValueError, match="start is -16"):
        drawings_batch(0, -16, 1)
    with pytest.raises(ValueError, match="seed is 4294967296"):
        drawings_batch(2**32, 0, 1)
