"""The editions of the zoo: the bundled miniatures, and the paper's networks at full size."""

import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from timm.data import ImageNetInfo
from torch import nn

from metamerlib.checks import check_choice
from metamerlib.models.checkpoints import load_exactly, read_checkpoint, state_of
from metamerlib.models.classifier import DECISIONS, Classifier
from metamerlib.models.device import standard_defaults
from metamerlib.models.downloads import WeightsCache
from metamerlib.models.imagenet import Network
from metamerlib.models.miniature import MEAN, RANDOM_SEEDS, STD, build_miniature, kaiming_normal
from metamerlib.models.miniature import SIDE as MINIATURE_SIDE
from metamerlib.models.published import PUBLISHED, PublishedNetwork
from metamerlib.models.published import SIDE as PUBLISHED_SIDE
from metamerlib.models.registry import EXTRA_INSTANCES, ZOO
from metamerlib.models.robustbench import PREFIX, published_network
from metamerlib.models.weights import CorruptWeightsError, MissingWeightsError, WeightsFolder
from metamerlib.stimuli.categories import CATEGORIES, SYNSETS

_OUTPUTS = 1000
ALL_DECISIONS = (*DECISIONS, "1000-way")
"""How a network with ImageNet's 1000 outputs decides (reading 11): on the category with the highest logit or the
highest mean probability among its classes, or on one of the 1000 classes."""


class MiniatureEdition:
    """The miniatures: float16 weights (the bundled ones where `folder` is None), sixteen outputs, 64 px."""

    extra = EXTRA_INSTANCES

    def __init__(self, folder: Path | None = None) -> None:
        self._weights = WeightsFolder(folder)
        self._card = self._weights.card()

    def available(self, key: str) -> bool:
        return key in RANDOM_SEEDS or self._weights.file(key).exists()

    def skeleton(self, key: str) -> Network:
        return build_miniature(key)

    def initialised(self, key: str) -> Network:
        return build_miniature(key)

    def load(self, key: str) -> Classifier:
        network, blocks = build_miniature(key)
        if key not in RANDOM_SEEDS:
            self._weights.load_into(network, key)
        return self.wrap(key, network, blocks)

    def wrap(self, key: str, network: nn.Module, blocks: Sequence[str]) -> Classifier:
        return Classifier(
            network, name=key, mean=MEAN, std=STD, blocks=blocks, categories=CATEGORIES, input_size=MINIATURE_SIDE
        )

    def fingerprint(self, key: str) -> str:
        if key in RANDOM_SEEDS:
            return f"kaiming-normal-{key}-{RANDOM_SEEDS[key]}"
        if not self.available(key):
            raise MissingWeightsError(f"no weights of {key!r}: `metamerlib train {key}` makes them.")
        return self._weights.sha256(key)

    def describe(self, key: str) -> dict[str, Any]:
        card = self._card.get(key, {})
        return {
            "parameters": sum(p.numel() for p in build_miniature(key)[0].parameters()),
            "classes": len(CATEGORIES),
            **{name: card.get(name) for name in ("multiply_adds", "accuracy", "robust_accuracy", "seconds")},
        }


class PaperEdition:
    """The paper's networks: 1000 outputs, 224 px, weights that the user fetches.

    Where they are `untrained`, all are only initialised, from seeds: they compute nonsense at the cost of trained ones.
    """

    extra = ()

    def __init__(self, folder: Path | None = None, *, decision: str = "max_logit", untrained: bool = False) -> None:
        check_choice(decision, ALL_DECISIONS, "decision")
        self._cache = WeightsCache(folder)
        self._decision = decision
        self._untrained = untrained

    def available(self, key: str) -> bool:
        return self._untrained or self._cache.available(key)

    def skeleton(self, key: str) -> Network:
        """Build the module on the meta device, which holds no values, and name its blocks."""
        return _skeleton(key)

    def initialised(self, key: str) -> Network:
        """Build the module with initial weights that depend on its key only."""
        seed = _seed(key)
        with torch.random.fork_rng(devices=[]), standard_defaults():
            torch.manual_seed(seed)
            network, blocks = published_network(key).architecture()
            kaiming_normal(network, seed)
        return network, blocks

    def load(self, key: str) -> Classifier:
        if self._is_initialised(key):
            return self.wrap(key, *self.initialised(key))
        return self.wrap(key, *load_weights(published_network(key), self._cache.check(key).path, key))

    def wrap(self, key: str, network: nn.Module, blocks: Sequence[str]) -> Classifier:
        mean, std = published_network(key).normalisation
        categories, outputs = imagenet_outputs(self._decision)
        options = {
            "input_size": PUBLISHED_SIDE,
            "outputs_of_category": outputs,
            "decision": "max_logit" if outputs is None else self._decision,
        }
        return Classifier(network, name=key, mean=mean, std=std, blocks=blocks, categories=categories, **options)

    def fingerprint(self, key: str) -> str:
        if self._is_initialised(key):
            return f"kaiming-normal-{key}-{_seed(key)}"
        return self._cache.check(key).sha256

    def describe(self, key: str) -> dict[str, Any]:
        release = None if self._untrained else self._cache.release(key)
        file, megabytes = self._cache.folder / release.file if release else None, 0.0
        if file is not None:
            megabytes = release.megabytes or 4 * ZOO[key].parameters / 2**20
            megabytes = file.stat().st_size / 2**20 if file.exists() else megabytes
        return {
            "parameters": ZOO[key].parameters,
            "multiply_adds": ZOO[key].multiply_adds,
            "accuracy": None if self._untrained else PUBLISHED[key].accuracy,
            "robust_accuracy": None,
            "seconds": None,
            "classes": _OUTPUTS,
            "megabytes": megabytes,
            "licence": release.licence if release else None,
            "url": release.url if release else None,
            "file": str(file) if file else None,
        }

    def _is_initialised(self, key: str) -> bool:
        return self._untrained or published_network(key).release is None


class SkeletonEdition:
    """Any edition with all of its networks there, but without values: for their names, shapes and costs."""

    def __init__(self, edition: MiniatureEdition | PaperEdition) -> None:
        self._edition, self.extra, self.describe = edition, edition.extra, edition.describe
        self.skeleton, self.initialised, self.wrap = edition.skeleton, edition.initialised, edition.wrap

    def available(self, key: str) -> bool:
        return True

    def load(self, key: str) -> Classifier:
        """Wrap the module on the meta device, which holds no values."""
        network, blocks = self._edition.skeleton(key)
        return self.wrap(key, network.to("meta"), blocks).to("meta")

    def fingerprint(self, key: str) -> str:
        """Identify the weights, if they are there; no result is known of those that are not."""
        return self._edition.fingerprint(key) if self._edition.available(key) else f"absent-{key}"


def load_weights(published: PublishedNetwork, file: Path, key: str) -> Network:
    """Build a published network with the weights of a file."""
    state, normalisation = state_of(read_checkpoint(file), file)
    for kind, wanted in zip(("mean", "std"), published.normalisation, strict=True):
        found = normalisation.get(kind, wanted)
        # RobustBench's own modules normalise.
        if not key.startswith(PREFIX) and not torch.allclose(torch.tensor(found), torch.tensor(wanted), atol=1e-3):
            raise CorruptWeightsError(
                f"{file} was saved with the {kind} {found}, but {key!r} is known to want {wanted}: is it another "
                "network's?"
            )
    network, blocks = _empty(published.architecture)
    if published.translate is not None:
        state = published.translate(state, network)
    load_exactly(network, dict(state), key=key, file=file)
    return network, blocks


def _seed(key: str) -> int:
    return RANDOM_SEEDS.get(key, zlib.crc32(key.encode()))


def _empty(architecture: Callable[[], Network]) -> Network:
    """Build a module to be filled, without spending time on initial values wherever that is possible."""
    network, blocks = _valueless(architecture)
    saved = network.state_dict().keys()
    if any(name not in saved for name, _ in network.named_buffers()):  # computed constants, as Swin's position indices
        with torch.random.fork_rng(devices=[]), standard_defaults():
            network, blocks = architecture()
    return network, blocks


def _valueless(architecture: Callable[[], Network]) -> Network:
    """Build a module on the meta device, or with values where a constructor needs them (timm's up to 1.0.20)."""
    with torch.random.fork_rng(devices=[]), standard_defaults():
        try:
            with torch.device("meta"):
                return architecture()
        except RuntimeError:
            return architecture()


@cache
def _skeleton(key: str) -> Network:
    return _valueless(published_network(key).architecture)


@cache
def imagenet_outputs(decision: str) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...] | None]:
    """Name the categories that ImageNet's 1000 outputs are gathered into, and the outputs of each."""
    if decision == "1000-way":  # WordNet's ids, as two pairs of the classes share an English name
        return tuple(ImageNetInfo("imagenet-1k").label_names()), None
    return CATEGORIES, tuple(tuple(index for _, index in SYNSETS[category]) for category in CATEGORIES)
