"""Names and captions that all chapters need: networks as the paper calls them, stages, and what a study was run on."""

from collections.abc import Iterable
from pathlib import Path

from metamerbook.study.study import Study
from metamerlib.checks import counted
from metamerlib.models import STAGES, ZOO, Stage


def network_label(key: str) -> str:
    """Name a network as the paper's Table A1 does; one that is not in the zoo, by its key."""
    return ZOO[key].table_name if key in ZOO else key


def stage_in_words(stage: Stage) -> str:
    """Name a stage within a sentence, such as "the late stage" or "35% of the depth"."""
    if isinstance(stage, str):
        return f"the {stage} stage" if stage in STAGES else f"`{stage}`"
    return f"{stage:.0%} of the depth"


def enumerated(parts: Iterable[str]) -> str:
    """Join words as a sentence does: "a, b and c"."""
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign; what rounds to zero has none, and what is not a number is a dash."""
    if value != value:
        return "–"
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def interval(low: float, high: float, digits: int = 2) -> str:
    """Write an interval such as "[−0.02, +0.10]"; nothing where there is none."""
    return "" if low != low or high != high else f"[{signed(low, digits)}, {signed(high, digits)}]"


def profile_name(study: Study) -> str:
    """Name the profile of a study, without a path; and that its weights are random, if they are."""
    name = Path(study.settings.profile).stem
    return f"{name} (random weights)" if study.settings.zoo == "paper-untrained" else name


def provenance(study: Study) -> str:
    """Say in a line what a figure was made of: profile, images, budget, evaluators."""
    settings, count = study.settings, len(study.references)
    kind = "drawing" if settings.stimuli == "objects16" else "photograph"
    kind = "image" if study.given_references else kind
    updates, evaluators = settings.config.updates_per_model, len(study.evaluators)
    return (
        f"Profile {profile_name(study)}: {counted(count, kind)} at {study.references.size[0]} px, "
        f"{counted(updates, 'update')} per model, {counted(evaluators, 'evaluator')}."
    )


def left_out(study: Study) -> str:
    """Say which sets a figure lacks, and which are incomplete; nothing if all are whole."""
    shortfalls = [model_set.shortfall for model_set in study.model_sets.values() if model_set.missing]
    return f"Not as it should be: {'; '.join(shortfalls)}." if shortfalls else ""


def members(study: Study, name: str) -> str:
    """Name the networks of a set, such as "ResNet-18 and AlexNet"; and what is missing of it."""
    chosen = study.model_sets[name]
    missing = f" (without {enumerated(map(network_label, chosen.missing))})" if chosen.missing else ""
    return enumerated(map(network_label, chosen.members)) + missing
