"""The same study on fewer of its images and with another budget: what tables over many runs are computed on."""

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from metamerlib.stimuli import StimulusSet

if TYPE_CHECKING:
    from metamerbook.study.study import Study

# One study per budget, so that its networks' fingerprints and its worker processes serve several tables.
_known: "WeakKeyDictionary[Study, dict[tuple, Study]]" = WeakKeyDictionary()


def first_of_each_category(references: StimulusSet, n_per_class: int | None) -> list[int]:
    """Choose the first images of each category.

    Parameters
    ----------
    references
        The images.
    n_per_class
        How many of each category, or as many as there are; None takes all.

    Returns
    -------
    list of int
        Their positions, rising.
    """
    if n_per_class is None:
        return list(range(len(references)))
    seen: Counter[int] = Counter()
    chosen = []
    for position, label in enumerate(references.labels.tolist()):
        seen[label] += 1
        if seen[label] <= n_per_class:
            chosen.append(position)
    return chosen


def subset_study(study: "Study", *, n_per_class: int | None, **config: Any) -> "Study":
    """Set up a study with the same networks, store and choices, on fewer images.

    Parameters
    ----------
    study
        The study.
    n_per_class
        Images per category, the first ones of the study's; None takes all.
    config
        Fields of `GenerationConfig` to change.

    Returns
    -------
    Study
        Each image starts from the noise of its place among the fewer images.
    """
    known, key = _known.setdefault(study, {}), (n_per_class, *sorted(config.items()))
    if key not in known:
        known[key] = type(study)(
            dataclasses.replace(study.settings, config=study.settings.config.replace(**config)),
            models=study.networks.own.values(),
            references=study.references[first_of_each_category(study.references, n_per_class)],
            zoo=study.zoo,
            store=study.store,
            progress=study.context.progress,
            scheduler=study.context.scheduler,
        )
    return known[key]


def scope(small: "Study") -> str:
    """Say what tables over many runs were computed on.

    Parameters
    ----------
    small
        As `subset_study` returns it.

    Returns
    -------
    str
        A Markdown sentence: images, budget, and how many networks judge, out of how many.
    """
    count, categories = len(small.references), len(set(small.references.labels.tolist()))
    repetitions, steps = small.settings.repetitions, small.settings.steps_per_model
    missing, judges = small.missing_evaluators, f"{len(small.evaluators)}"
    absent = ""
    if missing:
        judges += f" of {len(small.evaluators) + len(missing)}"
        absent = f" (missing: {', '.join(missing)})"
    return (
        f"Computed on {count} image{'s' * (count > 1)} of {categories} categor{'ies' if categories > 1 else 'y'}, with "
        f"{repetitions} repetition{'s' * (repetitions > 1)} × {steps} step{'s' * (steps > 1)} per network; {judges} "
        f"networks judge{absent}."
    )
