"""The networks of a study: the zoo's and the caller's own, by key, each named by its content."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from metamerbook.study.tasks import ClassifierRef, ModelRef, model_fingerprint
from metamerlib.checks import entries_of, near, shown
from metamerlib.models import EXTRA_INSTANCES, ZOO, Classifier, ModelZoo, load_robustbench
from metamerlib.models.robustbench import PREFIX


@dataclass(frozen=True)
class ModelSet:
    """An ensemble as it is wanted and as it can be had.

    A set of several networks runs over those that are there, as long as two are; every table and `Study.describe` say
    over how many. Fewer would no longer be an ensemble, so that such a set is left out, and named.
    """

    name: str
    wanted: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys of the networks that it lacks."""
        return tuple(key for key in self.wanted if key not in self.members)

    @property
    def runs(self) -> bool:
        """Whether enough of it is there."""
        return len(self.members) >= min(2, len(self.wanted))

    @property
    def shortfall(self) -> str:
        """What it lacks, in words; empty if nothing."""
        if not self.missing:
            return ""
        state = f"{len(self.members)} of {len(self.wanted)} networks" if self.runs else "left out"
        return f"{self.name}: {state}, without {', '.join(self.missing)}"


class Networks:
    """A zoo (a `ModelZoo`, or any mapping of key to `Classifier`) and networks of one's own, as one mapping."""

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
        """Keys of the networks that classify where none are named: the zoo, one's own, and those without weights."""
        return (*self.zoo, *self.own, *getattr(self.zoo, "missing", ()))

    def load_named(self, keys: Iterable[str]) -> None:
        """Add networks of RobustBench that are named as "robustbench:NAME"."""
        for key in keys:
            if key.startswith(PREFIX) and key not in self.own:
                device, decision = getattr(self.zoo, "device", "cpu"), getattr(self.zoo, "decision", "max_logit")
                self.own[key] = load_robustbench(key.removeprefix(PREFIX), device=device, decision=decision)

    def resolve(self, choice: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, ModelSet]:
        """Turn a study's choice of model sets into ensembles of these networks, in its order.

        The choice: names of the zoo's sets or keys of single networks, new sets as name to keys, or None for the zoo's.
        """
        lists = choice.values() if isinstance(choice, Mapping) else [choice or ()]
        self.load_named(key for keys in lists for key in keys)
        published = getattr(self.zoo, "model_sets", {})
        choice = published if choice is None else choice
        if not isinstance(choice, Mapping):
            choice = {name: _published_set(name, published, self.keys) for name in choice}
        sets = {}
        for name, keys in choice.items():
            check_keys(keys, self.keys, f"model set {name!r}")
            sets[name] = ModelSet(name, tuple(keys), tuple(key for key in keys if key in self.models))
        return sets

    def hint(self, keys: Iterable[str] = ()) -> str:
        """Say which command brings the weights of some networks, or of all."""
        if getattr(self.zoo, "name", "mini") == "mini":
            return f"`{' '.join(['metamerlib train', *keys])}` makes them"
        return f"`{' '.join(['metamerlib zoo fetch', *keys])}` fetches them, or says which file to put where"

    def skeleton(self, key: str) -> Classifier:
        """Return what is known of a network without its weights, so that no name or layer costs reading them."""
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

    def traits(self, keys: Iterable[str]) -> pd.DataFrame:
        """Tabulate what kinds of networks some are.

        One row each: evaluator (key), family ("cnn", "transformer", "mlp"; "own" for networks that are not the zoo's),
        robust, random (only initialised, never trained).
        """
        rows = []
        for key in keys:
            of_zoo = isinstance(self.zoo, ModelZoo) and key not in self.own
            entry = ZOO.get("resnet18" if key in EXTRA_INSTANCES else key) if of_zoo else None
            rows.append((key, entry.family, entry.robust, entry.random) if entry else (key, "own", False, False))
        return pd.DataFrame(rows, columns=["evaluator", "family", "robust", "random"])


def set_sizes(model_sets: Mapping[str, ModelSet], name: str, members: Sequence[object]) -> dict[str, int]:
    """Count the networks of a run, and those that the set of this name should have, for a table."""
    wanted = model_sets[name].wanted if name in model_sets else members
    return {"n_members": len(members), "n_wanted": len(wanted)}


def check_keys(keys: Iterable[str], known: Sequence[str], where: str) -> None:
    """Refuse networks that do not exist."""
    for key in keys:
        if key not in known:
            there = f"{near(key, known)} There are: {', '.join(known)}."
            raise ValueError(f"{where} names the network {key!r}, which does not exist.{there}")


def _published_set(name: str, published: Mapping[str, Sequence[str]], known: Sequence[str]) -> Sequence[str]:
    if name in published:
        return published[name]
    if name in known:
        return (name,)
    raise ValueError(
        f"model set {name!r} does not exist.{near(name, [*published, *known])} There are: "
        f"{', '.join(map(repr, published)) or 'none by name'}; the key of a single network is a set too; or give sets "
        "of your own as {'name': ['key', …]}."
    )
