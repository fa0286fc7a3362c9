"""The store: whole results or none, each computed once, none believed without a check."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import store_toys
import torch
from store_toys import Toy, ToyTable, toy_value

from metamerbook.engine import store as entries
from metamerbook.engine.store import CorruptResultWarning, Store, StoreError

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def put(store, number=0):
    task = Toy(number)
    store.get_or_compute(task, lambda scratch: toy_value(number))
    return task


def never(scratch):
    pytest.fail("computed again")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play the scenarios of store_toys; return their stores by name, and how their processes ended."""
    folder = tmp_path_factory.mktemp("played")
    done = subprocess.run([sys.executable, store_toys.__file__, folder], capture_output=True, text=True, check=True)
    return folder, json.loads(done.stdout)


def leftovers(store):
    return sorted(path.name for path in store.root.rglob(".*"))


def test_a_result_is_computed_once_and_found_by_its_content(store):
    first = store.get_or_compute(Toy(1), lambda scratch: toy_value(1))
    again = Store(store.root).get_or_compute(Toy(1), never)
    assert first.keys() == again.keys() == {"value"}
    assert torch.equal(first["value"], again["value"])
    assert Toy(1) in store
    assert Toy(2) not in store


def test_a_table_comes_back_as_it_was(store):
    table = pd.DataFrame({"name": ["a", "b"], "n": [1, 2], "share": [0.5, float("nan")], "robust": [True, False]})
    store.get_or_compute(ToyTable(), lambda scratch: table)
    pd.testing.assert_frame_equal(store.get_or_compute(ToyTable(), never), table)


def test_the_result_is_the_same_object_kind_whether_computed_now_or_read_later(store):
    table = pd.DataFrame({"pair": [(1, 2)]})  # Parquet makes a list of it
    now = store.get_or_compute(ToyTable(), lambda scratch: table)
    later = store.get_or_compute(ToyTable(), never)
    assert type(now["pair"][0]) is type(later["pair"][0])


def test_the_record_says_in_plain_text_what_was_run(store):
    task = Toy(3, name="third")
    store.get_or_compute(task, lambda scratch: toy_value(3))
    record = json.loads((store.folder(task) / "task.json").read_text())
    assert record["task"] == {"number": 3}
    assert record["about"] == {"name": "third"}
    assert record["key"] == task.key
    assert record["seconds"] >= 0
    assert record["written"].startswith("20")
    assert {"python", "torch", "metamerlib"} <= record["versions"].keys()


def test_an_error_while_computing_leaves_no_entry_and_keeps_the_checkpoint(store):
    def fail(scratch):
        (scratch / "checkpoint").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        store.get_or_compute(Toy(), fail)
    assert Toy() not in store
    resumed = store.get_or_compute(
        Toy(), lambda scratch: {"n": torch.tensor(len((scratch / "checkpoint").read_text()))}
    )
    assert resumed["n"] == 4
    assert list((store.root / "running").iterdir()) == []


@forks
def test_a_process_killed_at_any_moment_of_writing_leaves_all_or_nothing(played):
    folder, codes = played
    # The flushes: result, record, folder, list of folders; number 4 is never reached.
    assert codes["killed writing"] == [-9, -9, -9, -9, 0]
    store = Store(folder / "killed writing")
    assert [Toy(number) in store for number in range(5)] == [False, False, False, True, True]
    for number in range(5):
        value = store.get_or_compute(Toy(number), never if number > 2 else lambda scratch, n=number: toy_value(n))
        assert torch.equal(value["value"], toy_value(number)["value"])
    assert leftovers(store) == []


@forks
def test_two_processes_compute_a_result_once(played):
    folder, codes = played
    assert codes["two at once"] == [0, 0]
    assert len((folder / "computed").read_text().splitlines()) == 1
    assert torch.equal(Store(folder / "two at once").get_or_compute(Toy(0), never)["value"], toy_value()["value"])


@forks
def test_the_work_of_a_dead_process_is_taken_over_with_its_checkpoint(played):
    folder, codes = played
    assert codes["killed computing"] == [-9]
    store = Store(folder / "killed computing")
    assert Toy(0) not in store
    text = []
    store.get_or_compute(Toy(0), lambda scratch: text.append((scratch / "checkpoint").read_text()) or toy_value())
    assert text == ["half"]


def test_checkpoints_of_a_process_that_was_killed_when_all_else_was_done_are_removed(store):
    task = put(store)
    left = store.root / "running" / store._name(task)
    left.mkdir()
    (left / "checkpoint").write_text("all")
    store.get_or_compute(task, never)
    assert not left.exists()


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a flipped bit": (lambda folder: _flip(folder / "tensors.safetensors"), "SHA-256"),
    "a truncated file": (lambda folder: os.truncate(folder / "tensors.safetensors", 100), "SHA-256"),
    "a missing file": (lambda folder: (folder / "tensors.safetensors").unlink(), "missing"),
    "a missing record": (lambda folder: (folder / "task.json").unlink(), "task.json is missing"),
    "a truncated record": (lambda folder: os.truncate(folder / "task.json", 40), "cannot be read"),
    "an empty record": (lambda folder: (folder / "task.json").write_text("{}"), "names no files"),
    "a binary record": (lambda folder: (folder / "task.json").write_bytes(b"\xff\xfe\x00"), "cannot be read"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_is_set_aside_named_and_computed_again(store, damage, reason):
    task = put(store)
    damage(store.folder(task))
    with pytest.warns(CorruptResultWarning, match=reason) as caught:
        value = store.get_or_compute(task, lambda scratch: toy_value())
    assert str(store.folder(task)) in str(caught[0].message)
    assert torch.equal(value["value"], toy_value()["value"])
    assert len(list((store.root / "quarantine").iterdir())) == 1
    store.get_or_compute(task, never)


def test_an_entry_under_a_wrong_name_is_not_believed(store):
    put(store, 1)
    store.folder(Toy(1)).rename(store.folder(Toy(2)))
    with pytest.warns(CorruptResultWarning, match="another result"):
        assert torch.equal(store.get_or_compute(Toy(2), lambda scratch: toy_value(2))["value"], toy_value(2)["value"])


def test_a_file_that_cannot_be_decoded_is_set_aside_too(store, monkeypatch):
    task = Toy()
    _, load = entries.CODECS["tensors.safetensors"]
    with monkeypatch.context() as patch:
        write = (lambda value, path: path.write_bytes(b"not a safetensors file")), load
        patch.setitem(entries.CODECS, "tensors.safetensors", write)
        entries.write_entry(store.folder(task), task, toy_value(), 0.0)
    with pytest.warns(CorruptResultWarning, match="cannot be read"):
        store.get_or_compute(task, lambda scratch: toy_value())


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device")], ids=["full"])
def test_a_full_disk_is_said_and_leaves_nothing(store, monkeypatch, error):
    def full(value, path):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setitem(entries.CODECS, "tensors.safetensors", (full, None))
    with pytest.raises(StoreError, match="is full: free some space, or name another folder in METAMERLIB_STORE"):
        put(store)
    assert Toy() not in store
    assert leftovers(store) == []


def test_a_full_disk_that_safetensors_reports_is_recognized(store, monkeypatch):
    def full(value, path):
        raise entries.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setitem(entries.CODECS, "tensors.safetensors", (full, None))
    with pytest.raises(StoreError, match="is full"):
        put(store)


def test_a_file_in_the_place_of_the_store_is_said(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="is not a folder"):
        put(Store(tmp_path / "store"))


def test_the_default_store_follows_the_environment_then_the_repository_then_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_STORE", str(tmp_path / "named"))
    assert Store.default().root == tmp_path / "named"
    monkeypatch.delenv("METAMERLIB_STORE")
    monkeypatch.setattr(entries, "repository_root", lambda: tmp_path)
    assert Store.default().root == tmp_path / "build" / "store"
    monkeypatch.setattr(entries, "repository_root", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert Store.default().root == tmp_path / "cache" / "metamerlib" / "store"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Store.default().root == Path("~/.cache/metamerlib/store").expanduser()
