from collections import Counter

import numpy as np
import pandas as pd
import pytest

from metamerlib.evaluation import difference_in_means, draw_model_sets, set_means

KEYS = [f"model{i:02d}" for i in range(31)]


def test_the_sets_are_drawn_as_in_appendix_b():
    sets = draw_model_sets(KEYS, 3000)
    sizes = Counter(map(len, sets))
    assert sorted(sizes) == list(range(2, 11))
    assert all(abs(count - 3000 / 9) < 5 * (3000 / 9) ** 0.5 for count in sizes.values())
    assert all(len(set(s)) == len(s) and list(s) == sorted(s) for s in sets)
    appearances = Counter(member for s in sets for member in s)
    expected = 3000 * 6 / 31
    assert all(abs(appearances[key] - expected) < 5 * expected**0.5 for key in KEYS)


def test_the_draw_is_seeded_and_more_sets_extend_it():
    assert draw_model_sets(KEYS) == draw_model_sets(KEYS, 120)[:100]
    assert draw_model_sets(KEYS, seed=1) != draw_model_sets(KEYS)
    assert draw_model_sets(KEYS[:3], 5, smallest=3, largest=3) == [tuple(KEYS[:3])] * 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keys": ["a", "b", "a"], "largest": 2}, "none of them twice"),
        ({"keys": ["a", "b"]}, "largest ≤ 2"),
        ({"keys": KEYS, "smallest": 5, "largest": 4}, "smallest=5"),
        ({"keys": KEYS, "smallest": 0}, "smallest=0"),
    ],
)
def test_impossible_sets_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw_model_sets(**options)


# --- difference in means


def planted(effects, of_size=lambda size: 0.0, noise=0.0, n_sets=100, seed=0):
    sets = draw_model_sets(KEYS, n_sets, seed=seed)
    generator = np.random.default_rng(seed)
    values = [
        0.6 + of_size(len(s)) + sum(effects.get(m, 0) for m in s) + noise * generator.standard_normal() for s in sets
    ]
    return sets, values


def test_a_difference_by_hand():
    sets = [("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")]
    table = difference_in_means(sets, [0.5, 0.7, 0.2, 0.9], keys=["a", "b", "c", "d"]).set_index("model")
    assert table.loc["a", "appearances"] == 3
    assert table.loc["a", "mean_present"] == pytest.approx(0.7)
    assert table.loc["a", "mean_absent"] == pytest.approx(0.2)
    assert table.loc["a", "difference"] == pytest.approx(0.5)
    assert table.loc["a", "adjusted"] == pytest.approx((0.5 + 0.7) / 2 - 0.2)  # among the sets of two
    assert table.loc["b", "difference"] < 0
    assert table.loc["d", ["mean_present", "difference", "low", "adjusted", "adjusted_high"]].isna().all()


@pytest.mark.parametrize("effect", [0.12, -0.08])
def test_a_planted_effect_is_found_exactly_whatever_the_size_does(effect):
    sets, values = planted({"model07": effect}, lambda size: 0.03 * np.sqrt(size))
    row = difference_in_means(sets, values, keys=KEYS).set_index("model").loc["model07"]
    assert row["adjusted"] == pytest.approx(effect)
    assert (row["adjusted_low"], row["adjusted_high"]) == pytest.approx((effect, effect))


def test_the_plain_difference_mistakes_size_for_the_model():
    # Size alone matters; a model is likelier to be in a large set, so every model seems to help.
    sets, values = planted({}, lambda size: 0.05 * size, n_sets=400)
    table = difference_in_means(sets, values, keys=KEYS)
    assert table["difference"].mean() > 0.03
    assert table["adjusted"].tolist() == pytest.approx([0] * 31, abs=1e-12)


def test_the_intervals_cover_the_planted_effects():
    effects = {"model03": 0.1, "model20": -0.1}
    sets, values = planted(effects, lambda size: 0.01 * size, noise=0.05, seed=3)
    table = difference_in_means(sets, values, keys=KEYS).set_index("model")
    for model, effect in effects.items():
        assert table.loc[model, "adjusted_low"] < effect < table.loc[model, "adjusted_high"]
        assert np.sign(table.loc[model, "adjusted_low"]) == np.sign(table.loc[model, "adjusted_high"])
    others = table.drop(list(effects))
    covered = (others["adjusted_low"] < 0) & (others["adjusted_high"] > 0)
    assert covered.mean() > 0.8
    wider = difference_in_means(sets, values, keys=KEYS, confidence=0.99).set_index("model")
    assert (wider["high"] - wider["low"] > table["high"] - table["low"]).all()


def test_the_bootstrap_is_seeded():
    sets, values = planted({}, noise=0.1, n_sets=20)
    first, again, other = (difference_in_means(sets, values, keys=KEYS, resamples=50, seed=s) for s in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])


def test_sets_of_one_size_need_no_adjustment():
    sets = draw_model_sets(KEYS[:6], 40, smallest=3, largest=3)
    values = np.random.default_rng(0).random(40)
    table = difference_in_means(sets, values, keys=KEYS[:6])
    assert table["adjusted"].tolist() == pytest.approx(table["difference"].tolist())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": [1.0]}, "2 sets and 1 values"),
        ({"sets": [("a",), ()]}, "no set empty"),
        ({"keys": ["a"]}, r"not among keys: \['b'\]"),
        ({"values": [0.1, np.nan]}, "set 1 has none"),
        ({"confidence": 0}, "confidence"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arguments = {"sets": [("a",), ("b",)], "values": [0.1, 0.2], "keys": ["a", "b"]} | change
    with pytest.raises(ValueError, match=message):
        difference_in_means(arguments.pop("sets"), arguments.pop("values"), **arguments)


# --- means over evaluators that differ from set to set


def test_means_of_the_held_out_evaluators():
    means = set_means([1, 1, 0], ["a", "b", "a"], [0.2, 0.4, 0.9])
    assert means.index.tolist() == [1, 0]
    assert means.tolist() == pytest.approx([0.3, 0.9])


def test_levelling_takes_out_who_happens_to_judge():
    sets = draw_model_sets(KEYS[:8], 12, largest=4)
    quality = np.linspace(0.4, 0.7, 12)
    leniency = dict(zip(KEYS[:8], np.linspace(-0.3, 0.3, 8), strict=True))
    rows = [
        (i, evaluator, quality[i] + leniency[evaluator])
        for i, s in enumerate(sets)
        for evaluator in KEYS[:8]
        if evaluator not in s
    ]
    plain = set_means(*zip(*rows, strict=True))
    adjusted = set_means(*zip(*rows, strict=True), adjust_evaluators=True)
    assert adjusted.tolist() == pytest.approx(quality.tolist())  # the leniencies average to zero
    assert np.abs(plain.to_numpy() - quality).max() > 0.05
