"""Recognizability: how many metamers a model that had no part in them takes for what they were made from.

Section 4.5 of the paper asks for "the same output class as the model it was generated on". With an ensemble there is no
one generating model, and the paper's Figure 1 compares reference and metamer; so the default asks each evaluator for
its own class on both.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import torch
from scipy.stats import binomtest
from torch import Tensor

from metamerlib.checks import (
    check_choice,
    check_classifiers,
    check_fraction,
    check_images,
    check_pair,
    shown,
)
from metamerlib.models import Classifier
from metamerlib.models.independence import check_independence
from metamerlib.stimuli import StimulusSet

CRITERIA = ("reference", "label", "generator")
"""What a metamer must be taken for: the evaluator's own class of the reference, the reference's true label, or the
generating models' class of the reference."""

_COLUMNS = ["evaluator", "n", "recognized", "recognizability", "low", "high", "criterion"]
_COLUMNS += ["reference_accuracy", "label_recognizability"]


def recognizability(
    images: Tensor,
    references: StimulusSet,
    evaluators: Iterable[Classifier],
    *,
    criterion: str = "reference",
    generator: Classifier | Sequence[Classifier] | None = None,
    confidence: float = 0.95,
    batch_size: int = 256,
) -> pd.DataFrame:
    """Share of metamers that each evaluator recognizes, with a binomial confidence interval.

    Parameters
    ----------
    images
        Metamers, (N, 3, H, W) in [0, 1]; metamer i was made from reference i.
    references
        The N references, at the same size.
    evaluators
        Usually the zoo without the models that generated (``zoo.evaluators(exclude=[...])``).
    criterion
        ``"reference"``: the evaluator's class on the metamer is its class on the reference; ``"label"``: it is the
        reference's label; ``"generator"``: it is the class that ``generator`` gives the reference.
    generator
        The model or models the metamers were made with; only for ``criterion="generator"``. Of several models the
        class with the highest mean probability counts.

    Returns
    -------
    pandas.DataFrame
        One row per evaluator, in their order: ``evaluator`` (name), ``n`` (metamers), ``recognized`` (how many),
        ``recognizability`` (their share, in [0, 1]), ``low`` and ``high`` (Wilson interval), ``criterion``,
        ``reference_accuracy`` (share of the references that the evaluator itself gets right) and
        ``label_recognizability`` (share of the metamers it gives the true label).

    Raises
    ------
    TypeError
        If `references` is no stimulus set.
    ValueError
        If shapes, categories, the criterion or the confidence do not fit, or an evaluator has one category only.

    Notes
    -----
    The interval is the uncertainty over images for one evaluator, not the spread over evaluators, the paper's "±".
    """
    check_choice(criterion, CRITERIA, "criterion")
    check_fraction(confidence, "confidence")
    if not all(hasattr(references, name) for name in ("images", "labels", "categories")):
        raise TypeError(f"references is {shown(references)}: pass a StimulusSet, such as load_stimuli() gives.")
    check_pair(images, references.images)
    evaluators = check_classifiers(evaluators, "evaluators", categories=references.categories, at_least=2)
    if criterion != "generator" and generator is not None:
        raise ValueError(
            f"generator is {shown(generator)}, but read with criterion='generator' only, got criterion={criterion!r}."
        )
    return tabulate_recognizability(
        predict_categories(images, evaluators, batch_size=batch_size),
        predict_categories(references.images, evaluators, batch_size=batch_size),
        references.labels,
        criterion=criterion,
        generated_classes=_generator_classes(references, generator) if criterion == "generator" else None,
        confidence=confidence,
    )


def tabulate_recognizability(
    classes: Mapping[str, Tensor],
    reference_classes: Mapping[str, Tensor],
    labels: Tensor,
    *,
    criterion: str = "reference",
    generated_classes: Tensor | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Tabulate recognizability, as :func:`recognizability` does, from classes that are known already.

    Parameters
    ----------
    classes, reference_classes
        Each evaluator's (N,) classes of the metamers and of the references, by its name.
    labels
        (N,) true classes of the references.
    generated_classes
        (N,) the generating models' classes of the references; needed for ``criterion="generator"``.

    Returns
    -------
    pandas.DataFrame
        As from :func:`recognizability`.

    Raises
    ------
    ValueError
        If the criterion or the confidence does not fit.
    """
    check_choice(criterion, CRITERIA, "criterion")
    check_fraction(confidence, "confidence")
    if criterion == "generator" and generated_classes is None:
        raise ValueError("criterion='generator' needs generated_classes=: what the generating models see.")
    labels, n, rows = labels.cpu(), len(labels), []
    for name, on_metamer in classes.items():
        on_reference = reference_classes[name]
        wanted = {"reference": on_reference, "label": labels, "generator": generated_classes}[criterion]
        count = int((on_metamer == wanted).sum())
        low, high = _interval(count, n, confidence)
        accuracies = [float((found == labels).double().mean()) for found in (on_reference, on_metamer)]
        rows.append((name, n, count, count / n, low, high, criterion, *accuracies))
    return pd.DataFrame(rows, columns=_COLUMNS)


def predict_categories(images: Tensor, evaluators: Iterable[Classifier], *, batch_size: int = 256) -> dict[str, Tensor]:
    """Classify images (N, 3, H, W) in [0, 1] with every evaluator.

    Returns
    -------
    dict of str to Tensor
        By evaluator's name: (N,) int64 on the CPU, indices into that evaluator's categories.
    """
    check_images(images, any_float=True)
    classes = {}
    for evaluator in check_classifiers(evaluators, "evaluators", at_least=2):
        check_independence(evaluator, images)
        classes[evaluator.name] = evaluator.predict(images.float(), batch_size=batch_size).cpu()
    return classes


def _generator_classes(references: StimulusSet, generator: Classifier | Sequence[Classifier] | None) -> Tensor:
    """Classify references as the generating models do: highest mean probability."""
    if generator is None:
        raise ValueError(
            "criterion='generator' needs generator=: the Classifier, or the list of them, that the metamers were "
            "generated with."
        )
    models = list(generator) if isinstance(generator, Sequence) else [generator]
    models = check_classifiers(models, "generator", categories=references.categories)
    mean_probability = torch.zeros(len(references.images), len(references.categories), dtype=torch.float64)
    with torch.no_grad():
        for model in models:
            check_independence(model, references.images)
            batches = references.images.split(256)
            logits = torch.cat([model(batch.to(model.device)).cpu() for batch in batches])
            mean_probability += model.checked_logits(logits).double().softmax(dim=1) / len(models)
    return mean_probability.argmax(dim=1)


@functools.cache
def _interval(count: int, n: int, confidence: float) -> tuple[float, float]:
    interval = binomtest(count, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
