"""The zoo: the paper's 31 networks by key, loaded on first use."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from metamerlib.checks import check_choice, entries_of, file_path, near, shown
from metamerlib.models.classifier import Classifier
from metamerlib.models.device import LoadedNetworks, default_memory, resolve_device
from metamerlib.models.downloads import WeightsCache
from metamerlib.models.editions import MiniatureEdition, PaperEdition, SkeletonEdition, load_weights
from metamerlib.models.independence import trust
from metamerlib.models.registry import MODEL_SETS, ZOO
from metamerlib.models.robustbench import PREFIX, robustbench_network
from metamerlib.models.stages import STAGES, block_at
from metamerlib.models.verification import verify
from metamerlib.stimuli import StimulusSet

EDITIONS = ("mini", "paper", "paper-untrained")

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_EARLY_COLUMNS = ("parameters", "multiply_adds", "accuracy", "classes", "robust_accuracy", "seconds")


class UnknownNetworkError(KeyError, ValueError):
    """There is no network of this key."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would show the text as Python writes it


class ModelZoo(Mapping[str, Classifier]):
    """The paper's networks, each loaded when it is first asked for.

    Iteration, `len` and `in` speak of the paper's networks whose weights are there; the miniatures' two further
    trainings of ResNet-18 (`EXTRA_INSTANCES`) are reached by key, but are not evaluators.

    Parameters
    ----------
    name
        "mini": the miniature networks that come with the library. "paper": the ImageNet networks themselves, whose
        weights `fetch` or ``metamerlib zoo fetch`` brings. "paper-untrained": the same, all only initialised; they
        compute nonsense at the cost of the trained ones, for trying a profile out.
    device
        Where the networks are put; "auto" is CUDA, else MPS, else the CPU.
    weights
        The folder of the weights: by default the bundled one of the miniatures, and for the paper's networks
        ``$METAMERLIB_WEIGHTS``, else ``~/.cache/metamerlib/weights``.
    decision
        How the paper's networks decide by their 1000 outputs: "max_logit" or "mean_probability" on one of the sixteen
        categories, or "1000-way" on one of ImageNet's classes, named by their WordNet ids. The miniatures have one
        output per category.
    memory
        Bytes of weights that are kept loaded. Beyond them the networks that were asked for longest ago are let go, and
        read again when they are asked for; whoever holds one keeps it. None means 2 GiB on the CPU, where images need
        the memory, and half of an accelerator's, which holds all of the paper's networks (5.2 GiB) from 12 GB on.

    Raises
    ------
    ValueError
        If there is no zoo of that name, no such decision or device, or `memory` is negative.

    Examples
    --------
    >>> import metamerlib as ml
    >>> zoo = ml.ModelZoo("mini")
    >>> zoo.model_set("CNN")
    ['convnext_base', 'alexnet', 'resnet50', 'resnet18']
    """

    def __init__(
        self,
        name: str = "mini",
        *,
        device: str | torch.device = "cpu",
        weights: Path | None = None,
        decision: str = "max_logit",
        memory: int | None = None,
    ) -> None:
        check_choice(name, EDITIONS, "name")
        if name == "mini" and not (isinstance(decision, str) and decision == "max_logit"):
            raise ValueError(
                f"decision is {shown(decision)}, which has no meaning for the zoo 'mini': its networks have one output "
                "per category. Leave it at 'max_logit', or name the zoo 'paper'."
            )
        self.name = name
        self.device = resolve_device(device)
        weights = None if weights is None else file_path(weights, "weights")
        self.decision = decision
        self._edition: MiniatureEdition | PaperEdition | SkeletonEdition
        if name == "mini":
            self._edition = MiniatureEdition(weights)
        else:
            self._edition = PaperEdition(weights, decision=decision, untrained=name == "paper-untrained")
        self._loaded = LoadedNetworks(default_memory(self.device) if memory is None else memory)

    def __getstate__(self) -> dict:
        # A copy for another process loads its own networks.
        return self.__dict__ | {"_loaded": LoadedNetworks(self._loaded.memory)}

    def __repr__(self) -> str:
        return f"ModelZoo({self.name!r}, {len(self)} of {len(ZOO)} networks available)"

    def __iter__(self) -> Iterator[str]:
        return (key for key in ZOO if self._edition.available(key))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        known = key in (*ZOO, *self.extra_instances) or self._is_robustbench(key)
        return known and self._edition.available(str(key))

    def __getitem__(self, key: str) -> Classifier:
        self._check(key)
        model = self._loaded.get(key)
        if model is None:
            model = trust(self._edition.load(key).to(self.device))
            self._loaded.keep(key, model)
        return model

    @property
    def loaded(self) -> tuple[str, ...]:
        """Keys of the networks that are in memory, the one asked for last at the end."""
        return self._loaded.keys

    @property
    def missing(self) -> list[str]:
        """Keys of the paper's networks whose weights are not there."""
        return [key for key in ZOO if not self._edition.available(key)]

    @property
    def extra_instances(self) -> tuple[str, ...]:
        """Keys beside the paper's networks: further trainings, which are not evaluators."""
        return self._edition.extra

    @property
    def model_sets(self) -> dict[str, list[str]]:
        """The paper's model sets (Table 2): name to keys."""
        return {name: list(keys) for name, keys in MODEL_SETS.items()}

    def model_set(self, name: str) -> list[str]:
        """Return the keys of one of the paper's model sets (Table 2), such as "CNN" or "Robust Transformers"."""
        check_choice(name, tuple(MODEL_SETS), "name")
        return list(MODEL_SETS[name])

    def evaluators(self, exclude: Iterable[str] = ()) -> list[Classifier]:
        """Load every available network but some, in the zoo's order, as the paper evaluates metamers (section 4.5)."""
        left_out = [exclude] if isinstance(exclude, str) else entries_of(exclude, "exclude", "keys")
        for key in left_out:
            self._check(key)
        return [self[key] for key in self if key not in left_out]

    def build(self, key: str) -> nn.Module:
        """Build a network without trained weights; not wrapped, it takes normalised images."""
        self._check(key)
        return self._edition.initialised(key)[0]

    def initialised(self, key: str) -> Classifier:
        """Build a network that costs what the trained one costs, whether or not its weights are there."""
        self._check(key)
        return self._edition.wrap(key, *self._edition.initialised(key)).to(self.device)

    def skeletons(self) -> "ModelZoo":
        """Give the same zoo on the meta device: all networks are there, for their names, shapes and costs alone.

        `fingerprint` knows the weights that are there; to the others it gives names that no result has.
        """
        twin = copy.copy(self)
        twin._edition, twin._loaded = SkeletonEdition(self._edition), LoadedNetworks(self._loaded.memory)
        twin.device = torch.device("meta")
        return twin

    def blocks(self, key: str) -> list[str]:
        """Name a network's sequential blocks, from the image to the logits; its weights need not be there."""
        self._check(key)
        return list(self._edition.skeleton(key)[1])

    def skeleton(self, key: str) -> Classifier:
        """Return all that is known of a network but its weights, which need not be there."""
        self._check(key)
        return self._edition.wrap(key, *self._edition.skeleton(key))

    def fingerprint(self, key: str) -> str:
        """Identify a network's weights: the file's sha256, or the seed of one that is only initialised."""
        self._check(key)
        return self._edition.fingerprint(key)

    def table(self) -> pd.DataFrame:
        """Describe every network.

        Returns
        -------
        DataFrame
            One row per network of the paper: key, table_name, family, robust, random, available, parameters,
            multiply_adds, accuracy (the miniatures': measured on new drawings; the paper's: as published, on ImageNet's
            validation images), classes (among how many: 16 or 1000), robust_accuracy (under 20 steps of PGD at 4/255),
            seconds (of training), paper_parameters, source, trained_on; for the paper's networks also megabytes (of the
            weights; 1024² bytes each), licence, url, and file (where the weights are, or are to be put).
        """
        rows, untrained = [], self.name == "paper-untrained"
        for key, entry in ZOO.items():
            known = self._edition.describe(key)
            row = {name: getattr(entry, name) for name in ("key", "table_name", "family", "robust")}
            row |= {"random": entry.random or untrained, "available": self._edition.available(key)}
            row |= {name: known.pop(name) for name in _EARLY_COLUMNS} | {"paper_parameters": entry.parameters}
            row |= {"source": entry.source, "trained_on": "none" if untrained else entry.trained_on}
            rows.append(row | known)
        # Floats also where nothing is known: None would make them objects, which are neither drawn nor averaged.
        return pd.DataFrame(rows).astype(dict.fromkeys(("accuracy", "robust_accuracy", "seconds"), float))

    def stage_table(self) -> pd.DataFrame:
        """Name the module that each stage taps in each network (reading of section 4.4).

        Returns
        -------
        DataFrame
            One row per network: key, table_name, n_blocks, early, middle, late (dotted module names).
        """
        rows = []
        for key, entry in ZOO.items():
            blocks = self.blocks(key)
            row = {"key": key, "table_name": entry.table_name, "n_blocks": len(blocks)}
            rows.append(row | {stage: block_at(blocks, depth) for stage, depth in STAGES.items()})
        return pd.DataFrame(rows)

    def verify(self, stimuli: StimulusSet, keys: Iterable[str] | None = None, *, batch_size: int = 64) -> pd.DataFrame:
        """Measure clean accuracy beside the published one, and look for a wrong normalisation.

        `keys` are those of the networks; None takes all whose weights are there.

        Returns
        -------
        DataFrame
            One row per network: key, n, accuracy (with low and high, the 95 % interval), accuracy_1000, published, and
            suspicion, empty where there is none.
        """
        chosen = [keys] if isinstance(keys, str) else list(self if keys is None else keys)
        for key in chosen:
            self._check(key)
        published = {key: self._edition.describe(key)["accuracy"] for key in chosen if key in ZOO}
        return verify((self[key] for key in chosen), stimuli, published, batch_size=batch_size)

    def _is_robustbench(self, key: object) -> bool:
        return isinstance(key, str) and key.startswith(PREFIX) and self.name != "mini"

    def _check(self, key: str) -> None:
        known = [*ZOO, *self.extra_instances]
        if key not in known and not self._is_robustbench(key):
            raise UnknownNetworkError(
                f"no network {shown(key)} in the zoo.{near(key, known)} `metamerlib zoo list` names them all."
            )


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
    device, weights, decision
        As for `ModelZoo`; the decision is ImageNet's.
    fetch
        Whether weights that are not there are downloaded.

    Returns
    -------
    Classifier
        Named ``robustbench:NAME``. Categories: ImageNet's as the decision says, CIFAR-10's names, CIFAR-100's numbers.

    Raises
    ------
    ImportError
        If RobustBench is not installed; the message says how.
    ValueError
        If it has no network of that name, or only as an ensemble of several files.
    MissingWeightsError, DownloadError
        If weights are not there, or cannot be downloaded; the message says which file to put where.
    """
    key, published, cache = PREFIX + str(name), robustbench_network(name, dataset, threat), WeightsCache(weights)
    if published.release is None:
        network, blocks = published.architecture()
    else:
        file = (cache.fetch if fetch else cache.check)(key, published.release())
        network, blocks = load_weights(published, file.path, key)
    if dataset == "imagenet":
        model = PaperEdition(decision=decision).wrap(key, network, blocks)
    else:
        categories = CIFAR10 if dataset == "cifar10" else tuple(map(str, range(100)))
        model = Classifier(network, name=key, blocks=blocks, categories=categories, input_size=32)
    return model.to(resolve_device(device))
