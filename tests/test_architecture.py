"""The rooms of the library and the one direction in which they import."""

import ast
import importlib
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "metamerlib"
ROOMS = ("stimuli", "models", "generation", "evaluation", "experiments", "figures", "book", "cli")
# They stand under all rooms and import none.
GROUND = tuple(f"metamerlib.{name}" for name in ("arguments", "locations", "machine", "writing"))
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(source, module, is_package=False):
    """Give the full name of everything that a module's source imports, wherever in it."""
    names = set()
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def packages(path):
    """Give the top-level names that a file imports, relative imports aside."""
    return {name.split(".")[0] for name in imported(path.read_text("utf8"), "metamerlib.any.module")}


def room(name):
    """Name the room of a module of ours; None for the package's own front and for other packages."""
    parts = name.split(".")
    return parts[1] if parts[0] == "metamerlib" and len(parts) > 1 and parts[1] in ROOMS else None


def complaints(source, module, is_package=False):
    """List what a module imports and must not."""
    here, found = room(module), []
    for name in sorted(imported(source, module, is_package)):
        there, top = room(name), name.split(".")[0]
        if here and there and ROOMS.index(there) > ROOMS.index(here):
            found.append(f"{module}: {here} imports {name} from a room to its right")
        front = name != "metamerlib" and not name.startswith(tuple(f"{module}." for module in GROUND))
        if here and top == "metamerlib" and there is None and front:
            found.append(f"{module}: {here} imports {name} from the package's front")
        if top in ("matplotlib", "seaborn") and here != "figures":
            found.append(f"{module}: {name} belongs into figures")
        if there == "experiments" and here != "experiments" and name.split(".")[-1] in ("store", "Store"):
            found.append(f"{module}: only experiments touches the result store, but this imports {name}")
    return found


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_one_way(path):
    assert complaints(path.read_text("utf8"), module_name(path), path.name == "__init__.py") == []


@pytest.mark.parametrize("module", GROUND)
def test_the_ground_imports_no_room(module):
    path = PACKAGE.parent / f"{module.replace('.', '/')}.py"
    assert not [name for name in imported(path.read_text("utf8"), module) if name.startswith("metamerlib")]


def test_building_the_book_does_not_wait_for_torch():
    program = "import sys, metamerlib.book.build; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("metamerlib.stimuli.folders", "from metamerlib.models.zoo import ModelZoo"),
        ("metamerlib.stimuli.folders", "import metamerlib.models.zoo as zoo"),
        ("metamerlib.stimuli.folders", "from metamerlib import models"),
        ("metamerlib.stimuli.folders", "def late():\n    from ..models import zoo"),
        ("metamerlib.stimuli.folders", "from metamerlib import load_stimuli"),
        ("metamerlib.figures.style", "from metamerlib.cli import main"),
        ("metamerlib.experiments.study", "import matplotlib.pyplot as plt"),
        ("metamerlib.cli", "from seaborn import heatmap"),
        ("metamerlib.figures.style", "from metamerlib.experiments import Store"),
        ("metamerlib.cli", "from .experiments.store import Store"),
        ("metamerlib", "from metamerlib.experiments.store import Store"),
    ],
)
def test_a_backward_edge_would_be_noticed(module, source):
    assert len(complaints(source, module, is_package=module == "metamerlib")) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("metamerlib.models.zoo", "from metamerlib.stimuli import CATEGORIES\nfrom .weights import file"),
        ("metamerlib.figures.style", "import matplotlib\nfrom metamerlib.experiments import Study"),
        ("metamerlib.experiments.study", "from .store import Store"),
        ("metamerlib", "from metamerlib.stimuli import load_stimuli"),
    ],
)
def test_forward_edges_are_welcome(module, source):
    assert complaints(source, module, is_package=module == "metamerlib") == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_chapters_leave_plotting_to_figures(path):
    assert {name.split(".")[0] for name in imported(path.read_text("utf8"), path.stem)} & {
        "matplotlib",
        "seaborn",
    } == set()


def test_every_imported_package_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {canonicalize_name(Requirement(entry).name) for entries in lists for entry in entries}
    providers = packages_distributions()
    undeclared = {
        f"{module_name(path)} imports {top}"
        for path in MODULES
        for top in {
            name.split(".")[0]
            for name in imported(path.read_text("utf8"), module_name(path), path.name == "__init__.py")
        }
        if top not in sys.stdlib_module_names
        and top != "metamerlib"
        and not declared & {canonicalize_name(name) for name in providers.get(top, [top])}
    }
    assert undeclared == set()


@pytest.mark.parametrize("name", [name for name in ROOMS if (PACKAGE / name).is_dir()])
def test_every_room_says_what_it_offers(name):
    module = importlib.import_module(f"metamerlib.{name}")
    assert module.__doc__
    assert len(module.__all__) == len(set(module.__all__)) > 0
    for offered in module.__all__:
        assert hasattr(module, offered), offered


def test_no_module_is_a_drawer_for_odds_and_ends():
    assert [path.name for path in MODULES if path.stem in ("utils", "util", "helpers", "common", "misc")] == []
