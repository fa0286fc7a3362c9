import math

import numpy as np
import pytest
import torch
from evaluation_toys import colour_classifier, random_network, textured_images
from scipy.stats import pearsonr, spearmanr
from torch import nn

from metamerlib.evaluation import metamer_success
from metamerlib.evaluation.success import signal_to_noise
from metamerlib.models import Classifier


class UpperHalf(nn.Module):
    """Looks at the upper half of an image only: whatever is below is an invariance."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            self.filters.weight.copy_(torch.randn(8, 3, 3, 3, generator=generator))

    def forward(self, x):
        return self.pool(self.filters(x[:, :, : x.shape[2] // 2]).relu()).flatten(1)


@pytest.fixture
def half_blind():
    return Classifier(UpperHalf(), name="half blind", categories=tuple("abcdefgh"), blocks=["filters", "pool"])


@pytest.fixture
def references():
    return textured_images(10, 16)


def test_a_planted_metamer_passes_and_an_unrelated_image_fails(half_blind, references):
    planted = torch.cat([references[:, :, :8], references.flip(2)[:, :, 8:]], dim=2)
    assert (planted - references).abs().mean() > 0.02  # physically another image
    table = metamer_success(planted, references, [half_blind], stage="filters")
    assert table["metamer"].all()
    assert (table["snr_db"] == math.inf).all()
    assert (table[["spearman_percentile", "pearson_percentile", "snr_db_percentile"]] == 100).all(axis=None)
    unrelated = metamer_success(references.roll(1, dims=0), references, [half_blind], stage="filters")
    assert not unrelated["beyond_null"].any()
    assert not unrelated["metamer"].any()


def test_a_near_miss_passes_and_noise_takes_it_away(references):
    network = random_network()
    noise = torch.randn(references.shape, generator=torch.Generator().manual_seed(1))
    passed = [
        metamer_success((references + s * noise).clamp(0, 1), references, [network], stage="early")[
            "beyond_null"
        ].mean()
        for s in (0.001, 0.5)
    ]
    assert passed == [1, 0]


def test_the_measures_are_scipys_and_the_definition(references):
    network = random_network()
    metamers = textured_images(10, 16, seed=2)
    table = metamer_success(metamers, references, [network], stage="early")
    a, b = (network.activations(x, "early").flatten(1).double().numpy() for x in (references, metamers))
    assert table["pearson"].tolist() == pytest.approx([pearsonr(x, y).statistic for x, y in zip(a, b, strict=True)])
    assert table["spearman"].tolist() == pytest.approx([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)])
    snr = 10 * np.log10((a**2).sum(1) / ((b - a) ** 2).sum(1))
    assert table["snr_db"].tolist() == pytest.approx(snr.tolist(), abs=1e-4)
    pairs = [(i, j) for i in range(10) for j in range(10) if i != j]
    chance = np.array([10 * np.log10((a[i] ** 2).sum() / ((a[j] - a[i]) ** 2).sum()) for i, j in pairs])
    assert (table["null_pairs"] == 90).all()
    assert table["snr_db_percentile"].tolist() == pytest.approx([100 * (chance < x).mean() for x in snr])


def test_the_class_must_agree_as_well(references):
    # Exchanging two rows of pixels of a bright and a dark region leaves the tapped sums, not the answer.
    class Stubborn(nn.Module):
        def __init__(self):
            super().__init__()
            self.upper = UpperHalf()

        def forward(self, x):
            self.upper(x)
            return x[:, :, 8:].mean(dim=(2, 3))

    model = Classifier(Stubborn(), name="stubborn", categories=("r", "g", "b"), blocks=["upper.filters"])
    references[:, :, 8:] = torch.tensor([0.9, 0.1, 0.1]).view(3, 1, 1)
    metamers = references.clone()
    metamers[:, :, 8:] = torch.tensor([0.1, 0.9, 0.1]).view(3, 1, 1)
    table = metamer_success(metamers, references, [model], stage="early")
    assert table["beyond_null"].all()
    assert not table["same_class"].any()
    assert not table["metamer"].any()


def test_the_quantile_decides_how_much_of_the_null_is_to_be_beaten(references):
    network = random_network()
    share = torch.linspace(0, 1, 10).view(10, 1, 1, 1)  # of another image, from none to all
    metamers = (1 - share) * references + share * textured_images(10, 16, seed=4)
    strict, mild = (
        metamer_success(metamers, references, [network], stage="early", null_quantile=q) for q in (1.0, 0.5)
    )
    assert strict["beyond_null"].sum() < mild["beyond_null"].sum()
    above_half = (mild[["spearman_percentile", "pearson_percentile", "snr_db_percentile"]] > 50).all(axis=1)
    assert (mild["beyond_null"] == above_half).all()


def test_other_images_can_be_the_null(references):
    others = textured_images(5, 16, seed=9)
    table = metamer_success(references, references, [random_network()], stage="late", null_images=others)
    assert (table["null_pairs"] == 20).all()
    assert table["beyond_null"].all()


def test_a_layer_that_ignores_the_image_passes_nobody(references):
    blind = random_network("blind")
    blind.module[0].weight.zero_()
    table = metamer_success(references.flip(0), references, [blind], stage="early")
    assert not table["beyond_null"].any()
    assert table["same_class"].all()  # it answers one class for everything, which is no success


def test_activations_that_are_all_equal_have_no_correlation_and_pass_nothing(references):
    class Level(nn.Module):
        """Every activation is the image's brightness."""

        def forward(self, x):
            return x.mean(dim=(1, 2, 3), keepdim=True).expand(-1, 3, 3, 3)

    model = colour_classifier("level")
    model.module.pixels = Level()
    table = metamer_success(references, references, [model], stage="pixels")
    correlations = table[["pearson", "spearman", "pearson_percentile", "spearman_percentile"]]
    assert correlations.isna().all(axis=None)
    assert (table["snr_db_percentile"] == 100).all()
    assert not table["metamer"].any()


def test_each_model_gives_its_own_rows(references):
    models = [random_network("one"), random_network("two", seed=1)]
    table = metamer_success(references, references, models, stage="late")
    assert table["model"].tolist() == ["one"] * 10 + ["two"] * 10
    assert table["image"].tolist() == [*range(10), *range(10)]
    assert set(table["layer"]) == {models[0].layer("late")}


def test_signal_to_noise_in_closed_form():
    signal = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    assert signal_to_noise(signal, signal + torch.tensor([[0.0, 0.5], [0.0, 1.0]])).tolist() == pytest.approx([20, 0])


def test_what_does_not_fit_is_refused(references):
    network = random_network()
    with pytest.raises(ValueError, match="one shape"):
        metamer_success(references[:3], references, [network], stage="late")
    with pytest.raises(ValueError, match="null_images holds 1 image"):
        metamer_success(references[:1], references[:1], [network], stage="late")
    with pytest.raises(ValueError, match="null_quantile"):
        metamer_success(references, references, [network], stage="late", null_quantile=95)
    with pytest.raises(ValueError, match="models is empty"):
        metamer_success(references, references, [], stage="late")


def test_complex_activations_count_with_both_parts():
    class Spectrum(nn.Module):
        def forward(self, images):
            return torch.fft.rfft2(images)

    class Strongest(nn.Module):
        def forward(self, spectrum):
            return spectrum[:, :, 0, 0].real

    model = Classifier(nn.Sequential(Spectrum(), Strongest()), name="spectrum", categories=tuple("abc"))
    references, metamers = textured_images(4, 8), textured_images(4, 8, seed=1)
    table = metamer_success(metamers, references, [model], stage="0")
    a, b = (torch.fft.rfft2(x).flatten(1) for x in (references, metamers))
    expected = 20 * torch.log10(torch.linalg.norm(a, dim=1) / torch.linalg.norm(b - a, dim=1))
    assert table["snr_db"].to_numpy() == pytest.approx(expected.numpy(), rel=1e-4)
    assert np.isfinite(table["pearson"]).all()
