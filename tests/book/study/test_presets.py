"""A preset changes the rule and the budgets of a whole study."""

import pytest
import yaml

from metamerbook.ensembles.adversarial_examples import AdversarialExamples
from metamerbook.ensembles.mixed_models import MixedModels
from metamerbook.ensembles.optimisers import Optimisers
from metamerbook.study.profiles import read_profile
from metamerbook.study.settings import LEAST_UPDATES, StudySettings
from metamerlib import GenerationConfig
from metamerlib.generation.config import PRESETS

SECTIONS = {"restricted": AdversarialExamples, "mixed": MixedModels, "ablation": Optimisers}
PROFILES = ("smoke", "mini", "rehearsal", "paper")


def budget(settings, name):
    return dict(getattr(settings.of(SECTIONS[name]), name))


def settings(profile, **changes):
    return StudySettings.from_profile(profile, photographs_needed=False, **changes)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_default_preset_is_table_3_and_changes_nothing(profile):
    assert settings(profile, preset="paper") == settings(profile)
    rule = settings(profile).config.replace(repetitions=4000, steps_per_model=10)
    assert rule == GenerationConfig()


@pytest.mark.parametrize("profile", PROFILES)
def test_the_fast_preset_is_one_rule_with_a_tenth_of_the_updates_but_not_too_few(profile):
    plain, fast = settings(profile), settings(profile, preset="fast")
    assert fast.config == GenerationConfig.fast(repetitions=fast.config.repetitions)
    before = {"": plain.config.updates_per_model}
    after = {"": fast.config.updates_per_model}
    for table in SECTIONS:
        (slow, quick) = (budget(entry, table) for entry in (plain, fast))
        before[table], after[table] = (b["repetitions"] * b["steps_per_model"] for b in (slow, quick))
        rates = [quick[name] for name in ("learning_rate", "final_learning_rate")]
        assert rates == [fast.config.learning_rate, fast.config.final_learning_rate]
    for table, updates in before.items():
        assert after[table] == min(updates, max(updates // 10, LEAST_UPDATES))


def test_the_paper_s_profile_gets_4000_updates():
    assert settings("paper", preset="fast").config == GenerationConfig.fast()


def test_what_is_given_beside_a_preset_stands():
    fast = settings("mini", preset="fast", repetitions=400, learning_rate=0.02, mixed_repetitions=7)
    assert fast.config == GenerationConfig.fast(repetitions=400, learning_rate=0.02)
    assert budget(fast, "mixed")["repetitions"] == 7


def test_a_profile_may_name_a_preset_but_not_part_of_its_rule(tmp_path):
    mini = read_profile("mini")
    own = tmp_path / "own.yml"
    own.write_text(yaml.safe_dump(mini | {"preset": "fast"}))
    assert settings(own).config == settings("mini", preset="fast").config
    assert settings(own, preset="paper").config == settings("mini").config
    own.write_text(yaml.safe_dump(mini | {"learning_rate": 0.5}))
    assert settings(own).config.learning_rate == 0.5
    with pytest.raises(ValueError, match=r"preset 'fast' has a learning_rate of its own, but so has the profile"):
        settings(own, preset="fast")


def test_an_unknown_preset_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"preset is 'quick': it should be 'paper' or 'fast'"):
        settings("mini", preset="quick")


def test_presets_name_fields_of_the_configuration():
    assert PRESETS["paper"] == {}
    assert GenerationConfig.from_dict(PRESETS["fast"]) == GenerationConfig.fast()
    assert GenerationConfig.fast(epsilon=0.3) == GenerationConfig.fast().replace(epsilon=0.3)
    with pytest.raises(ValueError, match=r"no field 'repetition'. Did you mean 'repetitions'"):
        GenerationConfig.fast(repetition=3)
