"""The fast metrics against definitions written out, and against torchmetrics where torchmetrics is right."""

import pytest
import torch
import torchmetrics.functional.image as tm
from evaluation_toys import textured_images

import oracles
from metamerlib.evaluation.image_metrics import (
    psnr,
    rase,
    rase_corrected,
    scc,
    ssim,
    tv,
    vif,
)
from metamerlib.evaluation.image_metrics.learned import frechet_distance, kernel_distance

CASES = {
    "another image": lambda x: textured_images(len(x), x.shape[-1], seed=5),
    "noise": lambda x: (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(2))).clamp(0, 1),
    "contrast": lambda x: 0.5 + 0.6 * (x - 0.5),
    "inverse": lambda x: 1 - x,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("metric", "oracle", "size"),
    [
        (psnr, oracles.psnr, 24),
        (ssim, oracles.ssim, 24),
        (vif, oracles.vif, 42),
        (rase_corrected, oracles.rase, 20),
        (rase, lambda x, y: 64 * oracles.rase(x, y), 20),
        (scc, oracles.scc, 16),
    ],
    ids=["psnr", "ssim", "vif", "rase_corrected", "rase", "scc"],
)
def test_agrees_with_the_definition_written_out(metric, oracle, size, case):
    references = textured_images(2, size)
    images = CASES[case](references)
    pairs = zip(images.double().numpy(), references.double().numpy(), strict=True)
    single = metric in (ssim, vif)  # computed in single precision, for speed
    expected = pytest.approx([oracle(*pair) for pair in pairs], rel=1e-4 if single else 1e-7, abs=1e-5 if single else 0)
    assert metric(images, references).tolist() == expected


@pytest.mark.parametrize(("metric", "oracle"), [(ssim, oracles.ssim), (vif, oracles.vif)], ids=["ssim", "vif"])
def test_single_precision_is_enough_for_images_that_are_mostly_plain(metric, oracle):
    references = torch.full((1, 3, 48, 48), 0.9)
    references[..., 20:30, 20:30] = textured_images(1, 10)
    noise = 0.002 * torch.randn(references.shape, generator=torch.Generator().manual_seed(0))
    images = (references + noise).clamp(0, 1)
    expected = oracle(images[0].double().numpy(), references[0].double().numpy())
    assert metric(images, references).item() == pytest.approx(expected, abs=1e-3)


def test_total_variation_agrees_with_the_definition_written_out():
    images = textured_images(2, 12)
    expected = [oracles.total_variation(image) for image in images.double().numpy()]
    assert tv(images).tolist() == pytest.approx([total / (3 * 12 * 12) for total in expected])


def test_torchmetrics_rase_is_64_times_the_corrected_one_and_depends_on_the_batch():
    references, images = textured_images(3, 32), textured_images(3, 32, seed=4)
    assert rase(images, references).tolist() == pytest.approx((64 * rase_corrected(images, references)).tolist())
    of_the_batch = tm.relative_average_spectral_error(images, references).item()
    assert of_the_batch != pytest.approx(rase(images, references).mean().item(), rel=1e-3)


def test_rase_where_a_window_of_the_reference_is_black():
    references = textured_images(2, 32)
    references[:, :, :12, :12] = 0
    assert rase_corrected(references, references).tolist() == [0, 0]
    assert torch.isfinite(rase_corrected(textured_images(2, 32, seed=4), references)).all()
    assert not torch.isfinite(rase(references, references)).any()


def test_scc_agrees_with_torchmetrics_on_images_with_detail_everywhere():
    references, images = textured_images(3, 32), textured_images(3, 32, seed=4)
    expected = tm.spatial_correlation_coefficient(images, references, reduction="none")
    assert scc(images, references).tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_scc_counts_a_plain_window_as_agreement_only_if_both_are_plain():
    plain, textured = torch.full((1, 3, 16, 16), 0.5), textured_images(1, 16)
    assert scc(plain, plain).item() == 1
    assert scc(plain, textured).item() == 0
    assert tm.spatial_correlation_coefficient(plain, plain).item() == 0  # why torchmetrics is not used here


def test_vif_leaves_out_a_plain_channel_of_the_reference():
    references, images = textured_images(2, 48), textured_images(2, 48, seed=4)
    references[:, 2] = 0.0
    both = [
        oracles.vif(x[:2], y[:2]) for x, y in zip(images.double().numpy(), references.double().numpy(), strict=True)
    ]
    assert vif(images, references).tolist() == pytest.approx(both, rel=1e-4)
    plain = torch.full((1, 3, 48, 48), 0.5)
    assert (vif(plain, plain).item(), vif(images[:1], plain).item()) == (1, 0)


def test_vif_presumes_eight_bit_data_whatever_the_range():
    references = textured_images(2, 48)
    images = CASES["noise"](references)
    expected = tm.visual_information_fidelity(255 * images.double(), 255 * references.double(), reduction="none")
    assert vif(images, references).tolist() == pytest.approx(expected.tolist(), rel=1e-4)
    drowned = tm.visual_information_fidelity(images.double(), references.double(), reduction="none")
    assert drowned.tolist() != pytest.approx(expected.tolist(), rel=1e-2)


@pytest.mark.parametrize(("n", "dimensions"), [(40, 5), (8, 30)], ids=["more images", "more features"])
def test_frechet_distance_agrees_with_the_textbook_formula(n, dimensions):
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(n, dimensions, generator=generator, dtype=torch.float64)
    second = 0.5 + first + 0.7 * torch.randn(n, dimensions, generator=generator, dtype=torch.float64)
    expected = oracles.frechet(first.numpy(), second.numpy())
    assert frechet_distance(first, second).item() == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_in_closed_form():
    # Two samples of the same shape, one moved and one stretched: |shift|² + (stretch - 1)² Tr Σ.
    first = torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shift = torch.tensor([1.0, 0.0, -2.0, 0.5], dtype=torch.float64)
    second = (first - first.mean(0)) * 3 + first.mean(0) + shift
    expected = (shift**2).sum() + 4 * torch.cov(first.T).trace()
    assert frechet_distance(first, second).item() == pytest.approx(expected.item())


def test_frechet_distance_agrees_with_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance

    class PassOn(torch.nn.Module):
        num_features = 6

        def forward(self, features):
            return features

    first = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    second = 0.3 + torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    theirs = FrechetInceptionDistance(feature=PassOn())
    theirs.update(first, real=True)
    theirs.update(second, real=False)
    assert frechet_distance(first, second).item() == pytest.approx(theirs.compute().item(), rel=1e-4)


def test_kernel_distance_agrees_with_the_definition_written_out():
    first = torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    second = 0.5 + torch.randn(7, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = oracles.kernel_distance(first.numpy(), second.numpy())
    assert kernel_distance(first, second).item() == pytest.approx(expected)


def test_kernel_distance_is_unbiased_for_paired_sets_of_one_distribution():
    # x and y share a part, as a metamer and its reference do; their distributions are equal.
    generator = torch.Generator().manual_seed(0)
    values = []
    for _ in range(400):
        shared, own_1, own_2 = torch.randn(3, 12, 3, generator=generator, dtype=torch.float64)
        values.append(kernel_distance(shared + own_1, shared + own_2))
    values = torch.stack(values)
    standard_error = values.std() / len(values) ** 0.5
    assert abs(values.mean()) < 3 * standard_error
