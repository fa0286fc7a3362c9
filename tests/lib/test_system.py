from pathlib import Path

import pytest

from metamerlib import system


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Single CNN-late", "a/b: c?"], ["Single_CNN-late", "a_b__c_"]),
        (["a b", "a_b", "A b"], ["a_b", "a_b~2", "A_b~3"]),
        (["é", "é"], ["é", "é~2"]),
        (["..", "", "x" * 300], ["_", "_~2", "x" * 60]),
    ],
)
def test_file_names_are_safe_and_different(texts, expected):
    assert system.file_names(texts) == expected


def test_paths_of_the_environment_may_begin_with_a_tilde(monkeypatch):
    for name in ("XDG_CACHE_HOME", "METAMERLIB_WEIGHTS"):
        monkeypatch.setenv(name, "~/somewhere")
    home = Path.home() / "somewhere"
    assert system.weights_folder() == home
    assert system.cache_folder() == home / "metamerlib"


@pytest.mark.parametrize("value", ["none", "0", "-1"])
def test_cores_that_are_no_number_are_refused(monkeypatch, value):
    monkeypatch.setenv("METAMERLIB_CORES", value)
    with pytest.raises(ValueError, match="METAMERLIB_CORES"):
        system.cores()
