"""The ensembles of a study, and what becomes of them where networks are missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metamerbook.study.profiles import did_you_mean

if TYPE_CHECKING:
    from metamerbook.study.tasks import MetamerRun


@dataclass(frozen=True)
class ModelSet:
    """An ensemble as it is wanted and as it can be had.

    A set of several networks runs over those that are there, as long as two are; every table and
    `Study.describe` say over how many. Fewer would no longer be an ensemble, so that such a set is left out, and named.

    Attributes
    ----------
    name
        Its name in tables and figures.
    wanted
        Keys of its networks.
    members
        Those whose weights are there.
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


def resolve_model_sets(
    choice: Sequence[str] | Mapping[str, Sequence[str]] | None,
    published: Mapping[str, Sequence[str]],
    available: Iterable[str],
    missing: Iterable[str] = (),
) -> dict[str, ModelSet]:
    """Turn a study's choice of sets into ensembles.

    Parameters
    ----------
    choice
        Names out of `published` (or keys of single networks), or new sets as name to keys; None takes all of
        `published`.
    published
        The zoo's sets: name to keys.
    available
        Keys of the networks that are there.
    missing
        Keys of the networks that exist but whose weights are not there.

    Returns
    -------
    dict of str to ModelSet
        In the order of the choice, those that cannot run included.

    Raises
    ------
    ValueError
        If a set or a network does not exist, or a set names none or one twice.
    """
    available, missing = list(available), list(missing)
    known = [*available, *missing]
    if choice is None:
        choice = published
    if not isinstance(choice, Mapping):
        choice = {name: _published_set(name, published, known) for name in choice}
    sets = {}
    for name, keys in choice.items():
        if not keys or len(set(keys)) != len(keys):
            raise ValueError(f"model_sets: {name!r} is {list(keys)}: give at least one network, none of them twice.")
        check_keys(keys, known, f"model set {name!r}")
        sets[name] = ModelSet(name, tuple(keys), tuple(key for key in keys if key in available))
    return sets


def set_sizes(model_sets: Mapping[str, ModelSet], run: "MetamerRun") -> dict[str, int]:
    """Count the networks of a run, so that a table can say over how many it is.

    Parameters
    ----------
    model_sets
        A study's sets, by name.
    run
        A run of one of them, or of networks that form none.

    Returns
    -------
    dict of str to int
        n_members (networks that the run has) and n_wanted (that its set should have).
    """
    wanted = model_sets[run.name].wanted if run.name in model_sets else run.models
    return {"n_members": len(run.models), "n_wanted": len(wanted)}


def check_keys(keys: Iterable[str], known: Sequence[str], where: str) -> None:
    """Refuse networks that do not exist.

    Parameters
    ----------
    keys
        What was asked for.
    known
        The keys there are.
    where
        Who asks, for the message.

    Raises
    ------
    ValueError
        If a key is not among those known.
    """
    for key in keys:
        if key not in known:
            near = did_you_mean(key, known)
            raise ValueError(
                f"{where} names the network {key!r}, which does not exist.{near} There are: {', '.join(known)}."
            )


def _published_set(name: str, published: Mapping[str, Sequence[str]], known: Sequence[str]) -> Sequence[str]:
    if name in published:
        return published[name]
    if name in known:
        return (name,)
    sets = ", ".join(map(repr, published)) or "none by name"
    guess = did_you_mean(name, [*published, *known])
    raise ValueError(
        f"model set {name!r} does not exist.{guess} There are: {sets}; the key of a single network is a set too; or "
        "give sets of your own as {'name': ['key', …]}."
    )
