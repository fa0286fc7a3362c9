"""What a study ran, in words: the paragraph that every chapter prints."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from metamerlib.generation import GenerationConfig

if TYPE_CHECKING:
    from metamerbook.study.study import Study

_SAID_ANYWAY = ("repetitions", "steps_per_model")

_REHEARSAL = (
    "**A rehearsal with random weights: no number and no verdict on this page means anything.** The networks have the "
    "paper's architectures and were never trained. Where the text calls them trained, robust or distilled, it speaks "
    "of the parts that they play."
)


def describe(study: "Study") -> str:
    """Say in a few Markdown sentences what a study runs, and what it lacks.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    str
        Markdown: images, sets and stages, budget, settings that differ from the paper's Table 3, evaluators, and a
        sentence that begins with **Missing** for sets or evaluators whose networks are not there, with what brings
        them. Where all networks have random weights, a paragraph before it says so.
    """
    settings = study.settings
    stages = ", ".join(f"{stage:.0%} depth" if isinstance(stage, float) else str(stage) for stage in settings.stages)
    sets = "; ".join(f"{name} ({', '.join(model_set.members)})" for name, model_set in study.running_sets.items())
    repetitions, steps = settings.repetitions, settings.steps_per_model
    budget = f"{repetitions} {_plural('repetition', repetitions)} × {steps} {_plural('step', steps)} per model"
    if settings.preset != "paper":
        budget += f" by the preset “{settings.preset}”"
    sentences = [
        f"Profile **{Path(settings.profile).stem}**: {_images(study)}, seed {settings.seed}.",
        f"Model sets: {sets or 'none can run'}; stages: {stages}.",
        f"Budget: {budget}{_departures(settings.config)}"
        + ("" if settings.precision == "float32" else f"; computed in {settings.precision}")
        + ".",
        f"Evaluators: {len(study.evaluators)} {_plural('network', len(study.evaluators))} of the {settings.zoo} zoo"
        + (" and the caller's own" if study.networks.own else "")
        + f" (a set's own members left out of its averages); recognized by the criterion “{settings.criterion}”"
        + ("" if settings.decision == "max_logit" else f", with the decision “{settings.decision}”")
        + ".",
    ]
    shortfalls = [model_set.shortfall for model_set in study.model_sets.values() if model_set.missing]
    if shortfalls:
        sentences.append(f"**Missing networks in model sets**: {'; '.join(shortfalls)}.")
    if missing := study.missing_evaluators:
        total = len(missing) + len(study.evaluators)
        sentences.append(
            f"**Missing evaluators**: averages run over {len(study.evaluators)} of {total}, without "
            f"{', '.join(missing)}."
        )
    if shortfalls or missing:
        sentences.append(f"As to weights, {study.networks.hint()}.")
    text = " ".join(sentences)
    return f"{_REHEARSAL}\n\n{text}" if settings.zoo == "paper-untrained" else text


def _images(study: "Study") -> str:
    references, settings = study.references, study.settings
    height, width = references.size
    present = len(set(references.labels.tolist()))
    if study.given_references:
        what = "images"
    elif settings.stimuli == "imagenet16":
        what = "photographs of ILSVRC 2012's validation set"
    elif settings.stimuli == "folder":
        what = f"photographs from `{settings.root}`"
    else:
        what = f"drawings of {settings.stimuli}"
    return f"{len(references)} {what} of {present} {_plural('category', present)} at {height} × {width} px"


def _departures(config: GenerationConfig) -> str:
    """Name the settings, beside the budget, that are not Table 3's."""
    changed = [
        f"{f.name} {getattr(config, f.name)!r}"
        for f in dataclasses.fields(config)
        if f.name not in _SAID_ANYWAY and getattr(config, f.name) != getattr(GenerationConfig(), f.name)
    ]
    return f" (other than Table 3: {', '.join(changed)})" if changed else ", all else as in Table 3"


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    return word[:-1] + "ies" if word.endswith("y") else word + "s"
