"""FID, KID, LPIPS and CLIP-IQA: on a classifier, on downloaded weights, and without either."""

import importlib
import warnings

import pytest
import torch
from evaluation_toys import random_network, textured_images
from test_image_metric_properties import Brightness
from torch import nn

import oracles
from metamerlib.evaluation.image_metrics import (
    Backbone,
    DownloadedClip,
    ImageTextModel,
    MetricUnavailableError,
    clip_iqa,
    fid,
    kid,
    lpips,
)
from metamerlib.models import Classifier


class Tokens(nn.Module):
    """(N, 3, H, W) to tokens (N, H·W, 3), or channels last (N, H, W, 3)."""

    def __init__(self, flat):
        super().__init__()
        self.flat = flat

    def forward(self, x):
        x = x.movedim(1, -1)
        return x.flatten(1, 2) if self.flat else x


def pixel_backbone(layout):
    module = {"channels first": nn.Identity, "tokens": lambda: Tokens(True), "channels last": lambda: Tokens(False)}
    classifier = Classifier(nn.Sequential(module[layout]()), name=layout, categories=("a",), blocks=["0"])
    return Backbone(classifier, channels_last=layout == "channels last", patch_stages=("0",))


@pytest.mark.parametrize("metric", [fid, kid, lpips])
def test_the_layout_of_the_activations_does_not_matter(metric):
    images, references = textured_images(4, 9), textured_images(4, 9, seed=1)
    values = [
        metric(images, references, backbone=pixel_backbone(layout)).tolist()
        for layout in ("channels first", "tokens", "channels last")
    ]
    assert values[0] == pytest.approx(values[1])
    assert values[0] == pytest.approx(values[2])


def test_lpips_on_a_classifier_agrees_with_the_definition_written_out():
    network = random_network()
    images, references = textured_images(3, 12), textured_images(3, 12, seed=1)
    backbone = Backbone(network, patch_stages=("early", "late"), batch_size=2)
    layers = [
        (network.activations(images, stage).double().numpy(), network.activations(references, stage).double().numpy())
        for stage in ("early", "late")
    ]
    expected = [sum(oracles.patch_distance(a[i], b[i]) for a, b in layers) / 2 for i in range(3)]
    assert lpips(images, references, backbone=backbone).tolist() == pytest.approx(expected, rel=1e-5)


def test_fid_and_kid_read_the_pooled_last_block():
    network = random_network()
    images, references = textured_images(5, 12), textured_images(5, 12, seed=1)
    backbone = Backbone(network, feature_stage="3", batch_size=2)
    first, second = (network.activations(x, "3").mean(dim=(2, 3)).double().numpy() for x in (images, references))
    assert fid(images, references, backbone=backbone).item() == pytest.approx(oracles.frechet(first, second), rel=1e-4)
    assert kid(images, references, backbone=backbone).item() == pytest.approx(
        oracles.kernel_distance(first, second), rel=1e-4
    )
    # Stage 1.0 is the last block, here the logits.
    torch.testing.assert_close(Backbone(network).features(images), network(images).double())


@pytest.mark.parametrize("metric", [fid, kid])
def test_a_set_of_one_is_refused(metric):
    with pytest.raises(ValueError, match="at least 2 in each, got 1"):
        metric(textured_images(1, 9), textured_images(1, 9), backbone=random_network())


@pytest.mark.parametrize("metric", [fid, kid, lpips])
def test_an_unknown_backbone_is_refused(metric):
    images = textured_images(2, 9)
    with pytest.raises(ValueError, match="backbone='resnet' is unknown"):
        metric(images, images, backbone="resnet")
    with pytest.raises(TypeError, match="backbone is 3: give a Classifier"):
        metric(images, images, backbone=3)
    with pytest.raises(ValueError, match="patch_stages is empty"):
        Backbone(random_network(), patch_stages=())


def test_without_the_downloaded_weights_the_message_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    images = textured_images(2, 32)
    with pytest.raises(
        MetricUnavailableError, match=r"alexnet-owt-7be5be79\.pth is not in .*metamerlib zoo fetch alexnet"
    ):
        lpips(images, images)
    for metric in (fid, kid):
        with pytest.raises(MetricUnavailableError, match=r"pt_inception-2015-12-05-6726825d\.pth is not in"):
            metric(images, images)
    assert not list(tmp_path.rglob("*.pth"))


def test_damaged_weights_are_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a download")
    with pytest.raises(MetricUnavailableError, match=r"alexnet-owt-7be5be79\.pth is damaged .* not 7be5be79"):
        lpips(textured_images(2, 32), textured_images(2, 32))


@pytest.fixture
def alexnet_at_hand(monkeypatch, tmp_path):
    """The published LPIPS with a random AlexNet in the place of the downloaded one."""
    import torchvision

    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = torchvision.models.alexnet().state_dict()
    perceptual = importlib.import_module("metamerlib.evaluation.image_metrics.learned")
    monkeypatch.setattr(perceptual, "downloaded_weights", lambda *args: tmp_path)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *args, **options: weights)


def test_lpips_on_alexnet_agrees_with_the_authors_package(alexnet_at_hand):
    images, references = textured_images(3, 64), textured_images(3, 64, seed=1)
    values = lpips(images, references)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package asks torchvision in its deprecated words
        import lpips as authors

        theirs = authors.LPIPS(net="alex", verbose=False)
    with torch.no_grad():
        expected = theirs(images, references, normalize=True).reshape(-1)
    assert values.tolist() == pytest.approx(expected.tolist(), rel=1e-4)
    assert lpips(images, images).tolist() == [0, 0, 0]
    assert lpips(images[:1], references[:1]).shape == (1,)
    with pytest.raises(ValueError, match="at least 32 x 32 pixels, got 31 x 31"):
        lpips(images[..., :31, :31], references[..., :31, :31])


def test_clip_iqa_is_the_softmax_over_each_pair_averaged_over_the_pairs():
    images = textured_images(4, 16)
    scorer = Brightness()
    assert isinstance(scorer, ImageTextModel)
    logits = scorer.pair_logits(images).double()
    each = (logits[..., 0].exp() / logits.exp().sum(dim=2)).T.tolist()
    mean = [(a + b) / 2 for a, b in zip(*each, strict=True)]
    assert clip_iqa(images, scorer=scorer).tolist() == pytest.approx(mean)
    grey = torch.full((1, 3, 8, 8), 0.5)
    assert clip_iqa(grey, scorer=scorer).item() == 0.5


def test_clip_iqa_refuses_wrong_logits():
    images = textured_images(2, 16)
    scorer = Brightness()
    scorer.pair_logits = lambda images: torch.zeros(len(images), 2)
    with pytest.raises(ValueError, match=r"logits of shape \(2, 2\); expected \(2, 2, 2\)"):
        clip_iqa(images, scorer=scorer)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder of Hugging Face's downloads with CLIP in it, as far as names go."""
    kept = tmp_path / "hub" / "models--openai--clip-vit-base-patch16"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0123")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return kept


def test_downloaded_clip_passes_on_what_torchmetrics_answers(monkeypatch, hub):
    import torchmetrics.functional.multimodal as multimodal

    shares = {f"user_defined_{i}": torch.tensor([0.1 + 0.1 * i, 0.9]) for i in range(5)}
    seen = {}

    def answer(images, **options):
        seen.update(options, images=images)
        return shares

    monkeypatch.setattr(multimodal, "clip_image_quality_assessment", answer, raising=False)
    images = textured_images(2, 16)
    assert clip_iqa(images, scorer=DownloadedClip()).tolist() == pytest.approx([0.3, 0.9])
    assert seen["prompts"][0] == ("Natural photo.", "Synthetic photo.")
    assert seen["model_name_or_path"] == str(hub / "snapshots" / "0123"), "a name would be downloaded"
    assert seen["data_range"] == 1.0
    assert torch.equal(seen["images"], (255 * images.float()).round()), "the preprocessing divides by 255 once more"


def test_downloaded_clip_says_what_is_missing(monkeypatch, hub):
    import torchmetrics.functional.multimodal as multimodal

    def fails(error):
        def answer(images, **options):
            raise error

        monkeypatch.setattr(multimodal, "clip_image_quality_assessment", answer, raising=False)

    images = textured_images(2, 16)
    fails(OSError("no file named model.safetensors"))
    with pytest.raises(MetricUnavailableError, match=r"0123 does not hold openai/clip-vit-base-patch16 whole: no file"):
        clip_iqa(images, scorer=DownloadedClip())
    fails(AttributeError("no attribute 'norm'"))
    with pytest.raises(MetricUnavailableError, match=r"do not go together .*transformers<5"):
        clip_iqa(images, scorer=DownloadedClip())
    (hub / "refs" / "main").unlink()
    with pytest.raises(MetricUnavailableError, match=r"is not in .*hub\. Download it .* `hf download openai/clip"):
        clip_iqa(images, scorer=DownloadedClip())
    monkeypatch.delattr(multimodal, "clip_image_quality_assessment")
    with pytest.raises(MetricUnavailableError, match="needs the packages transformers and piq: pip install"):
        clip_iqa(images, scorer=DownloadedClip())
