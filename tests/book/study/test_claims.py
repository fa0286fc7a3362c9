"""From quantities to a verdict: the rules, apart from what is measured."""

import math

import numpy as np
import pandas as pd
import pytest

from metamerbook.study.claims import ABOVE_ZERO, Evidence, Finding, MissingEvidenceError, claims_table, conclude


def evidence(tables=None, resamples=4000):
    return Evidence(tables or {}, np.random.default_rng(0), resamples)


@pytest.mark.parametrize(
    ("low", "high", "claimed", "verdict"),
    [
        (0.1, 0.3, (0, math.inf), "holds"),
        (-0.3, -0.1, (0, math.inf), "does not hold"),
        (-0.1, 0.3, (0, math.inf), "undecided"),
        (0.0, 0.0, (0, math.inf), "does not hold"),
        (-0.3, -0.1, (-math.inf, 0), "holds"),
        (0.3, 0.4, (0.2, 0.6), "holds"),
        (0.3, 0.7, (0.2, 0.6), "undecided"),
        (0.7, 0.8, (0.2, 0.6), "does not hold"),
        (0.1, 0.7, (0.2, 0.6), "undecided"),
    ],
)
def test_a_verdict_is_where_the_whole_interval_lies(low, high, claimed, verdict):
    assert Finding("", (low + high) / 2, low, high, claimed, "10 images").verdict == verdict


def test_the_least_favourable_finding_decides():
    good = Finding("good", 0.5, 0.4, 0.6, (0, math.inf), "9 images")
    better = Finding("better", 0.9, 0.8, 1.0, (0, math.inf), "9 images")
    open_ = Finding("open", 0.1, -0.1, 0.3, (0, math.inf), "9 images")
    bad = Finding("bad", -0.5, -0.6, -0.4, (0, math.inf), "9 images")
    worse = Finding("worse", -0.9, -1.0, -0.8, (0, math.inf), "9 images")
    for findings, verdict, decisive in (
        ([better, good], "holds", good),
        ([good, open_], "undecided", open_),
        ([open_, bad, good, worse], "does not hold", worse),
    ):
        outcome = conclude(findings)
        assert (outcome["verdict"], outcome["measured"]) == (verdict, decisive.what)
        assert [outcome[name] for name in ("value", "low", "high")] == [decisive.value, decisive.low, decisive.high]


def test_the_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(1).normal(size=40)
    found = evidence().mean(pd.DataFrame({"x": values}), {"x": 1}, "x", ABOVE_ZERO)
    spread = 1.96 * values.std() / math.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - spread, values.mean() + spread), abs=0.1 * spread)


def test_independent_samples_are_resampled_each_for_itself():
    one, other = np.random.default_rng(2).normal(size=(2, 50))
    found = evidence().bootstrap(
        lambda i, j: one[i].mean(axis=-1) - other[j].mean(axis=-1), [50, 50], "difference", ABOVE_ZERO, "units"
    )
    spread = 1.96 * math.sqrt((one.var() + other.var()) / 50)
    assert found.high - found.low == pytest.approx(2 * spread, rel=0.1)


def test_a_constant_sample_has_an_interval_of_no_width():
    found = evidence().mean(pd.DataFrame({"x": [0.25] * 5}), {"x": 1}, "x", ABOVE_ZERO)
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)


def test_an_unknown_set_is_missing_evidence():
    table = pd.DataFrame({"model_set": ["CNN"], "stage": ["late"], "evaluator": ["a"], "held_out": [True]})
    with pytest.raises(MissingEvidenceError, match="mine at the late stage"):
        evidence({"recognizability": table}).judged([("mine", "late")])


def test_a_claim_without_a_test_says_why():
    claims = claims_table({}, {}).set_index("id")
    assert set(claims["verdict"]) == {"cannot be tested"}
    assert "human observers" in claims.loc["cnns-human-like", "reason"]
