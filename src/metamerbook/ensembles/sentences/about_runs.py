"""What was run, in sentences for captions and paragraphs."""

from typing import TYPE_CHECKING

from metamerbook.study.words import counted

if TYPE_CHECKING:
    from metamerbook.study.study import Study


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
