"""Networks whose answers depend on chance or on the batch are refused, all others pass."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from metamerlib.models import Classifier, ModelZoo
from metamerlib.models.independence import check_independence


class Net(nn.Module):
    def __init__(self, middle):
        super().__init__()
        self.c1, self.middle, self.fc = nn.Conv2d(3, 4, 3), middle, nn.Linear(4, 3)

    def forward(self, images):
        return self.fc(self.middle(self.c1(images)).relu().mean((2, 3)))


class Dropping(nn.Module):
    def forward(self, images):
        return functional.dropout(images, 0.1)


class Retraining(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(4)

    def forward(self, images):
        return self.norm.train()(images)


class Mixing(nn.Module):
    def forward(self, images):
        return images - images.mean(0)


IMAGES = torch.zeros(1, 3, 16, 16)


def check(middle):
    network = Net(middle)
    check_independence(Classifier(network, name="toy", categories=("a", "b", "c")), IMAGES)
    return network


@pytest.mark.parametrize(
    ("middle", "fault"),
    [
        (nn.BatchNorm2d(4, track_running_stats=False), "'middle'.*no running statistics"),
        (Mixing(), "mixes the images"),
        (Dropping(), "functional.dropout"),
        (Retraining(), "training mode"),
    ],
)
def test_networks_that_depend_on_the_batch_or_on_chance_are_refused(middle, fault):
    with pytest.raises(ValueError, match=f"'toy'.*{fault}"):
        check(middle)


def test_running_statistics_and_random_states_stay_as_they_are():
    middle = Retraining()
    torch.manual_seed(3)
    with pytest.raises(ValueError, match="training mode"):
        check(middle)
    assert torch.equal(middle.norm.running_mean, torch.zeros(4))
    torch.manual_seed(3)
    classifier = Classifier(Net(Dropping()), name="toy", categories=("a", "b", "c"))
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="random numbers"):
        check_independence(classifier, IMAGES)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    "middle", [nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.Dropout(), nn.Identity()]
)
def test_ordinary_networks_pass(middle, dtype):
    network = Net(middle).to(dtype)
    check_independence(Classifier(network, name="toy", categories=("a", "b", "c")), IMAGES)


def test_a_network_is_run_once():
    runs = []
    network = Net(nn.Identity())
    network.register_forward_hook(lambda *_: runs.append(1))
    classifier = Classifier(network, name="toy", categories=("a", "b", "c"))
    check_independence(classifier, IMAGES)
    first = len(runs)
    check_independence(classifier, IMAGES)
    assert len(runs) == first <= 4


def test_the_miniatures_are_trusted_rightly():
    zoo = ModelZoo("mini")
    for key in ("resnet18", "vit_base", "cornet_s", "xcit_small"):
        network = zoo.build(key)
        check_independence(Classifier(network, name=key, categories=zoo[key].categories, input_size=64), IMAGES)


@pytest.mark.parametrize(
    "mix", [lambda images: images - images[:1], lambda images: images - images[-1:], lambda images: images.cumsum(0)]
)
def test_coupling_is_found_whichever_image_it_changes(mix):
    class Coupled(nn.Module):
        def forward(self, images):
            return mix(images)

    with pytest.raises(ValueError, match="mixes the images"):
        check(Coupled())


def test_a_network_put_into_training_mode_since_answers_in_evaluation_mode():
    network = Net(nn.Dropout())
    classifier = Classifier(network, name="toy", categories=("a", "b", "c"))
    check_independence(classifier, IMAGES)
    network.train()
    check_independence(classifier, IMAGES)
    assert not network.middle.training
    network.train()
    classifier.predict(IMAGES)
    assert not network.middle.training
