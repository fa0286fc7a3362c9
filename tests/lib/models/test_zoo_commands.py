"""`metamerlib zoo` on the paper's networks: what it prints, and what it says of weights that do not come."""

import dataclasses
import io
import re

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner
from weight_server import serving

from metamerbook.cli import app
from metamerlib.models.published import PUBLISHED, Release
from metamerlib.models.registry import ZOO
from metamerlib.stimuli import CATEGORIES


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["zoo", *arguments])


@pytest.fixture
def published(monkeypatch):
    """Serve SqueezeNet's weights, and a web page for ResNet-18's."""
    stream = io.BytesIO()
    torch.save(PUBLISHED["squeezenet"].architecture()[0].half().state_dict(), stream)
    with serving() as host:
        host.files |= {"/squeezenet": stream.getvalue(), "/resnet18": b"<html><title>Too many users</title></html>"}
        for key in ("squeezenet", "resnet18"):
            release = Release(url=f"{host.address}/{key}", file=f"{key}.pth", page="https://example.org")
            network = dataclasses.replace(PUBLISHED[key], release=lambda release=release: release)
            monkeypatch.setitem(PUBLISHED, key, network)
        yield


@pytest.fixture
def photos(tmp_path):
    for level, category in enumerate(CATEGORIES):
        (tmp_path / "photos" / category).mkdir(parents=True)
        Image.new("RGB", (40, 30), (level * 10, 90, 200)).save(tmp_path / "photos" / category / "a.png")
    return "photos"


def test_list_tells_where_weights_come_from_and_whether_they_are_here(call):
    result = call("list", "--zoo", "paper")
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line for line in result.output.splitlines()[1:32]}
    assert list(rows) == list(ZOO)
    assert re.search(r"False +548\.051 +0\.724 +torchvision +BSD-3-Clause", rows["vgg19"])
    assert re.search(r"True +0\.000 +- +torchvision +-$", rows["alexnet_random"])
    assert "`metamerlib zoo fetch` fetches them" in result.output


def test_show_tells_which_file_to_put_where(call, tmp_path):
    shown = call("show", "alexnet_robust", "--zoo", "paper").output
    place = tmp_path / "weights" / "alexnet_linf_8_robust_training.pt"
    assert re.search(rf"^file +{re.escape(str(place))}$", shown, re.MULTILINE)
    assert "put alexnet_linf_8_robust_training.pt out of https://mcdermottlab.mit.edu/" in shown
    assert f"at {place}." in shown
    assert "put" not in call("show", "alexnet_random", "--zoo", "paper").output


def test_list_says_that_weights_are_random(call):
    assert "all weights are random" in call("list", "--zoo", "paper-untrained").output
    assert "random:" not in call("list", "--zoo", "paper").output


def test_fetch_says_what_came_and_list_and_show_know_it(call, published, tmp_path):
    result = call("fetch", "squeezenet", "alexnet_random")
    assert result.exit_code == 0, result.output
    first, second = result.output.splitlines()
    assert first.startswith(f"squeezenet: {tmp_path / 'weights' / 'squeezenet.pth'}, 2.4 MB, SHA-256 ")
    assert first.endswith("(trusted on first use: no hash is published)")
    assert second == "alexnet_random: only initialised, no weights to fetch"
    assert re.search(r"squeezenet +SqueezeNet +True +2\.\d", call("list", "--zoo", "paper").output)
    shown = call("show", "squeezenet", "--zoo", "paper")
    assert re.search(r"available +True", shown.output)
    assert re.search(r"late +features\.10", shown.output)


def test_what_does_not_come_is_said_and_the_others_come(call, published):
    result = call("fetch", "resnet18", "squeezenet")
    assert result.exit_code == 2
    assert result.stdout.startswith("squeezenet: ")
    assert re.match(r"metamerlib: resnet18: .* is a web page \(.*Too many users\).* Without", result.stderr)
    assert result.stderr.endswith("metamerlib: not fetched: resnet18\n")


def test_verify_measures_and_suspects(call, published, photos):
    call("fetch", "squeezenet")
    result = call("verify", "--photos", photos, "--device", "cpu", "squeezenet")
    assert result.exit_code == 1, result.output
    assert "16 images" in result.output
    assert re.search(r"squeezenet +16 +0\.\d{3}", result.output)
    assert "squeezenet: accuracy is at most" in result.output
    untrained = call("verify", "squeezenet", "--photos", photos, "--zoo", "paper-untrained", "--device", "cpu")
    assert untrained.exit_code == 0, untrained.output
    assert untrained.output.endswith("no network is suspected\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fetch", "vgg18"), "Did you mean 'vgg19'"),
        (("show", "vgg18", "--zoo", "paper"), "Did you mean 'vgg19'"),
        (("verify",), "--photos is missing"),
        (("verify", "vgg19", "--photos", "."), "no sub-folder"),
        (("verify", "--photos", "nowhere"), "does not exist"),
        (("list", "--zoo", "papers"), "'paper'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_line_and_exit_code_2(call, arguments, words):
    result = call(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("metamerlib: ")
    assert len(result.stderr.strip().splitlines()) == 1


def test_verify_names_the_command_for_missing_weights(call, photos):
    result = call("verify", "vgg19", "--photos", photos)
    assert result.exit_code == 2
    assert "metamerlib zoo fetch vgg19" in result.stderr
