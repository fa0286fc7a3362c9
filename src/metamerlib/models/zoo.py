"""The zoo: the paper's 31 networks by key, loaded on first use."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from metamerlib.models.classifier import Classifier
from metamerlib.models.miniature import MEAN, RANDOM_SEEDS, SIDE, STD, build_miniature
from metamerlib.models.registry import EXTRA_INSTANCES, MODEL_SETS, ZOO
from metamerlib.models.stages import STAGES
from metamerlib.models.weights import MissingWeightsError, WeightsFolder
from metamerlib.stimuli.categories import CATEGORIES


class ModelZoo(Mapping[str, Classifier]):
    """The paper's networks, each loaded when it is first asked for.

    Iteration, `len` and `in` speak of the paper's networks whose weights are there; the two further trainings of
    ResNet-18 (`EXTRA_INSTANCES`) are reached by key, but are not evaluators.

    Parameters
    ----------
    name
        "mini": the miniature networks that come with the library.
    device
        Where the networks are put.
    weights
        The folder of the miniatures' weights; by default the bundled one.

    Raises
    ------
    ValueError
        If there is no zoo of that name.

    Examples
    --------
    >>> import metamerlib as ml
    >>> zoo = ml.ModelZoo("mini")
    >>> zoo.model_set("CNN")
    ['convnext_base', 'alexnet', 'resnet50', 'resnet18']
    """

    def __init__(self, name: str = "mini", *, device: str | torch.device = "cpu", weights: Path | None = None) -> None:
        if name != "mini":
            raise ValueError(f"name is {name!r}: the zoo that can be loaded is 'mini'.")
        self.name = name
        self.device = torch.device(device)
        self._weights = WeightsFolder(weights)
        self._card = self._weights.card()
        self._loaded: dict[str, Classifier] = {}

    def __repr__(self) -> str:
        return f"ModelZoo({self.name!r}, {len(self)} of {len(ZOO)} networks available)"

    def __iter__(self) -> Iterator[str]:
        return (key for key in ZOO if self._is_available(key))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        return key in (*ZOO, *EXTRA_INSTANCES) and self._is_available(str(key))

    def __getitem__(self, key: str) -> Classifier:
        self._check(key)
        if key not in self._loaded:
            network, blocks = build_miniature(key)
            if key not in RANDOM_SEEDS:
                self._weights.load_into(network, key)
            self._loaded[key] = Classifier(
                network, name=key, mean=MEAN, std=STD, blocks=blocks, categories=CATEGORIES, input_size=SIDE
            ).to(self.device)
        return self._loaded[key]

    @property
    def missing(self) -> list[str]:
        """Keys of the paper's networks whose weights are not there."""
        return [key for key in ZOO if not self._is_available(key)]

    @property
    def model_sets(self) -> dict[str, list[str]]:
        """The paper's model sets (Table 2): name to keys."""
        return {name: list(keys) for name, keys in MODEL_SETS.items()}

    def model_set(self, name: str) -> list[str]:
        """Return the keys of one of the paper's model sets (Table 2).

        Parameters
        ----------
        name
            Such as "CNN" or "Robust Transformers".

        Returns
        -------
        list of str
            Keys of its networks.

        Raises
        ------
        ValueError
            If there is no such set.
        """
        if name not in MODEL_SETS:
            raise ValueError(f"no model set {name!r}: the paper's sets are {', '.join(MODEL_SETS)}.")
        return list(MODEL_SETS[name])

    def evaluators(self, exclude: Iterable[str] = ()) -> list[Classifier]:
        """Load every available network but some, as the paper evaluates metamers (section 4.5).

        Parameters
        ----------
        exclude
            Keys to leave out: those of the generating set.

        Returns
        -------
        list of Classifier
            In the order of the zoo.

        Raises
        ------
        KeyError
            If a key to exclude does not exist.
        """
        left_out = [exclude] if isinstance(exclude, str) else list(exclude)
        for key in left_out:
            self._check(key)
        return [self[key] for key in self if key not in left_out]

    def build(self, key: str) -> nn.Module:
        """Build a network without trained weights.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        Module
            Not wrapped: it takes normalised images.

        Raises
        ------
        KeyError
            If there is no such network.
        """
        self._check(key)
        return build_miniature(key)[0]

    def fingerprint(self, key: str) -> str:
        """Identify a network's weights.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        str
            sha256 of the weight file; for a network that is only initialised, its architecture and seed.

        Raises
        ------
        KeyError
            If there is no such network.
        MissingWeightsError
            If its weights are not there.
        """
        self._check(key)
        if key in RANDOM_SEEDS:
            return f"kaiming-normal-{key}-{RANDOM_SEEDS[key]}"
        if not self._is_available(key):
            raise MissingWeightsError(f"no weights of {key!r}: `metamerlib train {key}` makes them.")
        return self._weights.sha256(key)

    def table(self) -> pd.DataFrame:
        """Describe every network.

        Returns
        -------
        DataFrame
            One row per network of the paper: key, table_name, family, robust, random, available, parameters,
            multiply_adds, accuracy, robust_accuracy (under 20 steps of PGD at 4/255), seconds (of training),
            paper_parameters, source, trained_on.
        """
        rows = []
        for key, entry in ZOO.items():
            card = self._card.get(key, {})
            rows.append(
                {
                    "key": key,
                    "table_name": entry.table_name,
                    "family": entry.family,
                    "robust": entry.robust,
                    "random": entry.random,
                    "available": self._is_available(key),
                    "parameters": sum(p.numel() for p in self.build(key).parameters()),
                    "multiply_adds": card.get("multiply_adds"),
                    "accuracy": card.get("accuracy"),
                    "robust_accuracy": card.get("robust_accuracy"),
                    "seconds": card.get("seconds"),
                    "paper_parameters": entry.parameters,
                    "source": entry.source,
                    "trained_on": entry.trained_on,
                }
            )
        return pd.DataFrame(rows)

    def stage_table(self) -> pd.DataFrame:
        """Name the module that each stage taps in each network (reading of section 4.4).

        Returns
        -------
        DataFrame
            One row per network: key, table_name, n_blocks, early, middle, late (dotted module names).
        """
        rows = []
        for key, entry in ZOO.items():
            network, blocks = build_miniature(key)
            classifier = Classifier(network, name=key, blocks=blocks, categories=CATEGORIES)
            row = {"key": key, "table_name": entry.table_name, "n_blocks": len(blocks)}
            rows.append(row | {stage: classifier.layer(stage) for stage in STAGES})
        return pd.DataFrame(rows)

    def _is_available(self, key: str) -> bool:
        return key in RANDOM_SEEDS or self._weights.file(key).exists()

    def _check(self, key: str) -> None:
        known = [*ZOO, *EXTRA_INSTANCES]
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=3)
            raise KeyError(
                f"no network {key!r} in the zoo."
                + (f" Did you mean {' or '.join(near)}?" if near else "")
                + " `metamerlib zoo list` names them all."
            )
