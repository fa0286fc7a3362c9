"""The networks of a study: the zoo's and the caller's own, by key, each named by its content."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from metamerbook.study.model_sets import ModelSet, resolve_model_sets
from metamerbook.study.tasks import ClassifierRef, ModelRef, model_fingerprint
from metamerlib.checks import entries_of, shown
from metamerlib.models import EXTRA_INSTANCES, ZOO, Classifier, ModelZoo, Stage


class Networks:
    """A zoo and networks of one's own as one mapping.

    Parameters
    ----------
    zoo
        A `ModelZoo`, or any mapping of key to `Classifier`.
    own
        Networks beside the zoo's; their names are their keys.

    Attributes
    ----------
    models : Mapping
        Key to network, of all that are there; loaded on first use.
    own : dict
        The caller's own, by name.

    Raises
    ------
    TypeError
        If something else than a classifier is among them.
    ValueError
        If a name is taken.
    """

    def __init__(self, zoo: Mapping[str, Classifier], own: Iterable[Classifier] = ()) -> None:
        if not isinstance(zoo, Mapping) or not all(isinstance(key, str) for key in zoo):
            raise TypeError(f"zoo is {shown(zoo)}: give a ModelZoo, or a mapping of keys to Classifiers.")
        self.zoo = zoo
        self.own: dict[str, Classifier] = {}
        for model in entries_of(own, "models", "Classifiers"):
            if not isinstance(model, Classifier):
                raise TypeError(f"models holds {shown(model)}: wrap it first, as in Classifier(module, name=…).")
            if model.name in self.own or model.name in self._zoo_keys:
                raise ValueError(f"models has a network named {model.name!r}, which is taken: name it otherwise.")
            self.own[model.name] = model
        self.models: Mapping[str, Classifier] = ChainMap(self.own, zoo)
        self._refs: dict[str, ClassifierRef] = {}
        self._skeletons: dict[str, Classifier] = {}

    @property
    def keys(self) -> list[str]:
        """Keys of all networks, those without weights included."""
        return [*self.own, *self._zoo_keys]

    @property
    def _zoo_keys(self) -> list[str]:
        keys = [*self.zoo, *getattr(self.zoo, "missing", ())]
        return [*keys, *self.zoo.extra_instances] if isinstance(self.zoo, ModelZoo) else keys

    @property
    def evaluators(self) -> tuple[str, ...]:
        """Keys of the networks that classify where none are named: the zoo, as far as it is there, and one's own."""
        return (*self.zoo, *self.own)

    @property
    def missing_evaluators(self) -> tuple[str, ...]:
        """Keys of the zoo's networks that would classify too, but whose weights are not there."""
        return tuple(getattr(self.zoo, "missing", ()))

    def resolve(self, choice: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, ModelSet]:
        """Turn a choice of model sets into ensembles of these networks.

        Parameters
        ----------
        choice
            As for `resolve_model_sets`.

        Returns
        -------
        dict of str to ModelSet
            In the order of the choice.
        """
        available = [key for key in self.keys if key in self.models]
        missing = [key for key in self.keys if key not in self.models]
        return resolve_model_sets(choice, getattr(self.zoo, "model_sets", {}), available, missing)

    def hint(self, keys: Iterable[str] = ()) -> str:
        """Say what brings weights that are missing.

        Parameters
        ----------
        keys
            Of which networks; none means all.

        Returns
        -------
        str
            The command and what it does, such as "`metamerlib train vgg19` makes them".
        """
        if getattr(self.zoo, "name", "mini") == "mini":
            return f"`{' '.join(['metamerlib train', *keys])}` makes them"
        return f"`{' '.join(['metamerlib zoo fetch', *keys])}` fetches them, or says which file to put where"

    def skeleton(self, key: str) -> Classifier:
        """Return what is known of a network without its weights, so that no name or layer costs reading them.

        Parameters
        ----------
        key
            The network, which is there.

        Returns
        -------
        Classifier
            As `ModelZoo.skeleton`; a network that is not the zoo's is returned itself.
        """
        if key in self.own or not isinstance(self.zoo, ModelZoo):
            return self.models[key]
        if key not in self._skeletons:
            self._skeletons[key] = self.zoo.skeleton(key)
        return self._skeletons[key]

    def classifier_ref(self, key: str) -> ClassifierRef:
        """Name a network by its content and by how it decides, for tasks that its categories enter."""
        if key not in self._refs:
            known = key not in self.own and isinstance(self.zoo, ModelZoo)
            weights = self.zoo.fingerprint(key) if known else None
            model = self.skeleton(key)
            self._refs[key] = ClassifierRef(key, model_fingerprint(model, weights), model.decision)
        return self._refs[key]

    def ref(self, key: str) -> ModelRef:
        """Name a network by its content, for tasks that its activations enter."""
        known = self.classifier_ref(key)
        return ModelRef(known.key, known.fingerprint)

    def check_stage(self, stage: Stage, keys: Iterable[str]) -> None:
        """Refuse a stage that one of some networks does not have.

        Parameters
        ----------
        stage
            The stage.
        keys
            The networks, which are there.
        """
        for key in keys:
            self.skeleton(key).layer(stage)

    def traits(self, keys: Iterable[str]) -> pd.DataFrame:
        """Tabulate what kinds of networks some are.

        Parameters
        ----------
        keys
            Which networks.

        Returns
        -------
        DataFrame
            One row per network: evaluator (key), family ("cnn", "transformer", "mlp"; "own" for networks that are not
            the zoo's), robust, random (only initialised, never trained).
        """
        rows = []
        for key in keys:
            known = isinstance(self.zoo, ModelZoo) and key not in self.own
            entry = ZOO.get("resnet18" if key in EXTRA_INSTANCES else key) if known else None
            rows.append(
                {
                    "evaluator": key,
                    "family": entry.family if entry else "own",
                    "robust": bool(entry and entry.robust),
                    "random": bool(entry and entry.random),
                }
            )
        return pd.DataFrame(rows, columns=["evaluator", "family", "robust", "random"])
