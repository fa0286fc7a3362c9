"""The plan of a study: what it counts is what is then computed, and what it costs is what torch counts."""

import json
import math

import pandas as pd
import pytest
import torch
from torch import nn

from metamerbook.ensembles.claims import measured_tables
from metamerbook.ensembles.explorer import explore
from metamerbook.ensembles.introduction import overview
from metamerbook.ensembles.optimisers import convergence, mode_runs, modes, optimizer_runs
from metamerbook.ensembles.representational_similarity import distance_correlations, metamer_success
from metamerbook.ensembles.transfer import transfer
from metamerbook.planning.costs import PassCost, PassCosts, pass_cost
from metamerbook.planning.plan import plan_study
from metamerbook.planning.probe import Speed, Timing
from metamerbook.planning.workload import Passes
from metamerbook.study.study import Study
from metamerlib import CATEGORIES, Classifier
from metamerlib.models import ModelZoo
from table_toys import SETS, images, toy, toy_study

COUNTED = ["runs", "found", "updates", "flops", "bytes", "updates_left", "flops_left", "bytes_left"]


def one_convolution():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, len(CATEGORIES)))
    return Classifier(network, name="one", blocks=["0", "1"], categories=CATEGORIES)


def write_the_book(study):
    """Compute every table that a chapter asks for."""
    measured_tables(study), metamer_success(study), distance_correlations(study), explore(study), overview(study)
    convergence(study, optimizer_runs(study)), convergence(study, mode_runs(study)), modes(study), transfer(study)


def part(plan, name):
    return plan.table[plan.table["part"] == name]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Plan, compute all, and plan again."""
    study = toy_study(tmp_path_factory.mktemp("store"))
    before = plan_study(study, seconds=None)
    write_the_book(study)
    return study, before, toy_study(study.store).plan(seconds=None)


def test_flops_are_those_counted_by_hand():
    forward = 2 * (3 * 3 * 3) * 4 * (6 * 6)  # a multiplication and an addition per weight and place
    cost = pass_cost(one_convolution(), (8, 8), "0")
    assert (cost.forward, cost.backward) == (forward, forward)  # towards the image alone, since weights are frozen
    assert cost.activations == 4 * 6 * 6 * 4
    assert cost.weights >= 4 * (4 * 27 + 4 + 144 * 16 + 16)
    looked = pass_cost(one_convolution(), (8, 8), None, backward=False)
    assert (looked.forward, looked.backward, looked.kept) == (forward + 2 * 144 * 16, 0, 0)
    assert Passes("one", "0", images=5, times=7, backward=True).flops(cost) == 5 * 7 * 2 * forward
    assert Passes("one", "0", images=5, times=7, backward=False).flops(cost) == 5 * 7 * forward


def test_what_the_backward_pass_needs_is_counted_once_and_without_weights():
    cost = pass_cost(one_convolution(), (8, 8), "1")
    image, output = 4 * 3 * 8 * 8, 4 * 4 * 6 * 6
    assert output <= cost.kept <= image + output  # the ReLU keeps its result; the convolution may keep the image


def test_nothing_is_computed_for_costs_of_networks_without_values():
    outline = ModelZoo("paper").skeletons()["resnet18"]
    assert outline.device.type == "meta"
    assert pass_cost(outline, (224, 224), None).forward == 2 * 1_814_073_344  # as published beside the network


def test_equal_architectures_are_counted_once(monkeypatch):
    counted = []
    monkeypatch.setattr("metamerbook.planning.costs.pass_cost", lambda model, *_, **__: counted.append(model.name))
    costs = PassCosts({"a": toy("a", 0), "b": toy("b", 1), "one": one_convolution()})
    for key in ("a", "b", "one", "a"):
        costs(key, (12, 12), "0")
    assert counted == ["a", "one"]
    assert [costs.alike(key) for key in ("a", "b", "one")] == ["a", "a", "one"]


def test_the_book_computes_what_was_planned_and_nothing_else(written):
    study, before, after = written
    assert before.table["found"].eq(0).all()
    assert (after.table["found"] == after.table["runs"]).all()
    assert after.table["runs"].tolist() == before.table["runs"].tolist()
    stored = list(study.store.root.glob("*/*/task.json"))
    assert len(stored) == before.table["runs"].sum()


def test_updates_and_flops_are_those_of_the_settings(written):
    study, before, _ = written
    grid = part(before, "metamers")
    assert grid[["model_set", "stage"]].to_numpy().tolist() == [
        [name, stage] for name in SETS for stage in ("early", "late")
    ]
    assert grid["updates"].tolist() == [6 * 3 * len(SETS[name]) for name in SETS for _ in range(2)]
    cost = pass_cost(study.networks.models["c"], (12, 12), study.networks.models["c"].layer("late"))
    assert grid["flops"].iloc[-1] == 6 * 3 * (cost.forward + cost.backward)
    assert part(before, "adversarial examples")["updates"].item() == 3 * 2 * 3 * 2  # radii × images × steps × networks


def test_what_is_found_is_no_longer_left(written):
    _, before, after = written
    for name in ("updates", "flops", "bytes"):
        assert (before.table[f"{name}_left"] <= before.table[name]).all()
        assert before.table[f"{name}_left"].sum() == before.table[name].sum() > 0
        assert (after.table[f"{name}_left"] == 0).all()


def test_a_part_that_was_run_is_found_and_the_others_are_left(tmp_path):
    study = toy_study(tmp_path)
    execution = study.execute()
    plan = plan_study(study, seconds=None)
    assert part(plan, "metamers")["found"].sum() == len(execution.computed) == 4
    assert part(plan, "snapshots on the way")["found"].item() == 4  # kept beside them
    assert part(plan, "recognizability")["found"].item() == 0
    another = toy_study(tmp_path, seed=1).plan(seconds=None)
    assert another.table["found"].sum() == 0


def test_bytes_are_about_those_on_the_disk(written):
    study, before, _ = written
    for part_of_store, names in {
        "metamers": [
            "metamers",
            "restricted search",
            "random sets",
            "optimisers",
            "modes",
            "ensemble sizes",
            "transfer",
        ],
        "attacks": ["adversarial examples"],
        "trajectories": [
            "snapshots on the way",
            "optimisers: snapshots on the way",
            "restricted search: snapshots on the way",
            "one image, step by step",
        ],
    }.items():
        stored = sum(file.stat().st_size for file in (study.store.root / part_of_store).rglob("*.*") if file.is_file())
        assert before.table[before.table["part"].isin(names)]["bytes"].sum() == pytest.approx(stored, rel=0.3)


def test_totals_are_sums(written):
    _, before, _ = written
    totals = before.totals().set_index("command")
    for name in COUNTED:
        assert totals.loc["book", name] == before.table[name].sum()
        assert totals.loc["run", name] == before.table[before.table["command"] == "run"][name].sum()
    assert totals.loc["book", "memory"] == before.table["memory"].max()
    assert math.isnan(totals.loc["book", "hours_left"])


def test_it_reads_as_json(written):
    _, before, _ = written
    document = json.loads(before.to_json())
    assert [row["part"] for row in document["parts"]] == before.table["part"].tolist()
    assert document["parts"][0]["hours_left"] is None
    assert document["totals"][1]["runs"] == before.table["runs"].sum()


def test_a_part_that_cannot_run_is_said_to_be_left_out(tmp_path):
    plan = toy_study(tmp_path, evaluators=("d", "e")).plan(seconds=None)
    assert part(plan, "random sets").empty
    assert any("random sets (mixed_smallest is 2" in note for note in plan.notes)


def test_neither_weights_nor_photographs_are_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "weights"))
    keys = ["alexnet", "squeezenet", "resnet18"]
    study = Study.from_profile(
        "paper",
        photographs_needed=False,
        store=tmp_path,
        progress=False,
        device="cpu",
        model_sets={"pair": keys[:2]},
        evaluators=keys,
        stages=["early"],
        transfer_generators=keys[:1],
    )
    assert study.running_sets == {}  # nothing could run now
    plan = plan_study(study, seconds=None)
    grid = part(plan, "metamers")
    assert (grid["images"].item(), grid["updates"].item()) == (400, 400 * 40_000 * 2)
    assert any(note.startswith("The weights of 29 networks are not on this disk") for note in plan.notes)
    assert any(note.startswith("No photographs are named: 400 grey images") for note in plan.notes)
    assert not (tmp_path / "weights").exists()
    with pytest.raises(ValueError, match="n_per_class is not set"):
        Study.from_profile("paper", stimuli="folder", n_per_class="all", photographs_needed=False).plan()


def test_weights_and_results_that_are_there_are_known(tmp_path):
    keys = ["alexnet_random", "resnet50_random"]
    settings = {"model_sets": {"mine": keys}, "evaluators": keys, "stages": ["early"], "repetitions": 1}
    study = Study.from_profile("smoke", store=tmp_path, progress=False, device="cpu", **settings)
    study.execute()
    assert part(plan_study(study, seconds=None), "metamers")["found"].item() == 1


def test_hours_come_from_timed_updates(tmp_path):
    plan = toy_study(tmp_path).plan(seconds=0.01)
    assert plan.timings["model"].tolist() == ["a"] * 3  # all five have one architecture, tapped at three stages
    assert (plan.timings["fastest"] <= plan.timings["seconds"]).all()
    assert (plan.timings["seconds"] <= plan.timings["slowest"]).all()
    hours = plan.table[["hours_low", "hours_left", "hours_high"]]
    assert hours.notna().all(axis=None)
    assert (hours.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert (part(plan, "metamers")["hours_left"] > 0).all()
    assert any(note.startswith("Hours come from updates with") for note in plan.notes)
    with pytest.raises(ValueError, match="seconds is 0"):
        toy_study(tmp_path).plan(seconds=0)


def test_the_plan_knows_how_it_is_computed(tmp_path):
    exact, rounded = toy_study(tmp_path), toy_study(tmp_path, precision="bfloat16", batch_size="auto", compile=True)
    exact.execute()
    plan = rounded.plan(seconds=0.01)
    assert part(exact.plan(seconds=None), "metamers")["found"].sum() == 4
    assert part(plan, "metamers")["found"].sum() == 0
    assert part(plan, "metamers")["hours_left"].gt(0).all()
    assert any("not compiled" in note for note in plan.notes)


COST = PassCost(forward=10, backward=10, kept=0, activations=0, weights=0)
TIMED = [
    Timing("a", "x", few=4, few_seconds=1.0, images=8, seconds=2.0, fastest=1.0, slowest=4.0, flops=20),
    Timing("b", "x", few=4, few_seconds=1.0, images=8, seconds=1.0, fastest=1.0, slowest=1.0, flops=20),
]


@pytest.mark.parametrize(
    ("passes", "batch_size", "processes", "wanted"),
    [
        (Passes("a", "x", 8, 10, True), None, 1, (20.0, 10.0, 40.0)),
        (Passes("a", "x", 16, 10, True), None, 1, (40.0, 20.0, 80.0)),
        (Passes("a", "x", 8, 10, True), None, 2, (10.0, 5.0, 20.0)),
        (Passes("a", "x", 12, 1, True), 8, 1, (3.0, 1.5, 6.0)),
        (Passes("a", "x", 1, 1, True), None, 1, (1.0, 0.5, 2.0)),  # filled up to four images
        (Passes("a", "y", 8, 1, True), None, 1, (2.0, 1.0, 4.0)),  # the same network's speed
        (Passes("c", "x", 8, 1, True), None, 1, (1.333, 0.5, 4.0)),  # 80 and 160 operations per second
        (Passes("c", "x", 8, 1, False), None, 1, (0.667, 0.25, 2.0)),
    ],
)
def test_times_are_read_off_the_timings_or_scaled_by_flops(passes, batch_size, processes, wanted):
    found = Speed(TIMED, torch.device("cpu"), batch_size, processes)(passes, COST)
    assert (found.likely, found.low, found.high) == pytest.approx(wanted, abs=1e-3)


def test_the_plan_is_a_tidy_table(written):
    _, before, _ = written
    assert isinstance(before.table, pd.DataFrame)
    assert not before.table.duplicated(["part", "model_set", "stage"]).any()
    assert len(images()) == part(before, "metamers")["images"].iloc[0]
