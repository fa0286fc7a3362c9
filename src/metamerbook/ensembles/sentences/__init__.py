"""Sentences of the chapters that must follow from whatever was run: what was run, and what tables say."""

from metamerbook.ensembles.sentences.about_results import (
    beside_published,
    comparisons,
    criteria,
    descent,
    evaluate,
    matching,
    patience,
    trend,
    untrained,
)
from metamerbook.ensembles.sentences.about_runs import (
    comparable,
    left_out,
    members,
    profile_name,
    provenance,
    reduced,
    schedule,
    stimuli,
    weight_of_verdicts,
)
from metamerbook.ensembles.sentences.wording import network_label, stage_in_words

__all__ = [
    "beside_published",
    "comparable",
    "comparisons",
    "criteria",
    "descent",
    "evaluate",
    "left_out",
    "matching",
    "members",
    "network_label",
    "patience",
    "profile_name",
    "provenance",
    "reduced",
    "schedule",
    "stage_in_words",
    "stimuli",
    "trend",
    "untrained",
    "weight_of_verdicts",
]
