"""Recognizability: how many metamers a model that had no part in them takes for what they were made from.

Section 4.5 of the paper calls it "the percentage of metamers in the batch that had the same output class
as the model it was generated on". With an ensemble there is no one generating model, and the paper's
Figure 1 compares reference and metamer; so the default asks each evaluator for its own class on both.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

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
    whole_number,
)

if TYPE_CHECKING:
    from metamerlib.models import Classifier
    from metamerlib.stimuli import StimulusSet

CRITERIA = ("reference", "label", "generator")
"""What a metamer must be taken for: the evaluator's own class of the reference, the reference's true label,
or the generating models' class of the reference."""


def recognizability(
    images: Tensor,
    references: StimulusSet,
    evaluators: Iterable[Classifier],
    *,
    criterion: str = "reference",
    generator: Classifier | Sequence[Classifier] | None = None,
    reference_predictions: Mapping[str, Tensor] | None = None,
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
        The classifiers that judge: usually the zoo without the models that generated
        (``zoo.evaluators(exclude=[...])``).
    criterion
        ``"reference"``: the evaluator's class on the metamer is its class on the reference (default);
        ``"label"``: it is the reference's label; ``"generator"``: it is the class that ``generator``
        gives the reference.
    generator
        The model or models the metamers were made with; only for ``criterion="generator"``. Of several
        models the class with the highest mean probability counts.
    reference_predictions
        Each evaluator's classes on the references, by evaluator's name, as
        :func:`predict_categories` gives them: pass them when several sets of metamers are judged against
        the same references, and no reference is classified twice. Evaluators that are not in it are asked.
    confidence
        Coverage of the Wilson interval.
    batch_size
        Images per forward pass.

    Returns
    -------
    pandas.DataFrame
        One row per evaluator, in their order: ``evaluator`` (name), ``n`` (metamers), ``recognized``
        (how many), ``recognizability`` (their share, in [0, 1]), ``low`` and ``high`` (Wilson interval),
        ``criterion``, ``reference_accuracy`` (share of the references that the evaluator itself gets
        right) and ``label_recognizability`` (share of the metamers it gives the true label).

    Raises
    ------
    ValueError
        If shapes, categories, the criterion or the confidence do not fit; the message says which.

    Notes
    -----
    The interval describes the uncertainty over images for one evaluator. It is not the spread over
    evaluators, which the paper's "±" is.
    """
    check_fraction(confidence, "confidence")
    _check_references(references)
    looks = _looks(images, references, evaluators, criterion, generator, reference_predictions, batch_size)
    labels = references.labels.cpu()
    return pd.DataFrame([_row(look, labels, criterion, confidence) for look in looks])


def tabulate_recognizability(
    classes: Mapping[str, Tensor],
    reference_classes: Mapping[str, Tensor],
    labels: Tensor,
    *,
    criterion: str = "reference",
    generated_classes: Tensor | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Tabulate recognizability from classes that are known already, so that no network is asked again.

    Parameters
    ----------
    classes
        Each evaluator's (N,) classes of the metamers, by its name.
    reference_classes
        Each evaluator's (N,) classes of the references.
    labels
        (N,) true classes of the references.
    criterion
        As for :func:`recognizability`.
    generated_classes
        (N,) the generating models' classes of the references; needed for ``criterion="generator"``.
    confidence
        Coverage of the Wilson interval.

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
    labels, rows = labels.cpu(), []
    for name, on_metamer in classes.items():
        on_reference = _checked_prediction(reference_classes[name], name, len(labels))
        wanted = {"reference": on_reference, "label": labels, "generator": generated_classes}[criterion]
        rows.append(_row(_Look(name, on_reference, on_metamer, wanted), labels, criterion, confidence))
    return pd.DataFrame(rows)


def recognized(
    images: Tensor,
    references: StimulusSet,
    evaluators: Iterable[Classifier],
    *,
    criterion: str = "reference",
    generator: Classifier | Sequence[Classifier] | None = None,
    reference_predictions: Mapping[str, Tensor] | None = None,
    batch_size: int = 256,
) -> Tensor:
    """Tell for each metamer which evaluators recognize it.

    Parameters
    ----------
    images, references, evaluators, criterion, generator, reference_predictions, batch_size
        As for :func:`recognizability`.

    Returns
    -------
    Tensor
        (evaluators, N) bool, on the CPU.
    """
    _check_references(references)
    looks = _looks(images, references, evaluators, criterion, generator, reference_predictions, batch_size)
    return torch.stack([look.on_metamer == look.wanted for look in looks])


def predict_categories(images: Tensor, evaluators: Iterable[Classifier], *, batch_size: int = 256) -> dict[str, Tensor]:
    """Every evaluator's class of every image.

    Parameters
    ----------
    images
        (N, 3, H, W) in [0, 1].
    evaluators
        The classifiers to ask.
    batch_size
        Images per forward pass.

    Returns
    -------
    dict of str to Tensor
        By evaluator's name: (N,) int64 on the CPU, indices into that evaluator's categories.
    """
    check_images(images, any_float=True)
    return {
        evaluator.name: evaluator.predict(images.float(), batch_size=batch_size).cpu()
        for evaluator in check_classifiers(evaluators, "evaluators", at_least=2)
    }


class _Look(NamedTuple):
    """One evaluator's classes of N references and metamers, and the classes that count as recognition."""

    evaluator: str
    on_reference: Tensor
    on_metamer: Tensor
    wanted: Tensor


def _row(look: _Look, labels: Tensor, criterion: str, confidence: float) -> dict[str, object]:
    n, count = len(labels), int((look.on_metamer == look.wanted).sum())
    low, high = _interval(count, n, confidence)
    return {
        "evaluator": look.evaluator,
        "n": n,
        "recognized": count,
        "recognizability": count / n,
        "low": low,
        "high": high,
        "criterion": criterion,
        "reference_accuracy": float((look.on_reference == labels).double().mean()),
        "label_recognizability": float((look.on_metamer == labels).double().mean()),
    }


@functools.cache
def _interval(count: int, n: int, confidence: float) -> tuple[float, float]:
    interval = binomtest(count, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def _looks(
    images: Tensor,
    references: StimulusSet,
    evaluators: Iterable[Classifier],
    criterion: str,
    generator: Classifier | Sequence[Classifier] | None,
    reference_predictions: Mapping[str, Tensor] | None,
    batch_size: int,
) -> Iterator[_Look]:
    """Check everything, then let one evaluator after the other look."""
    check_choice(criterion, CRITERIA, "criterion")
    batch_size = whole_number(batch_size, "batch_size", at_least=1)
    check_pair(images, references.images)
    evaluators = check_classifiers(evaluators, "evaluators", categories=references.categories, at_least=2)
    labels = references.labels.cpu()

    generated_class = None
    if criterion == "generator":
        generated_class = _generator_classes(references, generator, batch_size)
    elif generator is not None:
        raise ValueError(
            f"generator is {shown(generator)}, but read with criterion='generator' only, got criterion={criterion!r}."
        )

    if reference_predictions is not None and not isinstance(reference_predictions, Mapping):
        raise TypeError(
            f"reference_predictions is {shown(reference_predictions)}: pass a mapping of evaluators' names to classes, "
            "as predict_categories gives it."
        )
    known = dict(reference_predictions or {})
    missing = [evaluator for evaluator in evaluators if evaluator.name not in known]
    if missing:
        known |= predict_categories(references.images, missing, batch_size=batch_size)

    for evaluator in evaluators:
        on_reference = _checked_prediction(known[evaluator.name], evaluator.name, len(labels))
        on_metamer = evaluator.predict(images.float(), batch_size=batch_size).cpu()
        wanted = {"reference": on_reference, "label": labels, "generator": generated_class}[criterion]
        yield _Look(evaluator.name, on_reference, on_metamer, wanted)


def _generator_classes(
    references: StimulusSet, generator: Classifier | Sequence[Classifier] | None, batch_size: int
) -> Tensor:
    """Class of each reference in the eyes of the generating models: highest mean probability."""
    if generator is None:
        raise ValueError(
            "criterion='generator' needs generator=: the Classifier, or the list of them, that the metamers "
            "were generated with."
        )
    models = list(generator) if isinstance(generator, Sequence) else [generator]
    models = check_classifiers(models, "generator", categories=references.categories)
    mean_probability = torch.zeros(len(references.images), len(references.categories), dtype=torch.float64)
    with torch.no_grad():
        for model in models:
            batches = references.images.split(batch_size)
            logits = torch.cat([model(batch.to(model.device)).cpu() for batch in batches])
            mean_probability += model.checked_logits(logits).double().softmax(dim=1) / len(models)
    return mean_probability.argmax(dim=1)


def _check_references(references: object) -> None:
    if not all(hasattr(references, name) for name in ("images", "labels", "categories")):
        raise TypeError(f"references is {shown(references)}: pass a StimulusSet, such as load_stimuli() gives.")


def _checked_prediction(prediction: Tensor, name: str, n: int) -> Tensor:
    prediction = torch.as_tensor(prediction).cpu()
    if prediction.shape != (n,):
        raise ValueError(
            f"reference_predictions[{name!r}] has shape {tuple(prediction.shape)}, but there are {n} references: "
            f"compute it on these references with predict_categories."
        )
    return prediction
