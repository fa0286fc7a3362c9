import pytest
import torch
from toy_models import random_images

import oracles
from metamerlib.generation.projections import PROJECTIONS
from metamerlib.generation.steps import GRADIENT_RULES, OPTIMIZERS, make_optimizer, norm_per_image, set_learning_rate


def gradients(seed=0):
    return torch.randn(4, 3, 5, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_normalized_gradient_has_length_one_and_the_same_direction():
    gradient = gradients()
    direction = GRADIENT_RULES["normalized"](gradient)
    torch.testing.assert_close(norm_per_image(direction).flatten(), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(direction * norm_per_image(gradient), gradient)
    torch.testing.assert_close(GRADIENT_RULES["normalized"](1e-3 * gradient), direction)


def test_raw_is_the_gradient_and_sign_its_sign():
    gradient = gradients()
    assert torch.equal(GRADIENT_RULES["raw"](gradient), gradient)
    assert torch.equal(GRADIENT_RULES["sign"](gradient), torch.where(gradient > 0, 1.0, -1.0).double())


@pytest.mark.parametrize("name", GRADIENT_RULES)
def test_a_zero_gradient_stays_zero_and_images_do_not_mix(name):
    gradient = gradients()
    gradient[1] = 0
    directions = GRADIENT_RULES[name](gradient)
    assert directions[1].eq(0).all()
    for i in range(4):
        torch.testing.assert_close(GRADIENT_RULES[name](gradient[i : i + 1])[0], directions[i])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_treats_each_image_by_itself(name):
    def path(rows):
        image = random_images(4).double()[rows].requires_grad_()
        optimizer = make_optimizer(name, image, 0.01, {})
        for step in range(5):
            set_learning_rate(optimizer, 0.01 / (step + 1))
            image.grad = gradients(step)[:, :, :1, :1].expand(4, 3, 8, 8)[rows].clone()
            optimizer.step()
        return image.detach()

    whole = path(slice(None))
    assert not torch.equal(whole, random_images(4).double())
    for i in range(4):
        torch.testing.assert_close(path(slice(i, i + 1))[0], whole[i], rtol=0, atol=1e-12)


def test_plain_sgd_is_a_step_against_the_gradient():
    image, gradient = random_images(4).double(), gradients()[:, :, :1, :1]
    moved = image.clone().requires_grad_()
    optimizer = make_optimizer("SGD", moved, 1.0, {})
    set_learning_rate(optimizer, 0.25)
    moved.grad = gradient.expand_as(image)
    optimizer.step()
    torch.testing.assert_close(moved.detach(), image - 0.25 * gradient)


PAIRS = [(name, epsilon) for name in PROJECTIONS for epsilon in (0.02, 0.3, 1.0, 3.0, 1e4)]


@pytest.mark.parametrize(("name", "epsilon"), PAIRS)
def test_projections_equal_the_oracle(name, epsilon):
    center, images = random_images(4).double(), 3 * gradients()[:, :, :1, :1] + random_images(4, seed=1).double()
    expected = images.clone().numpy()
    for i in range(4):
        expected[i] = oracles.project(images[i].numpy(), center[i].numpy(), name, epsilon)
    moved = PROJECTIONS[name](center, epsilon)(images)
    assert moved is images  # in place
    torch.testing.assert_close(moved, torch.from_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "epsilon"), PAIRS)
def test_projected_images_are_allowed_and_stay_where_they_are(name, epsilon):
    center = random_images(4)
    constrain = PROJECTIONS[name](center, epsilon)
    images = constrain(10 * random_images(4, seed=1) - 5)
    assert images.min() >= 0
    assert images.max() <= 1
    difference = (images - center).flatten(1)
    distance = {"linf": difference.abs().amax(1), "l2": difference.norm(dim=1), "none": torch.zeros(4)}[name]
    assert distance.max() <= epsilon * (1 + 1e-6)
    torch.testing.assert_close(constrain(images.clone()), images, rtol=0, atol=1e-6)
    assert torch.equal(constrain(center.clone()), center)
