"""The published numbers agree with each other, and with what the library took from the same paper."""

import math
import shutil

import pandas as pd
import pytest

from metamerbook.study import profiles
from metamerbook.study.profiles import data_folder
from metamerbook.study.published import published, statement
from metamerlib.evaluation import METRICS
from metamerlib.generation import GenerationConfig
from metamerlib.models import MODEL_SETS, STAGES, ZOO
from metamerlib.stimuli import CATEGORIES, SYNSETS

TABLES = {"table_1": 9, "table_2": 17, "table_3": 11, "table_a1": 29, "table_b2": 31}
WIDE = {"wide_resnet50", "wide_resnet50_robust"}  # in Table B2, not in Table A1


@pytest.mark.parametrize("name", sorted(path.stem for path in data_folder("data/published").glob("*.csv")))
def test_every_row_says_where_it_stands(name):
    table = published(name)
    assert (table["where"] != "").all()
    identifier = next(c for c in ("id", "key", "part") if c in table)
    groups = [c for c in ("model_set", "hyperparameter") if c in table]
    assert not table.duplicated([*groups, identifier]).any()
    text = [column for column in table if not pd.api.types.is_numeric_dtype(table[column])]
    assert [column for column in text if (table[column] != table[column].str.strip()).any()] == []


@pytest.mark.parametrize(("name", "rows"), TABLES.items())
def test_tables_have_the_papers_rows(name, rows):
    assert len(published(name)) == rows


def test_an_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match=r"'table_2_1'\. Did you mean 'table_2'\?.*'statements', 'table_1'"):
        published("table_2_1")


def test_table_1_names_the_metrics_that_the_library_has():
    table = published("table_1").set_index("key")
    assert set(table.index) == set(METRICS) - {"kid", "rase_corrected"}  # these two are additions of ours
    assert list(table.index) == [key for key in METRICS if key in table.index]
    for key, row in table.iterrows():
        assert row["better"] == METRICS[key].direction
        assert row["learned"] == (METRICS[key].needs is not None)
        assert (row["compares"] == "sets") == (not METRICS[key].per_image)
        assert (row["compares"] == "single images") == (METRICS[key].perfect is None)


def test_table_2_is_the_librarys_model_sets():
    table = published("table_2")
    assert {name: tuple(group["key"]) for name, group in table.groupby("model_set", sort=False)} == MODEL_SETS
    assert table["model_set"].drop_duplicates().tolist() == list(MODEL_SETS)


def test_table_3_is_the_default_configuration():
    table = published("table_3").query("field != ''").set_index("field")["value"]
    for name, value in table.items():
        default = getattr(GenerationConfig(), name)
        if isinstance(default, str):
            # "uniform ℓ₁ ball" → l1_ball, "round robin" → round_robin, "inversion loss" → inversion
            words = value.replace("ℓ₁", "l1").replace("uniform ", "").replace(" loss", "").replace(" ", "_")
            assert words == default
        else:
            assert float(value) == default
    total = published("table_3").query("part == 'in all'")["value"].item()
    assert int(total) == GenerationConfig().updates_per_model


def test_table_a1_has_the_zoos_names_and_parameter_counts():
    table = published("table_a1").set_index("key")
    assert set(table.index) == set(ZOO) - WIDE
    for key, row in table.iterrows():
        assert (row["model"], row["parameters"]) == (ZOO[key].table_name, ZOO[key].parameters)
        if "(" in row["trained_on"] and ZOO[key].robust:
            assert row["trained_on"].replace("ℓ∞", "Linf") == ZOO[key].trained_on
    assert {key for key, row in table.iterrows() if row["trained_on"].startswith("none")} == {
        key for key in ZOO if ZOO[key].random
    }


def test_table_b2_lists_the_whole_zoo_from_the_best_to_the_worst():
    table = published("table_b2")
    assert set(table["key"]) == set(ZOO)
    assert table["rank"].tolist() == list(range(1, 32))
    assert table["difference_in_means"].is_monotonic_decreasing
    assert table["difference_in_means"].min() == 0  # no sign is printed, though the text tells of harm
    for _, row in table.iterrows():
        assert ZOO[row["key"]].robust == ("Robust" in row["model"])
        assert ZOO[row["key"]].random == ("Random" in row["model"])


def test_table_b2_appearances_are_those_of_a_hundred_sets_of_two_to_ten():
    appearances = published("table_b2")["appearances"]
    sets = statement("mixed-sets")["value"]
    sizes = range(int(statement("mixed-size-low")["value"]), int(statement("mixed-size-high")["value"]) + 1)
    assert appearances.sum() == 562
    # Uniform sizes have this mean and variance; the printed total is an ordinary draw of them.
    mean, variance = sum(sizes) / len(sizes), (len(sizes) ** 2 - 1) / 12
    assert abs(appearances.sum() / sets - mean) < 2 * math.sqrt(variance / sets)
    assert (appearances <= sets).all()


def test_statements_agree_with_each_other_and_with_the_library():
    value = published("statements").set_index("id")["value"]
    assert {name: value[f"stage-{name}"] for name in STAGES} == STAGES
    assert value["classes"] == len(CATEGORIES) == value["classes-listed"] + 1
    assert value["synsets"] > sum(len(rows) for rows in SYNSETS.values())  # 24 of them are no class of ILSVRC-1k
    assert value["total-steps"] == value["repetitions"] * value["steps-per-model"]
    assert value["metrics"] == len(published("table_1"))
    assert value["models"] == value["restricted-evaluators"] == len(published("table_b2"))
    assert value["models-listed"] == len(published("table_a1"))
    assert value["example-sets"] == math.comb(int(value["models"]), int(value["example-set-size"]))
    assert value["epsilon-small"] == pytest.approx(8 / 255)
    config = GenerationConfig()
    assert (value["learning-rate-start"], value["learning-rate-end"]) == (
        config.learning_rate,
        config.final_learning_rate,
    )
    assert value["epsilon"] == config.epsilon


def test_only_means_have_a_spread():
    table = published("statements")
    assert set(table.loc[table["spread"].notna(), "id"]) == {
        "recognizability-early",
        "recognizability-middle",
        "recognizability-late",
        "mixed-recognizability",
    }
    assert set(table["relation"]) == {"=", "<", ">", "≈"}
    assert pd.api.types.is_float_dtype(table["value"])


def test_an_unknown_statement_names_the_nearest():
    assert statement("recognizability-early")["value"] == 0.477
    with pytest.raises(ValueError, match="'recognizability-early'"):
        statement("recognisability-early")


def test_an_installed_package_reads_its_own_copy(tmp_path, monkeypatch):
    copy = tmp_path / "_bundled" / "published"
    shutil.copytree(profiles.data_folder("data/published"), copy)
    original = published("table_b2")
    monkeypatch.setattr(profiles, "repository_root", lambda: None)
    monkeypatch.setattr(profiles.resources, "files", lambda package: tmp_path)
    assert profiles.data_folder("data/published") == copy
    pd.testing.assert_frame_equal(published("table_b2"), original)
    shutil.rmtree(copy)
    with pytest.raises(ValueError, match="no file"):
        published("table_b2")
