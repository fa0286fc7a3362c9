import numpy as np
import pytest
import scipy.stats
import torch
from toy_models import random_images

import oracles
from metamerlib.generation.initializers import INITIALIZERS, initial_stimuli


def draw(references, initializer, *, radius=0.1, constant=0.5, mix=0.5, seed=0, first=0):
    return initial_stimuli(references, initializer, radius=radius, constant=constant, mix=mix, seed=seed, first=first)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_noise_depends_on_seed_and_index_alone(name):
    references = random_images(6)
    whole = draw(references, name, seed=3)
    assert torch.equal(whole, draw(references, name, seed=3))
    for index in range(6):
        assert torch.equal(draw(references[index : index + 1], name, seed=3, first=index)[0], whole[index])
    if name != "reference":
        assert not torch.equal(whole, draw(references, name, seed=4))
        assert len({tuple(image.flatten().tolist()) for image in whole}) == 6


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize(("radius", "constant"), [(0.1, 0.5), (5.0, 1.0)])
def test_stimuli_are_images(name, radius, constant):
    references = random_images(3)
    stimuli = draw(references, name, radius=radius, constant=constant)
    assert stimuli.shape == references.shape
    assert stimuli.dtype == references.dtype
    assert stimuli.min() >= 0
    assert stimuli.max() <= 1


def test_the_global_random_state_is_neither_used_nor_changed():
    torch.manual_seed(0)
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    draw(random_images(2), "l1_ball")
    assert np.array_equal(np_state, np.random.get_state()[1])
    assert torch.equal(torch_state, torch.get_rng_state())


def ball_samples(shape, count, radius=1.0, constant=0.0, seed=0):
    draws = [
        INITIALIZERS["l1_ball"](
            np.random.default_rng([seed, i]), np.zeros(shape), radius=radius, constant=constant, mix=0.0
        )
        for i in range(count)
    ]
    return np.stack(draws).reshape(count, -1)


def test_the_l1_ball_is_sampled_uniformly():
    # Against the slow oracle (rejection from the cube), in three dimensions: norms, coordinates and a combination.
    fast, slow = ball_samples((3, 1, 1), 4000), oracles.l1_ball_by_rejection(3, 4000, seed=1)
    for statistic in (lambda x: np.abs(x).sum(1), lambda x: x[:, 0], lambda x: x[:, 1] - 2 * x[:, 2]):
        assert scipy.stats.ks_2samp(statistic(fast), statistic(slow)).pvalue > 1e-3
    # Uniform in the ball, not on its surface: the norm's distribution function is r³.
    assert scipy.stats.kstest(np.abs(fast).sum(1), lambda r: r**3).pvalue > 1e-3


def test_the_l1_ball_has_the_known_moments_in_many_dimensions():
    dimensions = 3 * 8 * 8
    samples = ball_samples((3, 8, 8), 3000, radius=0.1)
    norms = np.abs(samples).sum(1)
    assert norms.max() < 0.1
    assert norms.mean() == pytest.approx(0.1 * dimensions / (dimensions + 1), rel=1e-3)
    second = 2 * 0.1**2 / ((dimensions + 1) * (dimensions + 2))
    assert (samples**2).mean() == pytest.approx(second, rel=0.02)
    assert np.abs(samples.mean()) < 5 * np.sqrt(second / samples.size)
    assert (samples > 0).mean() == pytest.approx(0.5, abs=0.01)


def test_the_paper_s_initializer_is_nearly_flat_grey():
    stimuli = draw(random_images(2, size=32), "l1_ball")
    assert (stimuli - 0.5).abs().flatten(1).sum(1).max() <= 0.1 + 1e-3  # float32 rounding of 3072 values near 0.5
    assert 0 < (stimuli - 0.5).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("uniform_offset", scipy.stats.uniform(0.4 - 0.05, 0.1)),
        ("normal", scipy.stats.norm(0.4, 0.05)),
        ("uniform", scipy.stats.uniform(0, 1)),
    ],
)
def test_values_follow_the_named_distribution(name, distribution):
    values = draw(random_images(4, size=32), name, radius=0.05, constant=0.4).double().flatten().numpy()
    assert scipy.stats.kstest(values, distribution.cdf).pvalue > 1e-3


def test_reference_and_mix():
    references = random_images(3)
    assert torch.equal(draw(references, "reference"), references)
    assert torch.equal(draw(references, "mix", mix=1.0), references)
    noise = draw(references, "mix", mix=0.0)
    assert torch.equal(noise, draw(references, "uniform"))
    torch.testing.assert_close(draw(references, "mix", mix=0.25), 0.25 * references + 0.75 * noise)
