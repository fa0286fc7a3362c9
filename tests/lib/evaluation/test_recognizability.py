import math

import pandas as pd
import pytest
import torch
from evaluation_toys import COLOURS, colour_classifier, coloured_images, random_network, stimulus_set
from torch import nn

from metamerlib.evaluation import (
    adversarial_examples,
    metamer_success,
    pair_distances,
    recognizability,
)
from metamerlib.evaluation.image_metrics import fid
from metamerlib.models import Classifier


def wilson(k, n, z=1.959963984540054):
    """Wilson (1927), written out."""
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def test_a_reference_is_recognized_by_every_evaluator(references):
    table = recognizability(references.images, references, [colour_classifier(), random_network()])
    assert table["recognizability"].tolist() == [1.0, 1.0]
    assert table["evaluator"].tolist() == ["colour", "net"]
    assert table["n"].tolist() == [8, 8]


def test_counts_and_wilson_interval_on_a_known_answer(references, colour):
    shown = references.labels.clone()
    shown[:3] = (shown[:3] + 1) % 3  # three of eight take another colour
    row = recognizability(coloured_images(shown), references, [colour]).iloc[0]
    assert (row["recognized"], row["n"]) == (5, 8)
    assert row["recognizability"] == pytest.approx(5 / 8)
    assert (row["low"], row["high"]) == pytest.approx(wilson(5, 8), abs=1e-9)
    assert row["label_recognizability"] == pytest.approx(5 / 8)
    assert row["reference_accuracy"] == 1.0


def test_the_criteria_differ_exactly_where_they_should(references, colour):
    # This evaluator reads the channels shifted by one: wrong about every reference, but consistently.
    shifted = colour_classifier("shifted", order=(1, 2, 0))
    by_reference = recognizability(references.images, references, [shifted]).iloc[0]
    assert (by_reference["recognizability"], by_reference["reference_accuracy"]) == (1.0, 0.0)
    by_label = recognizability(references.images, references, [shifted], criterion="label").iloc[0]
    assert by_label["recognizability"] == 0.0 == by_label["label_recognizability"]
    by_generator = recognizability(
        references.images, references, [shifted, colour], criterion="generator", generator=colour
    )
    assert by_generator["recognizability"].tolist() == [0.0, 1.0]
    assert set(by_generator["criterion"]) == {"generator"}


def test_an_ensemble_of_generators_decides_by_mean_probability(references):
    # Two weak models say "green" with little conviction, one says the true colour with much.
    loud = colour_classifier("loud", std=(0.01, 0.01, 0.01))
    weak = [colour_classifier(f"weak{i}", order=(1, 0, 2), std=(2, 2, 2)) for i in range(2)]
    evaluator = colour_classifier("other")
    table = recognizability(references.images, references, [evaluator], criterion="generator", generator=[*weak, loud])
    assert table["recognizability"].item() == 1.0


def test_the_batch_size_changes_nothing(references):
    net = random_network()
    images = coloured_images([1, 1, 2, 0, 0, 2, 0, 1])
    pd.testing.assert_frame_equal(
        recognizability(images, references, [net], batch_size=3),
        recognizability(images, references, [net], batch_size=256),
    )


def test_a_wider_confidence_gives_a_wider_interval(references, colour):
    shown = (references.labels + torch.tensor([1, 0] * 4)) % 3
    narrow, wide = (
        recognizability(coloured_images(shown), references, [colour], confidence=c).iloc[0] for c in (0.5, 0.99)
    )
    assert wide["low"] < narrow["low"] < 0.5 < narrow["high"] < wide["high"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.rand(8, 3, 9, 9)}, r"\(8, 3, 9, 9\) and \(8, 3, 8, 8\)"),
        ({"images": torch.rand(5, 3, 8, 8)}, "Slice the references"),
        ({"images": torch.rand(8, 1, 8, 8)}, r"\(N, 3, H, W\)"),
        ({"images": torch.full((8, 3, 8, 8), 2.0)}, r"in \[0, 1\]"),
        ({"images": torch.full((8, 3, 8, 8), torch.nan)}, "NaN in image"),
        ({"images": torch.rand(0, 3, 8, 8)}, "empty"),
        ({"evaluators": []}, "evaluators is empty"),
        ({"evaluators": [colour_classifier("a"), colour_classifier("a")]}, "the name 'a' more than once"),
        ({"evaluators": [colour_classifier("b", categories=("red", "green", "cat"))]}, r"lacks \['blue'\]"),
        ({"evaluators": [colour_classifier("b", categories=COLOURS[::-1])]}, "another order"),
        ({"evaluators": [colour_classifier("b", categories=("red",))]}, "'b', which has one category only"),
        ({"criterion": "refrence"}, "Did you mean 'reference'"),
        ({"criterion": "generator"}, "needs generator="),
        ({"generator": colour_classifier()}, "criterion='generator' only"),
        ({"confidence": 95}, "confidence is 95: give a number above 0 and below 1"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused_with_the_fix(references, colour, change, message):
    arguments = {"images": references.images, "evaluators": [colour]} | change
    images, evaluators = arguments.pop("images"), arguments.pop("evaluators")
    with pytest.raises(ValueError, match=message):
        recognizability(images, references, evaluators, **arguments)


def test_bytes_are_refused(references, colour):
    with pytest.raises(TypeError, match=r"images.float.. / 255 if these are bytes"):
        recognizability((references.images * 255).byte(), references, [colour])


def test_a_set_of_one_image_works(colour):
    one = stimulus_set(coloured_images([2]), [2])
    row = recognizability(one.images, one, [colour]).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(wilson(1, 1), abs=1e-9)


class Centred(nn.Module):
    """Takes the mean of the batch off."""

    def forward(self, images):
        return images - images.mean(0)


@pytest.mark.parametrize("middle", [nn.BatchNorm2d(3, track_running_stats=False), Centred()], ids=["norm", "mean"])
def test_a_network_that_mixes_the_images_of_a_batch_is_refused(references, middle):
    module = nn.Sequential(middle, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = Classifier(module, name="mixing", categories=COLOURS, blocks=["0", "1"])
    images, by_generator = references.images, {"criterion": "generator", "generator": model}
    for measure in (
        lambda: recognizability(images, references, [model]),
        lambda: recognizability(images, references, [random_network()], **by_generator),
        lambda: metamer_success(images, references, [model], stage="late"),
        lambda: list(pair_distances(images, references, [model], stage="late")),
        lambda: adversarial_examples(images, [model], steps=1),
        lambda: fid(images, images, backbone=model),
    ):
        with pytest.raises(ValueError, match=r"'mixing' .*(mixes the images|no running statistics)"):
            measure()
