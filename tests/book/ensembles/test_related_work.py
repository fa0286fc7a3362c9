"""Chapter 02: known distortions of a picture, and what the metrics say of them."""

import pytest
import torch

from figure_worlds import words
from metamerbook.ensembles.figures.related_work import figure_distortions
from metamerbook.ensembles.related_work import PLAIN, distortions
from metamerlib.evaluation import METRICS


@pytest.fixture(scope="module")
def image():
    return torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_distortions_are_measured_against_the_picture(image):
    (one, metrics), (again, _), (other, _) = (distortions(image, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one["copy"], image)
    for picture in one.values():
        assert picture.shape == image.shape
        assert 0 <= picture.min() <= picture.max() <= 1
    assert torch.equal(one["noisy"], again["noisy"])
    assert not torch.equal(one["noisy"], other["noisy"])
    values = metrics.set_index(["distortion", "metric"])["value"]
    for key in PLAIN:
        if METRICS[key].perfect is not None:
            assert values["copy", key] == pytest.approx(METRICS[key].perfect, abs=1e-4), key
    assert values["grey", "tv"] == 0
    assert sorted(set(metrics["metric"])) == sorted(PLAIN)


def test_distortions_are_drawn_with_their_values(image):
    figure = figure_distortions(*distortions(image))
    written = words(figure)
    assert {"copy", "moved", "blurred", "noisy", "inverted", "grey"} <= set(written)
    assert written.count("∞") == 1  # PSNR of the copy
    assert len(figure.axes) == 6
