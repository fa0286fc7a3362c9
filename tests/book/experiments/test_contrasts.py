"""Paired differences between conditions, and the sentences of the appendices, the thesis part and the claims page."""

import numpy as np
import pandas as pd

from metamerbook.ensembles.sentences import about_random_sets, about_variations
from metamerbook.study.judging import contrasts
from metamerbook.study.published import published
from metamerlib.models import ZOO, ModelZoo
from metamerlib.models.zoo import EDITIONS


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


def effects(clear=0.1):
    table = published("table_b2").drop(columns="model").rename(columns={"key": "model"})
    values = np.where(table["model"].map(lambda key: ZOO[key].robust), clear, 0.0)
    return table[["model"]].assign(adjusted=values, adjusted_low=values - 0.05, adjusted_high=values + 0.05)


def test_effects_beyond_chance_are_named():
    robust = sum(ZOO[key].robust for key in effects()["model"])
    text = about_random_sets.clear_effects(effects())
    assert f"and {robust - 6} more" in text
    assert "worsen sets beyond chance: none" in text
    assert f"+0.100 for robust networks ({robust})" in about_random_sets.effects_by_kind(effects())
    harmful = about_random_sets.clear_effects(effects(clear=-0.1))
    assert "improve sets beyond chance: none" in harmful
    assert "−0.100 [−0.150, −0.050]" in harmful


def test_the_spread_is_put_beside_the_papers():
    means = pd.DataFrame({"mean": [0.7, 0.8, 0.75], "size": [2, 5, 9]})
    assert "0.750 ± 0.050, from 0.70 (a set of 2) to 0.80 (a set of 5)" in about_random_sets.spread(means)
    assert "inside its spread" in about_random_sets.spread(means)
    assert "outside its spread" in about_random_sets.spread(means.assign(mean=[0.1, 0.2, 0.3]))


def test_size_matters_only_beyond_chance():
    sizes = np.repeat(range(2, 11), 8)
    growing = pd.DataFrame({"size": sizes, "mean": sizes / 20 + np.linspace(0, 0.01, len(sizes))})
    assert "larger sets do better" in about_random_sets.size_matters(growing)
    noise = growing.assign(mean=np.random.default_rng(1).uniform(size=len(sizes)))
    assert "no trend that chance could not make" in about_random_sets.size_matters(noise)
    assert "cannot be seen" in about_random_sets.size_matters(growing.assign(mean=0.5))


def test_agreement_leaves_out_what_has_no_correlation():
    table = pd.DataFrame({"ours": list(about_random_sets.WAYS), "spearman": [0.5, 0.1, np.nan, -0.2], "n": 31})
    text = about_random_sets.agreement(table.assign(p=[0.004, 0.6, np.nan, 0.3]))
    assert "+0.50 for the signed difference (p = 0.004)" in text
    assert "1 of these 3 have p below 0.05" in text
    assert "Too few networks" in about_random_sets.agreement(table.assign(spearman=np.nan, p=np.nan))
    assert "Too few networks" in about_random_sets.agreement(table.assign(n=3, p=0.0))


def test_published_differences_are_held_against_chance():
    table = pd.DataFrame({"low": -0.02, "high": 0.02, "sets": 100, "published_difference": [0.01, 0.03, 0.118]})
    text = about_random_sets.within_chance(table)
    assert "about ±0.020" in text
    assert "1 of the paper's 3 differences are smaller" in text
    assert "cannot be told" in about_random_sets.within_chance(table.assign(low=np.nan))


def test_a_zoo_is_described_by_what_is_there():
    rows = [
        {"table_name": name, "available": there, "random": False, "robust": robust, "parameters": 1000}
        | {"paper_parameters": 50_000, "accuracy": accuracy, "robust_accuracy": attacked}
        for name, there, robust, accuracy, attacked in (
            ("A", True, False, 0.9, 0.1),
            ("B", True, True, 0.8, 0.7),
            ("C", False, False, np.nan, np.nan),
        )
    ]
    zoo = pd.DataFrame(rows)
    assert about_random_sets.networks_there(zoo).startswith(
        "2 of the paper's 3 networks are there, with 1 thousand to 1"
    )
    assert "in the median 1/50 of the paper's" in about_random_sets.networks_there(zoo)
    assert "between 80.0% (B) and 90.0% (A)" in about_random_sets.accuracies(zoo)
    assert "robust networks still classify 70% on average, the others 10%" in about_random_sets.accuracies(zoo)


def test_accuracies_say_among_how_many_classes_they_are():
    meant = {name: about_random_sets.accuracies_meant(ModelZoo(name).table()) for name in EDITIONS}
    assert "among the sixteen categories, measured" in meant["mini"]
    assert "published with the weights, among ImageNet's 1000 classes" in meant["paper"]
    assert meant["paper-untrained"] == "No accuracy is known of these networks."
    untrained = ModelZoo("paper-untrained").table()
    assert "random weights" in about_random_sets.networks_there(untrained)
    assert set(untrained["trained_on"]) == {"none"}
