"""A study with everything there: networks without values for those that are missing, grey images for photographs."""

from typing import TYPE_CHECKING

import torch

from metamerlib.models import ModelZoo
from metamerlib.stimuli import CATEGORIES, StimulusSet

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def skeleton(study: "Study", progress: bool | None) -> tuple["Study", list[str]]:
    """Set up the same study with everything there, for counting what it would compute.

    Parameters
    ----------
    study
        The study.
    progress
        Whether to draw progress bars; None draws them on terminals and in Jupyter.

    Returns
    -------
    tuple of Study and list of str
        The study with all of its networks, though without values, and with its images, though perhaps grey ones; and
        sentences on what is not really there.

    Raises
    ------
    ValueError
        If it is of photographs, and neither their folder nor their number is known.
    """
    notes, zoo, references = [], study.zoo, None
    if isinstance(zoo, ModelZoo):
        if zoo.missing:
            notes.append(
                f"The weights of {len(zoo.missing)} networks are not on this disk: they are counted as if they were "
                "there, and nothing of theirs can be in the store."
            )
        zoo = zoo.skeletons()
    if study.given_references or study.settings.root is not None or study.settings.stimuli == "objects16":
        references = study.references
    else:
        references = _grey(study)
        notes.append(
            f"No photographs are named: {len(references)} grey images stand for them, and nothing made of them can be "
            "in the store."
        )
    complete = type(study)(
        study.settings,
        models=study.networks.own.values(),
        references=references,
        zoo=zoo,
        store=study.store,
        progress=progress,
    )
    return complete, notes


def _grey(study: "Study") -> StimulusSet:
    """Give as many images as the settings ask for."""
    settings = study.settings
    if settings.stimuli == "folder" and settings.n_per_class is None:
        raise ValueError(
            "n_per_class is not set, and no photographs are named that could be counted: give n_per_class, or root."
        )
    categories = settings.categories or CATEGORIES
    each, side = settings.n_per_class or 25, settings.size or 224  # what load_stimuli takes by default
    labels = torch.arange(len(categories)).repeat_interleave(each)
    images = torch.full((1, 3, side, side), 0.5).expand(len(labels), -1, -1, -1)
    return StimulusSet(images, labels, tuple(categories), tuple(f"image {number}" for number in range(len(labels))))
