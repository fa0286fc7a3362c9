"""Networks of RobustBench's model zoo, by its names.

The package is kept out of the dependencies: it pins timm to 1.0.9 and gdown to 5.1.0. Without its pins it works beside
newer ones (``pip install "metamerlib[robust]"``, then ``pip install --no-deps robustbench``). What is bridged here: it
imports `autoattack` where it depends on `pyautoattack`, and setuptools' `pkg_resources`, which newer ones lack; and two
of its constructors download at once or have a misspelt name.
"""

import difflib
import importlib
import importlib.util
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from metamerlib.checks import shown
from metamerlib.models.checkpoints import load_exactly, read_checkpoint, state_of
from metamerlib.models.classifier import Classifier
from metamerlib.models.device import resolve_device
from metamerlib.models.downloads import WeightsCache
from metamerlib.models.editions import imagenet_outputs
from metamerlib.models.published import SIDE, Release, robustbench_release
from metamerlib.models.weights import CorruptWeightsError

PREFIX = "robustbench:"
"""Of a key that names one of RobustBench's networks wherever a network's key does."""

_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_RELEASES = "https://github.com/RobustBench/robustbench/releases/download/"


def load_robustbench(
    name: str,
    *,
    dataset: str = "imagenet",
    threat: str | None = None,
    device: str | torch.device = "cpu",
    weights: Path | str | None = None,
    decision: str = "max_logit",
    fetch: bool = True,
) -> Classifier:
    """Load a network of RobustBench's model zoo (Croce et al. 2021).

    Parameters
    ----------
    name
        RobustBench's, such as "Salman2020Do_R18".
    dataset
        "imagenet", "cifar10" or "cifar100".
    threat
        RobustBench's threat model: "Linf", "L2" or "corruptions"; None takes the first that has the name.
    device
        Where the network is put; "auto" is CUDA, else MPS, else the CPU.
    weights
        The folder of the weights; None means ``$METAMERLIB_WEIGHTS``, else ``~/.cache/metamerlib/weights``.
    decision
        How ImageNet's 1000 outputs become a category, as for `ModelZoo`.
    fetch
        Whether weights that are not there are downloaded.

    Returns
    -------
    Classifier
        Its stages are tapped by modules' names, as RobustBench knows no order of its networks' blocks. Categories: the
        sixteen or the 1000 of ImageNet, CIFAR-10's names, or CIFAR-100's numbers.

    Raises
    ------
    ImportError
        If RobustBench is not installed; the message says how.
    ValueError
        If it has no network of that name, or only as an ensemble of several files.
    MissingWeightsError
        If weights are not there and `fetch` is False; the message says which file to put where.
    DownloadError
        If they cannot be downloaded; likewise.
    CorruptWeightsError
        If they are not this network's.
    """
    with _importable():
        threat, build, release = _find(name, dataset, threat)
        network = build()
    cache = WeightsCache(weights)
    key = PREFIX + name
    if release is not None:
        found = cache.fetch_release(release, key) if fetch else cache.check_release(release, key)
        _fill(network, found.path, key)
    side = SIDE if dataset == "imagenet" else 32
    if dataset == "imagenet":
        categories, outputs = imagenet_outputs(decision)
    else:
        categories, outputs = _CIFAR10 if dataset == "cifar10" else tuple(map(str, range(100))), None
    return Classifier(
        network,
        name=key,
        categories=categories,
        outputs_of_category=outputs,
        input_size=side,
        decision="mean_probability" if decision == "mean_probability" else "max_logit",
    ).to(resolve_device(device))


def _find(name: str, dataset: str, threat: str | None) -> tuple[str, Any, Release | None]:
    """Find a network's threat model, its constructor and its weights; None where the constructor brings them."""
    import timm

    models = importlib.import_module("robustbench.model_zoo.models").model_dicts
    of_dataset = {key.value: threats for key, threats in models.items()}.get(dataset)
    if of_dataset is None:
        known = ", ".join(key.value for key in models)
        raise ValueError(f"dataset is {shown(dataset)}: RobustBench has networks for {known}.")
    threats = {key.value: entries for key, entries in of_dataset.items()}
    chosen = next((t for t, entries in threats.items() if name in entries and threat in (None, t)), None)
    if chosen is None:
        all_names = sorted({entry for entries in threats.values() for entry in entries})
        near = difflib.get_close_matches(str(name), all_names, n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ValueError(
            f"name is {shown(name)}, which RobustBench does not have for {dataset}"
            f"{'' if threat is None else f' and threat={shown(threat)}'}.{hint} It has {', '.join(all_names[:6])}, …"
        )
    entry = threats[chosen][name]
    if isinstance(entry["gdrive_id"], list):
        raise ValueError(f"{name!r} is an ensemble of several files in RobustBench: name one of its members.")
    if entry["gdrive_id"]:
        file = f"robustbench-{dataset}-{chosen}-{name}.pt" if dataset != "imagenet" else None
        return chosen, entry["model"], robustbench_release(name, entry["gdrive_id"], threat=chosen, file=file)
    # timm's registry has these; as RobustBench lists them, some download at once and some have a misspelt name.
    registered = f"{name.lower().replace('-', '_')}_{dataset}_{chosen.lower()}"
    if not timm.is_model(registered):
        return chosen, entry["model"], None  # torchvision's or timm's own standard networks
    module = sys.modules[timm.model_entrypoint(registered).__module__]
    config = module.default_cfgs[registered]
    url = config["url"] if isinstance(config, dict) else config.url
    release = robustbench_release(name, github=url.removeprefix(_RELEASES), threat=chosen)
    return chosen, lambda: timm.create_model(registered, pretrained=False), release


def _fill(network: nn.Module, file: Path, key: str) -> None:
    """Put a checkpoint into a network, which may stand behind a normalisation."""
    from timm.models import swin_transformer, vision_transformer, xcit

    state, _ = state_of(read_checkpoint(file), file)
    bare = getattr(network, "model", network)
    filters = {
        "SwinTransformer": swin_transformer.checkpoint_filter_fn,
        "VisionTransformer": vision_transformer.checkpoint_filter_fn,
        "Xcit": xcit.checkpoint_filter_fn,
    }
    for base in type(bare).__mro__:
        if base.__name__ in filters:
            state = filters[base.__name__](state, bare)
            break
    try:
        load_exactly(bare, dict(state), key=key, file=file)
    except CorruptWeightsError:
        # Checkpoints of ones that wrote their normalisation or unused layers along: RobustBench loads what fits.
        missing, _ = bare.load_state_dict(state, strict=False)
        if [name for name in missing if name.split(".")[-1] not in ("mu", "sigma", "mean", "std")]:
            raise


@contextmanager
def _importable() -> Iterator[None]:
    """Import RobustBench in spite of its packaging; what stands in for other packages is taken away again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated parts of timm
        added = []
        try:
            if "robustbench" not in sys.modules:
                for missing, stand_in in (("autoattack", "pyautoattack"), ("autoattack.state", "pyautoattack.state")):
                    if missing not in sys.modules and importlib.util.find_spec("autoattack") is None:
                        sys.modules[missing] = importlib.import_module(stand_in)
                        added.append(missing)
                if importlib.util.find_spec("pkg_resources") is None:
                    sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")  # used by its evaluation alone
                    added.append("pkg_resources")
            importlib.import_module("robustbench.model_zoo.models")
        except ImportError as error:
            raise ImportError(
                f"RobustBench cannot be imported ({error}): pip install 'metamerlib[robust]', then "
                "pip install --no-deps robustbench==1.1.1."
            ) from error
        finally:
            for name in added:
                sys.modules.pop(name, None)
        yield
