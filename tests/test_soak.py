"""Runs that are killed again and again end complete, and the same to the byte as those that nobody disturbed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")


def soaked(folder, runs, kills, seed):
    command = [sys.executable, str(Path(__file__).with_name("soak.py")), str(folder), *map(str, (runs, kills, seed))]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(report, runs, kills):
    assert report["results"] >= 2 * runs
    assert report["kills"] >= kills
    assert report["recomputed"] > 0  # they were killed at work
    assert (report["missing"], report["different"], report["leftovers"]) == ([], [], [])


def test_a_few_runs_killed_three_times(tmp_path):
    check(soaked(tmp_path, 10, 3, seed=0), 10, 3)


@pytest.mark.soak
def test_two_hundred_runs_killed_at_random(tmp_path):
    report = soaked(tmp_path, 200, 1_000_000, seed=1)
    print(json.dumps(report, indent=1))
    check(report, 200, 50)
