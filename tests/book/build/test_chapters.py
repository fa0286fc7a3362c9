"""Chapters are executed with their parameters, when something has changed, and leave the same bytes."""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook, new_output
from small_books import HEAD, write_chapter

from metamerbook.build import ChapterError, chapters, execute_chapters
from metamerbook.build.kernel import kernel_environment, normalised, running_kernel
from metamerbook.build.requests import chapter_key, declared_parameters
from metamerbook.engine.context import Context
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task


def outputs(run):
    """Join what an executed chapter printed."""
    notebook = nbformat.read(run.path, as_version=4)
    return "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))


@pytest.fixture(scope="module", autouse=True)
def package(tmp_path_factory):
    """Let keys hash a package of one file, so that no edit of the real one during the tests executes chapters again."""
    module = tmp_path_factory.mktemp("package") / "metamerlib" / "__init__.py"
    module.parent.mkdir()
    module.write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metamerbook.build.requests.metamerlib", SimpleNamespace(__file__=str(module)))
        yield module


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Give a book with two chapters that were executed once; the first shows all that may vary."""
    root = tmp_path_factory.mktemp("book")
    body = """
# %%
import os, sys
import matplotlib.pyplot as plt
from tqdm import tqdm

for _ in tqdm(range(3)):
    pass
print(profile, stages, os.path.basename(os.getcwd()))

# %%
object()

# %% tags=["remove-cell"]
_ = plt.plot([1, 2])
"""
    write_chapter(root, "01_first", body)
    write_chapter(root, "02_second", "\n# %%\nprint(profile)\n", head=HEAD.replace("stages = None\n", ""))
    return root, execute_chapters("smoke", root=root)


def test_parameters_reach_the_chapters(book):
    root, runs = book
    assert [run.name for run in runs] == ["01_first", "02_second"]
    assert [outputs(run) for run in runs] == ["smoke None notebooks\n", "smoke\n"]
    (run,) = execute_chapters("mini", ["01"], parameters={"stages": ["late"]}, root=root, output=root / "other")
    assert outputs(run) == "mini ['late'] notebooks\n"
    assert run.path == root / "other" / "executed" / "notebooks" / "01_first.ipynb"


def test_unknown_parameter_is_an_error_that_names_the_near_one(book):
    root, _ = book
    with pytest.raises(ChapterError, match=r"Unknown parameter 'stage' of 01_first.*Did you mean 'stages'\?"):
        execute_chapters("smoke", ["01"], parameters={"stage": "late"}, root=root)
    with pytest.raises(ChapterError, match="Unknown parameter 'stages' of 02_second"):
        execute_chapters("smoke", ["02"], parameters={"stages": ["late"]}, root=root)


def test_unknown_chapter_is_an_error_that_names_the_near_one(book):
    with pytest.raises(ChapterError, match=r"No chapter '02_secnd'. Did you mean '02_second'\?"):
        execute_chapters("smoke", ["02_secnd"], root=book[0])


def test_book_without_chapters_is_an_error(tmp_path):
    with pytest.raises(ChapterError, match="No chapter in"):
        execute_chapters("smoke", root=tmp_path)


def test_up_to_date_chapters_are_left_alone(book, capsys):
    root, runs = book
    before = [run.path.stat().st_mtime_ns for run in runs]
    again = execute_chapters("smoke", root=root)
    assert [run.executed for run in again] == [False, False]
    assert [run.path.stat().st_mtime_ns for run in again] == before
    assert "0 of 2 chapters executed" in capsys.readouterr().out


MEETING = """
# %%
import time
from pathlib import Path

mine, other = Path("{mine}"), Path("{other}")
mine.touch()
deadline = time.monotonic() + 60
while not other.exists():
    assert time.monotonic() < deadline, "the other chapter does not run"
    time.sleep(0.05)
print("met")
"""


def test_chapters_run_side_by_side_and_one_kernel_serves_several(tmp_path):
    write_chapter(tmp_path, "01_first", MEETING.format(mine="one", other="two"))
    write_chapter(tmp_path, "02_second", MEETING.format(mine="two", other="one"))
    write_chapter(tmp_path, "03_third", "\n# %%\nprint('met' if 'mine' in globals() else 'nothing left')\n")
    runs = execute_chapters("smoke", root=tmp_path, jobs=2)
    assert [run.name for run in runs] == ["01_first", "02_second", "03_third"]
    assert [outputs(run) for run in runs] == ["met\n", "met\n", "nothing left\n"]
    cells = nbformat.read(runs[2].path, as_version=4).cells
    assert [cell.execution_count for cell in cells if cell.cell_type == "code"] == [1, 2, 3]
    assert not any(run.executed for run in execute_chapters("smoke", root=tmp_path, jobs=2))


@dataclass(frozen=True)
class Step(Task):
    """Work that takes a moment, or until a file is there."""

    name: str
    awaited: str | None = None

    def compute(self, context):
        deadline = time.monotonic() + 60
        time.sleep(0.3)
        while self.awaited and not Path(self.awaited).exists():
            assert time.monotonic() < deadline, "the chapter waits for other chapters' tasks"
            time.sleep(0.05)
        return {"time": torch.tensor(time.time(), dtype=torch.float64)}


def test_a_chapter_begins_as_soon_as_its_own_tasks_are_done(tmp_path, monkeypatch, capsys):
    store, awaited = Store(tmp_path / "store"), tmp_path / "build" / "executed" / "notebooks" / "01_first.ipynb"
    steps = [Step("early"), Step("late", str(awaited))]

    def collected(stale):
        for chapter, needed in zip(stale, (steps[:1], steps), strict=True):
            chapter.tasks = {step.key for step in needed}
        context = Context(None, {}, store, device="cpu")
        return [(step, context) for step in steps]

    monkeypatch.setattr(chapters, "_collected", collected)
    monkeypatch.setattr(chapters, "_SECONDS_PER_LINE", 0.2)
    for name in ("01_first", "02_second"):
        write_chapter(tmp_path, name, "\n# %%\nimport time\nprint(time.time())\n")
    first, second = (float(outputs(run)) for run in execute_chapters("smoke", root=tmp_path, jobs=1))
    early, late = (store.get_or_compute(step, None)["time"].item() for step in steps)
    assert early < first < late < second
    lines = capsys.readouterr().out
    assert "2 chapters to come" in lines
    assert "computed 50%; about 1 min of it left" in lines


def test_the_tasks_of_a_chapter_are_those_of_its_module(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_STORE", str(tmp_path / "store"))
    values = {"profile": "smoke", "stages": ["late"]}
    stale = [
        chapters._Chapter(tmp_path / f"{name}.py", tmp_path, values, "")
        for name in ("05_recognizability", "06_no_such_chapter")
    ]
    work = chapters._collected(stale)
    assert {task.key for task, _ in work} == stale[0].tasks
    assert stale[0].tasks == stale[1].tasks  # it comes after those before it
    assert any(task.kind == "MetamerRun" for task, _ in work)
    assert not any(context.progress for _, context in work)


def test_kernels_end_without_a_word(tmp_path, capfd):
    write_chapter(tmp_path)
    execute_chapters("smoke", root=tmp_path)
    assert capfd.readouterr().err == ""


def test_a_killed_kernel_is_said_and_a_notebook_cut_off_is_not_believed(tmp_path):
    write_chapter(tmp_path, body="\n# %%\nimport os\nos.kill(os.getpid(), 9)\n")
    with pytest.raises(ChapterError, match=r"01_tiny\.py: the process that executed it was killed, perhaps for want"):
        execute_chapters("smoke", root=tmp_path)
    write_chapter(tmp_path)
    (run,) = execute_chapters("smoke", root=tmp_path)
    os.truncate(run.path, 100)
    (again,) = execute_chapters("smoke", root=tmp_path)
    assert again.executed


def test_one_of_several_chapters_fails(tmp_path):
    write_chapter(tmp_path, "01_first")
    write_chapter(tmp_path, "02_second", "\n# %%\nimport time\ntime.sleep(2)\n")  # still at it when the third fails
    write_chapter(tmp_path, "03_third", '\n# %%\nraise KeyError("lost")\n')
    with pytest.raises(ChapterError, match=r"03_third\.py failed in its code cell 3: KeyError: 'lost'"):
        execute_chapters("smoke", root=tmp_path, jobs=2)
    write_chapter(tmp_path, "03_third")
    assert [run.executed for run in execute_chapters("smoke", root=tmp_path, jobs=2)] == [False, False, True]


def test_no_chapter_at_a_time_is_refused(tmp_path):
    with pytest.raises(ValueError, match="jobs is 0: give at least 1"):
        execute_chapters("smoke", root=tmp_path, jobs=0)


def test_forced_runs_leave_the_same_bytes(book):
    root, runs = book
    before = runs[0].path.read_bytes()
    (run,) = execute_chapters("smoke", ["01_first"], force=True, root=root)
    assert run.executed
    assert run.path.read_bytes() == before


def test_executed_chapter_holds_results_and_no_traces_of_the_run(book):
    notebook = nbformat.read(book[1][0].path, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "metamerlib"}
    assert [cell.id for cell in notebook.cells] == [f"cell-{n + 1}" for n in range(len(notebook.cells))]
    injected = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert ["remove-cell" in cell.metadata.tags for cell in injected] == [True]
    shown = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    texts = [out.get("text") or out.data["text/plain"] for out in shown if "image/png" not in out.get("data", {})]
    assert texts == ["smoke None notebooks\n", "<object>"]


def test_figures_are_drawn_at_twice_the_resolution_whatever_backend_is_exported(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    write_chapter(tmp_path, body="\n# %%\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\n")
    (run,) = execute_chapters("smoke", root=tmp_path)
    (output,) = nbformat.read(run.path, as_version=4).cells[-1].outputs
    assert "image/png" in output.data
    assert set(output.metadata["image/png"]) == {"width", "height"}
    assert os.environ["MPLBACKEND"] == "agg"


@pytest.mark.parametrize(
    "changed", ["package", "data/zoo/card.json", "constraints.txt", "notebooks/profiles/smoke.yml"]
)
def test_a_chapter_is_stale_after_any_change_of_what_its_result_depends_on(tmp_path, package, changed):
    write_chapter(tmp_path)
    path = package if changed == "package" else tmp_path / changed
    execute_chapters("smoke", root=tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# changed: {changed}")
    ((first,), (second,)) = (execute_chapters("smoke", root=tmp_path) for _ in range(2))
    package.write_text("")
    assert (first.executed, second.executed) == (True, False)


def test_what_depends_on_the_world_outside_is_always_executed(tmp_path):
    source = write_chapter(tmp_path)
    assert chapter_key("package", source, {"profile": "mini"})
    assert not chapter_key("package", source, {"profile": "paper"})
    assert not chapter_key("package", source, {"profile": "mini", "root": "photographs"})


def test_paths_hold_in_the_chapters_folder(tmp_path, monkeypatch):
    write_chapter(tmp_path, body="\n# %%\nprint(profile)\n")
    (tmp_path / "mine.yml").write_text("zoo: mini\n")
    monkeypatch.chdir(tmp_path)
    (run,) = execute_chapters("mine.yml", root=tmp_path)
    assert outputs(run) == f"{tmp_path / 'mine.yml'}\n"


def test_changed_source_is_executed_again_and_a_failure_keeps_the_last_good_copy(tmp_path):
    body = "\n# %%\nprint({})\n"
    source = write_chapter(tmp_path, body=body.format("1"))
    (first,) = execute_chapters("smoke", root=tmp_path)
    write_chapter(tmp_path, body=body.format("1 / 0"))
    with pytest.raises(ChapterError, match=r"01_tiny\.py failed.*ZeroDivisionError: division by zero"):
        execute_chapters("smoke", root=tmp_path)
    failed = first.path.with_suffix(".failed.ipynb")
    assert "ZeroDivisionError" in failed.read_text(encoding="utf8")
    assert outputs(first) == "1\n"
    write_chapter(tmp_path, body=body.format("2"))
    (second,) = execute_chapters("smoke", root=tmp_path)
    assert second.executed
    assert outputs(second) == "2\n"
    assert not failed.exists()
    assert source.stem == second.name


def test_another_kernel_of_the_same_name_is_not_taken(tmp_path, monkeypatch):
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["/elsewhere/python"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    async def program():
        async with running_kernel(tmp_path, os.environ) as manager:
            return manager.kernel_spec.argv[0]

    assert asyncio.run(program()) == sys.executable


def test_relative_folders_are_those_of_whoever_builds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAMERLIB_STORE", "results")
    monkeypatch.setenv("METAMERLIB_WEIGHTS", "~/weights")
    with kernel_environment(1) as environment:
        assert environment["METAMERLIB_STORE"] == str(tmp_path / "results")
        assert environment["METAMERLIB_WEIGHTS"] == os.path.expanduser("~/weights")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "has 0 cells tagged `parameters`"),
        ('# %% tags=["parameters"]\na = 1\n# %% tags=["parameters"]\nb = 1\n', "has 2 cells tagged"),
    ],
)
def test_a_chapter_has_one_parameters_cell(body, message):
    with pytest.raises(ValueError, match=message):
        declared_parameters(jupytext.reads(body, fmt="py:percent"), "01_x.py")


def test_parameters_are_read():
    text = '# %% tags=["parameters"]\n# how much\nprofile: str = "mini"\nstages = None  # or some\nepsilons = [0.3]\n'
    assert declared_parameters(jupytext.reads(text, fmt="py:percent"), "x") == ["profile", "stages", "epsilons"]


def test_complaints_stop_a_chapter_and_it_is_executed_again_next_time(tmp_path):
    body = "\n# %%\nimport warnings\nif stages is None:\n    warnings.warn('look out', stacklevel=1)\n"
    write_chapter(tmp_path, body=body)
    for _ in range(2):
        with pytest.raises(ChapterError, match=r"(?s)01_tiny\.py wrote to its error stream:.*UserWarning: look out"):
            execute_chapters("smoke", root=tmp_path)
    (run,) = execute_chapters("smoke", parameters={"stages": "late"}, root=tmp_path)
    assert run.executed


def test_progress_bars_and_logging_are_no_complaints(tmp_path):
    body = """
# %%
import logging
from tqdm import tqdm

for _ in tqdm(range(3), desc="outer"):
    for _ in tqdm(range(3), desc="inner", leave=False):
        pass
logging.getLogger("metamerlib").warning("another process computes this")
"""
    write_chapter(tmp_path, body=body)
    (run,) = execute_chapters("smoke", root=tmp_path)
    assert [cell.outputs for cell in nbformat.read(run.path, as_version=4).cells[-1:]] == [[]]


def test_a_sentence_without_words_leaves_no_trace():
    empty, said = (
        new_output("display_data", data={"text/plain": "<IPython.core.display.Markdown object>"} | text)
        for text in ({}, {"text/markdown": "Only this."})
    )
    notebook = normalised(new_notebook(cells=[new_code_cell(outputs=[empty, said])]))
    assert [output.data["text/markdown"] for output in notebook.cells[0].outputs] == ["Only this."]


def test_what_is_of_fewer_images_is_computed_from_them(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_STORE", str(tmp_path))
    names = ("06_image_metrics", "08_adversarial_examples", "14_transfer")
    smoke = {"profile": "smoke", "n_per_class": 2, "categories": ["cat", "dog"]}
    asked = [chapters._Chapter(tmp_path / f"{name}.ipynb", tmp_path, smoke, "") for name in names]
    work = chapters._collected(asked)
    contexts = {id(context): len(context.references) for _, context in work}
    assert sorted(contexts.values()) == [2, 4]
    assert all(task.references == context.references.fingerprint for task, context in work)
    first = len(asked[0].tasks)
    assert {task.key for task, _ in work[:first]} == asked[0].tasks  # what is shown first is made first
