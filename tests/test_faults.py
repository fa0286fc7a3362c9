"""A full disk and a killed process: what was written stays, what was not is said, and the same call goes on."""

import json
import os
import subprocess
import sys

import pytest
import torch

import fault_scenes
from metamerlib.models import Classifier
from metamerlib.models.device import naming_batch_size
from metamerlib.system import UnwritableFileError, atomic_write

SCRIPT = [sys.executable, fault_scenes.__file__]
NAMESPACE = ["unshare", "--map-root-user", "--mount"]


def play(command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play all scenes that can be played here; give what came of each, and why those of full disks cannot."""
    if not hasattr(os, "fork"):
        return {}, "this system has no fork and no mounts"
    folder = str(tmp_path_factory.mktemp("scenes"))
    mounting = [*NAMESPACE, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    try:
        tried = subprocess.run(mounting, capture_output=True, text=True)
        obstacle = tried.returncode and tried.stderr.strip()
    except FileNotFoundError as error:
        obstacle = str(error)
    if obstacle:
        return play([*SCRIPT, folder, *fault_scenes.KILLED]), obstacle
    # The mount is seen by this process alone and goes with it, however it ends.
    command = [*NAMESPACE, *SCRIPT, "--full-disk", folder, *fault_scenes.ON_A_FULL_DISK, *fault_scenes.KILLED]
    return play(command), ""


@pytest.fixture
def killed(played):
    if not played[0]:
        pytest.skip(f"kills processes that it forks: {played[1]}")
    return played[0]


@pytest.fixture
def full(played):
    """Give what came of the scenes on a real full disk, a small file system in memory."""
    if played[1]:
        pytest.skip(f"fills a small disk of its own, which cannot be mounted here: {played[1]}")
    return played[0]


@pytest.mark.parametrize("kind", ["Toy", "ToyTable", "ToyMetamers"])
def test_a_store_on_a_full_disk_says_so_and_holds_nothing_by_halves(full, kind):
    report = full["store"][kind]
    assert report["error"][0] == "StoreError"
    assert "is full: free some space, or name another folder in METAMERLIB_STORE" in report["message"]
    assert report["files"] == []
    assert not report["there"]
    assert report["afterwards"] == ""  # with room it is computed and kept


def test_a_generation_goes_on_without_checkpoints_on_a_full_disk(full):
    report = full["checkpoint"]
    assert report["error"] == []
    assert all("c.safetensors cannot be written" in text and "free some space" in text for text in report["warnings"])
    assert report["warnings"]
    assert report["files"] == []
    assert report["same"]


def test_pictures_on_a_full_disk_are_whole_or_not_there(full):
    report = full["pictures"]
    assert report["error"][0] == "UnwritableFileError"
    assert "0001-dog.png cannot be written" in report["message"]
    assert "is full: free some space" in report["message"]
    assert report["files"] == ["one-late/0000-cat.png"]
    assert (report["afterwards"], report["count"]) == ("", 3)


def test_a_table_that_does_not_fit_leaves_the_older_one(full):
    report = full["table"]
    assert report["error"][0] == "UnwritableFileError"
    assert "t.csv cannot be written" in report["message"]
    assert (report["content"], report["files"]) == ("old", ["t.csv"])


@pytest.mark.parametrize("form", ["bare", "archive"])
def test_a_download_onto_a_full_disk_is_said_and_goes_on_when_there_is_room(full, form):
    report = full["fetch"][form]
    assert report["error"][0] == "DownloadError"
    assert "is full: free some space, or set METAMERLIB_WEIGHTS to a folder elsewhere" in report["message"]
    assert not report["named"]
    assert report["afterwards"] == ""
    assert report["whole"]
    assert len(report["asked"]) == {"bare": 2, "archive": 1}[form]  # an archive that was there in full is kept


def test_a_training_goes_on_without_checkpoints_and_old_weights_stay(full):
    report = full["training"]
    assert report["error"] == []
    assert report["warnings"]
    assert all("c.pt cannot be written" in text for text in report["warnings"])
    assert report["writing"]["error"][0] == "UnwritableFileError"
    assert report["kept"]
    assert report["files"] == ["squeezenet.safetensors"]


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(killed):
    report = killed["killed_writing"]
    assert report["codes"] == [-9] * 4
    assert report["contents"] == ["old", "old", "old", "new, half"]  # the last was complete: its name was given
    assert report["swept"] == [f"{moment}.txt" for moment in range(4)]  # a later writer removes what was left
    assert len(report["left"]) > 4


def test_a_killed_download_leaves_no_file(killed):
    report = killed["killed_fetching"]
    assert (report["code"], report["named"], report["error"], report["whole"]) == (-9, False, [], True)


def test_a_killed_training_goes_on(killed):
    report = killed["killed_training"]
    assert (report["code"], report["there"], report["updates"], report["left"]) == (-9, True, 3, [])


def write(path, content):
    with atomic_write(path) as draft:
        draft.write_text(content)


@pytest.mark.parametrize("number", [28, 30, 13])
def test_a_failure_of_the_system_leaves_the_old_file(tmp_path, monkeypatch, number):
    """The same without a small disk: the last of the writing is refused."""

    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(UnwritableFileError, match=rf"file\.txt cannot be written: .*\({os.strerror(number)}\)\.$"):
        write(path, "new")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["file.txt"]


def test_an_error_of_the_writer_is_its_own_and_leaves_the_old_file(tmp_path):
    (tmp_path / "file.txt").write_text("old")
    with pytest.raises(TypeError):
        write(tmp_path / "file.txt", 3)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]


def test_what_another_process_is_writing_is_left_alone_for_a_day(tmp_path):
    other = tmp_path / ".01234567.[file]*.txt"
    other.write_text("of another process")
    write(tmp_path / "[file]*.txt", "new")
    assert other.exists()
    os.utime(other, (0, 0))
    write(tmp_path / "[file]*.txt", "newer")
    assert [one.name for one in tmp_path.iterdir()] == ["[file]*.txt"]


@pytest.mark.parametrize("what", ["folder", "file/below.txt"])
def test_a_name_that_is_no_files_is_said(tmp_path, what):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFileError, match=r"is a folder: give the path of a file|is not a folder: remove"):
        write(tmp_path / what, "new")


class Greedy(torch.nn.Module):
    """Needs more memory than there is for more than two images."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, images):
        if len(images) > 2:
            raise self.error
        return images.mean(dim=(2, 3))[:, :2]


LACKS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    MemoryError(),
]


@pytest.mark.parametrize("lack", LACKS, ids=lambda lack: str(lack)[:20])
def test_a_lack_of_memory_names_the_batch_size(lack):
    model = Classifier(Greedy(lack), name="greedy", categories=("a", "b"))
    images = torch.rand(4, 3, 8, 8)
    with pytest.raises(torch.OutOfMemoryError, match=r"'greedy' needs more memory .* batch_size=4: give .* such as 2"):
        model.predict(images, batch_size=4)
    assert len(model.predict(images, batch_size=2)) == 4


def test_the_memory_that_is_really_not_there_is_recognised():
    with (
        pytest.raises(torch.OutOfMemoryError, match="batch_size=1: images of a smaller size would do"),
        naming_batch_size("this", 1),
    ):
        torch.empty(1 << 52)


def test_another_error_stays_what_it_is():
    with pytest.raises(RuntimeError, match=r"^shapes$") as caught, naming_batch_size("this", 8):
        raise RuntimeError("shapes")
    assert not isinstance(caught.value, torch.OutOfMemoryError)


def test_answers_of_nan_are_no_answers():
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    torch.nn.init.constant_(module[1].weight, torch.nan)
    model = Classifier(module, name="broken", categories=("a", "b"))
    with pytest.raises(ValueError, match=r"model 'broken' returns NaN or infinity for 3 of 3 images: its"):
        model.predict(torch.rand(3, 3, 2, 2))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_device_or_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe is a device or a pipe"), atomic_write(tmp_path / "pipe") as draft:
        draft.write_text("new")
    assert (tmp_path / "pipe").is_fifo()
