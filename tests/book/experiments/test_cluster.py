"""Tasks on a Dask cluster: the same bytes as in one process, nothing twice, nothing lost with a worker."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
import warnings
from pathlib import Path

import pytest
import torch
from cluster_toys import Bench, Step, witnessed
from safetensors.torch import load_file

from metamerbook import Study
from metamerbook.engine import cluster, connection, remote
from metamerbook.engine.cluster import ClusterWorkers
from metamerbook.engine.connection import ClusterError, check_scheduler, connect, disconnect, served
from metamerbook.engine.context import on_device
from metamerbook.engine.marks import Mark, sees_lock, trouble_with
from metamerbook.engine.store import Store
from metamerbook.study.settings import StudySettings
from metamerlib import CATEGORIES, ModelZoo, StimulusSet
from metamerlib.generation import UnusableModelError

distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")

SETS = {"first": ["a"], "second": ["b"], "third": ["c"], "fourth": ["d"]}


@pytest.fixture(autouse=True)
def one_thread_and_no_connection_left(monkeypatch):
    monkeypatch.delenv("METAMERLIB_SCHEDULER", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    disconnect()
    torch.set_num_threads(threads)
    remote._context.clear()
    remote._forgotten.clear()


@pytest.fixture
def in_process():
    """Give a scheduler and two workers that are threads of this process."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address="127.0.0.1:0",
        memory_limit=None,
    ) as threads:
        yield threads


@pytest.fixture
def empty():
    """Give a scheduler in this process that has no workers yet."""
    with distributed.LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address="127.0.0.1:0",
        memory_limit=None,
    ) as threads:
        yield threads


@pytest.fixture
def commands(tmp_path):
    """Start `dask scheduler` and `dask worker` as processes of their own."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
        "DASK_TEMPORARY_DIRECTORY": str(tmp_path),
    }
    started = []

    def start(role, *options):
        log = (tmp_path / f"{role}-{len(started)}.log").open("w")
        command = [sys.executable, "-m", "dask", role, "--scheduler-file", str(tmp_path / "scheduler.json")]
        process = subprocess.Popen([*command, "--no-dashboard", *options], env=environment, stdout=log, stderr=log)
        started.append((process, log))
        return process

    yield start
    for process, log in started:
        process.kill()
        process.wait()
        log.close()


def start_scheduler(commands, folder):
    process = commands("scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
    file = folder / "scheduler.json"
    while not file.exists() or not file.read_text():
        assert process.poll() is None, "the scheduler did not start"
        time.sleep(0.05)
    return process, json.loads(file.read_text())["address"]


def references():
    images = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return StimulusSet(images, torch.arange(8), CATEGORIES, tuple("abcdefgh"))


def study(folder, dies_at=None, **scheduler):
    ledger = folder / "ledger"
    ledger.mkdir(parents=True)
    networks = {name: witnessed(ledger, name, seed) for seed, name in enumerate("abc")}
    networks["d"] = witnessed(ledger, "d", 3, dies_at)
    settings = StudySettings.from_profile(
        "smoke", stages=["late"], model_sets=SETS, repetitions=20, evaluators=[*networks], batch_size=4, device="cpu"
    )
    return Study(settings, references=references(), zoo=networks, store=folder / "store", progress=False, **scheduler)


def passes(folder):
    return {name: (folder / "ledger" / name).read_text().splitlines() for name in "abcd"}


def tensors(one, run):
    return load_file(one.store.folder(run) / "metamers.safetensors")


def test_a_killed_worker_loses_nothing_and_repeats_nothing(tmp_path, commands):
    _, address = start_scheduler(commands, tmp_path)
    options = ["--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--preload", "cluster_toys"]
    workers = [commands("worker", *options) for _ in range(2)]

    alone = study(tmp_path / "alone")  # while they start
    alone.execute()
    once = {name: len(pids) for name, pids in passes(tmp_path / "alone").items()}

    connect(address).wait_for_workers(2, timeout=60)
    # The second half of the images is half done when it happens.
    together = study(tmp_path / "together", dies_at=once["d"] * 3 // 4, scheduler=address)
    done = together.execute()

    exits = [worker.poll() for worker in workers]
    assert sorted(exits, key=str) == [-signal.SIGKILL, None]
    assert {run.key for run in done.computed} == {run.key for run in together.runs}
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


def bench(folder, seconds=0.05):
    (folder / "store").mkdir(parents=True, exist_ok=True)
    return Bench(Store(folder / "store"), seconds=seconds)


def run(workers, pending, tolerated=lambda task, error: False):
    done = []
    workers.run(pending, lambda task: done.append(task.label), tolerated)
    workers.close()
    return done


def test_nothing_is_begun_before_what_it_requires_has_ended(tmp_path, in_process):
    first, second = Step("first"), Step("second")
    pending = [first, Step("of the first", (first,)), second, Step("of both", (first, second))]
    context = bench(tmp_path)
    done = run(ClusterWorkers(context, in_process), pending)
    assert sorted(done) == context.done() == sorted(task.label for task in pending)


def test_an_error_stops_the_run_and_says_where_it_was(tmp_path, in_process):
    pending = [Step("good"), Step("bad", (Step("never done"),))]
    with pytest.raises(RuntimeError, match="bad was begun before") as caught:
        run(ClusterWorkers(bench(tmp_path), in_process), pending)
    assert caught.value.__notes__[0].startswith("on worker tcp://")


def test_a_tolerated_error_gives_one_spec_up(tmp_path, in_process):
    class Picky(Bench):
        def result(self, task):
            if task.label == "unusable":
                raise UnusableModelError("no gradient")
            super().result(task)

    given_up = {}

    def tolerated(task, error):
        given_up[task.label] = error
        return True

    context = Picky(Store(tmp_path))
    done = run(ClusterWorkers(context, in_process), [Step("unusable"), Step("good")], tolerated)
    assert sorted(done) == ["good", "unusable"]
    assert context.done() == ["good"]
    assert isinstance(given_up.pop("unusable"), UnusableModelError)
    assert not given_up


def test_warnings_of_workers_are_repeated_here(tmp_path, in_process):
    class Warns(Bench):
        def result(self, task):
            warnings.warn("images did not move", RuntimeWarning, stacklevel=1)

    with pytest.warns(RuntimeWarning, match="images did not move"):
        run(ClusterWorkers(Warns(Store(tmp_path)), in_process), [Step("one")])


def test_it_waits_for_a_worker_and_says_so(tmp_path, empty, caplog):
    later = threading.Timer(0.5, empty.scale, [1])
    later.start()
    assert run(ClusterWorkers(bench(tmp_path), empty), [Step("one")]) == ["one"]
    later.join()
    assert [record.message for record in caplog.records if "waiting for one" in record.message]


def test_a_worker_that_comes_later_works_too(tmp_path, empty):
    empty.scale(1)
    workers = ClusterWorkers(bench(tmp_path, seconds=0.3), empty)
    seen = set()

    def done(task):
        empty.scale(2)
        seen.update(workers._ready)

    workers.run([Step(str(number)) for number in range(8)], done)
    workers.close()
    assert len(seen) == 2


def test_a_worker_that_has_forgotten_is_told_again(tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(remote, "_STUDIES_AT_HAND", 1)
    context = bench(tmp_path)
    first, second = ClusterWorkers(context, in_process), ClusterWorkers(context, in_process)
    for number, workers in enumerate([first, second, first]):
        workers.run([Step(f"step {number}")], lambda task: None)
    assert context.done() == ["step 0", "step 1", "step 2"]
    first.close()
    second.close()
    assert remote._context == {}


def test_work_that_is_there_before_its_context_waits_for_them(tmp_path, in_process):
    workers = ClusterWorkers(bench(tmp_path), in_process)
    early = workers._submit(Step("early"))
    workers.run([Step("one")], lambda task: None)
    assert early.result(timeout=10).computed
    workers.close()


def test_an_interrupted_run_hands_out_no_more(tmp_path, in_process, caplog):
    def interrupted(task):
        raise KeyboardInterrupt

    context = bench(tmp_path, seconds=0.3)
    workers = ClusterWorkers(context, in_process.scheduler_address)
    with pytest.raises(KeyboardInterrupt):
        workers.run([Step(str(number)) for number in range(8)], interrupted)
    workers.close()
    assert "the workers end what they have begun" in caplog.text
    time.sleep(1)
    assert len(context.done()) <= 2


def test_a_study_computes_on_the_scheduler_that_the_variable_names(tmp_path, in_process, monkeypatch):
    monkeypatch.setenv("METAMERLIB_SCHEDULER", in_process.scheduler_address)
    one = study(tmp_path)
    images = one.result(one.runs[0]).images
    one.context._workers.close()
    assert images.shape == (8, 3, 8, 8)
    assert one.context._workers._client.scheduler.address == in_process.scheduler_address


def test_what_is_in_the_store_needs_no_scheduler(tmp_path):
    first = study(tmp_path / "first")
    first.execute()
    (tmp_path / "second").mkdir()
    again = study(tmp_path / "second", scheduler="tcp://127.0.0.1:1")
    again.store.root.parent.mkdir(exist_ok=True)
    first.store.root.rename(again.store.root)
    assert len(again.execute().found) == len(again.runs)


def test_another_store_on_the_worker_is_refused(tmp_path, in_process):
    workers = ClusterWorkers(bench(tmp_path), in_process)
    workers._mark.path.unlink()
    with pytest.raises(
        ClusterError, match=r"worker tcp://\S+ cannot compute this study: it does not see .*METAMERLIB_S"
    ):
        run(workers, [Step("one")])
    workers.close()


def test_other_versions_on_the_worker_are_refused(tmp_path, in_process, monkeypatch):
    here = remote.environment()
    monkeypatch.setattr(cluster, "environment", lambda: here | {"torch": "1.0"})
    with pytest.raises(ClusterError, match=rf"torch is {here['torch']} there and 1.0 here: install the same on both"):
        run(ClusterWorkers(bench(tmp_path), in_process), [Step("one")])


def test_locks_that_do_not_reach_a_worker_are_told(tmp_path, in_process, monkeypatch):
    monkeypatch.setattr(remote, "sees_lock", lambda mark: False)
    with pytest.warns(RuntimeWarning, match="does not see this machine's locks"):
        assert run(ClusterWorkers(bench(tmp_path), in_process), [Step("one")]) == ["one"]


def test_networks_that_cannot_be_sent_are_refused(tmp_path, in_process):
    context = bench(tmp_path)
    context.lock = threading.Lock()
    with pytest.raises(ClusterError, match=r"cannot be sent to workers .*lock"):
        ClusterWorkers(context, in_process)


def test_networks_that_a_worker_cannot_import_are_named(tmp_path, in_process, monkeypatch):
    module = types.ModuleType("my_networks")
    module.Mine = type("Mine", (Bench,), {"__module__": "my_networks"})
    monkeypatch.setitem(sys.modules, "my_networks", module)
    workers = ClusterWorkers(module.Mine(Store(tmp_path)), in_process)
    monkeypatch.delitem(sys.modules, "my_networks")
    with pytest.raises(ClusterError, match=r"cannot import .*my_networks.*PYTHONPATH"):
        run(workers, [Step("one")])


def test_work_that_a_worker_cannot_import_is_named(tmp_path, in_process, monkeypatch):
    module = types.ModuleType("my_work")
    module.Mine = type("Mine", (Step,), {"__module__": "my_work"})
    monkeypatch.setitem(sys.modules, "my_work", module)
    workers = ClusterWorkers(bench(tmp_path), in_process)
    call = workers._submit

    def submit_elsewhere(task):
        future = call(task)
        monkeypatch.delitem(sys.modules, "my_work")
        return future

    monkeypatch.setattr(workers, "_submit", submit_elsewhere)
    with pytest.raises(ClusterError, match=r"cannot import what one needs .*my_work.*PYTHONPATH"):
        run(workers, [module.Mine("one")])


def test_work_that_ends_worker_after_worker_is_given_up():
    error = distributed.scheduler.KilledWorker("key", types.SimpleNamespace(address="tcp://127.0.0.1:1"), 3)
    explained = cluster._explained(error, Step("large"))
    assert isinstance(explained, ClusterError)
    assert "large has ended 4 workers" in str(explained)


def test_a_lost_scheduler_is_told(tmp_path, commands, monkeypatch):
    monkeypatch.setattr(connection, "_SECONDS_TO_ANSWER", 0.5)
    scheduler, address = start_scheduler(commands, tmp_path)
    workers = ClusterWorkers(bench(tmp_path), address)
    end = threading.Timer(0.5, scheduler.kill)
    end.start()
    with pytest.raises(ClusterError, match=r"the scheduler was lost .*goes on from there"):
        workers.run([Step("one")], lambda task: None)
    end.join()
    assert workers.broken


def test_nobody_at_the_address_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(connection, "_SECONDS_TO_ANSWER", 0.5)
    with pytest.raises(ClusterError, match=r"no scheduler answers at tcp://127.0.0.1:1 within 0.5 seconds"):
        connect("tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("scheduler", "error", "words"),
    [
        ("somewhere", ValueError, "scheduler is 'somewhere': give its address"),
        ("tcp://machine", ValueError, "such as 'tcp://10.0.0.5:8786'"),
        ("", ValueError, "scheduler is ''"),
        ("missing.json", ValueError, "does not exist: start the scheduler first"),
        (8786, TypeError, "scheduler is a int"),
        (types.SimpleNamespace(submit=print, asynchronous=True), ValueError, "asynchronous=False"),
    ],
)
def test_what_is_no_scheduler_is_refused_at_the_door(tmp_path, monkeypatch, scheduler, error, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        Study.from_profile("smoke", scheduler=scheduler)


@pytest.mark.parametrize("address", ["tcp://10.0.0.5:8786", "tls://node-3.cluster:1", "tcp://[::1]:8786", "node3:8786"])
def test_addresses_are_known(address):
    check_scheduler(address)


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(connection.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'metamerlib\[cluster\]'"):
        Study.from_profile("smoke", scheduler="local")


def test_local_starts_processes_once_and_ends_them(monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", "2")
    client = connect("local", "cpu")
    assert connect("local", "cpu") is client
    client.wait_for_workers(2, timeout=20)
    pids = client.run(os.getpid).values()
    assert len(set(pids)) == 2
    assert os.getpid() not in pids
    disconnect()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_local_does_not_share_out_several_gpus(monkeypatch):
    monkeypatch.setattr(connection, "resolve_device", lambda device: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    with pytest.raises(ClusterError, match="the 4 GPUs of this machine: run `dask scheduler` and `dask cuda worker"):
        connect("local")


def test_processes_started_meanwhile_get_the_address(in_process, monkeypatch):
    with served(in_process.scheduler_address):
        assert os.environ["METAMERLIB_SCHEDULER"] == in_process.scheduler_address
    assert "METAMERLIB_SCHEDULER" not in os.environ
    monkeypatch.setenv("METAMERLIB_SCHEDULER", "tcp://127.0.0.1:1")
    with served(in_process.scheduler_address):
        assert os.environ["METAMERLIB_SCHEDULER"] == in_process.scheduler_address
    assert os.environ["METAMERLIB_SCHEDULER"] == "tcp://127.0.0.1:1"


def test_a_mark_is_seen_while_it_is_held(tmp_path):
    mark = Mark(Store(tmp_path / "store"), "name")
    assert trouble_with(mark.path) == ""
    assert sees_lock(mark.path)
    mark.release()
    assert "does not see" in trouble_with(mark.path)


def test_a_store_that_a_worker_may_not_write_is_named(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    mark = Mark(Store(tmp_path / "store"), "name")
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert "cannot write into the store" in trouble_with(mark.path)
    mark.release()


def test_networks_are_received_on_another_device_and_equal_zoos_as_one():
    zoo, own = ModelZoo("mini"), {"a": witnessed(Path(), "a", 0)}
    meta, cpu = torch.device("meta"), torch.device("cpu")
    there = on_device(own, meta)
    assert there["a"].device == meta
    assert own["a"].device == cpu
    assert on_device(own, cpu)["a"] is own["a"]
    placed = on_device(zoo, cpu)
    assert placed is not zoo
    assert placed["alexnet_random"] is on_device(ModelZoo("mini"), cpu)["alexnet_random"]
