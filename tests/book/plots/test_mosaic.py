"""Stimuli come out pixel by pixel, where they were put."""

import numpy as np
import pytest
import torch

from figure_worlds import pictures, pixels
from metamerbook.plots.mosaic import place_arrow, place_axes, place_box, place_picture, place_text, unit_map
from metamerbook.plots.style import canvas

MARGIN = 20  # stored pixels that notebooks leave at each side


def shown(figure, left, top, side):
    """Cut a square given in pixels of the page out of the stored picture."""
    rows = slice(MARGIN + 2 * top, MARGIN + 2 * (top + side))
    return pixels(figure)[rows, MARGIN + 2 * left : MARGIN + 2 * (left + side)]


@pytest.mark.parametrize(("left", "top"), [(0, 0), (67, 22), (333, 101)])
def test_every_pixel_of_a_drawing_becomes_a_block_of_equal_pixels(left, top):
    (picture,) = pictures(1, side=64)
    with canvas(height=2) as figure:
        place_picture(figure, picture, left, top)
    expected = (picture * 255).round().byte().permute(1, 2, 0).numpy().repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(shown(figure, left, top, 64), expected)


def test_a_picture_larger_than_its_place_is_averaged_not_thinned():
    stripes = torch.zeros(3, 512, 512)
    stripes[:, :, ::2] = 1
    with canvas(height=1) as figure:
        place_picture(figure, stripes, 0, 0)
    inner = shown(figure, 0, 0, 64)[20:-20, 20:-20].astype(float)
    assert abs(inner.mean() - 127.5) < 3
    assert inner.std() < 10


def test_values_outside_the_range_are_clamped():
    with canvas(height=1) as figure:
        place_picture(figure, torch.tensor([2.0, -1.0, 0.5])[:, None, None].expand(3, 8, 8), 0, 0)
    assert np.unique(shown(figure, 0, 0, 64).reshape(-1, 3), axis=0).tolist() == [[255, 0, 128]] or np.unique(
        shown(figure, 0, 0, 64).reshape(-1, 3), axis=0
    ).tolist() == [[255, 0, 127]]


def test_places_are_counted_from_the_upper_left_in_pixels_of_the_page():
    with canvas(height=1) as figure:
        axes = place_axes(figure, 70, 10, 140, 40)
        box = place_box(figure, 70, 10, 140, 40)
        text = place_text(figure, "here", 70, 10)
        place_arrow(figure, (0, 0), (70, 10))
    across, up, width, height = axes.get_position().bounds
    assert (across * 700, (1 - up - height) * 100, width * 700, height * 100) == pytest.approx((70, 10, 140, 40))
    corners = box.get_transform().transform([(70, 10), (210, 50)])
    assert np.allclose(corners, figure.transFigure.transform([(0.1, 0.9), (0.3, 0.5)]))
    assert np.allclose(text.get_transform().transform(text.get_position()), corners[0])


@pytest.mark.parametrize("shape", [(9,), (10,), (2, 5), (4, 3, 3), (1,)])
def test_units_lie_in_a_square_each_once(shape):
    activation = torch.rand(shape)
    square = unit_map(activation)
    assert square.shape[0] == square.shape[1]
    kept = square[~square.isnan()]
    assert torch.equal(kept, activation.reshape(-1))
    assert square.shape[0] ** 2 - len(kept) < 2 * square.shape[0]
