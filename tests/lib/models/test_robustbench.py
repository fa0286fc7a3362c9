"""RobustBench's networks by its names, and our writing of the paper's robust ones against its own."""

import importlib.util

import pytest
import torch

from metamerlib.models import ZOO, DownloadError, MissingWeightsError, ModelZoo, load_robustbench
from metamerlib.models import robustbench as bridge
from metamerlib.models.editions import PaperEdition
from metamerlib.models.imagenet import ConvolutionalStem
from metamerlib.models.published import PUBLISHED

pytestmark = pytest.mark.skipif(importlib.util.find_spec("robustbench") is None, reason="RobustBench is not installed")

ENTRIES = {key: entry.entry for key, entry in ZOO.items() if entry.source == "robustbench"}


def find(key):
    threat = "corruptions" if key == "deit_small_robust" else "Linf"
    with bridge._importable():
        return bridge._find(ENTRIES[key], "imagenet", threat)


def test_eight_networks_come_from_robustbench():
    assert len(ENTRIES) == 8


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the weights of networks that are built as the memory had them, which saves most of the time."""
    for name in ("uniform_", "normal_", "erfinv_"):
        monkeypatch.setattr(torch.Tensor, name, lambda tensor, *_, **__: tensor)


@pytest.mark.parametrize("key", ENTRIES)
def test_our_network_is_robustbenchs(key, tmp_path, undrawn):
    theirs, ours = find(key)[0](), PaperEdition(tmp_path).skeleton(key)[0]
    bare = getattr(theirs, "model", theirs)  # behind a normalisation, where it has one
    shapes = [[(name, value.shape) for name, value in network.state_dict().items()] for network in (bare, ours)]
    assert shapes[0] == shapes[1]
    if key == "vit_base_robust":  # the stem alone is written by us
        stem, own = bare.patch_embed.proj, ConvolutionalStem()
        for value in own.state_dict().values():
            value.copy_(torch.rand(value.shape) / 10)
        stem.load_state_dict(own.state_dict())
        images = torch.rand(1, 3, 32, 32)
        torch.testing.assert_close(own(images), stem(images))
        bare.patch_embed.proj = ours.patch_embed.proj = torch.nn.Identity()
    assert [type(module) for module in bare.modules()] == [type(module) for module in ours.modules()]
    assert repr(bare) == repr(ours)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in PUBLISHED[key].normalisation)
    images = torch.rand(1, 3, 8, 8)
    if theirs is not bare:
        theirs.model = torch.nn.Identity()
    seen = images if theirs is bare else theirs(images)
    torch.testing.assert_close(seen, (images - mean) / std)


def test_our_smallest_network_computes_what_robustbenchs_does(tmp_path):
    theirs, ours = find("resnet18_robust")[0]().eval(), PaperEdition(tmp_path, untrained=True).load("resnet18_robust")
    theirs.model.load_state_dict(ours.module.state_dict())
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    ours.input_size = None
    with torch.no_grad():
        torch.testing.assert_close(ours.outputs(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_blocks_of_a_convnext_begin_with_its_stem(undrawn):
    blocks = bridge.robustbench_network("Singh2023Revisiting_ConvNeXt-T-ConvStem").architecture()[1]
    assert blocks[:2] == ["stem", "stages.0.blocks.0"]


@pytest.mark.parametrize("key", ENTRIES)
def test_our_address_is_the_file_that_robustbench_names(key):
    ours, theirs = PUBLISHED[key].release(), find(key)[1]
    assert (ours.url, ours.file) == (theirs.url, theirs.file)


def checkpoint(folder, name, dataset="imagenet", **options):
    """Write initial weights as a network's published file; gives its bare module."""
    with bridge._importable():
        build, release = bridge._find(name, dataset, None)
        torch.manual_seed(0)
        network = build().eval()
    torch.save(
        {"state_dict": {f"module.{n}": value for n, value in network.state_dict().items()}}, folder / release.file
    )
    return network


@pytest.mark.parametrize("name", ["Salman2020Do_R18", "Debenedetti2022Light_XCiT-S12", "Tian2022Deeper_DeiT-S"])
def test_a_network_is_loaded_by_its_name(name, tmp_path):
    network = checkpoint(tmp_path, name)
    classifier = load_robustbench(name, weights=tmp_path, fetch=False, decision="1000-way")
    images = torch.rand(1, 3, 224, 224)
    assert classifier.name == f"robustbench:{name}"
    with torch.no_grad():
        torch.testing.assert_close(classifier(images), network(images), rtol=1e-4, atol=1e-4)
    assert classifier.activations(images, "late").shape[0] == 1


def test_the_zoo_takes_its_names_as_keys(tmp_path):
    key = "robustbench:Salman2020Do_R18"
    zoo = ModelZoo("paper", weights=tmp_path)
    assert (key in zoo, key in ModelZoo("mini")) == (False, False)
    network = checkpoint(tmp_path, "Salman2020Do_R18")
    assert key in zoo
    assert zoo[key].layer("late") == zoo.skeleton(key).layer("late") == "model.layer4.0"
    assert len(zoo.fingerprint(key)) == 64
    assert len(zoo[key].categories) == 16
    images = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(zoo[key].outputs(images), network(images), rtol=1e-4, atol=1e-4)


def test_networks_for_cifar_have_its_categories(tmp_path):
    network = checkpoint(tmp_path, "Wong2020Fast", "cifar10")
    classifier = load_robustbench("Wong2020Fast", dataset="cifar10", weights=tmp_path, fetch=False)
    images = torch.rand(2, 3, 32, 32)
    assert classifier.categories[3] == "cat"
    with torch.no_grad():
        torch.testing.assert_close(classifier(images), network(images))


def test_without_weights_it_says_which_file_goes_where(tmp_path, monkeypatch):
    def offline(*_):
        raise ConnectionError("offline")

    place = tmp_path / "robustbench-Linf-Salman2020Do_R18.pt"
    with pytest.raises(MissingWeightsError) as caught:
        load_robustbench("Salman2020Do_R18", weights=tmp_path, fetch=False)
    assert str(place) in str(caught.value)
    monkeypatch.setattr("metamerlib.models.downloads._download", offline)
    with pytest.raises(DownloadError) as caught:
        load_robustbench("Salman2020Do_R18", weights=tmp_path)
    assert str(place) in str(caught.value)


def test_other_names_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'Salman2020Do_R18'"):
        load_robustbench("Salman2020_R18")
    with pytest.raises(ValueError, match="ensemble of several files"):
        load_robustbench("Bai2024MixedNUTS")
    with pytest.raises(ValueError, match="dataset is 'mnist'"):
        load_robustbench("Salman2020Do_R18", dataset="mnist")


def test_without_the_package_the_message_says_how_to_install_it(monkeypatch):
    bridge.robustbench_network.cache_clear()
    monkeypatch.setitem(bridge.sys.modules, "robustbench.model_zoo.models", None)
    with pytest.raises(ImportError, match=r"metamerlib\[robust\]"):
        load_robustbench("Salman2020Do_R18")
