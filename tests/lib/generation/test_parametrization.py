import math

import numpy as np
import pytest
import torch
from toy_models import Smooth, random_images, wrap

import oracles
from metamerlib.generation import GenerationConfig, generate_metamers
from metamerlib.generation.parametrization import PARAMETRIZATIONS, Fourier

SIZES = [(8, 8), (5, 6), (7, 3), (2, 9), (1, 4), (1, 1)]
HALF_A_STEP = 0.5 / 255


def images(height, width, seed=0, count=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, height, width, generator=generator, dtype=torch.float64)


def fourier(initial, center=None, projection="none", epsilon=1e4, exponent=1.0):
    return Fourier(initial, initial if center is None else center, projection, epsilon, exponent)


def away_from(low, high, values):
    margin = HALF_A_STEP * (high - low)
    return torch.maximum(torch.minimum(values, high - margin), low + margin)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.5])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_fourier_images_equal_the_sum_of_waves(height, width, exponent):
    stimulus = fourier(images(height, width), exponent=exponent)
    shape = stimulus.parameter.shape
    assert shape == (2, 3, height, width // 2 + 1, 2)
    stimulus.parameter = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = [[oracles.waves(channel.numpy(), width, exponent) for channel in image] for image in stimulus.parameter]
    torch.testing.assert_close(stimulus.images(), torch.from_numpy(np.array(expected)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_gradient_to_the_coefficients_is_that_of_the_images(height, width):
    stimulus = fourier(images(height, width, count=1), images(height, width, seed=1, count=1), "linf", 0.3)

    def shown(parameter):
        stimulus.parameter = parameter
        return stimulus.images()

    assert torch.autograd.gradcheck(shown, stimulus.parameter.clone().detach().requires_grad_())


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_fourier_starts_at_the_initial_stimuli_but_for_the_edges(height, width):
    initial = images(height, width)
    initial[0, :, 0] = 0
    initial[1, :, 0] = 1
    low, high = torch.zeros_like(initial), torch.ones_like(initial)
    expected = away_from(low, high, initial)
    torch.testing.assert_close(fourier(initial).images(), expected, rtol=0, atol=1e-12)
    assert (expected - initial).abs().max() <= HALF_A_STEP * (1 + 1e-9)

    center = images(height, width, seed=1)
    low, high = (center - 0.2).clamp(min=0), (center + 0.2).clamp(max=1)
    started = fourier(initial, center, "linf", 0.2).images()
    torch.testing.assert_close(started, away_from(low, high, initial), rtol=0, atol=1e-12)


@pytest.mark.parametrize("epsilon", [8 / 255, 0.3, 1.0, 1e4])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_whatever_the_coefficients_the_ball_and_the_range_of_pixels_hold(epsilon, size):
    center = random_images(4)
    stimulus = Fourier(random_images(4, seed=1), center, "linf", epsilon)
    stimulus.parameter = size * torch.randn(stimulus.parameter.shape, generator=torch.Generator().manual_seed(2))
    stimulus.constrain_()
    shown = stimulus.images()
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert (shown - center).abs().max() <= epsilon + 1e-6
    if size == 1e4:  # and all of the ball can be reached
        reached = (shown - center).abs() >= min(epsilon, 0.3) - 1e-6
        assert (reached | (shown < 1e-6) | (shown > 1 - 1e-6)).float().mean() > 0.99


@pytest.mark.parametrize("exponent", [1.0, 1.5])
def test_a_learning_rate_means_the_same_at_any_size(exponent):
    # All coefficients moved by one at random: the argument of the sigmoid changes by as much, whatever the size.
    changes = []
    for size in (8, 33, 128):
        stimulus = fourier(torch.full((8, 3, size, size), 0.5), exponent=exponent)
        signs = torch.randint(0, 2, stimulus.parameter.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        stimulus.parameter = 1e-3 * signs
        changes.append(torch.logit(stimulus.images()).square().mean().sqrt().item() / 1e-3)
    assert changes == pytest.approx([changes[0]] * 3, rel=0.1)
    # Two parts to a coefficient; those that come in mirrored pairs, at the lowest frequencies not few, partly cancel.
    assert 1.2 < changes[0] < 1.1 * math.sqrt(2)


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_metamers_are_found_within_a_ball_of_either_parametrisation(name):
    references, initial = random_images(4, low=0.3, high=0.7), torch.full((4, 3, 8, 8), 0.5)
    config = GenerationConfig(parametrization=name, repetitions=60, optimizer="Adam", learning_rate=0.05, epsilon=0.25)
    found = generate_metamers(
        references, wrap(Smooth()), stage="late", config=config, initial=initial, progress=False, device="cpu"
    )
    assert (found.images - initial).abs().max() <= 0.25 + 1e-6
    assert (found.residuals < 0.1 * found.initial_residuals).all()


def test_with_a_larger_exponent_metamers_are_smoother():
    references, initial = random_images(4, low=0.3, high=0.7), torch.full((4, 3, 8, 8), 0.5)
    roughness = []
    for exponent in (0.0, 1.0, 2.0):
        config = GenerationConfig.fast(repetitions=5, fourier_exponent=exponent)
        found = generate_metamers(
            references, wrap(Smooth()), stage="late", config=config, initial=initial, progress=False, device="cpu"
        )
        change = found.images - initial
        roughness.append((change.diff(dim=-1).square().mean() / change.square().mean()).item())
    assert roughness[0] > roughness[1] > roughness[2]


def test_pixels_do_not_use_the_exponent():
    references, config = random_images(2, low=0.3, high=0.7), GenerationConfig.fast(repetitions=3)
    pixels = [config.replace(parametrization="pixels", fourier_exponent=exponent) for exponent in (1.0, 2.0)]
    run = {"stage": "late", "progress": False, "device": "cpu"}
    one, other = (generate_metamers(references, wrap(Smooth()), config=config, **run) for config in pixels)
    assert torch.equal(one.images, other.images)


def test_an_l2_ball_is_refused_for_fourier_coefficients():
    with pytest.raises(ValueError, match=r"projection='l2' does not go with parametrization='fourier'.*give 'linf'"):
        GenerationConfig(parametrization="fourier", projection="l2")
