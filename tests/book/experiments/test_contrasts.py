"""Paired differences between conditions, and the sentences of the appendices, the thesis part and the claims page."""

import pandas as pd

from metamerbook.ensembles.sentences import about_variations
from metamerbook.study.judging import contrasts
from metamerlib.models import ZOO


def ablation(effects, judges=12, members=("alexnet",)):
    """A table in which a condition adds a known amount to every judge's own leniency."""
    keys = list(ZOO)[:judges]
    return pd.DataFrame(
        {
            "optimizer": name,
            "evaluator": key,
            "held_out": key not in members,
            "recognizability": 0.3 + place / 40 + effect,
        }
        for name, effect in effects.items()
        for place, key in enumerate(keys)
    )


def test_the_comparison_says_what_is_clearly_better_and_worse():
    frame = contrasts(ablation({"SGD": 0.0, "Adam": 0.1, "SGD, momentum": -0.1}), ["optimizer"], ("SGD",))
    text = about_variations.compared(frame, ["optimizer"])
    assert "- Adam: 0.55, a difference of +0.10 [+0.10, +0.10]" in text
    assert "1 of 2 is clearly better than plain gradient descent, 1 of 2 is clearly worse" in text


def test_convergence_says_who_is_first():
    rows = [
        {"mode": mode, "repetition": repetition, "model": model, "residual": 1 / (1 + speed * repetition)}
        for mode, speed in (("round_robin", 1.0), ("joint", 2.0))
        for repetition in range(11)
        for model in ("alexnet", "vgg19")
    ]
    text = about_variations.convergence(pd.DataFrame(rows), ["mode"])
    assert "0.048 with all at once; 0.091 with taking turns" in text
    assert "taking turns ends after 10 rounds is reached by all at once at round 5" in text
    same = pd.DataFrame(rows[:22])
    assert "no other way sooner" in about_variations.convergence(same, ["mode"])


def sizes(means):
    return pd.DataFrame({"size": range(1, len(means) + 1), "mean": means})


def test_more_networks_follows_the_means():
    assert "Of 3 steps from one size to the next, 3 raise the mean" in about_variations.more_networks(
        sizes([0.1, 0.2, 0.3, 0.4])
    )
    falling = about_variations.more_networks(sizes([0.4, 0.3]))
    assert "Of 1 step from one size to the next, none raises the mean" in falling
    assert "highest with 1 network (0.40)" in falling
    assert "nothing to compare" in about_variations.more_networks(sizes([0.4]))


def transfer_table(other_training=0.5):
    values = {"itself": 1.0, "other training": other_training, "other architecture": 0.2}
    pairs = [("resnet18", "resnet18"), ("resnet18", "resnet18_seed1"), ("resnet18", "vit_base"), ("resnet18", "vgg19")]
    pairs += [("vit_base", "vit_base"), ("vit_base", "vgg19")]
    return pd.DataFrame(
        {"generator": one, "evaluator": two, "random": False, "held_out": one != two}
        | {"generator_family": "transformer" if one == "vit_base" else "cnn"}
        | {"family": "transformer" if two == "vit_base" else "cnn", "robust": False, "generator_robust": False}
        | {"relation": "itself" if one == two else "other training" if "seed" in two else "other architecture"}
        for one, two in pairs
    ).pipe(lambda table: table.assign(recognizability=table["relation"].map(values)))


def test_transfer_tells_families_and_trainings_apart():
    text = about_variations.transferred(transfer_table())
    assert "recognize 100% of their own metamers; other architectures recognize 20%" in text
    assert "Within a family the mean is 20%, across families 20%" in text
    assert "50%; that is more than other architectures, which recognize 20%" in about_variations.instances(
        transfer_table()
    )
    assert "that is less than" in about_variations.instances(transfer_table(other_training=0.1))
    alone = transfer_table()[lambda table: table["relation"] != "other training"]
    assert "stays open here" in about_variations.instances(alone, ["resnet18_seed1"])
