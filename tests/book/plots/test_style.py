"""Sets can be told apart by everyone, words can be read, and a figure keeps the size it was given."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from figure_worlds import pixels, recognizability_table
from metamerbook.plots import style
from metamerlib.models import MODEL_SETS

# Viénot, Brettel and Mollon 1999: linear RGB as it looks without the long- or the middle-wavelength cones.
SIGHTS = {
    "normal": np.eye(3),
    "protan": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "deutan": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}


def lab(colour, sight):
    """CIELAB (D65) of a colour as it looks to someone."""
    srgb = np.array(to_rgb(colour))
    linear = SIGHTS[sight] @ np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ linear / np.array([0.9505, 1, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(first, second):
    def luminance(colour):
        srgb = np.array(to_rgb(colour))
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_set_of_the_paper_has_a_style_and_a_place():
    assert list(style.SET_STYLES)
    assert set(style.SET_STYLES) == set(MODEL_SETS)


@pytest.mark.parametrize("sight", SIGHTS)
def test_sets_that_share_a_panel_or_a_grid_look_different_to_everyone(sight):
    for first, second in itertools.combinations(style.SET_STYLES.values(), 2):
        distance = np.linalg.norm(lab(first.colour, sight) - lab(second.colour, sight))
        assert distance > 15 or first.marker != second.marker, (first, second)
        assert distance > 8, (first, second)


@pytest.mark.parametrize("style_of", [*style.SET_STYLES.values(), *style.FURTHER_STYLES], ids=lambda one: one.colour)
def test_names_of_sets_can_be_read_on_paper(style_of):
    assert contrast(style_of.text, style.PAPER) >= 4.5


def test_sets_of_ones_own_get_styles_of_their_own():
    styles = style.set_styles(["mine", "CNN", "yours"])
    assert list(styles) == ["mine", "CNN", "yours"]
    assert styles["CNN"] == style.SET_STYLES["CNN"]
    assert len({one.colour for one in styles.values()}) == 3
    many = style.set_styles(f"set {number}" for number in range(20))
    assert len(many) == 20


def test_groups_hold_every_set_once_and_none_is_empty():
    names = ["mine", "Transformers", "CNN", "mine"]
    groups = style.set_groups(names)
    assert groups == {"Convolutional networks": ["CNN"], "Transformers": ["Transformers"], "Other sets": ["mine"]}


@pytest.mark.parametrize("colours", ["SHARES", "DIVERGENCES"])
def test_heat_maps_darken_steadily_and_their_numbers_can_be_read(colours):
    colours = getattr(style, colours)
    shades = [colours(value) for value in np.linspace(0, 1, 101)]
    lightness = [lab(shade, "normal")[0] for shade in shades]
    assert np.all(np.diff(lightness) < 0)
    assert min(contrast(shade, style.text_on(shade)) for shade in shades) >= 4


def test_stages_stand_where_their_depth_is():
    assert style.stage_positions(["late", 0.35, "early", "late"]) == {"early": 0.2, 0.35: 0.35, "late": 0.8}
    assert style.stage_positions(["layer1", "late"]) == {"layer1": 0.0, "late": 1.0}
    assert [style.stage_label(stage) for stage in ("late", 0.35, 0.125, "layer1")] == [
        "late",
        "35 %",
        "12.5 %",
        "layer1",
    ]


def test_evaluators_are_sorted_by_family_and_untrained_ones_come_last_in_it():
    order = style.evaluator_order(
        recognizability_table(evaluators=("mine", "vit_base", "alexnet_random", "alexnet_robust", "vgg19"))
    )
    assert order == ["vgg19", "alexnet_robust", "alexnet_random", "vit_base", "mine"]


def test_a_canvas_keeps_its_size_and_leaves_nothing_open():
    with style.canvas(height=1.5) as figure:
        assert figure.number in plt.get_fignums()
    assert plt.get_fignums() == []
    margin = 2 * 0.1 * 2 * style.DPI  # what notebooks leave around a figure, in stored pixels
    assert pixels(figure).shape[:2] == (
        round(1.5 * 2 * style.DPI + margin),
        round(style.WIDTH * 2 * style.DPI + margin),
    )
    assert (pixels(figure) == 255).all()


def test_a_canvas_is_closed_after_an_error_and_settings_are_as_before():
    before = plt.rcParams["font.size"]
    with pytest.raises(RuntimeError, match="drawing"), style.canvas(height=1):
        raise RuntimeError("drawing failed")
    assert plt.get_fignums() == []
    assert plt.rcParams["font.size"] == before
