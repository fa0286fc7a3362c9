"""Chapters 04 and 10: settings, sets and networks beside the paper's, and how well networks classify."""

import re

import numpy as np
import pandas as pd
import pytest

from figure_worlds import words
from metamerbook.ensembles.experimental_setup import model_sets_table, settings_table, zoo_facts
from metamerbook.ensembles.figures.experimental_setup import (
    table_metrics,
    table_model_sets,
    table_settings,
    table_stages,
    table_zoo,
)
from metamerbook.ensembles.figures.model_zoo import figure_accuracies, table_model_zoo
from metamerbook.study.published import published
from metamerbook.study.study import Study
from metamerlib import ModelZoo
from metamerlib.models import ZOO


def cells(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]


@pytest.fixture(scope="module")
def zoo():
    return ModelZoo("mini")


def test_table_1_lists_the_nine_metrics_in_the_papers_order():
    rows = cells(table_metrics(published("table_1")))[1:]
    assert [row[0] for row in rows] == ["FID", "SSIM", "PSNR", "VIF", "LPIPS", "RASE", "SCC", "TV", "CLIP-IQA"]
    assert [row[3][0] for row in rows] == list("↓↑↑↑↓↓↑↓↑")
    assert [row[0] for row in rows if "learned" in row[2]] == ["FID", "LPIPS", "CLIP-IQA"]


def test_directions_of_the_paper_and_of_the_library_agree():
    from metamerlib.evaluation import METRICS

    table = published("table_1").set_index("key")["better"]
    assert {key: METRICS[key].direction for key in table.index} == table.to_dict()


def test_table_2_names_members_and_what_is_missing():
    frame = pd.DataFrame(
        {
            "model_set": ["CNN", "mine", "Transformers"],
            "paper": [["A", "B"], [], ["C"]],
            "members": [["alexnet", "vgg19"], ["mine"], []],
            "missing": [["resnet18"], [], ["vit_base"]],
            "runs": [True, True, False],
        }
    )
    assert cells(table_model_sets(frame))[1:] == [
        ["CNN", "A, B", "AlexNet, VGG-19; without ResNet-18"],
        ["mine", "–", "mine"],
        ["Transformers", "C", "left out, for want of ViT-Base"],
    ]


def test_table_2_of_a_study_has_the_papers_sets_in_order(tmp_path):
    frame = model_sets_table(Study.from_profile("mini", store=tmp_path))
    assert frame["model_set"].tolist() == list(dict.fromkeys(published("table_2")["model_set"]))
    assert frame["paper"].map(len).tolist() == [1, 1, 4, 3, 4, 4]


def test_table_3_marks_what_differs_and_nothing_else(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path, repetitions=4000, steps_per_model=10, size=32, gradient="raw")
    frame = settings_table(study)
    html = table_settings(frame).to_html()
    bold = re.search(r"([^}]*)\{\s*font-weight: 650", html)[1]
    rows = sorted(int(row) for row in re.findall(r"_row(\d+)_", bold))
    assert rows == frame.index[frame["paper"] != frame["here"]].tolist()
    assert frame.loc[rows, "field"].tolist() == ["gradient", "size", "n_per_class"]


def test_the_papers_own_settings_are_the_defaults(tmp_path):
    study = Study.from_profile("smoke", store=tmp_path, repetitions=4000, steps_per_model=10)
    frame = settings_table(study)
    of_table_3 = frame[frame["where"] == "Table 3"]
    assert len(of_table_3) == len(published("table_3"))
    assert of_table_3["paper"].tolist() == of_table_3["here"].tolist()


def test_the_zoos_tables_name_every_network(zoo):
    for styler in (table_stages(zoo.stage_table()), table_zoo(zoo.table())):
        assert [row[0] for row in cells(styler)[1:]] == [entry.table_name for entry in ZOO.values()]


def test_the_zoos_card_says_how_a_network_was_trained_and_what_is_missing(zoo):
    table = zoo.table()
    table.loc[table["key"] == "vgg19", "available"] = False
    kinds = {row[0]: row[1] for row in cells(table_zoo(table))[1:]}
    assert kinds["VGG-19"] == "convolutional, missing"
    assert kinds["AlexNet Random"] == "convolutional, untrained"
    assert kinds["ResNet-18"] == "convolutional, standard"


def test_table_a1_has_both_counts_of_parameters():
    zoo = ModelZoo("mini").table()
    table = cells(table_model_zoo(zoo, published("table_a1")))
    assert len(table) == 1 + len(zoo)
    (row,) = [row for row in table if row[0] == "ResNet-18"]
    ours = zoo.set_index("key").loc["resnet18", "parameters"]
    assert [entry.replace("\u2009", "") for entry in row[2:4]] == ["11689512", str(ours)]
    assert [row[1:3] for row in table if row[0] == "Wide ResNet-50"] == [["not listed", "–"]]


def test_accuracies_are_drawn_for_networks_that_have_one(zoo):
    table = zoo.table()
    table.loc[table["key"] == "vgg19", ["accuracy", "robust_accuracy"]] = np.nan
    figure = figure_accuracies(table)
    _, as_they_are, attacked = figure.axes[0].collections
    known = table.dropna(subset="accuracy")
    assert len(as_they_are.get_offsets()) == len(known)
    assert sorted(as_they_are.get_offsets()[:, 0]) == sorted(known["accuracy"])
    assert sorted(attacked.get_offsets()[:, 0]) == sorted(known["robust_accuracy"])
    assert "VGG-19" not in words(figure)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()][:2] == ["as they are", "under attack"]


def test_the_networks_numbers_are_those_of_the_table():
    table = pd.DataFrame(
        {"table_name": name, "available": there, "random": False, "robust": robust, "parameters": 1000}
        | {"paper_parameters": 50_000, "accuracy": accuracy, "robust_accuracy": attacked}
        for name, there, robust, accuracy, attacked in (
            ("A", True, False, 0.9, 0.1),
            ("B", True, True, 0.8, 0.7),
            ("C", False, False, np.nan, np.nan),
        )
    )
    facts = zoo_facts(table)
    assert (facts["available"], facts["wanted"], facts["share"]) == (2, 3, "0.02")
    assert (facts["lowest-network"], facts["accuracy-lowest"]) == ("B", "80.0%")
    assert (facts["robust-attacked"], facts["standard-attacked"]) == ("70.0%", "10.0%")
    assert zoo_facts(table.assign(accuracy=np.nan))["accuracy-highest"] == "–"


def test_published_accuracies_are_among_1000_classes_and_without_attacks():
    figure = figure_accuracies(ModelZoo("paper").table())
    assert "ResNet-18" in words(figure)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["as they are", "chance"]
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == ":"] == [1 / 1000]
    unknown = figure_accuracies(ModelZoo("paper-untrained").table())
    assert "No accuracy is known" in words(unknown)[0]
    assert unknown.axes, "a figure without axes is not displayed"
