"""Chapter 01: what Fig. 1 is made of, on toy networks, and that it draws it."""

import pytest
import torch

from figure_worlds import cells, pixels, words
from figure_worlds import overview as made_up
from metamerbook.ensembles.figures.introduction import figure_process, table_answer
from metamerbook.ensembles.introduction import facts, overview, tasks
from metamerbook.ensembles.recognizability import mean_recognizability, recognizability
from metamerlib import CATEGORIES
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=16))


def test_overview_follows_one_picture_of_the_study(study):
    seen = overview(study, n_examples=2, n_snapshots=3)
    assert (seen.model_set, seen.stage, seen.model, seen.category) == ("pair", "late", "b", "car")
    assert torch.equal(seen.reference, study.references.images[1])
    metamers = study.metamers("pair", "late")
    assert torch.allclose(seen.trajectory.images[-1, 0], metamers.images[1], atol=1e-5)
    assert torch.equal(seen.example_metamers, metamers.images[:2])
    assert seen.trajectory.updates[-1] == metamers.updates
    residual = (seen.metamer_activation - seen.reference_activation).norm() / seen.reference_activation.norm()
    assert residual.item() == pytest.approx(metamers.residuals[1, 1].item(), rel=1e-4)


def test_overview_asks_evaluators_that_had_no_part(study):
    seen = overview(study)
    assert seen.verdicts["evaluator"].tolist() == ["c", "d", "e"]
    both = torch.stack([seen.reference, study.metamers("pair", "late").images[1]])
    classes = [CATEGORIES[index] for index in study.zoo["d"].predict(both)]
    assert seen.verdicts.iloc[1].tolist() == ["d", *classes]
    assert seen.distances.evaluator == "c"
    assert seen.distances.reference.shape == (6, 6)


def test_overview_of_two_pictures_or_without_evaluators_lacks_what_it_cannot_have(tmp_path):
    assert overview(toy_study(tmp_path, references=images(2, side=16))).distances is None
    alone = overview(toy_study(tmp_path, references=images(side=16), model_sets={"all": tuple("abcde")}))
    assert alone.distances is None
    assert alone.verdicts.empty
    assert list(alone.verdicts) == ["evaluator", "reference_class", "metamer_class"]


def test_facts_are_those_of_the_figure(study):
    study.execute(tasks(study))
    process, means = overview(study), mean_recognizability(recognizability(study))
    found = facts(process, means)
    assert (found["set"], found["category"], found["evaluators"]) == ("pair", "car", 3)
    assert found["agreeing"] == (process.verdicts["reference_class"] == process.verdicts["metamer_class"]).sum()
    assert found["lowest"] <= found["recognized"] <= found["highest"]
    assert [row[0] for row in cells(table_answer(means))] == ["set", "pair", "one"]


@pytest.mark.parametrize(
    "models", [("vgg19",), ("alexnet", "resnet18"), ("alexnet", "vgg19", "resnet50", "resnet18", "mine")]
)
@pytest.mark.parametrize("alone", [False, True])
def test_figure_1_can_be_drawn_of_any_run(models, alone):
    figure = figure_process(made_up(models, stage=0.35, alone=alone))
    written = words(figure)
    assert ("1 of 2 trained evaluators agree" in written) is not alone
    assert any("0.10" in text for text in written)
    assert "0.25" in written
    assert (pixels(figure) < 255).any()


def test_figure_1_says_how_different_the_distributions_are():
    near, far = made_up(), made_up()
    far.distances.cross.add_(100)
    bits = [next(text for text in words(figure_process(one)) if "divergence" in text) for one in (near, far)]
    assert bits[1] == "divergence 1.00 bit in VGG-19"
    assert bits[0] != bits[1]
