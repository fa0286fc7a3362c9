"""The house stays small: bounds for the whole and per chapter, none per file but the longest."""

import subprocess
import sys
from pathlib import Path

import pytest

from size import chapters, circles, modules

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def table():
    return modules()


def test_whole(table):
    assert table["code"].sum() <= 12_100
    assert table["lines"].sum() <= 19_500
    assert len(table) <= 140


def test_library_without_drawings(table):
    library = table[(table["package"] == "metamerlib") & ~table["folder"].str.contains("objects16")]
    assert library["code"].sum() <= 5_200


def test_no_folder_and_no_module_is_crowded(table):
    assert table["folder"].value_counts().max() <= 16
    assert table["lines"].max() <= 350


def test_chapters(table):
    assert chapters(table).max() <= 450


def test_no_import_circle():
    assert circles() == []


def test_the_order_of_imports():
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
