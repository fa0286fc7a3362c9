"""The repository's files agree with each other and are free of what belongs to one machine."""

import ast
import importlib.metadata
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
EXTRAS = ("book", "test", "dev", "bench")


def text(name):
    return (ROOT / name).read_text("utf8")


def requirements():
    """Give every direct requirement, extras included, as it is written."""
    return PROJECT["dependencies"] + [entry for extra in EXTRAS for entry in PROJECT["optional-dependencies"][extra]]


@pytest.fixture(scope="module")
def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not in a git checkout, so there is no list of tracked files")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def tracked_text(tracked):
    contents = {}
    for path in tracked:
        content = path.read_bytes()
        if b"\0" not in content and path != Path(__file__):
            contents[path.relative_to(ROOT).as_posix()] = content.decode("utf8")
    return contents


def lines_matching(contents, pattern):
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, content in contents.items()
        for number, line in enumerate(content.splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_make_installs_every_extra():
    extras = PROJECT["optional-dependencies"]
    assert f".[{','.join(EXTRAS)}]" in text("Makefile")
    assert set(extras) == {*EXTRAS, "robust"}  # make installs RobustBench without its pins
    assert "--no-deps robustbench" in text("Makefile")


def test_conda_environment_lists_what_pyproject_lists():
    environment = yaml.safe_load(text("environment.yml"))
    conda, pip = environment["dependencies"][:-1], environment["dependencies"][-1]["pip"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    options = [entry for entry in pip if entry.startswith("-")]
    assert options == ["--constraint constraints.txt", "--editable ."]
    assert [entry for entry in pip if entry not in options] == requirements()


def test_binder_installs_what_the_library_and_its_chapters_need_from_conda():
    environment = yaml.safe_load(text("binder/environment.yml"))
    *conda, pip = environment["dependencies"]
    names = {re.split(r"[<>=]", entry)[0] for entry in (*conda, *pip["pip"])}
    renamed = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base", "seaborn": "seaborn-base"}
    renamed |= {"dask[distributed]": "distributed"}
    groups = PROJECT["dependencies"], PROJECT["optional-dependencies"]["book"]
    needed = {re.split(r"[<>=~! ]", entry)[0] for group in groups for entry in group}
    building = {"sphinx-mathjax-offline", "sphinx-book-theme", "jupyter-client", "nbclient", "nbformat"}
    building |= {"beautifulsoup4"}
    assert {renamed.get(name, name) for name in needed - building} <= names


def constraints():
    lines = text("constraints.txt").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_constraints_are_exact_versions_and_nothing_else():
    assert [line for line in constraints() if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.!]+", line)] == []
    names = [canonicalize_name(line.split("==")[0]) for line in constraints()]
    assert len(names) == len(set(names))
    assert [name for name in names if re.match(r"(nvidia|cuda|metamerlib)\b", name)] == []


@pytest.mark.parametrize("requirement", requirements())
def test_constraints_hold_a_version_of_each_requirement(requirement):
    tested = {canonicalize_name(name): version for name, version in (line.split("==") for line in constraints())}
    wanted = Requirement(requirement)
    assert wanted.specifier.contains(tested[canonicalize_name(wanted.name)])


@pytest.mark.parametrize("requirement", requirements())
def test_each_requirement_has_a_lower_bound_and_a_reason(requirement):
    assert ">=" in requirement
    assert re.search(re.escape(f'"{requirement}",') + r"\s+# \w+", text("pyproject.toml"))


def test_version_is_the_same_everywhere():
    version = PROJECT["version"]
    assert str(Version(version)) == version
    assert yaml.safe_load(text("CITATION.cff"))["version"] == version
    assert re.search(r"^## \[(.+?)\]", text("CHANGELOG.md"), flags=re.MULTILINE)[1] == version
    assert importlib.metadata.version("metamerlib") == version
    front = ast.parse(text("src/metamerlib/__init__.py"))
    written = [
        node.value.value
        for node in front.body
        if isinstance(node, ast.Assign)
        and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["__version__"]
        and isinstance(node.value, ast.Constant)
    ]
    assert set(written) <= {version}


def test_citation_names_the_software_and_the_papers():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["license"] == "MIT"
    assert [author["name"] for author in citation["authors"]] == ["The metamerlib authors"]
    cited = [paper["identifiers"][0]["value"] for paper in citation["references"]]
    assert cited == ["arXiv:2504.01739", "arXiv:2306.04719", "arXiv:2410.03952", "openreview:RZ8esDBqMJ"]
    assert all(paper["title"] and paper["authors"] and paper["year"] for paper in citation["references"])
    assert "Copyright (c) The metamerlib authors" in text("LICENSE")


def targets():
    return set(re.findall(r"^([a-z]+):.* ## ", text("Makefile"), flags=re.MULTILINE))


def make(*arguments):
    """Run make as from a shell, also where these tests were started by make itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target_and_makes_nothing():
    before = set(os.listdir(ROOT))
    printed = make()
    assert targets() >= {"book", "test", "lint", "zoo", "bench", "clean", "pdf"}
    for target in targets():
        assert re.search(rf"^  make {target} +\w+", printed, flags=re.MULTILINE), target
    assert "VENV=" in printed
    assert set(os.listdir(ROOT)) <= before | {".pytest_cache", ".hypothesis"}


@pytest.mark.parametrize("target", ["book", "test", "lint"])
def test_make_uses_the_environment_that_it_is_given(target, tmp_path):
    def planned(venv):
        return make("--dry-run", target, f"VENV={venv}")

    absent = planned(tmp_path / "new")
    assert f"-m venv {tmp_path}/new" in absent
    assert "--constraint constraints.txt" in absent
    active = planned("")
    assert "pip install" not in active
    assert "bin/" not in active
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".installed").touch()
    ready = planned(tmp_path / "new")
    assert "pip install" not in ready
    assert f"{tmp_path}/new/bin/" in ready


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_documented_commands_exist(name):
    written = set(re.findall(r"(?:^|`)(?:\w+=\S* )?make ([a-z]+)\b", text(name), flags=re.MULTILINE))
    assert written
    assert written <= targets()


def test_hooks_need_no_other_repository():
    hooks = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert {repository["repo"] for repository in hooks} == {"local"}
    assert all(hook["language"] == "system" for repository in hooks for hook in repository["hooks"])


def test_integration_script_is_executable_bash():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf8").startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", script], check=True)


def test_no_tracked_file_is_large(tracked):
    assert [str(path) for path in tracked if path.stat().st_size > 5_000_000] == []


def test_no_path_of_one_machine(tracked_text):
    assert lines_matching(tracked_text, r"(?<![\w.$}~])/(work|root|tmp|home/\w+|Users/\w+)/[\w.]") == []


def test_no_package_index_is_named(tracked_text):
    hosts = r"pypi\.org|pythonhosted\.org|download\.pytorch\.org/whl|conda\.anaconda\.org"
    options = r"--(extra-)?index-url|--find-links|PIP_INDEX"
    assert lines_matching(tracked_text, f"{hosts}|{options}") == []
