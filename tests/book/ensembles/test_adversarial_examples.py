"""Chapter 08: its tables on toy networks, and that its figure draws what the tables hold."""

import pandas as pd
import pytest
import torch
from chapter_worlds import EPSILONS, attacked, drawn, example, holds, shown
from chapter_worlds import restricted as restricted_table

from figure_worlds import pixels, words
from metamerbook.ensembles.adversarial_examples import (
    AdversarialExamples,
    adversarial,
    attacks,
    facts,
    restricted,
    restricted_example,
    restricted_means,
    restricted_runs,
    restricted_study,
    tasks,
)
from metamerbook.ensembles.figures.adversarial_examples import figure_restricted, radius_in_words, table_restricted
from metamerbook.study.judging import evaluate
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


def test_tasks_are_all_that_the_tables_need(study, monkeypatch):
    restricted_study(study).execute(tasks(study))
    monkeypatch.setattr("metamerbook.study.tasks.MetamerRun.compute", None)
    monkeypatch.setattr("metamerbook.ensembles.adversarial_examples.Attack.compute", None)
    monkeypatch.setattr("metamerbook.study.judging.Predictions.compute", None)
    assert len(restricted(study)) + len(adversarial(study)) == (3 * 2 + 3) * 5


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
    assert table["epsilon"].unique().tolist() == list(study.settings.of(AdversarialExamples).epsilons)
    assert not table.set_index("evaluator")["held_out"][["a", "b"]].any()
    epsilon = table["epsilon"].min()
    assert (example.attacks[epsilon] - example.reference).abs().max() <= epsilon + 1e-6
    assert example.category == "car"
    assert example.targets[epsilon] in study.references.categories
    small, first = restricted_study(study), attacks(study)[0]
    attack = small.result(first)
    fooled = study.networks.models["c"].predict(attack["images"]) == attack["targets"]
    shown = evaluate(small, [({}, first)]).set_index("evaluator").loc["c", "fooled"]
    assert shown == fooled.double().mean()


def test_restricted_means_count_all_evaluators_and_those_without_part():
    rows = [
        {"center": center, "epsilon": epsilon, "evaluator": key, "held_out": held_out, "random": False}
        | {"recognizability": 0.5 if held_out else 1.0, "residual": 0.4}
        for center in ("reference", "initial")
        for epsilon in EPSILONS[::2]
        for key, held_out in (("alexnet", False), ("vgg19", True))
    ]
    attack = pd.DataFrame(rows).query("center == 'initial'").drop(columns=["center", "residual"])
    means = restricted_means(pd.DataFrame(rows), attack.assign(fooled=[0.8, 0.2] * 2))
    assert means["condition"].tolist() == ["initial"] * 2 + ["reference"] * 2 + ["attack"] * 2
    assert (means["mean"] == 0.75).all()
    assert (means["held_out"] == 0.5).all()
    assert means["residual"].tolist()[:4] == [0.4] * 4
    assert means.query("condition == 'attack'")[["fooled", "fooled_held_out"]].to_numpy().tolist() == [[0.5, 0.2]] * 2
    wanted = {"radius": 8 / 255, "left": 0.4, "kept": 0.75, "fooled": 0.5, "fooled-others": 0.2}
    assert facts(means) == wanted | {"around-initial": 0.75, "around-reference": 0.75}


def test_radii_are_written_as_the_literature_does():
    words = [radius_in_words(epsilon) for epsilon in (8 / 255, 0.3, 0.0312, 10_000.0)]
    assert words == ["8/255", "0.3", "0.0312", "10\u2009000"]


def test_figure_6_averages_over_all_evaluators_those_included_that_took_part():
    figure = figure_restricted(restricted_table(), attacked(), [])
    initial, reference, attack = figure.axes
    for axes, table in (
        (initial, restricted_table().query("center == 'initial'")),
        (reference, restricted_table().query("center == 'reference'")),
        (attack, attacked()),
    ):
        assert holds(drawn(axes), table.groupby("epsilon")["recognizability"].mean().to_numpy())
    assert holds(drawn(attack), attacked().groupby("epsilon")["fooled"].mean().to_numpy())


def test_figure_6_shows_a_picture_from_every_ball():
    one = example()
    figure = figure_restricted(restricted_table(), attacked(), [one])
    seen = shown(figure)
    wanted = [one.reference, *one.metamers.values(), *one.attacks.values()]
    assert len(seen) == len(wanted)
    assert all(any(torch.allclose(image, other) for other in seen) for image in wanted)
    assert words(figure).count("→ dog") == len(EPSILONS)


@pytest.mark.parametrize("epsilons", [(0.3,), (2 / 255, 4 / 255, 8 / 255, 0.1, 0.3)])
def test_figure_6_takes_any_radii(epsilons):
    figure = figure_restricted(restricted_table(epsilons), attacked(epsilons), [example(epsilons)])
    assert pixels(figure).shape[1] == 1440  # nothing sticks out


def test_the_table_names_conditions_and_radii():
    html = table_restricted(restricted_means(restricted_table(), attacked())).to_html()
    assert "Metamers, ball around the initial stimulus" in html
    assert "8/255" in html


def test_a_study_computes_nothing_of_other_images(tmp_path):
    toys = toy_study(tmp_path, tables={"restricted_n_per_class": 1})
    with pytest.raises(ValueError, match="is of other images than this study's"):
        toys.result(attacks(toys)[0])
