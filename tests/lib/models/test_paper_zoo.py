"""The paper's 31 networks: what they are, and that each is loaded from a file as its publisher writes it."""

import itertools

import numpy as np
import pytest
import torch
from release_files import TIMM_HUB, write_malicious, write_release
from timm.data import ImageNetInfo
from timm.models import get_pretrained_cfg
from torch.utils.flop_counter import FlopCounterMode

from metamerlib.models import CorruptWeightsError, MissingWeightsError, ModelZoo
from metamerlib.models.checkpoints import read_checkpoint, state_of
from metamerlib.models.editions import PaperEdition
from metamerlib.models.miniature import RANDOM_SEEDS
from metamerlib.models.published import HALF, IMAGENET, PUBLISHED, RAW
from metamerlib.models.registry import ZOO
from metamerlib.stimuli import CATEGORIES, SYNSETS

WITH_WEIGHTS = [key for key in ZOO if key not in RANDOM_SEEDS]


@pytest.fixture
def skeletons(tmp_path):
    edition = PaperEdition(tmp_path)
    return lambda key: edition.skeleton(key)[0]


def numbered(network, dtype=torch.float16):
    """Give every tensor of a network a number of its own, at the cost of one element each."""
    state = network.state_dict()
    numbers = itertools.count(1)
    return {
        name: torch.full((), next(numbers) / 1024 if value.is_floating_point() else 3, dtype=dtype)
        .to(dtype if value.is_floating_point() else value.dtype)
        .expand(value.shape)
        for name, value in state.items()
    }


def test_the_published_networks_are_those_of_the_registry():
    assert list(PUBLISHED) == list(ZOO)
    assert {key for key, network in PUBLISHED.items() if network.release is None} == set(RANDOM_SEEDS)


@pytest.mark.parametrize("key", ZOO)
def test_each_network_has_as_many_parameters_as_table_a1_says(key, skeletons):
    network = skeletons(key)
    assert sum(p.numel() for p in network.parameters()) == ZOO[key].parameters
    assert all(p.is_meta for p in network.parameters())


@pytest.mark.parametrize("key", ["alexnet", "resnet18", "vit_base", "cornet_s", "shufflenet_v2"])
def test_multiply_adds_are_what_torch_counts(key):
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        PUBLISHED[key].architecture()[0].eval()(torch.empty(1, 3, 224, 224))
    assert counter.get_total_flops() // 2 == ZOO[key].multiply_adds


def test_the_stage_table_is_frozen():
    """Every result names its stage; a changed table would change the results without a word."""
    expected = {
        "alexnet": (7, "features.4", "features.9", "classifier.2"),
        "vgg19": (18, "features.8", "features.20", "features.33"),
        "resnet50": (17, "layer1.2", "layer3.0", "layer3.5"),
        "resnet18": (9, "layer1.0", "layer2.1", "layer4.0"),
        "wide_resnet50": (17, "layer1.2", "layer3.0", "layer3.5"),
        "resnext50": (17, "layer1.2", "layer3.0", "layer3.5"),
        "convnext_base": (37, "stages.2.blocks.0", "stages.2.blocks.11", "stages.2.blocks.22"),
        "deit_small": (13, "blocks.1", "blocks.5", "blocks.9"),
        "vit_base": (13, "blocks.1", "blocks.5", "blocks.9"),
        "mlp_mixer": (13, "blocks.1", "blocks.5", "blocks.9"),
        "swin_base": (25, "layers.1.blocks.1", "layers.2.blocks.7", "layers.2.blocks.14"),
        "xcit_small": (15, "blocks.1", "blocks.6", "blocks.10"),
        "meal_v1_resnet50": (17, "layer1.2", "layer3.0", "layer3.5"),
        "meal_v2_resnet50": (17, "layer1.2", "layer3.0", "layer3.5"),
        "meal_v2_efficientnet_b0": (18, "blocks.1.1", "blocks.3.2", "blocks.5.2"),
        "cornet_s": (5, "V1.3", "V2", "V4"),
        "squeezenet": (9, "features.3", "features.7", "features.10"),
        "mobilenet_v2": (19, "features.3", "features.9", "features.15"),
        "shufflenet_v2": (18, "stage2.2", "stage3.3", "stage4.1"),
        "densenet121": (8, "features.denseblock1", "features.denseblock2", "features.transition3"),
    }
    table = ModelZoo("paper").stage_table().set_index("key")
    assert list(table.index) == list(ZOO)
    for key, row in table.iterrows():
        stem = key.removesuffix("_robust").removesuffix("_random")
        assert (row["n_blocks"], row["early"], row["middle"], row["late"]) == expected[stem], key


def test_normalisations_are_the_publishers():
    for key in TIMM_HUB:
        config = get_pretrained_cfg(PUBLISHED[key].release().file.removesuffix(".safetensors"))
        assert (tuple(config.mean), tuple(config.std)) == PUBLISHED[key].normalisation, key
        assert config.input_size == (3, 224, 224)
    raw = {key for key, network in PUBLISHED.items() if network.normalisation == RAW}
    half = {key for key, network in PUBLISHED.items() if network.normalisation == HALF}
    assert raw == {"vit_base_robust", "xcit_small_robust"}
    assert half == {"vit_base", "mlp_mixer"}
    assert all(PUBLISHED[key].normalisation == IMAGENET for key in PUBLISHED if key not in raw | half)


def test_releases_name_a_file_each():
    releases = {key: PUBLISHED[key].release() for key in WITH_WEIGHTS}
    assert len({release.file for release in releases.values()}) == 29
    assert all(release.url.startswith("https://") and release.page for release in releases.values())
    assert releases["vgg19"].sha256 == "dcbb9e9d"
    assert releases["shufflenet_v2"].sha256 == "5666bf0f80"
    assert all(release.sha256 for release in releases.values() if "download.pytorch.org" in release.url)


@pytest.mark.parametrize("key", WITH_WEIGHTS)
def test_each_network_loads_from_a_file_as_published(key, tmp_path, skeletons):
    state = numbered(skeletons(key))
    if key.startswith("resnet"):  # older files have no counters of batches
        published = {name: value for name, value in state.items() if "num_batches" not in name}
    else:
        published = state
    file = write_release(tmp_path, key, published)
    zoo = ModelZoo("paper", weights=tmp_path)
    assert key in zoo
    classifier = zoo[key]
    file.unlink()
    assert (classifier.name, classifier.input_size, classifier.categories) == (key, 224, CATEGORIES)
    assert (classifier.mean, classifier.std) == PUBLISHED[key].normalisation
    assert sum(p.numel() for p in classifier.module.parameters()) == ZOO[key].parameters
    loaded = classifier.module.state_dict()
    assert loaded.keys() == state.keys()
    for name, value in loaded.items():
        wanted = state[name].flatten()[0].item() if name in published else 0
        assert value.is_cpu
        assert value.dtype in (torch.float32, torch.int64)
        assert value.min() == value.max() == wanted, name
    assert not any(tensor.is_meta for tensor in classifier.module.buffers())
    assert classifier.layer("late") in classifier.blocks


@pytest.mark.parametrize(
    "key", ["densenet121", "cornet_s", "meal_v2_efficientnet_b0", "xcit_small_robust", "swin_base"]
)
def test_a_loaded_network_computes_what_the_saved_one_did(key, tmp_path):
    original = PaperEdition(tmp_path, untrained=True).initialised(key)[0].eval()
    write_release(tmp_path, key, original.state_dict())
    classifier = ModelZoo("paper", weights=tmp_path)[key]
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in PUBLISHED[key].normalisation)
    with torch.no_grad():
        wanted = original((images - mean) / std)
        torch.testing.assert_close(classifier.outputs(images), wanted)
        by_category = [max(wanted[0, index].item() for _, index in SYNSETS[category]) for category in CATEGORIES]
        torch.testing.assert_close(classifier(images)[0], torch.tensor(by_category))


def test_another_networks_weights_are_refused(tmp_path, skeletons):
    write_release(tmp_path, "resnet50", numbered(skeletons("resnet18")))
    with pytest.raises(CorruptWeightsError, match=r"layer1\.0\.conv3\.weight is missing"):
        ModelZoo("paper", weights=tmp_path)["resnet50"]


def test_weights_saved_with_another_normalisation_are_refused(tmp_path, skeletons):
    state = {"module." + name: value for name, value in numbered(skeletons("resnet18")).items()}
    state |= {"normalize.mean": torch.full((3,), 0.5), "normalize.std": torch.full((3,), 0.5)}
    write_release(tmp_path, "resnet18", state)
    with pytest.raises(CorruptWeightsError, match=r"saved with the mean \(0.5, 0.5, 0.5\)"):
        ModelZoo("paper", weights=tmp_path)["resnet18"]


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    write_malicious(tmp_path / "evil.pt", tmp_path / "witness")
    checkpoint = read_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "witness").exists()
    with pytest.raises(CorruptWeightsError, match="no weights"):
        state_of(checkpoint, tmp_path / "evil.pt")


def test_two_values_for_one_name_are_refused(tmp_path):
    double = {"conv.weight": torch.zeros(2), "module.conv.weight": torch.ones(2)}
    with pytest.raises(CorruptWeightsError, match="two different tensors"):
        state_of(double, tmp_path)


def test_a_missing_network_names_the_command_and_the_file(tmp_path):
    zoo = ModelZoo("paper", weights=tmp_path)
    assert list(zoo) == list(RANDOM_SEEDS)
    assert zoo.missing == WITH_WEIGHTS
    for ask in (zoo.__getitem__, zoo.fingerprint):
        with pytest.raises(MissingWeightsError) as caught:
            ask("resnet18_robust")
        assert "metamerlib zoo fetch resnet18_robust" in str(caught.value)
        assert str(tmp_path / "robustbench-Linf-Salman2020Do_R18.pt") in str(caught.value)
    with pytest.raises(MissingWeightsError, match=r"alexnet_linf_8_robust_training\.pt out of https"):
        zoo["alexnet_robust"]
    with pytest.raises(KeyError, match="no network 'resnet18_seed1'"):
        zoo["resnet18_seed1"]


def test_fingerprint_is_the_files_hash(tmp_path, skeletons):
    write_release(tmp_path, "squeezenet", numbered(skeletons("squeezenet")))
    fingerprint = ModelZoo("paper", weights=tmp_path).fingerprint("squeezenet")
    assert len(fingerprint) == 64
    write_release(tmp_path, "squeezenet", numbered(skeletons("squeezenet"), torch.float32))
    assert ModelZoo("paper", weights=tmp_path).fingerprint("squeezenet") != fingerprint


def test_untrained_networks_are_the_same_each_time_and_leave_the_global_generator_alone(tmp_path):
    zoo, again = (ModelZoo("paper-untrained", weights=tmp_path) for _ in range(2))
    assert len(zoo) == 31
    assert zoo.missing == []
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, other = zoo["squeezenet"].module.state_dict(), again["squeezenet"].module.state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert zoo.fingerprint("squeezenet") == again.fingerprint("squeezenet") != zoo.fingerprint("densenet121")
    assert zoo["shufflenet_v2"].predict(torch.rand(2, 3, 64, 64)).shape == (2,)


def test_the_paper_zoos_own_random_networks_need_no_weights(tmp_path):
    zoo = ModelZoo("paper", weights=tmp_path)
    assert zoo.fingerprint("alexnet_random") == ModelZoo("mini").fingerprint("alexnet_random")
    logits = zoo["resnet50_random"](torch.rand(1, 3, 224, 224))
    assert logits.shape == (1, 16)
    assert logits.isfinite().all()


def test_decisions(tmp_path):
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    highest, mean, thousand = (
        ModelZoo("paper-untrained", weights=tmp_path, decision=decision)["shufflenet_v2"]
        for decision in ("max_logit", "mean_probability", "1000-way")
    )
    outputs = thousand(images).double().numpy()
    assert outputs.shape == (2, 1000)
    probabilities = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    for column, category in enumerate(CATEGORIES):
        indices = [index for _, index in SYNSETS[category]]
        assert highest(images)[:, column].numpy() == pytest.approx(outputs[:, indices].max(1), rel=1e-5)
        assert mean(images)[:, column].exp().numpy() == pytest.approx(probabilities[:, indices].mean(1), rel=1e-4)
    with pytest.raises(ValueError, match="Did you mean 'max_logit'"):
        ModelZoo("paper", decision="max_logits")
    with pytest.raises(ValueError, match="no meaning for the zoo 'mini': its networks have one output per category"):
        ModelZoo("mini", decision="mean_probability")


def test_imagenets_order_of_classes_is_timms_order():
    names = ImageNetInfo("imagenet-1k").label_names()
    assert all(names[index] == wnid for synsets in SYNSETS.values() for wnid, index in synsets)
    assert ModelZoo("paper-untrained", decision="1000-way")["squeezenet"].categories == tuple(names)


def test_table_tells_sizes_licences_and_addresses(tmp_path, skeletons):
    write_release(tmp_path, "squeezenet", numbered(skeletons("squeezenet")))
    table = ModelZoo("paper", weights=tmp_path).table().set_index("key")
    assert table["available"].sum() == 3
    assert table.loc["squeezenet", "megabytes"] < 1 < table.loc["vgg19", "megabytes"]
    assert table.loc["cornet_s", "licence"] == "GPL-3.0-or-later (CORnet)"
    assert table.loc["swin_base", "url"].startswith("https://huggingface.co/timm/swin_base_patch4_window7_224.ms_in22k")
    assert (table["parameters"] == table["paper_parameters"]).all()
    assert table.loc["resnet50", "accuracy"] == pytest.approx(0.7613)
