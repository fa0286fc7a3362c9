"""Fixtures shared by the tests of the evaluation."""

import pytest
from evaluation_toys import colour_classifier, coloured_images, stimulus_set


@pytest.fixture
def colour():
    return colour_classifier()


@pytest.fixture
def references():
    labels = [0, 1, 2, 0, 1, 2, 0, 1]
    return stimulus_set(coloured_images(labels), labels)
