"""What was run, in sentences for captions and paragraphs."""

from typing import TYPE_CHECKING

from metamerbook.study.words import counted
from metamerlib.generation import GenerationConfig

if TYPE_CHECKING:
    from metamerbook.study.study import Study

_PAPER = GenerationConfig()


def comparable(study: "Study") -> str:
    """Say whether a run's numbers should agree with the paper's.

    Parameters
    ----------
    study
        What was run.

    Returns
    -------
    str
        A sentence or two that fit the networks of the run.
    """
    if study.settings.zoo == "mini":
        return (
            "The two worlds need not agree in these numbers; pictures, networks and budgets differ. Whether they agree "
            "in what depends on what is the question that a smaller world can answer."
        )
    if study.settings.zoo == "paper-untrained":
        return "Ours are numbers of networks with random weights: they agree or disagree with nothing."
    return (
        "The networks are the paper's, and so is the kind of pictures; which pictures they were, and how many, it does "
        f"not say. Its budget is {_PAPER.updates_per_model} updates per model, that of this run "
        f"{study.settings.config.updates_per_model}."
    )


def weight_of_verdicts(study: "Study") -> str:
    """Say what a run's verdicts tell about the paper's claims.

    Parameters
    ----------
    study
        What was run.

    Returns
    -------
    str
        Two sentences that fit the networks of the run.
    """
    if study.settings.zoo == "mini":
        return (
            "A claim that does not hold in miniature may hold at the paper's scale, and the other way round. What "
            "carries over is the question, the measurement, and the program: with the profile **paper** and the "
            "paper's networks, the same page gives the verdict that counts."
        )
    if study.settings.zoo == "paper-untrained":
        return (
            "With random weights it is a verdict about nothing, and shows that the page can be made. With the profile "
            "**paper** and the paper's networks, the same page gives the verdict that counts."
        )
    return (
        "The networks are the paper's. Where pictures, budget, or the readings of what the paper leaves open, differ "
        "from what its authors did, a verdict can differ too."
    )


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


def reduced(study: "Study", shown: int) -> str:
    """Say that a figure shows pictures smaller than they are, if it does.

    Parameters
    ----------
    study
        Whose pictures.
    shown
        Side in pixels that the figure has room for.

    Returns
    -------
    str
        A sentence, or nothing if they are shown whole.
    """
    side = max(study.references.size)
    if side <= shown:
        return ""
    return (
        f"Pictures of {side} px are reduced to {shown}, which averages fine noise away; "
        "`metamerlib run --pictures` writes them whole."
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
