"""Chapter 06: its tables on toy networks, and that its figures draw what the tables hold."""

import numpy as np
import pandas as pd
import pytest
from chapter_worlds import SETS, drawn, holds, metric_means

from figure_worlds import pixels, words
from metamerbook.ensembles import image_metrics as chapter
from metamerbook.ensembles.figures.image_metrics import (
    figure_image_metrics,
    table_image_metrics,
    table_metric_agreement,
)
from metamerbook.ensembles.image_metrics import absent, facts, image_metrics, mean_image_metrics, metric_agreement
from metamerlib import ModelZoo, evaluation
from metamerlib.evaluation import METRICS
from table_toys import images, toy_study

STAGES = ("early", "middle", "late")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


def test_every_set_and_stage_has_every_metric(study):
    table = image_metrics(study)
    cells = table.groupby(["model_set", "stage"], sort=False)["metric"].agg(lambda keys: tuple(dict.fromkeys(keys)))
    assert list(cells.index) == [("pair", "early"), ("pair", "late"), ("one", "early"), ("one", "late")]
    assert set(cells) == {tuple(evaluation.METRICS)}
    assert table[["n_members", "n_wanted"]].drop_duplicates().to_numpy().tolist() == [[2, 2], [1, 1]]


def test_metrics_are_those_of_the_metamers(study):
    table = image_metrics(study).query("model_set == 'pair' and stage == 'late'")
    metamers, backbone = study.metamers("pair", "late").images, study.networks.models["a"]
    for metric in ("ssim", "fid", "tv"):
        direct = evaluation.measure_images(metamers, study.references, metrics=[metric], backbone=backbone)
        assert table.loc[table["metric"] == metric, "value"].tolist() == direct["value"].tolist()


def test_learned_metrics_name_their_network(study):
    labels = image_metrics(study).groupby("metric")["label"].first()
    assert (labels["fid"], labels["lpips"]) == ("FID · a", "LPIPS · a, not fitted")


def test_a_bundled_network_is_called_a_miniature(tmp_path):
    tables = {"metric_backbone": "alexnet_random"}
    mini = toy_study(tmp_path, zoo=ModelZoo("mini"), tables=tables, model_sets={"x": ["alexnet_random"]})
    assert chapter._backbone(mini)[1] == "mini AlexNet Random"


@pytest.mark.parametrize(
    ("backbone", "words"), [("nobody", "'nobody', whose weights are not there"), (None, "metric_backbone is not set")]
)
def test_what_cannot_be_measured_says_why(tmp_path, backbone, words):
    toys = toy_study(tmp_path, references=images(side=48), tables={"metric_backbone": backbone}, stages=("late",))
    table = image_metrics(toys).set_index("metric")
    for metric in ("fid", "kid", "lpips"):
        assert table.loc[metric, "value"].isna().all()
        assert table.loc[metric, "reason"].str.contains(words).all()
    assert table.loc["clip_iqa", "reason"].eq("no image-text model: metric_scorer is not set").all()
    assert (table.loc["ssim", "reason"] == "").all()


def test_tasks_are_all_that_the_table_needs(study, monkeypatch):
    first = image_metrics(study)
    study.execute(chapter.tasks(study))
    monkeypatch.setattr(chapter, "measure", None)
    again = toy_study(study.store, references=images(side=48))
    assert {task.key for task in chapter.image_metrics_runs(again)} < {task.key for task in chapter.tasks(study)}
    pd.testing.assert_frame_equal(image_metrics(again), first)


def test_means_leave_out_what_is_not_finite():
    rows = [
        {"metric": "psnr", "image": image, "value": value, "n": 1, "reason": "" if np.isfinite(value) else "equal"}
        for image, value in enumerate([1.0, 3.0, np.inf])
    ]
    rows.append({"metric": "fid", "image": pd.NA, "value": 7.0, "n": 3, "reason": ""})
    table = pd.DataFrame(rows).assign(
        model_set="s", stage="late", label="", direction="lower", reference_value=0.0, n_members=1, n_wanted=2
    )
    means = mean_image_metrics(table).set_index("metric")
    assert means.loc["psnr", ["mean", "n", "n_left_out", "reason"]].tolist() == [2.0, 2, 1, "equal"]
    assert means.loc["psnr", "sd"] == pytest.approx(2**0.5)
    assert means.loc["fid", ["mean", "n", "n_left_out", "n_wanted"]].tolist() == [7.0, 3, 0, 2]


def ranked(values, metric="ssim", direction="higher"):
    """Make rows of one metric for {set: values by stage}."""
    return pd.DataFrame(
        {"model_set": name, "stage": stage, "metric": metric, "label": metric.upper(), "direction": direction}
        | {"mean": value, "n": 16, "reason": "" if value == value else "no model."}
        for name, row in values.items()
        for stage, value in zip(STAGES, row, strict=True)
    )


def shares(values):
    return pd.DataFrame(
        {"model_set": name, "stage": stage, "evaluators": "all", "mean": value}
        for name, row in values.items()
        for stage, value in zip(STAGES, row, strict=True)
    )


@pytest.mark.parametrize(("direction", "sign"), [("higher", 1), ("lower", -1)])
def test_a_metric_agrees_if_better_is_more_recognized(direction, sign):
    rising = {"a": (1, 2, 3), "b": (4, 5, 6)}
    table = metric_agreement(ranked(rising, direction=direction), shares(rising))
    assert table["rank_correlation"].tolist() == [pytest.approx(sign)]
    assert table["cells"].tolist() == [6]


def test_facts_know_the_direction_of_metrics():
    table = pd.concat(
        [ranked({"a": (3, 2, 1)}), ranked({"a": (3, 2, 1)}, "tv", "lower"), ranked({"a": (1, 2, 3)}, "fid")]
    )
    agreement = metric_agreement(table, shares({"a": (3, 2, 1)}))
    found = facts(table, agreement)
    assert (found["worse"], found["compared"], found["n-of-sets"]) == (1, 3, 16)
    assert (found["learned"], found["plain"]) == ("−1.00", "0.00")
    one = table[table["stage"] == "late"]
    assert facts(one, metric_agreement(one, shares({"a": (3, 2, 1)})))["compared"] == 0


def test_absent_metrics_give_their_reason():
    nothing = pd.concat([ranked({"a": (np.nan,) * 3}, key) for key in ("fid", "kid")])
    assert absent(nothing) == "FID and KID (no model)"
    assert absent(ranked({"a": (1, 2, 3)})) == "none"


def test_figure_4_has_a_panel_per_metric_with_its_direction_and_number_of_images():
    means = metric_means()
    figure = figure_image_metrics(means)
    written = words(figure)
    assert len(figure.axes) == len(METRICS) + 1
    higher = sum(metric.direction == "higher" for metric in METRICS.values())
    assert (written.count("↑ higher"), written.count("↓ lower")) == (higher, len(METRICS) - higher)
    assert sum(text.startswith("n = 16\n") for text in written) == len(METRICS) - 1
    for axes, key in zip(figure.axes, METRICS, strict=False):
        if key != "clip_iqa":
            for name in SETS:
                values = means[(means["metric"] == key) & (means["model_set"] == name)]["mean"]
                assert holds(drawn(axes), values.to_numpy())


def test_figure_4_says_why_a_metric_is_absent_and_which_network_a_learned_one_asks():
    means = metric_means()
    means.loc[means["metric"] == "fid", "label"] = "FID · mini ResNet-18"
    written = words(figure_image_metrics(means))
    assert "n = 16\nmini ResNet-18" in written
    assert sum("not measured\nnobody was there" in text for text in written) == 1


def test_a_long_reason_stays_within_its_panel():
    means = metric_means(absent=("fid", "kid", "clip_iqa"))
    missing = means["mean"].isna()
    means.loc[missing, "reason"] = "a-file-with-a-long-name-6726825d.pth is not in /a/folder/far/away. " * 4
    figure = figure_image_metrics(means)
    figure.draw_without_rendering()
    panels = [axes for axes in figure.axes if any("not measured" in text.get_text() for text in axes.texts)]
    assert len(panels) == 3
    for axes in panels:
        (text,) = (text for text in axes.texts if "not measured" in text.get_text())
        inner, outer = text.get_window_extent(), axes.get_window_extent()
        assert outer.x0 <= inner.x0 < inner.x1 <= outer.x1
        assert outer.y0 <= inner.y0 < inner.y1 <= outer.y1
        assert text.get_text().endswith("(see the caption)")


@pytest.mark.parametrize("stages", [("late",), (0.35, "late"), ("layer1", "layer2")])
def test_figure_4_takes_any_stages(stages):
    assert pixels(figure_image_metrics(metric_means(stages=stages))).shape[1] == 1440  # nothing sticks out


def test_the_best_set_of_a_stage_is_bold():
    table = table_image_metrics(metric_means(stages=("late",)))
    html = table.to_html()
    assert html.count("font-weight: 650") == 1  # one rule of the style sheet, for all cells that it holds for
    assert "SSIM ↑" in html
    assert "TV ↓" in html
    assert "font-weight" not in table_image_metrics(metric_means(sets=("CNN",), stages=("late",))).to_html()


def test_an_undefined_agreement_is_a_dash():
    agreement = {"metric": "ssim", "label": "SSIM", "learned": False, "cells": 2, "rank_correlation": np.nan}
    assert "–" in table_metric_agreement(pd.DataFrame([agreement])).to_html()
