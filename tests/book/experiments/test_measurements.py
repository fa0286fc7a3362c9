"""Tables over every set and stage: image metrics, representations, success; equal to what the measures say directly."""

import numpy as np
import pandas as pd
import pytest

from metamerbook.ensembles import image_metrics as appearance
from metamerbook.ensembles import representational_similarity as representation
from metamerbook.ensembles import success
from metamerbook.ensembles.image_metrics import image_metrics, mean_image_metrics
from metamerbook.ensembles.representational_similarity import distance_correlations, distance_densities, divergence
from metamerbook.ensembles.success import metamer_success, success_counts
from metamerlib import ModelZoo, evaluation
from metamerlib.evaluation import representation as distances
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


@pytest.fixture
def exact(tmp_path):
    """A study whose metamers are the references."""
    toys = toy_study(tmp_path)
    config = toys.settings.config.replace(initializer="reference", epsilon=1e-9)
    return toy_study(tmp_path, config=config)


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
    assert appearance._backbone(mini)[1] == "mini AlexNet Random"


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


def test_a_second_study_measures_nothing(study, monkeypatch):
    first = image_metrics(study), divergence(study), metamer_success(study)
    for module, name in ((appearance, "measure"), (representation, "pair_distances"), (success, "measure")):
        monkeypatch.setattr(module, name, None)
    again = toy_study(study.store, references=images(side=48))
    for before, after in zip(first, (image_metrics(again), divergence(again), metamer_success(again)), strict=True):
        pd.testing.assert_frame_equal(before, after)


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


def test_divergence_is_that_of_the_metamers(study):
    table = divergence(study).set_index(["model_set", "stage", "evaluator"])
    assert len(table) == 2 * 2 * 5
    cells = evaluation.pair_distances(
        study.metamers("one", "early").images, study.references, [study.networks.models["d"]], stage="early"
    )
    direct = evaluation.representational_divergence(cells, max_pairs=50).set_index(["first", "second"])["divergence"]
    row = table.loc[("one", "early", "d")]
    for column, kinds in representation.COMPARISONS.items():
        assert row[column] == direct[kinds]
    assert row["layer"] == "0"


def test_members_of_a_set_took_part(study):
    parts = divergence(study).groupby(["model_set", "evaluator"])["took_part"].all().unstack("evaluator")
    assert parts.loc["pair"].tolist() == [True, True, False, False, False]
    assert parts.loc["one"].tolist() == [False, False, True, False, False]


def test_references_are_looked_at_once_per_evaluator_and_stage(tmp_path, monkeypatch):
    calls, look = [], distances.flat_activations

    def counting(batch, model, stage, batch_size):
        calls.append((model.name, stage))
        return look(batch, model, stage, batch_size)

    monkeypatch.setattr(distances, "flat_activations", counting)
    toys = toy_study(tmp_path)
    divergence(toys), distance_correlations(toys)
    assert len(calls) == 5 * 2 * (1 + 2)  # evaluators, stages, references and two sets


def test_an_evaluator_without_the_stage_is_left_out(tmp_path):
    zoo = toy_study(tmp_path).zoo
    del zoo["e"].module[1][1]
    table = divergence(toy_study(tmp_path, zoo=zoo, stages=("1.1",)))
    assert table["evaluator"].unique().tolist() == list("abcd")


def test_perfect_metamers_lie_where_their_references_lie(exact):
    table = divergence(exact)
    assert (table["divergence"] < 0.01).all()
    assert (table["metamer_metamer"] < 1e-9).all()
    correlations = distance_correlations(exact)
    assert np.allclose(correlations["pearson"], 1)
    assert (correlations["pearson_p"] <= correlations["pearson_p"].min()).all()


def test_densities_are_densities(study):
    table = distance_densities(study, "pair", "late", "c", points=400)
    for kind, rows in table.groupby("kind"):
        assert np.trapezoid(rows["density"], rows["distance"]) == pytest.approx(1, abs=0.02), kind
    assert set(table["kind"]) == set(evaluation.KINDS)


def test_perfect_metamers_pass_and_are_counted(exact):
    table = metamer_success(exact)
    assert table["metamer"].all()
    assert len(table) == 2 * (2 + 1) * 6
    assert table["category"].tolist()[:3] == ["airplane", "car", "airplane"]
    counts = success_counts(table)
    assert counts.query("model_set == 'pair'")["model"].tolist() == ["all", "a", "b"] * 2
    assert counts.query("model_set == 'one'")["model"].tolist() == ["all"] * 2
    assert (counts["metamer"] == 6).all()
    assert (counts["share"] == 1).all()


def test_verdicts_are_those_of_the_measure(study):
    table = metamer_success(study)
    direct = evaluation.metamer_success(
        study.metamers("one", "late").images, study.references, [study.networks.models["c"]], stage="late"
    )
    rows = table.query("model_set == 'one' and stage == 'late'")
    for column in ("spearman", "pearson", "snr_db", "metamer"):
        assert rows[column].tolist() == direct[column].tolist()


def test_an_image_is_a_metamer_of_a_set_if_it_is_one_for_every_member():
    table = pd.DataFrame(
        {"model_set": "s", "stage": "late", "model": ["a", "a", "b", "b"], "image": [0, 1, 0, 1]}
        | {"beyond_null": [True, True, False, True], "same_class": True, "metamer": [True, True, False, True]}
        | {"n_members": 2, "n_wanted": 3}
    )
    counts = success_counts(table).set_index("model")
    assert counts["metamer"].to_dict() == {"all": 1, "a": 2, "b": 1}
    assert counts.loc["all", "share"] == 0.5
    assert counts.loc["all", "low"] < 0.5 < counts.loc["all", "high"]
    assert counts["same_class"].tolist() == [2, 2, 2]
