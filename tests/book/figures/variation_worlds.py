"""Small tables with known content for the appendices, the thesis part and the claims."""

import pandas as pd

from metamerlib.models import ZOO

JUDGES = ("alexnet", "vgg19", "resnet18", "densenet121", "squeezenet", "vit_base", "mlp_mixer", "resnet18_robust")


def traits(key):
    """What kind of network a key stands for."""
    entry = ZOO.get("resnet18" if "_seed" in key else key)
    return {"evaluator": key, "family": entry.family, "robust": entry.robust, "random": entry.random}


def ablation(column, values, judges=JUDGES, starts=("l1_ball",)):
    """Each value of a column adds a tenth to what each judge recognizes; AlexNet took part."""
    rows = []
    for start in starts:
        for number, value in enumerate(values):
            for place, key in enumerate(judges):
                share = min(1.0, 0.2 + place / 50 + number / 10)
                rows.append(
                    {column: value, "initializer": start, "model_set": f"set {value}", "residual": 0.5 - number / 10}
                    | traits(key)
                    | {"held_out": key != "alexnet", "outside": key != "alexnet", "recognizability": share}
                )
    return pd.DataFrame(rows)


def history(column, values, starts=("l1_ball",), rounds=8):
    """Residuals of two networks that fall faster with every value of a column."""
    return pd.DataFrame(
        {column: value, "initializer": start, "repetition": repetition, "model": model}
        | {"residual": offset / (1 + repetition * (1 + number))}
        for start in starts
        for number, value in enumerate(values)
        for repetition in range(rounds + 1)
        for model, offset in (("alexnet", 1.0), ("resnet18", 1.5))
    )


def transfer(generators=("resnet18", "resnet18_seed1", "vit_base"), judges=(*JUDGES, "resnet18_seed1")):
    """Networks recognize all of their own metamers, half of another training's, and a quarter of others'."""

    def relation(one, two):
        if one == two:
            return "itself"
        return "other training" if "resnet18" in one and "resnet18" in two else "other architecture"

    shares = {"itself": 1.0, "other training": 0.5, "other architecture": 0.25}
    rows = []
    for one in generators:
        kind = traits(one)
        for two in judges:
            row = {"generator": one, "generator_family": kind["family"], "generator_robust": kind["robust"]}
            row |= traits(two) | {"held_out": one != two, "relation": relation(one, two)}
            rows.append(row | {"recognizability": shares[relation(one, two)]})
    return pd.DataFrame(rows)
