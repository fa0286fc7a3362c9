"""Sentences follow from tables: another table, another sentence; nothing to say is said in words, too."""

import pandas as pd
import pytest
import torch

from metamerbook.ensembles import sentences
from metamerbook.ensembles.introduction import Overview
from metamerbook.ensembles.sentences import wording
from metamerbook.study.judging import featured_set
from metamerbook.study.study import Study
from metamerlib import CATEGORIES, StimulusSet
from metamerlib.generation import GenerationConfig
from metamerlib.models import MissingWeightsError


def means(**values):
    """Give `mean_recognizability`'s columns for {set: {stage: mean}}; underscores stand for spaces."""
    rows = [
        {"model_set": name.replace("_", " "), "stage": stage, "evaluators": "all", "mean": mean}
        for name, stages in values.items()
        for stage, mean in stages.items()
    ]
    return pd.DataFrame(rows, columns=["model_set", "stage", "evaluators", "mean"])


def overall(*, trained=None, **values):
    """Give `overall_recognizability`'s columns for {stage: mean}."""
    rows = [{"stage": stage, "evaluators": "all", "mean": mean} for stage, mean in values.items()]
    rows += [{"stage": stage, "evaluators": "trained", "mean": mean} for stage, mean in (trained or values).items()]
    return pd.DataFrame(rows)


def test_comparisons_are_those_whose_two_sets_were_run():
    table = means(Single_CNN={"late": 0.1}, CNN={"late": 0.612}, mine={"late": 0.5})
    assert sentences.comparisons(table, "late") == "- *CNN* 0.61, *Single CNN* 0.10: higher by 0.51"
    table["mean"] = [0.612, 0.1, 0.5]
    assert sentences.comparisons(table, "late") == "- *CNN* 0.10, *Single CNN* 0.61: lower by 0.51"


def test_without_a_pair_the_sets_are_listed():
    table = means(mine={"late": 0.5, "early": 1}, CNN={"late": 0.25})
    assert sentences.comparisons(table, "late") == "- *mine*: 0.50\n- *CNN*: 0.25"
    assert sentences.comparisons(means(mine={"late": float("nan")}), "late").startswith("No evaluator")


def test_the_trend_goes_from_the_shallowest_stage_to_the_deepest():
    table = means(falls={"late": 0.2, "early": 0.9}, rises={"early": 0.3, "late": 0.35})
    assert sentences.trend(table) == (
        "From the early stage to the late stage, recognizability falls for *falls* (0.90 → 0.20). It does not fall by "
        "a tenth or more for *rises* (0.30 → 0.35)."
    )
    swapped = table.assign(stage=table["stage"].map({"late": 0.1, "early": "late"}))
    assert sentences.trend(swapped) == (
        "From 10% of the depth to the late stage, recognizability does not fall by a tenth or more for any set: "
        "*falls* (0.20 → 0.90) and *rises* (0.35 → 0.30)."
    )


@pytest.mark.parametrize("stages", [("late",), ("layer1", "layer2")])
def test_there_is_no_trend_over_one_depth(stages):
    assert "no trend" in sentences.trend(means(one=dict.fromkeys(stages, 0.5)))


def test_our_means_are_held_against_the_papers():
    text = sentences.beside_published(overall(early=0.577, middle=0.547, late=0.319))
    assert "0.10 above it at the early stage, level with it at the middle stage and 0.10 below it at the late" in text
    assert text.endswith("In the paper the order is middle > early > late; here it is early > middle > late.")
    assert sentences.beside_published(overall(early=0.5, middle=0.6, late=0.4)).endswith("; so it is here.")
    assert "order" not in sentences.beside_published(overall(early=0.5, late=0.4))
    assert sentences.beside_published(pd.DataFrame({"stage": [0.3], "evaluators": ["all"], "mean": [1]})).startswith(
        "None"
    )


def test_leaving_out_untrained_evaluators_is_reported_by_its_largest_effect():
    table = overall(early=0.5, late=0.4, trained={"early": 0.51, "late": 0.37})
    assert "at most −0.030 (late)" in sentences.untrained(table)
    assert "No evaluator of this run is untrained" in sentences.untrained(overall(early=0.5))
    assert "No evaluator" in sentences.untrained(table[table["evaluators"] == "all"])


def test_criteria_are_compared_by_their_largest_change():
    table = pd.DataFrame(
        {
            "model_set": ["CNN", "CNN"],
            "stage": ["early", "late"],
            "reference": [0.5, 0.5],
            "label": [0.5, 0.4],
            "generator": [0.6, 0.1],
        }
    )
    text = sentences.criteria(table)
    assert "0.15 on average, by at most 0.40 (*CNN* at the late stage: 0.50" in text
    assert "0.10 by the class that the generating networks give it" in text
    same = table.assign(label=table["reference"], generator=table["reference"])
    assert sentences.criteria(same) == "In this run all three give the same means."
    assert "nothing to compare" in sentences.criteria(table.assign(label=float("nan"), generator=float("nan")))


def test_matches_are_counted_by_stage_and_the_extremes_are_named():
    table = pd.DataFrame(
        {
            "model_set": ["CNN", "CNN", "CNN", "CNN"],
            "stage": ["early", "early", 0.3, 0.3],
            "model": ["alexnet", "mine"] * 2,
            "residual_mean": [0.05, 0.2, 0.3, 0.01],
        }
    )
    text = sentences.matching(table)
    assert "below 0.1 for 1 of 2 at the early stage and 1 of 2 at 30% of the depth of the networks" in text
    assert "The best match is 0.010 (mine in *CNN*, 30%), the worst 0.300 (AlexNet in *CNN*, 30%)." in text
    assert "below 0.5 for 2 of 2" in sentences.matching(table, below=0.5)
    assert sentences.matching(table[:1]).endswith("the residual ends at 0.050 (AlexNet in *CNN*, early).")


def test_a_descent_is_told_by_its_ends_and_its_beginning():
    history = pd.DataFrame(
        {
            "update": [0, 0, 1, 2, 19, 20],
            "model": ["alexnet", "mine"] * 3,
            "residual": [1.0, 1.2, 0.6, 0.7, 0.2, 0.2],
        }
    )
    text = sentences.descent(history)
    assert "start between 1.00 and 1.20, and end between 0.200 (AlexNet) and 0.200 (AlexNet)" in text
    assert text.endswith("The first tenth of the updates covers 50% of the way.")
    alone = history[history["model"] == "mine"]
    assert sentences.descent(alone).startswith("The residual of mine falls from 1.20 to 0.200.")


def test_the_schedule_is_told_as_it_is():
    config = GenerationConfig(repetitions=5)
    assert sentences.schedule(config) == "falls by the same factor after each repetition, from 1 to 0.005"
    assert sentences.schedule(config.replace(schedule="halving")).startswith("falls in halves, from 1 to ")
    assert sentences.schedule(config.replace(schedule="constant")) == "stays at 1"
    assert sentences.schedule(config.replace(repetitions=1)) == "stays at 1"


def test_a_judgement_counts_agreement():
    verdicts = pd.DataFrame(
        {"evaluator": ["a", "b"], "reference_class": ["cat", "dog"], "metamer_class": ["cat", "cat"]}
    )
    nothing = dict.fromkeys(Overview.__dataclass_fields__)
    assert "For the cat of the figure, 1 of 2" in sentences.evaluate(
        Overview(**nothing | {"category": "cat", "verdicts": verdicts})
    )
    assert "no trained network" in sentences.evaluate(
        Overview(**nothing | {"category": "cat", "verdicts": verdicts[:0]})
    )


def test_captions_say_profile_pictures_budget_and_judges(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path)
    judges = len(study.evaluators)
    assert (
        sentences.provenance(study) == f"Profile smoke: 4 drawings at 64 px, 12 updates per model, {judges} evaluators."
    )
    assert sentences.members(study, "Single CNN") == "VGG-19"
    assert "were drawn by a program" in sentences.stimuli(study)


def test_pictures_of_ones_own_are_called_so(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path)
    given = Study.from_profile("smoke", store=tmp_path, references=study.references[:1])
    assert "1 image at 64 px" in sentences.provenance(given)
    assert "1 picture of 64 × 64 pixels were handed over" in sentences.stimuli(given).replace("was", "were")


@pytest.mark.parametrize(
    ("zoo", "name", "comparison", "weight"),
    [
        ("mini", "paper", "smaller world", "does not hold in miniature"),
        ("paper", "paper", "The networks are the paper's", "The networks are the paper's"),
        ("paper-untrained", "paper (random weights)", "they agree or disagree with nothing", "a verdict about nothing"),
    ],
)
def test_what_numbers_can_tell_follows_from_the_networks(tmp_path, zoo, name, comparison, weight):
    images = StimulusSet(torch.rand(1, 3, 224, 224), torch.tensor([0]), CATEGORIES, ("a",))
    profile = tmp_path / "paper.yml"
    profile.write_text(f"zoo: {zoo}\nevaluators: [alexnet_random]\nmodel_sets: [alexnet_random]\n")
    study = Study.from_profile(profile, references=images, store=tmp_path, progress=False)
    assert sentences.provenance(study).startswith(f"Profile {name}: 1 image at 224 px, ")
    assert comparison in sentences.comparable(study)
    assert weight in sentences.weight_of_verdicts(study)
    assert study.describe().startswith("**A rehearsal with random weights") == (zoo == "paper-untrained")
    assert sentences.reduced(study, 128).startswith("Pictures of 224 px are reduced to 128")
    assert sentences.reduced(study, 224) == ""


def test_missing_weights_name_what_brings_them(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "none"))
    images = StimulusSet(torch.rand(1, 3, 224, 224), torch.tensor([0]), CATEGORIES, ("a",))
    study = Study.from_profile("paper", root=str(tmp_path), references=images, store=tmp_path, progress=False)
    assert "averages run over 2 of 31, without alexnet, alexnet_robust, vgg19" in study.describe()
    assert study.describe().endswith("`metamerlib zoo fetch` fetches them, or says which file to put where.")
    with pytest.raises(MissingWeightsError, match="`metamerlib zoo fetch` fetches them"):
        _ = study.runs
    with pytest.raises(ValueError, match="`metamerlib zoo fetch` fetches them"):
        featured_set(study)
    with pytest.raises(MissingWeightsError, match="`metamerlib zoo fetch vgg19` fetches them"):
        study.run("Single CNN", "late")


def test_missing_networks_are_named(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path)
    assert sentences.left_out(study) == ""
    lacking = study.model_sets["CNN"].__class__("CNN", ("alexnet", "resnet18", "vgg19"), ("alexnet", "resnet18"))
    study.model_sets["CNN"] = lacking
    assert "CNN: 2 of 3 networks, without vgg19" in sentences.left_out(study)
    assert sentences.members(study, "CNN") == "AlexNet and ResNet-18 (without VGG-19)"


@pytest.mark.parametrize(
    ("stage", "words", "name"),
    [("late", "the late stage", "late"), (0.35, "35% of the depth", "35%"), ("layer1", "`layer1`", "layer1")],
)
def test_stages_in_words(stage, words, name):
    assert (sentences.stage_in_words(stage), wording.stage_name(stage)) == (words, name)


def test_lists_orders_and_differences():
    assert [wording.enumerated(parts) for parts in ([], "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert wording.order({"early": 0.5, "late": 0.502, "middle": 0.9}) == "middle > late = early"
    assert wording.difference(0.004) == "no difference"
    assert wording.difference(-0.12, "above", "below") == "0.12 below"
    assert [wording.counted(count, "picture") for count in (0, 1, 2)] == ["0 pictures", "1 picture", "2 pictures"]
    assert sentences.network_label("vit_base") == "ViT-Base"
