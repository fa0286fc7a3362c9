"""Chapter 11: random sets of networks, what each adds to them, and how both are drawn."""

import re

import numpy as np
import pandas as pd
import pytest

from figure_worlds import pixels
from metamerbook.ensembles.figures.mixed_models import (
    WAYS,
    figure_effects,
    figure_random_sets,
    table_agreement,
    table_effects,
)
from metamerbook.ensembles.mixed_models import (
    facts_of_effects,
    facts_of_sets,
    mixed,
    mixed_agreement,
    mixed_effects,
    mixed_means,
    mixed_runs,
    mixed_study,
    tasks,
)
from metamerbook.study.published import published, statement
from metamerlib import ModelZoo, evaluation
from metamerlib.models import ZOO
from table_toys import images, toy_study

JUDGES = ("alexnet", "vgg19", "resnet18", "densenet121", "squeezenet", "vit_base", "mlp_mixer", "resnet18_robust")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


def rows(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]


def random_sets(count=12, judges=JUDGES):
    """Sets of two to four networks; the share of every judge is known from the number of its set and of itself."""
    rows = []
    for number in range(count):
        size = 2 + number % 3
        members = [judges[(number + step) % len(judges)] for step in range(size)]
        for place, key in enumerate(judges):
            rows.append(
                {"model_set": f"mixed {number + 1}", "size": size, "members": " ".join(members)}
                | {"evaluator": key}
                | {"held_out": key not in members, "n": 16, "recognizability": (number + place) / (count + len(judges))}
            )
    return pd.DataFrame(rows)


def effects(networks=None):
    """Effects in the paper's order: the first clearly positive, the second clearly negative, the last missing."""
    table = published("table_b2").drop(columns=["model", "where"]).rename(columns={"key": "model"})
    table = table if networks is None else table.head(networks)
    values = np.zeros(len(table))
    values[:2] = 0.1, -0.1
    frame = pd.DataFrame({"model": table["model"], "available": True, "appearances": 9, "sets": 40})
    for name, prefix in (("difference", ""), ("adjusted", "adjusted_"), ("equal_evaluators", "equal_evaluators_")):
        frame[name], frame[f"{prefix}low"], frame[f"{prefix}high"] = values, values - 0.05, values + 0.05
    estimates = [name for name in frame.columns if frame[name].dtype == float]
    frame.loc[frame.index[-1], estimates] = np.nan
    frame.loc[frame.index[-1], "available"] = False
    frame = frame.assign(
        published_rank=table["rank"],
        published_appearances=table["appearances"],
        published_difference=table["difference_in_means"],
    )
    whole = ["appearances", "sets", "published_rank", "published_appearances"]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def test_random_sets_leave_a_judge_and_know_their_members(study):
    runs = mixed_runs(study)
    assert [run.name for run in runs] == [f"mixed {number}" for number in range(1, 7)]
    table = mixed(study)
    assert table.groupby("model_set")["held_out"].any().all()
    for run in runs:
        rows = table[table["model_set"] == run.name]
        members = [model.key for model in run.models]
        assert rows["members"].unique().tolist() == [" ".join(members)]
        assert rows["size"].unique().tolist() == [len(members)]
        assert set(rows.loc[~rows["held_out"], "evaluator"]) == set(members)
    assert table["stage"].unique().tolist() == ["middle"]


def test_more_random_sets_extend_the_list(study):
    more = toy_study(study.store, references=images(side=48), tables={"mixed_sets": 8})
    assert [run.key for run in mixed_runs(more)][:6] == [run.key for run in mixed_runs(study)]


def test_too_few_networks_for_a_random_set_and_a_judge_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mixed_smallest is 2, but there are 2 evaluators"):
        mixed(toy_study(tmp_path, evaluators=("a", "b")))


def test_effects_are_differences_in_means(study):
    table = mixed(study)
    means = mixed_means(table).set_index("model_set")
    of_set = table[table["held_out"]].groupby("model_set")["recognizability"].mean()
    assert np.allclose(means["mean"], of_set[means.index])
    effects = mixed_effects(study, table, resamples=50).set_index("model")
    for key in "abcde":
        inside = means["members"].str.contains(rf"\b{key}\b")
        wanted = means.loc[inside, "mean"].mean() - means.loc[~inside, "mean"].mean()
        assert effects.loc[key, "difference"] == pytest.approx(wanted, nan_ok=True)
        assert effects.loc[key, "appearances"] == inside.sum()


def test_missing_networks_and_published_numbers_stay_visible(tmp_path):
    names = ("alexnet_random", "resnet50_random")
    zoo = ModelZoo("mini")
    mini = toy_study(tmp_path, zoo=zoo, model_sets={"one": names[:1]}, evaluators=names)
    one_set = pd.DataFrame(
        {"model_set": ["mixed 1", "mixed 2"], "size": 1, "members": ["alexnet_random", "resnet50_random"], "n": 6}
        | {"evaluator": ["resnet50_random", "alexnet_random"], "held_out": True, "recognizability": [0.75, 0.25]}
    )
    effects = mixed_effects(mini, one_set, resamples=20)
    assert len(effects) == 31
    assert effects["published_rank"].tolist() == list(range(1, 32))
    assert effects.set_index("model")["available"].sum() == 2
    row = effects.set_index("model").loc["alexnet_random"]
    assert (row["difference"], row["published_difference"]) == (0.5, 0.009)
    assert effects.set_index("model").loc["swin_base", ["difference", "low"]].isna().all()


def test_agreement_is_of_ranks():
    effects = pd.DataFrame(
        {"difference": [0.3, 0.1, -0.4, np.nan], "adjusted": [3.0, 2.0, 1.0, 0.0], "equal_evaluators": 1.0}
        | {"published_difference": [0.5, 0.2, 0.1, 0.9]}
    )
    ours = mixed_agreement(effects).set_index("ours")
    assert ours.loc["difference", ["spearman", "n"]].tolist() == [pytest.approx(1), 3]
    assert ours.loc["absolute difference", "spearman"] == pytest.approx(-0.5)
    assert ours.loc["adjusted", "spearman"] == pytest.approx(-0.2)
    assert np.isnan(ours.loc["equal_evaluators", "spearman"])


def test_recognizability_of_random_sets_is_that_of_the_metamers(study):
    run = mixed_runs(study)[0]
    small = mixed_study(study)
    direct = evaluation.recognizability(
        small.result(run).images, small.references, [study.networks.models[key] for key in "abcde"]
    )
    rows = mixed(study).query("model_set == 'mixed 1'")
    assert rows["recognizability"].tolist() == direct["recognizability"].tolist()


def test_figure_b1_draws_every_set_in_the_order_of_the_means():
    table = random_sets()
    upper, counts, sizes = figure_random_sets(table, statement("mixed-recognizability")).axes
    by_set = table[table["held_out"]].groupby("model_set", sort=False)["recognizability"]
    order = by_set.mean().sort_values(kind="stable").index
    lines = {line.get_marker(): line.get_ydata() for line in upper.lines if len(line.get_xdata()) == len(order)}
    assert np.allclose(lines["o"], by_set.mean()[order])
    assert np.allclose(lines["_"], by_set.median()[order])
    quartiles = [line.get_ydata() for line in upper.lines if line.get_alpha() == 0.35]
    assert np.allclose(quartiles, by_set.quantile([0.25, 0.75]).unstack().loc[order])
    assert sum(bar.get_height() for bar in counts.patches[:20]) == len(order)
    (of_sizes,) = [line for line in sizes.lines if line.get_marker() == "s"]
    assert of_sizes.get_xdata().tolist() == [2, 3, 4]


def test_figure_b1_shows_the_published_mean_only_where_it_is_given():
    with_paper, without = (figure_random_sets(random_sets(), one) for one in (statement("mixed-recognizability"), None))
    assert with_paper.axes[0].get_title(loc="right") == "paper: 0.751 ± 0.101"
    assert without.axes[0].get_title(loc="right") == ""
    assert (pixels(figure_random_sets(random_sets(count=1))) < 255).any()


def test_effects_are_coloured_where_the_interval_misses_zero_and_missing_networks_left_out():
    intervals, adjusted, *_ = figure_effects(effects(5)).axes[0].collections
    assert len(intervals.get_segments()) == len(adjusted.get_offsets()) == 4
    colours = [tuple(colour) for colour in intervals.get_colors()]
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_table_b2_keeps_the_papers_order_and_our_signs():
    table = rows(table_effects(effects()))
    assert len(table) == 32
    assert [row[1] for row in table[1:]] == [f"{value:.3f}" for value in effects()["published_difference"]]
    assert table[1][1:4] == ["0.118", "+0.100 [+0.05, +0.15]", "+0.100 [+0.05, +0.15]"]
    assert table[1][5:] == ["26", "9"]
    assert table[2][2] == "−0.100 [−0.15, −0.05]"
    assert table[31][2] == "–"
    assert table_effects(effects()).to_html() == table_effects(effects()).to_html()


def test_bold_in_table_b2_means_that_the_interval_misses_zero():
    styler = table_effects(effects(6))
    styler._compute()
    bold = {where for where, looks in styler.ctx.items() if ("font-weight", "650") in looks}
    assert bold == {(row, column) for row in (0, 1) for column in (2, 3, 4)}


def test_the_agreement_is_a_dash_where_there_is_none():
    frame = pd.DataFrame({"ours": list(WAYS)[:2], "spearman": [-0.5, np.nan], "p": [0.04, np.nan], "n": [31, 2]})
    assert [row[1:] for row in rows(table_agreement(frame))[1:]] == [["−0.50", "0.040", "31"], ["–", "–", "2"]]


def test_facts_of_sets_and_effects_are_counted():
    means = pd.DataFrame({"mean": [0.7, 0.8, 0.75], "size": [2, 5, 9]})
    facts = facts_of_sets(means)
    assert (facts["mean"], facts["spread"]) == (pytest.approx(0.75), pytest.approx(0.05))
    assert (facts["mean-smallest"], facts["mean-largest"], facts["size-correlation"]) == (0.7, 0.75, "+0.50")
    assert facts_of_sets(means.assign(size=3))["size-correlation"] == "–"
    table = effects()
    facts = facts_of_effects(table)
    assert (facts["networks"], facts["improve"], facts["worsen"]) == (30, 1, 1)
    assert facts["half-width"] == pytest.approx(0.05)
    assert facts["within-chance"] == (published("table_b2")["difference_in_means"] < 0.05).sum()
    robust = [ZOO[key].robust for key in table["model"]]
    facts = facts_of_effects(table.assign(adjusted=np.where(robust, 0.2, -0.1)))
    assert (facts["effect-robust"], facts["effect-others"]) == ("+0.200", "−0.100")


def test_tasks_are_all_that_the_tables_need(study):
    study.execute(tasks(study))
    assert not mixed(study).empty
    assert set(mixed(study)["reason"]) == {""}
