"""Small networks, images and studies for the tables of part two."""

import torch
from torch import nn

from metamerbook.study.settings import StudySettings
from metamerbook.study.study import Study
from metamerlib import CATEGORIES, Classifier, GenerationConfig, StimulusSet

BUDGET = {"repetitions": 2, "steps_per_model": 1, "learning_rate": 2.0, "final_learning_rate": 0.5}
TABLES = {
    "metric_backbone": "a",
    "max_pairs": 50,
    "permutations": 9,
    "attack_steps": 3,
    "mixed_sets": 6,
    "mixed_largest": 4,
    "largest_ensemble": 3,
    "transfer_generators": ("a", "c"),
} | {f"{table}_{name}": value for table in ("restricted", "mixed", "ablation") for name, value in BUDGET.items()}
SETS = {"pair": ("a", "b"), "one": ("c",)}


def toy(name, seed, silent=False):
    """Make a classifier for images of any size; a silent one has no gradient, at grey or elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2),
        nn.Sequential(nn.Conv2d(4, 4, 3), nn.Tanh()),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, len(CATEGORIES)),
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    if silent:
        network[0] = Rounded()
    return Classifier(network, name=name, blocks=["0", "1", "2"], categories=CATEGORIES)


class Rounded(nn.Module):
    """What no gradient passes."""

    def forward(self, images):
        return (9 * images.repeat(1, 2, 1, 1)[:, :4]).round()


def images(count=6, side=12):
    """Give images of two categories, in turn."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.tensor([0, 6] * count)[:count]
    names = tuple(f"image {number}" for number in range(count))
    return StimulusSet(torch.rand(count, 3, side, side, generator=generator), labels, CATEGORIES, names)


def toy_study(store, zoo=None, references=None, tables=None, **changes):
    """Make a study of five toys."""
    settings = {"stages": ("early", "late"), "model_sets": SETS, "device": "cpu"}
    settings["config"] = GenerationConfig(**BUDGET | {"repetitions": 3})
    sections = StudySettings.from_values(TABLES | (tables or {})).sections
    return Study(
        StudySettings(**settings | changes, sections=sections),
        zoo={name: toy(name, seed) for seed, name in enumerate("abcde")} if zoo is None else zoo,
        references=images() if references is None else references,
        store=store,
        progress=False,
    )
