"""Whether one network's metamers are metamers for others: other architectures, other trainings (thesis outline)."""

from typing import TYPE_CHECKING, Annotated

import pandas as pd

from metamerbook.ensembles.optimisers import Labelled, ablation_study
from metamerbook.study.judging import evaluate, featured_stage
from metamerbook.study.model_sets import check_keys
from metamerbook.study.settings import AllByName, Names, Section
from metamerlib.models import EXTRA_INSTANCES, ZOO, MissingWeightsError

if TYPE_CHECKING:
    from metamerbook.study.study import Study


class Transfer(Section):
    """The networks whose own metamers all others classify; None takes every trained one."""

    transfer_generators: Annotated[Names | None, AllByName] = (
        "alexnet",
        "vgg19",
        "resnet18",
        "resnet18_robust",
        "resnet50",
        "convnext_base",
        "deit_small",
        "vit_base",
        "vit_base_robust",
        "mlp_mixer",
    )


RELATIONS = ("itself", "other training", "other architecture")
"""How an evaluator is related to the network that metamers were made with."""


def transfer_generators(study: "Study") -> tuple[list[str], list[str]]:
    """Choose the networks whose own metamers all others judge.

    Parameters
    ----------
    study
        The study; its setting ``transfer_generators`` names them, or takes every trained evaluator. Further trainings
        of ResNet-18 belong to them, if the zoo has any.

    Returns
    -------
    tuple of two lists of str
        Keys of those that are there, and of those that are wanted but missing.
    """
    wanted = study.settings.of(Transfer).transfer_generators
    if wanted is None:
        traits = study.networks.traits((*study.evaluators, *study.missing_evaluators))
        wanted = traits.loc[~traits["random"], "evaluator"].tolist()
    check_keys(wanted, [*study.networks.keys, *ZOO], "transfer_generators")
    keys = list(dict.fromkeys([*wanted, *_instances(study)]))
    there = [key for key in keys if key in study.networks.models]
    return there, [key for key in keys if key not in there]


def transfer_runs(study: "Study") -> Labelled:
    """Describe the generation of each network's own metamers.

    Parameters
    ----------
    study
        The study; networks as in `transfer_generators`, stage `featured_stage`.

    Returns
    -------
    list
        Pairs of {"generator"} (key) and a run in the `ablation_study`.

    Raises
    ------
    MissingWeightsError
        If none of the networks is there.
    """
    small = ablation_study(study)
    there, missing = transfer_generators(study)
    if not there:
        raise MissingWeightsError(
            f"none of transfer_generators has its weights: {study.networks.hint(missing)}. Or name others out of "
            f"{', '.join(study.networks.models)}."
        )
    return [({"generator": key}, small.run([key], featured_stage(study))) for key in there]


def transfer_panel(study: "Study") -> list[str]:
    """Choose the networks that judge each network's own metamers.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    list of str
        Keys of the study's evaluators and of the further trainings of ResNet-18 that are there.
    """
    further = [key for key in _instances(study) if key in study.networks.models]
    return list(dict.fromkeys([*study.evaluators, *further]))


def transfer(study: "Study") -> pd.DataFrame:
    """Tabulate how well each network's metamers are recognized by each other network.

    Parameters
    ----------
    study
        As for `transfer_runs`.

    Returns
    -------
    DataFrame
        One row per generating network and evaluator, further trainings of ResNet-18 among both: generator and
        evaluator (keys), generator_family, generator_robust, relation (one of `RELATIONS`: the network itself, another
        training of its architecture, or another architecture), and what `evaluate` returns.
    """
    runs = transfer_runs(study)
    table = evaluate(ablation_study(study), runs, evaluators=transfer_panel(study), title="transfer")
    traits = study.networks.traits(table["generator"].unique()).set_index("evaluator")
    pairs = zip(table["generator"], table["evaluator"], strict=True)
    return table.assign(
        generator_family=table["generator"].map(traits["family"]),
        generator_robust=table["generator"].map(traits["robust"]),
        relation=[relation(study, *pair) for pair in pairs],
    )


def mean_transfer(table: pd.DataFrame) -> pd.DataFrame:
    """Average transfer by how generator and evaluator are related.

    Parameters
    ----------
    table
        As `transfer` returns it.

    Returns
    -------
    DataFrame
        One row per generator and relation that occurs, networks without training left out of the evaluators: generator,
        relation, mean, sd (over evaluators, n - 1), n_evaluators.
    """
    trained = table[~table["random"]]
    cells = trained.groupby(["generator", "relation"], sort=False)["recognizability"]
    return cells.agg(mean="mean", sd="std", n_evaluators="count").reset_index()


def relation(study: "Study", generator: str, evaluator: str) -> str:
    """Say how an evaluator is related to the network that metamers were made with.

    Parameters
    ----------
    study
        Whose networks.
    generator, evaluator
        Their keys.

    Returns
    -------
    str
        One of `RELATIONS`. Networks of the zoo share an architecture if the paper gives them the same number of
        parameters; a network of one's own shares it with none.
    """
    if generator == evaluator:
        return "itself"
    first, second = (_architecture(study, key) for key in (generator, evaluator))
    return "other training" if first == second else "other architecture"


def _instances(study: "Study") -> list[str]:
    """List the further trainings that the study's zoo knows, with the network that they are trainings of."""
    extra = [key for key in getattr(study.zoo, "extra_instances", ()) if key in EXTRA_INSTANCES]
    return ["resnet18", *extra] if extra else []


def _architecture(study: "Study", key: str) -> object:
    """Name an architecture: within the zoo by its number of parameters, which no two of them share."""
    if key in study.networks.own:
        return key
    entry = ZOO.get("resnet18" if key in EXTRA_INSTANCES else key)
    return entry.parameters if entry else key
