"""Tables say what frames hold, and are the same text whenever they are made."""

import re

import numpy as np
import pandas as pd
import pytest
from figure_worlds import recognizability_table

from metamerbook.ensembles.experimental_setup import model_sets_table, settings_table
from metamerbook.ensembles.figures.experimental_setup import (
    table_metrics,
    table_model_sets,
    table_settings,
    table_stages,
    table_zoo,
)
from metamerbook.ensembles.figures.methodology import table_residuals
from metamerbook.ensembles.figures.recognizability import table_criteria, table_means
from metamerbook.ensembles.recognizability import overall_recognizability
from metamerbook.plots.tables import book_table, short_number
from metamerbook.study.published import published, published_means
from metamerbook.study.study import Study
from metamerlib import ModelZoo
from metamerlib.models import STAGES, ZOO


def cells(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]


@pytest.fixture(scope="module")
def zoo():
    return ModelZoo("mini")


def test_a_table_is_the_same_text_each_time_and_escapes_what_is_no_markup():
    frame = pd.DataFrame({"a": ["<b>", "x"], "n": [0.123456, np.nan], "yes": [True, False]})
    first, second = (book_table(frame, "tab-x", wrap=["a"]).to_html() for _ in range(2))
    assert first == second
    assert 'id="T_tab-x"' in first
    assert cells(book_table(frame, "tab-x")) == [["a", "n", "yes"], ["&lt;b&gt;", "0.123", "yes"], ["x", "–", "no"]]
    assert len(re.findall(r'class="data row\d col0 wrap"', first)) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (-0.00886, "−0.00886"),
        (2070.4, "2\u2009070"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (np.nan, "–"),
        (999.9, "1\u2009000"),
    ],
)
def test_numbers_are_short(value, text):
    assert short_number(value) == text


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


def test_means_stand_beside_the_published_ones():
    overall = overall_recognizability(recognizability_table(stages=("early", "late", 0.6)))
    rows = cells(table_means(overall, published_means()))
    assert rows[0] == ["stage", "paper", "here", "here, trained only", "sets", "evaluators"]
    assert [row[:2] for row in rows[1:]] == [["early", "0.477 ± 0.253"], ["60 %", "–"], ["late", "0.419 ± 0.237"]]
    ours = overall[(overall["stage"] == "late") & (overall["evaluators"] == "all")].iloc[0]
    assert rows[3][2] == f"{ours['mean']:.3f} ± {ours['sd']:.3f}"


def test_published_means_are_the_papers():
    assert published_means()["stage"].tolist() == list(STAGES)
    assert published_means()["mean"].tolist() == [0.477, 0.547, 0.419]


def test_residuals_are_listed_by_set_model_and_stage():
    residuals = pd.DataFrame(
        {
            "model_set": ["mine", "CNN", "CNN"],
            "stage": ["late"] * 3,
            "model": ["own", "alexnet", "resnet18"],
            "initial_residual_mean": [1.0, 0.9, 0.8],
            "residual_mean": [0.1, 0.2, 0.3],
        }
    )
    assert cells(table_residuals(residuals)) == [
        ["set", "model", "late"],
        ["CNN", "AlexNet", "0.90 → 0.200"],
        ["CNN", "ResNet-18", "0.80 → 0.300"],
        ["mine", "own", "1.00 → 0.100"],
    ]


def test_criteria_keep_each_row_with_its_set():
    table = pd.DataFrame(
        {
            "model_set": ["mine", "mine", "CNN", "CNN"],
            "stage": ["early", "late"] * 2,
            "reference": [0.1, 0.2, 0.3, 0.4],
            "label": [0.5, 0.6, 0.7, np.nan],
            "generator": [0.9, 0.8, 0.7, 0.6],
        }
    )
    assert cells(table_criteria(table))[1:] == [
        ["CNN", "early", "0.300", "0.700", "0.700"],
        ["CNN", "late", "0.400", "–", "0.600"],
        ["mine", "early", "0.100", "0.500", "0.900"],
        ["mine", "late", "0.200", "0.600", "0.800"],
    ]
