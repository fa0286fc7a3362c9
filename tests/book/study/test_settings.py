"""Settings of a study: profiles, changes to them, and what is refused at the door."""

import dataclasses

import numpy as np
import pytest
import torch

from metamerbook.ensembles.optimisers import Optimisers
from metamerbook.study.profiles import read_profile, read_yaml
from metamerbook.study.settings import StudySettings
from metamerbook.study.study import Study
from metamerlib import CATEGORIES, GenerationConfig, ModelZoo

PROFILES = ("smoke", "mini", "paper", "rehearsal")


def settings(profile="mini", **changes):
    return StudySettings.from_profile(profile, **changes)


def test_the_profiles_hold_the_same_keys():
    keys = {name: set(read_profile(name)) - {"size"} for name in PROFILES}
    assert keys["smoke"] == keys["mini"] == keys["paper"] == keys["rehearsal"]


def test_the_rehearsal_is_the_papers_run_but_for_weights_and_budgets():
    paper, rehearsal = (read_profile(name) for name in ("paper", "rehearsal"))
    assert (paper["zoo"], rehearsal["zoo"]) == ("paper", "paper-untrained")
    changed = {key for key, value in paper.items() if rehearsal[key] != value} - {"zoo"}
    budgets = ("repetitions", "steps_per_model", "n_per_class", "attack_steps", "permutations", "batch_size")
    numbers = ("mixed_sets", "mixed_largest", "largest_ensemble", "transfer_generators")
    assert all(key.endswith(budgets) or key in numbers for key in changed), changed


def test_the_paper_profile_is_table_3(tmp_path):
    paper = settings("paper", root=str(tmp_path))
    assert paper.config == GenerationConfig()
    assert (paper.n_per_class, paper.size, paper.stimuli) == (25, 224, "folder")


def test_mini_takes_the_whole_zoo_and_48_drawings():
    mini = settings()
    assert (mini.model_sets, mini.evaluators) == (None, None)
    assert len(mini.load_references()) == 48


def test_smoke_is_small_and_labels_its_few_categories_within_the_sixteen():
    references = settings("smoke").load_references()
    assert len(references) == 4
    assert references.categories == CATEGORIES
    assert references.category_names == ["airplane", "cat", "clock", "truck"]


def test_the_default_settings_are_those_of_the_default_profile_but_for_the_budget():
    mini, default = settings(), StudySettings()
    assert dataclasses.replace(mini, config=default.config, size=None, sections={}) == default


def test_none_keeps_what_the_profile_says():
    assert settings(stages=None, repetitions=None, n_per_class=None) == settings()


def test_every_generation_setting_can_be_changed_by_name():
    changed = settings(epsilon=0.3, center="reference", optimizer="Adam", optimizer_options={"betas": [0.8, 0.9]})
    assert changed.config.epsilon == 0.3
    assert changed.config.optimizer_options == {"betas": (0.8, 0.9)}
    assert changed.config.repetitions == settings().config.repetitions


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["late"], ("late",)),
        ("late", ("late",)),
        ('["early", "late"]', ("early", "late")),
        ("['early', 0.35]", ("early", 0.35)),
        ("early, late", ("early", "late")),
        (0.35, (0.35,)),
        ("early, 0.35", ("early", 0.35)),
        (("middle",), ("middle",)),
        ("layer3.1", ("layer3.1",)),
    ],
)
def test_stages_may_arrive_as_text_as_from_a_command_line(given, wanted):
    assert settings(stages=given).stages == wanted


def test_how_it_is_computed_can_be_chosen_without_changing_the_rule():
    own = settings(batch_size="auto", precision="bfloat16", compile=True)
    assert (own.batch_size, own.precision, own.compile) == ("auto", "bfloat16", True)
    assert own.config == settings().config
    assert settings("paper", photographs_needed=False, batch_size="all").batch_size is None
    assert settings(batch_size=7).batch_size == 7


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("CNN", ("CNN",)),
        ("CNN, Robust CNNs", ("CNN", "Robust CNNs")),
        ({"mine": ["resnet18", "vgg19"]}, {"mine": ("resnet18", "vgg19")}),
        ('{"mine": ["resnet18", "vgg19"]}', {"mine": ("resnet18", "vgg19")}),
        ({"mine": "resnet18"}, {"mine": ("resnet18",)}),
    ],
)
def test_model_sets_may_be_names_or_sets_of_ones_own(given, wanted):
    assert settings(model_sets=given).model_sets == wanted


def test_ilsvrcs_validation_images_are_recognised(tmp_path):
    (tmp_path / "val" / "n02690373").mkdir(parents=True)
    assert settings("paper", root=str(tmp_path)).stimuli == "imagenet16"
    assert (settings(root=str(tmp_path)).stimuli, settings(root=str(tmp_path)).n_per_class) == ("imagenet16", None)
    assert settings("paper", root=str(tmp_path), stimuli="folder").stimuli == "folder"
    with pytest.raises(ValueError, match="stimuli='imagenet16' needs root"):
        settings("paper")


def test_photographs_replace_drawings_and_all_of_them_are_taken(tmp_path):
    own = settings(root=str(tmp_path))
    assert (own.stimuli, own.n_per_class, own.root) == ("folder", None, str(tmp_path))
    assert settings(root=str(tmp_path), n_per_class=2).n_per_class == 2
    assert settings("paper", root=str(tmp_path), n_per_class="all").n_per_class is None


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"repetition": 3}, ValueError, "'repetition'.*Did you mean 'repetitions'.*There are: zoo, stimuli"),
        ({"stages": ["lat"]}, ValueError, "stages is .*Did you mean 'late'"),
        ({"stages": ["Late "]}, ValueError, "Did you mean 'late'"),
        ({"stages": []}, ValueError, "at least one"),
        ({"stages": ["late", "late"]}, ValueError, "twice"),
        ({"stages": [1.5]}, ValueError, "depth"),
        ({"stages": [True]}, ValueError, "stages"),
        ({"stages": '["late"'}, ValueError, "not valid YAML"),
        ({"n_per_class": 0}, ValueError, "n_per_class is 0: it should be greater than or equal to 1"),
        ({"n_per_class": 2.5}, ValueError, "n_per_class is 2.5: it should be a valid integer"),
        ({"n_per_class": True}, ValueError, "n_per_class"),
        ({"seed": -1}, ValueError, "seed"),
        ({"batch_size": "many"}, ValueError, "batch_size is 'many': give a whole number from 1, 'auto' or 'all'"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"precision": "bfloat"}, ValueError, "Did you mean 'bfloat16'"),
        ({"compile": 1}, ValueError, "compile is 1: it should be a valid boolean"),
        ({"criterion": "labels"}, ValueError, "Did you mean 'label'"),
        ({"decision": "mean_probabilities"}, ValueError, "Did you mean 'mean_probability'"),
        (
            {"decision": "1000-way"},
            ValueError,
            "decision is '1000-way': it should be 'max_logit'",
        ),
        ({"stimuli": "folder"}, ValueError, "needs root"),
        ({"root": "/does/not/exist"}, ValueError, "not a folder"),
        ({"model_sets": {}}, ValueError, "model_sets is {}: give a list with at least one"),
        ({"model_sets": {"mine": []}}, ValueError, "at least one"),
        ({"model_sets": [3]}, ValueError, "give text"),
        ({"epsilon": -1}, ValueError, "epsilon"),
        ({"repetitions": "many"}, (TypeError, ValueError), "repetitions"),
        ({"optimizer": "Adm"}, ValueError, "Adm"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_the_fix(changes, error, words):
    with pytest.raises(error, match=f"(?s){words}"):
        settings(**changes)


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(ValueError, match=r"'min' does not exist\. Did you mean 'mini'.*mini, paper, rehearsal, smoke"):
        settings("min")


def test_a_profile_may_be_a_file_of_ones_own(tmp_path):
    own = tmp_path / "mine.yml"
    own.write_text("stages: [late]\nrepetitions: 3\nmodel_sets:\n  mine: [alexnet_random]\n")
    read = settings(own, steps_per_model=1)
    assert (read.stages, read.config.repetitions, read.config.steps_per_model) == (("late",), 3, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\nsize: 64\nseed: 2", "mine.yml is not valid YAML: the key 'seed' is there twice"),
        ("optimisers: {ablation: {repetitions: 3}}\nablation_repetitions: 4", "ablation_repetitions is in .*twice"),
        ("optimisers: 3", "'optimisers' is not among profile .*mine.yml"),
        ("stage: late", "'stage'.*mine.yml.*Did you mean 'stages'"),
        ("- late", "mine.yml holds a list"),
        ("a: [", "mine.yml is not valid YAML"),
    ],
)
def test_a_broken_profile_is_named(tmp_path, text, words):
    own = tmp_path / "mine.yml"
    own.write_text(text)
    with pytest.raises(ValueError, match=words):
        settings(own)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_sets": ["CNNs"]}, "'CNNs' does not exist. Did you mean 'CNN'.*'Single CNN'"),
        ({"model_sets": {"mine": ["resnet17"]}}, "'mine' names the network 'resnet17'.*Did you mean 'resnet18'"),
        ({"evaluators": ["resnet17"]}, "evaluators names the network 'resnet17'.*Did you mean"),
        ({"evaluators": ["CNN"]}, "evaluators names the network 'CNN'"),
        ({"stages": ["layer99"], "model_sets": ["alexnet_random"]}, "'layer99' does not exist in model"),
        ({"zoo": "maxi"}, "maxi"),
        ({"device": "tpu"}, "device='tpu'"),
        ({"decision": "mean_probability"}, "'mean_probability', which has no meaning for the zoo 'mini'"),
    ],
    ids=str,
)
def test_a_study_refuses_networks_and_layers_that_do_not_exist(tmp_path, changes, words):
    with pytest.raises(ValueError, match=f"(?s){words}"):
        Study.from_profile("mini", store=tmp_path, **changes)


def test_a_decision_reaches_the_networks_of_the_zoo_and_is_said(tmp_path):
    small = {"zoo": "paper-untrained", "model_sets": ["squeezenet"], "evaluators": ["squeezenet"], "stages": ["early"]}
    study = Study.from_profile("smoke", store=tmp_path, decision="mean_probability", **small)
    assert study.zoo["squeezenet"].decision == "mean_probability"
    assert study.describe().count("with the decision “mean_probability”") == 1
    assert "decision" not in Study.from_profile("smoke", store=tmp_path, **small).describe()


def test_a_decision_that_the_given_networks_do_not_take_is_refused(tmp_path):
    with pytest.raises(ValueError, match="decision is 'mean_probability', but the networks of the given zoo decide"):
        Study(settings("smoke", decision="mean_probability"), zoo=ModelZoo("mini"), store=tmp_path)


def test_seed_and_stimuli_seed_can_be_set_apart():
    same = settings("smoke", seed=1, stimuli_seed=0).load_references()
    assert torch.equal(same.images, settings("smoke").load_references().images)
    assert not torch.equal(same.images, settings("smoke", seed=1).load_references().images)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-2", 0.01),
        ("1E+3", 1000.0),
        (".5", 0.5),
        ("-3", -3),
        ("010", 10),
        (".inf", float("inf")),
        ("[yes, no, on, off]", ["yes", "no", "on", "off"]),
        ("[true, False]", [True, False]),
        ("8/255", "8/255"),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("", None),
    ],
)
def test_plain_values_are_read_as_yaml_1_2_says(text, value):
    assert read_yaml(text, "here") == value


@pytest.mark.parametrize("text", ["a: [", "{a: 1, a: 2}", "9" * 5000, "a: b: c", "[" * 5000])
def test_broken_yaml_is_one_line_that_says_where(text):
    with pytest.raises(ValueError, match=r"\Ahere is not valid YAML: .*\Z"):
        read_yaml(text, "here")


def test_a_profile_of_another_encoding_is_named(tmp_path):
    own = tmp_path / "mine.yml"
    own.write_bytes("zoo: mini  # größer".encode("latin-1"))
    with pytest.raises(ValueError, match=r"mine\.yml is not UTF-8"):
        settings(own)


def test_numbers_and_flags_are_read_as_command_lines_write_them(tmp_path):
    own = tmp_path / "mine.yml"
    own.write_text("learning_rate: 1e-2\nablation_learning_rate: 2e0\nseed: 1\n")
    assert settings(own).config.learning_rate == 0.01
    assert settings(own).of(Optimisers).ablation.learning_rate == 2.0
    assert settings(compile="true").compile
    assert not settings(compile="false").compile
    assert settings(seed=np.int64(3)).seed == 3


def test_a_profile_may_leave_a_section_empty_and_end_in_capitals(tmp_path):
    (tmp_path / "mine.YML").write_text("seed: 3\nadversarial_examples:\n#  attack_steps: 2\n")
    assert StudySettings.from_profile(tmp_path / "mine.YML").seed == 3
