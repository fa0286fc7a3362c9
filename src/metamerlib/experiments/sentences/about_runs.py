"""What was run, in sentences for captions and paragraphs."""

from pathlib import Path
from typing import TYPE_CHECKING

from metamerlib.experiments.sentences.wording import counted, enumerated, network_label
from metamerlib.generation import GenerationConfig

if TYPE_CHECKING:
    from metamerlib.experiments.study import Study


def profile_name(study: "Study") -> str:
    """Name the profile of a study, without a path.

    Parameters
    ----------
    study
        Whose profile.

    Returns
    -------
    str
        Such as "mini"; of a file, its name without ending.
    """
    return Path(study.settings.profile).stem


def provenance(study: "Study") -> str:
    """Say in a line what a figure was made of, for its caption.

    Parameters
    ----------
    study
        What was run.

    Returns
    -------
    str
        Markdown: profile, images, budget, number of evaluators.
    """
    settings, count = study.settings, len(study.references)
    kind = "drawing" if settings.stimuli == "objects16" else "photograph"
    kind = "image" if study.given_references else kind
    updates, judges = settings.config.updates_per_model, len(study.evaluators)
    return (
        f"Profile {profile_name(study)}: {counted(count, kind)} at {study.references.size[0]} px, "
        f"{counted(updates, 'update')} per model, {counted(judges, 'evaluator')}."
    )


def members(study: "Study", name: str) -> str:
    """Name the networks of a set in words.

    Parameters
    ----------
    study
        Whose set.
    name
        Which one.

    Returns
    -------
    str
        Such as "ResNet-18 and AlexNet"; with what is missing of it, if anything is.
    """
    chosen = study.model_sets[name]
    missing = f" (without {enumerated(map(network_label, chosen.missing))})" if chosen.missing else ""
    return enumerated(map(network_label, chosen.members)) + missing


def left_out(study: "Study") -> str:
    """Say which sets a figure lacks, and which are incomplete.

    Parameters
    ----------
    study
        Whose sets.

    Returns
    -------
    str
        A sentence, or nothing if all sets are whole.
    """
    shortfalls = [model_set.shortfall for model_set in study.model_sets.values() if model_set.missing]
    return f"Not as it should be: {'; '.join(shortfalls)}." if shortfalls else ""


def stimuli(study: "Study") -> str:
    """Say what pictures a study takes.

    Parameters
    ----------
    study
        Whose references.

    Returns
    -------
    str
        A paragraph that fits drawings, photographs, or pictures that were handed over.
    """
    height, width = study.references.size
    here = f"{counted(len(study.references), 'picture')} of {height} × {width} pixels"
    if study.given_references:
        return f"In this run, {here} were handed over by whoever ran it."
    if study.settings.stimuli == "imagenet16":
        return (
            f"In this run, {here} were drawn by lot out of the validation images of ILSVRC 2012, as many of each of "
            "the sixteen categories over all its classes, cut to their shorter side and resized."
        )
    if study.settings.stimuli == "folder":
        return (
            f"In this run, {here} were read from a folder, cut to their shorter side and resized. Networks that have "
            "only seen drawings recognize little in photographs, which bounds what can be recognized in metamers."
            if study.settings.zoo == "mini"
            else f"In this run, {here} were read from a folder, cut to their shorter side and resized."
        )
    return (
        f"In this run, {here} were drawn by a program, in the same sixteen categories: several kinds of object for "
        "each, with pose, size, proportions, colours, texture and light at random, before a background with the "
        "spectrum of natural pictures. Colour says nothing about the category; shape does. Any number of new ones can "
        "be drawn, which is what the miniatures were trained on."
    )


def schedule(config: GenerationConfig) -> str:
    """Say how the learning rate changes.

    Parameters
    ----------
    config
        The generation's settings.

    Returns
    -------
    str
        A clause without a subject.
    """
    first, last = (config.learning_rate_at(repetition) for repetition in (0, config.repetitions - 1))
    if config.schedule == "constant" or first == last:
        return f"stays at {first:g}"
    manner = "by the same factor after each repetition" if config.schedule == "exponential" else "in halves"
    return f"falls {manner}, from {first:g} to {last:g}"
