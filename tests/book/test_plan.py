"""What is planned is what is then computed; nothing is computed or stored for it."""

import math

import pytest

from metamerbook.ensembles import CHAPTERS
from metamerbook.ensembles.recognizability import recognizability
from metamerbook.plan import Passes, _flop_counter, plan_study
from metamerbook.study.profiles import profile_files
from metamerbook.study.study import Study
from metamerbook.study.tasks import MetamerRun
from table_toys import toy_study

UPDATES = {"pair": 6 * 3 * 2, "one": 6 * 3}  # images × repetitions × networks, of each stage


def test_what_run_computes_is_counted_and_then_found(tmp_path):
    study = toy_study(tmp_path / "store")
    before = plan_study(study, seconds=None)
    metamers = before.table[before.table["part"] == "metamers"]
    assert metamers["updates"].tolist() == [UPDATES[name] for name in metamers["model_set"]]
    assert metamers["updates"].equals(metamers["updates_left"])
    assert (before.table["found"] == 0).all()
    assert not (tmp_path / "store").exists()
    recognizability(study)
    after = plan_study(study, seconds=None).table
    assert after["flops"].equals(before.table["flops"])
    assert (after.loc[after["command"] == "run", ["updates_left", "flops_left", "bytes_left"]] == 0).all(axis=None)


def test_no_result_is_counted_twice(tmp_path):
    study = toy_study(tmp_path)
    total = plan_study(study, seconds=None).table["results"].sum()
    half = plan_study(toy_study(tmp_path, stages=("early",)), seconds=None).table["results"].sum()
    assert half < total < 2 * half  # budgets of chapters do not depend on the number of stages


def test_flops_are_those_of_the_layers_that_are_passed(tmp_path):
    count = _flop_counter(toy_study(tmp_path))
    first = 2 * 27 * 4 * 5 * 5  # a 3 × 3 convolution of 3 to 4 channels, at 5 × 5 places
    second = 2 * 36 * 4 * 3 * 3
    assert count(Passes("a", "0", 1, backward=False)) == first
    assert count(Passes("a", "0", 7, backward=True)) == 7 * 2 * first
    assert count(Passes("a", "1", 1, backward=True)) == 2 * (first + second)


def test_hours_come_from_timed_updates(tmp_path):
    study = toy_study(tmp_path)
    table = plan_study(study, seconds=0.01).table
    assert (table.loc[table["part"] == "metamers", "hours_left"] > 0).all()
    assert plan_study(study, seconds=None).table["hours_left"].isna().all()
    for seconds in (0, -1, math.nan):
        with pytest.raises(ValueError, match="seconds is"):
            plan_study(study, seconds=seconds)


def test_neither_weights_nor_photographs_are_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "none"))
    small = {"model_sets": {"mine": ["alexnet", "resnet18"]}, "evaluators": ["alexnet", "resnet18", "vgg19"]}
    small |= {"transfer_generators": ["alexnet"], "mixed_sets": 1, "mixed_smallest": 2, "metric_backbone": "none"}
    study = Study.from_profile("paper", photographs_needed=False, n_per_class=2, stages="late", **small, store=tmp_path)
    plan = plan_study(study, seconds=None)
    assert plan.table["updates"][0] == 32 * 40_000 * 2
    assert any("weights" in note for note in plan.notes)
    assert any("photographs" in note for note in plan.notes)
    assert not any(tmp_path.rglob(MetamerRun.__name__))


def test_the_chapters_are_named_as_their_notebooks():
    notebooks = profile_files()["mini"].parents[1].glob("[0-9][0-9]_*.py")
    order = [path.stem.partition("_")[2] for path in sorted(notebooks)]
    assert [name for name in order if name in CHAPTERS] == list(CHAPTERS)
