"""Does verify notice a network that is given its images otherwise than it was trained to?"""

import math

import pytest
import torch
from torch import nn

from metamerlib.models import Classifier, ModelZoo
from metamerlib.models.published import IMAGENET, RAW
from metamerlib.models.verification import verify
from metamerlib.stimuli import CATEGORIES, SYNSETS, StimulusSet

WNID, INDEX = SYNSETS["cat"][1]


class Greys(nn.Module):
    """Knows sixteen greys, if its input is normalised as it expects."""

    def __init__(self, mean, std, outputs=16):
        super().__init__()
        self.mean, self.std = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))
        self.levels, self.outputs = (torch.arange(16) + 0.5) / 16, outputs

    def forward(self, images):
        grey = (images * self.std + self.mean).mean(dim=(1, 2, 3))
        logits = -10 * (grey[:, None] - self.levels).abs()
        return torch.cat([logits, logits.new_full((len(logits), self.outputs - 16), -100.0)], dim=1)


@pytest.fixture
def greys():
    labels = torch.arange(16).repeat(4)
    images = ((labels + 0.5) / 16).view(-1, 1, 1, 1).expand(-1, 3, 4, 4).contiguous()
    return StimulusSet(images, labels, CATEGORIES, tuple(f"grey/{index}" for index in range(64)))


def wrapped(trained, given, **options):
    return Classifier(Greys(*trained), name="greys", categories=CATEGORIES, mean=given[0], std=given[1], **options)


def test_the_right_normalisation_is_not_suspected(greys):
    (row,) = verify([wrapped(IMAGENET, IMAGENET)], greys, {"greys": 0.9}).to_dict("records")
    assert (row["n"], row["accuracy"], row["published"], row["suspicion"]) == (64, 1.0, 0.9, "")
    assert row["low"] < 1 <= row["high"] + 1e-9
    assert math.isnan(row["accuracy_1000"])


@pytest.mark.parametrize(("trained", "given", "name"), [(IMAGENET, RAW, "ImageNet's"), (RAW, IMAGENET, "none")])
def test_a_wrong_normalisation_is_named(greys, trained, given, name):
    (row,) = verify([wrapped(trained, given)], greys, {"greys": 0.9}).to_dict("records")
    assert row["accuracy"] < 0.7
    assert "published is 0.90" in row["suspicion"]
    assert f"with the normalisation {name}" in row["suspicion"]
    assert "it would be 1.00" in row["suspicion"]


def test_without_a_published_accuracy_nothing_is_suspected(greys):
    (row,) = verify([wrapped(IMAGENET, RAW)], greys, {"greys": None}).to_dict("records")
    assert math.isnan(row["published"])
    assert row["suspicion"] == ""


def test_accuracy_among_1000_where_the_classes_are_named(greys):
    sources = tuple(f"{WNID}/{index}.JPEG" if index % 2 else f"cat/{WNID}_{index}.JPEG" for index in range(64))
    stimuli = StimulusSet(greys.images, torch.full((64,), CATEGORIES.index("cat")), CATEGORIES, sources)

    class Always(nn.Module):
        def forward(self, images):
            logits = torch.zeros(len(images), 1000)
            logits[::2, INDEX] = 1.0
            logits[1::2, INDEX + 1] = 1.0
            return logits

    outputs = [[index for _, index in SYNSETS[category]] for category in CATEGORIES]
    network = Classifier(Always(), name="always", categories=CATEGORIES, outputs_of_category=outputs)
    (row,) = verify([network], stimuli, {}).to_dict("records")
    assert row["accuracy_1000"] == 0.5


def test_other_categories_are_refused(greys):
    network = Classifier(Greys(*RAW), name="mine", categories=[f"c{index}" for index in range(16)])
    with pytest.raises(ValueError, match=r"networks holds .mine., which answers in other categories"):
        verify([network], greys, {})


def test_the_zoos_networks_are_measured_by_key(greys):
    zoo = ModelZoo("paper-untrained")
    table = zoo.verify(greys[:2], ["squeezenet", "shufflenet_v2"])
    assert table["key"].tolist() == ["squeezenet", "shufflenet_v2"]
    assert table["published"].isna().all(), "an untrained network has no published accuracy"
    with pytest.raises(KeyError, match="Did you mean 'squeezenet'"):
        zoo.verify(greys[:2], "squeezenets")
