"""Tables over many small runs: restricted search, random sets, ablations, ensemble sizes, transfer."""

import pytest
import torch

from metamerbook.ensembles.adversarial_examples import adversarial, restricted, restricted_example, restricted_runs
from metamerbook.ensembles.attacks import attacks
from metamerbook.ensembles.ensemble_size import ensemble_pool, ensemble_size_runs, ensemble_sizes
from metamerbook.ensembles.optimisers import (
    ablation_study,
    convergence,
    mode_runs,
    modes,
    optimizer_runs,
    optimizer_settings,
    optimizers,
)
from metamerbook.ensembles.transfer import mean_transfer, relation, transfer, transfer_generators, transfer_runs
from metamerbook.study.judging import evaluate
from metamerbook.study.smaller import first_of_each_category, scope, subset_study
from metamerlib import ModelZoo
from metamerlib.generation import GenerationConfig, UnusableModelError
from metamerlib.models import MissingWeightsError
from table_toys import images, toy, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    """The bundled zoo, of which no more than two untrained networks are loaded."""
    untrained = ("alexnet_random", "resnet50_random")
    return toy_study(
        tmp_path_factory.mktemp("store"),
        zoo=ModelZoo("mini"),
        model_sets={"x": untrained[:1]},
        evaluators=untrained,
        tables={"transfer_generators": untrained, "ablation_n_per_class": 1},
    )


def test_a_smaller_study_has_the_first_images_of_each_category(study):
    assert first_of_each_category(study.references, 2) == [0, 1, 2, 3]
    assert first_of_each_category(study.references, None) == list(range(6))
    small = subset_study(study, n_per_class=1, repetitions=1)
    assert torch.equal(small.references.images, study.references.images[:2])
    assert (small.settings.repetitions, small.store, small.zoo) == (1, study.store, study.zoo)
    assert subset_study(study, n_per_class=1, repetitions=1) is small
    assert (
        scope(small)
        == "Computed on 2 images of 2 categories, with 1 repetition × 1 step per network; 5 networks classify."
    )


def test_a_smaller_study_of_all_images_and_the_same_budget_computes_nothing_anew(study):
    small = subset_study(study, n_per_class=None)
    assert small.run("pair", "late").key == study.run("pair", "late").key


def test_balls_are_kept_to(study):
    references = study.references.images[:2]
    for (epsilon, center), run in restricted_runs(study).items():
        config = run.config
        assert (config.epsilon, config.projection) == (epsilon, "linf")
        if epsilon < 1:
            assert config.center == center
            metamers = restricted_example(study, 0).metamers[epsilon, center][None]
            middle = references[:1] if center == "reference" else torch.full_like(references[:1], 0.5)
            assert (metamers - middle).abs().max() <= epsilon + (0 if center == "reference" else 0.1) + 1e-6


def test_in_the_largest_ball_the_centre_makes_no_difference(study):
    runs = restricted_runs(study)
    assert len({run.key for run in runs.values()}) == 5
    table = restricted(study)
    assert len(table) == 3 * 2 * 5
    wide = table[table["epsilon"] == 10_000].pivot(index="evaluator", columns="center", values="recognizability")
    assert (wide["initial"] == wide["reference"]).all()
    small = table[(table["epsilon"] < 0.1) & (table["center"] == "reference")]
    assert small["residual"].iloc[0] < table[table["center"] == "initial"]["residual"].min()


def test_the_restricted_search_takes_the_set_and_stage_of_the_figure(study):
    table = restricted(study)
    assert (table["model_set"].unique().tolist(), table["stage"].unique().tolist()) == (["pair"], ["late"])
    assert table.groupby("evaluator")["held_out"].first().to_dict() == dict(a=False, b=False, c=True, d=True, e=True)


def test_attacks_are_on_the_same_images_and_networks(study):
    table, example = adversarial(study), restricted_example(study, 1)
    assert table["epsilon"].unique().tolist() == list(study.settings.tables.epsilons)
    assert not table.set_index("evaluator")["held_out"][["a", "b"]].any()
    epsilon = table["epsilon"].min()
    assert (example.attacks[epsilon] - example.reference).abs().max() <= epsilon + 1e-6
    assert example.category == "car"
    assert example.targets[epsilon] in study.references.categories
    attack = subset_study(study, n_per_class=None).result(attacks(study, "pair")[0])
    fooled = study.networks.models["c"].predict(attack["images"]) == attack["targets"]
    shown = evaluate(study, [({}, attacks(study, "pair")[0])]).set_index("evaluator").loc["c", "fooled"]
    assert shown == fooled.double().mean()


def test_a_picture_outside_the_restricted_search_is_refused(tmp_path):
    toys = toy_study(tmp_path, tables={"restricted_n_per_class": 1})
    with pytest.raises(IndexError, match=r"image is 4: the restricted search has the images \[0, 1\]"):
        restricted_example(toys, 4)


def test_optimizers_take_steps_of_one_length():
    """A gradient that always points one way moves an image equally far with each of them, once they are under way."""
    ways = optimizer_settings(GenerationConfig(learning_rate=0.5, schedule="constant"), 300)
    gradient = torch.full((300,), 300**-0.5)
    lengths = {}
    for name, changes in ways.items():
        image = torch.nn.Parameter(torch.zeros(300))
        options = {"lr": changes["learning_rate"], **changes["optimizer_options"]}
        optimizer = getattr(torch.optim, changes["optimizer"])([image], **options)
        for _ in range(200):
            before, image.grad = image.detach().clone(), gradient.clone()
            optimizer.step()
        lengths[name] = (image.detach() - before).norm().item()
    assert lengths == {name: pytest.approx(0.5, rel=1e-3) for name in ("SGD", "SGD, momentum", "Adam")}


def test_every_optimizer_starts_from_every_initial_stimulus(study):
    table = optimizers(study)
    assert len(table) == 3 * 2 * 5
    assert (table["variant"] == table["initializer"]).all()
    residual = table.groupby("initializer")["residual"].mean()
    assert residual["mix"] < residual["l1_ball"]
    curves = convergence(study, optimizer_runs(study))
    starts = curves[curves["repetition"] == 0].groupby("initializer")["residual"].agg(["min", "max"])
    assert starts.loc["mix", "max"] < starts.loc["l1_ball", "min"]
    assert curves.columns.tolist()[:4] == ["optimizer", "initializer", "model_set", "stage"]


def test_modes_differ_in_the_mode_alone(study):
    (_, turns), (_, joint) = mode_runs(study)
    assert turns.config.replace(mode="joint") == joint.config
    assert modes(study).groupby("mode").size().to_dict() == {"joint": 5, "round_robin": 5}
    assert turns.key in {run.key for _, run in optimizer_runs(study)}


def test_every_network_is_in_as_many_ensembles_of_a_size(study):
    assert ensemble_pool(study) == ("a", "b", "c")
    runs = ensemble_size_runs(study)
    assert [labels["size"] for labels, _ in runs] == [1, 1, 1, 2, 2, 2, 3]
    for size in (1, 2, 3):
        members = [model.key for labels, run in runs if labels["size"] == size for model in run.models]
        assert len({members.count(key) for key in "abc"}) == 1
    table = ensemble_sizes(study)
    assert set(table.loc[table["outside"], "evaluator"]) == {"d", "e"}
    assert table.loc[table["outside"], "held_out"].all()
    assert not table.duplicated(["model_set", "evaluator"]).any()


def test_transfer_is_a_matrix_of_generators_and_evaluators(study):
    assert transfer_generators(study) == (["a", "c"], [])
    table = transfer(study)
    assert table.groupby("generator", sort=False)["evaluator"].agg("".join).to_dict() == {"a": "abcde", "c": "abcde"}
    assert (table["relation"] == "itself").equals(~table["held_out"])
    means = mean_transfer(table).set_index(["generator", "relation"])
    others = table[(table["generator"] == "a") & table["held_out"]]["recognizability"]
    assert means.loc[("a", "other architecture"), "mean"] == pytest.approx(others.mean())


def test_relations_are_those_of_the_zoo(mini):
    there, missing = transfer_generators(mini)
    assert {*there, *missing} == {"alexnet_random", "resnet50_random", "resnet18", "resnet18_seed1", "resnet18_seed2"}
    pairs = {
        ("resnet18", "resnet18"): "itself",
        ("resnet18", "resnet18_seed2"): "other training",
        ("resnet18_seed1", "resnet18_robust"): "other training",
        ("resnet50", "meal_v1_resnet50"): "other training",
        ("vit_base", "vit_base_robust"): "other architecture",
        ("resnet18", "resnet50"): "other architecture",
    }
    assert {pair: relation(mini, *pair) for pair in pairs} == pairs


def test_generators_that_do_not_exist_are_refused(study):
    wrong = toy_study(study.store, tables={"transfer_generators": ("alexnett",)})
    with pytest.raises(ValueError, match=r"names the network 'alexnett'.*Did you mean 'alexnet'"):
        transfer(wrong)
    none = toy_study(study.store, tables={"transfer_generators": ("alexnet",)})
    assert transfer_generators(none) == ([], ["alexnet"])
    with pytest.raises(MissingWeightsError, match="metamerlib train alexnet"):
        transfer_runs(none)


def test_a_network_that_cannot_be_inverted_keeps_its_rows_with_the_reason(tmp_path):
    zoo = toy_study(tmp_path).zoo | {"c": toy("c", 9, silent=True)}
    toys = toy_study(tmp_path, zoo=zoo)
    table = transfer(toys).set_index("generator")
    assert table.loc["c", "recognizability"].isna().all()
    assert table.loc["c", "reason"].str.contains("no gradient reaches the pixels").all()
    assert table.loc["a", "recognizability"].notna().all()
    with pytest.raises(UnusableModelError):
        ablation_study(toys).execute([run for _, run in transfer_runs(toys)])
