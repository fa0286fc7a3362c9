"""Networks of RobustBench's model zoo, by its names.

It pins timm to 1.0.9 and gdown to 5.1.0, and works without its pins beside the newest. What is bridged here: it
imports `autoattack` where it depends on `pyautoattack`, and setuptools' `pkg_resources`, which newer ones lack; and two
of its constructors download at once or have a misspelt name.
"""

import importlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import timm
from timm.models.convnext import ConvNeXt
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from timm.models.xcit import Xcit
from torch import nn
from torchvision.models import ResNet

from metamerlib.checks import near, shown
from metamerlib.models.checkpoints import StateDict
from metamerlib.models.device import standard_defaults
from metamerlib.models.imagenet import Network, find_modules
from metamerlib.models.published import PUBLISHED, RAW, TRANSLATIONS, PublishedNetwork, Release, robustbench_release
from metamerlib.models.registry import ARCHITECTURES

PREFIX = "robustbench:"
"""Of a key that names one of RobustBench's networks wherever a network's key does."""

_CONSTANTS = ("mu", "sigma", "mean", "std")
_ARCHITECTURES = {
    ResNet: "resnet50",
    ConvNeXt: "convnext_base",
    VisionTransformer: "deit_small",
    SwinTransformer: "swin_base",
    Xcit: "xcit_small",
}
"""By class: an architecture of the same blocks and names."""

_RELEASES = "https://github.com/RobustBench/robustbench/releases/download/"


def published_network(key: str) -> PublishedNetwork:
    """Find one of the paper's networks by its key, or one of RobustBench's for ImageNet by ``robustbench:NAME``."""
    if not key.startswith(PREFIX):
        return PUBLISHED[key]
    return robustbench_network(key.removeprefix(PREFIX))


@cache
def robustbench_network(name: str, dataset: str = "imagenet", threat: str | None = None) -> PublishedNetwork:
    """Describe one of RobustBench's networks; where it has a name under several threat models, the first is taken."""
    with _importable():
        build, release = _find(name, dataset, threat)

    def architecture() -> Network:
        # On the CPU whatever is asked for: the constants of its normalisation are in no checkpoint.
        with _importable(), standard_defaults():
            network = build()
        return network, _blocks(network)

    return PublishedNetwork(architecture, (lambda: release) if release else None, RAW, translate=_translate)


def _architecture(bare: nn.Module) -> str:
    return next((name for kind, name in _ARCHITECTURES.items() if isinstance(bare, kind)), "")


def _blocks(network: nn.Module) -> list[str]:
    """Name the stem and the blocks of architectures of torchvision and timm; empty for others."""
    bare = getattr(network, "model", network)
    row = ARCHITECTURES.get(_architecture(bare), {"blocks": ""})
    prefix = "model." if bare is not network else ""
    return [prefix + name for name in find_modules(bare, row["blocks"])]


def _translate(state: StateDict, network: nn.Module) -> StateDict:
    """Bring a checkpoint's names to those of a network, which may stand behind a normalisation."""
    bare = getattr(network, "model", network)
    if translate := TRANSLATIONS.get(_architecture(bare)):
        state = translate(state, bare)
    prefix = "model." if bare is not network else ""
    constants = {name: value for name, value in network.state_dict().items() if name.split(".")[-1] in _CONSTANTS}
    return constants | {prefix + name: value for name, value in state.items()}


def _find(name: str, dataset: str, threat: str | None) -> tuple[Callable[[], nn.Module], Release | None]:
    """Find a network's constructor and its weights; None where the constructor brings them."""
    models = importlib.import_module("robustbench.model_zoo.models").model_dicts
    datasets = {key.value: threats for key, threats in models.items()}
    if dataset not in datasets:
        raise ValueError(f"dataset is {shown(dataset)}: RobustBench has networks for {', '.join(datasets)}.")
    threats = {key.value: entries for key, entries in datasets[dataset].items()}
    chosen = next((t for t, entries in threats.items() if name in entries and threat in (None, t)), None)
    if chosen is None:
        known = sorted({entry for entries in threats.values() for entry in entries})
        raise ValueError(
            f"name is {shown(name)}, which RobustBench does not have for {dataset}"
            f"{'' if threat is None else f' and threat={shown(threat)}'}.{near(name, known)} It has "
            f"{', '.join(known[:6])}, …"
        )
    entry = threats[chosen][name]
    if isinstance(entry["gdrive_id"], list):
        raise ValueError(f"{name!r} is an ensemble of several files in RobustBench: name one of its members.")
    if entry["gdrive_id"]:
        file = f"robustbench-{dataset}-{chosen}-{name}.pt" if dataset != "imagenet" else None
        return entry["model"], robustbench_release(name, entry["gdrive_id"], threat=chosen, file=file)
    # timm's registry has these; as RobustBench lists them, some download at once and some have a misspelt name.
    registered = f"{name.lower().replace('-', '_')}_{dataset}_{chosen.lower()}"
    if not timm.is_model(registered):
        return entry["model"], None  # torchvision's or timm's own standard networks
    module = sys.modules[timm.model_entrypoint(registered).__module__]
    config = module.default_cfgs[registered]
    url = config["url"] if isinstance(config, dict) else config.url
    release = robustbench_release(name, github=url.removeprefix(_RELEASES), threat=chosen)
    return lambda: timm.create_model(registered, pretrained=False), release


@contextmanager
def _importable() -> Iterator[None]:
    """Import RobustBench in spite of its packaging; what stands in for other packages is taken away again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated parts of timm
        added: dict[str, types.ModuleType] = {}
        try:
            if "robustbench" not in sys.modules:
                if importlib.util.find_spec("autoattack") is None:
                    added |= {name: importlib.import_module(f"py{name}") for name in ("autoattack", "autoattack.state")}
                if importlib.util.find_spec("pkg_resources") is None:
                    added["pkg_resources"] = types.ModuleType("pkg_resources")  # used by its evaluation alone
                sys.modules.update(added)
            importlib.import_module("robustbench.model_zoo.models")
        except ImportError as error:
            raise ImportError(
                f"RobustBench cannot be imported ({error}): pip install 'metamerlib[robust]', or beside a newer timm "
                "pip install --no-deps robustbench pyautoattack gdown torchdiffeq geotorch."
            ) from error
        finally:
            for name in added:
                sys.modules.pop(name, None)
        yield
