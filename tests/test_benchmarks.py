"""What benchmarks say and refuse; never how fast anything is."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import typer
from torch import nn

import benchmarks.presets
import benchmarks.update
from benchmarks import BENCHMARKS
from benchmarks.__main__ import main
from benchmarks.loops import Truncated, bare_loop, feather_loop
from benchmarks.measure import compared
from benchmarks.report import markdown, out_of_bounds
from metamerlib import Classifier, GenerationConfig, generate_metamers

ROOT = Path(__file__).parents[1]


def line(**changes):
    return {"line": "a", "unit": "s", "ours": 2.0, "other": 1.0, "ratio": 2.0, "bound": 1.1, **changes}


@pytest.fixture
def small():
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(80, 2))
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 4
    model = Classifier(network, name="small", mean=(0.4, 0.5, 0.6), blocks=["2"], categories=("cat", "dog"))
    return model, *torch.rand(2, 4, 3, 8, 8, generator=generator)


def test_a_quick_look_leaves_a_table_a_picture_and_a_report(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "update", "--device", "cpu"]
    command += ["--output", str(tmp_path / "new" / "folder")]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"COLUMNS": "80"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "new" / "folder"
    assert {path.name for path in folder.iterdir()} == {"update-cpu.csv", "update-cpu.png", "report.md"}
    table = pd.read_csv(folder / "update-cpu.csv")
    assert list(table)[:8] == ["line", "unit", "ours", "other", "ratio", "low", "high", "bound"]
    assert (table[["ours", "other", "low"]] > 0).all(axis=None)
    assert table["bound"].eq(1.10).all()
    assert table["same images"].all()
    report = (folder / "report.md").read_text("utf8")
    assert table["line"][0] in report
    assert table["line"][0] in done.stdout
    assert "not a measurement" in report.replace("nothing here is a", "not a")


@pytest.mark.parametrize(("quick", "status"), [(False, 1), (True, 0)])
def test_a_line_above_its_bound_is_named_and_ends_the_run_with_status_1(quick, status, monkeypatch, tmp_path, capsys):
    table = pd.DataFrame([line(line="slow one"), line(line="fine", ratio=1.0)])
    monkeypatch.setattr(benchmarks.update, "run", lambda output, quick, device: table)
    try:
        main(only=["update"], quick=quick, device="cpu", output=tmp_path)
        ended = 0
    except SystemExit as end:
        ended = end.code
    assert ended == status
    last = capsys.readouterr().out.split("Out of bounds")
    assert (len(last) == 2 and "slow one" in last[1] and "fine" not in last[1]) is (status == 1)


@pytest.mark.parametrize("wrong", [{"only": ["updates"]}, {"device": "tpu"}])
def test_what_does_not_exist_is_refused_by_name(wrong, tmp_path):
    settings = {"only": None, "quick": True, "device": "cpu", "output": tmp_path, **wrong}
    with pytest.raises(typer.BadParameter, match=r"update|cpu"):
        main(**settings)


def test_bounds_hold_up_to_their_value_and_for_numbers_alone():
    table = pd.DataFrame([line(ratio=1.1), line(ratio=float("nan")), line(bound=float("nan")), line(ratio=0.5)])
    assert len(out_of_bounds("update", "cpu", table)) == 1
    assert out_of_bounds("presets", "cpu", table.drop(columns="bound")) == []


def test_a_table_in_markdown_has_a_row_per_line():
    written = markdown("Title", pd.DataFrame([line(), line(bound=float("nan"))])).splitlines()
    assert written[0] == "## Title"
    assert len(written) == 2 + 2 + 2
    assert written[-1] == "| a | s | 2.00 | 1.00 | 2.00 |  |"


def test_ratios_are_of_neighbours_and_their_median_lies_in_the_interval():
    found = compared([2.0, 20.0, 6.0], [1.0, 10.0, 3.0])
    assert found == {"ours": 6.0, "other": 3.0, "ratio": 2.0, "low": 2.0, "high": 2.0}
    spread = compared([float(value) for value in range(1, 21)], [1.0] * 20)
    assert (spread["low"], spread["ratio"], spread["high"]) == (6.0, 10.5, 15.0)  # ranks 6 and 15 of 20 hold 95.9 %


def test_all_loops_take_the_same_steps(small):
    model, references, initial = small
    config = GenerationConfig(repetitions=3, steps_per_model=2)
    run = {"stage": "late", "config": config, "initial": initial, "device": "cpu", "progress": False}
    ours = generate_metamers(references, model, **run).images
    rates = [config.learning_rate_at(repetition) for repetition in range(3)]
    bare = initial.clone()
    for _ in bare_loop([Truncated(model, "2")], references, bare, rates, steps=2):
        pass
    torch.testing.assert_close(bare.detach(), ours, rtol=0, atol=1e-5)
    theirs = feather_loop(model, "2", references, initial, [rate for rate in rates for _ in range(2)])
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_has_a_name_a_title_and_a_run(name):
    module = ast.parse((ROOT / "benchmarks" / f"{name}.py").read_text("utf8"))
    assert len(ast.get_docstring(module).splitlines()[0]) > 20
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    assert [argument.arg for argument in functions["run"].args.args][:3] == ["output", "quick", "device"]
    assigned = [ast.unparse(node) for node in module.body if isinstance(node, ast.Assign)]
    assert f"NAME = '{name}'" in assigned


def test_presets_are_shown_side_by_side_with_what_their_images_look_like(tmp_path, monkeypatch):
    paper = benchmarks.presets.RULES["paper"][0]
    few = {"paper": (paper, (20,)), "fast": (paper, (10, 20))}  # the same rule under both names
    monkeypatch.setattr(benchmarks.presets, "RULES", few)
    monkeypatch.setattr(benchmarks.presets, "_METRICS", ("tv", "ssim"))
    table = benchmarks.presets.run(tmp_path, quick=True, cells=(("Single CNN", "late"),))
    assert table["set"].tolist() == ["Single CNN"] * 3 + ["references"]
    assert table["updates"][:3].tolist() == [2, 1, 2]
    assert table["residual"][:3].gt(0).all()
    assert table["recognizability"][:3].between(0, 1).all()
    assert (table["ssim"][3], table["ssim"][:3].max() < 1) == (pytest.approx(1, abs=1e-5), True)
    assert table["matched_by"][0] == 2  # one update leaves more
    assert table["matched_by"][1:].eq("").all()
    assert {path.name for path in tmp_path.iterdir()} == {
        "presets-single-cnn-late-cpu.png",
        "presets-single-cnn-late-cpu-images.png",
    }
