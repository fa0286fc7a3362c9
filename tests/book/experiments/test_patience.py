"""A bad match is searched for longer, and the text says what that brought."""

import dataclasses

import pytest
from table_toys import toy_study

from metamerbook.ensembles import sentences
from metamerbook.ensembles.patience import LongerSearch, longer_search


def test_the_worst_set_of_the_first_stage_is_searched_for_longer(tmp_path):
    study = toy_study(tmp_path)
    residuals = study.residuals()
    residuals["residual_mean"] = 0.2
    residuals.loc[(residuals["model_set"] == "one") & (residuals["stage"] == "early"), "residual_mean"] = 0.3
    residuals.loc[residuals["stage"] == "late", "residual_mean"] = 0.9
    longer = longer_search(study, residuals, factor=5, n_per_class=2)
    assert (longer.model_set, longer.stage, longer.n) == ("one", "early", 4)
    assert (longer.updates, longer.longer_updates) == (3, 15)
    assert longer.longer_residual < longer.residual


def test_good_matches_and_long_budgets_are_left_alone(tmp_path):
    study = toy_study(tmp_path)
    residuals = study.residuals()
    assert longer_search(study, residuals.assign(residual_mean=0.05)) is None
    assert longer_search(study, residuals.assign(residual_mean=0.05), below=0.01) is not None
    config = study.settings.config.replace(repetitions=2000)
    study.settings = dataclasses.replace(study.settings, config=config)
    assert longer_search(study, residuals.assign(residual_mean=0.5)) is None


@pytest.mark.parametrize(
    ("residual", "words"),
    [
        (0.09, "a matter of the budget."),
        (0.14, "in part a matter of the budget, though still not below 0.1."),
        (0.19, "not for want of updates."),
    ],
)
def test_the_sentence_says_what_the_longer_search_brought(residual, words):
    text = sentences.patience(LongerSearch("Single CNN", "early", 16, 150, 600, 0.2, residual))
    assert f"ends at 0.200 after 150 updates with each network, and at {residual:.3f} after 600." in text
    assert text.endswith(words)
    assert sentences.patience(None) == ""
