"""Tables say what frames hold, and are the same text whenever they are made."""

import re

import pandas as pd
import pytest

from metamerbook.ensembles.experimental_setup import model_sets_table, settings_table
from metamerbook.ensembles.figures.experimental_setup import (
    table_metrics,
    table_model_sets,
    table_settings,
    table_stages,
    table_zoo,
)
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
