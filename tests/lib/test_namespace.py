import importlib
import pkgutil
import subprocess
import sys

import pytest

import metamerlib as ml

MODULES = [module.name for module in pkgutil.walk_packages(ml.__path__, "metamerlib.")]


@pytest.mark.parametrize("name", MODULES)
def test_a_modules_name_gives_the_module(name):
    module = importlib.import_module(name)
    parent, _, leaf = name.rpartition(".")
    assert getattr(sys.modules[parent], leaf) is module


@pytest.mark.parametrize("name", ml.__all__)
def test_every_public_name_is_there(name):
    assert getattr(ml, name) is not None
    assert name in dir(ml)


def test_importing_the_package_loads_nothing_heavy_and_its_parts_are_there_when_asked_for():
    code = (
        "import sys, metamerlib as ml; heavy = {'torch', 'numpy', 'pandas', 'scipy'} & set(sys.modules);"
        "assert not heavy, heavy; ml.evaluation.image_metrics.psnr; ml.stimuli.StimulusSet"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
