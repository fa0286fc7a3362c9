"""The zoo: 31 networks of the paper, the stage table, and weights that cannot be wrong unnoticed."""

import json
import shutil

import pytest
import torch

from metamerbook.study.tasks import model_fingerprint
from metamerlib.models import STAGES, CorruptWeightsError, MissingWeightsError, ModelZoo
from metamerlib.models.miniature import MINIATURES, RANDOM_SEEDS, SIDE, build_miniature
from metamerlib.models.registry import EXTRA_INSTANCES, MODEL_SETS, ZOO
from metamerlib.models.training.recipes import RECIPES
from metamerlib.models.weights import WeightsFolder, zoo_folder
from metamerlib.stimuli.objects16 import objects16


@pytest.fixture(scope="module")
def zoo():
    return ModelZoo("mini")


@pytest.fixture(scope="module")
def drawings():
    return objects16(n_per_class=8, seed=77)


def test_the_zoo_has_the_papers_31_networks(zoo):
    assert len(ZOO) == 31
    assert {*ZOO, *EXTRA_INSTANCES} == set(MINIATURES)
    assert len(zoo) + len(zoo.missing) == 31
    assert set(zoo) | set(zoo.missing) == set(ZOO)


def test_model_sets_are_those_of_table_2(zoo):
    assert {name: len(keys) for name, keys in zoo.model_sets.items()} == {
        "Single CNN": 1,
        "Single Transformer": 1,
        "CNN": 4,
        "Robust CNNs": 3,
        "Transformers": 4,
        "Robust Transformers": 4,
    }
    assert all(key in ZOO for keys in MODEL_SETS.values() for key in keys)
    assert all(ZOO[key].robust for key in MODEL_SETS["Robust CNNs"] + MODEL_SETS["Robust Transformers"])
    with pytest.raises(ValueError, match="Robust Transformers"):
        zoo.model_set("robust")


def test_skeletons_have_every_network_and_no_values(zoo, tmp_path):
    empty = ModelZoo("mini", weights=tmp_path)
    skeletons = empty.skeletons()
    assert (list(skeletons), skeletons.missing) == (list(ZOO), [])
    assert all(tensor.is_meta for tensor in skeletons["resnet18"].state_dict().values())
    assert skeletons["resnet18"].layer("late") == zoo["resnet18"].layer("late")
    assert "resnet18" not in empty
    assert skeletons.fingerprint("resnet18") == "absent-resnet18"
    assert zoo.skeletons().fingerprint("resnet18") == zoo.fingerprint("resnet18")
    assert repr(skeletons["vgg19"].module) == repr(zoo["vgg19"].module)


def test_an_initialised_network_stands_in_for_one_without_weights(tmp_path, zoo):
    network = ModelZoo("mini", weights=tmp_path).initialised("resnet18")
    assert network(torch.rand(1, 3, 64, 64)).shape == (1, 16)
    assert network.layer("early") == zoo["resnet18"].layer("early")


@pytest.mark.parametrize("key", MINIATURES)
def test_miniatures_are_small_and_return_sixteen_logits(key):
    network, blocks = build_miniature(key)
    assert sum(p.numel() for p in network.parameters()) <= 800_000
    assert network.eval()(torch.rand(2, 3, SIDE, SIDE)).shape == (2, 16)
    assert len(set(blocks)) == len(blocks) >= 5


@pytest.mark.parametrize("key", [*ZOO, *EXTRA_INSTANCES])
def test_bundled_networks_do_what_their_card_says(key, zoo, drawings):
    row = WeightsFolder().card()[key]
    assert row["multiply_adds"] <= 40_000_000
    measured = (zoo[key].predict(drawings.images) == drawings.labels).float().mean().item()
    if key in RANDOM_SEEDS:
        assert measured < 0.3
    else:
        assert row["recipe"] == RECIPES[key].to_dict(), "the card tells of another recipe than the code"
        # 128 images: five standard errors of a binomial share, and never better than chance allows.
        spread = 5 * (row["accuracy"] * (1 - row["accuracy"]) / len(drawings)) ** 0.5 + 2 / len(drawings)
        assert abs(measured - row["accuracy"]) <= spread


def test_every_trained_miniature_has_a_recipe():
    assert set(RECIPES) == set(MINIATURES) - set(RANDOM_SEEDS)


@pytest.mark.parametrize("edition", ["mini", "paper-untrained"])
def test_other_defaults_of_torch_change_no_network(edition):
    expected = ModelZoo(edition)["squeezenet"].module.state_dict()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            found = ModelZoo(edition)["squeezenet"].module.state_dict()
            built = ModelZoo(edition).build("resnet18").state_dict()
    finally:
        torch.set_default_dtype(torch.float32)
    assert {value.dtype for value in built.values()} <= {torch.float32, torch.int64}
    for name, value in expected.items():
        assert value.dtype == found[name].dtype
        assert torch.equal(value, found[name])


def test_bundled_weights_are_light():
    files = list((zoo_folder() / "mini").glob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) <= 25_000_000


def test_random_networks_are_the_same_each_time():
    first, second = build_miniature("alexnet_random")[0], build_miniature("alexnet_random")[0]
    for one, other in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_evaluators_leave_the_generating_set_out(zoo):
    excluded = [key for key in zoo.model_set("CNN") if key in zoo]
    names = [evaluator.name for evaluator in zoo.evaluators(exclude=zoo.model_set("CNN"))]
    assert len(names) == len(zoo) - len(excluded)
    assert not set(names) & set(excluded)
    with pytest.raises(KeyError, match="Did you mean"):
        zoo.evaluators(exclude=["resnet-18"])


def test_stage_table_is_frozen(zoo):
    """Every result names its stage; a changed table would change the results without a word."""
    table = zoo.stage_table().set_index("key")
    assert len(table) == 31
    expected = {
        "alexnet": ("features.4", "features.9", "classifier.3"),
        "vgg19": ("features.12", "features.29", "features.48"),
        "resnet50": ("layer1.2", "layer3.0", "layer3.5"),
        "resnet18": ("layer1.0", "layer2.1", "layer4.0"),
        "resnext50": ("layer1.2", "layer3.0", "layer3.5"),
        "convnext_base": ("stages.0.blocks.1", "stages.2.blocks.0", "stages.2.blocks.3"),
        "deit_small": ("blocks.0", "blocks.2", "blocks.4"),
        "vit_base": ("blocks.0", "blocks.2", "blocks.4"),
        "vit_base_robust": ("blocks.0", "blocks.2", "blocks.4"),
        "swin_base": ("layers.0.blocks.0", "layers.1.blocks.1", "layers.2.blocks.0"),
        "xcit_small": ("blocks.0", "blocks.2", "blocks.4"),
        "mlp_mixer": ("blocks.0", "blocks.2", "blocks.4"),
        "meal_v2_efficientnet_b0": ("features.2.0", "features.4.0", "features.5.2"),
        "cornet_s": ("V1.3", "V2", "V4"),
        "squeezenet": ("features.3", "features.7", "features.10"),
        "mobilenet_v2": ("features.3", "features.7", "features.12"),
        "shufflenet_v2": ("stage2.2", "stage3.3", "stage4.1"),
        "densenet121": ("features.denseblock1", "features.denseblock2", "features.transition3"),
    }
    twins = {"wide_resnet50": "resnet50", "meal_v1_resnet50": "resnet50", "meal_v2_resnet50": "resnet50"}
    for key in table.index:
        stem = key.removesuffix("_robust").removesuffix("_random")
        wanted = expected[key] if key in expected else expected[twins.get(stem, stem)]
        assert tuple(table.loc[key, ["early", "middle", "late"]]) == wanted, key


def test_missing_weights_name_the_command(tmp_path):
    empty = ModelZoo("mini", weights=tmp_path)
    assert list(empty) == list(RANDOM_SEEDS)
    assert "vgg19" in empty.missing
    with pytest.raises(MissingWeightsError, match="metamerlib train vgg19"):
        empty["vgg19"]
    with pytest.raises(MissingWeightsError, match="metamerlib train vgg19"):
        empty.fingerprint("vgg19")


def test_changed_or_broken_weights_are_refused(tmp_path):
    network, _ = build_miniature("squeezenet")
    folder = WeightsFolder(tmp_path)
    folder.write(network, "squeezenet")
    folder.record("squeezenet", {"accuracy": 0.5})
    ModelZoo("mini", weights=tmp_path)["squeezenet"]
    file = folder.file("squeezenet")
    intact = file.read_bytes()
    file.write_bytes(intact[:-2] + b"xx")
    with pytest.raises(CorruptWeightsError, match="sha256"):
        ModelZoo("mini", weights=tmp_path)["squeezenet"]
    card = json.loads((tmp_path / "card.json").read_text())
    del card["squeezenet"]["sha256"]
    (tmp_path / "card.json").write_text(json.dumps(card))
    file.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(CorruptWeightsError, match="not a readable"):
        ModelZoo("mini", weights=tmp_path)["squeezenet"]
    shutil.rmtree(tmp_path)


def test_names_that_do_not_exist(zoo):
    with pytest.raises(KeyError, match="Did you mean 'resnet18'"):
        zoo["resnet-18"]
    assert "resnet-18" not in zoo
    with pytest.raises(ValueError, match="'mini'"):
        ModelZoo("big")


def test_table_describes_all_31(zoo):
    table = zoo.table()
    assert list(table["key"]) == list(ZOO)
    assert table["paper_parameters"].sum() == sum(entry.parameters for entry in ZOO.values())
    assert (table["random"].sum(), table["robust"].sum()) == (2, 9)


@pytest.mark.parametrize("edition", ["mini", "paper-untrained"])
@pytest.mark.parametrize("key", ["squeezenet", "meal_v2_efficientnet_b0", "deit_small", "resnet50_random"])
def test_an_outline_is_the_network_without_its_weights(edition, key):
    zoo = ModelZoo(edition)
    outline, weights = zoo.skeleton(key), zoo.fingerprint(key)
    assert zoo.loaded == ()
    model = zoo[key]
    assert model_fingerprint(outline, weights) == model_fingerprint(model, weights)
    assert [outline.layer(stage) for stage in STAGES] == [model.layer(stage) for stage in STAGES]
    assert (outline.name, outline.categories, outline.decision) == (model.name, model.categories, model.decision)
    assert all(value.is_meta for value in outline.parameters()) == (edition != "mini")


def test_no_more_networks_are_kept_than_the_memory_holds():
    keys = ["squeezenet", "mobilenet_v2", "shufflenet_v2"]
    size = {key: sum(t.numel() * t.element_size() for t in ModelZoo("mini")[key].state_dict().values()) for key in keys}
    zoo = ModelZoo("mini", memory=sum(size.values()) - 1)
    first = zoo[keys[0]]
    assert zoo[keys[1]] is zoo[keys[1]]
    assert zoo[keys[0]] is first
    zoo[keys[2]]
    assert zoo.loaded == (keys[0], keys[2]), "the network asked for longest ago is let go"
    narrow = ModelZoo("mini", memory=0)
    models = [narrow[key] for key in keys]
    assert narrow.loaded == (keys[2],)
    again = narrow[keys[0]]
    assert again is not models[0]
    for one, other in zip(models[0].state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="memory is -1"):
        ModelZoo("mini", memory=-1)
