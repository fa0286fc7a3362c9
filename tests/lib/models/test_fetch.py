"""Weights over the network: resumed, checked, whole or not there, and said in words where they are neither."""

import dataclasses
import errno
import hashlib
import io
import json
import socket
import tarfile
import threading
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save
from weight_server import serving

from metamerlib.models import CorruptWeightsError, DownloadError, MissingWeightsError, ModelZoo, downloads, fetch
from metamerlib.models.downloads import LOCK, WeightsCache
from metamerlib.models.published import PUBLISHED, Release
from metamerlib.models.weights import WeightsFolder
from metamerlib.system import weights_folder

KEY = "squeezenet"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Google Drive -\n Quota exceeded</title></head></html>"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def saved(state, **options):
    stream = io.BytesIO()
    torch.save(state, stream, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def weights():
    state = PUBLISHED[KEY].architecture()[0].half().state_dict()
    return saved(state)


@pytest.fixture
def host(weights):
    with serving() as host:
        host.files["/weights.pth"] = weights
        host.tags["/weights.pth"] = '"1"'
        yield host


@pytest.fixture
def release(host, monkeypatch):
    """Publish one network at the host instead; gives a function that changes what is known about the release."""

    def publish(**changes):
        facts = {"url": f"{host.address}/weights.pth", "file": "weights.pth", "page": "https://example.org/page"}
        published = dataclasses.replace(PUBLISHED[KEY], release=lambda: Release(**(facts | changes)))
        monkeypatch.setitem(PUBLISHED, KEY, published)

    publish()
    return publish


def test_fetched_weights_load_and_are_written_down(host, release, weights, tmp_path):
    release(sha256=sha256(weights)[:8], megabytes=round(len(weights) / 2**20, 3))
    fetched = fetch(KEY, folder=tmp_path)[KEY]
    assert fetched.path.read_bytes() == weights
    assert (fetched.bytes, fetched.sha256, fetched.trust) == (len(weights), sha256(weights), "published")
    row = json.loads((tmp_path / LOCK).read_text())["weights.pth"]
    assert row == {
        "bytes": len(weights),
        "sha256": sha256(weights),
        "trust": "published",
        "url": host.address + "/weights.pth",
    }
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [LOCK, "weights.pth"]
    zoo = ModelZoo("paper", weights=tmp_path)
    assert zoo[KEY].predict(torch.rand(1, 3, 64, 64)).shape == (1,)
    assert zoo.fingerprint(KEY) == sha256(weights)
    assert fetch(KEY, folder=tmp_path)[KEY] == fetched
    assert len(host.asked) == 1, "what is there must not be fetched again"
    assert fetch(KEY, folder=tmp_path, force=True)[KEY] == fetched
    assert len(host.asked) == 2


def test_without_a_published_hash_the_first_use_is_trusted_and_any_change_noticed(release, weights, tmp_path):
    fetched = fetch(KEY, folder=tmp_path)[KEY]
    assert fetched.trust == "first use"
    changed = bytearray(weights)
    changed[-1000] ^= 1
    fetched.path.write_bytes(changed)
    with pytest.raises(CorruptWeightsError, match="has changed"):
        ModelZoo("paper", weights=tmp_path)[KEY]
    assert fetch(KEY, folder=tmp_path)[KEY].sha256 == sha256(weights)
    assert (tmp_path / "weights.pth.damaged").read_bytes() == changed


def test_a_folder_given_by_the_environment(release, tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "cache"))
    assert weights_folder() == tmp_path / "cache"
    assert fetch(KEY)[KEY].path == tmp_path / "cache" / "weights.pth"
    assert KEY in ModelZoo("paper")


def test_a_broken_download_is_begun_again(host, release, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    host.break_off_after = [1000, 50_000]
    host.answers = [503]
    assert fetch(KEY, folder=tmp_path)[KEY].path.read_bytes() == weights
    host.break_off_after = [1000] * (downloads.RETRIES + 1)
    with pytest.raises(DownloadError, match="broke off"):
        fetch(KEY, folder=tmp_path, force=True)
    assert (tmp_path / "weights.pth").read_bytes() == weights
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK, "weights.pth"]


def test_refusals_are_said(host, release, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    host.answers = [403]
    with pytest.raises(DownloadError, match="403 Forbidden"):
        fetch(KEY, folder=tmp_path)
    release(url=f"{host.address}/nothing")
    with pytest.raises(DownloadError, match="404"):
        fetch(KEY, folder=tmp_path)


def test_a_web_page_in_place_of_weights_is_said(host, release, tmp_path):
    host.files["/weights.pth"] = PAGE
    host.kind["/weights.pth"] = "text/html"
    with pytest.raises(CorruptWeightsError, match=r"is a web page \(Google Drive - Quota exceeded\)") as caught:
        fetch(KEY, folder=tmp_path)
    assert f"put {host.address}/weights.pth" in str(caught.value)
    assert str(tmp_path / "weights.pth") in str(caught.value)
    assert not (tmp_path / "weights.pth").exists()


def test_a_file_that_its_server_cut_off_is_refused(host, release, weights, tmp_path):
    host.files["/weights.pth"] = weights[: len(weights) // 2]
    with pytest.raises(CorruptWeightsError, match="is cut off"):
        fetch(KEY, folder=tmp_path)
    assert [path.name for path in tmp_path.glob("weights*")] == ["weights.pth.refused"]
    assert KEY not in ModelZoo("paper", weights=tmp_path)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"sha256": "00000000"}, "the published one is 00000000"),
        ({"sha1": "0" * 40}, "SHA-1"),
        ({"megabytes": 1.0}, "MB instead of 1.000"),
    ],
    ids=["sha256", "sha1", "size"],
)
def test_weights_that_are_not_the_published_ones_are_refused(release, tmp_path, known, words):
    release(**known)
    with pytest.raises(CorruptWeightsError, match=words):
        fetch(KEY, folder=tmp_path)
    assert KEY not in ModelZoo("paper", weights=tmp_path)


def test_the_hash_that_the_hub_names_is_compared(release, weights, tmp_path, monkeypatch):
    release(hub="timm/somewhere")
    (tmp_path / "hub").write_bytes(weights)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_: str(tmp_path / "hub"))
    for named in (sha256(weights), sha256(b"else")):
        monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda _, named=named: SimpleNamespace(etag=named))
        if named == sha256(weights):
            assert fetch(KEY, folder=tmp_path / "w")[KEY].trust == "server"
        else:
            with pytest.raises(CorruptWeightsError, match="the published one is"):
                fetch(KEY, folder=tmp_path / "w", force=True)
    assert (tmp_path / "w" / "weights.pth").read_bytes() == weights, "the old file stays until the new one is checked"


def test_weights_out_of_an_archive(host, release, weights, tmp_path):
    def archive(name):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for member, content in (("ckpt/other.pt", b"other"), (name, weights)):
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return stream.getvalue()

    release(url=f"{host.address}/all.tar", member="mine.pt", file="mine.pt")
    host.files["/all.tar"] = archive("ckpt/yours.pt")
    with pytest.raises(DownloadError, match=r"mine\.pt is not in it"):
        fetch(KEY, folder=tmp_path)
    host.files["/all.tar"] = archive("ckpt/mine.pt")
    assert fetch(KEY, folder=tmp_path)[KEY].path.read_bytes() == weights
    assert not list(tmp_path.glob("*.archive"))
    host.files["/all.tar"] = archive("ckpt/mine.pt")[:2000]
    with pytest.raises(DownloadError, match="not the archive that was expected"):
        fetch(KEY, folder=tmp_path, force=True)


def test_offline_it_says_which_file_goes_where(release, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    release(url=f"http://127.0.0.1:{port}/w.pth", file="w.pth")
    with pytest.raises(DownloadError) as caught:
        fetch(KEY, folder=tmp_path)
    message = str(caught.value)
    assert "cannot be reached" in message
    assert f"put http://127.0.0.1:{port}/w.pth (see https://example.org/page) at {tmp_path / 'w.pth'}." in message


def test_a_file_put_there_by_hand_is_checked_and_taken(release, weights, tmp_path):
    release(sha256=sha256(weights)[:8])
    (tmp_path / "weights.pth").write_bytes(weights)
    cache = WeightsCache(tmp_path)
    assert cache.check(KEY).trust == "published"
    assert "weights.pth" in json.loads((tmp_path / LOCK).read_text())
    (tmp_path / LOCK).unlink()
    (tmp_path / "weights.pth").write_bytes(saved({"other": torch.zeros(3)}))
    with pytest.raises(CorruptWeightsError, match=rf"cannot be used.*metamerlib zoo fetch {KEY}"):
        cache.check(KEY)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "weights.pth", "is empty"),
        (PAGE, "weights.pth", r"is a web page \(Google Drive - Quota exceeded\)"),
        (b"<html><body>no</body></html>", "weights.pth", "without a title"),
        (saved({"a": torch.zeros(99)})[:-200], "weights.pth", "cut off"),
        (
            saved({"a": torch.zeros(99)}, _use_new_zipfile_serialization=False)[:-200],
            "weights.pth",
            "damaged or cut off",
        ),
        (save({"a": torch.zeros(99)})[:-200], "weights.safetensors", "is cut off or damaged"),
        (save({"a": torch.zeros(99)})[:5], "weights.safetensors", "not a safetensors file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "weights.pth", "not a checkpoint: it begins with"),
        (saved([1, 2]), "weights.pth", "holds no weights of a network"),
    ],
    ids=["empty", "page", "untitled page", "zip", "legacy", "safetensors", "header", "pointer", "list"],
)
def test_files_that_are_no_weights_are_recognised(release, tmp_path, content, name, words):
    release(file=name)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptWeightsError, match=words):
        ModelZoo("paper", weights=tmp_path)[KEY]


def test_a_full_disk_is_said(host, release, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_download", full)
    with pytest.raises(DownloadError, match=r"is full.*METAMERLIB_WEIGHTS"):
        fetch(KEY, folder=tmp_path)


def test_several_at_once_do_not_disturb_each_other(host, release, weights, tmp_path):
    threads = [threading.Thread(target=fetch, args=(KEY,), kwargs={"folder": tmp_path}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "weights.pth").read_bytes() == weights
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK, "weights.pth"]


def test_a_folder_of_others_can_be_read(release, weights, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "weights.pth").write_bytes(weights)
    monkeypatch.setattr(downloads, "atomic_write", refuse)
    assert WeightsCache(tmp_path).check(KEY).sha256 == sha256(weights)
    assert not (tmp_path / LOCK).exists()


def test_a_damaged_lock_file_is_said(release, weights, tmp_path):
    fetch(KEY, folder=tmp_path)
    (tmp_path / LOCK).write_text("{")
    with pytest.raises(CorruptWeightsError, match="remove it"):
        ModelZoo("paper", weights=tmp_path)[KEY]


def test_networks_that_have_no_weights(tmp_path):
    assert fetch("alexnet_random", folder=tmp_path) == {}
    with pytest.raises(KeyError, match="no network 'alexnett'"):
        fetch("alexnett", folder=tmp_path)
    with pytest.raises(MissingWeightsError):
        WeightsCache(tmp_path).check("vgg19")


def test_a_folder_may_be_named_from_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert WeightsCache("~/weights").folder == WeightsFolder("~/weights").path == tmp_path / "weights"
