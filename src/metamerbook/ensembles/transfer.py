"""Chapter 14: whether metamers of one network are metamers for other architectures and trainings (thesis outline)."""

from typing import Annotated

import pandas as pd

from metamerbook.engine.task import Task
from metamerbook.ensembles.optimisers import Labelled, ablation_study
from metamerbook.study.judging import Predictions, evaluate, featured_stage
from metamerbook.study.networks import check_keys
from metamerbook.study.settings import Section
from metamerbook.study.study import Study
from metamerbook.study.values import AllByName, Names
from metamerlib.models import EXTRA_INSTANCES, ZOO, MissingWeightsError


class Transfer(Section):
    """The networks whose own metamers all others classify; None takes every trained one."""

    transfer_generators: Annotated[Names | None, AllByName] = (
        *("alexnet", "vgg19", "resnet18", "resnet18_robust", "resnet50"),
        *("convnext_base", "deit_small", "vit_base", "vit_base_robust", "mlp_mixer"),
    )


def transfer_generators(study: Study) -> tuple[list[str], list[str]]:
    """Choose the networks whose own metamers all others look at: those that are there, and those that are missing.

    Without the setting `transfer_generators` they are all trained evaluators. Further trainings of ResNet-18 belong to
    them, if the zoo has any.
    """
    traits = study.networks.traits((*study.evaluators, *study.missing_evaluators))
    wanted = study.settings.of(Transfer).transfer_generators or traits.loc[~traits["random"], "evaluator"].tolist()
    check_keys(wanted, [*study.networks.keys, *ZOO], "transfer_generators")
    keys = list(dict.fromkeys([*wanted, *_instances(study)]))
    there = [key for key in keys if key in study.networks.models]
    return there, [key for key in keys if key not in there]


def transfer_runs(study: Study) -> Labelled:
    """Describe the generation of each network's own metamers, with the label generator."""
    small = ablation_study(study)
    there, missing = transfer_generators(study)
    if not there:
        others = ", ".join(study.networks.models)
        hint = f"{study.networks.hint(missing)}. Or name others out of {others}"
        raise MissingWeightsError(f"none of transfer_generators has its weights: {hint}.")
    return [({"generator": key}, small.run([key], featured_stage(study))) for key in there]


def transfer_evaluators(study: Study) -> list[str]:
    """Choose who looks at each network's metamers: the evaluators, and the further trainings of ResNet-18."""
    known = (key for key in _instances(study) if key in study.networks.models)
    return list(dict.fromkeys([*study.evaluators, *known]))


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes."""
    small, evaluators = ablation_study(study), transfer_evaluators(study)
    return [Predictions.of(small, run, evaluators) for _, run in transfer_runs(study)]


def transfer(study: Study) -> pd.DataFrame:
    """Tabulate how well each network's metamers are recognized by each other network.

    One row per generating network and evaluator: generator (key), what `evaluate` returns, generator_family,
    generator_robust, relation ("itself", "other training" of one architecture, or "other architecture").
    """
    runs = transfer_runs(study)
    table = evaluate(ablation_study(study), runs, evaluators=transfer_evaluators(study), title="transfer")
    traits = study.networks.traits(table["generator"].unique()).set_index("evaluator")
    return table.assign(
        generator_family=table["generator"].map(traits["family"]),
        generator_robust=table["generator"].map(traits["robust"]),
        relation=[relation(study, *pair) for pair in zip(table["generator"], table["evaluator"], strict=True)],
    )


def relation(study: Study, generator: str, evaluator: str) -> str:
    """Say how an evaluator is related to the network that metamers were made with."""
    if generator == evaluator:
        return "itself"
    first, second = (_architecture(study, key) for key in (generator, evaluator))
    return "other training" if first == second else "other architecture"


def related_generators(table: pd.DataFrame) -> list[str]:
    """List the generators of a table of `transfer` of whose architecture there is another training."""
    return list(dict.fromkeys(table.loc[table["relation"] == "other training", "generator"]))


def facts(table: pd.DataFrame) -> dict[str, str]:
    """Return the mean shares of the prose, over trained evaluators, in percent.

    Of all generators: own, away (by other architectures), within and across (by those of the generator's family and of
    another). Of those with another training: related-own, related-training, related-away. A dash where nobody looked.
    """
    trained = table[~table["random"]]
    related = trained["generator"].isin(related_generators(table))
    itself, training = trained["relation"] == "itself", trained["relation"] == "other training"
    away = ~itself & ~training
    within = trained["family"] == trained["generator_family"]
    groups = {
        "own": itself,
        "away": away,
        "within": away & within,
        "across": away & ~within,
        "related-own": related & itself,
        "related-training": related & training,
        "related-away": related & away,
    }
    means = {name: trained.loc[rows, "recognizability"].mean() for name, rows in groups.items()}
    return {name: "–" if pd.isna(mean) else f"{mean:.0%}" for name, mean in means.items()}


def _instances(study: Study) -> list[str]:
    """List the further trainings that the study's zoo knows, with the network that they are trainings of."""
    extra = [key for key in getattr(study.zoo, "extra_instances", ()) if key in EXTRA_INSTANCES]
    return ["resnet18", *extra] if extra else []


def _architecture(study: Study, key: str) -> object:
    """Name an architecture: within the zoo by the paper's number of parameters, which no two of them share."""
    entry = ZOO.get("resnet18" if key in EXTRA_INSTANCES else key)
    return key if entry is None or key in study.networks.own else entry.parameters
