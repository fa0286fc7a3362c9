import math

import numpy as np
import pytest
import torch
from evaluation_toys import COLOURS, colour_classifier, random_network, textured_images
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import gaussian_kde, norm, pearsonr, spearmanr
from torch import nn

import oracles
from metamerlib.evaluation import (
    KINDS,
    distance_correlation,
    jensen_shannon,
    pair_distances,
    representational_divergence,
)
from metamerlib.evaluation.densities import density, shared_grid
from metamerlib.evaluation.image_metrics import Backbone, fid, kid, lpips
from metamerlib.models import Classifier


def sample(n, seed=0, scale=1.0, shift=0.0):
    values = torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return shift + scale * values


def figure_5(table):
    cell = table[(table["first"] == "reference-reference") & (table["second"] == "reference-metamer")]
    return cell["divergence"].tolist()


# --- distances


@pytest.mark.parametrize("offset", [0.0, 1e4], ids=["", "far from the origin"])
def test_distances_agree_with_scipy(offset):
    class Shifted(torch.nn.Module):
        def forward(self, x):
            return (x + offset).flatten(1)

    network = random_network()
    network.module.insert(0, torch.nn.Identity())
    evaluator = colour_classifier()
    evaluator.module.pixels = Shifted()
    references, metamers = textured_images(5, 9), textured_images(5, 9, seed=1)
    (cell,) = pair_distances(metamers, references, [evaluator], stage="early")
    a, b = ((x + offset).flatten(1).double().numpy() for x in (references, metamers))
    assert cell.layer == "pixels"
    for ours, theirs in [(cell.reference, cdist(a, a)), (cell.metamer, cdist(b, b)), (cell.cross, cdist(a, b))]:
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6, atol=1e-9)


def test_the_kinds_of_pairs():
    references, metamers = textured_images(4, 9), textured_images(4, 9, seed=1)
    (cell,) = pair_distances(metamers, references, [random_network()], stage="middle")
    assert [len(cell.of_kind(kind)) for kind in KINDS] == [6, 6, 12, 4]
    assert cell.of_kind("matching").tolist() == cell.cross.diagonal().tolist()
    assert set(cell.of_kind("reference-metamer").tolist()).isdisjoint(cell.of_kind("matching").tolist())
    with pytest.raises(ValueError, match="Did you mean 'matching'"):
        cell.of_kind("matched")


def test_a_perfect_metamer_has_matching_distances_of_exactly_zero():
    references = textured_images(4, 9)
    (cell,) = pair_distances(references.clone(), references, [random_network()], stage="early")
    assert cell.of_kind("matching").tolist() == [0] * 4


def test_several_sets_cost_the_references_only_once():
    references = textured_images(4, 9)
    sets = {"a": textured_images(4, 9, seed=1), "b": textured_images(4, 9, seed=2)}
    evaluators = [random_network("one"), random_network("two", seed=1)]
    calls = []
    for evaluator in evaluators:
        activations = evaluator.activations
        evaluator.activations = lambda x, stage, f=activations: calls.append(len(x)) or f(x, stage)
    cells = list(pair_distances(sets, references, evaluators, stage="late", batch_size=3))
    assert [(c.evaluator, c.metamers) for c in cells] == [("one", "a"), ("one", "b"), ("two", "a"), ("two", "b")]
    assert calls == [3, 1] * 6
    (alone,) = pair_distances(sets["b"], references, evaluators[1:], stage="late")
    torch.testing.assert_close(alone.cross, cells[3].cross)


def test_what_does_not_fit_is_refused():
    images = textured_images(4, 9)
    with pytest.raises(ValueError, match="at least 3"):
        list(pair_distances(images[:2], images[:2], [random_network()], stage="late"))
    with pytest.raises(ValueError, match="one shape"):
        list(pair_distances(images[:3], images, [random_network()], stage="late"))
    with pytest.raises(ValueError, match="evaluators is empty"):
        list(pair_distances(images, images, [], stage="late"))
    broken = random_network("broken")
    broken.module[0].bias.fill_(torch.inf)
    with pytest.raises(ValueError, match=r"'broken' gives activations that are not finite .* images \[0, 1, 2, 3\]"):
        list(pair_distances(images, images, [broken], stage="early"))
    cells = list(pair_distances(images, images, [random_network()], stage="late"))
    with pytest.raises(ValueError, match="max_pairs"):
        representational_divergence(cells, max_pairs=1)
    with pytest.raises(ValueError, match="permutations"):
        distance_correlation(cells, permutations=0)


# --- densities


@pytest.mark.parametrize("n", [5, 300, 5000])
def test_the_density_is_scipys(n):
    values = sample(n, scale=3, shift=10)
    grid = shared_grid([values])
    np.testing.assert_allclose(density(values, grid).numpy(), gaussian_kde(values.numpy())(grid.numpy()), rtol=1e-9)


@pytest.mark.parametrize(
    "values",
    [sample(50), sample(50, scale=1e-6), torch.full((50,), 2.0), torch.zeros(50)],
    ids=["usual", "narrower than the grid", "all equal", "all zero"],
)
def test_a_density_keeps_its_mass_however_narrow(values):
    grid = shared_grid([values, sample(80, seed=1, scale=5)])
    assert (density(values, grid).sum() * (grid[1] - grid[0])).item() == pytest.approx(1, abs=1e-4)


def test_the_grid_covers_every_sample():
    grid = shared_grid([sample(20), sample(20, shift=7)], points=1000)
    assert len(grid) == 1000
    assert grid[0] < sample(20).min()
    assert grid[-1] > sample(20, shift=7).max()
    equal = shared_grid([torch.full((5,), 3.0), torch.full((5,), 3.0)])
    assert equal[0] < 3 < equal[-1]


# --- divergence


@pytest.mark.parametrize(
    ("p", "q", "bits"),
    [
        ([0.2, 0.8], [0.2, 0.8], 0.0),
        ([1, 0, 0], [0, 0.5, 0.5], 1.0),
        # The middle is (3/4, 1/4): half of log2(4/3), and half of a quarter's worth on either side.
        ([1, 0], [0.5, 0.5], 0.5 * math.log2(4 / 3) + 0.25 * math.log2(2 / 3) + 0.25 * math.log2(2)),
        ([0.5, 0.5, 0], [0, 0.5, 0.5], 0.5),
    ],
    ids=["equal", "disjoint", "one against two", "half shared"],
)
def test_jensen_shannon_in_closed_form(p, q, bits):
    assert jensen_shannon(torch.tensor(p), torch.tensor(q)) == pytest.approx(bits, abs=1e-7)
    assert jensen_shannon(torch.tensor(q), torch.tensor(p)) == pytest.approx(bits, abs=1e-7)


def test_jensen_shannon_agrees_with_scipy_and_the_definition():
    p, q = (torch.rand(50, generator=torch.Generator().manual_seed(s), dtype=torch.float64) for s in (0, 1))
    ours = jensen_shannon(3 * p, q)
    assert ours == pytest.approx(jensenshannon(p.numpy(), q.numpy(), base=2) ** 2)
    assert ours == pytest.approx(oracles.jensen_shannon((p / p.sum()).tolist(), (q / q.sum()).tolist()))


def test_divergence_of_two_normal_distributions():
    # 20 000 draws each of N(0, 1) and N(2, 1): numerical integration of the true densities gives the answer.
    first, second = sample(20_000), sample(20_000, seed=1, shift=2)
    grid = shared_grid([first, second])
    estimated = jensen_shannon(density(first, grid), density(second, grid))
    x = np.linspace(-10, 12, 20_001)
    p, q = norm.pdf(x), norm.pdf(x, loc=2)
    assert estimated == pytest.approx(oracles.jensen_shannon(p / p.sum(), q / q.sum()), abs=0.01)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([1.0, 0], [1.0, 0, 0], "same points"),
        ([1.0, -1], [1.0, 0], "first must be non-negative"),
        ([1.0, 0], [0.0, 0], "second must be .* positive sum"),
        ([1.0, math.nan], [1.0, 0], "finite"),
    ],
)
def test_what_is_no_distribution_is_refused(p, q, message):
    with pytest.raises(ValueError, match=message):
        jensen_shannon(np.array(p), np.array(q))


def test_perfect_metamers_lie_where_their_references_lie():
    references = textured_images(12, 16)
    table = representational_divergence(pair_distances(references, references, [random_network()], stage="middle"))
    assert len(table) == 6
    assert figure_5(table)[0] < 1e-3
    matching = table[(table["first"] == "reference-reference") & (table["second"] == "matching")]
    assert matching["divergence"].item() > 0.95  # unrelated images are nowhere near as close


def test_metamers_far_from_their_references_diverge():
    references = textured_images(12, 16)
    strange = torch.rand(references.shape, generator=torch.Generator().manual_seed(0))
    sets = {"same": references, "near": (references + 0.02).clamp(0, 1), "strange": strange}
    same, near, far = figure_5(
        representational_divergence(pair_distances(sets, references, [random_network()], stage="early"))
    )
    assert same < near < far
    assert far > 0.9


def test_the_divergence_is_what_scipy_would_give():
    references, metamers = textured_images(8, 16), textured_images(8, 16, seed=1)
    cells = list(pair_distances(metamers, references, [random_network()], stage="late"))
    table = representational_divergence(cells)
    samples = [cells[0].of_kind(kind) for kind in KINDS]
    grid = shared_grid(samples)
    densities = [gaussian_kde(s.numpy())(grid.numpy()) for s in samples]
    expected = [jensenshannon(densities[i], densities[j], base=2) ** 2 for i in range(4) for j in range(i + 1, 4)]
    assert table["divergence"].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_number_of_pairs_can_be_capped_by_a_seeded_draw():
    references, metamers = textured_images(9, 16), textured_images(9, 16, seed=1)
    cells = list(pair_distances(metamers, references, [random_network()], stage="late"))
    capped = representational_divergence(cells, max_pairs=20)
    assert set(capped["n_first"]) == {20}
    assert capped.equals(representational_divergence(cells, max_pairs=20))
    assert not capped.equals(representational_divergence(cells, max_pairs=20, seed=1))
    assert capped["divergence"].tolist() == pytest.approx(representational_divergence(cells)["divergence"], abs=0.2)


def test_constant_activations_do_not_break_anything():
    blind = random_network("blind")
    blind.module[0].weight.zero_()
    images = textured_images(5, 9)
    cells = list(pair_distances(images.flip(0), images, [blind], stage="early"))
    assert representational_divergence(cells)["divergence"].tolist() == pytest.approx([0] * 6, abs=1e-12)
    assert distance_correlation(cells)[["pearson", "spearman", "pearson_p"]].isna().all(axis=None)


# --- correlation of distances


def test_the_correlations_are_scipys_and_the_p_values_mantels():
    references, metamers = textured_images(7, 16), textured_images(7, 16, seed=1)
    metamers[:4] = references[:4]
    cells = list(pair_distances(metamers, references, [random_network()], stage="late"))
    row = distance_correlation(cells, permutations=200, seed=3).iloc[0]
    first, second = cells[0].of_kind("reference-reference"), cells[0].of_kind("metamer-metamer")
    assert (row["n"], row["pairs"]) == (7, 21)
    assert row["pearson"] == pytest.approx(pearsonr(first, second).statistic)
    assert row["spearman"] == pytest.approx(spearmanr(first, second).statistic)
    generator = np.random.default_rng(3)
    orders = [generator.permutation(7) for _ in range(200)]
    expected = oracles.mantel(cells[0].reference.numpy(), cells[0].metamer.numpy(), orders)
    assert (row["pearson"], row["pearson_p"]) == pytest.approx(expected)


def test_perfect_metamers_correlate_perfectly_and_unrelated_images_do_not():
    references = textured_images(20, 16)
    sets = {"same": references, "unrelated": references[torch.randperm(20, generator=torch.Generator().manual_seed(5))]}
    cells = pair_distances(sets, references, [random_network()], stage="late")
    table = distance_correlation(cells).set_index("metamers")
    assert table.loc["same", "pearson"] == pytest.approx(1)
    assert table.loc["same", ["pearson_p", "spearman_p"]].tolist() == [0.001, 0.001]
    assert abs(table.loc["unrelated", "pearson"]) < 0.5
    assert table.loc["unrelated", "pearson_p"] > 0.02


def test_the_p_value_is_uniform_when_nothing_is_related():
    generator = torch.Generator().manual_seed(0)
    p_values = []
    for _ in range(50):
        references, metamers = torch.rand(2, 6, 3, 4, 4, generator=generator)
        cells = pair_distances(metamers, references, [colour_classifier()], stage="early")
        p_values += distance_correlation(cells, permutations=99)["pearson_p"].tolist()
    assert 0.35 < np.mean(p_values) < 0.65
    assert np.mean(np.array(p_values) <= 0.1) < 0.25


# --- complex activations


class Spectrum(nn.Module):
    """The spectrum as complex numbers, or its real and imaginary parts as channels of their own."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def forward(self, images):
        spectrum = torch.fft.rfft2(images)
        return torch.cat([spectrum.real, spectrum.imag], dim=1) if self.parts else spectrum


def spectra(parts):
    module = nn.Sequential(Spectrum(parts), nn.Flatten())
    return Classifier(module, name="spectrum", categories=COLOURS, blocks=["0"])


def test_complex_activations_count_with_both_parts():
    references, metamers = textured_images(5, 8), textured_images(5, 8, seed=1)
    (cell,) = pair_distances(metamers, references, [spectra(parts=False)], stage="0")
    a, b = (torch.fft.rfft2(x).flatten(1) for x in (references, metamers))
    for found, x, y in [(cell.reference, a, a), (cell.metamer, b, b), (cell.cross, a, b)]:
        expected = (x[:, None] - y).abs().square().sum(dim=2).sqrt()
        torch.testing.assert_close(found.float(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("metric", [fid, kid, lpips])
def test_learned_metrics_of_complex_features_count_both_parts(metric):
    images = textured_images(5, 8), textured_images(5, 8, seed=1)
    found, expected = (
        metric(*images, backbone=Backbone(spectra(parts), feature_stage="0", patch_stages=("0",)))
        for parts in (False, True)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantised_activations_are_measured_as_the_numbers_they_stand_for():
    class Quantised(nn.Module):
        def forward(self, images):
            return torch.quantize_per_tensor(images, 1 / 64, 0, torch.quint8)

    model = Classifier(nn.Sequential(Quantised()), name="quantised", categories=COLOURS)
    references, metamers = textured_images(3, 8), textured_images(3, 8, seed=1)
    (cell,) = pair_distances(metamers, references, [model], stage="0")
    rounded = ((one * 64).round() / 64 for one in (references, metamers))
    (expected,) = (one.flatten(1).double() - other.flatten(1).double() for one, other in [tuple(rounded)])
    torch.testing.assert_close(cell.of_kind("matching"), expected.norm(dim=1))


def test_a_callers_autocast_changes_no_distance():
    model = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)), name="linear", categories=COLOURS)
    images = textured_images(3, 8), textured_images(3, 8, seed=1)
    (expected,) = pair_distances(*images, [model], stage="1")
    scores = lpips(*images, backbone=Backbone(model, patch_stages=("1",)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (cell,) = pair_distances(*images, [model], stage="1")
        assert torch.equal(lpips(*images, backbone=Backbone(model, patch_stages=("1",))), scores)
    assert torch.equal(cell.cross, expected.cross)
