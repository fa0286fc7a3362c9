"""Tasks in this process and on Dask's workers: the same bytes, nothing twice, nothing lost with a worker."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import ChainMap
from pathlib import Path

import pytest
import torch
from execute_toys import Images, Step, passes, slow_step, steps, study
from safetensors.torch import load_file

from metamerbook.engine import execute, scheduler
from metamerbook.engine.context import are_large
from metamerbook.engine.execute import missing
from metamerbook.engine.scheduler import ClusterError, check_scheduler, connect, disconnect, processes_for
from metamerlib import ModelZoo
from metamerlib.generation import UnusableModelError
from metamerlib.system import cores

dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
METHOD = "distributed.worker.multiprocessing-method"
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it starts")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.delenv("METAMERLIB_SCHEDULER", raising=False)
    monkeypatch.delenv("METAMERLIB_WORKERS", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def threads():
    """Give a scheduler and two workers that are threads of this process."""
    options = {"dashboard_address": "127.0.0.1:0", "memory_limit": None, "protocol": "tcp", "processes": False}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        yield cluster
    disconnect()
    execute._received.cache_clear()


@pytest.fixture(scope="module")
def forkserver():
    """Let processes begin with what they need imported: each import of torch takes seconds."""
    with pytest.MonkeyPatch.context() as patch, dask.config.set({METHOD: "forkserver"}):
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        distributed.utils.get_mp_context()  # which would later put its own list in the place of ours
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["execute_toys", "distributed"])
        yield context


@pytest.fixture(scope="module")
def processes(forkserver):
    """Give the address of a scheduler with two worker processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METAMERLIB_WORKERS", "2")
        with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
            client = connect("local", "cpu")
        client.wait_for_workers(2, timeout=60)
        yield client.scheduler.address
        disconnect()


def tensors(one, run):
    return load_file(one.store.folder(run) / "metamers.safetensors")


@forks
def test_a_killed_worker_loses_nothing_and_repeats_nothing(tmp_path, processes):
    alone = study(tmp_path / "alone")
    alone.execute()
    once = {name: len(pids) for name, pids in passes(tmp_path / "alone").items()}
    # The second half of the images is half done when it happens.
    together = study(tmp_path / "together", dies_at=once["d"] * 3 // 4, scheduler=processes)
    together.execute()

    assert all(run in together.store for run in together.runs)
    for run in alone.runs:
        expected, found = tensors(alone, run), tensors(together, run)
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)

    ledger = passes(tmp_path / "together")
    assert {name: len(ledger[name]) for name in "abc"} == {name: once[name] for name in "abc"}
    assert all(len(set(ledger[name])) == 1 for name in "abc")
    assert str(os.getpid()) not in {pid for pids in ledger.values() for pid in pids}
    # The one that took over went on from the checkpoint between the two halves: from the start it were 1.75.
    assert len(set(ledger["d"])) == 2
    assert once["d"] < len(ledger["d"]) < 1.5 * once["d"]
    assert not list((tmp_path / "together" / "store" / "running").iterdir())


@forks
def test_a_task_that_ends_worker_after_worker_is_given_up(tmp_path, processes):
    with pytest.raises(ClusterError, match="greedy has ended 2 workers, perhaps for want of memory"):
        study(tmp_path, scheduler=processes).execute([Step("greedy", comes="kills")])


@forks
def test_a_second_command_on_the_store_waits_for_the_first(tmp_path, threads, forkserver):
    one = study(tmp_path, scheduler=threads)
    one.store.root.mkdir(exist_ok=True)
    first = forkserver.Process(target=slow_step, args=(tmp_path,))
    first.start()
    while not (one.store.root / "steps").exists():
        assert first.is_alive()
        time.sleep(0.02)
    slow = Step("slow", seconds=1.0)
    one.execute([slow, Step("of slow", before=(slow,))])
    first.join()
    assert first.exitcode == 0
    assert steps(one) == ["slow", "of slow"]
    assert one.result(slow)["pid"] == first.pid


@pytest.fixture(params=["here", "on workers"])
def one(request, tmp_path):
    """Give a study that computes in this process, and one on workers."""
    named = request.getfixturevalue("threads") if request.param == "on workers" else None
    chosen = study(tmp_path, scheduler=named)
    chosen.store.root.mkdir(exist_ok=True)
    return chosen


def test_nothing_is_begun_before_what_it_requires_has_ended(one):
    first, second = Step("first"), Step("second", seconds=0.1)
    both = Step("of both", before=(first, second))
    for _ in range(2):
        one.execute([both, Step("of the first", before=(first,)), both])
    assert sorted(steps(one)) == ["first", "of both", "of the first", "second"]


def test_an_error_keeps_its_text(one):
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        one.execute([Step("good"), Step("bad", comes="fails")])
    assert Step("good") in one.store


def test_an_unusable_model_is_given_up_where_that_is_asked(one):
    bad = Step("bad", comes="unusable")
    after = Step("after", before=(bad,))
    tasks = [bad, after, Step("good")]
    with pytest.raises(UnusableModelError, match="no gradient"):
        one.execute(tasks)
    done = one.execute(tasks, skip_unusable=True)
    assert done[bad.key] == "no gradient"
    assert Step("good") in one.store
    assert bad not in one.store


def test_warnings_reach_the_caller(one):
    with pytest.warns(RuntimeWarning, match="images did not move"):
        one.execute([Step("warns", comes="warns")])


def test_the_bar_ends_full(one, capsys):
    one.context.progress = True
    one.execute([Step(str(number)) for number in range(3)], title="steps")
    assert "steps 100%" in capsys.readouterr().err


def test_two_callers_share_a_result(tmp_path, threads):
    studies = [study(tmp_path, scheduler=threads.scheduler_address) for _ in range(2)]
    studies[0].store.root.mkdir(exist_ok=True)
    shared = Step("shared", seconds=0.3)
    callers = [threading.Thread(target=one.execute, args=([shared],)) for one in studies]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert steps(studies[0]) == ["shared"]


def test_tasks_of_another_store_are_others(tmp_path, threads):
    for name in ("one", "two"):
        one = study(tmp_path / name, scheduler=threads)
        one.execute([Step("same")])
        assert Step("same") in one.store


def test_it_waits_for_a_worker_and_says_so(tmp_path, caplog):
    options = {"dashboard_address": "127.0.0.1:0", "memory_limit": None, "protocol": "tcp", "processes": False}
    with distributed.LocalCluster(n_workers=0, threads_per_worker=1, **options) as empty:
        later = threading.Timer(0.3, empty.scale, [1])
        later.start()
        one = study(tmp_path, scheduler=empty)
        one.execute([Step("one")])
        later.join()
        disconnect()
    assert [record.message for record in caplog.records if "waiting for one" in record.message]


def test_the_variable_names_a_scheduler(tmp_path, threads, monkeypatch):
    monkeypatch.setenv("METAMERLIB_SCHEDULER", threads.scheduler_address)
    one = study(tmp_path)
    assert one.result(Step("one"))["pid"] == os.getpid()
    assert threads.scheduler_address in scheduler._clients


def test_what_is_in_the_store_needs_no_scheduler(tmp_path):
    study(tmp_path).execute([Step("one")])
    study(tmp_path, scheduler="tcp://127.0.0.1:1").execute([Step("one")])
    assert steps(study(tmp_path)) == ["one"]


def test_workers_with_other_packages_are_named(tmp_path, threads, monkeypatch):
    connect(threads)
    real = distributed.versions.get_package_info
    ours = iter([{"torch": "1.0"}])  # what this process says first; the others answer as they are
    monkeypatch.setattr(
        distributed.versions, "get_package_info", lambda packages: dict(real(packages)) | next(ours, {})
    )
    with pytest.warns(UserWarning, match=r"(?s)Mismatched versions found.*torch .*1\.0"):
        study(tmp_path, scheduler=threads).execute([Step("one")])


def test_tasks_are_computed_each_in_its_own_context(tmp_path, threads):
    whole = study(tmp_path, scheduler=threads)
    part = study(tmp_path)
    part.references = whole.references[:3]
    work = [(Images(len(one.references), one._stimuli), one.context) for one in (whole, part)]
    for scheduler_ in (threads, None):
        execute.compute(work, scheduler_, lambda task: None, lambda task, error: False)
        assert [whole.context.result(task)["count"].item() for task, _ in work] == [8, 3]
        shutil.rmtree(whole.store.root)
    with pytest.raises(ValueError, match="of other images than this study's"):
        whole.result(work[1][0])


def test_a_lost_scheduler_is_told(tmp_path):
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--host", "127.0.0.1"]
    file = tmp_path / "scheduler.json"
    process = subprocess.Popen(
        [*command, "--port", "0", "--scheduler-file", str(file)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        while not file.exists() or not file.read_text():
            assert process.poll() is None, "the scheduler did not start"
            time.sleep(0.05)
        end = threading.Timer(1.0, process.kill)
        end.start()
        with pytest.raises(ClusterError, match=r"(?s)the scheduler was lost .*goes on from there"):
            study(tmp_path, scheduler=file).execute([Step("one")])
        end.join()
    finally:
        process.kill()
        process.wait()
        disconnect()


def test_nobody_at_the_address_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(scheduler, "_SECONDS_TO_ANSWER", 0.5)
    with pytest.raises(ClusterError, match=r"no scheduler answers at tcp://127.0.0.1:1 within 0.5 seconds"):
        connect("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("somewhere", ValueError, "scheduler is 'somewhere': give its address"),
        ("tcp://machine", ValueError, "such as 'tcp://10.0.0.5:8786'"),
        ("", ValueError, "scheduler is ''"),
        ("missing.json", ValueError, "does not exist: start the scheduler first"),
        (8786, TypeError, "scheduler is a int"),
    ],
)
def test_what_cannot_be_a_scheduler_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        check_scheduler(given)


def test_a_diamond_is_ordered_and_each_task_listed_once(tmp_path):
    one = study(tmp_path)
    top = Step("top")
    left, right = Step("left", before=(top,)), Step("right", before=(top,))
    assert missing([Step("bottom", before=(left, right)), left], one.store)[:2] == [top, left]


@pytest.mark.parametrize(("asked", "count"), [("1", 1), ("3", 3), ("", 1), ("auto", min(cores(), 8))])
def test_the_variable_says_how_many_processes(asked, count, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", asked)
    assert processes_for(False, torch.device("cpu")) == count
    assert processes_for(False, torch.device("meta")) == 1


@pytest.mark.parametrize("asked", ["0", "-1", "many", "1.5"])
def test_a_bad_number_of_processes_is_named(asked, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", asked)
    with pytest.raises(ValueError, match="METAMERLIB_WORKERS"):
        processes_for(False, torch.device("cpu"))


def test_large_networks_have_the_machine_for_themselves_unless_several_processes_are_asked_for(monkeypatch):
    assert [are_large(ChainMap({}, ModelZoo(name))) for name in ("mini", "paper")] == [False, True]
    monkeypatch.setenv("METAMERLIB_WORKERS", "auto")
    assert processes_for(True, torch.device("cpu")) == 1
    monkeypatch.setenv("METAMERLIB_WORKERS", "2")
    assert processes_for(True, torch.device("cpu")) == 2


def test_little_work_starts_no_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", "2")
    study(tmp_path).execute([Step("one"), Step("two")])
    assert not scheduler._clients
