"""What chapters take from outside the repository: paths that hold in any folder, and changes that do not go unseen."""

from pathlib import Path

import pytest

from metamerbook.build.outside import absolute_paths, has_large_networks, state_outside


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to be in, with a profile and photographs, and no downloads of anyone else's."""
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "tabby.jpg").write_bytes(b"meow")
    (tmp_path / "weights").mkdir()
    (tmp_path / "mine.yml").write_text("zoo: paper\nseed: 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAMERLIB_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


def test_paths_hold_in_any_folder_and_names_stay_names(place):
    (place / "mini").mkdir()
    asked = {"profile": "mine.yml", "root": "photos", "stages": ["late"]}
    assert absolute_paths(asked) == {
        "profile": str(place / "mine.yml"),
        "root": str(place / "photos"),
        "stages": ["late"],
    }
    assert absolute_paths({"profile": "mini", "root": "nowhere"}) == {"profile": "mini", "root": "nowhere"}


def test_profiles_say_how_large_their_networks_are(place):
    (place / "torn.yml").write_text("zoo: [")
    sizes = {name: has_large_networks(name) for name in ("mini", "smoke", "paper", str(place / "mine.yml"))}
    assert sizes == {"mini": False, "smoke": False, "paper": True, str(place / "mine.yml"): True}
    assert not has_large_networks(str(place / "torn.yml"))
    assert not has_large_networks("absent")


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda place: (place / "mine.yml").write_text("zoo: paper\nseed: 1\n"), True),
        (lambda place: (place / "photos" / "cat" / "siamese.jpg").write_bytes(b"meow"), True),
        (lambda place: (place / "photos" / "cat" / "tabby.jpg").write_bytes(b"meow!"), True),
        (lambda place: (place / "weights" / "resnet18-f37072fd.pth").write_bytes(b"weights"), True),
        (lambda place: (place / "weights" / "weights-lock.json").write_text("{}"), False),
        (lambda place: (place / "weights" / "resnet18-f37072fd.pth.part").write_bytes(b"wei"), False),
        (lambda place: (place / "elsewhere.jpg").write_bytes(b""), False),
    ],
    ids=["profile", "new photograph", "changed photograph", "weights", "notes on weights", "half a download", "else"],
)
def test_a_change_outside_is_seen_where_it_matters(place, change, seen):
    parameters = {"profile": str(Path("mine.yml").absolute()), "root": str(place / "photos")}
    before = state_outside(parameters)
    assert state_outside(parameters) == before
    change(place)
    assert (state_outside(parameters) != before) == seen


def test_miniatures_do_not_depend_on_downloads(place):
    before = state_outside({"profile": "mini"})
    (place / "weights" / "resnet18-f37072fd.pth").write_bytes(b"weights")
    assert state_outside({"profile": "mini"}) == before
