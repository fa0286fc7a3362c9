"""Our writing of the robust networks against RobustBench's own, wherever that package is installed.

It is not needed otherwise, and hard to install beside anything else; for this test:
``pip install --no-deps robustbench==1.1.1 pyautoattack gdown torchdiffeq geotorch "setuptools<81"``.
"""

import importlib
import sys
import warnings

import pytest
import timm
import torch

from metamerlib.models.editions import PaperEdition
from metamerlib.models.published import PUBLISHED
from metamerlib.models.registry import ZOO

ENTRIES = {key: entry.entry for key, entry in ZOO.items() if entry.source == "robustbench"}


@pytest.fixture(scope="module")
def robustbench():
    """Import the package in spite of its packaging; gives a function from its names to its modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated parts of timm and setuptools
        try:  # it depends on pyautoattack and imports autoattack
            sys.modules.setdefault("autoattack", importlib.import_module("pyautoattack"))
            sys.modules.setdefault("autoattack.state", importlib.import_module("pyautoattack.state"))
            zoo = importlib.import_module("robustbench.model_zoo.imagenet")
        except ImportError as error:
            pytest.skip(f"RobustBench cannot be imported here: {error}")

    def build(entry):
        registered = {
            # As the package lists them, the first downloads at once and the second has a misspelt name.
            "Tian2022Deeper_DeiT-S": "tian2022deeper_deit_s_imagenet_corruptions",
            "Debenedetti2022Light_XCiT-S12": "debenedetti2022light_xcit_s12_imagenet_linf",
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if entry in registered:
                return timm.create_model(registered[entry], pretrained=False)
            return zoo.linf[entry]["model"]()

    build.entries = {**zoo.common_corruptions, **zoo.linf}
    return build


def test_eight_networks_come_from_robustbench():
    assert len(ENTRIES) == 8


@pytest.mark.parametrize("key", ENTRIES)
def test_our_network_computes_what_robustbenchs_does(key, robustbench, tmp_path):
    theirs = robustbench(ENTRIES[key]).eval()
    ours = PaperEdition(tmp_path, untrained=True).load(key)
    bare = getattr(theirs, "model", theirs)  # behind a normalisation, where it has one
    bare.load_state_dict(ours.module.state_dict())
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours.outputs(images), theirs(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("key", ENTRIES)
def test_our_address_is_the_file_that_robustbench_names(key, robustbench):
    drive = robustbench.entries[ENTRIES[key]]["gdrive_id"]
    url = PUBLISHED[key].release().url
    if drive:
        assert f"id={drive}&" in url
    else:
        architectures = importlib.import_module("robustbench.model_zoo.architectures")
        known = [*architectures.xcit.default_cfgs.values(), *architectures.deit.default_cfgs.values()]
        assert url in [config["url"] if isinstance(config, dict) else config.url for config in known]
