"""Settings of chapters: nested in profiles, flat everywhere, read like all others from YAML, Python and text."""

import pytest

from metamerbook.ensembles.adversarial_examples import AdversarialExamples
from metamerbook.ensembles.mixed_models import MixedModels
from metamerbook.ensembles.optimisers import Optimisers
from metamerbook.study.profiles import read_profile
from metamerbook.study.settings import Budget, StudySettings, setting_names


def tables(**changes):
    """Give the settings of all chapters by their flat names."""
    found = {}
    for section in StudySettings.from_profile("mini", **changes).sections.values():
        for name, value in section:
            found |= {f"{name}_{below}": one for below, one in value} if isinstance(value, Budget) else {name: value}
    return found


@pytest.mark.parametrize("given", [[8 / 255, 0.3], ["8/255", 0.3], "8/255, 0.3", '["8/255", 0.3]'])
def test_radii_may_be_fractions(given):
    assert tables(epsilons=given)["epsilons"] == (8 / 255, 0.3)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("metric_backbone", "none", None),
        ("metric_backbone", "vgg19", "vgg19"),
        ("metric_scorer", "downloaded", "downloaded"),
        ("mixed_n_per_class", "all", None),
        ("mixed_stage", "late", "late"),
        ("mixed_stage", 0.4, 0.4),
        ("mixed_stage", "0.4", 0.4),
        ("transfer_generators", "all", None),
        ("transfer_generators", "vgg19, alexnet", ("vgg19", "alexnet")),
        ("ablation_initializers", ["normal"], ("normal",)),
        ("ablation_learning_rate", 2, 2.0),
        ("null_quantile", 0.95, 0.95),
    ],
)
def test_settings_are_read_in_every_spelling(name, given, wanted):
    assert tables(**{name: given})[name] == wanted


def test_none_keeps_the_profiles():
    assert tables(transfer_generators=None, epsilons=None) == tables()


def test_a_profile_may_nest_them(tmp_path):
    own = tmp_path / "own.yml"
    own.write_text("optimisers: {ablation: {repetitions: 7}}\nmixed_models: {mixed_sets: 3}\nmixed_repetitions: 2\n")
    settings = StudySettings.from_profile(own)
    assert settings.of(Optimisers).ablation == Optimisers().ablation.model_copy(update={"repetitions": 7})
    assert settings.of(MixedModels) == MixedModels(
        mixed_sets=3, mixed=MixedModels().mixed.model_copy(update={"repetitions": 2})
    )
    assert settings.of(AdversarialExamples) == AdversarialExamples()


def test_flat_names_are_unique():
    assert len(set(setting_names())) == len(setting_names())
    assert set(read_profile("mini")) <= set(setting_names())


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"epsilons": ["8/0"]}, ValueError, r"epsilons is \['8/0'\]"),
        ({"epsilons": [-1]}, ValueError, "radii above 0"),
        ({"epsilons": "wide"}, ValueError, "'wide': give radii such as"),
        ({"metric_scorer": "clip"}, ValueError, "metric_scorer is 'clip'"),
        ({"mixed_sets": 0}, ValueError, "mixed_sets is 0: it should be greater than or equal to 1"),
        ({"mixed_smallest": 4, "mixed_largest": 3}, ValueError, "mixed_smallest=4 is above mixed_largest=3"),
        ({"mixed_stage": "lat"}, ValueError, "Did you mean 'late'"),
        ({"ablation_learning_rate": 0}, ValueError, "ablation_learning_rate is 0: it should be greater than 0"),
        ({"ablation_learning_rate": "fast"}, ValueError, "should be a valid number"),
        ({"ablation_initializers": ["noise"]}, ValueError, r"ablation_initializers is \['noise'\]"),
        ({"null_quantile": 1.5}, ValueError, "less than or equal to 1"),
        ({"null_quantile": True}, ValueError, "should be a valid number"),
        ({"permutation": 3}, ValueError, "Did you mean 'permutations'"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_the_fix(changes, error, words):
    with pytest.raises(error, match=words):
        tables(**changes)


def test_a_number_that_a_table_needs_cannot_be_left_out(tmp_path):
    own = tmp_path / "own.yml"
    own.write_text("permutations: null\n")
    with pytest.raises(ValueError, match="permutations is None"):
        StudySettings.from_profile(own)


def test_the_defaults_are_those_of_the_default_profile():
    settings = StudySettings.from_profile("mini")
    assert len(settings.sections) >= 7
    assert all(section == type(section)() for section in settings.sections.values())
