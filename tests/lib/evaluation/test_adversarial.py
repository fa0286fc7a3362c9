import pytest
import torch
from evaluation_toys import COLOURS, colour_classifier, coloured_images, random_network, textured_images

from metamerlib.evaluation import adversarial_examples

LABELS = [0, 1, 2, 0, 1]


@pytest.fixture
def images():
    return 0.5 + 0.1 * (coloured_images(LABELS) - 0.5)  # the strongest channel leads by 0.06


@pytest.mark.parametrize(("ball", "epsilon"), [("linf", 0.05), ("l2", 0.5)])
def test_every_model_is_fooled_within_the_ball(images, ball, epsilon):
    models = [colour_classifier("one"), colour_classifier("two", std=(0.1, 0.1, 0.1))]
    examples = adversarial_examples(images, models, epsilon=epsilon, ball=ball, steps=40)
    assert examples.models == ("one", "two")
    assert examples.success["fooled"].tolist() == [1, 1]
    assert (examples.predictions == examples.targets[:, None]).all()
    assert (examples.targets != torch.tensor(LABELS)).all()
    change = examples.images - images
    size = change.abs().amax(dim=(1, 2, 3)) if ball == "linf" else change.flatten(1).norm(dim=1)
    assert (size <= epsilon * (1 + 1e-5)).all()
    assert ((examples.images >= 0) & (examples.images <= 1)).all()


def test_a_ball_too_small_fools_nobody(images):
    examples = adversarial_examples(images, [colour_classifier()], epsilon=0.02)
    assert examples.success["fooled"].tolist() == [0]
    assert examples.predictions[:, 0].tolist() == LABELS


def test_in_the_known_case_the_answer_is_the_corner_of_the_ball(images):
    # The logits are channel means: the best move is up in the target's channel and down in the others.
    targets = torch.tensor([(label + 1) % 3 for label in LABELS])
    examples = adversarial_examples(images, [colour_classifier()], targets=targets, epsilon=0.05, steps=100)
    sign = -torch.ones(len(LABELS), 3, 1, 1)
    sign[torch.arange(len(LABELS)), targets] = 1
    torch.testing.assert_close(examples.images, images + 0.05 * sign)
    assert examples.targets.tolist() == targets.tolist()


def test_an_unlimited_ball_is_all_of_the_images(images):
    examples = adversarial_examples(images, [colour_classifier()], epsilon=10_000.0, steps=50)
    assert examples.success["fooled"].item() == 1
    assert ((examples.images >= 0) & (examples.images <= 1)).all()


def test_batches_do_not_matter_and_the_seed_does():
    images, network = textured_images(5, 12), [random_network()]
    whole = adversarial_examples(images, network, steps=5)
    parts = adversarial_examples(images, network, steps=5, batch_size=2)
    other = adversarial_examples(images, network, steps=5, seed=1)
    torch.testing.assert_close(whole.images, parts.images, rtol=0, atol=1e-5)
    assert torch.equal(whole.targets, parts.targets)
    assert torch.equal(whole.images, adversarial_examples(images, network, steps=5).images)
    assert not torch.equal(whole.images, other.images)


def test_targets_are_spread_over_the_other_classes():
    images = 0.5 + 0.1 * (coloured_images([0] * 60) - 0.5)
    targets = adversarial_examples(images, [colour_classifier()], steps=1).targets
    assert set(targets.tolist()) == {1, 2}
    assert 15 < (targets == 1).sum() < 45


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": []}, "models is empty"),
        (
            {"models": [colour_classifier("a"), colour_classifier("b", categories=COLOURS[::-1])]},
            "in another order",
        ),
        ({"targets": torch.tensor([0, 1])}, "a class in 0 … 2 for each of 5"),
        ({"targets": torch.tensor([0, 1, 2, 3, 0])}, "a class in 0 … 2"),
        ({"epsilon": 0.0}, "epsilon is 0.0: give a number above 0"),
        ({"steps": 0}, "steps is 0: give at least 1"),
        ({"step_size": -1.0}, "step_size"),
        ({"ball": "l1"}, "ball='l1' is unknown"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(images, change, message):
    arguments = {"models": [colour_classifier()]} | change
    with pytest.raises(ValueError, match=message):
        adversarial_examples(images, arguments.pop("models"), **arguments)


def test_one_category_leaves_nothing_to_aim_at(images):
    from torch import nn

    from metamerlib.models import Classifier

    lonely = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(192, 1)), name="lonely", categories=("only",))
    with pytest.raises(ValueError, match="one category only"):
        adversarial_examples(images, [lonely])
