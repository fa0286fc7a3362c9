import pytest
import torch

import oracles
from metamerlib.generation import GenerationConfig
from metamerlib.generation.objectives import LOSSES, InversionLoss
from metamerlib.generation.steps import SCHEDULES


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, 4, 3, 2, generator=generator, dtype=torch.float64)


def test_losses_equal_their_definition(pair):
    reference, activations = pair
    expected = [oracles.relative_distance(a, r) for a, r in zip(activations.numpy(), reference.numpy(), strict=True)]
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(LOSSES["inversion"](reference)(activations), expected)
    torch.testing.assert_close(LOSSES["squared_inversion"](reference)(activations), expected**2)
    for loss in LOSSES.values():
        torch.testing.assert_close(loss(reference).residuals(activations), expected)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_zero_with_zero_gradient_at_the_reference_and_one_at_zero_activations(name, pair):
    reference, _ = pair
    at_reference = reference.clone().requires_grad_()
    losses = LOSSES[name](reference)(at_reference)
    losses.sum().backward()
    assert losses.eq(0).all()
    assert at_reference.grad.eq(0).all()
    torch.testing.assert_close(LOSSES[name](reference)(torch.zeros_like(reference)), torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("name", LOSSES)
def test_an_image_s_loss_ignores_the_others_and_the_scale_of_the_activations(name, pair):
    reference, activations = pair
    losses = LOSSES[name](reference)(activations)
    for i in range(5):
        torch.testing.assert_close(LOSSES[name](reference[i : i + 1])(activations[i : i + 1])[0], losses[i])
    torch.testing.assert_close(LOSSES[name](7 * reference)(7 * activations), losses)


def test_a_silent_reference_has_no_finite_loss():
    loss = InversionLoss(torch.zeros(2, 3))
    assert not loss(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])).isfinite().any()


def rates(config):
    return [config.learning_rate_at(repetition) for repetition in range(config.repetitions)]


@pytest.mark.parametrize("repetitions", [2, 3, 50, 4000])
def test_the_exponential_schedule_is_torch_s_stepped_once_per_repetition(repetitions):
    config = GenerationConfig(repetitions=repetitions)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.005 ** (1 / (repetitions - 1)))
    expected = []
    for _ in range(repetitions):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert rates(config) == pytest.approx(expected, rel=1e-9)
    assert rates(config)[0] == 1.0
    assert rates(config)[-1] == pytest.approx(0.005, rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_one_repetition_has_the_first_learning_rate(name):
    assert rates(GenerationConfig(repetitions=1, schedule=name, learning_rate=0.7)) == [0.7]


def test_a_constant_schedule_is_constant():
    assert set(rates(GenerationConfig(repetitions=9, schedule="constant", learning_rate=0.3))) == {0.3}


def test_halving_is_feather_s_eight_stretches():
    found = rates(GenerationConfig(repetitions=24_000, schedule="halving"))
    assert found == [0.5 ** (repetition // 3000) for repetition in range(24_000)]


@pytest.mark.parametrize("end", [1.0, 0.5, 0.25, 0.2, 1e-3])
def test_halving_never_goes_below_its_end_and_as_near_as_halves_allow(end):
    last = rates(GenerationConfig(repetitions=64, schedule="halving", final_learning_rate=end))[-1]
    assert end <= last < 2 * end


@pytest.mark.parametrize("repetitions", [4, 10, 300, 4000])
def test_one_cycle_is_torch_s(repetitions):
    config = GenerationConfig(
        repetitions=repetitions, schedule="one_cycle", learning_rate=0.2, final_learning_rate=0.2 / 25 / 1e3
    )
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.2, total_steps=repetitions, pct_start=0.3, div_factor=25, final_div_factor=1e3
    )
    expected = []
    for repetition in range(repetitions):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if repetition < repetitions - 1:
            scheduler.step()
    assert rates(config) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("repetitions", [2, 3])
def test_a_cycle_too_short_to_rise_falls_from_the_highest_rate(repetitions):
    config = GenerationConfig(repetitions=repetitions, schedule="one_cycle", learning_rate=0.2)
    assert rates(config)[0] == 0.2
    assert rates(config)[-1] == pytest.approx(0.005)
